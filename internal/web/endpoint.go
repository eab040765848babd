package web

import (
	"context"
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

// hook is the webhook in the path, if it belongs to the space of who asks.
func (s *server) hook(r *http.Request) (paraph.Endpoint, error) {
	id, err := pathID(r, "id")
	if err != nil {
		return paraph.Endpoint{}, err
	}
	return s.Store.Endpoint(r.Context(), s.who(r).AccountID, id)
}

func hookPath(id int64) string { return "/settings/webhooks/" + strconv.FormatInt(id, 10) }

// hookPage writes one of the webhooks' pages.
func (s *server) hookPage(title string) kit.Page {
	return kit.Page{Title: title, Scripts: []string{webhooks.Script}}
}

func (s *server) webhooksPage(w http.ResponseWriter, r *http.Request) error {
	signed := s.signed(r)
	v := webhooks.List{Owner: signed.User.Owner, Form: newHookForm(), Now: s.Store.Now(), Keeps: s.Desk.Retention}
	all, err := s.Store.Endpoints(r.Context(), signed.Space.ID)
	if err != nil {
		return err
	}
	healths, waiting, err := s.healths(r.Context(), signed.Space.ID, all)
	if err != nil {
		return err
	}
	lanes, err := s.Store.LanesOf(r.Context(), signed.Space.ID)
	if err != nil {
		return err
	}
	fresh := s.freshHook(w, r)
	for _, e := range all {
		v.Rows = append(v.Rows, webhooks.Row{
			ID: e.ID, URL: e.URL, Description: e.Description, Events: e.Events, Mark: markOf(e, lanes[e.ID]),
			Health: health(healths[e.ID], waiting[e.ID], spanOf(""), v.Now),
		})
		if e.ID == fresh {
			v.Fresh = &webhooks.Secret{Title: "The webhook is there", Value: e.SigningSecret}
		}
	}
	return s.page(w, r, http.StatusOK, webhooks.ListPage(v), s.hookPage("Webhooks"))
}

// newHookForm is the form with what applies when nothing is said.
func newHookForm() webhooks.Form {
	return webhooks.Form{
		Schedule: paraph.DefaultSchedule, Timeout: decimal(paraph.DefaultTimeout.Seconds()),
		Concurrency: strconv.Itoa(paraph.DefaultConcurrency), Groups: eventGroups(),
	}
}

func decimal(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }

// eventGroups are all events by family, in the order in which they are offered.
func eventGroups() []webhooks.Group {
	titles := map[string]string{"document.*": "Documents", "recipient.*": "Recipients", "form.*": "Forms", "submission.*": "Submissions"}
	shapes := map[webhook.Dialect]string{webhook.Documenso: "in the shape that Documenso sends", webhook.DocuSeal: "in the shape that DocuSeal sends"}
	var out []webhooks.Group
	for _, n := range webhook.Names() {
		if len(out) == 0 || out[len(out)-1].Family != n.Family() {
			title := titles[n.Family()]
			if title == "" {
				title = n.Family()
			}
			out = append(out, webhooks.Group{Title: title, Hint: shapes[n.Dialect], Family: n.Family()})
		}
		g := &out[len(out)-1]
		g.Events = append(g.Events, webhooks.Event{Name: n.Name, About: n.About})
	}
	return out
}

// hookForm is a webhook as its form shows it.
func hookForm(e paraph.Endpoint) webhooks.Form {
	f := newHookForm()
	f.ID, f.URL, f.Description, f.Events = e.ID, e.URL, e.Description, e.Events
	if e.Secret != "" {
		f.Secret = mask
	}
	f.Timeout, f.Concurrency, f.Ordered, f.OmitTokens = decimal(e.Timeout.Seconds()), strconv.Itoa(e.Concurrency), e.Ordered, e.OmitTokens
	if f.Schedule = e.Schedule; e.Schedule != webhook.ScheduleSeed && e.Schedule != webhook.ScheduleStandard {
		f.Schedule, f.Steps = "own", strings.ReplaceAll(e.Schedule, ",", ", ")
	}
	if e.Rate > 0 {
		f.Rate = decimal(e.Rate)
	}
	var lines []string
	for _, h := range e.Headers {
		lines = append(lines, h[0]+": "+mask)
	}
	f.Headers = strings.Join(lines, "\n")
	return f
}

// enteredHook is a webhook's form as somebody sent it.
func enteredHook(f form) webhooks.Form {
	return webhooks.Form{
		URL: f.Get("url"), Secret: f.Get("secret"), Description: f.Get("description"), Events: f.Values["events"], Headers: f.Get("headers"),
		Schedule: orSeed(f.Get("schedule")), Steps: f.Get("steps"), Timeout: f.Get("timeout"), Concurrency: f.Get("concurrency"), Rate: f.Get("rate"),
		Ordered: f.Get("ordered") != "", OmitTokens: f.Get("omit_tokens") != "", Groups: eventGroups(),
	}
}

func orSeed(schedule string) string {
	if schedule == "" {
		return webhook.ScheduleSeed
	}
	return schedule
}

// fillHook puts what was entered into a webhook, or says what can't be read.
func fillHook(f webhooks.Form) (edit func(*paraph.Endpoint), err error) {
	headers, err := readHeaders(f.Headers)
	if err != nil {
		return nil, err
	}
	timeout, err := readNumber("timeout", f.Timeout, paraph.DefaultTimeout.Seconds())
	if err != nil {
		return nil, err
	}
	concurrency, err := readNumber("concurrency", f.Concurrency, paraph.DefaultConcurrency)
	if err != nil {
		return nil, err
	}
	if concurrency != float64(int(concurrency)) || concurrency == 0 {
		return nil, paraph.FieldErrorf("concurrency", "Between 1 and %d requests can run at once.", paraph.MaxConcurrency)
	}
	rate, err := readNumber("rate", f.Rate, 0)
	if err != nil {
		return nil, err
	}
	schedule, err := readSchedule(f)
	if err != nil {
		return nil, err
	}
	return func(e *paraph.Endpoint) {
		e.URL, e.Description, e.Events, e.Headers = f.URL, f.Description, chosen(f.Events), keepMasked(headers, e.Headers)
		if f.Secret != mask {
			e.Secret = f.Secret
		}
		e.Schedule, e.Concurrency, e.Rate, e.Ordered, e.OmitTokens = schedule, int(concurrency), rate, f.Ordered, f.OmitTokens
		e.Timeout = time.Duration(timeout * float64(time.Second))
	}, nil
}

// readNumber reads a number that is not negative nor absurd; nothing is what
// applies then.
func readNumber(field, text string, nothing float64) (float64, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nothing, nil
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n >= 0 && n < 1e6) || (n == 0 && nothing > 0) {
		return 0, paraph.FieldErrorf(field, "“%s” is not a number that is possible here.", paraph.Shorten(paraph.CleanLine(text), 40))
	}
	return n, nil
}

