package webhook

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"
)

// The most that one transaction of the scribe takes in.
const (
	maxResults = 4096 // more than the channel holds, so that gather's order of draining means what it says
	maxWants   = 256
	maxNotes   = 64
)

// scribe is the only one who writes: it takes what has come in since its last
// transaction and puts it into the next. What can't be written is tried again
// until it can; if we stop before, the delivery is as it was and is sent once
// more.
type scribe struct {
	queue   Queue
	log     *slog.Logger
	observe func(Result)
	node    func() string          // ours, "" while we have no lease
	freed   func(ids, due []int64) // told of lanes that were given back
	wants   <-chan want
	results <-chan Result
	notes   <-chan note
	ending  context.Context // over: don't try for long any more
	ended   chan struct{}   // closed when the last is written

	hand batch
}

// batch is what one transaction writes and grants.
type batch struct {
	results []Result
	notes   []note
	wants   []want
}

func (b batch) size() int { return len(b.results) + len(b.notes) + len(b.wants) }

// note is something about a lane that its holder has to say, and by which
// name it holds it. Once that name is over there is nothing to say.
type note struct {
	node string
	mark *Mark
	free *Free
}

// want is a Want and where the answer goes.
type want struct {
	Want
	granted chan<- reply
}

const (
	firstPause = 50 * time.Millisecond
	lastPause  = 5 * time.Second
	// A transaction that takes longer has lost its database.
	maxTransaction = time.Minute
	// So many failures in a row, and no success before, mean that it is not
	// what we write that can't be written.
	enoughFailures = 8
)

// run ends when wants is closed and all is written.
func (s *scribe) run() {
	defer close(s.ended)
	pause := firstPause
	for more := true; more || s.hand.size() > 0; {
		more = s.gather()
		err := s.write(s.hand)
		if err == nil {
			s.hand, pause = batch{s.hand.results[:0], s.hand.notes[:0], s.hand.wants[:0]}, firstPause
			continue
		}
		s.log.Error("write the results of deliveries; will try again", "results", len(s.hand.results), "notes", len(s.hand.notes), "wants", len(s.hand.wants), "error", err)
		switch {
		case pause > firstPause && s.apart():
			pause = firstPause
		case s.ending.Err() != nil && pause > time.Second:
			s.giveUp(s.hand)
			s.hand = batch{}
		default:
			time.Sleep(pause)
			pause = min(2*pause, lastPause)
		}
	}
}

// gather takes what has come in, and waits for it when there is nothing in
// hand. Wants are drained before results, so that a result which its lane
// handed in before it wanted more is written before more is granted. It
// answers whether more can come.
func (s *scribe) gather() (more bool) {
	if s.hand.size() == 0 {
		select {
		case r := <-s.results:
			s.hand.results = append(s.hand.results, r)
		case n := <-s.notes:
			s.hand.notes = append(s.hand.notes, n)
		case w, ok := <-s.wants:
			if ok {
				s.hand.wants = append(s.hand.wants, w)
			}
		}
	}
	more = s.drainWants()
	s.drainNotes()
	s.drainResults(more)
	return more
}

func (s *scribe) drainNotes() {
	for len(s.hand.notes) < maxNotes {
		select {
		case n := <-s.notes:
			s.hand.notes = append(s.hand.notes, n)
		default:
			return
		}
	}
}

func (s *scribe) drainWants() (more bool) {
	for len(s.hand.wants) < maxWants {
		select {
		case w, ok := <-s.wants:
			if !ok {
				return false
			}
			s.hand.wants = append(s.hand.wants, w)
		default:
			return true
		}
	}
	return true
}

// drainResults leaves nothing behind when nothing more can come.
func (s *scribe) drainResults(more bool) {
	for !more || len(s.hand.results) < maxResults {
		select {
		case r := <-s.results:
			s.hand.results = append(s.hand.results, r)
		default:
			return
		}
	}
}

// write is one transaction; who waits for it is answered.
func (s *scribe) write(b batch) error {
	if b.size() == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), maxTransaction)
	defer cancel()
	done, err := s.queue.Settle(ctx, s.batch(b))
	if err != nil {
		return err
	}
	for _, r := range b.results {
		s.observe(r)
	}
	if ids := b.freed(); len(ids) > 0 {
		s.freed(ids, done.Due)
	}
	for i, w := range b.wants {
		w.granted <- reply{done.Grants[i], true}
	}
	return nil
}

func (s *scribe) batch(b batch) Batch {
	out := Batch{Node: s.node(), Results: b.results, Wants: make([]Want, len(b.wants))}
	for i, w := range b.wants {
		out.Wants[i] = w.Want
	}
	for _, n := range b.notes {
		switch {
		case n.node != out.Node:
		case n.mark != nil:
			out.Marks = append(out.Marks, *n.mark)
		case n.free != nil:
			out.Frees = append(out.Frees, *n.free)
		}
	}
	return out
}

// freed are the endpoints whose lanes the batch gives back.
func (b batch) freed() (ids []int64) {
	for _, n := range b.notes {
		if n.free != nil {
			ids = append(ids, n.free.EndpointID)
		}
	}
	return ids
}

// apart writes each result, note and want in a transaction of its own, so
// that one which the database refuses does not hold up the others for ever; it
// is given up. When nothing can be written all stay in hand, and the answer is
// false.
func (s *scribe) apart() bool {
	rand.Shuffle(len(s.hand.results), func(i, j int) {
		s.hand.results[i], s.hand.results[j] = s.hand.results[j], s.hand.results[i]
	})
	var singles, failed []batch
	for i := range s.hand.results {
		singles = append(singles, batch{results: s.hand.results[i : i+1]})
	}
	for i := range s.hand.notes {
		singles = append(singles, batch{notes: s.hand.notes[i : i+1]})
	}
	for i := range s.hand.wants {
		singles = append(singles, batch{wants: s.hand.wants[i : i+1]})
	}
	for i, b := range singles {
		if s.write(b) != nil {
			failed = append(failed, b)
		}
		if len(failed) == i+1 && (len(failed) == enoughFailures || len(failed) == len(singles)) {
			return false
		}
	}
	for _, b := range failed {
		s.giveUp(b)
	}
	s.hand = batch{}
	return true
}

func (s *scribe) giveUp(b batch) {
	for _, r := range b.results {
		s.log.Error("the result of a delivery was not written; it will be sent again", "delivery", r.Delivery.ID)
	}
	if ids := b.freed(); len(ids) > 0 {
		s.freed(ids, ids) // they are still ours: to be taken up, and given back another time
	}
	for _, w := range b.wants {
		w.granted <- reply{}
	}
}
