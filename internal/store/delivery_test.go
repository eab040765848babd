package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// due reads deliveries as the holder of a lane does.
func due(t testing.TB, s *store.Store, endpoint int64, n int) []paraph.Delivery {
	t.Helper()
	ds, err := storetest.Due(ctx, s.Reader, endpoint, s.Now(), n)
	check(t, err)
	return ds
}

func head(t testing.TB, s *store.Store, endpoint int64) []paraph.Delivery {
	t.Helper()
	ds, err := s.DueHead(ctx, endpoint, s.Now())
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

// TestDueDeliveries: what is due is read in order and from a place on, and
// reading changes nothing.
func TestDueDeliveries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p, q := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 6, s.Now())
		ds[0].NextAttemptAt = s.Now().Add(-time.Microsecond)
		ds[3].NextAttemptAt = s.Now().Add(time.Second) // not yet
		ds[4].EndpointID = q.ID
		ds[5].State = paraph.DeliverySkipped
		storetest.Queue(t, s, ds)
		for range 2 {
			same(t, "all", due(t, s, p.ID, 9), ds[:3])
		}
		same(t, "the first", due(t, s, p.ID, 1), ds[:1])
		from := store.DueWant{EndpointID: p.ID, After: store.Cursor{At: ds[1].NextAttemptAt, ID: ds[1].ID}, N: 9}
		got, err := s.DueDeliveries(ctx, s.Now(), from)
		check(t, err)
		same(t, "from a place on", got, [][]paraph.Delivery{ds[2:3]})
		q = storetest.Endpoint(t, s, a.ID)
		others := storetest.Queue(t, s, storetest.Deliveries(q, 3, s.Now()))
		got, err = s.DueDeliveries(ctx, s.Now(), store.DueWant{EndpointID: q.ID, N: 2}, store.DueWant{EndpointID: q.ID, Late: true, N: 9}, from)
		check(t, err)
		same(t, "for several wants", got, [][]paraph.Delivery{others[:2], nil, ds[2:3]})
		clock.Advance(time.Second)
		same(t, "a second later", due(t, s, p.ID, 9), ds[:4])
	})
}

// TestResultsOfTheUnwary: a result counts only when the delivery is as it was
// read. The attempt is logged all the same.
func TestResultsOfTheUnwary(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		storetest.Queue(t, s, storetest.Deliveries(p, 3, s.Now()))
		ds := due(t, s, p.ID, 3)
		save(t, s, result(ds[0], paraph.DeliveryPending, s.Now(), s.Now().Add(time.Hour)), result(ds[1], paraph.DeliverySucceeded, s.Now(), time.Time{}))
		late := result(ds[0], paraph.DeliverySucceeded, s.Now(), time.Time{}) // of a node whose lane another one had
		save(t, s, late, result(ds[1], paraph.DeliveryFailed, s.Now(), time.Time{}))
		for i, want := range []paraph.DeliveryState{paraph.DeliveryPending, paraph.DeliverySucceeded} {
			now, err := s.Delivery(ctx, a.ID, ds[i].ID)
			check(t, err)
			if now.State != want || now.Attempts != 1 {
				t.Errorf("delivery %d is %+v", i, now)
			}
			if log, err := s.Attempts(ctx, a.ID, ds[i].ID); err != nil || len(log) != 2 {
				t.Errorf("its log: %v, %v", log, err)
			}
		}
		own := ds[2] // a failure of our own: no attempt was made, the delivery waits
		own.NextAttemptAt = s.Now().Add(time.Second)
		save(t, s, store.Result{Delivery: own})
		now, err := s.Delivery(ctx, a.ID, own.ID)
		check(t, err)
		same(t, "after a failure of our own", now, own)
	})
}

