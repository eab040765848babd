package webhook

import (
	"cmp"
	"slices"

	"github.com/paraph-sign/paraph"
)

// The Documenso dialect: one superset of what it sent in 2024 and sends today. The order of the fields is the order on the wire.

type documensoBody struct {
	Event           string           `json:"event" doc:"What happened." const:"wire"`
	Payload         documensoPayload `json:"payload" doc:"The document as it was right after the event."`
	CreatedAt       stamp            `json:"createdAt" doc:"When it happened. The same on every attempt." nullable:"false"`
	WebhookEndpoint string           `json:"webhookEndpoint" doc:"The URL that this webhook is sent to, as it was entered." example:"https://example.com/webhooks"`
}

type documensoPayload struct {
	ID             int64                `json:"id" doc:"Number of the document." example:"10"`
	EnvelopeID     string               `json:"envelopeId" doc:"The same document's name: envelope_ and 16 letters." example:"envelope_abcdefghijklmnop"`
	ExternalID     *string              `json:"externalId" doc:"Your own reference, as it was given at creation."`
	UserID         int64                `json:"userId" doc:"Number of the user who owns the document."`
	AuthOptions    *struct{}            `json:"authOptions" doc:"How signers must prove who they are. Always null: nothing can be asked of them yet."` // none yet
	FormValues     *struct{}            `json:"formValues" doc:"Values for the PDF's own form. Always null: none can be given yet."`                   // none yet
	Visibility     string               `json:"visibility" doc:"Who in the team sees the document." enum:"EVERYONE,MANAGER_AND_ABOVE,ADMIN"`
	Title          string               `json:"title" doc:"Name of the document."`
	Status         string               `json:"status" doc:"Where the document stands. COMPLETED from the moment in which the last recipient has acted. An expired document stays PENDING." enum:"DRAFT,PENDING,COMPLETED,REJECTED,CANCELLED"`
	DocumentDataID string               `json:"documentDataId" doc:"Names the first PDF; empty for a draft without one."`
	CreatedAt      stamp                `json:"createdAt" doc:"When the document was made." nullable:"false"`
	UpdatedAt      stamp                `json:"updatedAt" doc:"When it was last changed." nullable:"false"`
	CompletedAt    stamp                `json:"completedAt" doc:"When it came to its end: completed, rejected or cancelled."`
	DeletedAt      stamp                `json:"deletedAt" doc:"When it was deleted."`
	TeamID         *int64               `json:"teamId" doc:"Number of the team; null for a personal document."`
	TemplateID     *int64               `json:"templateId" doc:"Number of the template that it was made from; null when it was made from none."`
	Source         string               `json:"source" doc:"What it was made from." enum:"DOCUMENT,TEMPLATE,TEMPLATE_DIRECT_LINK"`
	DocumentMeta   documensoMeta        `json:"documentMeta" doc:"How the document is sent and signed."`
	DocumentData   *documensoData       `json:"documentData" doc:"The first PDF; null only for a draft without one."` // null only for a draft without a PDF
	Recipient      []documensoRecipient `json:"Recipient,omitempty" doc:"On document.opened and document.signed the one recipient who acted, on all other events everybody. Left out when there are no recipients."`
	Recipients     []documensoRecipient `json:"recipients" doc:"All recipients, in the order in which they sign."`
}

type documensoMeta struct {
	ID                     string    `json:"id" doc:"Names these settings."`
	Subject                *string   `json:"subject" doc:"Subject of the invitation, when the sender wrote one."`
	Message                *string   `json:"message" doc:"Text of the invitation, when the sender wrote one."`
	Timezone               string    `json:"timezone" doc:"Time zone in which dates are written into the document." example:"Etc/UTC"`
	DateFormat             string    `json:"dateFormat" doc:"How dates are written into the document." example:"yyyy-MM-dd"`
	RedirectURL            *string   `json:"redirectUrl" doc:"Where recipients are sent after they have signed."`
	SigningOrder           string    `json:"signingOrder" doc:"Whether recipients sign at once or one after the other." enum:"PARALLEL,SEQUENTIAL"`
	AllowDictateNextSigner bool      `json:"allowDictateNextSigner" doc:"Whether a signer may name the next one."`
	TypedSignatureEnabled  bool      `json:"typedSignatureEnabled" doc:"Whether a signature may be typed."`
	UploadSignatureEnabled bool      `json:"uploadSignatureEnabled" doc:"Whether a signature may be uploaded as a picture."`
	DrawSignatureEnabled   bool      `json:"drawSignatureEnabled" doc:"Whether a signature may be drawn."`
	Language               string    `json:"language" doc:"Language of the mails and of the signing page." example:"en"`
	DistributionMethod     string    `json:"distributionMethod" doc:"EMAIL when at least one recipient is invited by mail." enum:"EMAIL,NONE"`
	EmailSettings          *struct{} `json:"emailSettings" doc:"Which mails are sent. Always null: the usual ones."`
}

