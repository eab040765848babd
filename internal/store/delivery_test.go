package store_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// claim takes deliveries for a minute.
func claim(t testing.TB, s *store.Store, endpoint int64, id string, n int) []paraph.Delivery {
	t.Helper()
	var ds []paraph.Delivery
	err := s.Claim(ctx, func(tx *store.Tx) (err error) {
		ds, err = tx.ClaimDeliveries(ctx, endpoint, id, tx.Now().Add(time.Minute), n)
		return err
	})
	check(t, err)
	return ds
}

func claimHead(t testing.TB, s *store.Store, endpoint int64, id string) []paraph.Delivery {
	t.Helper()
	var ds []paraph.Delivery
	err := s.Claim(ctx, func(tx *store.Tx) (err error) {
		ds, err = tx.ClaimHead(ctx, endpoint, id, tx.Now().Add(time.Minute))
		return err
	})
	check(t, err)
	return ds
}

// result is what an attempt made of a delivery.
func result(d paraph.Delivery, state paraph.DeliveryState, now, next time.Time) store.Result {
	d.State, d.Attempts, d.LastStatus, d.NextAttemptAt = state, d.Attempts+1, 200, next
	if state != paraph.DeliveryPending {
		d.FinishedAt = now
	} else {
		d.LastStatus, d.LastError = 500, "status"
	}
	return store.Result{Delivery: d, Attempt: paraph.Attempt{
		DeliveryID: d.ID, Number: d.Attempts, At: now, Status: d.LastStatus, Code: "ok", Error: "e\xff\x00", Duration: 1500 * time.Microsecond,
		Timings: paraph.Timings{DNS: 1, Connect: 2, TLS: 3, FirstByte: 4, Total: 5}, RemoteAddress: "192.0.2.1:443",
		RequestHeaders: [][2]string{{"A", "1"}, {"A", "2"}}, ResponseHeaders: [][2]string{{"B", "\xffü"}}, ResponseBody: []byte{0, 0xff}, Truncated: true,
	}}
}

func save(t testing.TB, s *store.Store, rs ...store.Result) {
	t.Helper()
	storetest.Update(t, s, func(tx *store.Tx) error { return tx.SaveResults(ctx, rs) })
}

func TestDeliveryRoundTrip(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p := storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 700, s.Now()) // more than one statement holds
		ds[1].Test, ds[1].Body, ds[2].State, ds[2].FinishedAt = true, []byte{0, 0xff, '\''}, paraph.DeliverySkipped, s.Now()
		storetest.Queue(t, s, ds)
		if !slices.IsSorted(ids(ds, deliID)) || ds[0].ID <= 0 {
			t.Errorf("ids are not in order: %v", ids(ds, deliID)[:9])
		}
		for _, i := range []int{0, 1, 2, 10, 11, 12, 399, 699} {
			got, err := s.Delivery(ctx, a.ID, ds[i].ID)
			check(t, err)
			same(t, "delivery", got, ds[i])
		}
		_, err := s.Delivery(ctx, b.ID, ds[0].ID)
		wantKind(t, "a stranger's delivery", err, paraph.NotFound)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertDeliveries(ctx, nil) })
	})
}

func TestDeliveryLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		env := storetest.Envelope(t, s, a.ID, u.ID, "Lease")
		p, q := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 6, s.Now())
		for i := range ds {
			ds[i].EnvelopeID, ds[i].CreatedAt = int64(1000+i%2), s.Now().Add(time.Duration(i)*time.Hour)
		}
		ds[3].EnvelopeID = env.ID
		ds[4].EndpointID, ds[5].State, ds[3].EventName = q.ID, paraph.DeliveryFailed, "form.viewed"
		storetest.Queue(t, s, ds)
		for i, end := range map[int]paraph.Delivery{1: {LastStatus: 204}, 2: {LastError: "timeout"}, 5: {LastStatus: 503, LastError: "http_503"}} {
			ds[i].LastStatus, ds[i].LastError, ds[i].Attempts = end.LastStatus, end.LastError, 1
			_, err := s.Writer().ExecContext(ctx, "UPDATE deliveries SET attempts = 1, last_status = $1, last_error = $2 WHERE id = $3", end.LastStatus, end.LastError, ds[i].ID)
			check(t, err)
		}
		list := func(account int64, f store.DeliveryFilter) string {
			t.Helper()
			got, err := s.Deliveries(ctx, account, f)
			check(t, err)
			out := ""
			for _, d := range got {
				i := slices.IndexFunc(ds, func(x paraph.Delivery) bool { return x.ID == d.ID })
				want := ds[i]
				want.Body = nil
				same(t, "delivery of a list", d, want)
				out += fmt.Sprint(i)
			}
			return out
		}
		for _, tt := range []struct {
			f    store.DeliveryFilter
			want string
		}{
			{store.DeliveryFilter{Limit: 99}, "543210"},
			{store.DeliveryFilter{}, "5"},
			{store.DeliveryFilter{Limit: 2, Before: ds[4].ID}, "32"},
			{store.DeliveryFilter{Limit: 2, After: ds[1].ID}, "32"},
			{store.DeliveryFilter{Limit: 9, EndpointID: q.ID}, "4"},
			{store.DeliveryFilter{Limit: 9, EnvelopeID: 1001}, "51"},
			{store.DeliveryFilter{Limit: 9, State: paraph.DeliveryFailed}, "5"},
			{store.DeliveryFilter{Limit: 9, Event: "form.viewed"}, "3"},
			{store.DeliveryFilter{Limit: 9, Since: ds[2].CreatedAt, Until: ds[4].CreatedAt}, "32"},
			{store.DeliveryFilter{Limit: 9, Query: " " + ds[3].MessageID}, "3"},
			{store.DeliveryFilter{Limit: 9, Query: fmt.Sprint(ds[2].ID)}, "2"},
			{store.DeliveryFilter{Limit: 9, Query: "1000"}, "420"},
			{store.DeliveryFilter{Limit: 9, Query: "'; --"}, ""},
			{store.DeliveryFilter{Limit: 9, Query: "99999999999999999999"}, ""},
			{store.DeliveryFilter{Limit: 9, State: "elsewhere"}, ""},
			{store.DeliveryFilter{Limit: 9, Since: ds[5].CreatedAt.Add(time.Microsecond)}, ""},
			{store.DeliveryFilter{Limit: 9, Until: ds[0].CreatedAt}, ""},
			{store.DeliveryFilter{Limit: 2, Until: ds[4].CreatedAt}, "32"},
			{store.DeliveryFilter{Limit: 2, After: ds[0].ID, Since: ds[2].CreatedAt}, "32"},
			{store.DeliveryFilter{Limit: 9, Code: "503"}, "5"},
			{store.DeliveryFilter{Limit: 9, Code: "http_503"}, "5"},
			{store.DeliveryFilter{Limit: 9, Code: "5xx"}, "5"},
			{store.DeliveryFilter{Limit: 9, Code: "2xx"}, "1"},
			{store.DeliveryFilter{Limit: 9, Code: "none"}, "2"},
			{store.DeliveryFilter{Limit: 9, Code: "timeout", EndpointID: p.ID}, "2"},
			{store.DeliveryFilter{Limit: 9, State: paraph.DeliveryFailed, EndpointID: p.ID, EnvelopeID: 1001}, "5"},
			{store.DeliveryFilter{Limit: 9, State: paraph.DeliveryFailed, EndpointID: q.ID}, ""},
			{store.DeliveryFilter{Limit: 9, State: paraph.DeliveryPending, EndpointID: q.ID, Query: "1000"}, "4"},
			{store.DeliveryFilter{Limit: 9, Query: env.PublicID}, "3"},
			{store.DeliveryFilter{Limit: 9, EndpointID: p.ID, EnvelopeID: 1000, State: paraph.DeliveryPending, Until: ds[2].CreatedAt}, "0"},
		} {
			if got := list(a.ID, tt.f); got != tt.want {
				t.Errorf("%+v lists %q, want %q", tt.f, got, tt.want)
			}
			if got := list(b.ID, tt.f); got != "" {
				t.Errorf("%+v shows %q to another account", tt.f, got)
			}
		}
	})
}

