package webhook

import (
	"context"
	"time"
)

const (
	sweepEvery = 15 // polls
	maxDue     = 256
	maxFrees   = 64 // in one look
	// So long the watch sleeps at least, so that lanes which fall due one
	// after the other cost one look and not one each.
	leastSleep = 10 * time.Millisecond
)

// watch is the one timer of all lanes: it wakes those that fall due, gives
// back those that have been idle for a while, and asks the queue for what
// nobody announced.
func (d *Dispatcher) watch() {
	w := watcher{d: d}
	for {
		select {
		case <-d.looking.Done():
			return
		case <-d.kicked:
		case <-time.After(w.sleep()):
		}
		w.look(d.looking)
	}
}

// kick lets the watch look now.
func (d *Dispatcher) kick() {
	select {
	case d.kicked <- struct{}{}:
	default:
	}
}

// survey lets it look at everything now.
func (d *Dispatcher) survey() {
	d.all.Store(true)
	d.kick()
}

// hear is told of what other nodes committed.
func (d *Dispatcher) hear(endpointIDs []int64) {
	if len(endpointIDs) == 0 {
		d.survey()
		return
	}
	for _, id := range endpointIDs {
		d.Wake(id)
	}
}

// watcher is what the watch knows between two looks. Times of the machine's
// clock are of polls and pauses, those of the queue's clock of deliveries.
type watcher struct {
	d      *Dispatcher
	looked time.Time // when the queue was asked last, by the machine's clock
	looks  int
	next   time.Time // when a lane that nobody holds falls due, by the queue's clock
	parked time.Time // when one of ours does
	idle   bool      // there are parked or refused lanes to look after
}

func (w *watcher) sleep() time.Duration {
	if w.d.term.Load() == nil {
		return w.d.cfg.Poll // joining kicks us
	}
	wait := w.d.cfg.Poll - time.Since(w.looked)
	if w.idle {
		wait = min(wait, w.d.cfg.Linger/4, refusalTime)
	}
	if next := earliest(w.next, w.parked); !next.IsZero() {
		wait = min(wait, next.Sub(w.d.cfg.Queue.Now()))
	}
	return max(wait, leastSleep)
}

func (w *watcher) look(ctx context.Context) {
	d := w.d
	if d.term.Load() == nil {
		return
	}
	now := d.cfg.Queue.Now()
	for _, n := range d.tend(w, now) {
		d.notes <- n
	}
	polled := time.Since(w.looked) >= d.cfg.Poll
	due := !w.next.IsZero() && !w.next.After(now)
	var err error
	switch {
	case d.all.Swap(false), polled && w.looks >= sweepEvery:
		w.looks, w.looked = 0, time.Now()
		if err = d.lookAtAll(ctx); err != nil {
			d.all.Store(true)
		}
		w.next = now // and then ask what is due next
	case polled || due:
		if polled {
			w.looks++
		}
		w.looked = time.Now()
		err = w.due(ctx, now)
	}
	if err != nil && ctx.Err() == nil {
		d.cfg.Log.Error("look for due deliveries", "error", err)
	}
}

// tend wakes parked lanes that fall due and refused ones whose pause is over,
// and takes out those that nothing has come for.
func (d *Dispatcher) tend(w *watcher, now time.Time) (frees []note) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.parked = time.Time{}
	clock := time.Now()
	for id, l := range d.parked {
		switch next := l.nextAt; {
		case !next.IsZero() && !next.After(now):
			d.wake(id)
		case clock.Sub(l.parkedAt) >= d.cfg.Linger && len(frees) < maxFrees:
			delete(d.parked, id)
			d.freeing[id] = false
			f := l.free(now)
			frees = append(frees, note{node: l.term.node, free: &f})
		default:
			w.parked = earliest(w.parked, next)
		}
	}
	for id, r := range d.refused {
		if clock.Before(r.until) {
			continue
		}
		delete(d.refused, id)
		if r.woken {
			d.wake(id)
		}
	}
	w.idle = len(d.parked)+len(d.refused) > 0
	return frees
}

// freed is told that lanes were given back, and which of them have something
// to do at once.
func (d *Dispatcher) freed(ids, due []int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var again []int64
	for _, id := range ids {
		if d.freeing[id] {
			again = append(again, id)
		}
		delete(d.freeing, id)
	}
	for _, id := range append(again, due...) {
		d.wake(id)
	}
}

// due asks for what lanes have to be taken now or next.
func (w *watcher) due(ctx context.Context, now time.Time) error {
	d := w.d
	if err := d.bury(ctx); err != nil {
		return err
	}
	lanes, err := d.cfg.Queue.Due(ctx, maxDue)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	w.next = time.Time{}
	woken := 0
	for _, l := range lanes {
		if l.NextAt.After(now) {
			w.next = l.NextAt
			return nil
		}
		if _, busy := d.lanes[l.EndpointID]; !busy {
			d.wake(l.EndpointID)
			woken++
		}
	}
	if len(lanes) == maxDue && woken > 0 {
		w.next = now // there are more
	}
	return nil
}

// bury frees what dead nodes held.
func (d *Dispatcher) bury(ctx context.Context) error {
	if err := d.freshen(ctx); err != nil { // or we would bury ourselves
		return err
	}
	ids, err := d.cfg.Queue.Bury(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	d.reclaimed.Add(int64(len(ids)))
	d.cfg.Log.Warn("took over the lanes of a node that no longer answers", "lanes", len(ids))
	for _, id := range ids {
		d.Wake(id)
	}
	return nil
}

// Poke looks for due deliveries of all endpoints now.
func (d *Dispatcher) Poke(ctx context.Context) error {
	return d.lookAtAll(ctx)
}

// lookAtAll looks at every endpoint with pending deliveries: after a start, and
// now and then, for what was committed by somebody who died before telling
// anybody.
func (d *Dispatcher) lookAtAll(ctx context.Context) error {
	if err := d.bury(ctx); err != nil {
		return err
	}
	lanes, err := d.cfg.Queue.Lanes(ctx)
	if err != nil {
		return err
	}
	now, node := d.cfg.Queue.Now(), d.node()
	for _, l := range lanes {
		if l.Lost || !l.NextAt.After(now) && (l.NodeID == "" || l.NodeID == node) {
			d.Wake(l.EndpointID)
		}
	}
	return nil
}

// earliest is the earlier of two times, of which zero is none.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