type documensoData struct {
	ID          string `json:"id" doc:"Names the PDF; the same as documentDataId."`
	Type        string `json:"type" doc:"What data and initialData are." enum:"S3_PATH,BYTES_64,FILE_PATH"`
	Data        string `json:"data" doc:"Where the PDF lies as it now stands: the sealed one once there is one."`
	InitialData string `json:"initialData" doc:"Where the PDF lies as it was uploaded."`
}

type documensoRecipient struct {
	ID                   int64         `json:"id" doc:"Number of the recipient."`
	EnvelopeID           string        `json:"envelopeId" doc:"The document's name."`
	DocumentID           int64         `json:"documentId" doc:"Number of the document."`
	TemplateID           *int64        `json:"templateId" doc:"Always null: a document's recipient belongs to no template."`
	Email                string        `json:"email" doc:"The recipient's address; empty when they have none." example:"alice@example.com"`
	Name                 string        `json:"name" doc:"The recipient's name."`
	Token                *string       `json:"token" doc:"Opens the signing page in the recipient's place: keep it as safe as a password. null when the webhook is set to leave tokens out."`
	DocumentDeletedAt    stamp         `json:"documentDeletedAt" doc:"When the recipient removed the document from their own list. Always null: recipients have none."`
	Expired              stamp         `json:"expired" doc:"The same as expiresAt, under its older name."`
	ExpiresAt            stamp         `json:"expiresAt" doc:"Until when the recipient can act; null without an end, and for those who only get a copy."`
	ExpirationNotifiedAt stamp         `json:"expirationNotifiedAt" doc:"When the recipient's time was found to have run out."`
	SignedAt             stamp         `json:"signedAt" doc:"When the recipient finished or rejected."`
	AuthOptions          documensoAuth `json:"authOptions" doc:"How this recipient must prove who they are."`
	SigningOrder         int           `json:"signingOrder" doc:"The recipient's turn, from 1; those with the same number act at once."`
	RejectionReason      *string       `json:"rejectionReason" doc:"Why the recipient rejected, in their own words."`
	Role                 string        `json:"role" doc:"What the recipient does." enum:"SIGNER,VIEWER,APPROVER,CC,ASSISTANT"`
	ReadStatus           string        `json:"readStatus" doc:"Whether the recipient has opened the document." enum:"NOT_OPENED,OPENED"`
	SigningStatus        string        `json:"signingStatus" doc:"Whether the recipient has finished. Who only gets a copy is SIGNED from the start." enum:"NOT_SIGNED,SIGNED,REJECTED"`
	SendStatus           string        `json:"sendStatus" doc:"Whether the document went to the recipient." enum:"NOT_SENT,SENT"`
}

type documensoAuth struct {
	AccessAuth *struct{} `json:"accessAuth" doc:"What is asked before the document is shown. Always null: nothing yet."`
	ActionAuth *struct{} `json:"actionAuth" doc:"What is asked before a signature is taken. Always null: nothing yet."`
}

// RenderDocumenso renders an event of that dialect. Unlike Documenso it stamps the time of the event, so that the body is the same
// at every attempt.
func RenderDocumenso(n Name, s Snapshot, to paraph.Endpoint) ([]byte, error) {
	all := documensoRecipients(s.Envelope, to.OmitTokens)
	named, err := documensoNamed(n, s, all)
	if err != nil {
		return nil, err
	}
	return encode(documensoBody{
		Event: n.Wire, Payload: documensoEnvelope(s, named, all), CreatedAt: stamp(s.Event.At), WebhookEndpoint: to.URL,
	})
}

// documensoNamed is the array "Recipient": in the 2024 description opened and signed name only the one who acted, all others
// everybody.
func documensoNamed(n Name, s Snapshot, all []documensoRecipient) ([]documensoRecipient, error) {
	if n.Name != "document.opened" && n.Name != "document.signed" {
		return all, nil
	}
	acting, err := s.acting(n)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(r documensoRecipient) bool { return r.ID == acting.ID })
	return all[i : i+1], nil
}