// readSchedule is the schedule that was chosen. The name of one's own list is
// not a schedule's, and what is neither is told apart by the parser.
func readSchedule(f webhooks.Form) (string, error) {
	if f.Schedule != "own" {
		return f.Schedule, nil
	}
	if strings.TrimSpace(f.Steps) == "" {
		return "", paraph.FieldErrorf("schedule", "Say your own waits, in seconds, such as “5, 300, 3600”.")
	}
	return f.Steps, nil
}

// readHeaders reads "Name: value" lines.
func readHeaders(text string) (out [][2]string, err error) {
	for i, line := range strings.Split(paraph.CleanText(text), "\n") {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, paraph.FieldErrorf("headers", "Line %d has no colon between the name and the value.", i+1)
		}
		out = append(out, [2]string{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return out, nil
}

// keepMasked puts the old value of a header where its mask came back.
func keepMasked(headers, was [][2]string) [][2]string {
	for i, h := range headers {
		at := slices.IndexFunc(was, func(p [2]string) bool { return strings.EqualFold(p[0], h[0]) })
		if h[1] != mask || at < 0 {
			continue
		}
		headers[i][1] = was[at][1]
		was = slices.Delete(slices.Clone(was), at, at+1) // one name may stand there twice
	}
	return headers
}

// chosen are the events without those that a family, or all, brings anyway.
func chosen(events []string) []string {
	var out []string
	for _, e := range events {
		covered := false
		for _, wider := range events {
			covered = covered || (wider != e && (wider == "*" || (strings.HasSuffix(wider, ".*") && webhook.Match([]string{wider}, e))))
		}
		if !covered {
			out = append(out, e)
		}
	}
	return out
}

func (s *server) showHookForm(w http.ResponseWriter, r *http.Request, status int, f webhooks.Form) error {
	title, back := "Create Webhook", "/settings/webhooks"
	if f.ID > 0 {
		title, back = "Edit webhook", hookPath(f.ID)
	}
	return s.page(w, r, status, webhooks.FormPage(s.signed(r).User.Owner, f, title, back), s.hookPage(title))
}

func (s *server) newWebhookPage(w http.ResponseWriter, r *http.Request) error {
	return s.showHookForm(w, r, http.StatusOK, newHookForm())
}

func (s *server) newWebhook(w http.ResponseWriter, r *http.Request) error {
	return s.saveHook(w, r, 0, func(ctx context.Context, edit func(*paraph.Endpoint)) error {
		e := paraph.Endpoint{Enabled: true}
		edit(&e)
		e, err := s.Desk.CreateEndpoint(ctx, s.who(r), e)
		if err == nil {
			s.showSecret(w, r, e.ID)
		}
		return err
	}, "/settings/webhooks")
}

// saveHook reads the form, runs the verb, and shows the form again with what
// is wrong with it.
func (s *server) saveHook(w http.ResponseWriter, r *http.Request, id int64, verb func(ctx context.Context, edit func(*paraph.Endpoint)) error, to string) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	entered := enteredHook(f)
	entered.ID = id
	edit, err := fillHook(entered)
	if err == nil {
		err = verb(r.Context(), edit)
	}
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil:
		entered.Wrong = wrong(shown)
		return s.showHookForm(w, r, statusOf(shown), entered)
	}
	return redirect(w, r, to)
}

