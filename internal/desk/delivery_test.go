package desk_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// post is a webhook as its receiver saw it.
type post struct {
	header http.Header
	body   string
}

func (p post) id() string      { return p.header.Get("Webhook-Id") }
func (p post) attempt() string { return p.header.Get("X-Paraph-Attempt") }

// receiver answers with its statuses in turn, and with 200 when they are used
// up.
type receiver struct {
	url   string
	posts chan post
	count atomic.Int64

	mu       sync.Mutex
	statuses []int
	header   http.Header
	handle   func(post) // before the answer
}

func newReceiver(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{posts: make(chan post, 1000), statuses: statuses, header: http.Header{}, handle: func(post) {}}
	s := httptest.NewServer(r)
	t.Cleanup(s.Close)
	r.url = s.URL + "/hook"
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	p := post{req.Header.Clone(), string(body)}
	r.count.Add(1)
	r.posts <- p
	r.handle(p)
	r.mu.Lock()
	status := http.StatusOK
	if len(r.statuses) > 0 {
		status, r.statuses = r.statuses[0], r.statuses[1:]
	}
	for k, v := range r.header {
		w.Header()[k] = v
	}
	r.mu.Unlock()
	w.WriteHeader(status)
}

// sender is a world with a running dispatcher, whose results it shows.
type sender struct {
	*desktest.World
	desktest.Person
	t          *testing.T
	dispatcher *webhook.Dispatcher
	results    chan webhook.Result
}

func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// eachSender runs a test on every database.
func eachSender(t *testing.T, f func(t *testing.T, s *sender)) {
	t.Helper()
	desktest.EachWith(t, desktest.Options{Allow: loopback(), Start: time.Now()}, func(t *testing.T, w *desktest.World) {
		s := newSender(t, w, w.Person(t, "Ann Admin"))
		s.start(webhook.DispatcherConfig{})
		f(t, s)
	})
}

func newSender(t *testing.T, w *desktest.World, p desktest.Person) *sender {
	return &sender{World: w, Person: p, t: t, results: make(chan webhook.Result, 1000)}
}

// start runs a dispatcher that looks for rows only when it is told to.
func (s *sender) start(cfg webhook.DispatcherConfig) {
	s.t.Helper()
	cfg.Queue, cfg.Client, cfg.Log = s.Desk.Queue(), s.Desk.Client, slog.New(slog.NewTextHandler(s.t.Output(), nil))
	cfg.Poll, cfg.Jitter = 24*time.Hour, func() float64 { return 0 }
	cfg.Observe = func(r webhook.Result) { s.results <- r }
	d, err := webhook.NewDispatcher(cfg)
	s.must(err)
	s.dispatcher = d
	s.Desk.WakeLanes(d.Wake)
	d.Start()
	s.t.Cleanup(d.Stop)
}

func (s *sender) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *sender) endpoint(url string, edit ...func(*paraph.Endpoint)) paraph.Endpoint {
	s.t.Helper()
	e := paraph.Endpoint{URL: url, Events: []string{"submission.archived"}, Enabled: true}
	for _, f := range edit {
		f(&e)
	}
	e, err := s.Desk.CreateEndpoint(s.t.Context(), s.Who, e)
	s.must(err)
	return e
}

func (s *sender) envelope() paraph.Envelope {
	s.t.Helper()
	p, err := s.Desk.Prepare(s.t.Context(), "lease.pdf", desktest.PDF(1))
	s.must(err)
	e, err := s.Desk.Create(s.t.Context(), s.Who, "Lease", []desk.Prepared{p})
	s.must(err)
	return e
}

// archive makes an envelope and an event of it.
func (s *sender) archive() paraph.Envelope {
	s.t.Helper()
	e := s.envelope()
	_, err := s.Desk.Archive(s.t.Context(), s.Who, e.ID, true)
	s.must(err)
	return e
}

