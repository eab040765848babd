package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/webhooks"
	"github.com/paraph-sign/paraph/internal/webhook"
)

const (
	replaysShown  = 10
	localTime     = "2006-01-02T15:04" // of an input for date and time
	replayRefresh = 5                  // seconds, without scripts
)

func replayPath(endpointID, id int64) string {
	return hookPath(endpointID) + "/replays/" + strconv.FormatInt(id, 10)
}

// replayFormPage asks what is to be sent again. With a filter in the address
// it says how many deliveries that is, and asks whether to begin.
func (s *server) replayFormPage(w http.ResponseWriter, r *http.Request) error {
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	return s.showReplayForm(w, r, http.StatusOK, e, r.URL.Query(), nil)
}

func (s *server) showReplayForm(w http.ResponseWriter, r *http.Request, status int, e paraph.Endpoint, q url.Values, refused *paraph.Error) error {
	v := s.replayForm(e, q)
	f, err := readReplay(q, e, v.Now)
	if err == nil && asksReplay(q) && refused == nil {
		v.Count, f, err = s.Desk.CountReplay(r.Context(), s.who(r), e.ID, f)
		v.Counted, v.Chosen, v.Facts = err == nil, replayValues(f), replayFacts(f)
	}
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil:
		v.Wrong, status = wrong(shown), statusOf(shown)
	case refused != nil:
		v.Wrong = wrong(refused)
	}
	replays, err := s.Store.Replays(r.Context(), e.AccountID, e.ID, 0, 0, replaysShown)
	if err != nil {
		return err
	}
	for _, x := range replays {
		v.Earlier = append(v.Earlier, s.replayView(e, x))
	}
	return s.page(w, r, status, webhooks.ReplayFormPage(v), s.hookPage("Replay"))
}

// asksReplay reports whether an address says what to replay.
func asksReplay(q url.Values) bool {
	return slices.ContainsFunc([]string{"period", "since", "until", "state", "event", "envelope"}, q.Has)
}

// replayForm is the form as it was filled in.
func (s *server) replayForm(e paraph.Endpoint, q url.Values) webhooks.ReplayForm {
	v := webhooks.ReplayForm{
		ID: e.ID, URL: e.URL, On: e.Enabled, OffSince: e.DisabledAt, Ordered: e.Ordered, Now: s.Store.Now(),
		Since: asLocal(q.Get("since")), Until: asLocal(q.Get("until")), Envelope: paraph.Shorten(paraph.CleanLine(q.Get("envelope")), 20),
	}
	if v.Period = q.Get("period"); v.Period == "" {
		v.Period = "any"
		if v.Since+v.Until != "" {
			v.Period = "own"
		}
	}
	states := q["state"]
	if len(states) == 0 {
		states = []string{string(paraph.DeliveryFailed), string(paraph.DeliverySkipped)}
	}
	hints := map[paraph.DeliveryState]string{
		paraph.DeliveryFailed: "Their schedule of retries is used up.", paraph.DeliverySkipped: "The webhook was switched off.",
		paraph.DeliverySucceeded: "They arrived; send them once more.",
	}
	for _, st := range paraph.Replayable() {
		v.States = append(v.States, kit.Option{
			Value: string(st), Label: kit.StatusOf(deliveryState(paraph.Delivery{State: st})).Label, Hint: hints[st], Selected: slices.Contains(states, string(st)),
		})
	}
	v.Events = []kit.Option{{Value: "", Label: "All"}}
	family := ""
	for _, n := range webhook.Names() {
		if n.Family() != family {
			family = n.Family()
			v.Events = append(v.Events, kit.Option{Value: family, Label: "All of " + family, Selected: q.Get("event") == family})
		}
		v.Events = append(v.Events, kit.Option{Value: n.Name, Label: n.Name, Selected: q.Get("event") == n.Name})
	}
	return v
}

// asLocal is a time of an address as an input for date and time has it; what
// is no time stays as it was entered.
func asLocal(text string) string {
	if t, err := readMoment("", text); err == nil && !t.IsZero() {
		return t.UTC().Format(localTime)
	}
	return paraph.Shorten(paraph.CleanLine(text), 40)
}

