package desk

import (
	"context"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
)

// evidence is what the audit pages are made of.
type evidence struct {
	place  paraph.AuditPlace
	pages  seal.Audit
	trail  paraph.TrailFile
	digest map[int64]string // of sealed documents, by id, as far as they are made
}

// gather reads what the audit pages say. They hold for the envelope and the
// events as they are given.
func (d *Desk) gather(ctx context.Context, e *paraph.Envelope, events []paraph.Event) (evidence, error) {
	owner, err := d.Store.User(ctx, e.OwnerID)
	if err != nil {
		return evidence{}, err
	}
	p, err := d.preferencesOf(ctx, e)
	if err != nil {
		return evidence{}, err
	}
	zone, err := paraph.ZoneOf("time_zone", p.TimeZone)
	if err != nil { // it was there when it was set
		d.Log.Warn("the time zone is not known on this machine", "zone", p.TimeZone, "envelope", e.ID)
	}
	ev := evidence{place: p.Audit, trail: paraph.NewTrailFile(e, events), digest: map[int64]string{}}
	ev.pages = seal.Audit{
		Title: e.Name, ID: e.PublicID, Status: string(e.Status), Sender: owner.Name + " <" + owner.Email + ">",
		Created: e.CreatedAt, Sent: e.SentAt, Completed: e.EndedAt, VerifyURL: d.Links.Verify(), Instance: d.Instance,
		TrailHash: ev.trail.LastHash, Language: p.Language, Zone: zone, At: d.Store.Now(),
	}
	ev.trail.Instance, ev.trail.VerifyURL, ev.trail.MadeAt = d.Instance, d.Links.Verify(), d.Store.Now().UTC()
	ev.trail.Envelope.SentBy, ev.trail.Envelope.Language, ev.trail.Envelope.TimeZone = ev.pages.Sender, p.Language, zone.String()
	for _, r := range e.Recipients {
		line, err := d.auditRecipient(ctx, e, r, events)
		if err != nil {
			return ev, err
		}
		ev.pages.Recipients = append(ev.pages.Recipients, line)
	}
	for _, x := range events {
		ev.pages.Events = append(ev.pages.Events, auditEvent(e, x))
	}
	return ev, nil
}

// preferencesOf are the account's, but for what the envelope sets by itself.
func (d *Desk) preferencesOf(ctx context.Context, e *paraph.Envelope) (paraph.Preferences, error) {
	p, err := d.Store.Preferences(ctx, e.AccountID)
	if e.Language != "" {
		p.Language = e.Language
	}
	if e.TimeZone != "" {
		p.TimeZone = e.TimeZone
	}
	return p, err
}

// audit is the pages with what is known by now: the digests of sealed
// documents stand only in what is made after them.
func (ev *evidence) audit(e *paraph.Envelope) (seal.Audit, error) {
	a := ev.pages
	a.Documents = nil
	for i, doc := range e.Documents {
		line := seal.AuditDocument{Name: doc.Name, Pages: len(doc.Pages), SHA256: doc.Uploaded, Sealed: ev.digest[doc.ID]}
		if doc.Original != doc.Uploaded {
			line.Signed = doc.Original
		}
		for _, note := range doc.Notes {
			line.Note = strings.TrimSpace(line.Note + " " + note.Sentence())
		}
		a.Documents = append(a.Documents, line)
		ev.trail.Documents[i].Sealed = ev.digest[doc.ID]
	}
	var err error
	a.Trail, err = ev.trail.JSON()
	return a, err
}

func auditEvent(e *paraph.Envelope, ev paraph.Event) seal.AuditEvent {
	out := seal.AuditEvent{
		At: ev.At, Code: string(ev.Type), What: ev.Sentence(e), Who: ev.Actor.Label(), Data: ev.Data,
		IP: ev.Actor.IP, UserAgent: ev.Actor.UserAgent, Hash: ev.Hash,
	}
	r, ok := e.Recipient(ev.RecipientID)
	if !ok {
		return out
	}
	out.About = r.DisplayName()
	if ev.Type == paraph.RecipientFinished {
		switch {
		case ev.Actor.Kind != paraph.ByRecipient:
			out.Code += ".api"
		case r.Kind != paraph.Signer:
			out.Code += "." + string(r.Kind)
		}
	}
	return out
}

func (d *Desk) auditRecipient(ctx context.Context, e *paraph.Envelope, r paraph.Recipient, events []paraph.Event) (seal.AuditRecipient, error) {
	out := seal.AuditRecipient{
		Name: r.Name, Email: r.Email, Kind: string(r.Kind), Role: r.Role, Status: recipientState(r), Reason: r.DeclineReason,
		Sent: r.SentAt, Opened: r.OpenedAt, Acted: latest(r.CompletedAt, r.DeclinedAt), IP: r.IP, UserAgent: r.UserAgent, ID: r.UUID,
		Proof: string(paraph.ProofOf(r, events)), Consent: paraph.ConsentOf(r, events),
	}
	for _, f := range e.FieldsOf(r.ID) {
		if f.Type != paraph.SignatureField || f.Value.Image == "" {
			continue
		}
		png, err := d.Blobs.Get(ctx, f.Value.Image)
		if err != nil {
			return out, err
		}
		out.Signature = png
		break
	}
	return out, nil
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// recipientState is the code of what a recipient did; see seal.AuditRecipient.
func recipientState(r paraph.Recipient) string {
	switch {
	case !r.Kind.Acts():
		return ""
	case !r.DeclinedAt.IsZero():
		return "declined"
	case r.CompletedAt.IsZero():
		return "waiting"
	}
	switch r.Kind {
	case paraph.Approver:
		return "approved"
	case paraph.Viewer:
		return "read"
	case paraph.Assistant:
		return "prepared"
	}
	return "signed"
}
