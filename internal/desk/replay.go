package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/job"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// A replay queues so many deliveries in one transaction, and no more while so
// many of its own wait. It looks again after replayPause, and after
// replayRest when all that waits is a while from being due.
const (
	replayBatch = 200
	replayMost  = 1000
	replayPause = time.Second
	replayRest  = 30 * time.Second
)

// replayKind is the job that keeps a replay going.
func (d *Desk) replayKind() job.Kind {
	return job.Kind{Name: jobReplay, Workers: 2, Run: d.replay, Pause: job.Doubling(time.Second, time.Minute, 0)}
}

// checkReplay returns the filter as it is stored, or says what is wrong with
// it. What failed or was skipped is meant when no states are named.
func checkReplay(f paraph.ReplayFilter) (_ paraph.ReplayFilter, err error) {
	if len(f.States) == 0 {
		f.States = []paraph.DeliveryState{paraph.DeliveryFailed, paraph.DeliverySkipped}
	}
	var states []paraph.DeliveryState
	for _, s := range f.States {
		if s == paraph.DeliveryPending {
			return f, paraph.FieldErrorf("states", "What is pending is sent anyway; it can't be replayed.")
		}
		if !slices.Contains(paraph.Replayable(), s) {
			return f, paraph.FieldErrorf("states", "“%s” is not a state: failed, skipped or succeeded.", paraph.Shorten(string(s), 40))
		}
	}
	for _, s := range paraph.Replayable() {
		if slices.Contains(f.States, s) {
			states = append(states, s)
		}
	}
	f.States = states
	if len(f.Events) > 0 {
		if f.Events, err = webhook.CheckEvents(f.Events); err != nil {
			return f, err
		}
	}
	if !f.Since.IsZero() && !f.Until.IsZero() && !f.Since.Before(f.Until) {
		return f, paraph.FieldErrorf("until", "The end lies before the beginning.")
	}
	return f, nil
}

// replayedNames are the events that a filter means, none for all.
func replayedNames(events []string) []string {
	if len(events) == 0 {
		return nil
	}
	var out []string
	for _, n := range webhook.Names() {
		if webhook.Match(events, n.Name) {
			out = append(out, n.Name)
		}
	}
	return out
}

// CountReplay tells how many deliveries of a webhook a replay would send now,
// and the filter as it would be stored.
func (d *Desk) CountReplay(ctx context.Context, who Who, endpointID int64, f paraph.ReplayFilter) (int, paraph.ReplayFilter, error) {
	f, err := checkReplay(f)
	if err != nil {
		return 0, f, err
	}
	if _, err := d.Store.Endpoint(ctx, who.AccountID, endpointID); err != nil {
		return 0, f, err
	}
	c, err := d.Store.CountReplay(ctx, who.AccountID, endpointID, f, replayedNames(f.Events), d.Store.Now())
	return c.N, f, wrap(err, "count what is to be replayed of endpoint", endpointID)
}

// StartReplay begins to send again what a filter matches now. A webhook that
// is switched off, or that has a replay running, is a Conflict; to match
// nothing is Invalid.
func (d *Desk) StartReplay(ctx context.Context, who Who, endpointID int64, f paraph.ReplayFilter) (out paraph.Replay, err error) {
	if f, err = checkReplay(f); err != nil {
		return out, err
	}
	if err := d.canReplay(ctx, d.Store.Reader, who, endpointID); err != nil {
		return out, err
	}
	// Counted before the transaction, which would block others for as long.
	now := d.Store.Now()
	c, err := d.Store.CountReplay(ctx, who.AccountID, endpointID, f, replayedNames(f.Events), now)
	if err != nil {
		return out, wrap(err, "count what is to be replayed of endpoint", endpointID)
	}
	if c.N == 0 {
		return out, paraph.Errorf(paraph.Invalid, "Nothing matches: no delivery of this webhook is like that.")
	}
	r := paraph.Replay{
		AccountID: who.AccountID, EndpointID: endpointID, Filter: f, State: paraph.ReplayRunning, Cursor: c.First - 1, Last: c.Last,
		Total: c.N, CreatedBy: who.UserID, CreatedAt: now,
	}
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		out = r
		if err := d.canReplay(ctx, tx.Reader, who, endpointID); err != nil {
			return err
		}
		if err := tallyBefore(ctx, tx, endpointID); err != nil {
			return err
		}
		if err := tx.InsertReplay(ctx, &out); err != nil {
			return err
		}
		payload, err := json.Marshal(replayJob{out.ID})
		if err != nil {
			return err
		}
		return d.queue(ctx, tx, store.Job{Kind: jobReplay, AccountID: who.AccountID, Payload: string(payload), DueAt: tx.Now()})
	})
	return out, wrap(err, "replay deliveries of endpoint", endpointID)
}

