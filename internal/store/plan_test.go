package store_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// TestPlans: the queries that run all the time find their rows by an index,
// and read no table as a whole.
func TestPlans(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		p := fill(t, s)
		e := storetest.Envelope(t, s, a.ID, u.ID, "Lease")
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.InsertJob(ctx, &store.Job{Kind: "mail", EnvelopeID: e.ID, DueAt: tx.Now()}))
			return tx.AppendEvents(ctx, &e, []paraph.Event{{Type: paraph.EnvelopeCreated, At: tx.Now()}})
		})
		read := func(f func(s *store.Store) error) func(saw func(string, []any)) error {
			return func(saw func(string, []any)) (err error) {
				s.Spy(saw, func(s *store.Store) { err = f(s) })
				return err
			}
		}
		write := func(f func(tx *store.Tx) error) func(saw func(string, []any)) error {
			return func(saw func(string, []any)) error {
				return s.Claim(ctx, func(tx *store.Tx) error { tx.SpyTx(saw); return f(tx) })
			}
		}
		until := s.Now().Add(time.Minute)
		for name, tt := range map[string]struct {
			run     func(saw func(string, []any)) error
			indexes []string // each is used by some query; a pattern
		}{
			"DueDeliveries": {read(func(s *store.Store) error {
				_, err := s.DueDeliveries(ctx, until, store.DueWant{EndpointID: p.ID, After: store.Cursor{At: s.Now(), ID: 5}, N: 9})
				return err
			}), []string{"deliveries_lane"}},
			"DueDeliveries of many": {read(func(s *store.Store) error {
				_, err := s.DueDeliveries(ctx, until, store.DueWant{EndpointID: p.ID, N: 9}, store.DueWant{EndpointID: p.ID + 1, Late: true, N: 9})
				return err
			}), []string{"deliveries_lane"}},
			"DueHead":   {read(func(s *store.Store) error { _, err := s.DueHead(ctx, p.ID, until); return err }), []string{"deliveries_(lane|order)"}},
			"DueLanes":  {read(func(s *store.Store) error { _, err := s.DueLanes(ctx, 9); return err }), []string{"lanes_due"}},
			"TakeLanes": {write(func(tx *store.Tx) error { _, err := tx.TakeLanes(ctx, "n", []int64{p.ID}); return err }), []string{"lanes_(pkey|1)"}},
			"FreeLanes": {write(func(tx *store.Tx) error {
				_, err := tx.FreeLanes(ctx, "n", []store.FreeLane{{EndpointID: p.ID}})
				return err
			}), []string{"lanes_(pkey|1)", "deliveries_lane"}},
			"LeaveNode":     {write(func(tx *store.Tx) error { return tx.LeaveNode(ctx, "n", nil) }), []string{"lanes_held"}},
			"LanesOf":       {read(func(s *store.Store) error { _, err := s.LanesOf(ctx, a.ID); return err }), []string{"lanes_(pkey|1)"}},
			"CountBreakers": {read(func(s *store.Store) error { _, err := s.CountBreakers(ctx); return err }), []string{"lanes_breaker"}},
			"ClaimJobs":     {write(func(tx *store.Tx) error { _, err := tx.ClaimJobs(ctx, "mail", "c", until, 9); return err }), []string{"jobs_due"}},
			"JobNext":       {read(func(s *store.Store) error { _, err := s.JobNext(ctx, "mail"); return err }), []string{"jobs_due"}},
			"LaneNexts": {read(func(s *store.Store) error {
				_, err := s.LaneNexts(ctx, []int64{p.ID, p.ID + 1, p.ID + 2}, s.Now())
				return err
			}), []string{"deliveries_lane"}},
			"Lanes": {read(func(s *store.Store) error { _, err := s.Lanes(ctx); return err }), []string{"deliveries_(lane|order)"}},
			"Envelopes": {read(func(s *store.Store) error {
				_, err := s.Envelopes(ctx, a.ID, store.EnvelopeFilter{Limit: 20, Before: 9999})
				return err
			}), []string{"envelopes_account", "documents_envelope", "recipients_envelope"}},
			"Envelopes of a status": {read(func(s *store.Store) error {
				_, err := s.Envelopes(ctx, a.ID, store.EnvelopeFilter{Limit: 20, Status: paraph.Draft})
				return err
			}), []string{"envelopes_status"}},
			"CountEnvelopes": {read(func(s *store.Store) error { _, err := s.CountEnvelopes(ctx, a.ID, store.EnvelopeFilter{}); return err }), []string{"envelopes_(account|status)"}},
			"Events":         {read(func(s *store.Store) error { _, err := s.Events(ctx, a.ID, e.ID); return err }), []string{"events_envelope"}},
			"AppendEvents": {write(func(tx *store.Tx) error {
				return tx.AppendEvents(ctx, &e, []paraph.Event{{Type: paraph.EnvelopeSent, At: tx.Now()}})
			}), []string{"events_envelope"}},
			"EnvelopeByToken": {read(func(s *store.Store) error { _, _, err := s.EnvelopeByToken(ctx, e.Recipients[0].Token); return err }), []string{"recipients_token_hash|sqlite_autoindex_recipients", "fields_envelope"}},
			"SessionByToken": {read(func(s *store.Store) error {
				if _, err := s.SessionByToken(ctx, "x", s.Now()); paraph.KindOf(err) != paraph.NotFound {
					return err
				}
				return nil
			}), []string{"sessions_token_hash|sqlite_autoindex_sessions"}},
			"Deliveries of an endpoint": {read(func(s *store.Store) error {
				_, err := s.Deliveries(ctx, p.AccountID, store.DeliveryFilter{EndpointID: p.ID, Limit: 9})
				return err
			}), []string{"deliveries_log"}},
			"Deliveries of an account": {read(func(s *store.Store) error {
				_, err := s.Deliveries(ctx, p.AccountID, store.DeliveryFilter{Limit: 9, Before: 99999})
				return err
			}), []string{"deliveries_account"}},
			"Deliveries of an envelope": {read(func(s *store.Store) error {
				_, err := s.Deliveries(ctx, p.AccountID, store.DeliveryFilter{EnvelopeID: 1950, Limit: 9})
				return err
			}), []string{"deliveries_envelope"}},
			"Deliveries of an event": {read(func(s *store.Store) error {
				_, err := s.DeliveryLog(ctx, p.AccountID, store.DeliveryFilter{EndpointID: p.ID, Event: "form.viewed", Since: s.Now().Add(-time.Hour), Limit: 9})
				return err
			}), []string{"deliveries_log"}},
			"Deliveries that failed": {read(func(s *store.Store) error {
				_, err := s.DeliveryLog(ctx, p.AccountID, store.DeliveryFilter{EndpointID: p.ID, State: paraph.DeliveryFailed, Code: "5xx", Limit: 9})
				return err
			}), []string{"deliveries_failed"}},
			"Deliveries that wait": {read(func(s *store.Store) error {
				_, err := s.DeliveryLog(ctx, p.AccountID, store.DeliveryFilter{EndpointID: p.ID, State: paraph.DeliveryPending, Limit: 9})
				return err
			}), []string{"deliveries_(order|log)"}},
			"Deliveries by a word": {read(func(s *store.Store) error {
				_, err := s.DeliveryLog(ctx, p.AccountID, store.DeliveryFilter{Query: "1950", Limit: 9})
				return err
			}), []string{"deliveries_message", "deliveries_envelope"}},
			"Backlogs": {read(func(s *store.Store) error { _, err := s.Backlogs(ctx, p.AccountID, []int64{p.ID}); return err }), []string{"deliveries_(order|lane)"}},
			"AddToHours": {write(func(tx *store.Tx) error {
				return tx.AddToHours(ctx, []store.Result{{Delivery: paraph.Delivery{EndpointID: p.ID}, Attempt: paraph.Attempt{Number: 1, At: tx.Now(), Code: "ok"}}})
			}), nil},
			"Health": {read(func(s *store.Store) error { _, err := s.Health(ctx, p.AccountID, p.ID, s.Now()); return err }), []string{"endpoint_hours_pkey|sqlite_autoindex_endpoint_hours"}},
			"SaveResults": {write(func(tx *store.Tx) error {
				r := store.Result{Delivery: paraph.Delivery{ID: 1}, Attempt: paraph.Attempt{DeliveryID: 1, Number: 1}}
				if err := tx.SaveResults(ctx, []store.Result{r}); err != nil {
					return err
				}
				return tx.SaveResults(ctx, []store.Result{r, {Delivery: paraph.Delivery{ID: 2}, Attempt: paraph.Attempt{DeliveryID: 2, Number: 1}}})
			}), []string{"deliveries_pkey|INTEGER PRIMARY KEY", "attempts_pkey|sqlite_autoindex_attempts"}},
		} {
			var plan string
			var queries []string
			var args [][]any
			check(t, tt.run(func(q string, a []any) { queries, args = append(queries, q), append(args, append([]any{}, a...)) }))
			for i, q := range queries {
				plan += explain(t, s, q, args[i]) + "\n"
			}
			for _, index := range tt.indexes {
				if !regexp.MustCompile(index).MatchString(plan) {
					t.Errorf("%s does not use %s:\n%s", name, index, plan)
				}
			}
			for _, line := range strings.Split(plan, "\n") {
				if fullScan(line) {
					t.Errorf("%s reads a table as a whole: %s\nin\n%s", name, line, plan)
				}
			}
		}
	})
}

