package paraph

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CleanLine returns s as one line of valid UTF-8: line breaks become spaces,
// other control characters go.
func CleanLine(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
}

// CleanText is CleanLine for text of several lines: \n stays, \r\n becomes \n.
func CleanText(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\r' || r == '\u2028' || r == '\u2029':
			return '\n'
		case r == '\t':
			return ' '
		case unicode.IsControl(r) || r == utf8.RuneError:
			return -1
		}
		return r
	}, s)
}

// Shorten cuts s to at most n runes, the last being an ellipsis when it cut.
func Shorten(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// MaxJSONParts is how many values a request may hold: far more than an envelope
// full of fields.
const MaxJSONParts = 200_000

// CheckJSON refuses a text with so many values that reading it would take many
// times its own size. Whether it is JSON is not looked at.
func CheckJSON(b []byte) error {
	parts, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '[' || c == '{'):
			parts++
		}
	}
	if parts > MaxJSONParts {
		return &Error{Kind: TooLarge, Field: "body", Message: "The request has more than " + strconv.Itoa(MaxJSONParts) + " values."}
	}
	return nil
}
