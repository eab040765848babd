package api

import (
	"context"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// Replay is many deliveries being sent again.
type Replay struct {
	ID           *int64        `json:"id" doc:"null for a dry run."`
	WebhookID    int64         `json:"webhook_id"`
	State        string        `json:"state" doc:"running, finished or cancelled; dry_run when nothing was started."`
	Reason       *string       `json:"reason" doc:"Why it was cancelled, when not by hand."`
	States       []string      `json:"states"`
	Events       []string      `json:"events" doc:"Empty for all."`
	SubmissionID *int64        `json:"submission_id"`
	Since        webhook.Stamp `json:"since"`
	Until        webhook.Stamp `json:"until"`
	Total        int           `json:"total" doc:"How many deliveries matched when it was started."`
	Queued       int           `json:"queued" doc:"How many of those were queued so far."`
	Succeeded    int           `json:"succeeded"`
	Failed       int           `json:"failed"`
	Skipped      int           `json:"skipped" doc:"The webhook was switched off before their turn."`
	Waiting      int           `json:"waiting" doc:"How many are queued and not over: due, being sent, or waiting for a retry."`
	Missed       int           `json:"missed" doc:"How many were resent or removed by others before their turn; 0 until it is finished."`
	CreatedAt    webhook.Stamp `json:"created_at"`
	FinishedAt   webhook.Stamp `json:"finished_at"`
}

func replayOf(r paraph.Replay) Replay {
	out := Replay{
		ID: orNull(r.ID), WebhookID: r.EndpointID, State: string(r.State), Reason: orNull(r.Why), States: []string{}, Events: []string{},
		SubmissionID: orNull(r.Filter.EnvelopeID), Since: webhook.Stamp(r.Filter.Since), Until: webhook.Stamp(r.Filter.Until),
		Total: r.Total, Queued: r.Queued, Succeeded: r.Succeeded, Failed: r.Failed, Skipped: r.Skipped, Waiting: r.Waiting, Missed: r.Missed(),
		CreatedAt: webhook.Stamp(r.CreatedAt), FinishedAt: webhook.Stamp(r.FinishedAt),
	}
	for _, s := range r.Filter.States {
		out.States = append(out.States, string(s))
	}
	out.Events = append(out.Events, r.Filter.Events...)
	return out
}

const replayAbout = "The same bytes under the same webhook-ids, with the whole schedule of retries, in the order of the events: at most 1,000 wait at once, " +
	"and new events go first (of a webhook that is strictly in order, they wait). A webhook has one replay at a time; while it is switched off it has none. " +
	"Ask with dry_run first to see how many match."

// ReplaySettings say what to send again.
type ReplaySettings struct {
	States       []string `json:"states" doc:"Any of failed, skipped and succeeded; failed and skipped when left out. What is pending is left alone, and so are tests."`
	Since        string   `json:"since" doc:"Created at or after this time, in ISO 8601; skipped at or after it, for what was skipped."`
	Until        string   `json:"until" doc:"Created, or skipped, before this time."`
	Events       []string `json:"events" doc:"Names or families; all when left out."`
	SubmissionID int64    `json:"submission_id" doc:"Of this submission only."`
	DryRun       bool     `json:"dry_run" doc:"true: answer how many match, as total, and start nothing."`
}

func (s ReplaySettings) filter() (f paraph.ReplayFilter, err error) {
	if s.SubmissionID < 0 {
		return f, paraph.FieldErrorf("submission_id", "This is not the id of a submission.")
	}
	f.Events, f.EnvelopeID = s.Events, s.SubmissionID
	for _, x := range s.States {
		f.States = append(f.States, paraph.DeliveryState(x))
	}
	if f.Since, err = parseTime("since", s.Since); err != nil {
		return f, err
	}
	f.Until, err = parseTime("until", s.Until)
	return f, err
}

type replayCreation struct {
	ByID
	Body input[ReplaySettings]
}

func (a *api) createReplay(ctx context.Context, in *replayCreation) (Replay, error) {
	s, err := in.Body.value()
	if err != nil {
		return Replay{}, err
	}
	f, err := s.filter()
	if err != nil {
		return Replay{}, err
	}
	if s.DryRun {
		n, f, err := a.desk.CountReplay(ctx, whoOf(ctx), in.ID, f)
		return replayOf(paraph.Replay{EndpointID: in.ID, State: "dry_run", Filter: f, Total: n}), err
	}
	r, err := a.desk.StartReplay(ctx, whoOf(ctx), in.ID, f)
	return replayOf(r), err
}

type replayList struct {
	ByID
	PageQuery
}

func (a *api) listReplays(ctx context.Context, in *replayList) (p Page[Replay], err error) {
	account := whoOf(ctx).AccountID
	if _, err := a.store.Endpoint(ctx, account, in.ID); err != nil {
		return p, err
	}
	found, err := a.store.Replays(ctx, account, in.ID, in.After, in.Before, in.limit())
	if err != nil {
		return p, err
	}
	var out []Replay
	for _, r := range found {
		out = append(out, replayOf(r))
	}
	return paged(out, func(r Replay) int64 { return *r.ID }), nil
}

type byReplay struct {
	ByID
	ReplayID int64 `path:"replay_id"`
}

func (a *api) getReplay(ctx context.Context, in *byReplay) (Replay, error) {
	r, err := a.store.Replay(ctx, whoOf(ctx).AccountID, in.ID, in.ReplayID)
	return replayOf(r), err
}

func (a *api) cancelReplay(ctx context.Context, in *byReplay) (Replay, error) {
	r, err := a.desk.CancelReplay(ctx, whoOf(ctx), in.ID, in.ReplayID)
	return replayOf(r), err
}