func TestClaims(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p, q := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 5, s.Now())
		ds[3].NextAttemptAt = s.Now().Add(time.Second) // not yet
		ds[4].EndpointID = q.ID
		storetest.Queue(t, s, ds)
		got := claim(t, s, p.ID, "c1", 2)
		want := slices.Clone(ds[:2])
		for i := range want {
			want[i].ClaimID, want[i].NextAttemptAt = "c1", s.Now().Add(time.Minute)
		}
		same(t, "first claim", got, want)
		if got := claim(t, s, p.ID, "c2", 9); !slices.Equal(ids(got, deliID), []int64{ds[2].ID}) {
			t.Errorf("second claim: %v", ids(got, deliID))
		}
		if got := claim(t, s, p.ID, "c3", 9); len(got) != 0 {
			t.Errorf("third claim: %v", ids(got, deliID))
		}
		clock.Advance(30 * time.Second)
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.ExtendClaims(ctx, "c1", nil, tx.Now()))
			check(t, tx.ReleaseClaims(ctx, "c1", nil))
			check(t, tx.ExtendClaims(ctx, "c1", []int64{ds[0].ID, ds[2].ID}, tx.Now().Add(time.Hour))) // ds[2] is not c1's
			return tx.ReleaseClaims(ctx, "c2", []int64{ds[1].ID, ds[2].ID})
		})
		if got := claim(t, s, p.ID, "c4", 9); !slices.Equal(ids(got, deliID), []int64{ds[2].ID, ds[3].ID}) || got[0].Attempts != 0 {
			t.Errorf("after a release: %v of %v", ids(got, deliID), ids(ds, deliID))
		}
		clock.Advance(31 * time.Second) // c1's on ds[1] has run out, ds[0] was extended
		if got := claim(t, s, p.ID, "c5", 9); !slices.Equal(ids(got, deliID), []int64{ds[1].ID}) {
			t.Errorf("after a claim ran out: %v of %v", ids(got, deliID), ids(ds, deliID))
		}
		lost := ds[1]
		lost.ClaimID = "c1"
		save(t, s, result(lost, paraph.DeliverySucceeded, s.Now(), time.Time{}))
		now, err := s.Delivery(ctx, a.ID, ds[1].ID)
		check(t, err)
		if now.State != paraph.DeliveryPending || now.ClaimID != "c5" || now.Attempts != 0 || !now.FinishedAt.IsZero() {
			t.Errorf("a lost claim wrote %+v", now)
		}
		if log, err := s.Attempts(ctx, a.ID, ds[1].ID); err != nil || len(log) != 1 {
			t.Errorf("a lost claim's attempt: %v, %v", log, err)
		}
	})
}

