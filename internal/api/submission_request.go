package api

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/paraph-sign/paraph"
)

// NewSubmission asks for a submission made from files.
type NewSubmission struct {
	Name         string         `json:"name" doc:"The name of the first document when left out." example:"Lease of 12 Hill Road"`
	Documents    []NewDocument  `json:"documents" required:"true"`
	Submitters   []NewSubmitter `json:"submitters" required:"true" doc:"Who signs. Each needs an e-mail address, a phone number or a name."`
	Order        string         `json:"order" doc:"preserved (one after the other, when left out) or random (side by side)." example:"preserved"`
	SendEmail    *bool          `json:"send_email" doc:"false: nobody is invited by mail; use embed_src. true when left out."`
	Message      *Message       `json:"message" doc:"The invitation's words."`
	ReplyTo      string         `json:"reply_to" doc:"Where answers to mails go."`
	BCCCompleted string         `json:"bcc_completed" doc:"An address that gets the completed documents."`
	ExpireAt     string         `json:"expire_at" doc:"Until when it can be signed, in ISO 8601." example:"2026-12-31T23:59:59Z"`
	RedirectURL  string         `json:"completed_redirect_url" doc:"Where the browser goes on after signing."`
	ExternalID   string         `json:"external_id" doc:"Your own number for it; searched by q."`
	Language     string         `json:"language" doc:"Of the audit pages: en, de, fr, es, it, nl, pt or pl. As the space's settings say when left out." example:"de"`
	TimeZone     string         `json:"timezone" doc:"Of the times in the audit pages, by its IANA name. As the space's settings say when left out." example:"Europe/Berlin"`
	SendSMS      bool           `json:"send_sms" doc:"Not possible yet."`
	TemplateIDs  []int64        `json:"template_ids" doc:"Not possible yet."`
	Merge        bool           `json:"merge_documents" doc:"Not possible yet with several documents."`
	Flatten      bool           `json:"flatten" doc:"Has no effect: what is signed is always drawn into the pages."`
	ImportForm   bool           `json:"import_form_fields" doc:"true uses the form fields that the PDFs have of their own as fields of the first submitter, with their names, types, places, choices and values. Otherwise they stay as they look."`
	RemoveTags   *bool          `json:"remove_tags" doc:"Has no effect yet: tags in the text of a PDF are not read."`
	Variables    map[string]any `json:"variables" doc:"Has no effect yet."`
}

// Message is the text of an invitation.
type Message struct {
	Subject string `json:"subject"`
	Body    string `json:"body"`
}

// NewDocument is a file with its fields.
type NewDocument struct {
	Name     string     `json:"name" required:"true" example:"Lease"`
	File     string     `json:"file" required:"true" doc:"A PDF, or a PNG, JPEG, GIF, WebP, TIFF or BMP, as base64 or data URL. URLs to fetch from are not possible yet."`
	Password string     `json:"password" doc:"Opens the file when it is locked. It is not stored. Without it a locked file is refused with password_required in the sentence, with another with wrong_password."`
	Fields   []NewField `json:"fields"`
	Position int        `json:"position" doc:"The documents' order; as they come when left out."`
}

// NewField is something to fill in.
type NewField struct {
	Name         string            `json:"name" example:"Tenant's signature"`
	Type         string            `json:"type" doc:"signature, initials, text, name, email, date, datenow, number, phone, checkbox, radio or select; text when left out." example:"signature"`
	Role         string            `json:"role" doc:"Whose it is: a submitter's role. The first submitter's when left out." example:"Tenant"`
	Required     *bool             `json:"required" doc:"true when left out."`
	ReadOnly     bool              `json:"readonly" doc:"Shows its default value, which can't be changed."`
	DefaultValue json.RawMessage   `json:"default_value" doc:"What it shows at first."`
	Title        string            `json:"title" doc:"What the signer reads instead of the name."`
	Description  string            `json:"description"`
	Options      []string          `json:"options" doc:"The choices of radio and select."`
	Areas        []NewArea         `json:"areas" doc:"Where it is."`
	Validation   *Validation       `json:"validation"`
	Preferences  *FieldPreferences `json:"preferences"`
}

// NewArea is a place on a page.
type NewArea struct {
	X      float64 `json:"x" required:"true" doc:"From the left, as a fraction of the page's width: 0 to 1."`
	Y      float64 `json:"y" required:"true" doc:"From the top, as a fraction of the page's height."`
	W      float64 `json:"w" required:"true" doc:"Width, as a fraction of the page's."`
	H      float64 `json:"h" required:"true" doc:"Height, as a fraction of the page's."`
	Page   int     `json:"page" required:"true" doc:"From 1." example:"1"`
	Option string  `json:"option" doc:"Of radio: the choice that is ticked here."`
}

// Validation bounds numbers and dates.
type Validation struct {
	Min     json.RawMessage `json:"min" doc:"The smallest number or earliest date."`
	Max     json.RawMessage `json:"max" doc:"The largest number or latest date."`
	Pattern string          `json:"pattern" doc:"Not possible yet."`
}

// FieldPreferences are a field's looks. Others than the size have no effect yet.
type FieldPreferences struct {
	FontSize float64 `json:"font_size" doc:"In points; fits the place when left out."`
}

