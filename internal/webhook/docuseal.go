package webhook

import (
	"encoding/json"
	"time"

	"github.com/paraph-sign/paraph"
)

// The DocuSeal dialect. The order of the fields is the order on the wire.

type docusealBody struct {
	EventType string `json:"event_type"`
	Timestamp stamp  `json:"timestamp"`
	Data      any    `json:"data"`
}

type docusealForm struct {
	ID             int64               `json:"id"`
	SubmissionID   int64               `json:"submission_id"`
	Email          *string             `json:"email"`
	Phone          *string             `json:"phone"`
	Name           *string             `json:"name"`
	UA             *string             `json:"ua"`
	IP             *string             `json:"ip"`
	SentAt         stamp               `json:"sent_at"`
	OpenedAt       stamp               `json:"opened_at"`
	CompletedAt    stamp               `json:"completed_at"`
	DeclinedAt     stamp               `json:"declined_at"`
	CreatedAt      stamp               `json:"created_at"`
	UpdatedAt      stamp               `json:"updated_at"`
	ExternalID     *string             `json:"external_id"`
	Metadata       json.RawMessage     `json:"metadata"`
	Status         string              `json:"status"`
	ApplicationKey *string             `json:"application_key"`
	DeclineReason  *string             `json:"decline_reason"`
	Role           string              `json:"role"`
	Preferences    docusealPreferences `json:"preferences"`
	Values         []docusealValue     `json:"values"`
	Documents      []docusealDocument  `json:"documents"`
	AuditLogURL    *string             `json:"audit_log_url"`
	SubmissionURL  string              `json:"submission_url"`
	Template       *docusealTemplate   `json:"template"`
	Submission     docusealSummary     `json:"submission"`
}

type docusealSummary struct {
	ID                  int64    `json:"id"`
	AuditLogURL         *string  `json:"audit_log_url"`
	CombinedDocumentURL *string  `json:"combined_document_url"` // never made
	Status              string   `json:"status"`
	URL                 string   `json:"url"`
	Variables           struct{} `json:"variables"`
	CreatedAt           stamp    `json:"created_at"`
}

type docusealPreferences struct {
	SendEmail bool `json:"send_email"`
	SendSMS   bool `json:"send_sms"`
}

// docusealValue has its content twice: the published schema calls the key "values", and consumers read "value".
type docusealValue struct {
	Field  string `json:"field"`
	Value  any    `json:"value"`
	Values any    `json:"values"`
}

type docusealDocument struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

type docusealTemplate struct {
	ID         int64   `json:"id"`
	Name       string  `json:"name"`
	ExternalID *string `json:"external_id"`
	CreatedAt  stamp   `json:"created_at"`
	UpdatedAt  stamp   `json:"updated_at"`
	FolderName string  `json:"folder_name"`
}

type docusealSubmission struct {
	ID                  int64               `json:"id"`
	Name                *string             `json:"name"`
	Slug                string              `json:"slug"`
	Source              string              `json:"source"`
	SubmittersOrder     string              `json:"submitters_order"`
	ExpireAt            stamp               `json:"expire_at"`
	CreatedAt           stamp               `json:"created_at"`
	UpdatedAt           stamp               `json:"updated_at"`
	ArchivedAt          stamp               `json:"archived_at"`
	Submitters          []docusealSubmitter `json:"submitters"`
	Template            *docusealTemplate   `json:"template,omitempty"`
	CreatedByUser       *docusealUser       `json:"created_by_user"`
	Variables           struct{}            `json:"variables"`
	SubmissionEvents    []docusealEvent     `json:"submission_events"`
	Documents           []docusealDocument  `json:"documents"`
	AuditLogURL         *string             `json:"audit_log_url"`
	CombinedDocumentURL *string             `json:"combined_document_url"`
	Status              string              `json:"status"`
	CompletedAt         stamp               `json:"completed_at"`
}

type docusealSubmitter struct {
	ID             int64               `json:"id"`
	Slug           *string             `json:"slug"`
	UUID           string              `json:"uuid"`
	Name           *string             `json:"name"`
	Email          *string             `json:"email"`
	Phone          *string             `json:"phone"`
	CompletedAt    stamp               `json:"completed_at"`
	DeclinedAt     stamp               `json:"declined_at"`
	ExternalID     *string             `json:"external_id"`
	SubmissionID   int64               `json:"submission_id"`
	Metadata       json.RawMessage     `json:"metadata"`
	OpenedAt       stamp               `json:"opened_at"`
	SentAt         stamp               `json:"sent_at"`
	CreatedAt      stamp               `json:"created_at"`
	UpdatedAt      stamp               `json:"updated_at"`
	Status         string              `json:"status"`
	ApplicationKey *string             `json:"application_key"`
	Values         []docusealValue     `json:"values"`
	Documents      []docusealDocument  `json:"documents"`
	Preferences    docusealPreferences `json:"preferences"`
	Role           string              `json:"role"`
}

