package webhooks

import (
	"strconv"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// ReplayForm asks which deliveries of a webhook are to be sent again.
type ReplayForm struct {
	ID       int64
	URL      string
	On       bool
	OffSince time.Time
	Ordered  bool
	Period   string // "any", "hour", "day", "off" or "own"
	Since    string
	Until    string
	Envelope string
	States   []kit.Option
	Events   []kit.Option
	Wrong    kit.Wrong
	Counted  bool
	Count    int
	Chosen   []kit.Pair // what was counted, for the form that begins
	Facts    []kit.Pair // the same in words
	Earlier  []Replay   // newest first
	Now      time.Time
}

func (v ReplayForm) path() string { return path(v.ID) }

// running is the replay that has to end first, if any.
func (v ReplayForm) running() *Replay {
	if len(v.Earlier) > 0 && v.Earlier[0].State == "running" {
		return &v.Earlier[0]
	}
	return nil
}

func (v ReplayForm) periods() kit.Choices {
	c := kit.Choices{Name: "period", Legend: "From when", Single: true, Options: []kit.Option{
		{Value: "any", Label: "Any time"},
		{Value: "hour", Label: "The last hour"},
		{Value: "day", Label: "The last 24 hours"},
	}}
	if !v.On && !v.OffSince.IsZero() {
		c.Options = append(c.Options, kit.Option{Value: "off", Label: "Since it was switched off", Hint: kit.Exact(v.OffSince)})
	}
	c.Options = append(c.Options, kit.Option{Value: "own", Label: "The times below"})
	for i := range c.Options {
		c.Options[i].Selected = c.Options[i].Value == v.Period
	}
	return c
}

func (v ReplayForm) title() string {
	if v.Count == 0 {
		return "Nothing matches"
	}
	return deliveriesOf(v.Count) + " to send again"
}

func deliveriesOf(n int) string {
	if n == 1 {
		return "1 delivery"
	}
	return strconv.Itoa(n) + " deliveries"
}

// Replay is a replay's progress.
type Replay struct {
	ID, WebhookID int64
	URL           string
	State         string // "running", "finished" or "cancelled"
	Why           string // it was cancelled, "" when somebody did by hand
	Total         int
	Queued        int
	Succeeded     int
	Failed        int
	Skipped       int
	Waiting       int
	Missed        int
	Full          bool // more is queued when some of what waits is over
	Facts         []kit.Pair
	By            string
	At, EndedAt   time.Time
	Log           string // the webhook's log of these deliveries
	FailedLog     string
	Again         string // the form, filled in with the same
	Open          string
	Now           time.Time
}

func (v Replay) path() string {
	return path(v.WebhookID) + "/replays/" + strconv.FormatInt(v.ID, 10)
}

// Live reports whether something may still change.
func (v Replay) Live() bool { return v.State == "running" || v.Waiting > 0 }

func (v Replay) over() int { return v.Succeeded + v.Failed + v.Skipped }

func (v Replay) status() kit.Status {
	switch v.State {
	case "running":
		return kit.Status{Label: "Running", Tone: kit.Info, Icon: "clock"}
	case "cancelled":
		return kit.Status{Label: "Cancelled", Tone: kit.Neutral, Icon: "ban"}
	}
	if v.Failed+v.Skipped > 0 {
		return kit.Status{Label: "Finished, some failed", Tone: kit.Warning, Icon: "warning"}
	}
	return kit.Status{Label: "Finished", Tone: kit.Success, Icon: "check"}
}

// bar ends where the replay ends: one that is over is full, whatever it missed.
func (v Replay) bar() kit.Meter {
	m := kit.Meter{Label: "Through", Value: v.over(), Max: max(v.Total, v.over()), ShowValue: true}
	if v.State == "finished" {
		m.Max = max(v.over(), 1)
	}
	return m
}

// words say how it stands.
func (v Replay) words() string {
	switch {
	case v.State == "cancelled" && v.Why != "" && v.Waiting > 0:
		return v.Why + " Requests under way are still waited for."
	case v.State == "cancelled" && v.Why != "":
		return v.Why + " That ended the replay; what it had queued is skipped, and can be replayed when the webhook is on again."
	case v.State == "cancelled" && v.Waiting > 0:
		return "Nothing more is queued. " + deliveriesOf(v.Waiting) + " that had been tried already will get the retries that are left."
	case v.State == "cancelled":
		return "Nothing more is queued. What had not been tried yet is as it was before."
	case v.State == "running" && v.Full && v.Waiting >= 1000:
		return "As many as may be wait for the receiver. The next are queued when some of these are through."
	case v.State == "running" && v.Queued >= v.Total && v.Waiting > 0:
		return "All are queued. Those that fail are tried again by the webhook’s schedule."
	case v.State == "running":
		return "Deliveries are queued a few at a time, in their order. New events go first."
	case v.Missed > 0:
		return deliveriesOf(v.Missed) + " had been sent again or removed by others before their turn."
	}
	return ""
}

func (v Replay) cancelDialog() kit.Confirm {
	return kit.Confirm{
		ID: "cancel", Title: "Cancel this replay?", Text: "Nothing more is queued, and what was not tried yet goes back to how it was. What was tried and failed keeps its retries.",
		Action: v.path() + "/cancel", Label: "Cancel the replay", Danger: true, Open: v.Open == "cancel", Close: v.path(), KeepText: "Let it go on",
	}
}