// NewSubmitter is somebody who signs.
type NewSubmitter struct {
	Name        string                     `json:"name" example:"Tom Tenant"`
	Role        string                     `json:"role" doc:"Different for each. First Party, Second Party, … when left out." example:"Tenant"`
	Email       string                     `json:"email" example:"tom@example.com"`
	Phone       string                     `json:"phone"`
	Values      map[string]json.RawMessage `json:"values" doc:"Values by field name, entered in advance: text, a number, true or false; for a signature a PNG or JPEG as data URL or base64, or the name to be written."`
	ExternalID  string                     `json:"external_id"`
	AppKey      string                     `json:"application_key" doc:"An older name of external_id."`
	Completed   bool                       `json:"completed" doc:"true signs on the submitter's behalf at once. Every required field must have a value, and it must be their turn."`
	Metadata    map[string]any             `json:"metadata" doc:"Whatever you want to find again in webhooks."`
	SendEmail   *bool                      `json:"send_email" doc:"As the submission says when left out."`
	RedirectURL string                     `json:"completed_redirect_url" doc:"As the submission says when left out."`
	Order       *int                       `json:"order" doc:"From 0; those with the same number sign side by side."`
	Fields      []SubmitterField           `json:"fields" doc:"What is different for this submitter in fields of the documents."`
	SendSMS     bool                       `json:"send_sms" doc:"Not possible yet."`
	PhoneCode   bool                       `json:"require_phone_2fa" doc:"Not possible yet."`
	EmailCode   bool                       `json:"require_email_2fa" doc:"Not possible yet."`
	InviteBy    string                     `json:"invite_by" doc:"Not possible yet."`
	Roles       []string                   `json:"roles" doc:"Not possible yet."`
	Message     *Message                   `json:"message" doc:"Has no effect yet; the submission's is used."`
	ReplyTo     string                     `json:"reply_to" doc:"Has no effect yet; the submission's is used."`
}

// SubmitterField changes a field for one submitter.
type SubmitterField struct {
	Name         string            `json:"name" required:"true"`
	DefaultValue json.RawMessage   `json:"default_value"`
	ReadOnly     *bool             `json:"readonly"`
	Required     *bool             `json:"required"`
	Title        string            `json:"title"`
	Description  string            `json:"description"`
	Validation   *Validation       `json:"validation"`
	Preferences  *FieldPreferences `json:"preferences"`
}

// check refuses what can't be done: silence would let somebody believe that a
// code was asked for or a message sent.
func (n *NewSubmission) check() error {
	switch {
	case len(n.Documents) == 0:
		return paraph.FieldErrorf("documents", "Add a document.")
	case len(n.Submitters) == 0:
		return paraph.FieldErrorf("submitters", "Add a submitter.")
	case len(n.Documents) > paraph.MaxDocuments:
		return paraph.FieldErrorf("documents", "A submission holds at most %d documents.", paraph.MaxDocuments)
	case len(n.Submitters) >= paraph.MaxRecipients:
		return paraph.FieldErrorf("submitters", "A submission has fewer than %d submitters.", paraph.MaxRecipients)
	case n.Order != "" && n.Order != "preserved" && n.Order != "random":
		return paraph.FieldErrorf("order", "The order is preserved or random, not “%s”.", short(n.Order))
	case n.SendSMS:
		return paraph.FieldErrorf("send_sms", "Text messages are not possible yet.")
	case len(n.TemplateIDs) > 0:
		return paraph.FieldErrorf("template_ids", "Templates are not possible yet.")
	case n.Merge && len(n.Documents) > 1:
		return paraph.FieldErrorf("merge_documents", "Documents can't be merged yet.")
	}
	if err := checkRedirect("completed_redirect_url", n.RedirectURL); err != nil {
		return err
	}
	for i, s := range n.Submitters {
		if err := s.check(fmt.Sprintf("submitters[%d]", i)); err != nil {
			return err
		}
	}
	return nil
}

func (s *NewSubmitter) check(at string) error {
	switch {
	case s.SendSMS:
		return paraph.FieldErrorf(at+".send_sms", "Text messages are not possible yet.")
	case s.PhoneCode:
		return paraph.FieldErrorf(at+".require_phone_2fa", "Codes by phone are not possible yet.")
	case s.EmailCode:
		return paraph.FieldErrorf(at+".require_email_2fa", "Codes by e-mail are not possible yet.")
	case s.InviteBy != "":
		return paraph.FieldErrorf(at+".invite_by", "Submitters who are named by others are not possible yet.")
	case len(s.Roles) > 0:
		return paraph.FieldErrorf(at+".roles", "A submitter has one role; give it as role.")
	case s.Email == "" && s.Name == "" && s.Phone == "":
		return paraph.FieldErrorf(at, "Give the submitter an e-mail address, a phone number or a name.")
	}
	return checkRedirect(at+".completed_redirect_url", s.RedirectURL)
}

// checkRedirect lets browsers be sent to web pages only, never to a script.
func checkRedirect(field, s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || len(s) > 2000 {
		return paraph.FieldErrorf(field, "“%s” is not a web address.", short(s))
	}
	return nil
}
