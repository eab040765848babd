package seal

import (
	"errors"
	"fmt"
)

// The kinds of InputError. They are stable: programs switch on them.
const (
	KindEmpty         = "empty"          // no bytes at all
	KindNotPDF        = "not_pdf"        // something else than a PDF
	KindTruncated     = "truncated"      // the end of the file is missing
	KindPassword      = "password"       // can't be opened without a password
	KindWrongPassword = "wrong_password" // the password given does not open it
	KindDamaged       = "damaged"        // can't be repaired
	KindNoPages       = "no_pages"       // opens, but has nothing to show
	KindTooManyPages  = "too_many_pages" // more than Config.MaxPages
	KindTooLarge      = "too_large"      // more bytes, pixels or paper than allowed
	KindTooComplex    = "too_complex"    // ran out of the time or memory that one file may take
	KindBadImage      = "bad_image"      // not a picture that can be read
	KindUnsupported   = "unsupported"    // a known format that is refused, like SVG
	KindBlank         = "blank"          // a signature without ink
	KindBadMark       = "bad_mark"       // a mark off the page or on a page that isn't there
	KindBadSignatures = "bad_signatures" // a signed file whose structure does not allow adding to it
)

// InputError says that what was handed in can't be used, and why.
type InputError struct {
	Kind    string // one of the Kind constants
	Message string // a sentence a person can act on
	Err     error  // the cause, for the log; may be nil
}

// Error is for logs; people are shown Message.
func (e *InputError) Error() string {
	if e.Err == nil {
		return e.Kind + ": " + e.Message
	}
	return fmt.Sprintf("%s: %s (%v)", e.Kind, e.Message, e.Err)
}

// Unwrap gives the cause.
func (e *InputError) Unwrap() error { return e.Err }

var (
	// ErrDeadline is the cause when one operation took longer than Config.Deadline.
	ErrDeadline = errors.New("the PDF engine was stopped at its deadline")
	// ErrCrashed is the cause when PDFium trapped, which is nearly always a malformed file or its memory limit.
	ErrCrashed = errors.New("the PDF engine crashed on this file")
	// ErrClosed is returned by an engine that was closed.
	ErrClosed = errors.New("the PDF engine is closed")
)

func refuse(kind, message string, cause error) *InputError {
	return &InputError{Kind: kind, Message: message, Err: cause}
}