// queue stores n deliveries for an endpoint in one transaction; the body of
// each is its place.
func (s *sender) queue(e paraph.Endpoint, n int) []paraph.Delivery {
	s.t.Helper()
	ds := make([]paraph.Delivery, n)
	s.must(s.Store.Update(s.t.Context(), func(tx *store.Tx) error {
		for i := range ds {
			ds[i] = paraph.Delivery{
				AccountID: e.AccountID, EndpointID: e.ID, EventName: "form.viewed", MessageID: fmt.Sprintf("msg_%d_%d", e.ID, i),
				Body: fmt.Append(nil, i), State: paraph.DeliveryPending, NextAttemptAt: tx.Now(), CreatedAt: tx.Now(),
			}
		}
		tx.After(func() { s.dispatcher.Wake(e.ID) })
		return tx.InsertDeliveries(s.t.Context(), ds)
	}))
	return ds
}

// soon is a bound that no test that passes comes near.
const soon = time.Minute

func next[T any](t *testing.T, from <-chan T, what string) (v T) {
	t.Helper()
	select {
	case v = <-from:
	case <-time.After(soon):
		t.Fatalf("%s did not come", what)
	}
	return v
}

func (s *sender) result() webhook.Result { return next(s.t, s.results, "a result") }

// pass moves the clock and lets the dispatcher look.
func (s *sender) pass(d time.Duration) {
	s.t.Helper()
	s.Clock.Advance(d)
	s.must(s.dispatcher.Poke(s.t.Context()))
}

func (s *sender) delivery(id int64) paraph.Delivery {
	s.t.Helper()
	d, err := s.Store.Delivery(s.t.Context(), s.Who.AccountID, id)
	s.must(err)
	return d
}

func (s *sender) log(e paraph.Endpoint) []paraph.Delivery {
	s.t.Helper()
	ds, err := s.Store.Deliveries(s.t.Context(), s.Who.AccountID, store.DeliveryFilter{EndpointID: e.ID, Limit: 200})
	s.must(err)
	slices.Reverse(ds)
	return ds
}

func (s *sender) states(e paraph.Endpoint) (out []paraph.DeliveryState) {
	s.t.Helper()
	for _, d := range s.log(e) {
		out = append(out, d.State)
	}
	return out
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t)
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Headers = [][2]string{{"X-Own", "mine"}} })
		s.archive()
		p, res := next(t, r.posts, "the webhook"), s.result()
		d := s.delivery(res.Delivery.ID)
		if err := webhook.VerifySignature(e.SigningSecret, []byte(p.body), p.header); err != nil {
			t.Errorf("the signature is not good: %v", err)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "User-Agent": "Paraph/test", "X-Own": "mine", "X-Paraph-Event": "submission.archived",
			"X-Paraph-Attempt": "1", "Webhook-Id": d.MessageID,
		} {
			equal(t, name, p.header.Get(name), want)
		}
		if p.header.Get("X-Docuseal-Signature") == "" || p.header.Get("X-Paraph-Test") != "" {
			t.Errorf("headers are %v", p.header)
		}
		equal(t, "body", p.body, string(d.Body))
		equal(t, "state", d.State, paraph.DeliverySucceeded)
		equal(t, "attempts", d.Attempts, 1)
		equal(t, "status", d.LastStatus, 200)
	})
}

func TestRetryWithTheSameBytes(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t, 500, 500)
		s.endpoint(r.url)
		e := s.archive()
		first, res := next(t, r.posts, "the first attempt"), s.result()
		equal(t, "next attempt in", res.Delivery.NextAttemptAt.Sub(s.Store.Now()), time.Minute)
		_, err := s.Desk.SetDetails(t.Context(), s.Who, e.ID, paraph.Details{Name: "Another name"}) // refused or not: the bytes stay
		if err != nil && paraph.KindOf(err) == paraph.Internal {
			t.Fatal(err)
		}
		for i, wait := range []time.Duration{time.Minute, 2 * time.Minute} {
			s.pass(wait - time.Microsecond)
			s.pass(time.Microsecond)
			again := next(t, r.posts, "another attempt")
			equal(t, "body", again.body, first.body)
			equal(t, "webhook-id", again.id(), first.id())
			equal(t, "X-Paraph-Attempt", again.attempt(), fmt.Sprint(i+2))
			res = s.result()
		}
		equal(t, "state", s.delivery(res.Delivery.ID).State, paraph.DeliverySucceeded)
		equal(t, "requests", r.count.Load(), 3)
		log, err := s.Store.Attempts(t.Context(), s.Who.AccountID, res.Delivery.ID)
		s.must(err)
		var codes []string
		for _, a := range log {
			codes = append(codes, fmt.Sprint(a.Number, " ", a.Code))
		}
		equal(t, "log", strings.Join(codes, ", "), "1 http_500, 2 http_500, 3 ok")
	})
}

