package webhook

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paraph-sign/paraph/internal/dev/hostiletest"
)

// The bounds that hold whatever a receiver does.
const (
	// mostRead is what is read of one response: the headers, then 64 KiB, or twice that of what is to be unpacked, and what the
	// reader's buffer took along.
	mostRead = maxHeaderBytes + 2*maxReadBody + 4096
	// mostAllocated is what one attempt takes from the heap, with the receiver's share, which runs in this process too.
	mostAllocated = 512 << 10
	// wait is the time limit for receivers that only a deadline ends. Anything else is over long before unhurried.
	wait      = 300 * time.Millisecond
	unhurried = 10 * time.Second
)

// TestHostileReceiver: whatever it does, the outcome comes in time, says what happened, and has cost little.
func TestHostileReceiver(t *testing.T) {
	t.Parallel()
	all := hostiletest.Start(t)
	t.Run("each", func(t *testing.T) {
		for _, r := range all.All {
			t.Run(r.Name, func(t *testing.T) {
				t.Parallel()
				checkHostile(t, all, r)
			})
		}
	})
	if n := all.Trapped(); n != 0 {
		t.Errorf("%d redirects were followed", n)
	}
}

func checkHostile(t *testing.T, all *hostiletest.Receivers, r hostiletest.Receiver) {
	c := newTestClient(t, ClientConfig{RootCAs: all.Roots, Resolver: all.Resolver, Clock: hostiletest.Now})
	request, most := Request{URL: r.URL, Body: []byte(`{}`)}, unhurried
	if r.Slow {
		request.Timeout, most = wait, wait+unhurried
	}
	o := c.Send(t.Context(), request)
	got := hostiletest.Receiver{
		Name: r.Name, URL: r.URL, Slow: r.Slow, Says: r.Says, Code: o.Code, Status: o.Status, RetryAfter: o.RetryAfter, Truncated: o.Truncated,
	}
	if diff := cmp.Diff(r, got); diff != "" {
		t.Errorf("%s\n%s", diff, o.Error)
	}
	if !strings.Contains(o.Error, r.Says) || (o.Error == "") != o.Succeeded() || o.Ours() || o.Gone() != (r.Status == 410) {
		t.Errorf("says %q, ours %v, gone %v", o.Error, o.Ours(), o.Gone())
	}
	if took := o.Timings.Total; took > most || r.Slow && took < wait-time.Millisecond {
		t.Errorf("took %s of %s", took, most)
	}
	if n := c.Received(); n > mostRead || len(o.ResponseBody) > maxKeptBody {
		t.Errorf("%d bytes were read and %d kept", n, len(o.ResponseBody))
	}
}

// TestHostileReceiverMemory is not parallel, because it looks at the whole heap.
func TestHostileReceiverMemory(t *testing.T) {
	all := hostiletest.Start(t)
	for _, r := range all.All {
		if r.Slow {
			continue // they wait, and are given nothing to keep
		}
		c := newTestClient(t, ClientConfig{RootCAs: all.Roots, Resolver: all.Resolver, Clock: hostiletest.Now})
		send := func() { c.Send(t.Context(), Request{URL: r.URL, Body: []byte(`{}`)}) }
		send()
		const n = 3
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range n {
			send()
		}
		runtime.ReadMemStats(&after)
		if per := (after.TotalAlloc - before.TotalAlloc) / n; per > mostAllocated {
			t.Errorf("%s: %d KiB for an attempt", r.Name, per>>10)
		}
	}
}

// The deadlines of the contract hold when nobody says otherwise.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	g := newTestClient(t, ClientConfig{}).guard
	for name, x := range map[string]struct{ got, want time.Duration }{
		"DNS":                       {g.resolveTimeout, 5 * time.Second},
		"connect":                   {g.connectTimeout, 5 * time.Second},
		"exchange":                  {timeoutOf(0), 15 * time.Second},
		"exchange of an endpoint's": {timeoutOf(time.Second), time.Second},
		"exchange at most":          {timeoutOf(time.Hour), 30 * time.Second},
		"Retry-After at most":       {MaxRetryAfter, 10 * time.Hour},
	} {
		if x.got != x.want {
			t.Errorf("%s: %s and not %s", name, x.got, x.want)
		}
	}
}
