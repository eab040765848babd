package store

import (
	"context"
	"fmt"

	"github.com/paraph-sign/paraph"
)

const eventColumns = `id, account_id, envelope_id, seq, type, at, recipient_id, actor_kind, actor_user_id, actor_name, actor_email, ip,
	user_agent, data, prev_hash, hash`

func scanEvent(scan func(...any) error) (e paraph.Event, err error) {
	err = scan(&e.ID, &e.AccountID, &e.EnvelopeID, &e.Seq, &e.Type, at{&e.At}, &e.RecipientID, &e.Actor.Kind, &e.Actor.UserID,
		&e.Actor.Name, &e.Actor.Email, &e.Actor.IP, &e.Actor.UserAgent, opaque{&e.Data}, &e.PrevHash, &e.Hash)
	return e, err
}

// MaxTrail bounds how much of a trail is read at once. A trail as long as that
// would take a mail to each recipient every minute for a day.
const MaxTrail = 20000

// Events answers the trail of an envelope from its first event on.
func (r Reader) Events(ctx context.Context, accountID, envelopeID int64) ([]paraph.Event, error) {
	return all(ctx, r.q, scanEvent, "SELECT "+eventColumns+" FROM events WHERE envelope_id = $1 AND account_id = $2 ORDER BY seq LIMIT $3", envelopeID, accountID, MaxTrail)
}

// AppendEvents links events to the trail of an envelope, stores them and sets
// their ids.
func (tx *Tx) AppendEvents(ctx context.Context, e *paraph.Envelope, events []paraph.Event) error {
	if len(events) == 0 {
		return nil
	}
	last, err := all(ctx, tx.q, scanEvent, "SELECT "+eventColumns+" FROM events WHERE envelope_id = $1 ORDER BY seq DESC LIMIT 1", e.ID)
	if err != nil {
		return fmt.Errorf("read the trail of envelope %d: %w", e.ID, err)
	}
	var head paraph.Event
	if len(last) == 1 {
		head = last[0]
	}
	for i := range events {
		events[i].AccountID, events[i].EnvelopeID = e.AccountID, e.ID
	}
	for i, ev := range paraph.Chain(head, events) {
		events[i].ID, err = tx.insert(ctx, `INSERT INTO events (account_id, envelope_id, seq, type, at, recipient_id, actor_kind,
			actor_user_id, actor_name, actor_email, ip, user_agent, data, prev_hash, hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) RETURNING id`,
			ev.AccountID, ev.EnvelopeID, ev.Seq, ev.Type, micros(ev.At), ev.RecipientID, ev.Actor.Kind, ev.Actor.UserID,
			ev.Actor.Name, ev.Actor.Email, ev.Actor.IP, ev.Actor.UserAgent, asJSON(ev.Data), ev.PrevHash, ev.Hash)
		if err != nil {
			return fmt.Errorf("append %s to envelope %d: %w", ev.Type, e.ID, err)
		}
	}
	return nil
}
