package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// SubmitterDetail is a submitter with what surrounds them. The keys below
// stand in the place of those that Submitter ends with.
type SubmitterDetail struct {
	webhook.Submitter
	Template         *webhook.FormTemplate     `json:"template"`
	Values           []webhook.FormValue       `json:"values"`
	Documents        []webhook.FormDocument    `json:"documents"`
	Preferences      webhook.FormPreferences   `json:"preferences"`
	SubmissionEvents []webhook.SubmissionEvent `json:"submission_events"`
	Role             string                    `json:"role"`
}

func detailOf(s webhook.Snapshot, r paraph.Recipient) SubmitterDetail {
	u := webhook.SubmitterOf(s, r)
	d := SubmitterDetail{
		Submitter: u, Values: u.Values, Documents: u.Documents, Preferences: u.Preferences, Role: u.Role,
		SubmissionEvents: []webhook.SubmissionEvent{},
	}
	whole := webhook.SubmissionOf(s)
	d.Template = whole.Template
	for _, ev := range whole.SubmissionEvents {
		if ev.SubmitterID != nil && *ev.SubmitterID == r.ID {
			d.SubmissionEvents = append(d.SubmissionEvents, ev)
		}
	}
	return d
}

// SentSubmitter is a submitter with the address of their signing page.
type SentSubmitter struct {
	webhook.Submitter
	EmbedSrc string `json:"embed_src" doc:"The submitter's signing page."`
}

func (a *api) sent(s webhook.Snapshot, r paraph.Recipient) SentSubmitter {
	return SentSubmitter{webhook.SubmitterOf(s, r), a.desk.Links.Slug(r.Token)}
}

// recipient finds a recipient of the caller's account, with their envelope.
func (a *api) recipient(ctx context.Context, id int64) (e paraph.Envelope, r paraph.Recipient, err error) {
	account := whoOf(ctx).AccountID
	envelopeID, err := a.store.EnvelopeOfRecipient(ctx, account, id)
	if err != nil {
		return e, r, err
	}
	if e, err = a.store.Envelope(ctx, account, envelopeID); err != nil {
		return e, r, err
	}
	r, ok := e.Recipient(id)
	if !ok || !r.Kind.Acts() {
		return e, r, paraph.Errorf(paraph.NotFound, "This submitter is not here, or belongs to another space.")
	}
	return e, r, nil
}

func (a *api) getSubmitter(ctx context.Context, in *ByID) (out SubmitterDetail, err error) {
	e, r, err := a.recipient(ctx, in.ID)
	if err != nil {
		return out, err
	}
	s, err := a.snapshot(ctx, e)
	if err != nil {
		return out, err
	}
	return detailOf(s, r), nil
}

type submitterFilter struct {
	PageQuery
	SubmissionID    int64  `query:"submission_id"`
	Query           string `query:"q" doc:"In the name, address and phone number."`
	Slug            string `query:"slug"`
	ExternalID      string `query:"external_id"`
	CompletedAfter  string `query:"completed_after" doc:"A time in ISO 8601."`
	CompletedBefore string `query:"completed_before" doc:"A time in ISO 8601."`
	TemplateID      int64  `query:"template_id" doc:"There are no templates yet, so this finds nothing."`
}

func (a *api) listSubmitters(ctx context.Context, in *submitterFilter) (p Page[SubmitterDetail], err error) {
	f := store.RecipientFilter{
		EnvelopeID: in.SubmissionID, Query: in.Query, Token: in.Slug, ExternalID: in.ExternalID, Before: in.After, After: in.Before, Limit: in.limit(),
	}
	if f.CompletedAfter, err = parseTime("completed_after", in.CompletedAfter); err != nil {
		return p, err
	}
	if f.CompletedBefore, err = parseTime("completed_before", in.CompletedBefore); err != nil {
		return p, err
	}
	id := func(d SubmitterDetail) int64 { return d.ID }
	if in.TemplateID != 0 {
		return paged[SubmitterDetail](nil, id), nil
	}
	found, err := a.store.Recipients(ctx, whoOf(ctx).AccountID, f)
	if err != nil {
		return p, err
	}
	out, err := a.details(ctx, found)
	return paged(out, id), err
}

