package webhook

import (
	"cmp"
	"slices"

	"github.com/paraph-sign/paraph"
)

// The Documenso dialect: one superset of what it sent in 2024 and sends today. The order of the fields is the order on the wire.

type documensoBody struct {
	Event           string           `json:"event"`
	Payload         documensoPayload `json:"payload"`
	CreatedAt       stamp            `json:"createdAt"`
	WebhookEndpoint string           `json:"webhookEndpoint"`
}

type documensoPayload struct {
	ID             int64                `json:"id"`
	EnvelopeID     string               `json:"envelopeId"`
	ExternalID     *string              `json:"externalId"`
	UserID         int64                `json:"userId"`
	AuthOptions    *struct{}            `json:"authOptions"` // none yet
	FormValues     *struct{}            `json:"formValues"`  // none yet
	Visibility     string               `json:"visibility"`
	Title          string               `json:"title"`
	Status         string               `json:"status"`
	DocumentDataID string               `json:"documentDataId"`
	CreatedAt      stamp                `json:"createdAt"`
	UpdatedAt      stamp                `json:"updatedAt"`
	CompletedAt    stamp                `json:"completedAt"`
	DeletedAt      stamp                `json:"deletedAt"`
	TeamID         *int64               `json:"teamId"`
	TemplateID     *int64               `json:"templateId"`
	Source         string               `json:"source"`
	DocumentMeta   documensoMeta        `json:"documentMeta"`
	DocumentData   *documensoData       `json:"documentData"` // null only for a draft without a PDF
	Recipient      []documensoRecipient `json:"Recipient,omitempty"`
	Recipients     []documensoRecipient `json:"recipients"`
}

type documensoMeta struct {
	ID                     string    `json:"id"`
	Subject                *string   `json:"subject"`
	Message                *string   `json:"message"`
	Timezone               string    `json:"timezone"`
	DateFormat             string    `json:"dateFormat"`
	RedirectURL            *string   `json:"redirectUrl"`
	SigningOrder           string    `json:"signingOrder"`
	AllowDictateNextSigner bool      `json:"allowDictateNextSigner"`
	TypedSignatureEnabled  bool      `json:"typedSignatureEnabled"`
	UploadSignatureEnabled bool      `json:"uploadSignatureEnabled"`
	DrawSignatureEnabled   bool      `json:"drawSignatureEnabled"`
	Language               string    `json:"language"`
	DistributionMethod     string    `json:"distributionMethod"`
	EmailSettings          *struct{} `json:"emailSettings"`
}

type documensoData struct {
	ID          string `json:"id"`
	Type        string `json:"type"`
	Data        string `json:"data"`
	InitialData string `json:"initialData"`
}

type documensoRecipient struct {
	ID                   int64         `json:"id"`
	EnvelopeID           string        `json:"envelopeId"`
	DocumentID           int64         `json:"documentId"`
	TemplateID           *int64        `json:"templateId"`
	Email                string        `json:"email"`
	Name                 string        `json:"name"`
	Token                *string       `json:"token"`
	DocumentDeletedAt    stamp         `json:"documentDeletedAt"`
	Expired              stamp         `json:"expired"`
	ExpiresAt            stamp         `json:"expiresAt"`
	ExpirationNotifiedAt stamp         `json:"expirationNotifiedAt"`
	SignedAt             stamp         `json:"signedAt"`
	AuthOptions          documensoAuth `json:"authOptions"`
	SigningOrder         int           `json:"signingOrder"`
	RejectionReason      *string       `json:"rejectionReason"`
	Role                 string        `json:"role"`
	ReadStatus           string        `json:"readStatus"`
	SigningStatus        string        `json:"signingStatus"`
	SendStatus           string        `json:"sendStatus"`
}

type documensoAuth struct {
	AccessAuth *struct{} `json:"accessAuth"`
	ActionAuth *struct{} `json:"actionAuth"`
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
