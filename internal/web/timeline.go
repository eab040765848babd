package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/envelope"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// timeline is a trail as people read it, newest first.
func timeline(e *paraph.Envelope, events []paraph.Event, now time.Time) []kit.Moment {
	out := make([]kit.Moment, 0, len(events))
	for i := len(events) - 1; i >= 0; i-- {
		m := moment(e, events[i])
		m.At, m.Now, m.Facts = events[i].At, now, facts(events[i])
		out = append(out, m)
	}
	return out
}

// moment is an event in words.
func moment(e *paraph.Envelope, ev paraph.Event) kit.Moment {
	who := nameOf(e, ev.RecipientID)
	by := ev.Actor.Label()
	switch ev.Type {
	case paraph.EnvelopeCreated:
		return kit.Moment{Icon: "file", Title: "Created by " + by + through(ev)}
	case paraph.DocumentAdded, paraph.DocumentRemoved, paraph.DocumentChanged:
		return documentMoment(ev, by)
	case paraph.EnvelopeSent:
		return kit.Moment{Icon: "send", Tone: kit.Info, Title: "Sent by " + by + through(ev)}
	case paraph.RecipientInvited:
		return kit.Moment{Icon: "mail", Tone: kit.Info, Title: who + " was invited"}
	case paraph.RecipientReminded:
		return kit.Moment{Icon: "mail", Tone: kit.Info, Title: by + " reminded " + who}
	case paraph.RecipientChanged:
		return kit.Moment{Icon: "pencil", Title: by + " changed how " + who + " is reached", Detail: changes(ev.Data)}
	case paraph.RecipientViewed:
		return kit.Moment{Icon: "eye", Tone: kit.Info, Title: who + " opened the documents"}
	case paraph.RecipientStarted:
		return kit.Moment{Icon: "pencil", Tone: kit.Info, Title: who + " began to fill in"}
	case paraph.RecipientFinished:
		return finishedMoment(e, ev, who)
	case paraph.RecipientRefused:
		return kit.Moment{Icon: "x", Tone: kit.Error, Title: who + " declined", Detail: quoted(ev.Data["reason"])}
	}
	return laterMoment(ev, who, by)
}

// documentMoment tells of a document, with its digest and what was done with
// the file.
func documentMoment(ev paraph.Event, by string) kit.Moment {
	name := quoted(ev.Data["name"])
	switch {
	case ev.Type == paraph.DocumentRemoved:
		return kit.Moment{Icon: "trash", Title: by + " took " + name + " out"}
	case ev.Type == paraph.DocumentChanged && ev.Data["why"] == "form_restored":
		return kit.Moment{Icon: "file", Title: by + " gave " + name + " its form fields back", Detail: "SHA-256 " + ev.Data["sha256"]}
	case ev.Type == paraph.DocumentChanged:
		return kit.Moment{Icon: "file", Title: by + " used the form fields of " + name, Detail: "SHA-256 " + ev.Data["sha256"]}
	}
	m := kit.Moment{Icon: "file", Title: name + " was added by " + by + through(ev)}
	said := []string{"SHA-256 " + ev.Data["sha256"] + "."}
	if up := ev.Data["uploaded_sha256"]; up != "" {
		said = append(said, "The file that was uploaded: "+up+".")
	}
	for _, n := range ev.Notes() {
		said = append(said, n.Sentence())
		if n.Warns() {
			m.Tone = kit.Warning
		}
	}
	m.Detail = strings.Join(said, " ")
	return m
}

func laterMoment(ev paraph.Event, who, by string) kit.Moment {
	switch ev.Type {
	case paraph.EnvelopeCompleted:
		return kit.Moment{Icon: "check", Tone: kit.Success, Title: "Everybody has finished"}
	case paraph.RecipientCertified:
		how := "with a certificate of their own"
		if paraph.Proof(ev.Data["proof"]) == paraph.ProofAPI {
			how = "by the server, for they did not act themselves"
		}
		return kit.Moment{Icon: "seal", Title: "The part of " + who + " was signed " + how, Detail: "Serial number " + ev.Data["certificate_serial"]}
	case paraph.EnvelopeSealed:
		return kit.Moment{Icon: "seal", Tone: kit.Success, Title: "Sealed", Detail: "The sealed PDF and its audit log are stored."}
	case paraph.EnvelopeTimestamped:
		return timestampedMoment(ev)
	case paraph.TimestampFailed:
		return kit.Moment{
			Icon: "warning", Tone: kit.Warning, Title: "No timestamp could be had",
			Detail: "No timestamp authority answered for weeks, or what it takes beside was not to be had. The documents stay sealed and valid at level " + or(ev.Data["level"], "B-B") + ".",
		}
	case paraph.EnvelopeCancelled:
		return kit.Moment{Icon: "ban", Tone: kit.Warning, Title: "Cancelled by " + by, Detail: quoted(ev.Data["reason"])}
	case paraph.EnvelopeExpired:
		return kit.Moment{Icon: "hourglass", Tone: kit.Warning, Title: "The time to sign ran out"}
	case paraph.EnvelopeArchived:
		return kit.Moment{Icon: "file", Title: by + " put it into the archive"}
	case paraph.EnvelopeUnarchived:
		return kit.Moment{Icon: "file", Title: by + " brought it back from the archive"}
	case paraph.EnvelopeDeleted:
		return kit.Moment{Icon: "trash", Title: "Deleted by " + by}
	case paraph.MailSent:
		return kit.Moment{Icon: "mail", Title: capital(mailName(ev.Data["mail"])) + " went to " + ev.Data["to"]}
	case paraph.MailFailed:
		return kit.Moment{
			Icon: "warning", Tone: kit.Error, Title: capital(mailName(ev.Data["mail"])) + " to " + or(ev.Data["to"], who) + " could not be sent",
			Detail: capital(mailError(ev.Data["error"])) + ". It was tried for a day and given up; copy the signing link, or resend.",
		}
	}
	return kit.Moment{Icon: "dot", Title: string(ev.Type)}
}

