package main

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// worldMeter tells of the queues, as the database has them, and of the lanes
// of this node. It looks at the database when it is scraped, but not more often
// than every look, and never for more than a twentieth of the time: however
// often somebody scrapes, and however large the backlog is.
type worldMeter struct {
	desk  *desk.Desk
	store *store.Store
	lanes func() webhook.Stats
	log   *slog.Logger
	look  time.Duration

	mu   sync.Mutex
	last sight
	next time.Time // when to look again
}

// How a worldMeter looks.
const (
	lookEvery = 10 * time.Second
	lookLimit = 5 * time.Second
	lookShare = 20 // one part of so many of the time
)

// sight is what was seen of the database.
type sight struct {
	ok        bool
	backlog   desk.Backlog
	breakers  map[paraph.BreakerState]int
	listeners int
	jobs      []store.JobBacklog
	sealEnd   time.Time // of the certificate that seals; zero: there is none that can be read
}

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("paraph_"+name, help, labels, nil)
}

// What a worldMeter tells. Descriptions never change, so they are shared.
var (
	descUp        = desc("database_up", "1 when the last look at the database succeeded, else 0, and what comes from it is missing.")
	descBacklog   = desc("webhook_backlog", "Pending deliveries of all nodes, by why they wait: first and late (attempts and retries that are due or under way), waiting (due later), ordered (behind an older one), held (by a breaker), paced (by a rate).", "class")
	descOldest    = desc("webhook_backlog_oldest_seconds", "How long the one that waits longest has been due; of waiting and ordered, how long ago its event was.", "class")
	descBusy      = desc("webhook_backlog_lanes", "Endpoints that anything waits for.")
	descCapped    = desc("webhook_backlog_capped_lanes", "Endpoints for which more waits than was counted, so that paraph_webhook_backlog is too small.")
	descBreakers  = desc("webhook_breakers", "Endpoints whose breaker is not closed, by its state.", "state")
	descLanes     = desc("webhook_lanes_active", "Endpoints that this node works for just now.")
	descHeld      = desc("webhook_lanes_held", "Lanes that this node holds.")
	descInFlight  = desc("webhook_in_flight", "Requests of this node that are under way.")
	descReclaimed = desc("webhook_leases_reclaimed_total", "Lanes that this node took over from nodes that died.")
	descOpened    = desc("webhook_breakers_opened_total", "Times that a breaker opened at this node.")
	descListeners = desc("listeners", "Programs that listen, see paraph listen.")
	descQuestions = desc("listener_questions", "Questions of listeners that wait at this node.")
	descJobs      = desc("jobs", "Jobs of all nodes that wait, by kind and whether they are due.", "kind", "state")
	descSealEnd   = desc("seal_certificate_expiry_seconds", "How long the certificate that seals is valid still; below 0 nothing is sealed.")
	descJobOldest = desc("jobs_oldest_seconds", "How long the job that waits longest has been due.", "kind")
)

func (w *worldMeter) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		descUp, descBacklog, descOldest, descBusy, descCapped, descBreakers, descLanes, descHeld, descInFlight, descReclaimed, descOpened,
		descListeners, descQuestions, descJobs, descJobOldest, descSealEnd,
	} {
		to <- d
	}
}

func (w *worldMeter) Collect(to chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, n int64) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n))
	}
	lanes := w.lanes()
	gauge(descLanes, float64(lanes.Lanes))
	gauge(descHeld, float64(lanes.Held))
	gauge(descInFlight, float64(lanes.InFlight))
	count(descReclaimed, lanes.Reclaimed)
	count(descOpened, lanes.Opened)
	gauge(descQuestions, float64(w.desk.Waiting()))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.see()
	if !w.last.ok {
		gauge(descUp, 0)
		return
	}
	gauge(descUp, 1)
	w.last.collect(gauge)
}

func (s *sight) collect(gauge func(d *prometheus.Desc, v float64, labels ...string)) {
	for _, c := range desk.Classes() {
		gauge(descBacklog, float64(s.backlog.Count[c]), string(c))
		gauge(descOldest, s.backlog.Oldest[c].Seconds(), string(c))
	}
	gauge(descBusy, float64(s.backlog.Lanes))
	gauge(descCapped, float64(s.backlog.Capped))
	for _, b := range []paraph.BreakerState{paraph.BreakerOpen, paraph.BreakerHalfOpen} {
		gauge(descBreakers, float64(s.breakers[b]), string(b))
	}
	gauge(descListeners, float64(s.listeners))
	now := time.Now()
	if !s.sealEnd.IsZero() {
		gauge(descSealEnd, s.sealEnd.Sub(now).Seconds())
	}
	for _, j := range s.jobs {
		gauge(descJobs, float64(j.Due), j.Kind, "due")
		gauge(descJobs, float64(j.Waiting), j.Kind, "waiting")
		age := 0.0
		if !j.Since.IsZero() {
			age = max(0, now.Sub(j.Since).Seconds())
		}
		gauge(descJobOldest, age, j.Kind)
	}
}

// see looks at the database, unless it did a moment ago.
func (w *worldMeter) see() {
	began := time.Now()
	if began.Before(w.next) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookLimit)
	defer cancel()
	var err error
	if w.last, err = w.sight(ctx); err != nil {
		w.log.Warn("metrics: look at the database", "error", err)
	}
	now := time.Now()
	w.next = now.Add(max(w.look, lookShare*now.Sub(began)))
}

func (w *worldMeter) sight(ctx context.Context) (s sight, err error) {
	var errs [4]error
	s.backlog, errs[0] = w.desk.Backlog(ctx)
	s.breakers, errs[1] = w.store.CountBreakers(ctx)
	s.listeners, errs[2] = w.store.CountListeners(ctx, w.store.Now().Add(-paraph.ListenerLife))
	s.jobs, errs[3] = w.desk.JobBacklog(ctx)
	if end, err := w.desk.CertificateEnd(ctx); err == nil { // else the log and the settings say why nothing is sealed
		s.sealEnd = end
	}
	err = errors.Join(errs[:]...)
	s.ok = err == nil
	return s, err
}
