// Package mail writes the messages that Paraph sends and hands them to an SMTP server, or in development to a Catcher.
//
// Writing is pure: each message has a struct of what it is about and a function that returns a Message with its text and
// its HTML, made from the same letter. Names, titles and messages come from people; they are escaped in HTML, and no
// character of theirs can begin a header.
//
// This package must never decide that a message is due, never retry, and never log or return a password or a link.
package mail

import (
	"strings"
	"unicode"
)

// A Message is one mail to one person. It can be stored as JSON and sent later.
type Message struct {
	ID          string // stays the same over all tries, so that a receiver can see a repetition; may be empty
	FromName    string // takes the place of the name in the sender's configured address; may be empty
	To          Address
	ReplyTo     Address // may be empty
	Subject     string
	Text        string
	HTML        string
	Attachments []Attachment
}

// An Address is a mailbox and whose it is. Name may be empty.
type Address struct {
	Name  string
	Email string
}

// String is the address for people to read, not for a header.
func (a Address) String() string {
	switch {
	case a.Name == "":
		return a.Email
	case a.Email == "":
		return a.Name
	}
	return a.Name + " <" + a.Email + ">"
}

// name is how a sentence calls the person.
func (a Address) name() string {
	if a.Name != "" {
		return a.Name
	}
	return a.Email
}

// An Attachment is a file that travels with a message.
type Attachment struct {
	Name        string // with its extension
	ContentType string
	Data        []byte
}

// line makes text fit for one line of a header or a sentence: no line breaks or other control characters, and none that
// turn the direction of what follows, by which a name could make a sentence read as another.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
			return -1
		case unicode.IsControl(r), unicode.IsSpace(r):
			return ' '
		}
		return r
	}, s)
	return strings.Join(strings.Fields(s), " ")
}

// short cuts a line to at most limit characters.
func short(s string, limit int) string {
	runes := []rune(s)
	if len(runes) <= limit {
		return s
	}
	return strings.TrimSpace(string(runes[:limit-1])) + "…"
}
