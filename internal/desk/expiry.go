package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/store"
)

// sealWarnings are how many days before the certificate's end the owners of the
// instance are told; 0: when it has ended.
func sealWarnings() []int { return []int{0, 1, 7, 30, 60} }

// tendCertificate renews a certificate that was made here, and tells the owners
// of one that nobody but them can renew.
func (d *Desk) tendCertificate(ctx context.Context) error {
	if err := d.renewCertificate(ctx); err != nil {
		return fmt.Errorf("renew the sealing certificate: %w", err)
	}
	if err := d.warnOfExpiry(ctx); err != nil {
		return fmt.Errorf("warn of the end of the sealing certificate: %w", err)
	}
	return nil
}

// renewCertificate gives a certificate that was made here its successor. Where
// several nodes do, the one that commits first does.
func (d *Desk) renewCertificate(ctx context.Context) error {
	if d.operated() {
		return nil
	}
	c, err := d.usedRow(ctx, d.Store.Reader)
	if paraph.KindOf(err) == paraph.NotFound {
		return nil
	}
	if err != nil || !renewable(c, d.Store.Now()) {
		return err
	}
	renewed := false
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		renewed = false
		c, err := d.usedRow(ctx, tx.Reader)
		if err != nil || !renewable(c, tx.Now()) {
			return err
		}
		id, err := identityOf(ctx, tx.Reader, c)
		if err != nil || id.Authority == nil {
			return err
		}
		next, err := id.Next("", tx.Now())
		if err != nil {
			return err
		}
		if c, err = d.keep(ctx, tx, next, store.SealGenerated, 0); err != nil {
			return err
		}
		renewed = true
		return d.switchTo(ctx, tx, c)
	})
	if err == nil && renewed {
		d.Log.Info("the sealing certificate was renewed", "subject", c.Subject)
		_, err = d.anchors(ctx)
	}
	return err
}

func renewable(c store.SealCertificate, now time.Time) bool {
	return c.Source == store.SealGenerated && c.HasKeys && now.After(c.NotAfter.Add(-renewAhead))
}

// warnOfExpiry tells each owner once of each of sealWarnings, whatever number
// of nodes there is: who writes it down writes the mails.
func (d *Desk) warnOfExpiry(ctx context.Context) error {
	c, err := d.usedRow(ctx, d.Store.Reader)
	if paraph.KindOf(err) == paraph.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	days, due := warningOf(c.NotAfter.Sub(d.Store.Now()))
	if !due || days >= c.Warned {
		return nil
	}
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		first, err := tx.NoteSealWarning(ctx, c.ID, days)
		if err != nil || !first {
			return err
		}
		owners, err := tx.Owners(ctx)
		for _, u := range owners {
			if err == nil {
				err = d.queueMail(ctx, tx, 0, 0, letter{Kind: mailCertificate, UserID: u.ID, About: c.ID})
			}
		}
		return err
	})
}

// warningOf is which warning a certificate with so much time left has reached.
func warningOf(left time.Duration) (days int, due bool) {
	for _, days := range sealWarnings() {
		if left <= time.Duration(days)*24*time.Hour {
			return days, true
		}
	}
	return 0, false
}

// writeExpiry is moot when another certificate seals by now.
func (d *Desk) writeExpiry(ctx context.Context, l letter) (mail.Message, error) {
	u, err := d.Store.User(ctx, l.UserID)
	if err != nil {
		return mail.Message{}, err
	}
	c, err := d.usedRow(ctx, d.Store.Reader)
	if err != nil {
		return mail.Message{}, err
	}
	if c.ID != l.About || !u.Owner {
		return mail.Message{}, errMoot
	}
	m := mail.SealExpiry{
		To: mail.Address{Name: u.Name, Email: u.Email}, Subject: c.Subject, Fingerprint: c.Fingerprint, End: c.NotAfter,
		Left: c.NotAfter.Sub(d.Store.Now()), URL: d.Links.Base + "/settings/certificate",
	}
	if d.operated() {
		m.From = d.IdentityFrom
	}
	m.Waiting, err = d.Store.CountUnsealed(ctx)
	return mail.NewSealExpiry(m), err
}

// ExpiryNotice says, in a sentence, that the certificate that seals ends soon
// or has; "" when there is nothing to do about it.
func (d *Desk) ExpiryNotice(ctx context.Context) (text string, urgent bool, err error) {
	c, err := d.usedRow(ctx, d.Store.Reader)
	if paraph.KindOf(err) == paraph.NotFound {
		return "There is no certificate to seal with: finished documents wait.", true, nil
	}
	if err != nil {
		return "", false, err
	}
	now := d.Store.Now()
	left := c.NotAfter.Sub(now)
	_, due := warningOf(left)
	switch {
	case now.Before(c.NotBefore):
		return "The certificate that seals is not valid before " + mail.Day(c.NotBefore) + ": finished documents wait.", true, nil
	case left < 0:
		return "The certificate that seals ended on " + mail.Day(c.NotAfter) + ": finished documents wait until there is another.", true, nil
	case due && !(renewable(c, now) && !d.operated()):
		return "The certificate that seals ends on " + mail.Day(c.NotAfter) + ". Finished documents wait from then on.", left < 8*24*time.Hour, nil
	}
	return "", false, nil
}
