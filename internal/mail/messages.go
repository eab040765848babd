package mail

import (
	"fmt"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

// MaxAttached is the size in bytes below which the sealed PDFs are attached; from there on a link stands for them.
const MaxAttached = 10_000_000

const product = "Paraph"

const ignore = "If you didn’t expect this mail, you can ignore it."

// Invitation asks a recipient to act. Reminder sends the same once more.
type Invitation struct {
	To       Address
	Kind     paraph.RecipientKind
	Sender   Address
	Team     string // on whose behalf the sender acts; empty for a person
	Envelope string // its title
	Subject  string // the sender's own; empty for ours
	Message  string // the sender's own; may have several lines; may be empty
	URL      string // the recipient's own signing link
	Expires  time.Time
}

// NewInvitation writes to a recipient whose turn it is.
func NewInvitation(in Invitation) Message {
	asks := invitationWords(in.Kind)
	subject := fmt.Sprintf("%s %s “%s”", in.Sender.name(), asks.verb, title(in.Envelope))
	if s := line(in.Subject); s != "" {
		subject = short(s, 200)
	}
	return in.message(subject, letter{
		Heading: fmt.Sprintf("%s %s “%s”", in.Sender.name(), asks.verb, title(in.Envelope)),
		Body:    []string{in.opening() + " " + asks.purpose},
	})
}

// NewReminder writes once more to a recipient who has not acted yet.
func NewReminder(in Invitation) Message {
	asks := invitationWords(in.Kind)
	return in.message(fmt.Sprintf("Reminder: %s %s “%s”", in.Sender.name(), asks.verb, title(in.Envelope)), letter{
		Heading: fmt.Sprintf("“%s” is still waiting for you", title(in.Envelope)),
		Body:    []string{"This is a friendly reminder. " + in.opening() + " " + asks.purpose},
	})
}

// asking is how an invitation is put to one kind of recipient.
type asking struct{ verb, purpose, button string }

func invitationWords(kind paraph.RecipientKind) asking {
	switch kind {
	case paraph.Approver:
		return asking{"asks you to approve", "Please read it and approve it, or decline.", "Review and approve"}
	case paraph.Viewer:
		return asking{"asks you to read", "There is nothing for you to sign.", "Read the document"}
	case paraph.Assistant:
		return asking{"asks you to prepare", "Please fill in what is missing before others sign.", "Prepare the document"}
	case paraph.CC:
		return asking{"sends you a copy of", "There is nothing for you to do.", "View the document"}
	default:
		return asking{"asks you to sign", "You can read it, sign it or decline in your browser.", "Review and sign"}
	}
}

func (in Invitation) opening() string {
	if in.Team != "" {
		return fmt.Sprintf("%s of %s has sent you a document.", in.Sender.name(), line(in.Team))
	}
	return in.Sender.name() + " has sent you a document."
}

func (in Invitation) message(subject string, l letter) Message {
	l.Preheader = l.Body[0]
	l.Greeting = greeting(in.To)
	l.Quote = quote{Who: in.Sender.name(), Text: in.Message}
	l.Button = button{invitationWords(in.Kind).button, in.URL}
	l.Facts = []fact{{"Document", in.Envelope}, {"From", in.Sender.String()}, {"Team", in.Team}, {"Open until", day(in.Expires)}}
	l.Notes = []string{
		"This link is yours alone: whoever has it can act in your name. Please don’t forward this mail.",
		"You need no account to open it. " + ignore,
	}
	return in.Sender.writes(compose(in.To, subject, l))
}

// Declined tells that a recipient refused, which ended the envelope.
type Declined struct {
	To       Address
	Who      Address
	Envelope string
	Reason   string // may have several lines; may be empty
	URL      string // the envelope's page; empty for who can't see it
}

// NewDeclined writes to the owner, or to recipients who need not act any more.
func NewDeclined(in Declined) Message {
	return compose(in.To, fmt.Sprintf("%s declined “%s”", in.Who.name(), title(in.Envelope)), letter{
		Preheader: "Nobody else can sign it now.",
		Heading:   fmt.Sprintf("%s declined “%s”", in.Who.name(), title(in.Envelope)),
		Greeting:  greeting(in.To),
		Body:      []string{"With this the document has ended: nobody else can sign it, and links to sign it no longer work."},
		Quote:     quote{Who: in.Who.name(), Text: in.Reason},
		Facts:     []fact{{"Document", in.Envelope}, {"Declined by", in.Who.String()}},
		Button:    button{"Open the document", in.URL},
		Notes:     []string{"You get this mail because you take part in this document."},
	})
}

// Cancelled tells a recipient that the sender took the envelope back.
type Cancelled struct {
	To       Address
	Sender   Address
	Envelope string
	Reason   string // may have several lines; may be empty
}

// NewCancelled writes to a recipient who was invited or has signed.
func NewCancelled(in Cancelled) Message {
	return in.Sender.writes(compose(in.To, fmt.Sprintf("%s cancelled “%s”", in.Sender.name(), title(in.Envelope)), letter{
		Preheader: "There is nothing more for you to do.",
		Heading:   fmt.Sprintf("%s cancelled “%s”", in.Sender.name(), title(in.Envelope)),
		Greeting:  greeting(in.To),
		Body:      []string{"There is nothing more for you to do. The link that you were sent no longer lets anyone sign."},
		Quote:     quote{Who: in.Sender.name(), Text: in.Reason},
		Facts:     []fact{{"Document", in.Envelope}, {"From", in.Sender.String()}},
		Notes:     []string{"Questions? Reply to this mail to reach " + in.Sender.name() + "."},
	}))
}

// Completed hands out the sealed document.
type Completed struct {
	To       Address
	Sender   Address
	Envelope string
	SignedBy []string     // names of who acted, in order
	URL      string       // where the sealed document can be downloaded
	Files    []Attachment // the sealed documents; empty when only the link is sent
}

// NewCompleted writes to everybody who takes part, the owner included. The documents are attached when all of them
// together are smaller than MaxAttached; the link is there in any case.
func NewCompleted(in Completed) Message {
	size := 0
	for _, f := range in.Files {
		size += len(f.Data)
	}
	attach := size > 0 && size < MaxAttached
	where := "The sealed document is ready for you to download."
	switch {
	case attach && len(in.Files) > 1:
		where = "The sealed documents are attached to this mail and can also be downloaded."
	case attach:
		where = "The sealed document is attached to this mail and can also be downloaded."
	}
	m := in.Sender.writes(compose(in.To, fmt.Sprintf("Completed: “%s”", title(in.Envelope)), letter{
		Preheader: "Everyone has acted. " + where,
		Heading:   fmt.Sprintf("“%s” is complete", title(in.Envelope)),
		Greeting:  greeting(in.To),
		Body:      []string{"Everyone has acted. " + where},
		Facts:     []fact{{"Document", in.Envelope}, {"From", in.Sender.String()}, {"Signed by", strings.Join(in.SignedBy, ", ")}},
		Button:    button{"Download the document", in.URL},
		Notes: []string{
			"The document carries a digital seal: any change made to it later can be detected. Please keep the PDF as it is; " +
				"printing it or saving it anew loses the seal.",
		},
	}))
	if attach {
		for _, f := range in.Files {
			m.Attachments = append(m.Attachments, Attachment{Name: line(f.Name), ContentType: f.ContentType, Data: f.Data})
		}
	}
	return m
}

// PasswordReset lets somebody who forgot a password choose another.
type PasswordReset struct {
	To       Address
	URL      string
	ValidFor time.Duration
	IP       string // where the request came from; may be empty
}

// NewPasswordReset writes to a user.
func NewPasswordReset(in PasswordReset) Message {
	return compose(in.To, "Choose a new password for "+product, letter{
		Preheader: "The link works once and for " + span(in.ValidFor) + ".",
		Heading:   "Choose a new password",
		Greeting:  greeting(in.To),
		Body: []string{
			"Somebody, most likely you, asked to reset the password of " + in.To.Email + ". The link works once and for " +
				span(in.ValidFor) + ".",
		},
		Facts:  []fact{{"Asked from", in.IP}},
		Button: button{"Choose a new password", in.URL},
		Notes:  []string{"It wasn’t you? Then ignore this mail: your password stays as it is."},
	})
}

// TeamInvitation asks somebody to join a team.
type TeamInvitation struct {
	To      Address
	Inviter Address
	Team    string
	URL     string
	Expires time.Time
}

// NewTeamInvitation writes to somebody who may have no account yet.
func NewTeamInvitation(in TeamInvitation) Message {
	return in.Inviter.writes(compose(in.To, fmt.Sprintf("%s invites you to the team “%s”", in.Inviter.name(), title(in.Team)), letter{
		Preheader: "See and send the documents of the team.",
		Heading:   fmt.Sprintf("%s invites you to the team “%s”", in.Inviter.name(), title(in.Team)),
		Greeting:  greeting(in.To),
		Body:      []string{"As a member you see the documents of the team and can send documents on its behalf."},
		Facts:     []fact{{"Team", in.Team}, {"Invited by", in.Inviter.String()}, {"Open until", day(in.Expires)}},
		Button:    button{"Join the team", in.URL},
		Notes:     []string{ignore},
	}))
}

// writes makes a message look as if the person sent it, and brings answers to that person.
func (a Address) writes(m Message) Message {
	m.FromName = line(a.name()) + " via " + product
	if a.Email != "" {
		m.ReplyTo = Address{Name: line(a.Name), Email: a.Email}
	}
	return m
}

// title is a title as a sentence can bear it; the whole of it is among the facts.
func title(s string) string { return short(line(s), 100) }

func greeting(to Address) string {
	if to.Name == "" {
		return "Hello,"
	}
	return "Hello " + to.Name + ","
}

// day is a moment in words, or nothing for the zero time.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 January 2006, 15:04 UTC")
}

// span is a duration in words, in the largest unit that divides it.
func span(d time.Duration) string {
	units := []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}}
	for _, unit := range units {
		if n := d / unit.length; n > 0 && d%unit.length == 0 {
			if n == 1 {
				return "1 " + unit.name
			}
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.Round(time.Minute).String()
}
