package desk_test

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/hostiletest"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// TestGuardOfDeliveries: deliveries and test events go through the same guard, also to endpoints that were made while their address
// was allowed, and to names that moved since. Whoever listens inside, at every address of this machine, hears nothing.
func TestGuardOfDeliveries(t *testing.T) {
	t.Parallel()
	inside := []netip.Prefix{
		netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("::/128"),
	}
	desktest.EachWith(t, desktest.Options{Allow: inside}, func(t *testing.T, w *desktest.World) {
		port, came := listenEverywhere(t)
		names := hostiletest.Resolver{}
		names.Set("inside.example", hostiletest.Addrs("127.0.0.1"))
		names.Set("six.example", hostiletest.Addrs("::1"))
		names.Set("mapped.example", hostiletest.Addrs("::ffff:127.0.0.1"))
		names.Set("mixed.example", hostiletest.Addrs("8.8.8.8", "127.0.0.1"))
		names.Set("metadata.google.internal", hostiletest.Addrs("169.254.169.254"))
		names.Set("localhost", hostiletest.Addrs("127.0.0.1", "::1"))
		s := newSender(t, w, w.Person(t, "Ann Admin"))
		d := s.startStrict(names)
		var endpoints []paraph.Endpoint
		for _, host := range []string{
			"127.0.0.1", "127.1.2.3", "[::1]", "0.0.0.0", "[::]", "10.0.0.1", "169.254.169.254", "[fd00:ec2::254]", "１２７.０.０.１",
			"inside.example", "six.example", "mapped.example", "mixed.example", "metadata.google.internal", "localhost", "LOCALHOST",
		} {
			endpoints = append(endpoints, s.endpoint("http://"+host+":"+port+"/hook"))
		}
		s.archive()
		for _, e := range endpoints {
			_, err := s.Desk.SendTest(t.Context(), s.Who, e.ID, "form.viewed")
			s.must(err)
		}
		for range 2 * len(endpoints) {
			r := s.result()
			if r.Attempt.Code != webhook.CodeBlockedAddress || r.Attempt.RemoteAddress != "" {
				t.Errorf("%s, test %v: %s from %q", r.Delivery.EventName, r.Delivery.Test, r.Attempt.Code, r.Attempt.RemoteAddress)
			}
		}
		d.Stop()
		if came.Load() != 0 {
			t.Errorf("%d connections came", came.Load())
		}
	})
}

// startStrict runs a dispatcher that may call public addresses only, as after an operator took an allowance back.
func (s *sender) startStrict(names webhook.Resolver) *webhook.Dispatcher {
	s.t.Helper()
	client, err := webhook.NewClient(webhook.ClientConfig{UserAgent: "Paraph/test", Resolver: names, Clock: s.Clock.Now})
	s.must(err)
	s.t.Cleanup(client.Close)
	d, err := webhook.NewDispatcher(webhook.DispatcherConfig{
		Queue: s.Desk.Queue(), Client: client, Log: slog.New(slog.NewTextHandler(s.t.Output(), nil)), Poll: 24 * time.Hour,
		Observe: func(r webhook.Result) { s.results <- r },
	})
	s.must(err)
	s.Desk.WakeLanes(d.Wake)
	d.Start()
	s.t.Cleanup(d.Stop)
	return d
}

// listenEverywhere counts connections to a port of all addresses of this machine.
func listenEverywhere(t *testing.T) (port string, came *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	came = &atomic.Int64{}
	var done sync.WaitGroup
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			came.Add(1)
			c.Close()
		}
	})
	t.Cleanup(func() {
		l.Close()
		done.Wait()
	})
	if _, port, err = net.SplitHostPort(l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return port, came
}