func TestScheduleUsedUp(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t, 500, 302, 500)
		r.header.Set("Location", "/elsewhere")
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Schedule = "10 20" })
		id := s.queue(e, 1)[0].ID
		s.result()
		s.pass(10 * time.Second)
		equal(t, "a redirect", s.result().Delivery.LastError, "http_302")
		s.pass(20 * time.Second)
		s.result()
		d := s.delivery(id)
		equal(t, "state", d.State, paraph.DeliveryFailed)
		equal(t, "attempts", d.Attempts, 3)
		equal(t, "requests", r.count.Load(), 3) // the redirect was not followed

		_, err := s.Desk.Resend(t.Context(), s.Who, id)
		s.must(err)
		s.result()
		d = s.delivery(id)
		equal(t, "state after a resend", d.State, paraph.DeliverySucceeded)
		equal(t, "attempts in all", d.Attempts, 4)
		first, last := next(t, r.posts, "the first"), post{}
		for range 3 {
			last = next(t, r.posts, "the others")
		}
		equal(t, "resent id", last.id(), first.id())
		equal(t, "resent bytes", last.body, first.body)
	})
}

func TestResendBeginsTheScheduleAnew(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t, 500, 500, 500, 500)
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Schedule = "10" })
		id := s.queue(e, 1)[0].ID
		s.result()
		s.pass(10 * time.Second)
		equal(t, "state", s.result().Delivery.State, paraph.DeliveryFailed)
		_, err := s.Desk.Resend(t.Context(), s.Who, id)
		s.must(err)
		equal(t, "state after the resent attempt", s.result().Delivery.State, paraph.DeliveryPending)
		s.pass(10 * time.Second)
		equal(t, "state after its retry", s.result().Delivery.State, paraph.DeliveryFailed)
		equal(t, "requests", r.count.Load(), 4)
	})
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t, 503)
		r.header.Set("Retry-After", "3600")
		e := s.endpoint(r.url)
		s.queue(e, 1)
		equal(t, "next attempt in", s.result().Delivery.NextAttemptAt.Sub(s.Store.Now()), time.Hour)
		lanes, err := s.Desk.Queue().Lanes(t.Context())
		s.must(err)
		if len(lanes) != 1 || lanes[0].NextAt.Sub(s.Store.Now()) != time.Hour {
			t.Errorf("lanes are %v", lanes)
		}
		s.pass(time.Hour)
		equal(t, "state", s.result().Delivery.State, paraph.DeliverySucceeded)
	})
}

func TestGone(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t, 410)
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Ordered = true })
		s.queue(e, 3)
		s.result()
		e, err := s.Store.Endpoint(t.Context(), s.Who.AccountID, e.ID)
		s.must(err)
		if e.Enabled || !strings.Contains(e.DisabledWhy, "410") {
			t.Errorf("the endpoint is %+v", e)
		}
		equal(t, "states", fmt.Sprint(s.states(e)), "[failed skipped skipped]")
		s.RunDue(t)
		mails := s.Mail.List()
		if len(mails) != 1 || mails[0].To.Email != s.User.Email {
			t.Errorf("mails are %+v", mails)
		}
		equal(t, "requests", r.count.Load(), 1)

		s.archive() // what happens while it is off can be replayed
		equal(t, "states", fmt.Sprint(s.states(e)), "[failed skipped skipped skipped]")
	})
}

