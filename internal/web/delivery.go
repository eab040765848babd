package web

import (
	"fmt"
	"net/http"
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
	deliveriesAtOnce = 25
	attemptsAtOnce   = 50
)

func deliveryPath(d paraph.Delivery) string {
	return hookPath(d.EndpointID) + "/deliveries/" + strconv.FormatInt(d.ID, 10)
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
	lanes, err := s.Store.LanesOf(r.Context(), e.AccountID)
	if err != nil {
		return err
	}
	return s.page(w, r, http.StatusOK, webhooks.DeliveryPage(s.deliveryView(e, d, lanes[e.ID], attempts)), s.hookPage("Delivery of "+d.EventName))
}

func (s *server) deliveryView(e paraph.Endpoint, d paraph.Delivery, lane paraph.Lane, attempts []paraph.Attempt) webhooks.One {
	v := webhooks.One{
		ID: d.ID, WebhookID: e.ID, URL: e.URL, Event: d.EventName, Test: d.Test, State: deliveryState(d), Size: len(d.Body),
		CanResend: e.Enabled, At: d.CreatedAt, Now: s.Store.Now(), Live: d.State == paraph.DeliveryPending,
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
	v.Next, v.NextAt = nextWords(e, d, lane, v.Now)
	body, secrets := webhook.Readable(d.Body)
	v.Body, secrets = body, append(secrets, e.Secrets()...)
	if v.Hidden = len(attempts) - attemptsAtOnce; v.Hidden > 0 {
		attempts = attempts[v.Hidden:]
	}
	v.Course = course(e, d, attempts, v.Now)
	for _, a := range slices.Backward(attempts) {
		v.Attempts = append(v.Attempts, attemptView(a, secrets))
	}
	return v
}

// attemptView is an attempt without the secrets that a receiver may echo.
func attemptView(a paraph.Attempt, secrets []string) webhooks.Attempt {
	v := webhooks.Attempt{
		Number: a.Number, At: a.At, OK: a.Code == webhook.CodeOK, Outcome: outcome(a), Error: a.Error, Advice: webhook.Advice(a.Code, a.Status), Code: a.Code, Address: a.RemoteAddress,
		Phases: phases(a.Timings), Total: a.Duration, Request: maskPairs(a.RequestHeaders, secrets), Response: maskPairs(a.ResponseHeaders, secrets),
		Answered: a.Status > 0, Body: webhook.Mask(printable(a.ResponseBody), secrets), Cut: a.Truncated,
	}
	return v
}

// outcome is how an attempt ended: "200 OK", "Connection refused".
func outcome(a paraph.Attempt) string {
	return strings.TrimSpace(codeOf(a.Status, a.Code) + " " + http.StatusText(a.Status))
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

// nextWords says what is next, "" when it is over, and when that is.
func nextWords(e paraph.Endpoint, d paraph.Delivery, lane paraph.Lane, now time.Time) (words string, at time.Time) {
	if d.State != paraph.DeliveryPending {
		return "", at
	}
	words = "The next attempt"
	switch sch, err := webhook.ScheduleOf(e, d); {
	case err == nil && sch.Attempts() == 1:
		words = "The only attempt"
	case err == nil:
		words = fmt.Sprintf("Attempt %d of %d", d.Attempts-d.Before+1, sch.Attempts())
	}
	switch {
	case d.NextAttemptAt.After(now):
		return words + " comes", d.NextAttemptAt
	case heldBack(e, lane):
		return words + " is held back: most requests to this webhook failed of late. One is tried every 30 seconds, the next", heldUntil(lane, now)
	}
	return words + " is due: it waits for its turn, or is under way.", at
}

// course tells a delivery from its event to what its schedule still holds.
func course(e paraph.Endpoint, d paraph.Delivery, attempts []paraph.Attempt, now time.Time) []webhooks.Step {
	first := webhooks.Step{Icon: "dot", Tone: kit.Neutral, Title: d.EventName + " happened", Text: "This delivery was queued in the same transaction.", At: d.CreatedAt}
	if d.Test {
		first.Title, first.Text = "Somebody sent a test", "It is signed, sent and logged like a real event."
	}
	out, last := []webhooks.Step{first}, d.CreatedAt
	for _, a := range attempts {
		if a.Number == d.Before+1 && d.Before > 0 {
			out = append(out, webhooks.Step{Icon: "refresh", Tone: kit.Info, Title: "Queued anew", Text: "The same bytes under the same id; the schedule began again."})
		}
		out = append(out, attemptStep(a, last))
		last = a.At.Add(a.Duration)
	}
	return append(out, comingSteps(e, d, now)...)
}

func attemptStep(a paraph.Attempt, last time.Time) webhooks.Step {
	s := webhooks.Step{
		Icon: "check", Tone: kit.Success, Title: fmt.Sprintf("Attempt %d: %s", a.Number, outcome(a)), At: a.At,
		Href: "#attempt-" + strconv.Itoa(a.Number), Text: "Took " + webhooks.Took(a.Duration),
	}
	if a.Code != webhook.CodeOK {
		s.Icon, s.Tone = "x", kit.Error
	}
	if wait := a.At.Sub(last); wait >= time.Second {
		s.Text += ", " + webhooks.Wait(wait) + " after what was before"
	}
	s.Text += "."
	return s
}

// comingSteps are how it ended, or the next attempt and what comes if that
// fails too.
func comingSteps(e paraph.Endpoint, d paraph.Delivery, now time.Time) []webhooks.Step {
	switch {
	case d.State == paraph.DeliverySucceeded:
		return []webhooks.Step{{Icon: "check", Tone: kit.Success, Title: "Delivered", At: d.FinishedAt}}
	case d.State == paraph.DeliveryFailed:
		return []webhooks.Step{{Icon: "x", Tone: kit.Error, Title: "Given up", Text: whyGivenUp(d), At: d.FinishedAt}}
	case d.State == paraph.DeliverySkipped:
		return []webhooks.Step{{Icon: "ban", Tone: kit.Neutral, Title: "Skipped", Text: "The webhook was switched off. This is kept and can be sent again.", At: d.FinishedAt}}
	}
	next := webhooks.Step{Icon: "clock", Tone: kit.Info, Title: fmt.Sprintf("Attempt %d", d.Attempts+1), At: d.NextAttemptAt, Ahead: true}
	switch {
	case !d.NextAttemptAt.After(now):
		next.Title, next.At = next.Title+" is due or under way", time.Time{}
	}
	sch, err := webhook.ScheduleOf(e, d)
	if err != nil {
		return []webhooks.Step{next}
	}
	due := d.NextAttemptAt
	if due.Before(now) {
		due = now
	}
	ahead := sch.Ahead(d.Attempts-d.Before+1, due)
	if d.Test {
		next.Text = "A test is tried once."
		return []webhooks.Step{next}
	}
	if len(ahead) == 0 {
		next.Text = "It is the last one of its schedule."
		return []webhooks.Step{next}
	}
	return []webhooks.Step{next, {
		Icon: "hourglass", Tone: kit.Neutral, Title: "If that fails", Ahead: true,
		Text: "Then again after " + waits(due, ahead) + ". It is given up after the last, on " + kit.Exact(ahead[len(ahead)-1]) + " at the earliest.",
	}}
}

func whyGivenUp(d paraph.Delivery) string {
	switch {
	case d.Test:
		return "A test is tried once. Resend sends it again."
	case d.LastStatus == http.StatusGone:
		return "The receiver asked never to be called again. Resend begins the schedule anew."
	}
	return "The schedule is used up. Resend begins it anew."
}

// waits are the waits between the attempts ahead, the first few of them.
func waits(from time.Time, ahead []time.Time) string {
	const most = 6
	var words []string
	for i, at := range ahead {
		if i == most && len(ahead) > most+1 {
			words = append(words, fmt.Sprintf("and %d more times", len(ahead)-most))
			break
		}
		words = append(words, webhooks.Wait(at.Sub(from)))
		from = at
	}
	return strings.Join(words, ", ")
}

func (s *server) resend(w http.ResponseWriter, r *http.Request) error {
	e, d, err := s.delivery(r)
	if err != nil {
		return err
	}
	_, err = s.Desk.Resend(r.Context(), s.who(r), d.ID)
	return s.settle(w, r, deliveryPath(paraph.Delivery{ID: d.ID, EndpointID: e.ID}), "It is sent again, the same bytes under the same id.", err)
}