// details reads each envelope once, however many of its recipients were found.
func (a *api) details(ctx context.Context, found []paraph.Recipient) ([]SubmitterDetail, error) {
	snapshots := map[int64]webhook.Snapshot{}
	var out []SubmitterDetail
	for _, r := range found {
		s, ok := snapshots[r.EnvelopeID]
		if !ok {
			e, err := a.store.Envelope(ctx, whoOf(ctx).AccountID, r.EnvelopeID)
			if paraph.KindOf(err) == paraph.NotFound { // deleted meanwhile
				continue
			}
			if err != nil {
				return nil, err
			}
			if s, err = a.snapshot(ctx, e); err != nil {
				return nil, err
			}
			snapshots[r.EnvelopeID] = s
		}
		out = append(out, detailOf(s, r))
	}
	return out, nil
}

// SubmitterUpdate is what can be changed of a submitter.
type SubmitterUpdate struct {
	Name        *string                    `json:"name"`
	Email       *string                    `json:"email"`
	Phone       *string                    `json:"phone"`
	Values      map[string]json.RawMessage `json:"values" doc:"Values by the name or uuid of their field: text, a number, true or false; for a signature a PNG or JPEG as data URL or base64, or the name to be written."`
	ExternalID  *string                    `json:"external_id"`
	SendEmail   *bool                      `json:"send_email" doc:"true sends the invitation once more, if it is the submitter's turn."`
	SendSMS     bool                       `json:"send_sms" doc:"Not possible yet."`
	Completed   bool                       `json:"completed" doc:"true signs on the submitter's behalf. Every required field must be filled."`
	Metadata    map[string]any             `json:"metadata" doc:"Replaces what is stored."`
	Fields      []SubmitterField           `json:"fields" doc:"Only name and default_value can be given once the submission is out."`
	RedirectURL *string                    `json:"completed_redirect_url" doc:"Can't be changed once the submission is out."`
	ReplyTo     *string                    `json:"reply_to" doc:"Can't be changed once the submission is out."`
	Message     *Message                   `json:"message" doc:"Can't be changed once the submission is out."`
	PhoneCode   bool                       `json:"require_phone_2fa" doc:"Not possible yet."`
	EmailCode   bool                       `json:"require_email_2fa" doc:"Not possible yet."`
}

// check refuses what can't be done.
func (u *SubmitterUpdate) check() error {
	const out = "This can't be changed once the submission is out."
	switch {
	case u.SendSMS:
		return paraph.FieldErrorf("send_sms", "Text messages are not possible yet.")
	case u.PhoneCode:
		return paraph.FieldErrorf("require_phone_2fa", "Codes by phone are not possible yet.")
	case u.EmailCode:
		return paraph.FieldErrorf("require_email_2fa", "Codes by e-mail are not possible yet.")
	case u.RedirectURL != nil:
		return paraph.FieldErrorf("completed_redirect_url", out)
	case u.ReplyTo != nil:
		return paraph.FieldErrorf("reply_to", out)
	case u.Message != nil:
		return paraph.FieldErrorf("message", out)
	}
	for i, f := range u.Fields {
		if f.ReadOnly != nil || f.Required != nil || f.Title != "" || f.Description != "" || f.Validation != nil {
			return paraph.FieldErrorf(fmt.Sprintf("fields[%d]", i), "Only the default value of “%s” can be changed once the submission is out.", short(f.Name))
		}
	}
	return nil
}

type submitterUpdate struct {
	ByID
	Body input[SubmitterUpdate]
}

func (a *api) updateSubmitter(ctx context.Context, in *submitterUpdate) (out SentSubmitter, err error) {
	u, err := in.Body.value()
	if err != nil {
		return out, err
	}
	e, r, err := a.recipient(ctx, in.ID)
	if err != nil {
		return out, err
	}
	change, err := updateOf(&e, r, u)
	if err != nil {
		return out, err
	}
	changed, err := a.desk.UpdateRecipient(ctx, whoOf(ctx), e.ID, r.ID, change)
	if err != nil {
		return out, atValue(err, &e, change.Inputs)
	}
	s, err := a.snapshot(ctx, changed)
	if err != nil {
		return out, err
	}
	r, _ = changed.Recipient(in.ID)
	return a.sent(s, r), nil
}

