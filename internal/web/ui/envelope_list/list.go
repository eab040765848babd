// Package envelopelist is the list of a space's envelopes.
package envelopelist

import (
	"strconv"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// View is one page of the list.
type View struct {
	Tabs     []kit.Tab
	Query    string
	Filter   []kit.Pair // what the search form keeps besides
	Clear    string     // where the search ends
	Rows     []Row
	Pager    kit.Pager
	Archived bool
	Any      bool // there is an envelope, though perhaps none that fits
	Now      time.Time
}

// Row is one envelope.
type Row struct {
	ID         int64
	Name       string
	Href       string
	State      string // for kit.StatusBadge
	Done, All  int    // recipients who have finished, and who act
	Verb       string // what those who have finished did: signed, done
	Waiting    string // who is waited for, "" for nobody
	Recipients string
	At         time.Time
	Download   string // of the one sealed document, "" for none
	Draft      bool
	Archived   bool
}

func (r Row) base() string { return "/envelopes/" + strconv.FormatInt(r.ID, 10) }

// progress is how far the signing is, in words.
func (r Row) progress() string {
	if r.All == 0 || r.Draft {
		return ""
	}
	return strconv.Itoa(r.Done) + " of " + strconv.Itoa(r.All) + " " + r.Verb
}

func (v View) empty() kit.Empty {
	create := &kit.Button{Label: "New envelope", Kind: kit.Main, Icon: "plus", Href: "/envelopes/new"}
	switch {
	case v.Query != "":
		return kit.Empty{
			Title: "Nothing found", Text: "No envelope here has “" + v.Query + "” in its name or among its recipients.", Drawing: "search",
			Action: &kit.Button{Label: "Show all", Href: v.Clear},
		}
	case v.Archived:
		return kit.Empty{Title: "The archive is empty", Text: "What you archive leaves the list and waits here."}
	case v.Any:
		return kit.Empty{Title: "Nothing in this state", Text: "Envelopes show up here as they move along."}
	}
	return kit.Empty{Title: "Nothing to sign yet", Text: "Drop a PDF, say who signs, and send it. It takes two minutes.", Action: create}
}

func (r Row) archiveLabel() string {
	if r.Archived {
		return "Bring back"
	}
	return "Archive"
}

func (r Row) archiveValue() string {
	if r.Archived {
		return "no"
	}
	return "yes"
}
