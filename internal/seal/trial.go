package seal

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"time"
)

// tryOut does with an upload what will be done with it once everybody has acted: it draws on it, signs it and verifies the
// result, and throws that away. So a file that can't be sealed is refused while its sender is there to send another.
func (e *Engine) tryOut(ctx context.Context, p prepared) error {
	id, err := e.trial()
	if err != nil {
		return err
	}
	marks := []Mark{{X: 0.4, Y: 0.4, W: 0.2, H: 0.1, Kind: MarkText, Text: "Trial"}}
	if last := len(p.info.Pages) - 1; last > 0 {
		marks = append(marks, Mark{Page: last, X: 0.4, Y: 0.4, W: 0.2, H: 0.1, Kind: MarkText, Text: "Trial"})
	}
	_, err = e.Seal(ctx, Job{PDF: p.pdf, Marks: marks, Identity: id, Sign: SignOptions{At: id.Chain[0].NotBefore}})
	if err == nil || ctx.Err() != nil {
		return err
	}
	if in, ok := errors.AsType[*InputError](err); ok {
		return in
	}
	e.log.Warn("an upload can't be sealed, and was refused", "err", err)
	return refuse(KindDamaged, "This PDF is built in a way in which it can't be sealed. Open it in a PDF viewer and save or print it to a new PDF.", err)
}

// trialIdentity is a key for tryOut, which leaves nothing that is signed by it.
func trialIdentity() (Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Identity{}, err
	}
	now := time.Now()
	t := &x509.Certificate{Subject: pkix.Name{CommonName: "Trial"}, NotBefore: now, NotAfter: now.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	c, err := issue(t, t, key.Public(), key)
	return Identity{Key: key, Chain: []*x509.Certificate{c}}, err
}
