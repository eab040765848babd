package desk

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
)

// visitor is a recipient who came by their signing link.
func visitor(r paraph.Recipient, from paraph.Actor) paraph.Actor {
	return paraph.Actor{
		Kind: paraph.ByRecipient, Name: r.DisplayName(), Email: r.Email, IP: from.IP,
		UserAgent: paraph.Shorten(paraph.CleanLine(from.UserAgent), 400),
	}
}

// byToken runs a rule as the recipient whose signing link was used. from
// carries the address and the browser.
func (d *Desk) byToken(ctx context.Context, token string, from paraph.Actor, rule func(e paraph.Envelope, r paraph.Recipient, by paraph.Actor, now time.Time) (paraph.Envelope, []paraph.Event, error)) (paraph.Envelope, error) {
	return d.change(ctx, ofToken(token), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		r, ok := e.RecipientByToken(token)
		if !ok {
			return e, nil, paraph.Errorf(paraph.NotFound, "This link does not lead to a document.")
		}
		return rule(e, r, visitor(r, from), now)
	})
}

// Open notes that a recipient looks at the envelope.
func (d *Desk) Open(ctx context.Context, token string, from paraph.Actor) (paraph.Envelope, error) {
	return d.byToken(ctx, token, from, func(e paraph.Envelope, r paraph.Recipient, by paraph.Actor, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.Open(r.ID, by, now)
	})
}

// Enter stores what a recipient entered into a field. Who may not enter it
// leaves nothing behind: no picture is read, drawn or stored for them.
func (d *Desk) Enter(ctx context.Context, token string, fieldID int64, in Input, from paraph.Actor) (paraph.Envelope, error) {
	if err := d.mayEnter(ctx, token, fieldID); err != nil {
		return paraph.Envelope{}, err
	}
	v, err := d.value(ctx, in)
	if err != nil {
		return paraph.Envelope{}, err
	}
	return d.byToken(ctx, token, from, func(e paraph.Envelope, r paraph.Recipient, by paraph.Actor, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.Enter(r.ID, fieldID, v, by, now)
	})
}

// mayEnter says why the holder of a link can't enter anything into a field, or
// nil.
func (d *Desk) mayEnter(ctx context.Context, token string, fieldID int64) error {
	e, r, err := d.Store.EnvelopeByToken(ctx, token)
	if err != nil {
		return err
	}
	_, _, err = e.Enter(r.ID, fieldID, paraph.Value{}, paraph.Actor{}, d.Store.Now())
	return err
}

// Consent is the sentence that signers agree to by finishing.
const Consent = "I agree to use electronic records and signatures, and that my signature here is as binding as one on paper."

// Finish ends a recipient's part.
func (d *Desk) Finish(ctx context.Context, token string, from paraph.Actor) (paraph.Envelope, error) {
	return d.byToken(ctx, token, from, func(e paraph.Envelope, r paraph.Recipient, by paraph.Actor, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		consent := ""
		if r.Kind == paraph.Signer {
			consent = Consent
		}
		return e.Finish(r.ID, consent, by, now)
	})
}

// Decline ends the envelope by a recipient's refusal.
func (d *Desk) Decline(ctx context.Context, token, reason string, from paraph.Actor) (paraph.Envelope, error) {
	return d.byToken(ctx, token, from, func(e paraph.Envelope, r paraph.Recipient, by paraph.Actor, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.Decline(r.ID, reason, by, now)
	})
}

// RecipientUpdate is what the API changes of a recipient.
type RecipientUpdate struct {
	Contact *paraph.Contact // nil: as it is
	// Inputs are values by the id of their field.
	Inputs map[int64]Input
	// Complete signs on the recipient's behalf.
	Complete bool
	// Resend sends the invitation once more.
	Resend bool
}

// UpdateRecipient changes a recipient by API, all or nothing.
func (d *Desk) UpdateRecipient(ctx context.Context, who Who, envelopeID, recipientID int64, u RecipientUpdate) (paraph.Envelope, error) {
	values := make(map[int64]paraph.Value, len(u.Inputs))
	for id, in := range u.Inputs {
		v, err := d.value(ctx, in)
		if err != nil {
			return paraph.Envelope{}, err
		}
		values[id] = v
	}
	return d.change(ctx, ofAccount(who.AccountID, envelopeID), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return applyUpdate(e, recipientID, u, values, who.Actor, now)
	})
}

func applyUpdate(e paraph.Envelope, recipientID int64, u RecipientUpdate, values map[int64]paraph.Value, by paraph.Actor, now time.Time) (paraph.Envelope, []paraph.Event, error) {
	was := e
	var events []paraph.Event
	step := func(next paraph.Envelope, more []paraph.Event, err error) error {
		e, events = next, append(events, more...)
		return err
	}
	if u.Contact != nil {
		if err := step(e.SetContact(recipientID, *u.Contact, by, now)); err != nil {
			return was, nil, err
		}
	}
	for _, f := range was.FieldsOf(recipientID) {
		if v, ok := values[f.ID]; ok {
			if err := step(e.Enter(recipientID, f.ID, v, by, now)); err != nil {
				return was, nil, err
			}
		}
	}
	if u.Resend {
		if err := step(e.Remind(recipientID, by, now)); err != nil {
			return was, nil, err
		}
	}
	if u.Complete {
		if err := step(e.Finish(recipientID, "", by, now)); err != nil {
			return was, nil, err
		}
	}
	return e, events, nil
}
