package webhooks

import "time"

func (v Webhook) offText() string {
	since := " It has been off since " + v.OffSince.UTC().Format("2 January 2006, 15:04 UTC") + "; what happened meanwhile is kept as skipped and can be sent again."
	if v.OffSince.IsZero() {
		since = ""
	}
	if v.Why != "" {
		return "This webhook was switched off. " + v.Why + since
	}
	return "This webhook is switched off: nothing is sent." + since
}

// moment is a time of day, with its date unless that is today's.
func moment(at, now time.Time) string {
	at, now = at.UTC(), now.UTC()
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04:05 UTC")
	}
	return at.Format("2 Jan, 15:04:05 UTC")
}
