package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// The load: as many requests at once on both sides.
const (
	lanes    = 8
	atOnce   = paraph.DefaultConcurrency * lanes
	bodySize = 3000  // bytes, about what an envelope's event takes
	perRound = 24000 // a second or more of work, so that starting and stopping don’t count
	turns    = 3
)

// deliveries compares the pipeline, from stored rows to stored results, with a
// loop that does nothing but POST the same bytes. The rounds take turns, so
// that a machine whose speed drifts does not favour one side; the middle share
// counts.
func deliveries(_ options, t tools, p place, f *figures) error {
	ctx := context.Background()
	address, err := p.address("deliveries")
	if err != nil {
		return err
	}
	b, err := t.bed(address, "bench@example.com")
	if err != nil {
		return err
	}
	defer b.close()
	var endpoints []paraph.Endpoint
	for i := range lanes {
		e, err := b.desk.CreateEndpoint(ctx, b.who, paraph.Endpoint{URL: fmt.Sprintf("%s%d", b.receiver.url, i), Events: []string{"*"}, Enabled: true})
		if err != nil {
			return err
		}
		endpoints = append(endpoints, e)
	}
	body := sampleBody()
	var shares, work, ours, bare []float64
	for range turns {
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
	f.DeliveriesShareOfBare, f.DeliveriesPerSecond, f.BarePerSecond = median(shares), median(ours), median(bare)
	f.DeliveriesWorkShare = median(work)
	return nil
}

// sampleBody is JSON such as is sent. Of one letter alone a database that packs
// what it stores would hardly store anything.
func sampleBody() []byte {
	body := []byte(`{"event":"DOCUMENT_COMPLETED","payload":{"fields":[`)
	for i := 0; len(body) < bodySize; i++ {
		body = fmt.Appendf(body, `{"id":%d,"token":"%s","page":%d,"positionX":%d.%d},`, 1000+i, paraph.NewToken(24), i%3, i*37%100, i)
	}
	return append(body[:bodySize-4], `]}}`+"\n"...)
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
				post(client, to.url, body)
			}
		})
	}
	all.Wait()
	<-to.done
	client.CloseIdleConnections()
	return perRound / time.Since(start).Seconds()
}

// post is a bare POST.
func post(client *http.Client, url string, body []byte) {
	res, err := client.Post(url, "application/json", bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	_, _ = io.Copy(io.Discard, res.Body) // a 204 has none
	res.Body.Close()
}

// processorTime is what this process has used so far.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(v []float64) float64 { return quantile(v, 50) }

// quantile is the value that so many of a hundred don't exceed.
func quantile(v []float64, percent int) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[min(len(v)*percent/100, len(v)-1)]
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
