package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/sign"
)

// showOutcome is the page of a signing link when there is nothing to do.
func (s *server) showOutcome(w http.ResponseWriter, r *http.Request, p *part) error {
	o, status := s.outcome(r, p)
	switch {
	case o.Next != "" && r.URL.Query().Get("done") != "":
		w.Header().Set("Refresh", "4; url="+o.Next)
	case o.Sealing:
		refreshSoon(w, s.Store.Now().Sub(p.e.EndedAt), p.path())
	}
	return s.public(w, r, status, sign.OutcomePage(o), kit.Page{Title: o.Title, NoIndex: true})
}

// outcome says how things stand, and the page's status code.
func (s *server) outcome(r *http.Request, p *part) (sign.Outcome, int) {
	now := s.Store.Now()
	o := sign.Outcome{Envelope: p.e.Name, Sender: s.sender(r.Context(), &p.e), Now: now}
	switch {
	case !p.e.DeletedAt.IsZero():
		return sign.Outcome{
			Title: "This envelope was deleted", Text: "The sender took it back. There is nothing to sign here any more; ask them if you did not expect that.",
			Status: kit.Status{Label: "Deleted", Tone: kit.Neutral, Icon: "trash"},
		}, http.StatusGone
	case p.e.Status == paraph.Draft:
		o.Title, o.Text = "Not sent yet", "The sender is still preparing this. You will get a mail when it is ready."
		o.Status = kit.StatusOf("draft")
		o.Envelope = ""
		return o, http.StatusOK
	case p.e.Status == paraph.Rejected:
		return rejected(o, p), http.StatusOK
	case p.e.Status == paraph.Cancelled:
		o.Title, o.Text = "This envelope was cancelled", "The sender called it off, so nobody can sign it any more. If you signed already, nothing came of it."
		o.Status = kit.StatusOf("cancelled")
		return o, http.StatusOK
	case p.e.Status != paraph.Completed && ended(&p.e, now):
		o.Title = "The time to sign is over"
		o.Text = "Not everybody signed before the last day, so nothing came of it. Ask the sender to send it once more."
		o.Status = kit.StatusOf("expired")
		return o, http.StatusOK
	}
	return s.underway(o, p), http.StatusOK
}

func rejected(o sign.Outcome, p *part) sign.Outcome {
	o.Title, o.Text = "This envelope was declined", "Somebody declined it, so nobody can sign it any more. The sender knows."
	o.Status = kit.StatusOf("declined")
	if !p.r.DeclinedAt.IsZero() {
		o.Title, o.Text, o.Reason = "You declined", "The sender has been told, with your reason. Nothing else is to be done.", p.r.DeclineReason
	}
	return o
}

// underway is the page while the envelope lives, and after it was completed.
func (s *server) underway(o sign.Outcome, p *part) sign.Outcome {
	done := p.e.Status == paraph.Completed
	o.Waiting, o.Status = people(&p.e), recipientStatus(&p.e, p.r)
	o.Sealing = done && p.e.SealedAt.IsZero()
	switch {
	case !p.r.Kind.Acts():
		o.Title, o.Text = "You get a copy of this", "There is nothing for you to do. When everybody has finished, the sealed PDF comes by mail and stands here."
		if done {
			o.Text = "Everybody has finished. There is nothing for you to do."
		}
	case p.r.CompletedAt.IsZero():
		o.Title, o.Text = "It is not your turn yet", "Others come before you. You will get a mail when it is your turn, and can close this page until then."
		return o
	default:
		o.Title, o.Text = thanks(p.r.Kind), finishedText(&p.e)
		o.Next, o.NextHost, _ = safeURL(or(p.r.RedirectTo, p.e.RedirectTo))
	}
	if !p.mayRead(s.Store.Now()) {
		return o
	}
	for _, d := range p.e.Documents {
		facts := pageCount(len(d.Pages)) + ", as it stands now"
		if d.Sealed != "" {
			facts = pageCount(len(d.Pages)) + ", signed by all and sealed"
		}
		href := p.path() + "/documents/" + strconv.FormatInt(d.ID, 10)
		o.Downloads = append(o.Downloads, sign.Download{Label: d.Name, Href: href, Facts: facts, Original: href + "/original"})
	}
	o.Downloads = append(o.Downloads, p.together()...)
	if !p.e.SealedAt.IsZero() {
		o.Verify = "/verify"
	}
	return o
}

// together are the downloads of more than one document.
func (p *part) together() (all []sign.Download) {
	if p.e.AuditLog != "" {
		all = append(all, sign.Download{Label: "Audit log", Href: p.path() + "/audit-log", Facts: "Who did what, when and from where"})
	}
	all = append(all, sign.Download{Label: "All as ZIP", Href: p.path() + "/files.zip", Facts: "These files and the documents as they were sent"})
	if !p.e.SealedAt.IsZero() {
		all = append(all, sign.Download{Label: "All as one PDF", Href: p.path() + "/combined.pdf", Facts: "A copy to read, without a seal"})
	}
	return all
}

func thanks(k paraph.RecipientKind) string {
	switch k {
	case paraph.Approver:
		return "You have approved it"
	case paraph.Viewer:
		return "You have read it"
	case paraph.Assistant:
		return "Your part is done"
	}
	return "You have signed"
}

// finishedText says what happens next.
func finishedText(e *paraph.Envelope) string {
	if e.Status == paraph.Completed && !e.SealedAt.IsZero() {
		return "Everybody has finished, and the documents are sealed. Take your copy along; it also came by mail."
	}
	if e.Status == paraph.Completed {
		return "Everybody has finished. The documents are being sealed; you get them by mail, and can download them here."
	}
	var left []paraph.Recipient
	for _, r := range e.Recipients {
		if !r.Done() {
			left = append(left, r)
		}
	}
	return "Thank you; it is recorded. Still to come: " + firstNames(left) + ". When everybody has finished you get the sealed PDF by mail, and can download it here."
}

// firstNames are people without their addresses: whoever reads this knows at
// most their names.
func firstNames(rs []paraph.Recipient) string {
	anonymous := make([]paraph.Recipient, len(rs))
	for i, r := range rs {
		anonymous[i] = paraph.Recipient{Name: publicName(r)}
	}
	return names(anonymous)
}

// publicName is what others who are involved may read of a recipient.
func publicName(r paraph.Recipient) string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Email != "":
		return maskEmail(r.Email)
	}
	return r.Role
}

// maskEmail leaves the first letter of an address and its domain's ending.
func maskEmail(email string) string {
	name, domain, ok := strings.Cut(email, "@")
	if !ok || name == "" {
		return "•••"
	}
	first := string([]rune(name)[:1])
	host := string([]rune(domain + "•")[:1])
	ending := ""
	if i := strings.LastIndexByte(domain, '.'); i > 0 {
		ending = domain[i:]
	}
	return first + "•••@" + host + "•••" + ending
}

func people(e *paraph.Envelope) []sign.Waiting {
	var out []sign.Waiting
	for _, r := range e.Recipients {
		if r.Kind.Acts() {
			out = append(out, sign.Waiting{Name: publicName(r), Does: does(r.Kind), State: recipientStatus(e, r)})
		}
	}
	return out
}
