package webhooks

import (
	"fmt"
	"time"
)

// kept says how long the log reaches back.
func (v List) kept() string {
	if v.Keeps == 0 {
		return "Deliveries are kept for ever."
	}
	return "A delivery is kept for " + span(v.Keeps) + " after it has ended; one that waits to be tried again, however long that takes."
}

func span(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day != 0 {
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	if d == day {
		return "a day"
	}
	return fmt.Sprintf("%d days", d/day)
}
