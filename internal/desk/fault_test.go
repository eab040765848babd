package desk_test

import (
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/faulttest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// fault is a world with a dispatcher, a receiver that can be down, and a clock that tests set. The clock of the machine can't be
// set from a test, so what takes hours is told here, within one process, over real databases and sockets.
type fault struct {
	*desktest.World
	desktest.Person
	t          *testing.T
	dispatcher *webhook.Dispatcher
	url        string
	settled    chan struct{} // an attempt was written down
	began      time.Time     // by the machine's clock
	start      time.Time     // by the world's

	mu     sync.Mutex
	asked  int                // requests that came
	wrote  int                // attempts that were written down
	taken  map[string]int     // by message, how often it was answered 2xx
	down   map[string]bool    // paths that answer 503
	gate   chan struct{}      // when set, requests wait for its end
	held   int                // requests that did
	stamps map[int64]struct{} // what the clock has shown
}

func newFault(t *testing.T, w *desktest.World) *fault {
	t.Helper()
	f := &fault{
		World: w, Person: w.Person(t, "Ann Admin"), t: t, settled: make(chan struct{}, 1), began: time.Now(), start: w.Clock.Now(),
		taken: map[string]int{}, down: map[string]bool{}, stamps: map[int64]struct{}{w.Clock.Now().Unix(): {}},
	}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	f.url = s.URL
	var err error
	f.dispatcher, err = webhook.NewDispatcher(webhook.DispatcherConfig{
		Queue: w.Desk.Queue(), Client: w.Desk.Client, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Poll: 24 * time.Hour, Observe: f.observe,
	})
	f.must(err)
	w.Desk.WakeLanes(f.dispatcher.Wake)
	f.dispatcher.Start()
	t.Cleanup(f.dispatcher.Stop)
	return f
}

func (f *fault) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the tests look at headers
	f.mu.Lock()
	f.asked++
	gate := f.gate
	if gate != nil {
		f.held++
	}
	f.mu.Unlock()
	if gate != nil {
		<-gate
	}
	w.WriteHeader(f.answer(r))
}

func (f *fault) answer(r *http.Request) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	id, attempt := r.Header.Get("Webhook-Id"), r.Header.Get("X-Paraph-Attempt")
	if at, err := strconv.ParseInt(r.Header.Get("Webhook-Timestamp"), 10, 64); err != nil {
		f.t.Errorf("webhook-timestamp: %v", err)
	} else if _, ok := f.stamps[at]; !ok {
		f.t.Errorf("webhook-timestamp is %d, which the clock has never shown", at)
	}
	if f.down[r.URL.Path] || r.URL.Path == "/flaky" && attempt == "1" && crc32.ChecksumIEEE([]byte(id))%4 == 0 {
		return http.StatusServiceUnavailable
	}
	f.taken[id]++
	return http.StatusOK
}

func (f *fault) observe(webhook.Result) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrote++
	select {
	case f.settled <- struct{}{}:
	default:
	}
}

