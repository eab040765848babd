package web

import (
	"fmt"
	"net/http"
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

const (
	deliveriesAtOnce = 25
	attemptsAtOnce   = 50
	soon             = time.Minute // what is due by then is watched
)

func deliveryPath(d paraph.Delivery) string {
	return hookPath(d.EndpointID) + "/deliveries/" + strconv.FormatInt(d.ID, 10)
}

// deliveryLog fills in a page of a webhook's deliveries.
func (s *server) deliveryLog(r *http.Request, e paraph.Endpoint, v *webhooks.Webhook) error {
	f := store.DeliveryFilter{EndpointID: e.ID, Limit: deliveriesAtOnce + 1}
	v.Filter = readFilter(r, &f)
	if v.Filter.Wrong.Text != "" {
		return nil
	}
	ds, err := s.Store.Deliveries(r.Context(), e.AccountID, f)
	if err != nil {
		return err
	}
	ds, v.Pager = deliveryPager(ds, f, v)
	for _, d := range ds {
		row := webhooks.Delivery{
			ID: d.ID, Event: d.EventName, Test: d.Test, State: deliveryState(d), Code: codeOf(d.LastStatus, d.LastError), At: d.CreatedAt, Attempts: d.Attempts,
		}
		if d.State == paraph.DeliveryPending {
			row.Next, row.Now = d.NextAttemptAt, d.ClaimID != "" || !d.NextAttemptAt.After(v.Now)
			v.Live = v.Live || d.NextAttemptAt.Before(v.Now.Add(soon))
		}
		v.Deliveries = append(v.Deliveries, row)
	}
	return nil
}

// readFilter reads what the log is searched by from the address.
func readFilter(r *http.Request, f *store.DeliveryFilter) webhooks.Filter {
	q := r.URL.Query()
	out := webhooks.Filter{
		State: q.Get("state"), Event: q.Get("event"), Since: q.Get("since"), Until: q.Get("until"),
		Query: paraph.Shorten(strings.TrimSpace(paraph.CleanLine(q.Get("q"))), 100),
	}
	if f.ReplayID = number(q.Get("replay")); f.ReplayID > 0 {
		out.Replay = strconv.FormatInt(f.ReplayID, 10)
	}
	f.Query, f.Before, f.After = out.Query, number(q.Get("before")), number(q.Get("after"))
	if f.After > 0 {
		f.Before = 0
	}
	out.States = []kit.Option{{Value: "", Label: "All"}}
	for _, st := range paraph.DeliveryStates() {
		label := kit.StatusOf(deliveryState(paraph.Delivery{State: st})).Label
		out.States = append(out.States, kit.Option{Value: string(st), Label: label, Selected: out.State == string(st)})
		if out.State == string(st) {
			f.State = st
		}
	}
	out.Events = []kit.Option{{Value: "", Label: "All"}}
	for _, n := range webhook.Names() {
		out.Events = append(out.Events, kit.Option{Value: n.Name, Label: n.Name, Selected: out.Event == n.Name})
		if out.Event == n.Name {
			f.Event = n.Name
		}
	}
	f.Since = day(&out, "since", out.Since)
	if f.Until = day(&out, "until", out.Until); !f.Until.IsZero() {
		f.Until = f.Until.AddDate(0, 0, 1) // that whole day
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

// deliveryPager cuts the one delivery too many that was asked for and says
// where the neighbouring pages begin.
func deliveryPager(ds []paraph.Delivery, f store.DeliveryFilter, v *webhooks.Webhook) ([]paraph.Delivery, kit.Pager) {
	more := len(ds) > deliveriesAtOnce
	if more && f.After > 0 {
		ds = ds[1:] // newest first; the one too many is the farthest from the bound
	} else if more {
		ds = ds[:deliveriesAtOnce]
	}
	var p kit.Pager
	if len(ds) == 0 {
		return ds, p
	}
	link := func(key string, id int64) string {
		return query(hookPath(v.ID), "state", v.Filter.State, "event", v.Filter.Event, "since", v.Filter.Since, "until", v.Filter.Until,
			"q", v.Filter.Query, "replay", v.Filter.Replay, key, strconv.FormatInt(id, 10))
	}
	if f.Before > 0 || (f.After > 0 && more) {
		p.Previous = link("after", ds[0].ID)
	}
	if f.After > 0 || more {
		p.Next = link("before", ds[len(ds)-1].ID)
	}
	return ds, p
}

// codeOf is the end of an attempt in few words.
func codeOf(status int, code string) string {
	if status > 0 {
		return strconv.Itoa(status)
	}
	switch code {
	case "", webhook.CodeOK:
		return ""
	case webhook.CodeDNSFailed:
		return "Name not found"
	case webhook.CodeConnectRefused:
		return "Connection refused"
	case webhook.CodeConnectTimeout:
		return "Connecting took too long"
	case webhook.CodeConnectFailed:
		return "No connection"
	case webhook.CodeTLSFailed:
		return "TLS failed"
	case webhook.CodeHTTP2Only:
		return "HTTP/2 only"
	case webhook.CodeTimeout:
		return "Took too long"
	case webhook.CodeReset:
		return "Broken off"
	case webhook.CodeBlockedAddress:
		return "Address not allowed"
	case webhook.CodeTooLarge:
		return "Answer too large"
	case webhook.CodeBadResponse:
		return "Not HTTP"
	case webhook.CodeBadURL:
		return "Bad URL"
	case webhook.CodeBadHeader:
		return "Bad header"
	case webhook.CodeBadSecret:
		return "Bad secret"
	}
	return code
}

// delivery is the delivery in the path, if it is of the webhook in the path
// and that belongs to the space of who asks.
func (s *server) delivery(r *http.Request) (e paraph.Endpoint, d paraph.Delivery, err error) {
	if e, err = s.hook(r); err != nil {
		return e, d, err
	}
	id, err := pathID(r, "delivery")
	if err != nil {
		return e, d, err
	}
	if d, err = s.Store.Delivery(r.Context(), e.AccountID, id); err == nil && d.EndpointID != e.ID {
		err = errNoPage
	}
	return e, d, err
}

func (s *server) deliveryPage(w http.ResponseWriter, r *http.Request) error {
	e, d, err := s.delivery(r)
	if err != nil {
		return err
	}
	attempts, err := s.Store.Attempts(r.Context(), e.AccountID, d.ID)
	if err != nil {
		return err
	}
	return s.page(w, r, http.StatusOK, webhooks.DeliveryPage(s.deliveryView(e, d, attempts)), s.hookPage("Delivery of "+d.EventName))
}

func (s *server) deliveryView(e paraph.Endpoint, d paraph.Delivery, attempts []paraph.Attempt) webhooks.One {
	v := webhooks.One{
		ID: d.ID, WebhookID: e.ID, URL: e.URL, Event: d.EventName, Test: d.Test, State: deliveryState(d), Size: len(d.Body),
		Next: nextWords(e, d, s.Store.Now()), CanResend: e.Enabled && d.ClaimID == "", At: d.CreatedAt, Now: s.Store.Now(),
		Facts: []kit.Pair{{Name: "webhook-id", Value: d.MessageID}, {Name: "Delivery", Value: strconv.FormatInt(d.ID, 10)}},
	}
	if d.EventID > 0 {
		v.Facts = append(v.Facts, kit.Pair{Name: "Event", Value: strconv.FormatInt(d.EventID, 10)})
	}
	if d.EnvelopeID > 0 {
		v.Envelope = envelopePath(d.EnvelopeID)
	}
	if !e.Enabled {
		v.Why = "The webhook is switched off; switch it on to send this again."
	}
	v.Live = d.State == paraph.DeliveryPending && d.NextAttemptAt.Before(v.Now.Add(soon))
	body, secrets := webhook.Readable(d.Body)
	v.Body, secrets = body, append(secrets, e.Secrets()...)
	slices.Reverse(attempts)
	if v.Hidden = len(attempts) - attemptsAtOnce; v.Hidden > 0 {
		attempts = attempts[:attemptsAtOnce]
	}
	for _, a := range attempts {
		v.Attempts = append(v.Attempts, attemptView(a, secrets))
	}
	return v
}

// attemptView is an attempt without the secrets that a receiver may echo.
func attemptView(a paraph.Attempt, secrets []string) webhooks.Attempt {
	v := webhooks.Attempt{
		Number: a.Number, At: a.At, OK: a.Code == webhook.CodeOK, Outcome: codeOf(a.Status, a.Code), Error: a.Error, Address: a.RemoteAddress,
		Phases: phases(a.Timings), Total: a.Duration, Request: maskPairs(a.RequestHeaders, secrets), Response: maskPairs(a.ResponseHeaders, secrets),
		Answered: a.Status > 0, Body: webhook.Mask(printable(a.ResponseBody), secrets), Cut: a.Truncated,
	}
	if text := http.StatusText(a.Status); text != "" {
		v.Outcome += " " + text
	}
	return v
}

func maskPairs(pairs [][2]string, secrets []string) [][2]string {
	out := make([][2]string, len(pairs))
	for i, p := range pairs {
		out[i] = [2]string{p[0], webhook.Mask(p[1], secrets)}
	}
	return out
}

// printable is a receiver's body as text; what is not text shows as such.
func printable(b []byte) string {
	return paraph.CleanText(strings.ToValidUTF8(string(b), "·"))
}

// phases turns the ends of the phases into what each took.
func phases(t paraph.Timings) []webhooks.Phase {
	var out []webhooks.Phase
	var last time.Duration
	add := func(name, key string, end time.Duration) {
		if end > last {
			out = append(out, webhooks.Phase{Name: name, Key: key, Took: end - last})
			last = end
		}
	}
	add("Name", "dns", t.DNS)
	add("Connecting", "connect", t.Connect)
	add("TLS", "tls", t.TLS)
	add("Waiting", "wait", t.FirstByte)
	rest := "Reading"
	if t.FirstByte == 0 {
		rest = "Until it ended"
	}
	add(rest, "read", t.Total)
	return out
}

// nextWords says when a delivery is tried next, "" when it is over.
func nextWords(e paraph.Endpoint, d paraph.Delivery, now time.Time) string {
	of := ""
	if sch, err := webhook.ParseSchedule(e.Schedule); err == nil {
		of = fmt.Sprintf(" (%d of %d)", d.Attempts-d.Before+1, sch.Attempts())
	}
	switch {
	case d.State != paraph.DeliveryPending:
		return ""
	case d.ClaimID != "":
		return "It is being sent right now."
	case !d.NextAttemptAt.After(now):
		return "The next attempt" + of + " is due now; it waits for its turn."
	}
	return fmt.Sprintf("The next attempt%s is %s, at %s.", of, inWords(d.NextAttemptAt, now), kit.Exact(d.NextAttemptAt))
}

// inWords is kit.Humane for what lies ahead, to the second when it is near.
func inWords(at, now time.Time) string {
	if d := at.Sub(now); d < 45*time.Second {
		return "in " + count(int(d.Round(time.Second)/time.Second), "second")
	}
	return kit.Humane(at, now)
}

func (s *server) resend(w http.ResponseWriter, r *http.Request) error {
	e, d, err := s.delivery(r)
	if err != nil {
		return err
	}
	_, err = s.Desk.Resend(r.Context(), s.who(r), d.ID)
	return s.settle(w, r, deliveryPath(paraph.Delivery{ID: d.ID, EndpointID: e.ID}), "It is sent again, the same bytes under the same id.", err)
}
