package paraph

import "time"

// An endpoint that takes nothing is switched off after FailingLimit in which
// all attempts failed, if the first and the last failure are FailingApart at
// least. Its owner is told at each of the FailingSteps on the way.
const (
	FailingLimit = 5 * 24 * time.Hour
	FailingApart = 12 * time.Hour
	FailingSteps = 4
	failingStep  = FailingLimit / FailingSteps
	// An endpoint is not switched off sooner after the first warning, however
	// long the server itself was down.
	failingNotice = 24 * time.Hour
)

// Failing is what is known of an endpoint's failures since its last success.
// The zero value: nothing is wrong. Tests don't count.
type Failing struct {
	Since       time.Time // of the first failure
	Last        time.Time // of the latest that was noted: one an hour at most is
	Code        string    // of that one, stable
	Error       string    // the same for people
	Warned      int       // steps that the owner was told of
	WarnedAt    time.Time
	ExhaustedAt time.Time // when the owner was last told that a delivery was given up; a success leaves it
}

// OffAt is when the endpoint will be switched off unless something succeeds
// before; the zero time when nothing is wrong.
func (f Failing) OffAt() time.Time {
	if f.Since.IsZero() {
		return time.Time{}
	}
	off := f.Since.Add(FailingLimit)
	if notice := f.WarnedAt.Add(failingNotice); !f.WarnedAt.IsZero() && f.Warned == FailingSteps-1 && notice.After(off) {
		return notice
	}
	return off
}

// Step is how far the endpoint is at a time on its way to be switched off:
// from 0, nothing to tell, to FailingSteps, switch it off.
func (f Failing) Step(now time.Time) int {
	if f.Since.IsZero() || f.Last.Sub(f.Since) < FailingApart {
		return 0
	}
	step := int(min(now.Sub(f.Since)/failingStep, FailingSteps))
	if step == FailingSteps && (f.Warned == 0 || now.Before(f.OffAt())) {
		return FailingSteps - 1
	}
	return max(step, 0)
}

// WhyOff is what switched an endpoint off.
type WhyOff string

// What switches endpoints off.
const (
	OffByHand    WhyOff = "hand"
	OffByGone    WhyOff = "gone"    // it answered 410
	OffByFailing WhyOff = "failing" // it took nothing for FailingLimit
)

// Secrets of endpoints while a new one takes over.
const (
	DefaultGrace = 24 * time.Hour
	MaxGrace     = 7 * 24 * time.Hour
)

// SigningSecrets are the keys that requests are signed with at a time, the
// newest first: two while the previous one is in its grace period.
func (e Endpoint) SigningSecrets(now time.Time) []string {
	switch {
	case e.SigningSecret == "":
		return nil
	case e.PreviousSecret == "" || !now.Before(e.PreviousUntil):
		return []string{e.SigningSecret}
	}
	return []string{e.SigningSecret, e.PreviousSecret}
}

// Secrets are all strings of an endpoint that nobody may read in a log.
func (e Endpoint) Secrets() []string {
	out := []string{e.Secret, e.SigningSecret, e.PreviousSecret}
	for _, h := range e.Headers {
		out = append(out, h[1])
	}
	return out
}

// MissedSince is since when an endpoint that is off has missed something: what
// failed before it was switched off for that included.
func (e Endpoint) MissedSince() time.Time {
	if e.DisabledBy == OffByFailing && !e.Failing.Since.IsZero() {
		return e.Failing.Since
	}
	return e.DisabledAt
}
