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
	fail     func(b Batch) error

	alive    map[string]time.Time // nodes, and when their leases run out
	holders  map[int64]string     // of lanes
	freed    map[int64]Free
	marks    []Mark
	renewals int
}

func newMemory(url string) *memory {
	return &memory{
		now: noon(), rows: map[int64]*paraph.Delivery{}, attempts: map[int64]int{}, fail: func(Batch) error { return nil },
		alive: map[string]time.Time{}, holders: map[int64]string{}, freed: map[int64]Free{},
		endpoint: paraph.Endpoint{URL: url, Enabled: true, Schedule: "10", Timeout: time.Minute, Concurrency: 4},
	}
}

func (m *memory) Now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *memory) Join(_ context.Context, node string, lease time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.alive[node] = m.now.Add(lease)
	return nil
}

func (m *memory) Renew(_ context.Context, node string, lease time.Duration) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.renewals++
	_, ok := m.alive[node]
	if ok {
		m.alive[node] = m.now.Add(lease)
	}
	return ok, nil
}

func (m *memory) Leave(_ context.Context, node string, _ []Free) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bury(node)
	return nil
}

func (m *memory) bury(node string) (freed []int64) {
	delete(m.alive, node)
	for id, holder := range m.holders {
		if holder == node {
			delete(m.holders, id)
			freed = append(freed, id)
		}
	}
	return freed
}

func (m *memory) Bury(context.Context) (freed []int64, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for node, until := range m.alive {
		if !until.After(m.now) {
			freed = append(freed, m.bury(node)...)
		}
	}
	return freed, nil
}

func (m *memory) Listen(context.Context, func([]int64)) {}

func (m *memory) Due(ctx context.Context, _ int) ([]Lane, error) {
	all, err := m.Lanes(ctx)
	all = slices.DeleteFunc(all, func(l Lane) bool { return l.NodeID != "" })
	slices.SortFunc(all, func(a, b Lane) int { return a.NextAt.Compare(b.NextAt) })
	return all, err
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
		out = append(out, Lane{EndpointID: id, NextAt: at, NodeID: m.holders[id]})
	}
	return out, nil
}

func (m *memory) Settle(_ context.Context, b Batch) (out Settled, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settles++
	if err := m.fail(b); err != nil {
		return out, err
	}
	for _, r := range b.Results {
		d := m.rows[r.Delivery.ID]
		was := r.Delivery.Attempts
		if r.Attempt.Number > 0 {
			was--
		}
		m.attempts[d.ID]++
		if d.State == paraph.DeliveryPending && d.Attempts == was {
			*d = r.Delivery
		}
	}
	m.marks = append(m.marks, b.Marks...)
	for _, f := range b.Frees {
		if m.holders[f.EndpointID] == b.Node {
			delete(m.holders, f.EndpointID)
			m.freed[f.EndpointID] = f
		}
	}
	out.Grants = make([]Grant, len(b.Wants))
	for i, w := range b.Wants {
		out.Grants[i] = m.grant(b.Node, w)
	}
	return out, nil
}

func (m *memory) grant(node string, w Want) Grant {
	if _, alive := m.alive[node]; !w.Held && (!alive || m.holders[w.EndpointID] != "" && m.holders[w.EndpointID] != node) {
		return Grant{}
	}
	g := Grant{Endpoint: m.endpoint, Held: true}
	g.Endpoint.ID = w.EndpointID
	if f, ok := m.freed[w.EndpointID]; ok && !w.Held {
		g.PacedUntil, g.Recent = f.PacedUntil, f.Recent
	}
	m.holders[w.EndpointID] = node
	var mine []*paraph.Delivery
	for _, d := range m.rows {
		if d.EndpointID == w.EndpointID && d.State == paraph.DeliveryPending {
			mine = append(mine, d)
		}
	}
	slices.SortFunc(mine, func(a, b *paraph.Delivery) int { return cmp.Compare(a.ID, b.ID) })
	for _, d := range mine {
		switch {
		case d.NextAttemptAt.After(m.now):
			g.Next = earliest(g.Next, d.NextAttemptAt)
		case d.ID > w.After.First.ID && len(g.Deliveries) < w.N+w.Beyond:
			g.Deliveries = append(g.Deliveries, *d)
			g.After.First.ID = d.ID
		}
	}
	g.Full = w.N > 0 && len(g.Deliveries) == w.N+w.Beyond
	return g
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
	joined(t, d)
	return d, results
}

