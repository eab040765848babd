package webhooks

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

// here is this page with what it is filtered by.
func (v Webhook) here() string {
	if v.Self != "" {
		return v.Self
	}
	return v.path()
}
