package webhook

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/paraph-sign/paraph"
)

// term is the time from a node's joining to its end. What it holds it holds by
// its term: when it was buried and joins anew, that is another one.
type term struct {
	node  string
	until atomic.Int64 // when its lease runs out, by the queue's clock, in microseconds
}

// lives tells whether a term is ours and its lease runs: then nobody else can
// have what we hold by it.
func (d *Dispatcher) lives(t *term, now time.Time) bool {
	return t != nil && t == d.term.Load() && now.UnixMicro() < t.until.Load()
}

// node is our name in the present term, "" without one.
func (d *Dispatcher) node() string {
	if t := d.term.Load(); t != nil {
		return t.node
	}
	return ""
}

// keepAlive renews the lease, three times in it, for as long as requests are
// under way.
func (d *Dispatcher) keepAlive() {
	for {
		wait := d.cfg.Lease / 3
		if err := d.beat(d.sending); err != nil && d.sending.Err() == nil {
			d.cfg.Log.Error("renew the lease of this node", "error", err)
			wait = min(wait, time.Second)
		}
		select {
		case <-d.sending.Done():
			return
		case <-d.hurry:
		case <-time.After(wait):
		}
	}
}

// beat renews the lease, or joins when we have none. A lease counts from
// before it was asked for.
func (d *Dispatcher) beat(ctx context.Context) error {
	d.beating.Lock()
	defer d.beating.Unlock()
	now := d.cfg.Queue.Now()
	if t := d.term.Load(); t != nil {
		alive, err := d.cfg.Queue.Renew(ctx, t.node, d.cfg.Lease)
		if err != nil {
			return err
		}
		if alive {
			t.until.Store(now.Add(d.cfg.Lease).UnixMicro())
			d.resume()
			return nil
		}
		d.cfg.Log.Warn("this node was silent for longer than its lease; others have taken over what it held", "lease", d.cfg.Lease)
		d.bereave()
	}
	if d.looking.Err() != nil {
		return nil // we are leaving
	}
	t := &term{node: paraph.NewToken(16)}
	t.until.Store(now.Add(d.cfg.Lease).UnixMicro())
	if err := d.cfg.Queue.Join(ctx, t.node, d.cfg.Lease); err != nil {
		return err
	}
	d.term.Store(t)
	d.survey()
	return nil
}

// resume lets lanes go on that found the lease run out.
func (d *Dispatcher) resume() {
	if !d.stalled.Swap(false) {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lanes {
		l.poke()
	}
}

// bereave gives up all that was held.
func (d *Dispatcher) bereave() {
	d.term.Store(nil)
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.parked)
	for _, l := range d.lanes {
		l.poke()
	}
}

// stall waits for the lease to be renewed.
func (d *Dispatcher) stall() {
	d.stalled.Store(true)
	select {
	case d.hurry <- struct{}{}:
	default:
	}
}

// freshen renews the lease if a third of it is over, by the queue's clock.
func (d *Dispatcher) freshen(ctx context.Context) error {
	soon := d.cfg.Queue.Now().Add(d.cfg.Lease * 2 / 3)
	if t := d.term.Load(); t != nil && soon.UnixMicro() <= t.until.Load() {
		return nil
	}
	return d.beat(ctx)
}
