package mail

import "time"

// WebhookFailing tells that an endpoint does not take what it asked for.
type WebhookFailing struct {
	To       Address
	Endpoint string    // its URL
	Problem  string    // a sentence
	Last     string    // what went wrong last; may be empty
	Since    time.Time // of the first failure after the last success; zero: not said
	OffAt    time.Time // when it will be switched off unless something succeeds; zero: not said
	GaveUp   bool      // it is about one delivery whose schedule is used up
	Disabled bool      // it was switched off
	URL      string    // the webhook's page, or the delivery's
}

// NewWebhookFailing writes to somebody who can mend a webhook.
func NewWebhookFailing(in WebhookFailing) Message {
	endpoint := short(line(in.Endpoint), 100)
	subject, heading, what := "A webhook is failing: "+endpoint, "A webhook is failing", "Its deliveries are tried again by its schedule."
	open := "Open the webhook"
	switch {
	case in.Disabled:
		subject, heading = "A webhook was switched off: "+endpoint, "A webhook was switched off"
		what = "What happens meanwhile is kept and can be sent again once you switch it on."
	case in.GaveUp:
		subject, heading = "A webhook’s delivery was given up: "+endpoint, "A webhook’s delivery was given up"
		what, open = "It is kept and can be sent again, with others like it, from the webhook’s page.", "Open the delivery"
	}
	return compose(in.To, subject, letter{
		Preheader: in.Problem,
		Heading:   heading,
		Greeting:  greeting(in.To),
		Body:      []string{in.Problem + " " + what},
		Facts:     in.facts(),
		Button:    button{open, in.URL},
		Notes:     []string{"You get this mail because you manage the space that the webhook belongs to."},
	})
}

func (in WebhookFailing) facts() []fact {
	facts := []fact{{"Webhook", in.Endpoint}}
	if in.Last != "" {
		facts = append(facts, fact{"Last failure", short(line(in.Last), 300)})
	}
	if !in.Since.IsZero() {
		facts = append(facts, fact{"Failing since", day(in.Since)})
	}
	if !in.OffAt.IsZero() && !in.Disabled {
		facts = append(facts, fact{"Switched off", day(in.OffAt) + ", unless a delivery succeeds before"})
	}
	return facts
}
