// Package dev is the pages of development: the mails that were caught instead of sent.
package dev

import (
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Mail is one caught mail.
type Mail struct {
	ID          int64
	From, To    string
	Subject     string
	At          time.Time
	Text        []Piece // its text, with the links told apart
	HTML        bool    // it has an HTML part
	Attachments []Attachment
	ReplyTo     string
}

// Attachment is a file that came with it.
type Attachment struct {
	Name string
	Size int
}

// Piece is a piece of text; a link when it is one.
type Piece struct {
	Text string
	Link bool
}

// Pieces tells the links in a text apart.
func Pieces(text string) []Piece {
	var out []Piece
	for text != "" {
		i := linkStart(text)
		if i < 0 {
			return append(out, Piece{Text: text})
		}
		if i > 0 {
			out = append(out, Piece{Text: text[:i]})
		}
		end := strings.IndexAny(text[i:], " \t\r\n<>\"")
		if end < 0 {
			end = len(text) - i
		}
		link := strings.TrimRight(text[i:i+end], ".,;:!?)")
		out, text = append(out, Piece{Text: link, Link: true}), text[i+len(link):]
	}
	return out
}

func linkStart(text string) int {
	i, j := strings.Index(text, "http://"), strings.Index(text, "https://")
	if i < 0 || (j >= 0 && j < i) {
		return j
	}
	return i
}

// Mails is the list.
type Mails struct {
	All []Mail
	Now time.Time
}

func (m Mail) path() string { return "/dev/mail/" + strconv.FormatInt(m.ID, 10) }

func (a Attachment) label() string { return a.Name + ", " + kit.Bytes(int64(a.Size)) }

// Inbox is what webhooks sent to this server itself.
type Inbox struct {
	All    []Received // newest first
	Total  int        // of all events
	Event  string     // that is shown alone; "" for all
	Events []string   // that are there
	Base   string
	Now    time.Time
}

func (v Inbox) events() []kit.Option {
	out := []kit.Option{{Label: "All events", Selected: v.Event == ""}}
	known := false
	for _, e := range v.Events {
		out = append(out, kit.Option{Value: e, Label: e, Selected: e == v.Event})
		known = known || e == v.Event
	}
	if v.Event != "" && !known {
		out = append(out, kit.Option{Value: v.Event, Label: v.Event, Selected: true})
	}
	return out
}

// Received is one request.
type Received struct {
	ID             int64
	Name           string
	At             time.Time
	Status         int // that it was answered
	Event, Attempt string
	Test           bool
	Headers        [][2]string
	Body           string
	Signed         Signed
}

// Signed is what a request's signatures are worth.
type Signed struct {
	State SignedState
	By    string   // whose secret it was, when it is valid
	Lines []string // what was found, a sentence each
}

// SignedState says whether a request's signature is good.
type SignedState string

// The states of a signature.
const (
	Valid    SignedState = "valid"
	Wrong    SignedState = "wrong"
	Unsigned SignedState = "unsigned"
)

func (s Signed) status() kit.Status {
	switch s.State {
	case Valid:
		return kit.Status{Label: "Signed by " + s.By, Tone: kit.Success, Icon: "check"}
	case Wrong:
		return kit.Status{Label: "Wrong signature", Tone: kit.Error, Icon: "x"}
	}
	return kit.Status{Label: "Not signed", Tone: kit.Neutral, Icon: "info"}
}

func (q Received) dom() string { return "received-" + strconv.FormatInt(q.ID, 10) }

func (q Received) state() kit.Status {
	st := kit.Status{Label: "Answered " + strconv.Itoa(q.Status), Tone: kit.Success, Icon: "check"}
	if q.Status > 299 {
		st.Tone, st.Icon = kit.Error, "x"
	}
	return st
}

func (q Received) title() string {
	if q.Event == "" {
		return "POST"
	}
	return q.Event
}
