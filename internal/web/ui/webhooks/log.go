package webhooks

import (
	"strconv"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Log is a page of the log, of one webhook or of all of a space.
type Log struct {
	Path     string // of the page that it is on
	Account  bool   // of all webhooks; each row says which
	Rows     []Delivery
	Filter   Filter
	Pager    kit.Pager
	Paged    bool      // this is not the first page
	First    string    // the address of the first page, filtered alike
	Self     string    // of this view
	CSV      string    // of the same as a file
	LookedAt time.Time // the page is short because enough was looked at: how far back that was
	Further  string    // where looking goes on, "" when all was looked at
	Nothing  kit.Empty // what to say when nothing was ever sent
	Now      time.Time
}

// Delivery is a row of the log.
type Delivery struct {
	ID       int64
	Href     string // "" when its webhook is deleted
	Webhook  string // its URL, "" when deleted
	Event    string
	Test     bool
	State    string // for kit.StatusBadge
	Code     string // how the last attempt ended
	CodeHref string // the log of those that ended so
	At       time.Time
	Attempts int
	Next     time.Time // zero: there is no next attempt
	Now      bool      // it is being sent, or due
	Held     bool      // its webhook's breaker holds back what is due
}

func (d Delivery) id() string { return "delivery-" + strconv.FormatInt(d.ID, 10) }

// Filter is what the log is searched by, as it was entered.
type Filter struct {
	Query, Since, Until                    string
	Webhooks, States, Events, Codes, Times []kit.Option
	Hidden                                 []kit.Pair // what is set otherwise than by the form
	Active                                 []Active
	Wrong                                  kit.Wrong
}

// Active is one thing that narrows the log.
type Active struct {
	Label   string
	Without string // the address of the log without it
}

func (f Filter) set() bool { return len(f.Active) > 0 }

// more tells whether the rarer ways to search are to be seen.
func (f Filter) more() bool {
	return f.Since+f.Until != "" || chosen(f.Events) || chosen(f.Codes) || f.Wrong.Text != ""
}

func chosen(options []kit.Option) bool {
	for _, o := range options {
		if o.Selected && o.Value != "" {
			return true
		}
	}
	return false
}

func (v Log) columns() []string {
	if v.Account {
		return []string{"Event", "Webhook", "State", "Result", "Time", "Attempts", "Next"}
	}
	return []string{"Event", "State", "Result", "Time", "Attempts", "Next"}
}

// nothingFits says which filter hides everything.
func (v Log) nothingFits() kit.Empty {
	e := kit.Empty{Title: "Nothing found", Text: "No delivery fits all of what is asked for. Take away one of the filters above, or all of them.", Drawing: "search", Action: &kit.Button{Label: "Clear the filters", Href: v.Path}}
	if len(v.Filter.Active) == 1 {
		e.Text = "No delivery fits “" + v.Filter.Active[0].Label + "”."
		e.Action.Label = "Clear the filter"
	}
	if v.Further != "" {
		e.Title, e.Text = "Nothing found so far", v.looked()+" None of them fits."
		e.Action = &kit.Button{Label: "Look further back", Href: v.Further}
	}
	return e
}

func (v Log) looked() string {
	return "The 20,000 deliveries back to " + kit.Exact(v.LookedAt) + " were looked at."
}
