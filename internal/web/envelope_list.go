package web

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	envelopelist "github.com/paraph-sign/paraph/internal/web/ui/envelope_list"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// pageSize is how many envelopes stand on one page of the list.
const pageSize = 25

// archive is the tab beside the states.
const archive = "archived"

// listFilter reads the filter from the address. What makes no sense there is
// as if it were not said.
func listFilter(r *http.Request) (f store.EnvelopeFilter, state string) {
	q := r.URL.Query()
	f = store.EnvelopeFilter{Query: paraph.Shorten(strings.TrimSpace(paraph.CleanLine(q.Get("q"))), 200), Limit: pageSize + 1}
	f.Before, f.After = number(q.Get("before")), number(q.Get("after"))
	if f.After > 0 {
		f.Before = 0
	}
	state = q.Get("status")
	switch {
	case state == archive:
		f.Archived = true
	case paraph.Status(state).Valid():
		f.Status = paraph.Status(state)
	default:
		state = ""
	}
	return f, state
}

func number(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return max(n, 0)
}

func (s *server) envelopesPage(w http.ResponseWriter, r *http.Request) error {
	account := s.who(r).AccountID
	f, state := listFilter(r)
	es, err := s.Store.Envelopes(r.Context(), account, f)
	if err != nil {
		return err
	}
	live, err := s.Store.CountEnvelopes(r.Context(), account, store.EnvelopeFilter{Query: f.Query})
	if err != nil {
		return err
	}
	archived, err := s.Store.CountEnvelopes(r.Context(), account, store.EnvelopeFilter{Query: f.Query, Archived: true})
	if err != nil {
		return err
	}
	v := envelopelist.View{Query: f.Query, Archived: f.Archived, Clear: query("/envelopes", "status", state), Now: s.Store.Now()}
	v.Any = total(live)+total(archived) > 0
	v.Tabs = listTabs(f.Query, state, live, total(archived))
	if state != "" {
		v.Filter = []kit.Pair{{Name: "status", Value: state}}
	}
	es, v.Pager = paginate(es, f, state)
	for _, e := range es {
		v.Rows = append(v.Rows, listRow(&e))
	}
	return s.page(w, r, http.StatusOK, envelopelist.Page(v), kit.Page{Title: "Envelopes"})
}

func total(counts map[paraph.Status]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}

func listTabs(q, state string, live map[paraph.Status]int, archived int) []kit.Tab {
	tab := func(label, is string, n int) kit.Tab {
		return kit.Tab{Label: label, Href: query("/envelopes", "status", is, "q", q), Current: state == is, Count: n}
	}
	tabs := []kit.Tab{tab("All", "", total(live))}
	for _, st := range paraph.Statuses() {
		label := kit.StatusOf(string(st)).Label
		if st == paraph.Draft {
			label = "Drafts"
		}
		tabs = append(tabs, tab(label, string(st), live[st]))
	}
	return append(tabs, tab("Archive", archive, archived))
}

// paginate cuts the one envelope too many that was asked for and says where the
// neighbouring pages begin.
func paginate(es []paraph.Envelope, f store.EnvelopeFilter, state string) ([]paraph.Envelope, kit.Pager) {
	more := len(es) > pageSize
	if more && f.After > 0 {
		es = es[1:] // the list is newest first, and the one too many is the farthest from the bound
	} else if more {
		es = es[:pageSize]
	}
	var p kit.Pager
	if len(es) == 0 {
		return es, p
	}
	link := func(key string, id int64) string {
		return query("/envelopes", "status", state, "q", f.Query, key, strconv.FormatInt(id, 10))
	}
	if newer := f.Before > 0 || (f.After > 0 && more); newer {
		p.Previous = link("after", es[0].ID)
	}
	if older := f.After > 0 || more; older {
		p.Next = link("before", es[len(es)-1].ID)
	}
	return es, p
}

func listRow(e *paraph.Envelope) envelopelist.Row {
	row := envelopelist.Row{
		ID: e.ID, Name: e.Name, Href: envelopePath(e.ID), State: stateOf(e), At: e.UpdatedAt, Draft: e.Status == paraph.Draft,
		Recipients: names(e.Recipients), Archived: !e.ArchivedAt.IsZero(),
	}
	row.Done, row.All = e.Progress()
	row.Verb = "signed"
	if slices.ContainsFunc(e.Recipients, func(r paraph.Recipient) bool { return r.Kind.Acts() && r.Kind != paraph.Signer }) {
		row.Verb = "done"
	}
	if row.Draft {
		row.Href += "/edit"
	}
	if e.Status == paraph.Pending {
		row.Waiting = names(e.WaitingFor())
	}
	if len(e.Documents) == 1 && e.Documents[0].Sealed != "" {
		row.Download = documentPath(e, e.Documents[0]) + "/sealed"
	}
	return row
}

// names are the first of some people, and how many more there are.
func names(rs []paraph.Recipient) string {
	const most = 2
	var out []string
	for _, r := range rs {
		if len(out) == most && len(rs) > most+1 {
			return strings.Join(out, ", ") + " and " + strconv.Itoa(len(rs)-most) + " more"
		}
		if n := r.DisplayName(); n != "" {
			out = append(out, paraph.Shorten(n, 60))
		}
	}
	return strings.Join(out, ", ")
}