// joined waits until a dispatcher has its lease and has looked at what was
// there before.
func joined(t *testing.T, d *Dispatcher) {
	t.Helper()
	for d.node() == "" || d.all.Load() {
		if runtime.Gosched(); t.Context().Err() != nil {
			t.Fatal("the dispatcher never joined")
		}
	}
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
		if d.Stats().Lanes == 0 {
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
	m.fail = func(b Batch) error {
		if len(b.Results) > 0 && failures < 3 {
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
	// While its result could not be written it may be read, and sent, again: at least once.
	if n := count.Load(); n < 1 || n > 4 || failures != 3 {
		t.Errorf("%d requests, %d failures", n, failures)
	}
}

// TestOneBadResultHoldsUpNoOther: a result that the database always refuses is
// given up once others can be written.
func TestOneBadResultHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	url, _ := counted(t, nothing)
	m := newMemory(url)
	m.fail = func(b Batch) error {
		if slices.ContainsFunc(b.Results, func(r Result) bool { return r.Delivery.ID == 1 }) {
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
	m.fail = func(Batch) error {
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
	m.fail = func(b Batch) error {
		if len(b.Results) > 0 {
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

// TestNothingIsSentOnALeaseThatRanOut: while the first request hangs, the node
// is taken for dead and somebody else gets its lane.
func TestNothingIsSentOnALeaseThatRanOut(t *testing.T) {
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
		m.bury(m.holders[1])
		m.holders[1], m.alive["another"] = "another", m.now.Add(time.Minute)
		m.rows[1].Attempts++ // that one has tried it too
	})
	close(hold)
	await(t, results, 1)
	if err := d.Poke(t.Context()); err != nil { // notices that it was buried, and joins anew
		t.Fatal(err)
	}
	d.Stop()
	if n := count.Load(); n != 1 {
		t.Errorf("%d requests, though the lane is somebody else's", n)
	}
	m.with(func() {
		for id, r := range m.rows {
			if r.State != paraph.DeliveryPending {
				t.Errorf("delivery %d is %+v", id, *r)
			}
		}
		if len(m.alive) != 1 || m.holders[1] != "another" {
			t.Errorf("alive are %v, the lane is held by %q", m.alive, m.holders[1])
		}
	})
}

// TestAHeartbeatRenewsAllThatIsHeld: one renewal, whatever the number of lanes.
func TestAHeartbeatRenewsAllThatIsHeld(t *testing.T) {
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
	m.add(2, 2)
	d.Wake(1)
	d.Wake(2)
	await(t, arrived, 2)
	m.with(func() { m.now = m.now.Add(20 * time.Second) })
	if err := d.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.with(func() { m.now = m.now.Add(20 * time.Second) }) // beyond the first lease
	close(hold)
	await(t, results, 4)
	if n := count.Load(); n != 4 || m.renewals < 1 || m.renewals > 3 { // the watch renews too when it finds the lease a third gone
		t.Errorf("%d requests, %d renewals", n, m.renewals)
	}
}

// TestASilentNodeGoesOnWhenNobodyNoticed: a lease that ran out and was not
// taken over is renewed before anything is sent on it.
func TestASilentNodeGoesOnWhenNobodyNoticed(t *testing.T) {
	t.Parallel()
	arrived, hold := make(chan struct{}, 10), make(chan struct{})
	url, _ := counted(t, func() {
		arrived <- struct{}{}
		<-hold
	})
	m := newMemory(url)
	m.endpoint.Concurrency = 1
	d, results := run(t, m)
	m.add(1, 5)
	d.Wake(1)
	await(t, arrived, 1)
	m.with(func() { m.now = m.now.Add(time.Hour) }) // a laptop that slept
	close(hold)
	await(t, results, 5)
	m.with(func() {
		if m.renewals == 0 || len(m.alive) != 1 {
			t.Errorf("%d renewals, alive are %v", m.renewals, m.alive)
		}
	})
}

// TestIdleLanesAreGivenBack: nothing is left of them but their rows.
func TestIdleLanesAreGivenBack(t *testing.T) {
	t.Parallel()
	url, _ := counted(t, nothing)
	m := newMemory(url)
	m.endpoint.Rate = 0.5
	results := make(chan Result, 100)
	d, err := NewDispatcher(DispatcherConfig{
		Queue: m, Client: newTestClient(t, ClientConfig{}), Log: slog.New(slog.DiscardHandler), Poll: 24 * time.Hour, Linger: time.Millisecond,
		Observe: func(r Result) { results <- r },
	})
	if err != nil {
		t.Fatal(err)
	}
	d.Start()
	t.Cleanup(d.Stop)
	joined(t, d)
	for id := range int64(50) {
		m.add(id+1, 1)
		d.Wake(id + 1)
	}
	await(t, results, 50)
	for d.Stats().Held > 0 {
		if runtime.Gosched(); t.Context().Err() != nil {
			t.Fatalf("still there: %+v", d.Stats())
		}
	}
	m.with(func() {
		if len(m.holders) != 0 || len(m.freed) != 50 {
			t.Errorf("held are %v, %d were given back", m.holders, len(m.freed))
		}
		if f := m.freed[1]; !f.PacedUntil.Equal(m.now.Add(2*time.Second)) || f.Recent == "" {
			t.Errorf("the next holder is told %+v", f)
		}
	})
}

func TestAFailureOfOurOwnSpendsNoAttempt(t *testing.T) {
	t.Parallel()
	e := paraph.Endpoint{Schedule: "10"}
	d := paraph.Delivery{ID: 1, State: paraph.DeliveryPending, Attempts: 1}
	for code, wait := range map[string]time.Duration{CodeInternal: 10 * time.Second} {
		r := settled(e, d, Outcome{Code: code}, noon(), 0)
		if r.Attempt.Number != 0 || r.Delivery.Attempts != 1 || r.Delivery.State != paraph.DeliveryPending || !r.Delivery.NextAttemptAt.Equal(noon().Add(wait)) {
			t.Errorf("%s makes %+v", code, r)
		}
	}
	if r := settled(e, d, Outcome{Code: CodeTimeout}, noon(), 0); r.Delivery.Attempts != 2 || r.Delivery.State != paraph.DeliveryFailed {
		t.Errorf("a timeout at the end of the schedule makes %+v", r)
	}
}