func TestSaveResults(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p := storetest.Endpoint(t, s, a.ID)
		storetest.Queue(t, s, storetest.Deliveries(p, 600, s.Now()))
		ds := claim(t, s, p.ID, "c", 600)
		clock.Advance(time.Second)
		rs := make([]store.Result, len(ds))
		for i, d := range ds {
			rs[i] = result(d, paraph.DeliverySucceeded, s.Now(), time.Time{})
		}
		rs[1] = result(ds[1], paraph.DeliveryPending, s.Now(), s.Now().Add(time.Hour))
		rs[2] = result(ds[2], paraph.DeliveryFailed, s.Now(), time.Time{})
		rs[3].Attempt.ResponseBody, rs[3].Attempt.RequestHeaders, rs[3].Attempt.ResponseHeaders = nil, nil, nil
		save(t, s, rs...)
		save(t, s)
		for _, i := range []int{0, 1, 2, 3, 599} {
			want := rs[i].Delivery
			want.ClaimID = ""
			got, err := s.Delivery(ctx, a.ID, want.ID)
			check(t, err)
			same(t, "delivery", got, want)
			log, err := s.Attempts(ctx, a.ID, want.ID)
			check(t, err)
			x := rs[i].Attempt
			x.Error = "e\uFFFD"
			if x.ResponseHeaders != nil {
				x.ResponseHeaders = [][2]string{{"B", "\uFFFDü"}}
			}
			same(t, "attempts", log, []paraph.Attempt{x})
			if log, err := s.Attempts(ctx, b.ID, want.ID); err != nil || len(log) != 0 {
				t.Errorf("another account reads %v, %v", log, err)
			}
		}
		n, err := s.Query(ctx, "SELECT COUNT(*) FROM deliveries WHERE state = 'succeeded' UNION ALL SELECT COUNT(*) FROM attempts")
		if err != nil || fmt.Sprint(n) != "[[598] [600]]" {
			t.Errorf("stored are %v, %v", n, err)
		}
	})
}

// TestFirstAttemptsBeforeRetries: what was never tried goes first, however
// long retries have been due.
func TestFirstAttemptsBeforeRetries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		storetest.Queue(t, s, storetest.Deliveries(p, 3, s.Now()))
		for _, d := range claim(t, s, p.ID, "c", 3) {
			save(t, s, result(d, paraph.DeliveryPending, s.Now(), s.Now().Add(time.Minute)))
		}
		clock.Advance(time.Hour)
		fresh := storetest.Queue(t, s, storetest.Deliveries(p, 2, s.Now()))
		got := claim(t, s, p.ID, "c2", 3)
		if len(got) != 3 || got[0].ID != fresh[0].ID || got[1].ID != fresh[1].ID || got[2].Attempts != 1 {
			t.Errorf("claimed are %+v", got)
		}
		if got := claim(t, s, p.ID, "c3", 9); len(got) != 2 || got[0].Attempts != 1 {
			t.Errorf("left are %+v", got)
		}
	})
}

func TestOrderedHead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		if got := claimHead(t, s, p.ID, "c0"); len(got) != 0 {
			t.Errorf("the head of nothing: %+v", got)
		}
		ds := storetest.Queue(t, s, storetest.Deliveries(p, 3, s.Now()))
		head := claimHead(t, s, p.ID, "c1")
		want := ds[0]
		want.ClaimID, want.NextAttemptAt = "c1", s.Now().Add(time.Minute)
		same(t, "head", head, []paraph.Delivery{want})
		if got := claimHead(t, s, p.ID, "c2"); len(got) != 0 {
			t.Errorf("the head was claimed twice, or passed over: %+v", got)
		}
		save(t, s, result(head[0], paraph.DeliveryPending, s.Now(), s.Now().Add(time.Hour)))
		if got := claimHead(t, s, p.ID, "c3"); len(got) != 0 {
			t.Errorf("somebody got past a head that waits for its retry: %+v", got)
		}
		clock.Advance(time.Hour)
		head = claimHead(t, s, p.ID, "c4")
		if len(head) != 1 || head[0].ID != ds[0].ID {
			t.Fatalf("the retry: %+v", head)
		}
		save(t, s, result(head[0], paraph.DeliverySucceeded, s.Now(), time.Time{}))
		if got := claimHead(t, s, p.ID, "c5"); len(got) != 1 || got[0].ID != ds[1].ID {
			t.Errorf("the next: %+v", got)
		}
		clock.Advance(time.Hour) // c5 died
		if got := claimHead(t, s, p.ID, "c6"); len(got) != 1 || got[0].ID != ds[1].ID {
			t.Errorf("the next again: %+v", got)
		}
	})
}

