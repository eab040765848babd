package webhook

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
)

// BenchmarkSend makes signed attempts, eight at a time, to a receiver in the same process, and a bare loop of http.Client.Post to
// the same receiver in alternating slices of the same run. x_bare is our rate as a share of the bare one.
func BenchmarkSend(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	defer server.Close()
	client := newTestClient(b, ClientConfig{Clock: time.Now})
	body := []byte(`{"text":"` + strings.Repeat("x", 3000) + `"}`)
	to := paraph.Endpoint{URL: server.URL, SigningSecret: GenerateSecret()}
	d := paraph.Delivery{EventName: "document.signed", MessageID: "msg_2f9c0b1d", Body: body}
	send := func() bool { return client.Send(b.Context(), NewRequest(to, d, time.Now())).Succeeded() }

	bareClient := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	defer bareClient.CloseIdleConnections()
	bare := func() bool {
		resp, err := bareClient.Post(server.URL, "application/json", bytes.NewReader(body))
		if err != nil {
			return false
		}
		io.Copy(io.Discard, resp.Body)
		return resp.Body.Close() == nil
	}

	const slice = 500
	inParallel(b, send, slice)
	inParallel(b, bare, slice)
	b.ReportAllocs()
	b.ResetTimer()
	var ours, theirs time.Duration
	for done := 0; done < b.N; done += slice {
		n := min(slice, b.N-done)
		ours += inParallel(b, send, n)
		b.StopTimer()
		theirs += inParallel(b, bare, n)
		b.StartTimer()
	}
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "x_bare")
	b.ReportMetric(float64(b.N)/ours.Seconds(), "sends/s")
}

func inParallel(b *testing.B, do func() bool, n int) time.Duration {
	b.Helper()
	start := time.Now()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if !do() {
					b.Error("an attempt failed")
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

func BenchmarkRender(b *testing.B) {
	s := snapshots(b)["document.signed"]
	for b.Loop() {
		if _, err := Render("document.signed", s, receiverOf()); err != nil {
			b.Fatal(err)
		}
	}
}