func TestSwitchingOffStopsWhatIsBuffered(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t)
		hold := make(chan struct{})
		r.handle = func(post) { <-hold }
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Concurrency = 1 })
		s.queue(e, 4)
		next(t, r.posts, "the first")
		_, err := s.Desk.UpdateEndpoint(t.Context(), s.Who, e.ID, func(e *paraph.Endpoint) { e.Enabled = false })
		s.must(err)
		s.settled()
		close(hold)
		s.result()
		equal(t, "states", fmt.Sprint(s.states(e)), "[succeeded skipped skipped skipped]")
		s.dispatcher.Stop()
		equal(t, "requests", r.count.Load(), 1)
	})
}

// settled waits until the dispatcher has answered all that it was told so far:
// the scribe takes turns, so what another endpoint gets comes after.
func (s *sender) settled() {
	s.t.Helper()
	for range 2 {
		r := newReceiver(s.t)
		s.queue(s.endpoint(r.url), 1)
		s.result()
	}
}

func TestAChangedURLIsForTheNextAttempt(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		old, now := newReceiver(t, 500), newReceiver(t)
		e := s.endpoint(old.url)
		s.queue(e, 1)
		s.result()
		_, err := s.Desk.UpdateEndpoint(t.Context(), s.Who, e.ID, func(e *paraph.Endpoint) { e.URL = now.url })
		s.must(err)
		s.pass(time.Minute)
		equal(t, "attempt", next(t, now.posts, "the retry").attempt(), "2")
		equal(t, "state", s.result().Delivery.State, paraph.DeliverySucceeded)
		equal(t, "requests to the old URL", old.count.Load(), 1)
	})
}

func TestAHangingEndpointDelaysNoOther(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		hanging, well := newReceiver(t), newReceiver(t)
		hold := make(chan struct{})
		defer close(hold)
		hanging.handle = func(post) { <-hold }
		s.queue(s.endpoint(hanging.url), 30)
		for range paraph.DefaultConcurrency {
			next(t, hanging.posts, "a request that hangs")
		}
		e := s.endpoint(well.url)
		s.queue(e, 30)
		for range 30 {
			equal(t, "endpoint", s.result().Delivery.EndpointID, e.ID)
		}
	})
}

func TestOrdered(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t, 200, 500)
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Ordered = true })
		ds := s.queue(e, 4)
		s.result()
		s.result() // the second failed
		s.settled()
		equal(t, "requests while the head waits", r.count.Load(), 2)
		s.pass(time.Minute)
		for range 3 {
			s.result()
		}
		var order []string
		for range 5 {
			order = append(order, next(t, r.posts, "a request").body)
		}
		equal(t, "order", strings.Join(order, " "), "0 1 1 2 3")
		equal(t, "state of the last", s.delivery(ds[3].ID).State, paraph.DeliverySucceeded)
	})
}

func TestRateWaits(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t)
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Rate = 2 })
		s.queue(e, 5)
		s.result()
		s.result()
		s.settled()
		equal(t, "requests in the first moment", r.count.Load(), 2)
		s.pass(time.Second)
		s.result()
		s.result()
		s.pass(time.Second)
		equal(t, "attempts of the last", s.result().Delivery.Attempts, 1)
	})
}

func TestConcurrencyIsABound(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		const most, all = 3, 60
		r := newReceiver(t)
		var now, peak atomic.Int64
		full := make(chan struct{})
		r.handle = func(post) {
			n := now.Add(1)
			defer now.Add(-1)
			for p := peak.Load(); n > p && !peak.CompareAndSwap(p, n); p = peak.Load() {
			}
			if n == most {
				select {
				case <-full:
				default:
					close(full)
				}
			}
			<-full
		}
		s.queue(s.endpoint(r.url, func(e *paraph.Endpoint) { e.Concurrency = most }), all)
		for range all {
			s.result()
		}
		equal(t, "requests at once", peak.Load(), most)
		equal(t, "requests", r.count.Load(), all)
	})
}