// fill makes enough rows for Postgres to weigh indexes against each other.
// It answers one of many endpoints.
func fill(t testing.TB, s *store.Store) (p paraph.Endpoint) {
	t.Helper()
	for i := range 20 {
		a, u := storetest.Space(t, s, fmt.Sprint("filling", i))
		p = storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 100, s.Now())
		for j := range ds {
			ds[j].EnvelopeID, ds[j].NextAttemptAt = int64(i*100+j), s.Now().Add(time.Duration(j)*time.Second)
		}
		storetest.Queue(t, s, ds)
		storetest.Update(t, s, func(tx *store.Tx) error {
			for j := range 20 {
				e := storetest.Draft(t, a.ID, u.ID, "filling", s.Now())
				check(t, tx.InsertEnvelope(ctx, &e))
				check(t, tx.AppendEvents(ctx, &e, []paraph.Event{{Type: paraph.EnvelopeCreated, At: tx.Now()}}))
				check(t, tx.InsertJob(ctx, &store.Job{Kind: []string{"mail", "seal"}[j%2], EnvelopeID: e.ID, DueAt: tx.Now()}))
				check(t, tx.InsertSession(ctx, &paraph.Session{UserID: u.ID, AccountID: a.ID, ExpiresAt: tx.Now().Add(time.Hour)}, fmt.Sprint(i, "-", j)))
			}
			return nil
		})
	}
	if strings.HasPrefix(version(t, s), "PostgreSQL") { // on SQLite nobody keeps statistics
		_, err := s.Writer().ExecContext(ctx, "VACUUM ANALYZE")
		check(t, err)
	}
	return p
}

