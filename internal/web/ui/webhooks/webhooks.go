// Package webhooks is the settings' last tab: the webhooks of a space, one of them with its deliveries, and one delivery
// with its attempts.
package webhooks

import (
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Script makes the pages alive: families of events tick their members, and what is pending is asked for again.
const Script = "webhooks.js"

// List is the tab itself.
type List struct {
	Owner bool // of the instance
	Rows  []Row
	Form  Form
	Fresh *Secret // of the webhook that was just made
	Open  string  // the dialog that is shown from the start
	Now   time.Time
	Keeps time.Duration // how long deliveries are kept once they have ended; 0: for ever
}

// Row is one webhook in the list.
type Row struct {
	ID               int64
	URL, Description string
	Events           []string
	Mark             Mark
	Health           Health // of the last 24 hours
}

// Mark is how a webhook is, in a word and, where that says too little, a sentence.
type Mark struct {
	Status kit.Status
	Text   string
}

// Secret is a signing secret, shown this once.
type Secret struct {
	Title, Value string
}

func path(id int64) string { return "/settings/webhooks/" + strconv.FormatInt(id, 10) }

func (r Row) dialog() string { return "delete-" + strconv.FormatInt(r.ID, 10) }

// maxDialogs is how many rows get their question on the list itself; those of a longer list lead to the page that asks.
const maxDialogs = 100

func (v List) dialogs() bool { return len(v.Rows) <= maxDialogs }

func (v List) deleteButton(r Row) kit.Button {
	b := kit.Button{Label: "Delete", Icon: "trash", Small: true, Href: path(r.ID) + "/delete"}
	if v.dialogs() {
		b.Dialog = r.dialog()
	}
	return b
}

func deleteQuestion(id int64, url, dialog, back string, open bool) kit.Confirm {
	return kit.Confirm{
		ID: dialog, Title: "Delete this webhook?", Text: url + " hears of nothing any more, and what is waiting for it is not sent. This can’t be undone.",
		Action: path(id) + "/delete", Label: "Delete", Danger: true, Open: open, Close: back,
	}
}

// eventNames are the first events of a webhook, and how many more there are.
func eventNames(events []string) (first []string, rest string) {
	const most = 3
	if len(events) <= most+1 {
		return events, ""
	}
	return events[:most], "and " + strconv.Itoa(len(events)-most) + " more"
}

func eventWord(e string) string {
	if e == "*" {
		return "every event"
	}
	return e
}

// Webhook is one webhook's page.
type Webhook struct {
	ID          int64
	URL         string
	Description string
	On          bool
	Why         string
	OffSince    time.Time
	Events      []string
	Facts       []kit.Pair
	Mark        Mark
	Health      Health
	Spans       []Span
	Trouble     *Trouble
	Held        bool      // by its breaker
	HeldUntil   time.Time // when the next request is let through
	Missed      *Missed
	Tests       []kit.Option
	TestWrong   string

	Log Log

	Open string
	Now  time.Time
}

func (v Webhook) path() string { return path(v.ID) }

func (v Webhook) heldText() string {
	until := "while one is tried"
	if v.HeldUntil.After(v.Now) {
		until = "until " + v.HeldUntil.UTC().Format("15:04:05 UTC")
	}
	return "Held back " + until + ": most requests failed of late. One is tried every 30 s, and all go on once one succeeds. Waiting uses up no attempts."
}

// One is one delivery's page.
type One struct {
	ID, WebhookID int64
	URL           string
	Event         string
	Test          bool
	State         string
	Next          string    // what is next, in a sentence; "" when it is over
	NextAt        time.Time // when, while nobody is sending it
	Course        []Step
	Facts         []kit.Pair
	Envelope      string // its page, "" for none
	Body          string // readable, with nothing in it that lets somebody sign
	Size          int
	Attempts      []Attempt // newest first
	Hidden        int       // older ones that are not shown
	CanResend     bool
	Why           string // it can't be sent again
	At            time.Time
	Now           time.Time
	Live          bool
}

func (v One) path() string {
	return path(v.WebhookID) + "/deliveries/" + strconv.FormatInt(v.ID, 10)
}

// Attempt is one try.
type Attempt struct {
	Number   int
	At       time.Time
	OK       bool
	Outcome  string // "200 OK", "Connection refused"
	Error    string // in a sentence
	Advice   string // what that means and what to do
	Code     string // for programs
	Address  string
	Phases   []Phase
	Total    time.Duration
	Request  [][2]string
	Response [][2]string
	Answered bool
	Body     string
	Cut      bool // the body was longer
}

// Phase is a part of the time that an attempt took.
type Phase struct {
	Name string // "DNS"
	Key  string // of its colour
	Took time.Duration
}

func (a Attempt) state() kit.Status {
	if a.OK {
		return kit.Status{Label: a.Outcome, Tone: kit.Success, Icon: "check"}
	}
	return kit.Status{Label: a.Outcome, Tone: kit.Error, Icon: "x"}
}

// barWidth is the number of units that the bar of an attempt is wide.
const barWidth = 1000

type segment struct {
	Phase
	X, Width string
}

// segments are the phases as pieces of the bar.
func (a Attempt) segments() []segment {
	var out []segment
	x := 0
	for _, p := range a.Phases {
		w := int(int64(barWidth) * int64(p.Took) / max(int64(a.Total), 1))
		out = append(out, segment{p, strconv.Itoa(x), strconv.Itoa(max(w, 2))})
		x += w
	}
	return out
}

// Took is a span as people read it: "0.4 ms", "12 ms", "3.2 s".
func Took(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(float64(d.Microseconds())/1000, 'f', 1, 64) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	}
	return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
}

func (a Attempt) spoken() string {
	words := make([]string, len(a.Phases))
	for i, p := range a.Phases {
		words[i] = p.Name + " " + Took(p.Took)
	}
	return strings.Join(words, ", ")
}

// Step is one step in a delivery's course.
type Step struct {
	Icon  string
	Tone  kit.Tone
	Title string
	Text  string
	Href  string    // of more about it
	At    time.Time // zero: it says no time
	Ahead bool      // it is still to come
	Wait  string    // how long after the step before, "" when that says nothing
}

// Ahead is how far off a moment is, to the second while that is near: "in 42 s", "in 3 min 5 s", "in 2 h 10 min", "in 3 days".
func Ahead(at, now time.Time) string {
	d := at.Sub(now).Round(time.Second)
	if d <= 0 {
		return "now"
	}
	return "in " + Wait(d)
}

// Wait is a span in at most two units.
func Wait(d time.Duration) string {
	d = d.Round(time.Second)
	two := func(big, small time.Duration, bigName, smallName string) string {
		out := strconv.Itoa(int(d/big)) + " " + bigName
		if rest := d % big / small; rest > 0 {
			out += " " + strconv.Itoa(int(rest)) + " " + smallName
		}
		return out
	}
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d/time.Second)) + " s"
	case d < time.Hour:
		return two(time.Minute, time.Second, "min", "s")
	case d < 48*time.Hour:
		return two(time.Hour, time.Minute, "h", "min")
	}
	return strconv.Itoa(int((d+12*time.Hour)/(24*time.Hour))) + " days"
}
