package webhook

import (
	"encoding/json"
	"time"

	"github.com/paraph-sign/paraph"
)

// The DocuSeal dialect. The order of the fields is the order on the wire.

type docusealBody[T any] struct {
	EventType string `json:"event_type" doc:"What happened." const:"wire"`
	Timestamp stamp  `json:"timestamp" doc:"When it happened. The same on every attempt." nullable:"false"`
	Data      T      `json:"data" doc:"What it happened to, as it was right after the event."`
}

type docusealForm struct {
	ID             int64               `json:"id" doc:"Number of the submitter." example:"12"`
	SubmissionID   int64               `json:"submission_id" doc:"Number of the submission." example:"10"`
	Email          *string             `json:"email" doc:"The submitter's address." format:"email"`
	Phone          *string             `json:"phone" doc:"The submitter's telephone number." example:"+4930123456"`
	Name           *string             `json:"name" doc:"The submitter's name."`
	UA             *string             `json:"ua" doc:"The browser of the submitter, as it called itself when they last acted."`
	IP             *string             `json:"ip" doc:"The IP address of the submitter when they last acted." example:"203.0.113.7"`
	SentAt         stamp               `json:"sent_at" doc:"When the invitation went out."`
	OpenedAt       stamp               `json:"opened_at" doc:"When the submitter first opened the form."`
	CompletedAt    stamp               `json:"completed_at" doc:"When the submitter completed the form."`
	DeclinedAt     stamp               `json:"declined_at" doc:"When the submitter declined."`
	CreatedAt      stamp               `json:"created_at" doc:"When the submitter was added." nullable:"false"`
	UpdatedAt      stamp               `json:"updated_at" doc:"When the submitter was last changed." nullable:"false"`
	ExternalID     *string             `json:"external_id" doc:"Your own reference to the submitter."`
	Metadata       json.RawMessage     `json:"metadata" doc:"Your own data about the submitter." types:"object"`
	Status         string              `json:"status" doc:"Where the submitter stands." enum:"completed,declined,opened,sent,awaiting"`
	ApplicationKey *string             `json:"application_key" doc:"The same as external_id, under its older name."`
	DeclineReason  *string             `json:"decline_reason" doc:"Why the submitter declined, in their own words."`
	Role           string              `json:"role" doc:"What the submitter is called in the document." example:"First Party"`
	Preferences    docusealPreferences `json:"preferences" doc:"How the submitter is reached."`
	Values         []docusealValue     `json:"values" doc:"What was entered: until the submitter completes, the fields that have a value; then all of theirs."`
	Documents      []docusealDocument  `json:"documents" doc:"The PDFs, to download; empty until the submitter completes."`
	AuditLogURL    *string             `json:"audit_log_url" doc:"The audit log as a PDF; null until everybody has completed." format:"uri"`
	SubmissionURL  string              `json:"submission_url" doc:"The submission's page." format:"uri"`
	Template       *docusealTemplate   `json:"template" doc:"What the submission was made from; null when it was made from none."`
	Submission     docusealSummary     `json:"submission" doc:"The submission."`
}

type docusealSummary struct {
	ID                  int64    `json:"id" doc:"Number of the submission."`
	AuditLogURL         *string  `json:"audit_log_url" doc:"The audit log as a PDF; null until everybody has completed." format:"uri"`
	CombinedDocumentURL *string  `json:"combined_document_url" doc:"All PDFs in one. Always null: it is never made." format:"uri"` // never made
	Status              string   `json:"status" doc:"Where the submission stands. A cancelled one stays pending and is archived." enum:"completed,declined,expired,pending"`
	URL                 string   `json:"url" doc:"The submission's page." format:"uri"`
	Variables           struct{} `json:"variables" doc:"Values put into the document's text. Always empty: there are none yet." types:"object"`
	CreatedAt           stamp    `json:"created_at" doc:"When the submission was made." nullable:"false"`
}

