package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

// BenchmarkDeliveries measures the way of a delivery through the store: queued
// one event at a time, read in batches of 64, and its result saved in a
// batch. Rows a second come as metrics.
func BenchmarkDeliveries(b *testing.B) {
	for _, engine := range storetest.Engines() {
		b.Run(engine, func(b *testing.B) {
			s, _ := storetest.New(b, engine)
			a, _ := storetest.Space(b, s, "ada")
			p := storetest.Endpoint(b, s, a.ID)
			for b.Loop() {
				bench(b, s, p)
			}
		})
	}
}

func bench(b *testing.B, s *store.Store, p paraph.Endpoint) {
	const n, events, batch = 4096, 256, 64
	body := make([]byte, 2000)
	ds := storetest.Deliveries(p, n, s.Now())
	for i := range ds {
		ds[i].Body = body
	}
	begin := time.Now()
	for i := range events { // an event each, as desk queues them
		storetest.Update(b, s, func(tx *store.Tx) error { return tx.InsertDeliveries(ctx, ds[i:i+1]) })
	}
	single := time.Since(begin)
	begin = time.Now()
	storetest.Update(b, s, func(tx *store.Tx) error { return tx.InsertDeliveries(ctx, ds[events:]) })
	bulk := time.Since(begin)
	var reading, saving time.Duration
	for got := 0; got < n; {
		begin = time.Now()
		read := due(b, s, p.ID, batch)
		reading += time.Since(begin)
		got += len(read)
		rs := make([]store.Result, len(read))
		for i, d := range read {
			rs[i] = result(d, paraph.DeliverySucceeded, s.Now(), time.Time{})
		}
		begin = time.Now()
		check(b, s.Claim(ctx, func(tx *store.Tx) error { return tx.SaveResults(ctx, rs) }))
		saving += time.Since(begin)
	}
	rate := func(rows int, d time.Duration, name string) { b.ReportMetric(float64(rows)/d.Seconds(), name) }
	rate(events, single, "events/s")
	rate(n-events, bulk, "inserted/s")
	rate(n, reading, "read/s")
	rate(n, saving, "saved/s")
	rate(n, reading+saving, "sent/s")
}

// BenchmarkBacklog measures reading out of a queue of 50,000, ordered and not,
// and the pages that show it.
func BenchmarkBacklog(b *testing.B) {
	for _, engine := range storetest.Engines() {
		s, _ := storetest.New(b, engine)
		a, _ := storetest.Space(b, s, "ada")
		p := storetest.Endpoint(b, s, a.ID)
		storetest.Queue(b, s, storetest.Deliveries(p, 50000, s.Now()))
		if engine == "postgres" { // as its autovacuum would
			_, err := s.Writer().ExecContext(ctx, "VACUUM ANALYZE")
			check(b, err)
		}
		for name, f := range map[string]func(){
			"head":  func() { head(b, s, p.ID) },
			"due":   func() { due(b, s, p.ID, 1) },
			"next":  func() { _, err := s.LaneNexts(ctx, []int64{p.ID}, s.Now()); check(b, err) },
			"lanes": func() { _, err := s.Lanes(ctx); check(b, err) },
			"log":   func() { _, err := s.Deliveries(ctx, a.ID, store.DeliveryFilter{Limit: 50}); check(b, err) },
			"log, nothing fits": func() {
				_, err := s.Deliveries(ctx, a.ID, store.DeliveryFilter{Event: "form.viewed", Limit: 50})
				check(b, err)
			},
			"log of a time": func() {
				_, err := s.Deliveries(ctx, a.ID, store.DeliveryFilter{Until: s.Now(), Limit: 50})
				check(b, err)
			},
			"backlog": func() { _, err := s.Backlogs(ctx, a.ID, []int64{p.ID}); check(b, err) },
		} {
			b.Run(engine+"/"+name, func(b *testing.B) {
				for b.Loop() {
					f()
				}
			})
		}
	}
}

// BenchmarkEnvelope measures an envelope's way in and out, and a value saved.
func BenchmarkEnvelope(b *testing.B) {
	for _, engine := range storetest.Engines() {
		s, _ := storetest.New(b, engine)
		a, u := storetest.Space(b, s, "ada")
		e := storetest.Envelope(b, s, a.ID, u.ID, "Lease")
		for name, f := range map[string]func(){
			"insert": func() { storetest.Envelope(b, s, a.ID, u.ID, "Lease") },
			"load":   func() { _, err := s.Envelope(ctx, a.ID, e.ID); check(b, err) },
			"save": func() {
				storetest.Update(b, s, func(tx *store.Tx) error {
					was, err := tx.Envelope(ctx, a.ID, e.ID)
					check(b, err)
					is := was
					is.Fields = append([]paraph.Field{}, was.Fields...)
					is.Fields[0].Value.Text = fmt.Sprint(was.Version)
					check(b, tx.SaveEnvelope(ctx, was, &is))
					return tx.AppendEvents(ctx, &is, []paraph.Event{{Type: paraph.RecipientStarted, At: tx.Now()}})
				})
			},
		} {
			b.Run(engine+"/"+name, func(b *testing.B) {
				for b.Loop() {
					f()
				}
			})
		}
	}
}