func (s *server) editWebhookPage(w http.ResponseWriter, r *http.Request) error {
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	return s.showHookForm(w, r, http.StatusOK, hookForm(e))
}

func (s *server) editWebhook(w http.ResponseWriter, r *http.Request) error {
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	return s.saveHook(w, r, e.ID, func(ctx context.Context, edit func(*paraph.Endpoint)) error {
		_, err := s.Desk.UpdateEndpoint(ctx, s.who(r), e.ID, edit)
		if err == nil {
			s.flash(w, kit.Success, "The webhook is saved.")
		}
		return err
	}, hookPath(e.ID))
}

func (s *server) deleteWebhookPage(w http.ResponseWriter, r *http.Request) error {
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	return s.page(w, r, http.StatusOK, webhooks.DeletePage(s.signed(r).User.Owner, e.ID, e.URL), s.hookPage("Delete webhook"))
}

func (s *server) deleteWebhook(w http.ResponseWriter, r *http.Request) error {
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	return s.settle(w, r, "/settings/webhooks", "The webhook is deleted.", s.Desk.DeleteEndpoint(r.Context(), s.who(r), e.ID))
}

func (s *server) switchWebhook(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	if f.Get("on") == "yes" {
		_, missed, err := s.Desk.EnableEndpoint(r.Context(), s.who(r), e.ID)
		to := hookPath(e.ID)
		if missed.N > 0 {
			to = query(to, "missed", missed.Since.UTC().Format(time.RFC3339))
		}
		return s.settle(w, r, to, "The webhook is on.", err)
	}
	_, err = s.Desk.UpdateEndpoint(r.Context(), s.who(r), e.ID, func(e *paraph.Endpoint) { e.Enabled = false })
	return s.settle(w, r, hookPath(e.ID), "The webhook is off. What happens now is kept and can be sent later.", err)
}

