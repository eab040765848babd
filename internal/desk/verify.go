package desk

import (
	"context"
	"fmt"

	"github.com/paraph-sign/paraph/internal/seal"
)

// Verify judges the signatures of a PDF as `paraph verify` does, trusting what
// seals and has sealed here and what the operating system trusts, and says
// whether the file is one that was sealed here. The file is not kept. The error
// is Invalid for what is no PDF.
func (d *Desk) Verify(ctx context.Context, pdf []byte) (seal.Report, error) {
	defer d.busy.enter()()
	if err := context.Cause(ctx); err != nil {
		return seal.Report{}, err
	}
	opt, err := d.trustAll(ctx)
	if err != nil {
		return seal.Report{}, err
	}
	rep, err := seal.Verify(pdf, opt)
	if err != nil {
		return rep, refused("", "file", err)
	}
	known, err := d.Store.SealedHere(ctx, rep.Digest)
	rep.SealedHere = &known
	return rep, err
}

func (d *Desk) trust(ctx context.Context) (seal.VerifyOptions, error) {
	anchors, err := d.anchors(ctx)
	opt := seal.VerifyOptions{Roots: seal.Pool(anchors), System: seal.SystemRoots()}
	if d.Stamper != nil {
		opt.TimestampRoots = d.Stamper.Roots()
	}
	return opt, err
}

// trustAll is trust, and the authorities of the recipients' own certificates.
func (d *Desk) trustAll(ctx context.Context) (seal.VerifyOptions, error) {
	opt, err := d.trust(ctx)
	if err != nil {
		return opt, err
	}
	pem, err := d.Store.Authorities(ctx)
	if err != nil || len(pem) == 0 {
		return opt, err
	}
	certs, err := seal.ReadCertificates(pem)
	if err != nil {
		return opt, fmt.Errorf("the recipients' authorities: %w", err)
	}
	for _, c := range certs {
		opt.Roots.AddCert(c)
	}
	return opt, nil
}