type docusealPreferences struct {
	SendEmail bool `json:"send_email" doc:"Whether the submitter is invited by mail."`
	SendSMS   bool `json:"send_sms" doc:"Whether the submitter is invited by text message. Always false: none are sent yet."`
}

// docusealValue has its content twice: the published schema calls the key "values", and consumers read "value".
type docusealValue struct {
	Field  string `json:"field" doc:"Name of the field; “Text Field 2” and the like when it has none."`
	Value  any    `json:"value" doc:"What was entered: true or false for a checkbox, a number for a number, the address of the picture for a signature or initials, text for all others (dates as YYYY-MM-DD). null when nothing was." types:"string,number,boolean,null"`
	Values any    `json:"values" doc:"The same as value, under the name that the published schema has." types:"string,number,boolean,null"`
}

type docusealDocument struct {
	Name string `json:"name" doc:"Name of the document, without extension."`
	URL  string `json:"url" doc:"The PDF as it now stands: the sealed one once everybody has completed." format:"uri"`
}

type docusealTemplate struct {
	ID         int64   `json:"id" doc:"Number of the template."`
	Name       string  `json:"name" doc:"Name of the template."`
	ExternalID *string `json:"external_id" doc:"Your own reference to the template."`
	CreatedAt  stamp   `json:"created_at" doc:"When the template was made." nullable:"false"`
	UpdatedAt  stamp   `json:"updated_at" doc:"When it was last changed." nullable:"false"`
	FolderName string  `json:"folder_name" doc:"Its folder, as “Parent / Child”."`
}

type docusealSubmission struct {
	ID                  int64               `json:"id" doc:"Number of the submission." example:"10"`
	Name                *string             `json:"name" doc:"Name of the submission."`
	Slug                string              `json:"slug" doc:"Names the submission in the address of its page."`
	Source              string              `json:"source" doc:"How it was made." enum:"invite,bulk,api,embed,link"`
	SubmittersOrder     string              `json:"submitters_order" doc:"preserved: one after the other; random: all at once." enum:"preserved,random"`
	ExpireAt            stamp               `json:"expire_at" doc:"Until when it can be completed; null without an end."`
	CreatedAt           stamp               `json:"created_at" doc:"When the submission was made." nullable:"false"`
	UpdatedAt           stamp               `json:"updated_at" doc:"When it was last changed." nullable:"false"`
	ArchivedAt          stamp               `json:"archived_at" doc:"When it was archived."`
	Submitters          []docusealSubmitter `json:"submitters" doc:"Everybody who acts. Who only gets a copy is not among them."`
	Template            *docusealTemplate   `json:"template,omitempty" doc:"What it was made from; left out when it was made from none."`
	CreatedByUser       *docusealUser       `json:"created_by_user" doc:"Who made it."`
	Variables           struct{}            `json:"variables" doc:"Values put into the document's text. Always empty: there are none yet." types:"object"`
	SubmissionEvents    []docusealEvent     `json:"submission_events" doc:"What has happened so far, the oldest first."`
	Documents           []docusealDocument  `json:"documents" doc:"The PDFs, to download; empty until everybody has completed."`
	AuditLogURL         *string             `json:"audit_log_url" doc:"The audit log as a PDF; null until everybody has completed." format:"uri"`
	CombinedDocumentURL *string             `json:"combined_document_url" doc:"All PDFs in one. Always null: it is never made." format:"uri"`
	Status              string              `json:"status" doc:"Where the submission stands. A cancelled one stays pending and is archived." enum:"completed,declined,expired,pending"`
	CompletedAt         stamp               `json:"completed_at" doc:"When the last submitter completed."`
}

