package paraph

import "time"

// A Replay sends many deliveries of an endpoint again, a bounded number at a
// time: the same bytes under the same ids, with the whole schedule of retries.
type Replay struct {
	ID         int64
	AccountID  int64
	EndpointID int64
	Filter     ReplayFilter
	State      ReplayState
	Why        string // it was cancelled, when not by hand; for people
	Cursor     int64  // ids up to here were looked at
	Last       int64  // the last id to look at, as of CreatedAt, so that it never chases its own tail
	Total      int    // how many matched at CreatedAt
	Queued     int    // how many of those were queued so far
	Waiting    int    // of those, not over yet, as of the last look
	Succeeded  int
	Failed     int
	Skipped    int // the endpoint was switched off meanwhile
	CreatedBy  int64
	ByName     string    // whose user that is
	CreatedAt  time.Time // deliveries that were over by then are meant
	FinishedAt time.Time
}

// ReplayFilter says which deliveries are meant. Pending ones and tests never
// are.
type ReplayFilter struct {
	States     []DeliveryState // at least one
	Events     []string        // names or families; none means all
	EnvelopeID int64           // 0: of any
	Since      time.Time       // created, or skipped, at or after
	Until      time.Time       // created, or skipped, before
}

// ReplayState is where a replay stands.
type ReplayState string

// The states of a replay.
const (
	ReplayRunning   ReplayState = "running"
	ReplayFinished  ReplayState = "finished" // everything that was queued is over
	ReplayCancelled ReplayState = "cancelled"
)

// Replayable are the states of deliveries that can be replayed.
func Replayable() []DeliveryState {
	return []DeliveryState{DeliveryFailed, DeliverySkipped, DeliverySucceeded}
}

// AllQueued reports whether there is nothing left to queue.
func (r Replay) AllQueued() bool { return r.State != ReplayRunning || r.Cursor >= r.Last }

// Over is how many of the queued deliveries came to an end.
func (r Replay) Over() int { return r.Succeeded + r.Failed + r.Skipped }

// Missed is how many matched when the replay began, and were resent or removed
// by others before their turn, or after it and before they were counted.
func (r Replay) Missed() int {
	if r.State != ReplayFinished {
		return 0
	}
	return max(0, r.Total-r.Over())
}
