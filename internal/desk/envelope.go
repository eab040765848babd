package desk

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// Create makes a draft, with the documents that were prepared for it.
func (d *Desk) Create(ctx context.Context, who Who, name string, docs []Prepared) (paraph.Envelope, error) {
	return d.create(ctx, who, Order{Name: name, Source: paraph.FromWeb, Documents: docs}, false)
}

// Order is a whole envelope in one go, as the API makes it. Recipients carry
// negative ids that are theirs alone; the areas of fields name documents by
// -1, -2, … in the order of Documents.
type Order struct {
	Name       string
	Source     paraph.Source
	Details    paraph.Details // its name is ignored
	Documents  []Prepared
	Recipients []paraph.Recipient
	Fields     []paraph.Field
	// Values are entered for recipients in advance, by field index; they stay
	// changeable.
	Values map[int]paraph.Value
	// Complete are the ids, as in Recipients, of those on whose behalf the
	// sender's program signs at once.
	Complete []int64
}

// CreateAndSend makes an envelope and lets it go out, in one transaction.
func (d *Desk) CreateAndSend(ctx context.Context, who Who, o Order) (paraph.Envelope, error) {
	return d.create(ctx, who, o, true)
}

func (d *Desk) create(ctx context.Context, who Who, o Order, send bool) (out paraph.Envelope, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		now := tx.Now()
		e, events, err := draft(who, o, now)
		if err != nil {
			return err
		}
		signing := uuidsOf(&e, o.Complete)
		if err := tx.InsertEnvelope(ctx, &e); err != nil {
			return err
		}
		if err := d.append(ctx, tx, &e, events); err != nil || !send {
			out = e
			return err
		}
		p, err := tx.Preferences(ctx, who.AccountID)
		if err != nil {
			return err
		}
		e.OwnSignatures = p.OwnSignatures
		sent, events, err := e.Send(who.Actor, now)
		if err != nil {
			return err
		}
		if sent, events, err = finishAll(sent, events, signing, who.Actor, now); err != nil {
			return err
		}
		if err := tx.SaveEnvelope(ctx, e, &sent); err != nil {
			return err
		}
		out = sent
		return d.append(ctx, tx, &out, events)
	})
	return out, err
}

// uuidsOf names recipients by what stays when they are stored.
func uuidsOf(e *paraph.Envelope, ids []int64) map[string]bool {
	uuids := make(map[string]bool, len(ids))
	for _, id := range ids {
		if r, ok := e.Recipient(id); ok {
			uuids[r.UUID] = true
		}
	}
	return uuids
}

// finishAll signs on behalf of recipients, in their order.
func finishAll(e paraph.Envelope, events []paraph.Event, uuids map[string]bool, by paraph.Actor, now time.Time) (paraph.Envelope, []paraph.Event, error) {
	for _, r := range e.Recipients {
		if !uuids[r.UUID] {
			continue
		}
		next, more, err := e.Finish(r.ID, "", by, now)
		if err != nil {
			return e, nil, err
		}
		e, events = next, append(events, more...)
	}
	return e, events, nil
}

// draft puts an order together as an envelope that is not stored yet.
func draft(who Who, o Order, now time.Time) (paraph.Envelope, []paraph.Event, error) {
	e, events, err := paraph.New(who.AccountID, who.UserID, o.Name, o.Source, who.Actor, now)
	if err != nil {
		return e, nil, err
	}
	e, added, err := addAll(e, o.Documents, who.Actor, now)
	if err != nil {
		return e, nil, err
	}
	events = append(events, added...)
	o.Details.Name = o.Name
	if e, err = e.SetDetails(o.Details, now); err != nil {
		return e, nil, err
	}
	if len(o.Recipients) > 0 {
		if e, err = e.SetRecipients(o.Recipients, now); err != nil {
			return e, nil, err
		}
	}
	if len(o.Fields) > 0 {
		if e, err = e.SetFields(o.Fields, now); err != nil {
			return e, nil, err
		}
	}
	for i, v := range o.Values {
		f := &e.Fields[i]
		if f.Value, err = f.CheckValue(v); err != nil {
			return e, nil, err
		}
		f.EnteredAt = now
	}
	return e, events, nil
}

