package webhook

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
)

// memory is a Queue that can fail on demand. What it does when all is well is
// tested over real databases, by package desk.
type memory struct {
	mu       sync.Mutex
	now      time.Time
	endpoint paraph.Endpoint // of all lanes, but for its id
	rows     map[int64]*paraph.Delivery
	attempts map[int64]int
	settles  int
	fail     func(results []Result, wants []Want) error
	extended int
}

func newMemory(url string) *memory {
	return &memory{
		now: noon(), rows: map[int64]*paraph.Delivery{}, attempts: map[int64]int{}, fail: func([]Result, []Want) error { return nil },
		endpoint: paraph.Endpoint{URL: url, Enabled: true, Schedule: "10", Timeout: time.Minute, Concurrency: 4},
	}
}

func (m *memory) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *memory) Lanes(context.Context) (out []Lane, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	first := map[int64]time.Time{}
	for _, d := range m.rows {
		if d.State == paraph.DeliveryPending {
			first[d.EndpointID] = earliest(first[d.EndpointID], d.NextAttemptAt)
		}
	}
	for id, at := range first {
		out = append(out, Lane{id, at})
	}
	return out, nil
}

func (m *memory) Settle(_ context.Context, results []Result, wants []Want) ([]Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settles++
	if err := m.fail(results, wants); err != nil {
		return nil, err
	}
	for _, r := range results {
		d := m.rows[r.Delivery.ID]
		m.attempts[d.ID]++
		if d.ClaimID == r.Delivery.ClaimID && d.State == paraph.DeliveryPending {
			*d = r.Delivery
			d.ClaimID = ""
		}
	}
	grants := make([]Grant, len(wants))
	for i, w := range wants {
		grants[i] = m.grant(w)
	}
	return grants, nil
}

func (m *memory) grant(w Want) Grant {
	g := Grant{Endpoint: m.endpoint, Until: m.now.Add(w.Lease)}
	g.Endpoint.ID = w.EndpointID
	var mine []*paraph.Delivery
	for _, d := range m.rows {
		if d.EndpointID == w.EndpointID && d.State == paraph.DeliveryPending {
			mine = append(mine, d)
		}
	}
	slices.SortFunc(mine, func(a, b *paraph.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	for _, d := range mine {
		if len(g.Deliveries) < w.N && !d.NextAttemptAt.After(m.now) {
			d.ClaimID, d.NextAttemptAt = w.ClaimID, g.Until
			g.Deliveries = append(g.Deliveries, *d)
		}
	}
	for _, d := range mine {
		g.Next = earliest(g.Next, d.NextAttemptAt)
	}
	return g
}

func (m *memory) Extend(context.Context, map[string][]int64, time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.extended++
	return nil
}

func (m *memory) Release(_ context.Context, claims map[string][]int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for claim, ids := range claims {
		for _, id := range ids {
			if d := m.rows[id]; d.ClaimID == claim {
				d.ClaimID, d.NextAttemptAt = "", m.now
			}
		}
	}
	return nil
}

func (m *memory) add(endpointID int64, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		id := int64(len(m.rows) + 1)
		m.rows[id] = &paraph.Delivery{
			ID: id, EndpointID: endpointID, EventName: "form.viewed", MessageID: fmt.Sprint("msg_", id), Body: []byte("{}"),
			State: paraph.DeliveryPending, NextAttemptAt: m.now,
		}
	}
}

// with changes or reads it while nobody else does.
func (m *memory) with(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// counted is a receiver that counts, answering with a status.
func counted(t *testing.T, handle func()) (url string, count *atomic.Int64) {
	t.Helper()
	count = &atomic.Int64{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		count.Add(1)
		handle()
	}))
	t.Cleanup(s.Close)
	return s.URL, count
}

func nothing() {}

