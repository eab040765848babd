package web

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/webhooks"
	"github.com/paraph-sign/paraph/internal/webhook"
)

const logPath = "/settings/webhooks/log"

// logKeys are the ways to narrow the log, as its address has them.
func logKeys() []string {
	return []string{"q", "webhook", "envelope", "replay", "state", "event", "code", "within", "since", "until"}
}

// logQuery is what narrows a log, and where else in it a page begins.
type logQuery struct {
	path string
	set  url.Values
}

func readLogQuery(r *http.Request, path string) logQuery {
	q := logQuery{path, url.Values{}}
	for _, key := range logKeys() {
		if v := paraph.Shorten(strings.TrimSpace(paraph.CleanLine(r.URL.Query().Get(key))), 100); v != "" {
			q.set.Set(key, v)
		}
	}
	if span := r.URL.Query().Get("span"); span != "" {
		q.set.Set("span", paraph.Shorten(span, 10))
	}
	return q
}

// href is the address of the log with some of it different; "" takes away.
func (q logQuery) href(pairs ...string) string {
	set := url.Values{}
	for k, vs := range q.set {
		set[k] = vs
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		set.Del(pairs[i])
		if pairs[i+1] != "" {
			set.Set(pairs[i], pairs[i+1])
		}
	}
	if len(set) == 0 {
		return q.path
	}
	return q.path + "?" + set.Encode()
}

// within are the handy spans of time, and their names.
func within() []kit.Option {
	return []kit.Option{
		{Value: "", Label: "Any time"},
		{Value: "1h", Label: "Last hour"},
		{Value: "24h", Label: "Last 24 hours"},
		{Value: "168h", Label: "Last 7 days"},
		{Value: "720h", Label: "Last 30 days"},
	}
}

// logFilter reads what the log is narrowed by. What can't be read is said
// beside its input, and then nothing is found.
func (s *server) logFilter(q logQuery, hooks []paraph.Endpoint) (f store.DeliveryFilter, out webhooks.Filter) {
	out.Query, out.Since, out.Until = q.set.Get("q"), q.set.Get("since"), q.set.Get("until")
	active := func(label string, keys ...string) {
		pairs := make([]string, 0, 2*len(keys))
		for _, k := range keys {
			pairs = append(pairs, k, "")
		}
		out.Active = append(out.Active, webhooks.Active{Label: label, Without: q.href(pairs...)})
	}
	if f.Query = out.Query; f.Query != "" {
		active("Id: "+f.Query, "q")
	}
	if f.EnvelopeID = number(q.set.Get("envelope")); f.EnvelopeID > 0 {
		active("Envelope: "+strconv.FormatInt(f.EnvelopeID, 10), "envelope")
		out.Hidden = append(out.Hidden, kit.Pair{Name: "envelope", Value: strconv.FormatInt(f.EnvelopeID, 10)})
	}
	if f.ReplayID = number(q.set.Get("replay")); f.ReplayID > 0 {
		active("Replay: "+strconv.FormatInt(f.ReplayID, 10), "replay")
		out.Hidden = append(out.Hidden, kit.Pair{Name: "replay", Value: strconv.FormatInt(f.ReplayID, 10)})
	}
	choose := func(key, name string, options []kit.Option) []kit.Option {
		v := q.set.Get(key)
		for i := range options {
			if options[i].Selected = options[i].Value == v; options[i].Selected && v != "" {
				active(name+": "+options[i].Label, key)
			}
		}
		return options
	}
	out.Webhooks = choose("webhook", "Webhook", webhookOptions(hooks))
	out.States = choose("state", "State", stateOptions())
	out.Events = choose("event", "Event", eventOptions())
	out.Codes = choose("code", "Result", codeOptions(q.set.Get("code")))
	out.Times = choose("within", "Time", within())
	f.EndpointID, f.State = number(picked(out.Webhooks)), paraph.DeliveryState(picked(out.States))
	f.Event, f.Code = picked(out.Events), picked(out.Codes)
	if span, err := time.ParseDuration(picked(out.Times)); err == nil {
		f.Since = s.Store.Now().Add(-span)
	}
	s.logDays(&f, &out, active)
	return f, out
}