func version(t testing.TB, s *store.Store) string {
	t.Helper()
	rows, err := s.Query(ctx, "SELECT VERSION()")
	if err != nil {
		return "SQLite"
	}
	return fmt.Sprint(rows[0][0])
}

// explain answers the plan of a query. Postgres is told to prefer any index,
// for its statistics know that the tables of a test are tiny.
func explain(t testing.TB, s *store.Store, query string, args []any) string {
	t.Helper()
	conn, err := s.Writer().Conn(ctx)
	check(t, err)
	defer conn.Close()
	prefix := "EXPLAIN QUERY PLAN "
	if _, err := conn.ExecContext(ctx, "SET enable_seqscan = off"); err == nil {
		prefix = "EXPLAIN "
		defer conn.ExecContext(ctx, "RESET enable_seqscan") //nolint:errcheck
		if _, err := conn.ExecContext(ctx, "SET enable_bitmapscan = off"); err != nil {
			t.Fatal(err)
		}
		defer conn.ExecContext(ctx, "RESET enable_bitmapscan") //nolint:errcheck
	}
	rows, err := conn.QueryContext(ctx, prefix+query, args...)
	if err != nil {
		t.Fatalf("explain %s: %v", query, err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var id, parent, unused int
		var line string
		if prefix == "EXPLAIN " {
			err = rows.Scan(&line)
		} else {
			err = rows.Scan(&id, &parent, &unused, &line)
		}
		check(t, err)
		out = append(out, line)
	}
	check(t, rows.Err())
	if len(out) == 0 && !strings.HasPrefix(query, "INSERT") { // SQLite has nothing to say of those
		t.Fatalf("no plan of %s", query)
	}
	return strings.Join(out, "\n")
}

// fullScan reports whether a line of a plan reads a whole table. Reading the
// few rows of a WITH, or a whole index that holds what is asked for, is none.
func fullScan(line string) bool {
	if strings.Contains(line, "Seq Scan on ") {
		return true
	}
	for _, table := range []string{"deliveries", "attempts", "jobs", "envelopes", "events", "recipients", "documents", "fields", "endpoints", "lanes", "sessions", "users"} {
		if regexp.MustCompile(`^\s*SCAN ` + table + `\b`).MatchString(line) {
			return !strings.Contains(line, "INDEX")
		}
	}
	return false
}

// TestPlansWithOldStatistics: what is known by its id is found by its id, even
// while Postgres believes that nothing is pending.
func TestPlansWithOldStatistics(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 2000, s.Now())
		for i := range ds {
			ds[i].State = paraph.DeliverySucceeded
		}
		storetest.Queue(t, s, ds)
		if strings.HasPrefix(version(t, s), "PostgreSQL") {
			_, err := s.Writer().ExecContext(ctx, "VACUUM ANALYZE")
			check(t, err)
		}
		ds = storetest.Queue(t, s, storetest.Deliveries(p, 200, s.Now()))
		d := ds[0]
		r := result(d, paraph.DeliverySucceeded, s.Now(), time.Time{})
		r.Attempt.Error = ""
		for name, f := range map[string]func(tx *store.Tx) error{
			"SaveResults": func(tx *store.Tx) error {
				return tx.SaveResults(ctx, []store.Result{r})
			},
		} {
			plan := ""
			var queries []string
			var args [][]any
			check(t, s.Claim(ctx, func(tx *store.Tx) error {
				tx.SpyTx(func(q string, a []any) { queries, args = append(queries, q), append(args, append([]any{}, a...)) })
				return f(tx)
			}))
			for i, q := range queries {
				plan += explain(t, s, q, args[i]) + "\n"
			}
			if !regexp.MustCompile("deliveries_pkey|INTEGER PRIMARY KEY").MatchString(plan) || regexp.MustCompile("deliveries_(lane|order)").MatchString(plan) {
				t.Errorf("%s finds its rows otherwise than by their ids:\n%s", name, plan)
			}
		}
	})
}

// TestExplainSeesScans holds the tests of plans to account.
func TestExplainSeesScans(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		plan := explain(t, s, "SELECT id FROM events WHERE ip = $1", []any{"x"})
		found := false
		for _, line := range strings.Split(plan, "\n") {
			found = found || fullScan(line)
		}
		if !found {
			t.Errorf("nobody sees a full scan in %s", plan)
		}
	})
}