func (s *server) testWebhook(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	d, err := s.Desk.SendTest(r.Context(), s.who(r), e.ID, f.Get("event"))
	if err != nil {
		return s.settle(w, r, hookPath(e.ID), "", err)
	}
	return s.settle(w, r, deliveryPath(d), "The test is on its way.", nil)
}

func (s *server) webhookPage(w http.ResponseWriter, r *http.Request) error {
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	v, err := s.hookView(r, e)
	if err != nil {
		return err
	}
	if v.Missed, err = s.missed(r, e); err != nil {
		return err
	}
	return s.page(w, r, http.StatusOK, webhooks.Page(v), s.hookPage("Webhook to "+hostOf(e.URL)))
}

func (s *server) hookView(r *http.Request, e paraph.Endpoint) (v webhooks.Webhook, err error) {
	now, span := s.Store.Now(), spanOf(r.URL.Query().Get("span"))
	h, err := s.Store.Health(r.Context(), e.AccountID, e.ID, span.since(now))
	if err != nil {
		return v, err
	}
	waiting, err := s.Store.Backlogs(r.Context(), e.AccountID, []int64{e.ID})
	if err != nil {
		return v, err
	}
	lanes, err := s.Store.LanesOf(r.Context(), e.AccountID)
	if err != nil {
		return v, err
	}
	q := readLogQuery(r, hookPath(e.ID))
	v = webhooks.Webhook{
		ID: e.ID, URL: e.URL, Description: e.Description, On: e.Enabled, Why: e.DisabledWhy, OffSince: e.DisabledAt, Events: e.Events,
		Facts: hookFacts(e), Mark: markOf(e, lanes[e.ID]), Health: health(h, waiting[e.ID], span, now), Spans: spanLinks(q, span), Tests: testOptions(e),
		Open: r.URL.Query().Get("do"), Now: now, Trouble: troubleOf(e),
		Held: heldBack(e, lanes[e.ID]), HeldUntil: heldUntil(lanes[e.ID], now),
	}
	v.Log, err = s.hookLog(r, q, e)
	return v, err
}

func hostOf(raw string) string {
	if u, err := url.Parse(raw); err == nil && u.Host != "" {
		return u.Host
	}
	return raw
}

// testOptions are the events to test with, one that the webhook asks for first.
func testOptions(e paraph.Endpoint) []kit.Option {
	var out []kit.Option
	some := false
	for _, n := range webhook.Names() {
		asked := webhook.Match(e.Events, n.Name)
		out = append(out, kit.Option{Value: n.Name, Label: n.Name, Selected: asked && !some})
		some = some || asked
	}
	return out
}

func hookFacts(e paraph.Endpoint) []kit.Pair {
	var out []kit.Pair
	add := func(name, value string) { out = append(out, kit.Pair{Name: name, Value: value}) }
	if e.Secret != "" {
		add("Secret", "set, sent as X-Documenso-Secret")
	} else {
		add("Secret", "none")
	}
	if len(e.Headers) > 0 {
		var names []string
		for _, h := range e.Headers {
			names = append(names, h[0])
		}
		add("Own headers", strings.Join(names, ", "))
	}
	add("Tries again", scheduleWords(e.Schedule))
	add("Timeout", decimal(e.Timeout.Seconds())+" s")
	add("At once", strconv.Itoa(e.Concurrency))
	if e.Rate > 0 {
		add("At most", decimal(e.Rate)+" a second")
	}
	if e.Ordered {
		add("Order", "strict, one at a time")
	}
	if e.OmitTokens {
		add("Tokens", "left out")
	}
	add("Created", kit.Exact(e.CreatedAt))
	return out
}

func scheduleWords(schedule string) string {
	switch schedule {
	case webhook.ScheduleSeed:
		return "after 1, 2, 4 … 1024 minutes; 12 attempts"
	case webhook.ScheduleStandard:
		return "after 5 s, 5 and 30 min, 2 to 24 h; 10 attempts"
	}
	return "after " + strings.ReplaceAll(schedule, ",", ", ") + " seconds"
}
