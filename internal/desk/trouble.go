package desk

import (
	"context"
	"encoding/json"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// MailTrouble is a mail that could not be sent so far and is tried again.
type MailTrouble struct {
	RecipientID int64  // 0: to the sender
	Mail        string // invitation, reminder, …
	Error       string // what the mail server said
	Tries       int
	NextAt      time.Time
}

// MailTroubles answers the mails of an envelope that wait for another try.
// Those that were given up are on its trail.
func (d *Desk) MailTroubles(ctx context.Context, e *paraph.Envelope) ([]MailTrouble, error) {
	jobs, err := d.Store.JobsOf(ctx, e.AccountID, e.ID, jobMail)
	if err != nil {
		return nil, err
	}
	var out []MailTrouble
	for _, j := range jobs {
		var l letter
		if j.State != "pending" || j.LastError == "" || json.Unmarshal([]byte(j.Payload), &l) != nil {
			continue
		}
		out = append(out, MailTrouble{l.RecipientID, string(l.Kind), paraph.Shorten(paraph.CleanLine(j.LastError), 300), j.Attempts, j.DueAt})
	}
	return out, nil
}

// SealTrouble is why a completed envelope is not sealed yet. Sealing is tried
// until it works, however long that takes.
type SealTrouble struct {
	Error  string // for people; "" when the log has to be read
	Tries  int
	NextAt time.Time
}

// SealTrouble answers why an envelope could not be sealed so far; ok is false
// when nothing went wrong.
func (d *Desk) SealTrouble(ctx context.Context, e *paraph.Envelope) (t SealTrouble, ok bool, err error) {
	if e.Status != paraph.Completed || !e.SealedAt.IsZero() {
		return t, false, nil
	}
	jobs, err := d.Store.JobsOf(ctx, e.AccountID, e.ID, jobSeal)
	if err != nil {
		return t, false, err
	}
	for _, j := range jobs {
		if j.State == "pending" && j.LastError != "" {
			return SealTrouble{paraph.Shorten(paraph.CleanLine(j.LastError), 300), j.Attempts, j.DueAt}, true, nil
		}
	}
	return t, false, nil
}

// RetrySeal seals a completed envelope now instead of at the next try. One that
// is sealed, or being sealed, stays as it is.
func (d *Desk) RetrySeal(ctx context.Context, who Who, id int64) error {
	return wrap(d.Store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.Envelope(ctx, who.AccountID, id)
		if err != nil {
			return err
		}
		if e.Status != paraph.Completed {
			return paraph.Errorf(paraph.Conflict, "This envelope is not completed.")
		}
		if !e.SealedAt.IsZero() {
			return nil
		}
		queued, err := tx.HasJob(ctx, id, jobSeal)
		if err != nil {
			return err
		}
		if !queued {
			return d.queue(ctx, tx, store.Job{Kind: jobSeal, AccountID: e.AccountID, EnvelopeID: id, DueAt: tx.Now()})
		}
		tx.After(func() { d.jobs.Wake(jobSeal) })
		return tx.HurryJobsOf(ctx, id, jobSeal)
	}), "seal envelope", id)
}