type docusealUser struct {
	ID        int64  `json:"id"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

type docusealEvent struct {
	ID             int64    `json:"id"`
	SubmitterID    *int64   `json:"submitter_id"`
	EventType      string   `json:"event_type"`
	EventTimestamp stamp    `json:"event_timestamp"`
	Data           struct{} `json:"data"`
}

type docusealArchived struct {
	ID         int64 `json:"id"`
	ArchivedAt stamp `json:"archived_at"`
}

// RenderDocuSeal renders an event of that dialect. Of the endpoint it looks at OmitTokens only: the slug of a submitter is their
// signing link.
func RenderDocuSeal(n Name, s Snapshot, to paraph.Endpoint) ([]byte, error) {
	data, err := docusealData(n, s, to.OmitTokens)
	if err != nil {
		return nil, err
	}
	return encode(docusealBody{n.Wire, stamp(s.Event.At), data})
}

func docusealData(n Name, s Snapshot, omitTokens bool) (any, error) {
	if n.Name == "submission.archived" {
		return docusealArchived{s.Envelope.ID, stamp(archivedAt(s))}, nil
	}
	names := paraph.FieldNames(s.Envelope.Fields)
	if n.Family() == "submission.*" {
		return docusealSubmissionOf(s, names, omitTokens), nil
	}
	r, err := s.acting(n)
	if err != nil {
		return nil, err
	}
	return docusealFormOf(s, r, names), nil
}

// archivedAt: DocuSeal archives what its API deletes, so a deletion is told as one.
func archivedAt(s Snapshot) time.Time {
	switch {
	case !s.Envelope.ArchivedAt.IsZero():
		return s.Envelope.ArchivedAt
	case !s.Envelope.DeletedAt.IsZero():
		return s.Envelope.DeletedAt
	}
	return s.Event.At
}

func docusealFormOf(s Snapshot, r paraph.Recipient, names map[int64]string) docusealForm {
	e := s.Envelope
	return docusealForm{
		ID: r.ID, SubmissionID: e.ID, Email: orNull(r.Email), Phone: orNull(r.Phone), Name: orNull(r.Name),
		UA: orNull(r.UserAgent), IP: orNull(r.IP), SentAt: stamp(r.SentAt), OpenedAt: stamp(r.OpenedAt),
		CompletedAt: stamp(r.CompletedAt), DeclinedAt: stamp(r.DeclinedAt), CreatedAt: stamp(r.CreatedAt), UpdatedAt: stamp(r.UpdatedAt),
		ExternalID: orNull(r.ExternalID), Metadata: object(r.Metadata), Status: string(r.Status()), ApplicationKey: orNull(r.ExternalID),
		DeclineReason: orNull(r.DeclineReason), Role: r.Role, Preferences: docusealPreferences{SendEmail: r.SendEmail},
		Values: docusealValues(s, r, names), Documents: docusealDocuments(s, !r.CompletedAt.IsZero()), AuditLogURL: auditLogURL(s),
		SubmissionURL: s.Links.Envelope(e), Template: docusealTemplateOf(s.Template),
		Submission: docusealSummary{
			ID: e.ID, AuditLogURL: auditLogURL(s), Status: docusealStatus(e.Status), URL: s.Links.Envelope(e), CreatedAt: stamp(e.CreatedAt),
		},
	}
}

func docusealSubmissionOf(s Snapshot, names map[int64]string, omitTokens bool) docusealSubmission {
	e := s.Envelope
	d := docusealSubmission{
		ID: e.ID, Name: orNull(e.Name), Slug: e.Slug, Source: either(e.Source == paraph.FromAPI, "api", "invite"),
		SubmittersOrder: either(e.Sequential, "preserved", "random"), ExpireAt: stamp(e.ExpireAt), CreatedAt: stamp(e.CreatedAt),
		UpdatedAt: stamp(e.UpdatedAt), ArchivedAt: stamp(e.ArchivedAt), Submitters: []docusealSubmitter{}, Template: docusealTemplateOf(s.Template),
		CreatedByUser: docusealUserOf(s.Owner), SubmissionEvents: docusealEvents(s),
		Documents: docusealDocuments(s, e.Status == paraph.Completed), AuditLogURL: auditLogURL(s), Status: docusealStatus(e.Status),
	}
	if e.Status == paraph.Completed {
		d.CompletedAt = stamp(e.EndedAt)
	}
	for _, r := range e.Recipients {
		// DocuSeal has no submitter who does nothing; readers wait for every one of them to complete.
		if r.Kind.Acts() {
			d.Submitters = append(d.Submitters, docusealSubmitterOf(s, r, names, omitTokens))
		}
	}
	return d
}

func docusealSubmitterOf(s Snapshot, r paraph.Recipient, names map[int64]string, omitTokens bool) docusealSubmitter {
	d := docusealSubmitter{
		ID: r.ID, Slug: orNull(r.Token), UUID: r.UUID, Name: orNull(r.Name), Email: orNull(r.Email), Phone: orNull(r.Phone),
		CompletedAt: stamp(r.CompletedAt), DeclinedAt: stamp(r.DeclinedAt), ExternalID: orNull(r.ExternalID), SubmissionID: s.Envelope.ID,
		Metadata: object(r.Metadata), OpenedAt: stamp(r.OpenedAt), SentAt: stamp(r.SentAt), CreatedAt: stamp(r.CreatedAt),
		UpdatedAt: stamp(r.UpdatedAt), Status: string(r.Status()), ApplicationKey: orNull(r.ExternalID), Values: docusealValues(s, r, names),
		Documents:   docusealDocuments(s, !r.CompletedAt.IsZero()),
		Preferences: docusealPreferences{SendEmail: r.SendEmail}, Role: r.Role,
	}
	if omitTokens {
		d.Slug = nil
	}
	return d
}

// docusealStatus: DocuSeal knows no cancelled submission; it stays pending and is archived.
func docusealStatus(s paraph.Status) string {
	switch s {
	case paraph.Completed:
		return "completed"
	case paraph.Rejected:
		return "declined"
	case paraph.Expired:
		return "expired"
	}
	return "pending"
}

func docusealTemplateOf(t *Template) *docusealTemplate {
	if t == nil {
		return nil
	}
	return &docusealTemplate{t.ID, t.Name, orNull(t.ExternalID), stamp(t.CreatedAt), stamp(t.UpdatedAt), t.Folder}
}

func docusealUserOf(u paraph.User) *docusealUser {
	if u.ID == 0 {
		return nil
	}
	return &docusealUser{u.ID, u.Email, u.FirstName(), u.LastName()}
}

// auditLogURL is null until every recipient has completed and the audit log is stored.
func auditLogURL(s Snapshot) *string {
	if s.Envelope.AuditLog == "" {
		return nil
	}
	return orNull(s.Links.AuditLog(s.Envelope))
}

func docusealDocuments(s Snapshot, completed bool) []docusealDocument {
	out := []docusealDocument{}
	if !completed {
		return out
	}
	for _, d := range s.Envelope.Documents {
		out = append(out, docusealDocument{d.Name, s.Links.Document(d)})
	}
	return out
}

// docusealValues has, until the recipient completes, only the fields with a stored value, and afterwards every field of theirs.
func docusealValues(s Snapshot, r paraph.Recipient, names map[int64]string) []docusealValue {
	out := []docusealValue{}
	for _, f := range s.Envelope.FieldsOf(r.ID) {
		if r.CompletedAt.IsZero() && f.Value.IsZero() {
			continue
		}
		v := docusealValueOf(s, f)
		out = append(out, docusealValue{names[f.ID], v, v})
	}
	return out
}

func docusealValueOf(s Snapshot, f paraph.Field) any {
	switch {
	case f.Type == paraph.CheckboxField:
		return f.Value.Text == "true"
	case f.Value.IsZero():
		return nil
	case f.Type == paraph.NumberField:
		return number(f.Value.Text)
	case f.Type.IsImage():
		if f.Value.Image == "" {
			return nil
		}
		return s.Links.Picture(f)
	}
	return f.Value.Text
}

// docusealEvents are those of the trail for which DocuSeal has a name.
func docusealEvents(s Snapshot) []docusealEvent {
	out := []docusealEvent{}
	for _, ev := range s.Trail {
		if name := docusealEventType(s.Envelope, ev); name != "" {
			out = append(out, docusealEvent{ID: ev.ID, SubmitterID: numberOrNull(ev.RecipientID), EventType: name, EventTimestamp: stamp(ev.At)})
		}
	}
	return out
}

func docusealEventType(e paraph.Envelope, ev paraph.Event) string {
	switch ev.Type {
	case paraph.RecipientInvited:
		if r, ok := e.Recipient(ev.RecipientID); ok && r.SendEmail {
			return "send_email"
		}
	case paraph.RecipientReminded:
		return "send_reminder_email"
	case paraph.RecipientViewed:
		return "view_form"
	case paraph.RecipientStarted:
		return "start_form"
	case paraph.RecipientFinished:
		return either(ev.Actor.Kind == paraph.ByAPI, "api_complete_form", "complete_form")
	case paraph.RecipientRefused:
		return "decline_form"
	}
	return ""
}