func TestSaveResults(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p := storetest.Endpoint(t, s, a.ID)
		storetest.Queue(t, s, storetest.Deliveries(p, 600, s.Now()))
		ds := due(t, s, p.ID, 600)
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
		for _, d := range due(t, s, p.ID, 3) {
			save(t, s, result(d, paraph.DeliveryPending, s.Now(), s.Now().Add(time.Minute)))
		}
		clock.Advance(time.Hour)
		fresh := storetest.Queue(t, s, storetest.Deliveries(p, 2, s.Now()))
		got := due(t, s, p.ID, 3)
		if len(got) != 3 || got[0].ID != fresh[0].ID || got[1].ID != fresh[1].ID || got[2].Attempts != 1 {
			t.Errorf("due are %+v", got)
		}
	})
}

func TestOrderedHead(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		if got := head(t, s, p.ID); len(got) != 0 {
			t.Errorf("the head of nothing: %+v", got)
		}
		ds := storetest.Queue(t, s, storetest.Deliveries(p, 3, s.Now()))
		same(t, "head", head(t, s, p.ID), ds[:1])
		save(t, s, result(ds[0], paraph.DeliveryPending, s.Now(), s.Now().Add(time.Hour)))
		if got := head(t, s, p.ID); len(got) != 0 {
			t.Errorf("somebody got past a head that waits for its retry: %+v", got)
		}
		clock.Advance(time.Hour)
		got := head(t, s, p.ID)
		if len(got) != 1 || got[0].ID != ds[0].ID {
			t.Fatalf("the retry: %+v", got)
		}
		save(t, s, result(got[0], paraph.DeliverySucceeded, s.Now(), time.Time{}))
		same(t, "the next", head(t, s, p.ID), ds[1:2])
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
				next, err := s.LaneNexts(ctx, []int64{l.EndpointID}, time.Time{})
				if err != nil || !next[l.EndpointID].Equal(l.NextAt) {
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
		if next, err := s.LaneNexts(ctx, []int64{idle.ID}, time.Time{}); err != nil || len(next) > 0 {
			t.Errorf("an idle lane is due %v, %v", next, err)
		}
		p := storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 3, s.Now())
		ds[0].State, ds[1].NextAttemptAt, ds[2].NextAttemptAt = paraph.DeliveryFailed, s.Now().Add(time.Hour), s.Now().Add(time.Minute)
		storetest.Queue(t, s, ds)
		same(t, "one lane", lanes(), map[int64]time.Time{p.ID: s.Now().Add(time.Minute)})
		clock.Advance(time.Minute)
		d := due(t, s, p.ID, 1)[0]
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
			next, err := tx.LaneNexts(ctx, slices.Collect(maps.Keys(want)), time.Time{})
			same(t, "within a transaction", next, want)
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
		d := due(t, s, p.ID, 1)[0]
		wantKind(t, "a stranger's delivery", requeue(b.ID, id), paraph.NotFound)
		wantKind(t, "no delivery", requeue(a.ID, id+99), paraph.NotFound)
		save(t, s, result(d, paraph.DeliveryPending, s.Now(), s.Now().Add(time.Hour)))
		check(t, requeue(a.ID, id))
		d = due(t, s, p.ID, 1)[0]
		if d.Attempts != 1 || d.Before != 0 {
			t.Errorf("brought forward it has %d attempts", d.Attempts)
		}
		save(t, s, result(d, paraph.DeliveryFailed, s.Now(), time.Time{}))
		check(t, requeue(a.ID, id))
		d = due(t, s, p.ID, 1)[0]
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
		d := due(t, s, p.ID, 1)[0]
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SkipDeliveries(ctx, p.ID) })
		save(t, s, result(d, paraph.DeliveryPending, s.Now(), s.Now())) // too late: it stays skipped
		got, err := s.Deliveries(ctx, a.ID, store.DeliveryFilter{State: paraph.DeliverySkipped, Limit: 9})
		if err != nil || len(got) != 4 || got[0].FinishedAt.IsZero() {
			t.Errorf("skipped are %+v, %v", got, err)
		}
	})
}
