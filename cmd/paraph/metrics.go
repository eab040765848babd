package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// deliveryBuckets reach from a receiver next door to the end of the longest
// usual schedule, in seconds.
var deliveryBuckets = []float64{
	0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 48 * 3600,
}

// meter is what /metrics tells.
type meter struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	attempts *prometheus.CounterVec
	finished *prometheus.CounterVec
	latency  prometheus.Histogram
	answers  prometheus.Histogram
}

func newMeter() *meter {
	m := &meter{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "paraph_http_request_duration_seconds", Help: "How long requests to this node took, by method and status.",
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 10),
		}, []string{"method", "status"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paraph_webhook_attempts_total", Help: "Attempts of this node to deliver a webhook, by their outcome's stable code.",
		}, []string{"code"}),
		finished: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paraph_webhook_deliveries_finished_total", Help: "Deliveries that an attempt of this node ended, by the state that they ended in.",
		}, []string{"state"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "paraph_webhook_delivery_seconds", Help: "From an event to the 2xx of a receiver; tests and what was sent anew are left out.",
			Buckets: deliveryBuckets,
		}),
		answers: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "paraph_webhook_attempt_duration_seconds", Help: "How long attempts took, whatever came of them.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30},
		}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "paraph_build_info", Help: "1; the version is in its labels."}, []string{"version", "go_version"})
	build.WithLabelValues(version, runtime.Version()).Set(1)
	m.attempts.WithLabelValues(webhook.CodeOK)
	m.finished.WithLabelValues(string(paraph.DeliverySucceeded))
	m.finished.WithLabelValues(string(paraph.DeliveryFailed))
	m.registry.MustRegister(m.requests, m.attempts, m.finished, m.latency, m.answers, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *meter) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4})
}

// watch adds what the database and the lanes tell.
func (m *meter) watch(in *instance, lanes func() webhook.Stats) error {
	return m.registry.Register(&worldMeter{desk: in.desk, store: in.store, lanes: lanes, log: in.log, look: lookEvery})
}

// listenForMetrics gives /metrics and /healthz an address of their own.
func (c *serveCmd) listenForMetrics(in *instance, m *meter) error {
	if c.MetricsListen == "" {
		return nil
	}
	l, err := net.Listen("tcp", c.MetricsListen)
	if err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	in.metrics = l.Addr().String()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.handler())
	mux.HandleFunc("GET /healthz", in.health)
	server := &http.Server{
		Handler: recovered(in.log, mux), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(in.log.Handler(), slog.LevelWarn),
	}
	in.atClose(server.Close)
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			select {
			case in.failed <- err:
			default: // the other listener's failure came first
			}
		}
	}()
	return nil
}

// delivery counts an attempt.
func (m *meter) delivery(r webhook.Result) {
	if r.Attempt.Number == 0 {
		return
	}
	m.attempts.WithLabelValues(codeLabel(r.Attempt.Code)).Inc()
	m.answers.Observe(r.Attempt.Duration.Seconds())
	d := r.Delivery
	if d.State != paraph.DeliveryPending {
		m.finished.WithLabelValues(string(d.State)).Inc()
	}
	if d.State == paraph.DeliverySucceeded && !d.Test && d.Before == 0 {
		m.latency.Observe(d.FinishedAt.Sub(d.CreatedAt).Seconds())
	}
}

// codeLabel bounds the values of a label that receivers choose: of statuses,
// those with a name.
func codeLabel(code string) string {
	text, isStatus := strings.CutPrefix(code, "http_")
	if !isStatus {
		return code
	}
	status, err := strconv.Atoi(text)
	if err != nil || http.StatusText(status) == "" {
		return "http_other"
	}
	return code
}

// statusWriter remembers the status of a response.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the writer within.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// measure times requests. Paths hold tokens, so they are no label. Questions
// of listeners wait on purpose, so they are left out.
func (m *meter) measure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, sw := time.Now(), &statusWriter{ResponseWriter: w}
		next.ServeHTTP(sw, r)
		if sw.status == 0 {
			sw.status = http.StatusOK
		}
		if strings.HasPrefix(r.URL.Path, "/api/listeners/") && strings.HasSuffix(r.URL.Path, "/events") {
			return
		}
		m.requests.WithLabelValues(method(r.Method), strconv.Itoa(sw.status)).Observe(time.Since(start).Seconds())
	})
}

// method keeps strange methods from becoming labels.
func method(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete:
		return m
	}
	return "other"
}
