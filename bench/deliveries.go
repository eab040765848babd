package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/store"
)

// receiver answers 204 to every POST and tells when each came.
type receiver struct {
	url    string
	server *http.Server
	count  atomic.Int64
	target atomic.Int64
	done   chan struct{}
	seen   func(messageID string)
}

func newReceiver() *receiver {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/", done: make(chan struct{}, 1), seen: func(string) {}}
	r.server = &http.Server{Handler: r}
	go func() { _ = r.server.Serve(l) }() // ends with close
	return r
}

func (r *receiver) close() { _ = r.server.Close() }

// expect makes done tell when n more have come.
func (r *receiver) expect(n int) {
	r.count.Store(0)
	r.target.Store(int64(n))
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body) // the sender notices itself when it breaks
	r.seen(req.Header.Get("Webhook-Id"))
	w.WriteHeader(http.StatusNoContent)
	if r.count.Add(1) == r.target.Load() {
		r.done <- struct{}{}
	}
}

// The load: as many requests at once on both sides.
const (
	lanes      = 8
	atOnce     = paraph.DefaultConcurrency * lanes
	bodySize   = 3000  // bytes, about what an envelope's event takes
	perRound   = 24000 // a second or more of work, so that starting and stopping don’t count
	rounds     = 3
	eventsRate = 20 // a second
	eventsAll  = 300
)

// deliveries compares the pipeline, from stored rows to stored results, with a
// loop that does nothing but POST the same bytes. The rounds take turns, so
// that a machine whose speed drifts does not favour one side; the middle share
// counts.
func deliveries(b *bed, r *results) error {
	ctx := context.Background()
	var endpoints []paraph.Endpoint
	for i := range lanes {
		e, err := b.desk.CreateEndpoint(ctx, b.who, paraph.Endpoint{URL: fmt.Sprintf("%s%d", b.receiver.url, i), Events: []string{"*"}, Enabled: true})
		if err != nil {
			return err
		}
		endpoints = append(endpoints, e)
	}
	body := bytes.Repeat([]byte("x"), bodySize)
	var shares, work, ours, bare []float64
	for range rounds {
		if err := b.fill(ctx, endpoints, body); err != nil {
			return err
		}
		from := processorTime()
		perSecond, err := b.drain(ctx)
		if err != nil {
			return err
		}
		mid := processorTime()
		base := bareLoop(b.receiver, body)
		shares, work = append(shares, perSecond/base), append(work, float64(processorTime()-mid)/float64(mid-from))
		ours, bare = append(ours, perSecond), append(bare, base)
	}
	r.DeliveriesShareOfBare, r.DeliveriesPerSecond, r.BarePerSecond = median(shares), median(ours), median(bare)
	r.DeliveriesWorkShare = median(work)
	for _, e := range endpoints {
		if err := b.desk.DeleteEndpoint(ctx, b.who, e.ID); err != nil {
			return err
		}
	}
	return nil
}

// fill queues a round.
func (b *bed) fill(ctx context.Context, endpoints []paraph.Endpoint, body []byte) error {
	for from := 0; from < perRound; from += 1000 {
		err := b.store.Update(ctx, func(tx *store.Tx) error {
			ds := make([]paraph.Delivery, 1000)
			for i := range ds {
				ds[i] = paraph.Delivery{
					AccountID: b.who.AccountID, EndpointID: endpoints[i%len(endpoints)].ID, EventName: "document.completed",
					MessageID: "msg_" + paraph.NewToken(24), Body: body, State: paraph.DeliveryPending, NextAttemptAt: tx.Now(), CreatedAt: tx.Now(),
				}
			}
			return tx.InsertDeliveries(ctx, ds)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// drain delivers all that is queued, its results written, and tells how many
// that were a second.
func (b *bed) drain(ctx context.Context) (float64, error) {
	b.receiver.expect(perRound)
	start := time.Now()
	stop, err := b.dispatch()
	if err != nil {
		return 0, err
	}
	<-b.receiver.done
	stop()
	took := time.Since(start)
	left, err := b.store.Deliveries(ctx, b.who.AccountID, store.DeliveryFilter{State: paraph.DeliveryPending, Limit: 1})
	if err == nil && len(left) > 0 {
		err = fmt.Errorf("not all deliveries have a result")
	}
	return perRound / took.Seconds(), err
}

func bareLoop(to *receiver, body []byte) float64 {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}}
	to.expect(perRound)
	start := time.Now()
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for range perRound / atOnce {
				res, err := client.Post(to.url, "application/json", bytes.NewReader(body))
				if err != nil {
					panic(err)
				}
				_, _ = io.Copy(io.Discard, res.Body) // a 204 has none
				res.Body.Close()
			}
		})
	}
	all.Wait()
	<-to.done
	client.CloseIdleConnections()
	return perRound / time.Since(start).Seconds()
}

// latency is the time from the commit of an event to the receiver's having
// read its webhook, at a gentle rate.
func latency(b *bed, r *results) error {
	ctx := context.Background()
	envelopes, err := b.envelopes(ctx, eventsAll)
	if err != nil {
		return err
	}
	_, err = b.desk.CreateEndpoint(ctx, b.who, paraph.Endpoint{URL: b.receiver.url, Events: []string{"submission.archived"}, Enabled: true})
	if err != nil {
		return err
	}
	stop, err := b.dispatch()
	if err != nil {
		return err
	}
	defer stop()
	arrived := make(chan time.Time, 1)
	b.receiver.seen = func(string) { arrived <- time.Now() }
	b.receiver.expect(eventsAll + 1)
	var took []float64
	tick := time.NewTicker(time.Second / eventsRate)
	defer tick.Stop()
	for _, id := range envelopes {
		<-tick.C
		if _, err := b.desk.Archive(ctx, b.who, id, true); err != nil {
			return err
		}
		committed := time.Now()
		at := <-arrived
		took = append(took, max(0, float64(at.Sub(committed))/float64(time.Millisecond)))
	}
	slices.Sort(took)
	r.LatencyP50, r.LatencyP99 = took[len(took)/2], took[len(took)*99/100]
	return nil
}

func (b *bed) envelopes(ctx context.Context, n int) (ids []int64, err error) {
	p, err := b.desk.Prepare(ctx, "contract.pdf", b.contract)
	if err != nil {
		return nil, err
	}
	for range n {
		e, err := b.desk.Create(ctx, b.who, "Contract", []desk.Prepared{p})
		if err != nil {
			return nil, err
		}
		ids = append(ids, e.ID)
	}
	return ids, nil
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
