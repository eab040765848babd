package desk

import (
	"context"
	"encoding/json"
	"time"

	"github.com/paraph-sign/paraph"
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
