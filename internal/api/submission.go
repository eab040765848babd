package api

import (
	"context"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// snapshot is what an envelope's shapes are made from.
func (a *api) snapshot(ctx context.Context, e paraph.Envelope) (s webhook.Snapshot, err error) {
	s = webhook.Snapshot{Envelope: e, Account: callOf(ctx).signed.Space.Account, Links: a.links(&e)}
	if s.Owner, err = a.store.User(ctx, e.OwnerID); err != nil && paraph.KindOf(err) != paraph.NotFound {
		return s, err
	}
	s.Trail, err = a.store.Events(ctx, e.AccountID, e.ID)
	return s, err
}

func (a *api) links(e *paraph.Envelope) webhook.Links {
	l, now := a.desk.Links, a.cfg.Store.Now()
	return webhook.Links{
		Document: func(d paraph.Document) string { return l.DocumentLink(e, d, now) },
		Picture:  func(f paraph.Field) string { return l.ValueLink(e, f, now) },
		AuditLog: func(paraph.Envelope) string { return l.AuditLink(e, now) },
		Envelope: func(paraph.Envelope) string { return l.Preview(e.Slug) },
	}
}

type submissionFilter struct {
	PageQuery
	Query          string `query:"q" doc:"In the name, the external id, and the submitters' names and addresses."`
	Status         string `query:"status" doc:"pending, completed, declined or expired."`
	Slug           string `query:"slug"`
	Archived       bool   `query:"archived" doc:"true: the archived ones instead of the others."`
	TemplateID     int64  `query:"template_id" doc:"There are no templates yet, so this finds nothing."`
	TemplateFolder string `query:"template_folder" doc:"There are no templates yet, so this finds nothing."`
}

// submissionStatuses are DocuSeal's words for ours.
var submissionStatuses = map[string]paraph.Status{
	"": "", "pending": paraph.Pending, "completed": paraph.Completed, "declined": paraph.Rejected, "expired": paraph.Expired,
}

func (a *api) listSubmissions(ctx context.Context, in *submissionFilter) (p Page[webhook.Submission], err error) {
	status, ok := submissionStatuses[in.Status]
	if !ok {
		return p, paraph.FieldErrorf("status", "“%s” is not a status: pending, completed, declined or expired.", short(in.Status))
	}
	id := func(s webhook.Submission) int64 { return s.ID }
	if in.TemplateID != 0 || in.TemplateFolder != "" {
		return paged[webhook.Submission](nil, id), nil
	}
	account := whoOf(ctx).AccountID
	found, err := a.store.Envelopes(ctx, account, store.EnvelopeFilter{
		Status: status, Query: in.Query, Slug: in.Slug, Archived: in.Archived, Before: in.After, After: in.Before, Limit: in.limit(),
	})
	if err != nil {
		return p, err
	}
	var out []webhook.Submission
	for _, e := range found {
		s, err := a.submission(ctx, account, e.ID)
		if paraph.KindOf(err) == paraph.NotFound { // deleted meanwhile
			continue
		}
		if err != nil {
			return p, err
		}
		out = append(out, s)
	}
	return paged(out, id), nil
}

func (a *api) submission(ctx context.Context, account, id int64) (webhook.Submission, error) {
	e, err := a.store.Envelope(ctx, account, id)
	if err != nil {
		return webhook.Submission{}, err
	}
	s, err := a.snapshot(ctx, e)
	return webhook.SubmissionOf(s), err
}

func (a *api) getSubmission(ctx context.Context, in *ByID) (webhook.Submission, error) {
	return a.submission(ctx, whoOf(ctx).AccountID, in.ID)
}

// Archived tells when a submission was archived.
type Archived struct {
	ID         int64         `json:"id"`
	ArchivedAt webhook.Stamp `json:"archived_at"`
}

type submissionDeletion struct {
	ByID
	Permanently bool `query:"permanently" doc:"true: delete instead of archive."`
}

func (a *api) deleteSubmission(ctx context.Context, in *submissionDeletion) (Archived, error) {
	verb := func(ctx context.Context, who desk.Who, id int64) (paraph.Envelope, error) {
		return a.desk.Archive(ctx, who, id, true)
	}
	if in.Permanently {
		verb = a.desk.Delete
	}
	e, err := verb(ctx, whoOf(ctx), in.ID)
	if err == nil && in.Permanently {
		e.ArchivedAt = e.DeletedAt
	}
	return Archived{e.ID, webhook.Stamp(e.ArchivedAt)}, err
}

// SubmissionUpdate is what can be changed of a submission.
type SubmissionUpdate struct {
	Archived *bool   `json:"archived" doc:"true archives, false brings back."`
	Name     *string `json:"name" doc:"Can't be changed once the submission is out."`
	ExpireAt *string `json:"expire_at" doc:"Can't be changed once the submission is out."`
}

type submissionUpdate struct {
	ByID
	Body input[SubmissionUpdate]
}

func (a *api) updateSubmission(ctx context.Context, in *submissionUpdate) (out webhook.Submission, err error) {
	u, err := in.Body.value()
	switch {
	case err != nil:
		return out, err
	case u.Name != nil:
		return out, paraph.FieldErrorf("name", "The name can't be changed once the submission is out.")
	case u.ExpireAt != nil:
		return out, paraph.FieldErrorf("expire_at", "The expiry can't be changed once the submission is out.")
	case u.Archived == nil:
		return a.getSubmission(ctx, &in.ByID)
	}
	e, err := a.desk.Archive(ctx, whoOf(ctx), in.ID, *u.Archived)
	if err != nil {
		return out, err
	}
	s, err := a.snapshot(ctx, e)
	return webhook.SubmissionOf(s), err
}

// Documents are a submission's files.
type Documents struct {
	ID        int64                  `json:"id"`
	Documents []webhook.FormDocument `json:"documents"`
}

type documentsQuery struct {
	ByID
	Merge bool `query:"merge" doc:"true asks for one file of all documents and the audit log. It carries no seal and says so; it can be had once everybody has completed. A submission with one document answers that."`
}

func (a *api) getDocuments(ctx context.Context, in *documentsQuery) (out Documents, err error) {
	e, err := a.store.Envelope(ctx, whoOf(ctx).AccountID, in.ID)
	if err != nil {
		return out, err
	}
	out = Documents{ID: e.ID, Documents: []webhook.FormDocument{}}
	if in.Merge && len(e.Documents) != 1 {
		if e.SealedAt.IsZero() {
			return out, paraph.FieldErrorf("merge", "The documents can be merged once everybody has completed.")
		}
		out.Documents = append(out.Documents, webhook.FormDocument{Name: e.Name, URL: a.desk.Links.CombinedLink(&e, a.cfg.Store.Now())})
		return out, nil
	}
	for _, d := range e.Documents {
		out.Documents = append(out.Documents, webhook.FormDocument{Name: d.Name, URL: a.desk.Links.DocumentLink(&e, d, a.cfg.Store.Now())})
	}
	return out, nil
}

// Downloads are links to all files of a submission. They hold for 90 days, for
// whoever has them.
type Downloads struct {
	ID        int64              `json:"id"`
	Documents []DocumentDownload `json:"documents"`
	AuditLog  *string            `json:"audit_log_url" doc:"The audit log as a PDF of its own; null until everybody has completed, and when the audit pages stand only behind the documents." format:"uri"`
	Combined  *string            `json:"combined_document_url" doc:"All sealed documents and the audit log as one PDF, which carries no seal; null until they are sealed." format:"uri"`
	Archive   string             `json:"archive_url" doc:"All files as a ZIP." format:"uri"`
}

// DocumentDownload is one document in its versions.
type DocumentDownload struct {
	Name     string  `json:"name"`
	Original string  `json:"original_url" doc:"As it was sent." format:"uri"`
	Current  string  `json:"current_url" doc:"As it now stands: with what has been signed so far, or sealed." format:"uri"`
	Sealed   *string `json:"sealed_url" doc:"With its seal; null until everybody has completed." format:"uri"`
}

func (a *api) getDownloads(ctx context.Context, in *ByID) (out Downloads, err error) {
	e, err := a.store.Envelope(ctx, whoOf(ctx).AccountID, in.ID)
	if err != nil {
		return out, err
	}
	l, now := a.desk.Links, a.cfg.Store.Now()
	out = Downloads{ID: e.ID, Documents: []DocumentDownload{}, AuditLog: orNull(l.AuditLink(&e, now)), Combined: orNull(l.CombinedLink(&e, now)), Archive: l.ArchiveLink(&e, now)}
	for _, d := range e.Documents {
		x := DocumentDownload{Name: d.Name, Original: l.OriginalLink(&e, d, now), Current: l.DocumentLink(&e, d, now)}
		if d.Sealed != "" {
			x.Sealed = &x.Current
		}
		out.Documents = append(out.Documents, x)
	}
	return out, nil
}
