package desk

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// Class is why deliveries that are not finished wait.
type Class string

// The classes, in which every pending delivery is in one.
const (
	ClassFirst   Class = "first"   // a first attempt is due, or under way
	ClassLate    Class = "late"    // a retry is due, or under way
	ClassWaiting Class = "waiting" // due later by the schedule
	ClassOrdered Class = "ordered" // behind an older one of an ordered endpoint
	ClassHeld    Class = "held"    // the endpoint's breaker is not closed
	ClassPaced   Class = "paced"   // the endpoint's rate lets nothing out for now
)

// Classes are all classes.
func Classes() []Class {
	return []Class{ClassFirst, ClassLate, ClassWaiting, ClassOrdered, ClassHeld, ClassPaced}
}

// Backlog is what waits to be sent, over all endpoints.
type Backlog struct {
	Count map[Class]int
	// Oldest is how long the one that waits longest has been due; of those that
	// wait for a later time or for others, how long ago its event was.
	Oldest map[Class]time.Duration
	Lanes  int // endpoints that anything waits for
	Capped int // of those, the ones with more than was counted
}

// countedBacklog is how many deliveries a look at the backlog counts at most,
// about: some 50 ms.
const countedBacklog = 200_000

// Backlog looks at what waits to be sent. Its work grows with the number of
// endpoints that have a backlog, and not with the backlog.
func (d *Desk) Backlog(ctx context.Context) (Backlog, error) {
	lanes, limit, err := d.Store.PendingByLane(ctx, countedBacklog)
	b := Backlog{Count: map[Class]int{}, Oldest: map[Class]time.Duration{}, Lanes: len(lanes)}
	now := d.Store.Now()
	for _, l := range lanes {
		b.add(l, now)
		if max(l.First, l.Late, l.Waiting) >= limit {
			b.Capped++
		}
	}
	return b, err
}

func (b *Backlog) note(c Class, n int, age time.Duration) {
	if n > 0 {
		b.Count[c] += n
		b.Oldest[c] = max(b.Oldest[c], age)
	}
}

// add sorts a lane's deliveries into classes.
func (b *Backlog) add(l store.LaneBacklog, now time.Time) {
	first, late := now.Sub(l.FirstSince), now.Sub(l.LateSince)
	if l.FirstSince.IsZero() {
		first = 0
	}
	if l.LateSince.IsZero() {
		late = 0
	}
	head := now.Sub(l.HeadAt)
	switch {
	case l.Breaker != paraph.BreakerClosed:
		b.note(ClassHeld, l.First+l.Late, max(first, late))
		b.note(ClassWaiting, l.Waiting, head)
	case l.PacedUntil.After(now):
		b.note(ClassPaced, l.First+l.Late, max(first, late))
		b.note(ClassWaiting, l.Waiting, head)
	case l.Ordered:
		b.addHead(l, now)
		b.note(ClassOrdered, l.First+l.Late+l.Waiting-1, head)
	default:
		b.note(ClassFirst, l.First, first)
		b.note(ClassLate, l.Late, late)
		b.note(ClassWaiting, l.Waiting, head)
	}
}

// addHead sorts the oldest of an ordered lane.
func (b *Backlog) addHead(l store.LaneBacklog, now time.Time) {
	switch due := now.Sub(l.HeadNext); {
	case due < 0:
		b.note(ClassWaiting, 1, now.Sub(l.HeadAt))
	case l.HeadLate:
		b.note(ClassLate, 1, due)
	default:
		b.note(ClassFirst, 1, due)
	}
}

// JobBacklog looks at what waits of each kind of job.
func (d *Desk) JobBacklog(ctx context.Context) ([]store.JobBacklog, error) {
	var out []store.JobBacklog
	for _, k := range d.kinds() {
		b, err := d.Store.JobBacklog(ctx, k.Name, countedBacklog/20)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}