// canReplay says why a webhook can't begin a replay.
func (d *Desk) canReplay(ctx context.Context, read store.Reader, who Who, endpointID int64) error {
	e, err := read.Endpoint(ctx, who.AccountID, endpointID)
	if err != nil {
		return err
	}
	if !e.Enabled {
		return paraph.Errorf(paraph.Conflict, "This webhook is switched off; switch it on first, then replay.")
	}
	switch r, err := read.RunningReplay(ctx, who.AccountID, endpointID); {
	case err == nil:
		return paraph.Errorf(paraph.Conflict, "Replay %d is still running for this webhook: wait for its end, or cancel it (%s).", r.ID, d.Links.Replay(r))
	case paraph.KindOf(err) != paraph.NotFound:
		return err
	}
	return nil
}

// Replay is where a replay's progress is shown.
func (l Links) Replay(r paraph.Replay) string {
	return fmt.Sprintf("%s/settings/webhooks/%d/replays/%d", l.Base, r.EndpointID, r.ID)
}

// tallyBefore counts what earlier replays of an endpoint brought about, before
// another one takes their deliveries over.
func tallyBefore(ctx context.Context, tx *store.Tx, endpointID int64) error {
	earlier, err := tx.WaitingReplays(ctx, endpointID)
	if err != nil {
		return err
	}
	for _, r := range earlier {
		if _, err := tx.TallyReplay(ctx, &r); err != nil {
			return err
		}
		if err := tx.SaveReplay(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// CancelReplay stops a replay: nothing more is queued, and what was queued and
// not tried yet goes back to how it was. What was tried and failed keeps its
// retries. One that is over stays as it is.
func (d *Desk) CancelReplay(ctx context.Context, who Who, endpointID, id int64) (out paraph.Replay, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		r, err := tx.Replay(ctx, who.AccountID, endpointID, id)
		if err != nil || r.State != paraph.ReplayRunning {
			out = r
			return err
		}
		r.State, r.FinishedAt = paraph.ReplayCancelled, tx.Now()
		if err := tx.TakeBackReplay(ctx, &r); err != nil {
			return err
		}
		if _, err := tx.TallyReplay(ctx, &r); err != nil {
			return err
		}
		out = r
		tx.After(func() { d.lanes(endpointID) })
		return tx.SaveReplay(ctx, r)
	})
	return out, wrap(err, "cancel replay", id)
}

// stopSending skips what is queued for an endpoint that was switched off or
// deleted, and cancels its replay.
func stopSending(ctx context.Context, tx *store.Tx, endpointID int64, why string) error {
	if err := tx.StopReplays(ctx, endpointID, why); err != nil {
		return err
	}
	return tx.SkipDeliveries(ctx, endpointID)
}

type replayJob struct {
	Replay int64 `json:"replay"`
}

// replay is the job: one step, and in the same transaction the job put back
// for the next. Whether we stop before the commit or after it, the cursor, what
// was queued and the job agree, so nothing is queued twice and nothing left out.
func (d *Desk) replay(ctx context.Context, j store.Job) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error { return d.replayOnce(ctx, tx, j) })
}

func (d *Desk) replayOnce(ctx context.Context, tx *store.Tx, j store.Job) error {
	var p replayJob
	if err := json.Unmarshal([]byte(j.Payload), &p); err != nil {
		return job.Stop(fmt.Errorf("read the payload of job %d: %w", j.ID, err))
	}
	again, err := d.replayStep(ctx, tx, p.Replay)
	if err != nil || again.IsZero() {
		return wrap(err, "go on with replay", p.Replay)
	}
	return tx.RetryJob(ctx, j, again, "", false)
}

// replayStep counts what is over, queues what there is room for, and answers
// when to look again; the zero time when there is nothing left to do.
func (d *Desk) replayStep(ctx context.Context, tx *store.Tx, id int64) (again time.Time, err error) {
	r, err := tx.AnyReplay(ctx, id)
	if err != nil {
		if paraph.KindOf(err) == paraph.NotFound { // long over, and pruned
			err = nil
		}
		return again, err
	}
	due, err := tx.TallyReplay(ctx, &r)
	if err != nil {
		return again, err
	}
	if room := min(replayBatch, replayMost-r.Waiting); !r.AllQueued() && room > 0 {
		n, err := tx.QueueReplay(ctx, &r, replayedNames(r.Filter.Events), room)
		if err != nil {
			return again, err
		}
		if n > 0 {
			due = tx.Now()
			tx.After(func() { d.lanes(r.EndpointID) })
		}
	}
	if r.State == paraph.ReplayRunning && r.AllQueued() && r.Waiting == 0 {
		r.State, r.FinishedAt = paraph.ReplayFinished, tx.Now()
	}
	return replayAgain(r, due, tx.Now()), tx.SaveReplay(ctx, r)
}

// replayAgain is when the next step of a replay is due, whose first delivery
// that waits is due at a time.
func replayAgain(r paraph.Replay, due, now time.Time) time.Time {
	switch {
	case !r.AllQueued() && r.Waiting < replayMost:
		return now
	case r.Waiting == 0:
		return time.Time{}
	case due.Sub(now) < 2*replayRest: // a request under way is due when its claim ends
		return now.Add(replayPause)
	}
	return now.Add(replayRest)
}
