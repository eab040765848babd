package desk

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
)

// DraftEdit is all that the form of a draft says at once.
type DraftEdit struct {
	Details    paraph.Details
	Recipients []paraph.Recipient // replace those there are; new ones carry no id
	Add        []Prepared         // documents to add
	Remove     int64              // a document to take out; 0: none
}

// EditDraft changes a draft by its form, all or nothing.
func (d *Desk) EditDraft(ctx context.Context, who Who, id int64, k DraftEdit) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (_ paraph.Envelope, events []paraph.Event, err error) {
		was := e
		if e, events, err = addAll(e, k.Add, who.Actor, now); err != nil {
			return was, nil, err
		}
		if k.Remove != 0 {
			var gone []paraph.Event
			if e, gone, err = e.Withdraw(k.Remove, who.Actor, now); err != nil {
				return was, nil, err
			}
			events = append(events, gone...)
		}
		if e, err = e.SetDetails(k.Details, now); err != nil {
			return was, nil, err
		}
		merged := make([]paraph.Recipient, len(k.Recipients))
		for i, r := range k.Recipients {
			merged[i] = mergeRecipient(&e, i, r)
		}
		if e, err = e.SetRecipients(merged, now); err != nil {
			return was, nil, err
		}
		return e, events, nil
	})
}
