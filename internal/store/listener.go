package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

const listenerColumns = "id, account_id, url, events, omit_tokens, created_at, asked_at, full_at"

func scanListener(scan func(...any) error) (l paraph.Listener, err error) {
	err = scan(&l.ID, &l.AccountID, &l.URL, opaque{&l.Events}, &l.OmitTokens, at{&l.CreatedAt}, at{&l.AskedAt}, at{&l.FullAt})
	return l, err
}

const heardColumns = "id, listener_id, event_id, event_name, message_id, body, test, at"

func scanHeard(scan func(...any) error) (h paraph.Heard, err error) {
	err = scan(&h.ID, &h.ListenerID, &h.EventID, &h.EventName, &h.MessageID, &h.Body, &h.Test, at{&h.At})
	return h, err
}

// Listeners answers the listeners of an account that asked at or after a time,
// oldest first; there are at most twice paraph.MaxListeners.
func (r Reader) Listeners(ctx context.Context, accountID int64, since time.Time) ([]paraph.Listener, error) {
	return all(ctx, r.q, scanListener, "SELECT "+listenerColumns+` FROM listeners WHERE account_id = $1 AND asked_at >= $2
		ORDER BY id LIMIT $3`, accountID, micros(since), 2*paraph.MaxListeners)
}

// Listener answers one listener of an account.
func (r Reader) Listener(ctx context.Context, accountID, id int64) (paraph.Listener, error) {
	return one(ctx, r.q, "This listener is not here: it has ended, it did not ask for two minutes, or it belongs to another space.", scanListener,
		"SELECT "+listenerColumns+" FROM listeners WHERE account_id = $1 AND id = $2", accountID, id)
}

// CountListeners counts the listeners of all accounts that asked at or after a
// time.
func (s *Store) CountListeners(ctx context.Context, since time.Time) (n int, err error) {
	err = s.q.QueryRowContext(ctx, "SELECT COUNT(*) FROM listeners WHERE asked_at >= $1", micros(since)).Scan(&n)
	return n, err
}

// InsertListener adds a listener and sets its id.
func (tx *Tx) InsertListener(ctx context.Context, l *paraph.Listener) (err error) {
	l.ID, err = tx.insert(ctx, `INSERT INTO listeners (account_id, url, events, omit_tokens, created_at, asked_at, full_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		l.AccountID, l.URL, asJSON(l.Events), l.OmitTokens, micros(l.CreatedAt), micros(l.AskedAt), micros(l.FullAt))
	return err
}

// SaveListener writes when the listener asked, and since when it is full.
func (tx *Tx) SaveListener(ctx context.Context, l paraph.Listener) error {
	_, err := tx.exec(ctx, "UPDATE listeners SET asked_at = $1, full_at = $2 WHERE id = $3", micros(l.AskedAt), micros(l.FullAt), l.ID)
	return err
}

// DeleteListener takes a listener away. What waited for it is removed by
// PruneHeard.
func (tx *Tx) DeleteListener(ctx context.Context, id int64) error {
	_, err := tx.exec(ctx, "DELETE FROM listeners WHERE id = $1", id)
	return err
}

// InsertHeard keeps events for listeners. It reads nothing, so that listeners
// make no transactions of events collide.
func (tx *Tx) InsertHeard(ctx context.Context, hs []paraph.Heard) error {
	for chunk := range pieces(hs, tx.d.rows(7)) {
		var a args
		rows := make([]string, len(chunk))
		for i, h := range chunk {
			rows[i] = a.row(h.ListenerID, h.EventID, h.EventName, h.MessageID, h.Body, h.Test, micros(h.At))
		}
		if _, err := tx.exec(ctx, "INSERT INTO listener_events (listener_id, event_id, event_name, message_id, body, test, at) VALUES "+
			strings.Join(rows, ", "), a...); err != nil {
			return fmt.Errorf("keep %d events for listeners: %w", len(chunk), err)
		}
	}
	return nil
}

// Heard answers the first n events that wait for a listener.
func (r Reader) Heard(ctx context.Context, listenerID int64, n int) ([]paraph.Heard, error) {
	return all(ctx, r.q, scanHeard, "SELECT "+heardColumns+" FROM listener_events WHERE listener_id = $1 ORDER BY id LIMIT $2", listenerID, n)
}

// Received removes events that a listener has received.
func (tx *Tx) Received(ctx context.Context, listenerID int64, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	var a args
	_, err := tx.exec(ctx, "DELETE FROM listener_events WHERE listener_id = "+a.add(listenerID)+" AND id IN ("+list(&a, ids)+")", a...)
	return err
}

// FillListeners marks as full, as of now, the listeners for which more than n
// events wait.
func (tx *Tx) FillListeners(ctx context.Context, n int) error {
	_, err := tx.exec(ctx, `UPDATE listeners SET full_at = $1 WHERE full_at = 0 AND
		(SELECT COUNT(*) FROM (SELECT 1 FROM listener_events WHERE listener_id = listeners.id LIMIT $2) AS waiting) >= $2`, micros(tx.now), n)
	return err
}

// PruneListeners removes the listeners that last asked before a time.
func (tx *Tx) PruneListeners(ctx context.Context, before time.Time) error {
	_, err := tx.exec(ctx, "DELETE FROM listeners WHERE asked_at < $1", micros(before))
	return err
}

// PruneHeard removes up to n events whose listener is gone, and tells how many
// it removed.
func (tx *Tx) PruneHeard(ctx context.Context, n int) (int64, error) {
	return tx.exec(ctx, `DELETE FROM listener_events WHERE id IN (SELECT id FROM listener_events WHERE NOT EXISTS
		(SELECT 1 FROM listeners WHERE listeners.id = listener_events.listener_id) ORDER BY id LIMIT $1)`, n)
}