func timestampedMoment(ev paraph.Event) kit.Moment {
	m := kit.Moment{Icon: "seal", Tone: kit.Success, Title: "Timestamped", Detail: "The sealed documents are at level " + ev.Data["level"] + "."}
	if ev.Data["by"] != "" {
		m.Title += " by " + ev.Data["by"]
	}
	return m
}

func finishedMoment(e *paraph.Envelope, ev paraph.Event, who string) kit.Moment {
	m := kit.Moment{Icon: "pen", Tone: kit.Success, Title: who + " signed"}
	if r, ok := e.Recipient(ev.RecipientID); ok && r.Kind != paraph.Signer {
		verb := map[paraph.RecipientKind]string{paraph.Approver: " approved", paraph.Viewer: " has read it", paraph.Assistant: " filled in their part"}
		m.Icon, m.Title = "check", who+or(verb[r.Kind], " finished")
	}
	if ev.Actor.Kind == paraph.ByAPI {
		m.Detail = "On their behalf, by " + ev.Actor.Label() + through(ev) + "."
	}
	if c := ev.Data["consent"]; c != "" {
		m.Detail = quoted(c)
	}
	return m
}

func through(ev paraph.Event) string {
	if ev.Actor.Kind == paraph.ByAPI {
		return " by API"
	}
	return ""
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "“" + s + "”"
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func changes(data map[string]string) string {
	var out []string
	for _, key := range []string{"name", "email"} {
		if is, ok := data[key]; ok {
			out = append(out, fmt.Sprintf("%s: %s instead of %s", capital(key), or(is, "none"), or(data["old_"+key], "none")))
		}
	}
	return strings.Join(out, "; ")
}

// mailName is a kind of mail in words.
func mailName(kind string) string {
	switch kind {
	case "declined":
		return "the notice that it was declined"
	case "cancelled":
		return "the notice that it was cancelled"
	case "completed":
		return "the notice that it is complete"
	}
	return "the " + strings.ReplaceAll(or(kind, "mail"), "_", " ")
}

// nameOf is what a recipient is called.
func nameOf(e *paraph.Envelope, id int64) string {
	if id == 0 {
		return "the sender"
	}
	if r, ok := e.Recipient(id); ok {
		return r.DisplayName()
	}
	return "somebody who is not in it any more"
}

// facts are the evidence beside an event.
func facts(ev paraph.Event) []kit.Pair {
	var out []kit.Pair
	if ev.Actor.IP != "" {
		out = append(out, kit.Pair{Name: "IP", Value: ev.Actor.IP})
	}
	out = append(out, kit.Pair{Name: "Hash", Value: short(ev.Hash)})
	if ev.Actor.UserAgent != "" {
		out = append(out, kit.Pair{Name: "Browser", Value: ev.Actor.UserAgent})
	}
	return out
}

func short(digest string) string {
	if len(digest) <= 12 {
		return digest
	}
	return digest[:12] + "…"
}

// trail says whether the chain of events is whole.
func trail(events []paraph.Event) envelope.Trail {
	if err := paraph.VerifyTrail(events); err != nil {
		return envelope.Trail{Text: "The trail does not hold: " + err.Error() + ". Compare it with a backup, and tell whoever runs this server."}
	}
	t := envelope.Trail{Sound: true, Text: "Each entry carries a hash over itself and the one before it. " + count(len(events), "entry") + " checked; the last hash is "}
	t.Text = strings.Replace(t.Text, "entrys", "entries", 1)
	if len(events) > 0 {
		t.Hash = events[len(events)-1].Hash
	}
	return t
}
