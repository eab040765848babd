package main

import (
	"context"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// fillers is how many write at once where more than one can.
const fillers = 4

// backlog lets so many deliveries wait for hours: 95 of 100 for one endpoint,
// the others spread over fifty. Their bodies are small, to spare the disk: a
// body is read when its delivery is due and not before.
func (b *bed) backlog(n int, f *figures) error {
	endpoints, err := b.addEndpoints(b.who.AccountID, 51, b.receiver.url)
	if err != nil {
		return err
	}
	begin := time.Now()
	const batch = 2000
	from := make(chan int)
	errs := make(chan error, fillers)
	var all sync.WaitGroup
	for range fillers {
		all.Go(func() {
			for i := range from {
				if err := b.wait(endpoints, i, min(batch, n-i)); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	err = nil
	for i := 0; i < n && err == nil; i += batch {
		select {
		case from <- i:
		case err = <-errs:
		}
	}
	close(from)
	all.Wait()
	f.BacklogFillSeconds = time.Since(begin).Seconds()
	progress("%d waiting deliveries stored in %.0f s", n, f.BacklogFillSeconds)
	return err
}

// wait stores n deliveries that failed once and are due in some hours, the
// first of them the i-th of all.
func (b *bed) wait(endpoints []paraph.Endpoint, i, n int) error {
	ctx := context.Background()
	body := sampleBody()[:200]
	return b.store.Claim(ctx, func(tx *store.Tx) error {
		ds := make([]paraph.Delivery, n)
		for j := range ds {
			e := endpoints[0]
			if (i+j)%20 == 0 {
				e = endpoints[1+(i+j)/20%(len(endpoints)-1)]
			}
			ds[j] = paraph.Delivery{
				AccountID: e.AccountID, EndpointID: e.ID, EventName: "document.completed", MessageID: "msg_" + paraph.NewToken(24),
				Body: body, State: paraph.DeliveryPending, Attempts: 1, LastStatus: 503, LastError: "http_503",
				NextAttemptAt: tx.Now().Add(2*time.Hour + time.Duration((i+j)%36_000)*time.Second/10), CreatedAt: tx.Now(),
			}
		}
		return tx.InsertDeliveries(ctx, ds)
	})
}

// addEndpoints adds endpoints that hear of something that does not happen.
func (b *bed) addEndpoints(accountID int64, n int, url string) ([]paraph.Endpoint, error) {
	now := b.store.Now()
	es := make([]paraph.Endpoint, n)
	err := b.store.Update(context.Background(), func(tx *store.Tx) error {
		for i := range es {
			es[i] = paraph.Endpoint{
				AccountID: accountID, URL: url, Events: []string{"document.deleted"}, SigningSecret: "whsec_" + paraph.NewToken(32), Enabled: true,
				Schedule: paraph.DefaultSchedule, Timeout: paraph.DefaultTimeout, Concurrency: paraph.DefaultConcurrency, CreatedAt: now, UpdatedAt: now,
			}
			if err := tx.InsertEndpoint(context.Background(), &es[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return es, err
}

// crowd adds endpoints in accounts of their own, a hundred in each.
func (b *bed) crowd(n int) (all []paraph.Endpoint, err error) {
	for len(all) < n {
		a := paraph.Account{Kind: paraph.Personal, Name: "crowd", CreatedAt: b.store.Now()}
		if err := b.store.Update(context.Background(), func(tx *store.Tx) error { return tx.InsertAccount(context.Background(), &a) }); err != nil {
			return nil, err
		}
		es, err := b.addEndpoints(a.ID, 100, b.receiver.url)
		if err != nil {
			return nil, err
		}
		all = append(all, es...)
	}
	return all, nil
}

// waitingCrowd is a crowd of 10,000 in which each waits for a retry.
func (b *bed) waitingCrowd() error {
	es, err := b.crowd(10_000)
	if err != nil {
		return err
	}
	for i := 0; i < len(es); i += 1000 {
		ctx := context.Background()
		err := b.store.Claim(ctx, func(tx *store.Tx) error {
			ds := make([]paraph.Delivery, 1000)
			for j := range ds {
				ds[j] = paraph.Delivery{
					AccountID: es[i+j].AccountID, EndpointID: es[i+j].ID, EventName: "document.completed", MessageID: "msg_" + paraph.NewToken(24),
					Body: []byte("{}"), State: paraph.DeliveryPending, Attempts: 1, LastStatus: 503, LastError: "http_503",
					NextAttemptAt: tx.Now().Add(2*time.Hour + time.Duration(i+j)*time.Second), CreatedAt: tx.Now(),
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

// hanging adds an endpoint that accepts and never answers, with the most
// requests at once, the shortest deadline, and a queue that outlasts the run: so
// there is always something of it to time out, write down and claim.
func (b *bed) hanging() error {
	ctx := context.Background()
	url, closeHole := newHole()
	b.closers = append(b.closers, closeHole)
	es, err := b.addEndpoints(b.who.AccountID, 1, url)
	if err != nil {
		return err
	}
	e := es[0]
	e.Timeout, e.Concurrency = paraph.MinTimeout, paraph.MaxConcurrency
	body := sampleBody()
	return b.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.UpdateEndpoint(ctx, e); err != nil {
			return err
		}
		ds := make([]paraph.Delivery, 5000)
		for i := range ds {
			ds[i] = paraph.Delivery{
				AccountID: e.AccountID, EndpointID: e.ID, EventName: "document.completed", MessageID: "msg_" + paraph.NewToken(24),
				Body: body, State: paraph.DeliveryPending, NextAttemptAt: tx.Now(), CreatedAt: tx.Now(),
			}
		}
		return tx.InsertDeliveries(ctx, ds)
	})
}

// outOfDate adds deliveries that ended long ago, more than are pruned in a run,
// and lets the pruning begin with the server's own work.
func (b *bed) outOfDate() error {
	ctx := context.Background()
	es, err := b.addEndpoints(b.who.AccountID, 1, b.receiver.url)
	if err != nil {
		return err
	}
	body := sampleBody()
	for range 100 {
		err := b.store.Claim(ctx, func(tx *store.Tx) error {
			ds := make([]paraph.Delivery, 1000)
			long := tx.Now().Add(-2 * retention)
			for i := range ds {
				ds[i] = paraph.Delivery{
					AccountID: es[0].AccountID, EndpointID: es[0].ID, EventName: "document.completed", MessageID: "msg_" + paraph.NewToken(24),
					Body: body, State: paraph.DeliverySucceeded, Attempts: 1, LastStatus: 204, CreatedAt: long, FinishedAt: long,
				}
			}
			return tx.InsertDeliveries(ctx, ds)
		})
		if err != nil {
			return err
		}
	}
	return b.desk.PrepareSweep(ctx)
}
