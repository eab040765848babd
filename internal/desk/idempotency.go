package desk

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// How long the answer to a request with an idempotency key is kept, and after
// how long a request that has not been answered counts as lost.
const (
	AnswerAge   = 24 * time.Hour
	AnswerLease = time.Minute
)

// ReserveAnswer takes an idempotency key for a request, of which hash is a
// digest. When the key was used by the same request before, replay is true and
// what it was answered is returned. The error is Conflict while that request
// is still being worked on, and Invalid when the key belongs to another one.
//
// The change that a request makes and the keeping of its answer are two
// transactions. If we stop after the first and before the second, the key
// stays reserved without an answer for AnswerLease; then it is free, and a
// repetition makes the change once more.
func (d *Desk) ReserveAnswer(ctx context.Context, who Who, key, hash string) (a store.Answered, replay bool, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		var found bool
		if a, found, err = tx.Answer(ctx, who.AccountID, key); err != nil {
			return err
		}
		replay, err = reusable(a, found, hash, tx.Now())
		if err != nil || replay {
			return err
		}
		if found {
			if err := tx.SaveAnswer(ctx, who.AccountID, key, 0, nil); err != nil {
				return err
			}
		}
		mine, err := tx.ReserveAnswer(ctx, who.AccountID, key, hash)
		if err == nil && !mine {
			return stillWorking()
		}
		return err
	})
	return a, replay, err
}

// reusable tells whether an earlier answer is the answer to this request.
func reusable(a store.Answered, found bool, hash string, now time.Time) (bool, error) {
	age := now.Sub(a.CreatedAt)
	switch {
	case !found || age >= AnswerAge || a.Status == 0 && age >= AnswerLease:
		return false, nil
	case a.RequestHash != hash:
		return false, paraph.FieldErrorf("Idempotency-Key", "This key was used for another request. Use a new key for each request, and the same one only to repeat it.")
	case a.Status == 0:
		return false, stillWorking()
	}
	return true, nil
}

func stillWorking() error {
	return paraph.Errorf(paraph.Conflict, "The first request with this Idempotency-Key is still being worked on; try again in a moment.")
}

// KeepAnswer keeps what the request that reserved a key was answered. Status 0
// frees the key, for a request that may be tried again.
func (d *Desk) KeepAnswer(ctx context.Context, who Who, key string, status int, body []byte) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error { return tx.SaveAnswer(ctx, who.AccountID, key, status, body) })
}