func (f *fault) with(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// jump moves the clock, forward or back, and lets the dispatcher look.
func (f *fault) jump(d time.Duration) {
	f.t.Helper()
	f.Clock.Advance(d)
	f.with(func() { f.stamps[f.Clock.Now().Unix()] = struct{}{} })
	f.must(f.dispatcher.Poke(f.t.Context()))
}

func (f *fault) endpoint(path string, edit func(*paraph.Endpoint)) paraph.Endpoint {
	f.t.Helper()
	e := paraph.Endpoint{URL: f.url + path, Events: []string{"*"}, Enabled: true}
	edit(&e)
	e, err := f.Desk.CreateEndpoint(f.t.Context(), f.Who, e)
	f.must(err)
	return e
}

// happen makes n envelopes and archives them.
func (f *fault) happen(n int) {
	f.t.Helper()
	for range n {
		p, err := f.Desk.Prepare(f.t.Context(), "lease.pdf", desktest.PDF(1))
		f.must(err)
		e, err := f.Desk.Create(f.t.Context(), f.Who, "Lease", []desk.Prepared{p})
		f.must(err)
		_, err = f.Desk.Archive(f.t.Context(), f.Who, e.ID, true)
		f.must(err)
	}
}

// rows are the deliveries of an endpoint.
func (f *fault) rows(e paraph.Endpoint) (all []paraph.Delivery) {
	f.t.Helper()
	for before := int64(0); ; before = all[len(all)-1].ID {
		ds, err := f.Store.Deliveries(f.t.Context(), f.Who.AccountID, store.DeliveryFilter{EndpointID: e.ID, Before: before, Limit: 200})
		f.must(err)
		all = append(all, ds...)
		if len(ds) < 200 {
			return all
		}
	}
}

// idle waits until every request that came is written down, and a moment more in which no other comes: a clock that jumps while
// something is under way is a fault of its own.
func (f *fault) idle() {
	f.t.Helper()
	for late, rounds := time.After(soon), 0; ; {
		select {
		case <-f.settled:
			rounds = 0
			continue
		case <-time.After(30 * time.Millisecond):
			rounds++
		case <-late:
			f.t.Fatal("requests under way are not written down")
		}
		quiet := false
		f.with(func() { quiet = f.asked == f.wrote })
		if quiet && rounds >= 2 {
			return
		}
	}
}

// until lets time pass, from one due delivery to the next, until none of the endpoints' is pending, or the clock shows the end.
func (f *fault) until(end time.Time, endpoints ...paraph.Endpoint) {
	f.t.Helper()
	for range 2000 {
		f.idle()
		now, next := f.Clock.Now(), time.Time{}
		for _, e := range endpoints {
			for _, d := range f.rows(e) {
				if d.State == paraph.DeliveryPending && (next.IsZero() || d.NextAttemptAt.Before(next)) {
					next = d.NextAttemptAt
				}
			}
		}
		switch {
		case next.IsZero() || !end.IsZero() && next.After(end):
			return
		case next.After(now):
			f.jump(next.Sub(now) + max(0, next.Sub(f.start)/100)) // jitter spreads what was due together
		default:
			f.jump(30 * time.Second) // due, and held back by its lane
		}
	}
	f.t.Fatal("deliveries are due and are not made")
}

// check holds the story to its account.
func (f *fault) check(x faulttest.Tally, endpoints ...paraph.Endpoint) {
	f.t.Helper()
	for _, e := range endpoints {
		for _, d := range f.rows(e) {
			x.Accepted++
			switch {
			case d.State == paraph.DeliverySucceeded && f.taken[d.MessageID] > 0:
				x.Delivered++
			case d.State == paraph.DeliveryFailed && f.taken[d.MessageID] == 0:
				x.Failed++
			default:
				f.t.Errorf("%s %s is %s and was taken %d times", d.EventName, d.MessageID, d.State, f.taken[d.MessageID])
			}
			x.Twice += max(0, f.taken[d.MessageID]-1)
		}
	}
	x.Took = time.Since(f.began)
	x.Check(f.t)
}

func eachFault(t *testing.T, story func(t *testing.T, f *fault, database string)) {
	t.Helper()
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Allow: loopback()}, func(t *testing.T, w *desktest.World) {
		name := "SQLite"
		if strings.HasSuffix(t.Name(), "/postgres") {
			name = "Postgres"
		}
		story(t, newFault(t, w), name)
	})
}

