package webhooks

import (
	"slices"
	"strconv"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Form is what somebody enters of a webhook, as they entered it.
type Form struct {
	ID                         int64 // 0 for a new one
	URL, Secret, Description   string
	Events                     []string // selected
	Headers                    string   // "Name: value", one on a line
	Schedule                   string   // "seed", "standard" or "own"
	Steps                      string   // of one's own schedule
	Timeout, Concurrency, Rate string
	Ordered, OmitTokens        bool
	Groups                     []Group // to select from
	Wrong                      kit.Wrong
}

// Group is a family of events.
type Group struct {
	Title, Hint string
	Family      string // "document.*"
	Events      []Event
}

// Event is one of them.
type Event struct{ Name, About string }

func (f Form) action() string {
	if f.ID == 0 {
		return "/settings/webhooks"
	}
	return "/settings/webhooks/" + strconv.FormatInt(f.ID, 10)
}

func (f Form) label() string {
	if f.ID == 0 {
		return "Create Webhook"
	}
	return "Save changes"
}

func (f Form) has(event string) bool { return slices.Contains(f.Events, event) }

// more are the inputs behind “More options”.
func more() []string {
	return []string{"description", "headers", "schedule", "timeout", "concurrency", "rate"}
}

// openMore reports whether what is behind “More options” says something.
func (f Form) openMore() bool {
	return slices.Contains(more(), f.Wrong.Field) || f.Description != "" || f.Headers != "" || f.Schedule != "seed" || f.Ordered ||
		f.OmitTokens || f.Rate != "" || f.Timeout != f.usualTimeout() || f.Concurrency != f.usualConcurrency()
}

func (f Form) usualTimeout() string {
	return strconv.FormatFloat(paraph.DefaultTimeout.Seconds(), 'f', -1, 64)
}

func (f Form) usualConcurrency() string { return strconv.Itoa(paraph.DefaultConcurrency) }

func (f Form) schedules() kit.Choices {
	return kit.Choices{
		Name: "schedule", Legend: "When a delivery fails, try again", Single: true, Error: f.Wrong.At("schedule"), Options: []kit.Option{
			{Value: "seed", Label: "Doubling", Hint: "After 1, 2, 4 … 1024 minutes: 12 attempts in 34 hours.", Selected: f.Schedule == "seed"},
			{Value: "standard", Label: "Standard", Hint: "After 5 s, 5 and 30 min, 2, 5, 10, 14, 20, 24 h: 10 attempts in 3 days.", Selected: f.Schedule == "standard"},
			{Value: "own", Label: "My own", Hint: "The waits below, in seconds.", Selected: f.Schedule == "own"},
		},
	}
}

func eventID(name string) string {
	return "event-" + strings.NewReplacer(".", "-", "*", "all").Replace(name)
}