// TestClaimersShare lets many claim, work and save at once: each delivery is
// taken by exactly one, and no claim is larger than it may be.
func TestClaimersShare(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		const n = 300
		storetest.Queue(t, s, storetest.Deliveries(p, n, s.Now()))
		var mu sync.Mutex
		taken := map[int64]int{}
		var wg sync.WaitGroup
		for w := range 8 {
			wg.Go(func() {
				for i := 0; ; i++ {
					ds := claim(t, s, p.ID, fmt.Sprint("claimer ", w, i), 7)
					if len(ds) > 7 {
						t.Errorf("%d deliveries in one claim", len(ds))
					}
					var rs []store.Result
					mu.Lock()
					for _, d := range ds {
						taken[d.ID]++
						rs = append(rs, result(d, paraph.DeliverySucceeded, s.Now(), time.Time{}))
					}
					done := len(taken) == n
					mu.Unlock()
					if err := s.Claim(ctx, func(tx *store.Tx) error { return tx.SaveResults(ctx, rs) }); err != nil {
						t.Errorf("save: %v", err)
						return
					}
					if done {
						return
					}
				}
			})
		}
		wg.Wait()
		for id, times := range taken {
			if times != 1 {
				t.Errorf("delivery %d was taken %d times", id, times)
			}
		}
		got, err := s.Deliveries(ctx, a.ID, store.DeliveryFilter{State: paraph.DeliverySucceeded, Limit: 200})
		if err != nil || len(got) != n {
			t.Errorf("%d succeeded, %v", len(got), err)
		}
	})
}

// TestOrderedClaimersTakeTurns lets many claim the head at once: never two
// deliveries of an ordered endpoint are out together, nor out of order.
func TestOrderedClaimersTakeTurns(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		const n = 30
		ds := storetest.Queue(t, s, storetest.Deliveries(p, n, s.Now()))
		var mu sync.Mutex
		var order []int64
		out := 0
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() {
				for {
					got := claimHead(t, s, p.ID, fmt.Sprint(w))
					mu.Lock()
					for _, d := range got {
						order = append(order, d.ID)
					}
					if out += len(got); out > 1 {
						t.Errorf("%d heads are out at once", out)
					}
					done := len(order) == n
					if len(got) > 0 {
						out--
						if err := s.Claim(ctx, func(tx *store.Tx) error {
							return tx.SaveResults(ctx, []store.Result{result(got[0], paraph.DeliverySucceeded, s.Now(), time.Time{})})
						}); err != nil {
							t.Errorf("save: %v", err)
							done = true
						}
					}
					mu.Unlock()
					if done {
						return
					}
				}
			})
		}
		wg.Wait()
		if !slices.Equal(order, ids(ds, deliID)) {
			t.Errorf("sent were %v of %v", order, ids(ds, deliID))
		}
	})
}

