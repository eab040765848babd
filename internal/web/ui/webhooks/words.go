package webhooks

import "github.com/paraph-sign/paraph/internal/web/ui/kit"

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

func (v Webhook) rotateDialog() kit.Confirm {
	return kit.Confirm{
		ID: "rotate", Title: "Make a new signing secret?", Text: "From the next request on, signatures are made with the new one only. Give it to the receiver at once.",
		Action: v.path() + "/secret", Label: "Make a new one", Open: v.Open == "rotate", Close: v.path(), KeepText: "Keep the present one",
	}
}

// here is this page with what it is filtered by.
func (v Webhook) here() string {
	if v.Self != "" {
		return v.Self
	}
	return v.path()
}
