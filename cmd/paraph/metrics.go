package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// meter is what /metrics tells.
type meter struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	attempts *prometheus.CounterVec
	latency  prometheus.Histogram
}

func newMeter() *meter {
	m := &meter{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "paraph_http_request_duration_seconds", Help: "How long requests took, by method and status.",
			Buckets: prometheus.ExponentialBuckets(0.001, 3, 10),
		}, []string{"method", "status"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "paraph_webhook_attempts_total", Help: "Attempts to deliver a webhook, by their outcome's code.",
		}, []string{"code"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "paraph_webhook_delivery_seconds", Help: "From an event to the 2xx of a receiver.",
			Buckets: prometheus.ExponentialBuckets(0.002, 3, 14),
		}),
	}
	m.registry.MustRegister(m.requests, m.attempts, m.latency, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *meter) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// delivery counts an attempt.
func (m *meter) delivery(r webhook.Result) {
	if r.Attempt.Number == 0 {
		return
	}
	m.attempts.WithLabelValues(r.Attempt.Code).Inc()
	if r.Delivery.State == paraph.DeliverySucceeded {
		m.latency.Observe(r.Delivery.FinishedAt.Sub(r.Delivery.CreatedAt).Seconds())
	}
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

// measure times requests. Paths hold tokens, so they are no label.
func (m *meter) measure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start, sw := time.Now(), &statusWriter{ResponseWriter: w}
		next.ServeHTTP(sw, r)
		if sw.status == 0 {
			sw.status = http.StatusOK
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