func documensoEnvelope(s Snapshot, named, all []documensoRecipient) documensoPayload {
	e := s.Envelope
	p := documensoPayload{
		ID: e.ID, EnvelopeID: e.PublicID, ExternalID: orNull(e.ExternalID), UserID: e.OwnerID,
		Visibility: "EVERYONE", Title: e.Name, Status: documensoStatus(e.Status),
		CreatedAt: stamp(e.CreatedAt), UpdatedAt: stamp(e.UpdatedAt), DeletedAt: stamp(e.DeletedAt),
		TeamID: numberOrNull(s.Account.TeamNumber()), Source: "DOCUMENT",
		DocumentMeta: documensoMetaOf(e), Recipient: named, Recipients: all,
	}
	if e.Status != paraph.Expired {
		p.CompletedAt = stamp(e.EndedAt)
	}
	if s.Template != nil {
		p.Source, p.TemplateID = "TEMPLATE", &s.Template.ID
	}
	if len(e.Documents) > 0 {
		first := e.Documents[0]
		p.DocumentDataID = first.DataID
		p.DocumentData = &documensoData{first.DataID, s.Links.BytesAre, first.Current(), first.Original}
	}
	return p
}

// documensoStatus: Documenso knows no expired document, only recipients whose time ran out in a pending one.
func documensoStatus(s paraph.Status) string {
	switch s {
	case paraph.Draft:
		return "DRAFT"
	case paraph.Completed:
		return "COMPLETED"
	case paraph.Rejected:
		return "REJECTED"
	case paraph.Cancelled:
		return "CANCELLED"
	}
	return "PENDING"
}

func documensoMetaOf(e paraph.Envelope) documensoMeta {
	m := documensoMeta{
		ID: "meta_" + e.PublicID, Subject: orNull(e.Subject), Message: orNull(e.Message), Timezone: "Etc/UTC", DateFormat: "yyyy-MM-dd",
		RedirectURL: orNull(e.RedirectTo), SigningOrder: "PARALLEL", TypedSignatureEnabled: true, UploadSignatureEnabled: true,
		DrawSignatureEnabled: true, Language: "en", DistributionMethod: "NONE",
	}
	if e.Sequential {
		m.SigningOrder = "SEQUENTIAL"
	}
	if slices.ContainsFunc(e.Recipients, func(r paraph.Recipient) bool { return r.SendEmail }) {
		m.DistributionMethod = "EMAIL"
	}
	return m
}

func documensoRecipients(e paraph.Envelope, omitTokens bool) []documensoRecipient {
	ordered := slices.Clone(e.Recipients)
	slices.SortStableFunc(ordered, func(a, b paraph.Recipient) int { return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.ID, b.ID)) })
	out := make([]documensoRecipient, len(ordered))
	for i, r := range ordered {
		out[i] = documensoRecipientOf(e, r)
		if omitTokens {
			out[i].Token = nil
		}
	}
	return out
}

func documensoRecipientOf(e paraph.Envelope, r paraph.Recipient) documensoRecipient {
	d := documensoRecipient{
		ID: r.ID, EnvelopeID: e.PublicID, DocumentID: e.ID, Email: r.Email, Name: r.Name, Token: orNull(r.Token),
		SignedAt: stamp(r.CompletedAt), SigningOrder: r.Order, RejectionReason: orNull(r.DeclineReason), Role: documensoRole(r.Kind),
		ReadStatus: either(!r.OpenedAt.IsZero(), "OPENED", "NOT_OPENED"), SigningStatus: "NOT_SIGNED",
		SendStatus: either(!r.SentAt.IsZero(), "SENT", "NOT_SENT"),
	}
	switch {
	case !r.DeclinedAt.IsZero():
		d.SignedAt, d.SigningStatus = stamp(r.DeclinedAt), "REJECTED"
	case !r.CompletedAt.IsZero():
		d.SigningStatus = "SIGNED"
	case !r.Kind.Acts():
		// Documenso counts somebody who only gets a copy as served from the start.
		d.SigningStatus, d.SendStatus = "SIGNED", either(!e.SentAt.IsZero(), "SENT", "NOT_SENT")
	}
	if r.Kind.Acts() {
		d.Expired, d.ExpiresAt = stamp(e.ExpireAt), stamp(e.ExpireAt)
	}
	if e.Status == paraph.Expired && !r.Done() {
		d.ExpirationNotifiedAt = stamp(e.EndedAt)
	}
	return d
}

func documensoRole(k paraph.RecipientKind) string {
	switch k {
	case paraph.Approver:
		return "APPROVER"
	case paraph.Viewer:
		return "VIEWER"
	case paraph.Assistant:
		return "ASSISTANT"
	case paraph.CC:
		return "CC"
	}
	return "SIGNER"
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}
