package webhook

import "time"

// Ahead answers when the attempts after the next come at the earliest, if all
// fail: next is when attempt (counted from 1) is due. Jitter and Retry-After
// make them later.
func (s Schedule) Ahead(attempt int, next time.Time) []time.Time {
	if attempt < 1 || attempt > len(s.steps) {
		return nil
	}
	out := make([]time.Time, 0, len(s.steps)-attempt+1)
	for _, step := range s.steps[attempt-1:] {
		next = next.Add(step)
		out = append(out, next)
	}
	return out
}
