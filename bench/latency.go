package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
)

const (
	eventsRate = 20 // a second
	perTurn    = 60 // events that count
	warming    = 10 // and before them, that don't
)

// A load is what else there is while an event is on its way.
type load struct {
	name  string
	fill  func(b *bed) error
	ratio *float64 // of its median to that of the quiet one in the same round
	p99   *float64
	jobs  bool // the server's own work goes on too
}

func quietLoad(f *figures) load {
	return load{name: "quiet", fill: func(*bed) error { return nil }, ratio: new(float64), p99: &f.LatencyP99}
}

func backlogLoad(o options, f *figures) load {
	return load{name: "backlog", fill: func(b *bed) error { return b.backlog(o.waiting, f) }, ratio: &f.BacklogRatio, p99: &f.BacklogP99}
}

// latency is the time from the commit of an event to the receiver's having
// read its webhook, at a gentle rate: with nothing else there, and with each
// load. They take turns, each with a database of its own, and only the one
// whose turn it is has a dispatcher.
func latency(o options, t tools, p place, f *figures) error {
	loads := []load{
		quietLoad(f), backlogLoad(o, f),
		{name: "idle", fill: func(b *bed) error { _, err := b.crowd(10_000); return err }, ratio: &f.IdleRatio, p99: &f.IdleP99},
		{name: "waiting", fill: (*bed).waitingCrowd, ratio: &f.WaitingRatio, p99: &f.WaitingP99},
		{name: "hanging", fill: (*bed).hanging, ratio: &f.HangingRatio, p99: &f.HangingP99},
		{name: "pruning", fill: (*bed).outOfDate, ratio: &f.PruningRatio, p99: &f.PruningP99, jobs: true},
	}
	beds := make([]*bed, len(loads))
	for i, l := range loads {
		b, err := t.loaded(o, p, l)
		if err != nil {
			return fmt.Errorf("%s: %w", l.name, err)
		}
		defer b.close()
		beds[i] = b
	}
	took := make([][][]float64, len(loads)) // by load and round
	for round := range o.rounds {
		for i := range loads {
			i = (i + round) % len(loads)
			v, err := beds[i].latencies(round, loads[i].jobs)
			if err != nil {
				return fmt.Errorf("%s: %w", loads[i].name, err)
			}
			took[i] = append(took[i], v)
		}
	}
	compare(loads, took)
	f.LatencyP50, f.LatencySamples = median(flat(took[0])), len(flat(took[0]))
	return nil
}

func compare(loads []load, took [][][]float64) {
	for i, l := range loads {
		var ratios []float64
		for round := range took[i] {
			ratios = append(ratios, median(took[i][round])/median(took[0][round]))
		}
		*l.ratio, *l.p99 = median(ratios), quantile(flat(took[i]), 99)
	}
}

func flat(v [][]float64) (out []float64) {
	for _, some := range v {
		out = append(out, some...)
	}
	return out
}

// loaded makes a bed with a load, an endpoint that hears of what is archived,
// and envelopes for that.
func (t tools) loaded(o options, p place, l load) (b *bed, err error) {
	address, err := p.address(l.name)
	if err != nil {
		return nil, err
	}
	if b, err = t.bed(address, "bench@example.com"); err != nil {
		return nil, err
	}
	ctx := context.Background()
	if err = l.fill(b); err == nil {
		_, err = b.desk.CreateEndpoint(ctx, b.who, paraph.Endpoint{URL: b.receiver.url, Events: []string{"submission.archived"}, Enabled: true})
	}
	if err == nil {
		b.spare, err = b.envelopes(ctx, o.rounds*(perTurn+warming))
	}
	if err == nil {
		err = p.settle(address)
	}
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// latencies is a turn, in milliseconds.
func (b *bed) latencies(round int, jobs bool) (took []float64, err error) {
	stop, err := b.dispatch()
	if err != nil {
		return nil, err
	}
	defer stop()
	if jobs {
		b.desk.Start()
		defer b.desk.Stop()
	}
	arrived := make(chan time.Time, 1)
	b.receiver.onSeen(func() { arrived <- time.Now() })
	defer b.receiver.seen.Store(nil)
	tick := time.NewTicker(time.Second / eventsRate)
	defer tick.Stop()
	ids := b.spare[round*(perTurn+warming):][:perTurn+warming]
	for i, id := range ids {
		<-tick.C
		one, err := b.event(id, arrived)
		if err != nil {
			return nil, err
		}
		if i >= warming {
			took = append(took, milliseconds(one))
		}
	}
	return took, nil
}

// event archives an envelope and tells how long after the commit the webhook
// was there.
func (b *bed) event(id int64, arrived <-chan time.Time) (time.Duration, error) {
	if _, err := b.desk.Archive(context.Background(), b.who, id, true); err != nil {
		return 0, err
	}
	select {
	case at := <-arrived:
		return max(0, at.Sub(*b.committed.Load())), nil
	case <-time.After(time.Minute):
		return 0, errors.New("a webhook was not sent within a minute")
	}
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