// updateOf says to the desk what a request wants.
func updateOf(e *paraph.Envelope, r paraph.Recipient, u *SubmitterUpdate) (c desk.RecipientUpdate, err error) {
	switch {
	case !r.CompletedAt.IsZero():
		return c, paraph.Errorf(paraph.Ended, "This submitter has completed; nothing can change any more.")
	case !r.DeclinedAt.IsZero():
		return c, paraph.Errorf(paraph.Ended, "This submitter has declined; nothing can change any more.")
	}
	if err := u.check(); err != nil {
		return c, err
	}
	c = desk.RecipientUpdate{Complete: u.Completed, Resend: u.SendEmail != nil && *u.SendEmail && e.InTurn(r)}
	if c.Contact, err = contactOf(r, u); err != nil {
		return c, err
	}
	c.Inputs, err = inputsOf(e, r, u)
	return c, err
}

// contactOf is how the recipient will be reached, nil when that stays.
func contactOf(r paraph.Recipient, u *SubmitterUpdate) (*paraph.Contact, error) {
	k := paraph.Contact{Name: r.Name, Email: r.Email, Phone: r.Phone, ExternalID: r.ExternalID, Metadata: r.Metadata}
	was := k
	for _, x := range []struct {
		to *string
		v  *string
	}{{&k.Name, u.Name}, {&k.Email, u.Email}, {&k.Phone, u.Phone}, {&k.ExternalID, u.ExternalID}} {
		if x.v != nil {
			*x.to = strings.TrimSpace(*x.v)
		}
	}
	if u.Metadata != nil {
		var err error
		if k.Metadata, err = metadataOf("metadata", u.Metadata); err != nil {
			return nil, err
		}
	}
	if k == was {
		return nil, nil
	}
	return &k, nil
}

// inputsOf are the values of a request by the id of their field.
func inputsOf(e *paraph.Envelope, r paraph.Recipient, u *SubmitterUpdate) (map[int64]desk.Input, error) {
	names := paraph.FieldNames(e.Fields)
	find := func(name string) (paraph.Field, bool) {
		for _, f := range e.FieldsOf(r.ID) {
			if names[f.ID] == name || f.UUID == name {
				return f, true
			}
		}
		return paraph.Field{}, false
	}
	inputs := map[int64]desk.Input{}
	enter := func(path, name string, raw json.RawMessage) error {
		f, ok := find(name)
		if !ok {
			return paraph.FieldErrorf(path, "%s has no field “%s”.", r.DisplayName(), short(name))
		}
		in, err := inputOf(path, f.Type, raw)
		inputs[f.ID] = in
		return err
	}
	for i, f := range u.Fields {
		if f.DefaultValue == nil {
			continue
		}
		if err := enter(fmt.Sprintf("fields[%d].default_value", i), f.Name, f.DefaultValue); err != nil {
			return nil, err
		}
	}
	for _, name := range sortedKeys(u.Values) {
		if err := enter("values."+name, name, u.Values[name]); err != nil {
			return nil, err
		}
	}
	return inputs, nil
}

// atValue lets an error stand at the part of the request that it is about.
func atValue(err error, e *paraph.Envelope, inputs map[int64]desk.Input) error {
	known, ok := errors.AsType[*paraph.Error](err)
	if !ok {
		return err
	}
	c := *known
	if rest, ok := strings.CutPrefix(c.Field, "recipients."); ok {
		_, c.Field, _ = strings.Cut(rest, ".")
		return &c
	}
	names := paraph.FieldNames(e.Fields)
	for _, f := range e.Fields {
		if c.Field == f.InputName() || c.Field == "signature" && inputs[f.ID].Method != "" {
			c.Field = "values." + names[f.ID]
			return &c
		}
	}
	return err
}

// timeFormats are the ways to write a time that are understood.
var timeFormats = []string{time.RFC3339Nano, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05", "2006-01-02T15:04:05", time.DateOnly}

// parseTime reads a time; without a zone it is UTC.
func parseTime(field, s string) (time.Time, error) {
	if s = strings.TrimSpace(s); s == "" {
		return time.Time{}, nil
	}
	for _, f := range timeFormats {
		if t, err := time.Parse(f, s); err == nil && t.Year() >= 1970 && t.Year() < 10000 {
			return t.UTC().Truncate(time.Microsecond), nil
		}
	}
	return time.Time{}, paraph.FieldErrorf(field, "“%s” is not a time; write it as 2026-12-31T23:59:59Z.", short(s))
}
