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
	by, err := d.sealer(ctx)
	if err != nil {
		return made, err
	}
	own, err := d.ownParts(ctx, e)
	if err != nil {
		return made, err
	}
	events, err := d.Store.Events(ctx, e.AccountID, e.ID)
	if err != nil {
		return made, err
	}
	if err := paraph.VerifyTrail(events); err != nil {
		return made, fmt.Errorf("the audit trail is broken: %w", err)
	}
	ev, err := d.gather(ctx, e, events)
	if err != nil {
		return made, err
	}
	if own != nil { // pages can't be added to what is signed
		ev.place = paraph.AuditSeparate
	}
	appended, err := ev.audit(e)
	if err != nil {
		return made, err
	}
	stamps := d.stampSeals()
	sign := d.signature(e)
	sign.Stamp = stamps.option(ctx)
	for _, doc := range e.Documents {
		sealed, err := d.sealOwn(ctx, own[doc.ID], by, sign)
		if err == nil && sealed == nil {
			sealed, err = d.sealDocument(ctx, e, doc, appended, ev.place.Appended(), by, sign)
		}
		if err != nil {
			return made, fmt.Errorf("document %d: %w", doc.ID, err)
		}
		if made.Documents[doc.ID], err = d.Blobs.Put(ctx, sealed); err != nil {
			return made, err
		}
		ev.digest[doc.ID] = made.Documents[doc.ID]
	}
	if !ev.place.Separate() {
		made.Level, made.Wants = stamps.level()
		return made, nil
	}
	log, err := d.sealAudit(ctx, e, &ev, by, sign)
	if err != nil {
		return made, fmt.Errorf("audit log: %w", err)
	}
	made.Level, made.Wants = stamps.level()
	made.AuditLog, err = d.Blobs.Put(ctx, log)
	return made, err
}

// sealDocument fills a document in and seals it, with the audit pages behind
// it when they are appended.
func (d *Desk) sealDocument(ctx context.Context, e *paraph.Envelope, doc paraph.Document, audit seal.Audit, appended bool, by seal.Identity, sign seal.SignOptions) ([]byte, error) {
	pdf, err := d.Blobs.Get(ctx, doc.Original)
	if err != nil {
		return nil, err
	}
	zoned, err := d.zoned(ctx, e)
	if err != nil {
		return nil, err
	}
	marks, err := d.draw(ctx, finishedMarks(zoned, doc))
	if err != nil {
		return nil, err
	}
	job := seal.Job{PDF: pdf, Marks: marks, Identity: by, Sign: sign}
	if appended {
		job.Audit = &audit
	}
	return d.Engine.Seal(ctx, job)
}

// sealAudit is the audit log: the same pages as a sealed PDF of their own,
// which names the sealed documents by their digests.
func (d *Desk) sealAudit(ctx context.Context, e *paraph.Envelope, ev *evidence, by seal.Identity, sign seal.SignOptions) ([]byte, error) {
	audit, err := ev.audit(e)
	if err != nil {
		return nil, err
	}
	pages, err := d.Engine.AuditPages(ctx, audit)
	if err != nil {
		return nil, err
	}
	return d.Engine.Seal(ctx, seal.Job{PDF: pages, Identity: by, Sign: sign})
}

func (d *Desk) signature(e *paraph.Envelope) seal.SignOptions {
	return seal.SignOptions{
		Name: d.Instance, Reason: "Everybody has acted on “" + paraph.Shorten(e.Name, 80) + "”", At: d.Store.Now(),
	}
}
