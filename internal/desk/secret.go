package desk

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// Rotation is how a webhook gets a new signing secret.
type Rotation struct {
	Secret string        // one's own; "" makes one
	Was    string        // the one to be replaced; "" is the one that the webhook has when it is asked for
	Grace  time.Duration // for which the old one signs too, 0 to paraph.MaxGrace
}

// RotateSecret gives a webhook a new signing secret. The old one goes on
// signing beside it until its grace is over, by time alone; one from before
// the old one ends now. Only who manages the space may. When the secret is
// another than Was by then the error is a Conflict: of several who rotate at
// once one does, so that what the receiver has stays good for its grace.
func (d *Desk) RotateSecret(ctx context.Context, who Who, id int64, r Rotation) (paraph.Endpoint, error) {
	if r.Grace < 0 || r.Grace > paraph.MaxGrace {
		return paraph.Endpoint{}, paraph.FieldErrorf("grace", "The old secret can stay valid for 0 to %d hours.", int(paraph.MaxGrace.Hours()))
	}
	if r.Secret == "" {
		r.Secret = webhook.GenerateSecret()
	}
	if err := checkSigningSecret(r.Secret); err != nil {
		return paraph.Endpoint{}, at("secret", err)
	}
	if r.Was == "" {
		e, err := d.Store.Endpoint(ctx, who.AccountID, id)
		if err != nil {
			return paraph.Endpoint{}, err
		}
		r.Was = e.SigningSecret
	}
	return d.updateSecrets(ctx, who, id, func(e *paraph.Endpoint, now time.Time) error {
		if e.SigningSecret != r.Was {
			return paraph.Errorf(paraph.Conflict, "Somebody else has changed the signing secret just now; look at it before you change it again.")
		}
		if r.Secret == e.SigningSecret {
			return paraph.FieldErrorf("secret", "This is the signing secret that the webhook has.")
		}
		e.PreviousSecret, e.PreviousUntil = "", time.Time{}
		if r.Grace > 0 {
			e.PreviousSecret, e.PreviousUntil = e.SigningSecret, now.Add(r.Grace)
		}
		e.SigningSecret = r.Secret
		return nil
	})
}

// EndPreviousSecret lets the secret before the last rotation end now.
func (d *Desk) EndPreviousSecret(ctx context.Context, who Who, id int64) (paraph.Endpoint, error) {
	return d.updateSecrets(ctx, who, id, func(e *paraph.Endpoint, _ time.Time) error {
		e.PreviousSecret, e.PreviousUntil = "", time.Time{}
		return nil
	})
}

func (d *Desk) updateSecrets(ctx context.Context, who Who, id int64, edit func(*paraph.Endpoint, time.Time) error) (out paraph.Endpoint, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.Endpoint(ctx, who.AccountID, id)
		if err != nil {
			return err
		}
		if err := manages(ctx, tx.Reader, who); err != nil {
			return err
		}
		if err := edit(&e, tx.Now()); err != nil {
			return err
		}
		e.UpdatedAt = tx.Now()
		out = e
		tx.After(func() { d.lanes(e.ID) })
		return tx.UpdateEndpoint(ctx, e)
	})
	return out, err
}

// Secrets answers an endpoint for its secrets to be shown, to who manages the
// space, and puts in the log who asked.
func (d *Desk) Secrets(ctx context.Context, who Who, id int64) (paraph.Endpoint, error) {
	e, err := d.Store.Endpoint(ctx, who.AccountID, id)
	if err != nil {
		return e, err
	}
	if err := manages(ctx, d.Store.Reader, who); err != nil {
		return paraph.Endpoint{}, err
	}
	d.Log.Info("a webhook's secrets were shown", "webhook", id, "user", who.UserID, "ip", who.Actor.IP)
	return e, nil
}

// manages refuses whoever may not see and change the secrets of a space.
func manages(ctx context.Context, r store.Reader, who Who) error {
	s, err := r.Space(ctx, who.AccountID, who.UserID)
	if err == nil && s.Role != paraph.RoleAdmin {
		err = paraph.Errorf(paraph.Forbidden, "Only an admin of the team can see and change a webhook's secrets.")
	}
	return err
}

// The length of one's own signing secret: of the key behind "whsec_" as
// Standard Webhooks asks for, and of any other text in characters.
const (
	minKeyBytes = 24
	maxKeyBytes = 64
	minSecret   = 16
)

func checkSigningSecret(secret string) error {
	if err := webhook.CheckSecret(secret); err != nil {
		return err
	}
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		if len(secret) < minSecret {
			return paraph.Errorf(paraph.Invalid, "A signing secret has at least %d characters.", minSecret)
		}
		return nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) < minKeyBytes || len(key) > maxKeyBytes {
		return paraph.Errorf(paraph.Invalid, "What follows “whsec_” is base64 of %d to %d bytes.", minKeyBytes, maxKeyBytes)
	}
	return nil
}
