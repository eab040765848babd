package seal

import (
	"context"
	"errors"
	"fmt"
)

// ErrNotValid says that what was signed is not found valid by Verify.
var ErrNotValid = errors.New("what was signed does not verify")

// Job is one document to seal.
type Job struct {
	PDF      []byte // as Prepare gave it
	Marks    []Mark
	Audit    *Audit // appended as pages; nil appends none
	Identity Identity
	Sign     SignOptions
	// Signed says that all parts are signed (SignPart): nothing but the seal is added, so Marks and Audit don't count.
	Signed bool
}

// Seal stamps the marks, appends the audit pages, saves once, signs and verifies. What it returns has been found
// valid by Verify, with the identity's own certificates as roots. It stores nothing: stopped at any point, it is run again.
func (e *Engine) Seal(ctx context.Context, job Job) ([]byte, error) {
	filled, err := job.PDF, error(nil)
	if !job.Signed {
		filled, err = e.assemble(ctx, job.PDF, job.Marks, job.Audit)
	}
	if err != nil {
		return nil, fmt.Errorf("seal PDF: %w", err)
	}
	sealed, err := Sign(filled, job.Identity, job.Sign)
	if err != nil {
		return nil, fmt.Errorf("seal PDF: %w", err)
	}
	report, err := Verify(sealed, VerifyOptions{Roots: job.Identity.Roots()})
	if err != nil {
		return nil, fmt.Errorf("seal PDF: verify: %w", err)
	}
	if !report.Valid {
		return nil, fmt.Errorf("seal PDF: %w: %s", ErrNotValid, report.Reason)
	}
	return sealed, nil
}