// readMoment reads a time: what an input for date and time sends, in UTC, a
// date, or RFC 3339.
func readMoment(field, text string) (t time.Time, err error) {
	if text = strings.TrimSpace(text); text == "" {
		return t, nil
	}
	for _, layout := range []string{localTime, localTime + ":05", time.DateOnly, time.RFC3339Nano} {
		if t, err = time.Parse(layout, text); err == nil && t.Year() > 1 && t.Year() < 10000 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, paraph.FieldErrorf(field, "Write a time such as 2026-09-14T10:00.")
}

// readReplay reads what is to be replayed. Times count when the period is
// “own”, or is not said.
func readReplay(q url.Values, e paraph.Endpoint, now time.Time) (f paraph.ReplayFilter, err error) {
	for _, st := range q["state"] {
		f.States = append(f.States, paraph.DeliveryState(st))
	}
	for _, name := range q["event"] {
		if name != "" {
			f.Events = append(f.Events, name)
		}
	}
	if text := strings.TrimSpace(q.Get("envelope")); text != "" {
		if f.EnvelopeID, err = strconv.ParseInt(text, 10, 64); err != nil || f.EnvelopeID <= 0 {
			return f, paraph.FieldErrorf("envelope", "The id of an envelope is a number.")
		}
	}
	switch q.Get("period") {
	case "", "own":
		if f.Since, err = readMoment("since", q.Get("since")); err != nil {
			return f, err
		}
		f.Until, err = readMoment("until", q.Get("until"))
	case "hour":
		f.Since = now.Add(-time.Hour)
	case "day":
		f.Since = now.Add(-24 * time.Hour)
	case "off":
		f.Since = e.DisabledAt
	}
	return f, err
}

// replayValues are a filter as a form's hidden values, which readReplay reads
// again.
func replayValues(f paraph.ReplayFilter) (out []kit.Pair) {
	add := func(name, value string) {
		if value != "" {
			out = append(out, kit.Pair{Name: name, Value: value})
		}
	}
	for _, st := range f.States {
		add("state", string(st))
	}
	for _, name := range f.Events {
		add("event", name)
	}
	for name, t := range map[string]time.Time{"since": f.Since, "until": f.Until} {
		if !t.IsZero() {
			add(name, t.UTC().Format(time.RFC3339Nano))
		}
	}
	if f.EnvelopeID > 0 {
		add("envelope", strconv.FormatInt(f.EnvelopeID, 10))
	}
	return out
}

// replayFacts are a filter in words.
func replayFacts(f paraph.ReplayFilter) []kit.Pair {
	var states []string
	for _, st := range f.States {
		states = append(states, strings.ToLower(kit.StatusOf(deliveryState(paraph.Delivery{State: st})).Label))
	}
	out := []kit.Pair{{Name: "State", Value: strings.Join(states, ", ")}, {Name: "Events", Value: "all"}}
	if len(f.Events) > 0 {
		out[1].Value = strings.Join(f.Events, ", ")
	}
	if !f.Since.IsZero() {
		out = append(out, kit.Pair{Name: "From", Value: kit.Exact(f.Since)})
	}
	if !f.Until.IsZero() {
		out = append(out, kit.Pair{Name: "To", Value: kit.Exact(f.Until)})
	}
	if f.EnvelopeID > 0 {
		out = append(out, kit.Pair{Name: "Envelope", Value: strconv.FormatInt(f.EnvelopeID, 10)})
	}
	return out
}

func (s *server) startReplay(w http.ResponseWriter, r *http.Request) error {
	form, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	f, err := readReplay(form.Values, e, s.Store.Now())
	var started paraph.Replay
	if err == nil {
		started, err = s.Desk.StartReplay(r.Context(), s.who(r), e.ID, f)
	}
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil:
		return s.showReplayForm(w, r, statusOf(shown), e, form.Values, shown)
	}
	return redirect(w, r, replayPath(e.ID, started.ID))
}

// replayOf is the replay in the path, if it is of the webhook in the path and
// that belongs to the space of who asks.
func (s *server) replayOf(r *http.Request) (e paraph.Endpoint, x paraph.Replay, err error) {
	if e, err = s.hook(r); err != nil {
		return e, x, err
	}
	id, err := pathID(r, "replay")
	if err != nil {
		return e, x, err
	}
	x, err = s.Store.Replay(r.Context(), e.AccountID, e.ID, id)
	return e, x, err
}

func (s *server) replayPage(w http.ResponseWriter, r *http.Request) error {
	e, x, err := s.replayOf(r)
	if err != nil {
		return err
	}
	v := s.replayView(e, x)
	v.Open = r.URL.Query().Get("do")
	p := s.hookPage("Replay")
	if v.Live() && v.Open == "" {
		p.Refresh = replayRefresh
	}
	return s.page(w, r, http.StatusOK, webhooks.ReplayPage(v), p)
}

func (s *server) replayView(e paraph.Endpoint, x paraph.Replay) webhooks.Replay {
	v := webhooks.Replay{
		ID: x.ID, WebhookID: e.ID, URL: e.URL, State: string(x.State), Why: x.Why, Total: x.Total, Queued: x.Queued, Succeeded: x.Succeeded,
		Failed: x.Failed, Skipped: x.Skipped, Waiting: x.Waiting, Missed: x.Missed(), Full: x.Waiting > 0 && !x.AllQueued(),
		Facts: replayFacts(x.Filter), By: x.ByName, At: x.CreatedAt, EndedAt: x.FinishedAt, Now: s.Store.Now(),
		Log: query(hookPath(e.ID), "replay", strconv.FormatInt(x.ID, 10)), FailedLog: query(hookPath(e.ID), "replay", strconv.FormatInt(x.ID, 10), "state", string(paraph.DeliveryFailed)),
	}
	q := url.Values{}
	for _, p := range replayValues(x.Filter) {
		q.Add(p.Name, p.Value)
	}
	v.Again = hookPath(e.ID) + "/replay?" + q.Encode()
	return v
}

func (s *server) cancelReplay(w http.ResponseWriter, r *http.Request) error {
	e, x, err := s.replayOf(r)
	if err != nil {
		return err
	}
	_, err = s.Desk.CancelReplay(r.Context(), s.who(r), e.ID, x.ID)
	return s.settle(w, r, replayPath(e.ID, x.ID), "", err)
}
