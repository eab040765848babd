package paraph

import "strings"

// Sentence tells an event to people, in a few words and without its time:
// "Ann Archer signed". Names are as they stand in the envelope now.
func (ev Event) Sentence(e *Envelope) string {
	who := ev.Actor.Label()
	about := ""
	if r, ok := e.Recipient(ev.RecipientID); ok {
		about = r.DisplayName()
	}
	switch ev.Type {
	case EnvelopeCreated:
		return who + " created the envelope"
	case DocumentAdded, DocumentRemoved, DocumentChanged:
		return ev.documentWords(who)
	case EnvelopeSent:
		return who + " sent it"
	case RecipientInvited:
		return about + " was invited"
	case RecipientReminded:
		return who + " reminded " + about
	case RecipientChanged:
		return who + " changed how " + about + " is reached"
	case RecipientViewed:
		return about + " opened it"
	case RecipientStarted:
		return about + " began to fill it in"
	case RecipientFinished:
		return finished(e, ev, who, about)
	case RecipientRefused:
		return about + " declined"
	case RecipientCertified:
		if Proof(ev.Data["proof"]) == ProofAPI {
			return "The part of " + about + " was signed by the server, for they did not act themselves"
		}
		return "The part of " + about + " was signed with a certificate of their own"
	case EnvelopeCompleted:
		return "Everybody has acted"
	case EnvelopeSealed:
		return "The documents were sealed"
	case EnvelopeTimestamped:
		return timestamped(ev)
	case TimestampFailed:
		return "No timestamp could be had; the documents stay sealed as they are"
	case EnvelopeCancelled:
		return who + " cancelled it"
	case EnvelopeExpired:
		return "Its time ran out"
	case EnvelopeArchived:
		return who + " archived it"
	case EnvelopeUnarchived:
		return who + " took it out of the archive"
	case EnvelopeDeleted:
		return who + " deleted it"
	case MailSent:
		return "Mail to " + ev.Data["to"] + ": " + mailWords(ev.Data["mail"])
	case MailFailed:
		return "Mail to " + ev.Data["to"] + " could not be delivered: " + mailWords(ev.Data["mail"])
	}
	return string(ev.Type)
}

func timestamped(ev Event) string {
	by := ""
	if ev.Data["by"] != "" {
		by = " by " + ev.Data["by"]
	}
	return "The sealed documents were timestamped" + by + " (" + ev.Data["level"] + ")"
}

// finished says what finishing meant for a kind of recipient, and who did it
// when it was not they themselves.
func finished(e *Envelope, ev Event, who, about string) string {
	r, _ := e.Recipient(ev.RecipientID)
	verb := map[RecipientKind]string{Approver: "approved", Viewer: "read it", Assistant: "prepared it"}[r.Kind]
	if verb == "" {
		verb = "signed"
	}
	if ev.Actor.Kind != ByRecipient {
		return who + " completed the part of " + about + " by the API"
	}
	return about + " " + verb
}

func mailWords(kind string) string { return strings.ReplaceAll(kind, "_", " ") }

// Word is the kind with a capital, as people read it.
func (k RecipientKind) Word() string {
	if k == CC {
		return "Gets a copy"
	}
	return strings.ToUpper(string(k[:1])) + string(k[1:])
}
