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
	return d.change(ctx, ofAccount(who.AccountID, id), draftOnly(func(e paraph.Envelope, now time.Time) (_ paraph.Envelope, err error) {
		was := e
		for i, p := range k.Add {
			doc := p.document()
			doc.ID = -int64(i) - 1
			if e, err = e.AddDocument(doc, now); err != nil {
				return was, err
			}
		}
		if k.Remove != 0 {
			if e, err = e.RemoveDocument(k.Remove, now); err != nil {
				return was, err
			}
		}
		if e, err = e.SetDetails(k.Details, now); err != nil {
			return was, err
		}
		merged := make([]paraph.Recipient, len(k.Recipients))
		for i, r := range k.Recipients {
			merged[i] = mergeRecipient(&e, i, r)
		}
		if e, err = e.SetRecipients(merged, now); err != nil {
			return was, err
		}
		return e, nil
	}))
}