// logDays reads the first and the last day.
func (s *server) logDays(f *store.DeliveryFilter, out *webhooks.Filter, active func(label string, keys ...string)) {
	if t := day(out, "since", out.Since); !t.IsZero() {
		active("From "+out.Since, "since")
		if t.After(f.Since) {
			f.Since = t
		}
	}
	if t := day(out, "until", out.Until); !t.IsZero() {
		active("To "+out.Until, "until")
		f.Until = t.AddDate(0, 0, 1) // that whole day
	}
}

func picked(options []kit.Option) string {
	for _, o := range options {
		if o.Selected {
			return o.Value
		}
	}
	return ""
}

func webhookOptions(hooks []paraph.Endpoint) []kit.Option {
	out := []kit.Option{{Value: "", Label: "All"}}
	for _, e := range hooks {
		out = append(out, kit.Option{Value: strconv.FormatInt(e.ID, 10), Label: paraph.Shorten(e.URL, 80)})
	}
	return out
}

func stateOptions() []kit.Option {
	out := []kit.Option{{Value: "", Label: "All"}}
	for _, st := range paraph.DeliveryStates() {
		out = append(out, kit.Option{Value: string(st), Label: kit.StatusOf(deliveryState(paraph.Delivery{State: st})).Label})
	}
	return out
}

func eventOptions() []kit.Option {
	out := []kit.Option{{Value: "", Label: "All"}}
	for _, n := range webhook.Names() {
		out = append(out, kit.Option{Value: n.Name, Label: n.Name})
	}
	return out
}

// codeOptions are the ways in which an attempt ends, and the one status that
// is asked for by a link.
func codeOptions(asked string) []kit.Option {
	out := []kit.Option{
		{Value: "", Label: "All"},
		{Value: "2xx", Label: "Any 2xx"},
		{Value: "3xx", Label: "Any redirect"},
		{Value: "4xx", Label: "Any 4xx"},
		{Value: "5xx", Label: "Any 5xx"},
		{Value: "none", Label: "No answer"},
	}
	for _, code := range webhook.ReceiverCodes() {
		out = append(out, kit.Option{Value: code, Label: codeOf(0, code)})
	}
	if status, err := strconv.Atoi(asked); err == nil && status >= 100 && status <= 999 {
		out = append(out, kit.Option{Value: asked, Label: asked})
	}
	return out
}

// day reads a date, in UTC. What is none is said beside its input.
func day(f *webhooks.Filter, field, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		f.Wrong = kit.Wrong{Field: field, Text: "Write a date such as 2026-09-14."}
	}
	return t
}

// log reads a page of the log of some webhooks of an account.
func (s *server) log(r *http.Request, q logQuery, f store.DeliveryFilter, filter webhooks.Filter, hooks []paraph.Endpoint) (v webhooks.Log, err error) {
	at := r.URL.Query()
	f.Before, f.After, f.Limit = number(at.Get("before")), number(at.Get("after")), deliveriesAtOnce
	if f.After > 0 {
		f.Before = 0
	}
	v = webhooks.Log{
		Path: q.path, Filter: filter, Paged: f.Before+f.After > 0, First: q.href(), Self: r.URL.RequestURI(), Now: s.Store.Now(),
		CSV: logQuery{logPath + ".csv", q.set}.href("span", ""),
	}
	if v.Filter.Wrong.Text != "" {
		return v, nil
	}
	p, err := s.Store.DeliveryLog(r.Context(), s.who(r).AccountID, f)
	if err != nil {
		return v, err
	}
	v.Pager = logPager(q, p, f)
	if p.LookedTo > 0 && f.After == 0 {
		v.LookedAt, v.Further, v.Pager.Next = p.LookedAt, q.href("before", strconv.FormatInt(p.LookedTo, 10)), ""
	}
	lanes, err := s.Store.LanesOf(r.Context(), s.who(r).AccountID)
	for _, d := range p.Deliveries {
		v.Rows = append(v.Rows, logRow(q, d, hooks, lanes[d.EndpointID], v.Now))
	}
	return v, err
}

// logPager says where the neighbouring pages begin.
func logPager(q logQuery, p store.DeliveryPage, f store.DeliveryFilter) (out kit.Pager) {
	link := func(key string, id int64) string { return q.href(key, strconv.FormatInt(id, 10)) }
	ds := p.Deliveries
	switch {
	case len(ds) == 0 && f.Before > 0:
		out.Previous = link("after", f.Before-1)
	case len(ds) == 0:
	default:
		if f.Before > 0 || (f.After > 0 && p.More) {
			out.Previous = link("after", ds[0].ID)
		}
		if f.After > 0 || p.More {
			out.Next = link("before", ds[len(ds)-1].ID)
		}
	}
	return out
}

