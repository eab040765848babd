package mail

import (
	"fmt"
	"time"
)

// SealExpiry tells that the certificate that seals ends or has ended.
type SealExpiry struct {
	To          Address
	Subject     string // of the certificate
	Fingerprint string // SHA-256, in hex
	From        string // where the operator's is from; "" when it can be changed in the settings
	End         time.Time
	Left        time.Duration // until then; negative when it has ended
	Waiting     int           // envelopes that are finished and wait to be sealed
	URL         string        // the settings' page
}

// NewSealExpiry writes to an owner of the instance.
func NewSealExpiry(in SealExpiry) Message {
	heading := "The certificate that seals ends " + inDays(in.Left)
	text := "From then on finished documents wait: nothing is sealed until there is a valid certificate. Signing goes on, and nothing is lost."
	if in.Left < 0 {
		heading = "The certificate that seals has ended"
		text = "Finished documents wait now: nothing is sealed until there is a valid certificate. Signing goes on, nothing is lost, and what waits " +
			"is sealed by itself then."
	}
	how := "Upload a new one or have one made on the page below."
	if in.From != "" {
		how = "It is given at the start of the server (" + in.From + "): put a new one there and start the server again."
	}
	facts := []fact{{"Certificate", in.Subject}, {"Valid until", day(in.End)}, {"SHA-256", in.Fingerprint}}
	if in.Waiting > 0 {
		facts = append(facts, fact{"Waiting", fmt.Sprintf("%d finished envelopes", in.Waiting)})
	}
	return compose(in.To, heading, letter{
		Preheader: how,
		Heading:   heading,
		Greeting:  greeting(in.To),
		Body:      []string{text, how},
		Facts:     facts,
		Button:    button{"Open the certificate", in.URL},
		Notes:     []string{"You get this mail because you own this server."},
	})
}

// inDays is a time to come in whole days, as a heading ends.
func inDays(left time.Duration) string {
	switch n := int((left + 12*time.Hour) / (24 * time.Hour)); n {
	case 0:
		return "within a day"
	case 1:
		return "tomorrow"
	default:
		return fmt.Sprintf("in %d days", n)
	}
}

// Day is a moment in words, as mails say it.
func Day(t time.Time) string { return day(t) }
