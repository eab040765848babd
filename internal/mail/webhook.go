package mail

// WebhookFailing tells that an endpoint does not take what it asked for.
type WebhookFailing struct {
	To       Address
	Endpoint string // its URL
	Problem  string // a sentence
	Disabled bool   // it was switched off
	URL      string // the webhook's page
}

// NewWebhookFailing writes to somebody who can mend a webhook.
func NewWebhookFailing(in WebhookFailing) Message {
	endpoint := short(line(in.Endpoint), 100)
	subject, heading, what := "A webhook is failing: "+endpoint, "A webhook is failing", "Its deliveries are tried again by its schedule."
	if in.Disabled {
		subject, heading = "A webhook was switched off: "+endpoint, "A webhook was switched off"
		what = "What happens meanwhile is kept and can be sent again once you switch it on."
	}
	return compose(in.To, subject, letter{
		Preheader: in.Problem,
		Heading:   heading,
		Greeting:  greeting(in.To),
		Body:      []string{in.Problem + " " + what},
		Facts:     []fact{{"Webhook", in.Endpoint}},
		Button:    button{"Open the webhook", in.URL},
		Notes:     []string{"You get this mail because you manage the space that the webhook belongs to."},
	})
}