// run starts a dispatcher over m that looks for rows only when it is told to.
func run(t *testing.T, m *memory) (*Dispatcher, <-chan Result) {
	t.Helper()
	results := make(chan Result, 10000)
	d, err := NewDispatcher(DispatcherConfig{
		Queue: m, Client: newTestClient(t, ClientConfig{}), Log: slog.New(slog.DiscardHandler), Poll: 24 * time.Hour,
		Jitter: func() float64 { return 0 }, Observe: func(r Result) { results <- r },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Start()
	t.Cleanup(d.Stop)
	return d, results
}

func await[T any](t *testing.T, from <-chan T, n int) (all []T) {
	t.Helper()
	limit := time.After(time.Minute)
	for len(all) < n {
		select {
		case v := <-from:
			all = append(all, v)
		case <-limit:
			t.Fatalf("of %d there came %d", n, len(all))
		}
	}
	return all
}

func TestDispatcherNeedsItsParts(t *testing.T) {
	t.Parallel()
	if _, err := NewDispatcher(DispatcherConfig{}); err == nil {
		t.Error("a dispatcher of nothing was made")
	}
}

// TestNoWakeUpIsLost: with no poll to help, every delivery goes out, however
// its announcement meets the end of a lane.
func TestNoWakeUpIsLost(t *testing.T) {
	t.Parallel()
	url, count := counted(t, nothing)
	m := newMemory(url)
	d, results := run(t, m)
	const lanes, each = 4, 200
	var all sync.WaitGroup
	for id := range int64(lanes) {
		all.Go(func() {
			for range each {
				m.add(id+1, 1)
				d.Wake(id + 1)
			}
		})
	}
	all.Wait()
	await(t, results, lanes*each)
	d.Stop()
	if n := count.Load(); n != lanes*each {
		t.Errorf("%d requests for %d deliveries", n, lanes*each)
	}
}

// TestOneAtATime is the hardest case for a wake-up: the lane ends after each.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	url, _ := counted(t, nothing)
	m := newMemory(url)
	d, results := run(t, m)
	for range 2000 {
		m.add(1, 1)
		d.Wake(1)
		await(t, results, 1)
	}
}

func TestNothingStaysBehindForAnIdleEndpoint(t *testing.T) {
	t.Parallel()
	url, _ := counted(t, nothing)
	m := newMemory(url)
	d, results := run(t, m)
	for id := range int64(100) {
		m.add(id+1, 1)
		d.Wake(id + 1)
	}
	await(t, results, 100)
	for { // lanes end soon after their last result
		d.mu.Lock()
		n := len(d.lanes)
		d.mu.Unlock()
		if n == 0 {
			break
		}
		if runtime.Gosched(); t.Context().Err() != nil {
			t.Fatal("lanes stay")
		}
	}
	var before, after int
	m.with(func() { before = m.settles })
	if err := d.Poke(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.with(func() { after = m.settles })
	if after != before {
		t.Error("idle endpoints were asked about")
	}
}

func TestResultsOutlastADatabaseThatIsDown(t *testing.T) {
	t.Parallel()
	url, count := counted(t, nothing)
	m := newMemory(url)
	failures := 0
	m.fail = func(results []Result, _ []Want) error {
		if len(results) > 0 && failures < 3 {
			failures++
			return errors.New("down")
		}
		return nil
	}
	d, results := run(t, m)
	m.add(1, 1)
	d.Wake(1)
	if r := await(t, results, 1)[0]; r.Delivery.State != paraph.DeliverySucceeded {
		t.Errorf("the result is %+v", r)
	}
	if n := count.Load(); n != 1 || failures != 3 {
		t.Errorf("%d requests, %d failures", n, failures)
	}
}

// TestOneBadResultHoldsUpNoOther: a result that the database always refuses is
// given up once others can be written.
func TestOneBadResultHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	url, _ := counted(t, nothing)
	m := newMemory(url)
	m.fail = func(results []Result, _ []Want) error {
		if slices.ContainsFunc(results, func(r Result) bool { return r.Delivery.ID == 1 }) {
			return errors.New("refused")
		}
		return nil
	}
	d, results := run(t, m)
	m.add(1, 1)
	m.add(2, 50)
	d.Wake(1)
	d.Wake(2)
	for _, r := range await(t, results, 50) {
		if r.Delivery.ID == 1 {
			t.Error("the refused one was told of as written")
		}
	}
}

// TestWantsThatFailDoNotSpin: lanes wait while the database is down.
func TestWantsThatFailDoNotSpin(t *testing.T) {
	t.Parallel()
	url, _ := counted(t, nothing)
	m := newMemory(url)
	down := 5
	m.fail = func([]Result, []Want) error {
		if down > 0 {
			down--
			return errors.New("down")
		}
		return nil
	}
	d, results := run(t, m)
	m.add(1, 3)
	d.Wake(1)
	await(t, results, 3)
	m.with(func() {
		if m.settles > 20 {
			t.Errorf("%d transactions for three deliveries", m.settles)
		}
	})
}

func TestStopEndsThoughTheDatabaseIsDown(t *testing.T) {
	t.Parallel()
	url, count := counted(t, nothing)
	m := newMemory(url)
	m.fail = func(results []Result, _ []Want) error {
		if len(results) > 0 {
			return errors.New("down")
		}
		return nil
	}
	d, _ := run(t, m)
	m.add(1, 1)
	d.Wake(1)
	for count.Load() == 0 {
		if runtime.Gosched(); t.Context().Err() != nil {
			t.Fatal("nothing was sent")
		}
	}
	stopped := make(chan bool, 1)
	go func() {
		d.Stop()
		stopped <- true
	}()
	await(t, stopped, 1)
}

// TestNothingIsSentOnAClaimThatRanOut: while the first request hangs, the
// lease of what is buffered runs out and somebody else takes it.
func TestNothingIsSentOnAClaimThatRanOut(t *testing.T) {
	t.Parallel()
	arrived, hold := make(chan struct{}, 10), make(chan struct{})
	url, count := counted(t, func() {
		arrived <- struct{}{}
		<-hold
	})
	m := newMemory(url)
	m.endpoint.Concurrency = 1
	d, results := run(t, m)
	m.add(1, 2)
	d.Wake(1)
	await(t, arrived, 1)
	m.with(func() {
		m.now = m.now.Add(time.Minute)
		for _, r := range m.rows {
			r.ClaimID, r.NextAttemptAt = "another", m.now.Add(30*time.Second)
		}
	})
	close(hold)
	await(t, results, 1)
	d.Stop()
	if n := count.Load(); n != 1 {
		t.Errorf("%d requests, though the second delivery is somebody else's", n)
	}
	m.with(func() {
		for id, r := range m.rows {
			if r.State != paraph.DeliveryPending || r.ClaimID != "another" {
				t.Errorf("delivery %d is %+v", id, *r)
			}
		}
	})
}

func TestHeartbeatRenewsWhatIsHeld(t *testing.T) {
	t.Parallel()
	arrived, hold := make(chan struct{}, 10), make(chan struct{})
	url, count := counted(t, func() {
		arrived <- struct{}{}
		<-hold
	})
	m := newMemory(url)
	m.endpoint.Concurrency = 1
	d, results := run(t, m)
	m.add(1, 2)
	d.Wake(1)
	await(t, arrived, 1)
	m.with(func() { m.now = m.now.Add(20 * time.Second) })
	if err := d.renew(); err != nil {
		t.Fatal(err)
	}
	m.with(func() { m.now = m.now.Add(20 * time.Second) }) // beyond the first lease
	close(hold)
	await(t, results, 2)
	if n := count.Load(); n != 2 || m.extended != 1 {
		t.Errorf("%d requests, %d renewals", n, m.extended)
	}
}

func TestAFailureOfOurOwnSpendsNoAttempt(t *testing.T) {
	t.Parallel()
	e := paraph.Endpoint{Schedule: "10"}
	d := paraph.Delivery{ID: 1, State: paraph.DeliveryPending, Attempts: 1}
	for code, wait := range map[string]time.Duration{CodeShutdown: 0, CodeInternal: 10 * time.Second} {
		r := settled(e, d, Outcome{Code: code}, noon(), 0)
		if r.Attempt.Number != 0 || r.Delivery.Attempts != 1 || r.Delivery.State != paraph.DeliveryPending || !r.Delivery.NextAttemptAt.Equal(noon().Add(wait)) {
			t.Errorf("%s makes %+v", code, r)
		}
	}
	if r := settled(e, d, Outcome{Code: CodeTimeout}, noon(), 0); r.Delivery.Attempts != 2 || r.Delivery.State != paraph.DeliveryFailed {
		t.Errorf("a timeout at the end of the schedule makes %+v", r)
	}
}