func TestStopBreaksOffWhatOutlastsGrace(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		s.dispatcher.Stop()
		s.start(webhook.DispatcherConfig{Grace: time.Millisecond})
		r := newReceiver(t)
		hold := make(chan struct{})
		r.handle = func(post) { <-hold }
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Concurrency = 1 })
		s.queue(e, 3)
		next(t, r.posts, "the first")
		s.dispatcher.Stop()
		close(hold)
		for _, d := range s.log(e) {
			if d.State != paraph.DeliveryPending || d.Attempts != 0 || d.NextAttemptAt.After(s.Store.Now()) {
				t.Errorf("after the stop a delivery is %+v", d)
			}
		}
		s.start(webhook.DispatcherConfig{})
		for range 3 {
			s.result()
		}
		equal(t, "states", fmt.Sprint(s.states(e)), "[succeeded succeeded succeeded]")
	})
}

func TestStopWaitsForRequestsUnderWay(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t)
		hold := make(chan struct{})
		r.handle = func(post) { <-hold }
		e := s.endpoint(r.url, func(e *paraph.Endpoint) { e.Concurrency = 1 })
		s.queue(e, 2)
		next(t, r.posts, "the first")
		stopped := make(chan struct{})
		go func() {
			s.dispatcher.Stop()
			close(stopped)
		}()
		close(hold)
		next(t, stopped, "the end")
		if got := fmt.Sprint(s.states(e)); got != "[succeeded pending]" && got != "[succeeded succeeded]" {
			t.Errorf("states are %v", got)
		}
		lanes, err := s.Store.LanesOf(t.Context(), s.Who.AccountID)
		s.must(err)
		equal(t, "holder of the lane", lanes[e.ID].NodeID, "")
	})
}

func TestARolledBackChangeSendsNothing(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		e := s.endpoint(newReceiver(t).url)
		refused := errors.New("refused")
		err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
			ds := []paraph.Delivery{{
				AccountID: e.AccountID, EndpointID: e.ID, EventName: "form.viewed", MessageID: "msg_1", Body: []byte("{}"),
				State: paraph.DeliveryPending, NextAttemptAt: tx.Now(), CreatedAt: tx.Now(),
			}}
			tx.After(func() { t.Error("a lane was woken for nothing") })
			s.must(tx.InsertDeliveries(t.Context(), ds))
			return refused
		})
		if !errors.Is(err, refused) {
			t.Fatalf("the change ended with %v", err)
		}
		lanes, err := s.Desk.Queue().Lanes(t.Context())
		if err != nil || len(lanes) != 0 || len(s.log(e)) != 0 {
			t.Errorf("there is something to send: %v, %v", lanes, err)
		}
	})
}

func TestATestIsTriedOnce(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r, other := newReceiver(t, 500), newReceiver(t)
		e := s.endpoint(r.url)
		s.endpoint(other.url)
		d, err := s.Desk.SendTest(t.Context(), s.Who, e.ID, "submission.archived")
		s.must(err)
		p := next(t, r.posts, "the test")
		equal(t, "X-Paraph-Test", p.header.Get("X-Paraph-Test"), "1")
		if err := webhook.VerifySignature(e.SigningSecret, []byte(p.body), p.header); err != nil {
			t.Errorf("the signature is not good: %v", err)
		}
		equal(t, "state", s.result().Delivery.State, paraph.DeliveryFailed)
		if d := s.delivery(d.ID); !d.Test || d.Attempts != 1 {
			t.Errorf("the test is logged as %+v", d)
		}
		equal(t, "requests to another endpoint", other.count.Load(), 0)
	})
}

func TestALaneEndsWhenNothingIsLeft(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t)
		e := s.endpoint(r.url)
		for range 50 { // each while the lane of the one before is just ending
			s.queue(e, 1)
			s.result()
		}
		ctx, cancel := context.WithTimeout(t.Context(), soon)
		defer cancel()
		lanes, err := s.Desk.Queue().Lanes(ctx)
		if err != nil || len(lanes) != 0 {
			t.Errorf("lanes with something to do: %v, %v", lanes, err)
		}
	})
}
