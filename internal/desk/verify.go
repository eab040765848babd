package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
)

// How long somebody waits for others whose files are looked at, and how long a
// file may take then.
const (
	maxWait   = 10 * time.Second
	maxVerify = 30 * time.Second
)

// Verify judges the signatures of a PDF as `paraph verify` does, trusting what
// seals and has sealed here and what the operating system trusts, and says
// whether the file is one that was sealed here. The file is not kept. The error
// is Invalid for what is no PDF or takes too long, and TooMany when others are
// in front for too long.
func (d *Desk) Verify(ctx context.Context, pdf []byte) (seal.Report, error) {
	leave, err := d.busy.enterWithin(ctx, maxWait)
	if err != nil {
		return seal.Report{}, err
	}
	defer leave()
	opt, err := d.trustAll(ctx)
	if err != nil {
		return seal.Report{}, err
	}
	rep, err := verifyWithin(ctx, maxVerify, pdf, opt)
	if err != nil {
		return rep, err
	}
	known, err := d.Store.SealedHere(ctx, rep.Digest)
	rep.SealedHere = &known
	return rep, err
}

var errSlowFile = errors.New("verifying the file took too long")

func verifyWithin(ctx context.Context, limit time.Duration, pdf []byte, opt seal.VerifyOptions) (seal.Report, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlowFile)
	defer cancel()
	opt.Stop = func() error { return context.Cause(ctx) }
	rep, err := seal.Verify(pdf, opt)
	switch {
	case errors.Is(err, errSlowFile):
		return rep, &paraph.Error{
			Kind: paraph.Invalid, Field: "file", Err: err,
			Message: "Verifying this file takes longer than this server gives it; verify it on a computer of your own, with the command paraph verify.",
		}
	case err != nil && ctx.Err() != nil:
		return rep, err
	}
	return rep, refused("", "file", err)
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
