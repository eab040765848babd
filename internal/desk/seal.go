package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
)

// sealEnvelope is the job that makes a completed envelope's artefacts:
//
//  1. Every document and the audit log are sealed in memory, and verified by
//     the code of `paraph verify`.
//  2. Their bytes are stored under their digests.
//  3. One transaction names them in the envelope, if it still has the version
//     that they were made from, and tells everybody.
//
// If we stop in 1, nothing has happened. If we stop in 2 or before the commit
// of 3, bytes are stored that nothing refers to. In each case the job's claim
// runs out and it runs again from the start. If we stop after the commit, the
// job finds the envelope sealed and is done.
func (d *Desk) sealEnvelope(ctx context.Context, j store.Job) error {
	e, err := d.Store.AnyEnvelope(ctx, j.EnvelopeID)
	if err != nil {
		return err
	}
	if e.Status != paraph.Completed || !e.SealedAt.IsZero() {
		return nil
	}
	made, err := d.artefacts(ctx, &e)
	if err != nil {
		return fmt.Errorf("seal envelope %d: %w", e.ID, err)
	}
	_, err = d.change(ctx, ofServer(e.ID), func(now paraph.Envelope, at time.Time) (paraph.Envelope, []paraph.Event, error) {
		if now.Version != e.Version && now.SealedAt.IsZero() {
			return now, nil, paraph.Errorf(paraph.Conflict, "The envelope changed while it was being sealed.")
		}
		return now.Seal(made, at)
	})
	return wrap(err, "seal envelope", e.ID)
}

// artefacts makes, checks and stores what a completed envelope leaves.
func (d *Desk) artefacts(ctx context.Context, e *paraph.Envelope) (paraph.Artefacts, error) {
	made := paraph.Artefacts{Documents: map[int64]string{}}
	events, err := d.Store.Events(ctx, e.AccountID, e.ID)
	if err != nil {
		return made, err
	}
	if err := paraph.VerifyTrail(events); err != nil {
		return made, fmt.Errorf("the audit trail is broken: %w", err)
	}
	audit, err := d.audit(ctx, e, events)
	if err != nil {
		return made, err
	}
	for _, doc := range e.Documents {
		sealed, err := d.sealDocument(ctx, e, doc, audit)
		if err != nil {
			return made, fmt.Errorf("document %d: %w", doc.ID, err)
		}
		if made.Documents[doc.ID], err = d.Blobs.Put(ctx, sealed); err != nil {
			return made, err
		}
	}
	log, err := d.sealAudit(ctx, e, audit)
	if err != nil {
		return made, fmt.Errorf("audit log: %w", err)
	}
	made.AuditLog, err = d.Blobs.Put(ctx, log)
	return made, err
}

func (d *Desk) sealDocument(ctx context.Context, e *paraph.Envelope, doc paraph.Document, audit seal.Audit) ([]byte, error) {
	pdf, err := d.Blobs.Get(ctx, doc.Original)
	if err != nil {
		return nil, err
	}
	marks, err := d.draw(ctx, finishedMarks(e, doc))
	if err != nil {
		return nil, err
	}
	return d.Engine.Seal(ctx, seal.Job{PDF: pdf, Marks: marks, Audit: &audit, Identity: d.Identity, Sign: d.signature(e)})
}

// sealAudit is the audit log: the same pages, as a sealed PDF of their own.
func (d *Desk) sealAudit(ctx context.Context, e *paraph.Envelope, audit seal.Audit) ([]byte, error) {
	pages, err := d.Engine.AuditPages(ctx, audit)
	if err != nil {
		return nil, err
	}
	return d.Engine.Seal(ctx, seal.Job{PDF: pages, Identity: d.Identity, Sign: d.signature(e)})
}

func (d *Desk) signature(e *paraph.Envelope) seal.SignOptions {
	return seal.SignOptions{
		Name: d.Instance, Reason: "Everybody has acted on “" + paraph.Shorten(e.Name, 80) + "”", At: d.Store.Now(),
	}
}

// audit is the evidence, as it is set on the audit pages.
func (d *Desk) audit(ctx context.Context, e *paraph.Envelope, events []paraph.Event) (seal.Audit, error) {
	owner, err := d.Store.User(ctx, e.OwnerID)
	if err != nil {
		return seal.Audit{}, err
	}
	a := seal.Audit{
		Title: e.Name, ID: e.PublicID, Status: "Completed", Sender: owner.Name + " <" + owner.Email + ">",
		Created: e.CreatedAt, Sent: e.SentAt, Completed: e.EndedAt, VerifyURL: d.Links.Verify(), Instance: d.Instance,
	}
	for _, doc := range e.Documents {
		line := seal.AuditDocument{Name: doc.Name, Pages: len(doc.Pages), SHA256: doc.Uploaded}
		if doc.Original != doc.Uploaded {
			line.Note = "Converted or repaired when it was uploaded; SHA-256 of the PDF that was signed: " + doc.Original
		}
		a.Documents = append(a.Documents, line)
	}
	for _, r := range e.Recipients {
		line, err := d.auditRecipient(ctx, e, r)
		if err != nil {
			return a, err
		}
		a.Recipients = append(a.Recipients, line)
	}
	for _, ev := range events {
		a.Events = append(a.Events, seal.AuditEvent{
			At: ev.At, What: ev.Sentence(e), Who: ev.Actor.Label(), IP: ev.Actor.IP, UserAgent: ev.Actor.UserAgent, Hash: ev.Hash,
		})
		a.TrailHash = ev.Hash
	}
	return a, nil
}

func (d *Desk) auditRecipient(ctx context.Context, e *paraph.Envelope, r paraph.Recipient) (seal.AuditRecipient, error) {
	out := seal.AuditRecipient{
		Name: r.Name, Email: r.Email, Kind: r.Kind.Word(), Role: r.Role, Status: recipientWords(r), Sent: r.SentAt, Opened: r.OpenedAt,
		Acted: r.CompletedAt, IP: r.IP, UserAgent: r.UserAgent, ID: r.UUID,
	}
	if r.Kind.Acts() && r.Email != "" && r.SendEmail {
		out.Proof = "Link sent to their e-mail address"
	} else if r.Kind.Acts() {
		out.Proof = "Personal link"
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

func recipientWords(r paraph.Recipient) string {
	switch {
	case !r.Kind.Acts():
		return "Gets a copy"
	case r.CompletedAt.IsZero():
		return "Waiting"
	}
	switch r.Kind {
	case paraph.Approver:
		return "Approved"
	case paraph.Viewer:
		return "Read"
	case paraph.Assistant:
		return "Prepared"
	}
	return "Signed"
}