type docusealSubmitter struct {
	ID             int64               `json:"id" doc:"Number of the submitter."`
	Slug           *string             `json:"slug" doc:"Opens the form in the submitter's place: keep it as safe as a password. null when the webhook is set to leave tokens out."`
	UUID           string              `json:"uuid" doc:"Names the submitter among those of the submission." format:"uuid"`
	Name           *string             `json:"name" doc:"The submitter's name."`
	Email          *string             `json:"email" doc:"The submitter's address." format:"email"`
	Phone          *string             `json:"phone" doc:"The submitter's telephone number."`
	CompletedAt    stamp               `json:"completed_at" doc:"When the submitter completed the form."`
	DeclinedAt     stamp               `json:"declined_at" doc:"When the submitter declined."`
	ExternalID     *string             `json:"external_id" doc:"Your own reference to the submitter."`
	SubmissionID   int64               `json:"submission_id" doc:"Number of the submission."`
	Metadata       json.RawMessage     `json:"metadata" doc:"Your own data about the submitter." types:"object"`
	OpenedAt       stamp               `json:"opened_at" doc:"When the submitter first opened the form."`
	SentAt         stamp               `json:"sent_at" doc:"When the invitation went out."`
	CreatedAt      stamp               `json:"created_at" doc:"When the submitter was added." nullable:"false"`
	UpdatedAt      stamp               `json:"updated_at" doc:"When the submitter was last changed." nullable:"false"`
	Status         string              `json:"status" doc:"Where the submitter stands." enum:"completed,declined,opened,sent,awaiting"`
	ApplicationKey *string             `json:"application_key" doc:"The same as external_id, under its older name."`
	Values         []docusealValue     `json:"values" doc:"What was entered: until the submitter completes, the fields that have a value; then all of theirs."`
	Documents      []docusealDocument  `json:"documents" doc:"The PDFs, to download; empty until the submitter completes."`
	Preferences    docusealPreferences `json:"preferences" doc:"How the submitter is reached."`
	Role           string              `json:"role" doc:"What the submitter is called in the document."`
}

type docusealUser struct {
	ID        int64  `json:"id" doc:"Number of the user."`
	Email     string `json:"email" doc:"The user's address." format:"email"`
	FirstName string `json:"first_name" doc:"First name."`
	LastName  string `json:"last_name" doc:"The rest of the name; empty when there is none."`
}

type docusealEvent struct {
	ID             int64    `json:"id" doc:"Number of the entry."`
	SubmitterID    *int64   `json:"submitter_id" doc:"Number of the submitter whom it is about; null when about nobody in particular."`
	EventType      string   `json:"event_type" doc:"What happened." enum:"send_email,bounce_email,complaint_email,send_reminder_email,send_sms,send_2fa_sms,send_2fa_email,open_email,click_email,click_sms,phone_verified,email_verified,start_form,view_form,invite_party,complete_form,decline_form,delegate_form,api_complete_form,start_verification,complete_verification"`
	EventTimestamp stamp    `json:"event_timestamp" doc:"When it happened." nullable:"false"`
	Data           struct{} `json:"data" doc:"Always empty: nothing more is told." types:"object"`
}

type docusealArchived struct {
	ID         int64 `json:"id" doc:"Number of the submission."`
	ArchivedAt stamp `json:"archived_at" doc:"When it was archived." nullable:"false"`
}

// RenderDocuSeal renders an event of that dialect. Of the endpoint it looks at OmitTokens only: the slug of a submitter is their
// signing link.
func RenderDocuSeal(n Name, s Snapshot, to paraph.Endpoint) ([]byte, error) {
	if n.Name == "submission.archived" {
		return docusealEncode(n, s, docusealArchived{s.Envelope.ID, stamp(archivedAt(s))})
	}
	names := paraph.FieldNames(s.Envelope.Fields)
	if n.Family() == "submission.*" {
		return docusealEncode(n, s, docusealSubmissionOf(s, names, to.OmitTokens))
	}
	r, err := s.acting(n)
	if err != nil {
		return nil, err
	}
	return docusealEncode(n, s, docusealFormOf(s, r, names))
}

func docusealEncode[T any](n Name, s Snapshot, data T) ([]byte, error) {
	return encode(docusealBody[T]{n.Wire, stamp(s.Event.At), data})
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
