package webhook

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

// The names of the built-in schedules.
const (
	ScheduleSeed     = "seed"
	ScheduleStandard = "standard"
)

const (
	maxSteps        = 50
	maxStep         = 7 * 24 * time.Hour
	jitterShare     = 0.1
	seedRetries     = 11
	maxScheduleText = 1000
)

// Schedule says when to try again. It holds the waits between attempts, so there is one attempt more than there are steps. The zero
// Schedule tries once.
type Schedule struct {
	name  string
	steps []time.Duration
}

// ParseSchedule reads "seed" (also for ""), "standard", or one's own list: whole seconds to wait before each retry, separated by
// commas or spaces. A first 0 stands for the attempt that is made at once and may be left out. At most 50 retries, each at most 7
// days after the one before.
func ParseSchedule(text string) (Schedule, error) {
	switch strings.TrimSpace(text) {
	case "", ScheduleSeed:
		return Schedule{ScheduleSeed, seedSteps()}, nil
	case ScheduleStandard:
		return Schedule{ScheduleStandard, standardSteps()}, nil
	}
	if len(text) > maxScheduleText {
		return Schedule{}, badSchedule("The list is longer than %d characters.", maxScheduleText)
	}
	return parseSteps(strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }))
}

func parseSteps(words []string) (Schedule, error) {
	if len(words) > 0 && words[0] == "0" {
		words = words[1:]
	}
	if len(words) == 0 || len(words) > maxSteps {
		return Schedule{}, badSchedule("A schedule has between 1 and %d retries.", maxSteps)
	}
	steps := make([]time.Duration, len(words))
	for i, word := range words {
		seconds, err := strconv.ParseUint(word, 10, 32)
		step := time.Duration(seconds) * time.Second
		if err != nil || step < time.Second || step > maxStep {
			return Schedule{}, badSchedule("“%s” is not a number of seconds between 1 and %d. Write “seed”, “standard”, or seconds such as “5, 300, 3600”.",
				paraph.Shorten(word, 40), int(maxStep/time.Second))
		}
		steps[i] = step
	}
	return Schedule{steps: steps}, nil
}

func badSchedule(format string, args ...any) error {
	return paraph.FieldErrorf("schedule", format, args...)
}

// seedSteps are 2^attempt minutes: 1, 2, 4 … 1024, which puts the last of the twelve attempts 34 hours after the first, within the
// 48 hours that consumers of the DocuSeal dialect were promised.
func seedSteps() []time.Duration {
	steps := make([]time.Duration, seedRetries)
	for i := range steps {
		steps[i] = time.Minute << i
	}
	return steps
}

// standardSteps is the table in the Standard Webhooks specification, section "Deliverability and reliability".
func standardSteps() []time.Duration {
	return []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
		10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
}

// String is the spelling that ParseSchedule reads back.
func (s Schedule) String() string {
	if s.name != "" {
		return s.name
	}
	words := make([]string, len(s.steps))
	for i, step := range s.steps {
		words[i] = strconv.Itoa(int(step / time.Second))
	}
	return strings.Join(words, ",")
}

// Attempts is how often a delivery is tried before it counts as failed.
func (s Schedule) Attempts() int { return len(s.steps) + 1 }

// Steps are the waits before each retry, jitter aside.
func (s Schedule) Steps() []time.Duration { return slices.Clone(s.steps) }

// Next says when to try again after attempt (counted from 1) failed at the given time, or false when that was the last one. The
// wait is the schedule's step plus up to a tenth of it by jitter, a number in [0,1) that the caller draws, and never less than the
// step; a receiver that named a longer wait with Retry-After gets that.
func (s Schedule) Next(attempt int, at time.Time, retryAfter time.Duration, jitter float64) (time.Time, bool) {
	if attempt < 1 || attempt > len(s.steps) {
		return time.Time{}, false
	}
	step := s.steps[attempt-1]
	wait := step + time.Duration(jitterShare*jitter*float64(step))
	return at.Add(max(wait, retryAfter)), true
}

// ScheduleOf is by what a delivery is tried: its endpoint's schedule, or once when it is a test.
func ScheduleOf(e paraph.Endpoint, d paraph.Delivery) (Schedule, error) {
	if d.Test {
		return Schedule{}, nil
	}
	return ParseSchedule(e.Schedule)
}