func logRow(q logQuery, d paraph.Delivery, hooks []paraph.Endpoint, lane paraph.Lane, now time.Time) webhooks.Delivery {
	row := webhooks.Delivery{
		ID: d.ID, Event: d.EventName, Test: d.Test, State: deliveryState(d), Code: codeOf(d.LastStatus, d.LastError), At: d.CreatedAt, Attempts: d.Attempts,
	}
	if row.CodeHref = q.href("code", d.LastError); d.LastStatus > 0 {
		row.CodeHref = q.href("code", strconv.Itoa(d.LastStatus))
	}
	if i := slices.IndexFunc(hooks, func(e paraph.Endpoint) bool { return e.ID == d.EndpointID }); i >= 0 {
		row.Href, row.Webhook, row.Held = deliveryPath(d), hooks[i].URL, heldBack(hooks[i], lane)
	}
	if d.State == paraph.DeliveryPending {
		row.Next, row.Now = d.NextAttemptAt, !d.NextAttemptAt.After(now)
	}
	return row
}

// hookLog is a page of the log of one webhook.
func (s *server) hookLog(r *http.Request, q logQuery, e paraph.Endpoint) (webhooks.Log, error) {
	q.set.Del("webhook")
	f, filter := s.logFilter(q, nil)
	f.EndpointID = e.ID
	if span := q.set.Get("span"); span != "" {
		filter.Hidden = append(filter.Hidden, kit.Pair{Name: "span", Value: span})
	}
	v, err := s.log(r, q, f, filter, []paraph.Endpoint{e})
	v.CSV = logQuery{logPath + ".csv", q.set}.href("span", "", "webhook", strconv.FormatInt(e.ID, 10))
	v.Nothing = kit.Empty{
		Title: "Nothing sent yet", Text: "Deliveries show up here as soon as something happens. A test shows whether the receiver listens.", Drawing: "hook",
		Action: &kit.Button{Label: "Send test", Icon: "send", Href: hookPath(e.ID) + "?do=test", Dialog: "test"},
	}
	return v, err
}

// logPage is the log of all webhooks of the space.
func (s *server) logPage(w http.ResponseWriter, r *http.Request) error {
	signed := s.signed(r)
	hooks, err := s.Store.Endpoints(r.Context(), signed.Space.ID)
	if err != nil {
		return err
	}
	q := readLogQuery(r, logPath)
	f, filter := s.logFilter(q, hooks)
	v, err := s.log(r, q, f, filter, hooks)
	if err != nil {
		return err
	}
	v.Account = true
	v.Nothing = kit.Empty{Title: "Nothing sent yet", Text: "Deliveries of all webhooks show up here as soon as something happens.", Drawing: "hook", Action: &kit.Button{Label: "Webhooks", Href: "/settings/webhooks"}}
	return s.page(w, r, http.StatusOK, webhooks.LogPage(v, signed.User.Owner), s.hookPage("All deliveries"))
}

// logFile is the log as a file of comma-separated values, filtered alike. It
// is written as it is read, some rows at a time.
func (s *server) logFile(w http.ResponseWriter, r *http.Request) error {
	account := s.who(r).AccountID
	hooks, err := s.Store.Endpoints(r.Context(), account)
	if err != nil {
		return err
	}
	f, filter := s.logFilter(readLogQuery(r, logPath), hooks)
	if filter.Wrong.Text != "" {
		return paraph.FieldErrorf(filter.Wrong.Field, "%s", filter.Wrong.Text)
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="deliveries-%s.csv"`, s.Store.Now().Format(time.DateOnly)))
	out := &begun{Writer: w}
	err = s.Store.ExportDeliveries(r.Context(), account, f, out)
	if err != nil && out.yes {
		s.Log.WarnContext(r.Context(), "a file of deliveries broke off", "error", err)
		panic(http.ErrAbortHandler) // a file cut short must not look whole
	}
	return err
}

// begun knows whether anything was written.
type begun struct {
	io.Writer
	yes bool
}

func (b *begun) Write(p []byte) (int, error) {
	b.yes = true
	return b.Writer.Write(p)
}
