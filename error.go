package paraph

import (
	"errors"
	"fmt"
)

// A Kind says to a program what went wrong, whatever the words for people.
type Kind string

// The kinds of error. The edge maps each to one status code.
const (
	Invalid         Kind = "invalid"         // what was sent can't be accepted; Field says which part
	Unauthenticated Kind = "unauthenticated" // nobody is signed in, or the token is unknown or expired
	Forbidden       Kind = "forbidden"       // known, but not allowed
	NotFound        Kind = "not_found"       // isn't there, or belongs to another account
	Conflict        Kind = "conflict"        // somebody else changed it first; read again
	Ended           Kind = "ended"           // the envelope or the recipient has finished; nothing can change
	NotYourTurn     Kind = "not_your_turn"   // others sign first
	TooLarge        Kind = "too_large"       // over a limit that the operator can set
	Full            Kind = "full"            // no space left to store it
	TooMany         Kind = "too_many"        // rate limit
	Internal        Kind = "internal"        // ours
)

// An Error speaks to three audiences: Kind to programs, Message to people,
// Err to the log. Message is a whole sentence that says what to do and never
// holds internal text.
type Error struct {
	Kind    Kind
	Field   string // the input that is at fault, as its form or JSON calls it; may be empty
	Message string
	Err     error
}

// Error returns what the log should say.
func (e *Error) Error() string {
	s := e.Message
	if e.Field != "" {
		s = e.Field + ": " + s
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an error of a kind with a sentence for people.
func Errorf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Message: fmt.Sprintf(format, args...)}
}

// FieldErrorf makes an Invalid error that stands beside an input.
func FieldErrorf(field, format string, args ...any) *Error {
	return &Error{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

// KindOf tells the kind of an error: Internal when nobody said otherwise, and
// "" for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}