func TestLanes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		lanes := func() map[int64]time.Time {
			t.Helper()
			got, err := s.Lanes(ctx)
			check(t, err)
			out := map[int64]time.Time{}
			for _, l := range got {
				out[l.EndpointID] = l.NextAt
				next, err := s.LaneNext(ctx, l.EndpointID)
				if err != nil || !next.Equal(l.NextAt) {
					t.Errorf("lane %d: next is %v, %v, in the list %v", l.EndpointID, next, err, l.NextAt)
				}
			}
			if len(out) != len(got) {
				t.Errorf("a lane came twice: %v", got)
			}
			return out
		}
		if got := lanes(); len(got) != 0 {
			t.Errorf("lanes of nothing: %v", got)
		}
		idle := storetest.Endpoint(t, s, a.ID)
		if next, err := s.LaneNext(ctx, idle.ID); err != nil || !next.IsZero() {
			t.Errorf("an idle lane is due %v, %v", next, err)
		}
		p := storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 3, s.Now())
		ds[0].State, ds[1].NextAttemptAt, ds[2].NextAttemptAt = paraph.DeliveryFailed, s.Now().Add(time.Hour), s.Now().Add(time.Minute)
		storetest.Queue(t, s, ds)
		same(t, "one lane", lanes(), map[int64]time.Time{p.ID: s.Now().Add(time.Minute)})
		clock.Advance(time.Minute)
		d := claim(t, s, p.ID, "c", 1)[0]
		save(t, s, result(d, paraph.DeliveryPending, s.Now(), s.Now().Add(time.Second)))
		same(t, "a lane with a retry", lanes(), map[int64]time.Time{p.ID: s.Now().Add(time.Second)})
		want := lanes()
		for i := range 299 {
			q := storetest.Endpoint(t, s, a.ID)
			ds := storetest.Deliveries(q, 2, s.Now())
			ds[0].NextAttemptAt = s.Now().Add(time.Duration(i+1) * time.Second)
			ds[1].NextAttemptAt = ds[0].NextAttemptAt.Add(time.Hour)
			storetest.Queue(t, s, ds)
			want[q.ID] = ds[0].NextAttemptAt
		}
		same(t, "300 lanes", lanes(), want)
		storetest.Update(t, s, func(tx *store.Tx) error {
			next, err := tx.LaneNext(ctx, p.ID)
			if !next.Equal(want[p.ID]) {
				t.Errorf("within a transaction the lane is due %v", next)
			}
			return err
		})
	})
}

func TestRequeue(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p := storetest.Endpoint(t, s, a.ID)
		id := storetest.Queue(t, s, storetest.Deliveries(p, 1, s.Now()))[0].ID
		requeue := func(account, id int64) error {
			return s.Update(ctx, func(tx *store.Tx) error { return tx.Requeue(ctx, account, id) })
		}
		d := claim(t, s, p.ID, "c", 1)[0]
		wantKind(t, "a delivery that is being sent", requeue(a.ID, id), paraph.Conflict)
		wantKind(t, "a stranger's delivery", requeue(b.ID, id), paraph.NotFound)
		wantKind(t, "no delivery", requeue(a.ID, id+99), paraph.NotFound)
		save(t, s, result(d, paraph.DeliveryPending, s.Now(), s.Now().Add(time.Hour)))
		check(t, requeue(a.ID, id))
		d = claim(t, s, p.ID, "c2", 1)[0]
		if d.Attempts != 1 || d.Before != 0 {
			t.Errorf("brought forward it has %d attempts", d.Attempts)
		}
		save(t, s, result(d, paraph.DeliveryFailed, s.Now(), time.Time{}))
		check(t, requeue(a.ID, id))
		d = claim(t, s, p.ID, "c3", 1)[0]
		if d.Attempts != 2 || d.Before != 2 || d.State != paraph.DeliveryPending || !d.FinishedAt.IsZero() {
			t.Errorf("replayed it is %+v", d)
		}
		save(t, s, result(d, paraph.DeliverySucceeded, s.Now(), time.Time{}))
		log, err := s.Attempts(ctx, a.ID, id)
		check(t, err)
		if len(log) != 3 || log[0].Number != 1 || log[2].Number != 3 || log[2].Status != 200 {
			t.Errorf("the log is %+v", log)
		}
	})
}

func TestSkip(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p, q := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		storetest.Queue(t, s, storetest.Deliveries(p, 4, s.Now()))
		storetest.Queue(t, s, storetest.Deliveries(q, 1, s.Now()))
		d := claim(t, s, p.ID, "c", 1)[0]
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SkipDeliveries(ctx, p.ID) })
		save(t, s, result(d, paraph.DeliveryPending, s.Now(), s.Now())) // too late: it stays skipped
		got, err := s.Deliveries(ctx, a.ID, store.DeliveryFilter{State: paraph.DeliverySkipped, Limit: 9})
		if err != nil || len(got) != 4 || got[0].FinishedAt.IsZero() {
			t.Errorf("skipped are %+v, %v", got, err)
		}
	})
}
