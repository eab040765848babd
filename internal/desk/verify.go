package desk

import (
	"context"

	"github.com/paraph-sign/paraph/internal/seal"
)

// Verify judges the signatures of a PDF as `paraph verify` does, trusting the
// identity that seals here. The error is Invalid for what is no PDF.
func (d *Desk) Verify(ctx context.Context, pdf []byte) (seal.Report, error) {
	defer d.busy.enter()()
	if err := context.Cause(ctx); err != nil {
		return seal.Report{}, err
	}
	rep, err := seal.Verify(pdf, d.trust())
	if err != nil {
		return rep, refused("", "file", err)
	}
	return rep, nil
}

func (d *Desk) trust() seal.VerifyOptions {
	opt := seal.VerifyOptions{Roots: d.Identity.Roots()}
	if d.Stamper != nil {
		opt.TimestampRoots = d.Stamper.Roots()
	}
	return opt
}