// draftOnly makes a decision of a rule that has no events.
func draftOnly(rule func(e paraph.Envelope, now time.Time) (paraph.Envelope, error)) decision {
	return func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		e, err := rule(e, now)
		return e, nil, err
	}
}

// AddDocuments adds prepared documents to a draft.
func (d *Desk) AddDocuments(ctx context.Context, who Who, id int64, docs []Prepared) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return addAll(e, docs, who.Actor, now)
	})
}

// addAll adds prepared documents to a draft, which new fields can name by -1,
// -2, … in their order.
func addAll(e paraph.Envelope, docs []Prepared, by paraph.Actor, now time.Time) (paraph.Envelope, []paraph.Event, error) {
	was, events := e, []paraph.Event(nil)
	for i, p := range docs {
		doc := p.document()
		doc.ID = -int64(i) - 1
		next, more, err := e.Upload(doc, by, now)
		if err != nil {
			return was, nil, err
		}
		e, events = next, append(events, more...)
	}
	return e, events, nil
}

// RemoveDocument takes a document out of a draft.
func (d *Desk) RemoveDocument(ctx context.Context, who Who, id, documentID int64) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.Withdraw(documentID, who.Actor, now)
	})
}

// SetDetails changes what a draft's sender says about it.
func (d *Desk) SetDetails(ctx context.Context, who Who, id int64, k paraph.Details) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), draftOnly(func(e paraph.Envelope, now time.Time) (paraph.Envelope, error) {
		return e.SetDetails(k, now)
	}))
}

// SetRecipients replaces a draft's recipients. New ones carry no id.
func (d *Desk) SetRecipients(ctx context.Context, who Who, id int64, rs []paraph.Recipient) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), draftOnly(func(e paraph.Envelope, now time.Time) (paraph.Envelope, error) {
		merged := make([]paraph.Recipient, len(rs))
		for i, r := range rs {
			merged[i] = mergeRecipient(&e, i, r)
		}
		return e.SetRecipients(merged, now)
	}))
}

// mergeRecipient takes what a form can change from r and the rest from what is
// stored.
func mergeRecipient(e *paraph.Envelope, i int, r paraph.Recipient) paraph.Recipient {
	old, ok := e.Recipient(r.ID)
	if !ok {
		r.ID = -int64(i) - 1
		return r
	}
	old.Name, old.Email, old.Kind, old.Role, old.Order, old.SendEmail = r.Name, r.Email, r.Kind, r.Role, r.Order, r.SendEmail
	return old
}

// SetFields replaces a draft's fields, if it still has the version that the
// caller saw (0: whatever version).
func (d *Desk) SetFields(ctx context.Context, who Who, id, version int64, fs []paraph.Field) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), draftOnly(func(e paraph.Envelope, now time.Time) (paraph.Envelope, error) {
		if version != 0 && version != e.Version {
			return e, paraph.Errorf(paraph.Conflict, "This draft was changed in another tab or by somebody else. Load the page again to go on from there.")
		}
		return e.SetFields(fs, now)
	}))
}

// Send lets a draft go out.
func (d *Desk) Send(ctx context.Context, who Who, id int64) (paraph.Envelope, error) {
	p, err := d.Store.Preferences(ctx, who.AccountID)
	if err != nil {
		return paraph.Envelope{}, err
	}
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		e.OwnSignatures = p.OwnSignatures
		return e.Send(who.Actor, now)
	})
}

// Cancel ends a pending envelope.
func (d *Desk) Cancel(ctx context.Context, who Who, id int64, reason string) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.Cancel(reason, who.Actor, now)
	})
}

// Delete takes an envelope away from its account.
func (d *Desk) Delete(ctx context.Context, who Who, id int64) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.Delete(who.Actor, now)
	})
}

// Archive hides an envelope from the list, or shows it again.
func (d *Desk) Archive(ctx context.Context, who Who, id int64, archived bool) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.Archive(archived, who.Actor, now)
	})
}

// Remind sends a recipient their link once more.
func (d *Desk) Remind(ctx context.Context, who Who, id, recipientID int64) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.Remind(recipientID, who.Actor, now)
	})
}

// expire is the job of an envelope whose time may be over.
func (d *Desk) expire(ctx context.Context, j store.Job) error {
	_, err := d.change(ctx, ofServer(j.EnvelopeID), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.Expire(now)
	})
	return wrap(err, "expire envelope", j.EnvelopeID)
}