// A receiver that is down for 30 hours gets everything when it is back. One that is down for 48 is given up after the schedule's
// twelve attempts, and gets everything when it is asked for.
func TestFaultReceiverDown(t *testing.T) {
	eachFault(t, func(t *testing.T, f *fault, database string) {
		returns := f.endpoint("/returns", func(*paraph.Endpoint) {})
		stays := f.endpoint("/stays", func(*paraph.Endpoint) {})
		f.with(func() { f.down["/returns"], f.down["/stays"] = true, true })
		n := faulttest.Times(4, 8, 40)
		f.happen(n)
		began := f.Clock.Now()
		f.until(began.Add(30*time.Hour), returns, stays)
		f.with(func() { delete(f.down, "/returns") })
		f.until(began.Add(48*time.Hour), returns, stays)
		for _, e := range []paraph.Endpoint{returns, stays} {
			for _, d := range f.rows(e) {
				f.checkSchedule(d, began, 2*n)
			}
		}
		f.check(faulttest.Tally{Story: database + ", receiver down for 30 or 48 hours", Faults: 1}, returns, stays)

		f.with(func() { delete(f.down, "/stays") })
		again := 0
		for _, d := range f.rows(stays) {
			_, err := f.Desk.Resend(t.Context(), f.Who, d.ID)
			f.must(err)
			again++
		}
		f.until(time.Time{}, stays)
		f.check(faulttest.Tally{Story: database + ", the same after a replay", Faults: 1}, returns, stays)
		for _, d := range f.rows(stays) {
			if d.State != paraph.DeliverySucceeded || d.Attempts != 13 {
				t.Errorf("%s is %s after %d attempts and a replay", d.MessageID, d.State, d.Attempts)
			}
		}
		if again < 2*n {
			t.Errorf("only %d deliveries were replayed", again)
		}
	})
}

// checkSchedule asks for the seed's twelve attempts, each not before its time and soon after it. Soon is when its turn comes: the
// breaker lets one request through to a failing endpoint every half minute, and there are as many as its deliveries.
func (f *fault) checkSchedule(d paraph.Delivery, began time.Time, deliveries int) {
	f.t.Helper()
	log, err := f.Store.Attempts(f.t.Context(), f.Who.AccountID, d.ID)
	f.must(err)
	if len(log) != 12 || d.Attempts != 12 {
		f.t.Errorf("%s: %d attempts in the log, %d counted, and not 12", d.MessageID, len(log), d.Attempts)
		return
	}
	for i := 1; i < len(log); i++ {
		step, waited := time.Minute<<(i-1), log[i].At.Sub(log[i-1].At)
		turn := time.Duration(deliveries)*30*time.Second + 10*time.Minute
		if waited < step || waited > step+step/10+log[i].At.Sub(began)/100+turn { // a tenth of jitter, a hundredth of until's
			f.t.Errorf("%s: attempt %d came %s after the one before and not %s", d.MessageID, i+1, waited, step)
		}
	}
	if last := log[11].At.Sub(began); last < 2047*time.Minute || last > 48*time.Hour {
		f.t.Errorf("%s: the last attempt came after %s", d.MessageID, last)
	}
}

// awaitNew waits until the latest delivery of an endpoint was taken, which needs no more time to pass.
func (f *fault) awaitNew(e paraph.Endpoint) {
	f.t.Helper()
	last := f.rows(e)[0]
	for late := time.After(soon); ; {
		taken := false
		if f.with(func() { taken = f.taken[last.MessageID] > 0 }); taken {
			return
		}
		select {
		case <-f.settled:
		case <-late:
			f.t.Fatalf("%s of after the jump is not delivered", last.EventName)
		}
	}
}

// The clock jumps forward and back by hours while requests are under way, others wait for a retry, and an endpoint has a rate.
// Nothing is lost or stuck; what happens after a jump is told at once; requests carry the time that the clock shows.
func TestFaultClockJumps(t *testing.T) {
	eachFault(t, func(t *testing.T, f *fault, database string) {
		plain := f.endpoint("/plain", func(*paraph.Endpoint) {})
		flaky := f.endpoint("/flaky", func(*paraph.Endpoint) {})
		paced := f.endpoint("/paced", func(e *paraph.Endpoint) { e.Rate = 20 })
		jumps := []time.Duration{6 * time.Hour, -6 * time.Hour, -26 * time.Hour, 26 * time.Hour, time.Minute, -5 * time.Hour}
		n := faulttest.Times(2, 2, 2*len(jumps))
		for i := range n {
			gate := make(chan struct{})
			f.with(func() { f.gate = gate })
			f.happen(2)
			f.jump(jumps[i%len(jumps)])
			f.with(func() { f.gate = nil })
			close(gate)
			f.happen(2)
			f.awaitNew(plain)
			f.idle()
		}
		f.until(time.Time{}, plain, flaky, paced)
		f.check(faulttest.Tally{Story: database + ", clock jumps by hours", Faults: n, InFlight: f.held}, plain, flaky, paced)
	})
}
