package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/webhook"
)

const createAbout = "Makes a submission from files and sends it at once. Fields are placed by their areas. All of it is done, or nothing."

// CreatedSubmission is what was made of a NewSubmission.
type CreatedSubmission struct {
	ID              int64             `json:"id"`
	Name            string            `json:"name"`
	Submitters      []SentSubmitter   `json:"submitters"`
	Source          string            `json:"source"`
	SubmittersOrder string            `json:"submitters_order"`
	Status          string            `json:"status"`
	Schema          []CreatedDocument `json:"schema"`
	Fields          []CreatedField    `json:"fields"`
	ExpireAt        webhook.Stamp     `json:"expire_at"`
	CreatedAt       webhook.Stamp     `json:"created_at"`
}

// CreatedDocument is a document of a submission.
type CreatedDocument struct {
	AttachmentUUID string `json:"attachment_uuid"`
	Name           string `json:"name"`
}

// CreatedField is a field of a submission.
type CreatedField struct {
	UUID          string         `json:"uuid"`
	SubmitterUUID string         `json:"submitter_uuid"`
	Name          string         `json:"name"`
	Type          string         `json:"type"`
	Required      bool           `json:"required"`
	Preferences   map[string]any `json:"preferences"`
	Areas         []CreatedArea  `json:"areas"`
	ReadOnly      bool           `json:"readonly,omitempty"`
	Title         string         `json:"title,omitempty"`
	Description   string         `json:"description,omitempty"`
	DefaultValue  string         `json:"default_value,omitempty"`
	Options       []string       `json:"options,omitempty"`
}

// CreatedArea is a place on a page.
type CreatedArea struct {
	X              float64 `json:"x"`
	Y              float64 `json:"y"`
	W              float64 `json:"w"`
	H              float64 `json:"h"`
	Page           int     `json:"page" doc:"From 0, as webhooks tell it; in requests pages count from 1."`
	AttachmentUUID string  `json:"attachment_uuid"`
	Option         string  `json:"option,omitempty"`
}

type submissionCreation struct {
	Body input[NewSubmission]
}

func (a *api) createSubmission(ctx context.Context, in *submissionCreation) (out CreatedSubmission, err error) {
	n, err := in.Body.value()
	if err != nil {
		return out, err
	}
	o := &ordering{n: n, now: a.cfg.Store.Now(), recipients: map[string]int64{}}
	if err := o.decide(); err != nil {
		return out, err
	}
	if err := a.prepare(ctx, o); err != nil {
		return out, err
	}
	e, err := a.desk.CreateAndSend(ctx, whoOf(ctx), o.Order)
	if err != nil {
		return out, o.located(err)
	}
	s, err := a.snapshot(ctx, e)
	return a.created(s), err
}

// created is the answer's shape.
func (a *api) created(s webhook.Snapshot) CreatedSubmission {
	e, whole := s.Envelope, webhook.SubmissionOf(s)
	out := CreatedSubmission{
		ID: e.ID, Name: e.Name, Submitters: []SentSubmitter{}, Source: whole.Source, SubmittersOrder: whole.SubmittersOrder,
		Status: whole.Status, Schema: []CreatedDocument{}, Fields: []CreatedField{}, ExpireAt: whole.ExpireAt, CreatedAt: whole.CreatedAt,
	}
	people, docs := map[int64]string{}, map[int64]string{} // uuids
	for _, r := range e.Recipients {
		people[r.ID] = r.UUID
		if r.Kind.Acts() {
			out.Submitters = append(out.Submitters, a.sent(s, r))
		}
	}
	for _, d := range e.Documents {
		docs[d.ID] = d.UUID
		out.Schema = append(out.Schema, CreatedDocument{d.UUID, d.Name})
	}
	names := paraph.FieldNames(e.Fields)
	for _, f := range e.Fields {
		out.Fields = append(out.Fields, createdField(f, names[f.ID], people, docs))
	}
	return out
}

func createdField(f paraph.Field, name string, people, docs map[int64]string) CreatedField {
	out := CreatedField{
		UUID: f.UUID, SubmitterUUID: people[f.RecipientID], Name: name, Type: string(f.Type), Required: f.Required, Preferences: map[string]any{},
		Areas: []CreatedArea{}, ReadOnly: f.ReadOnly, Title: f.Settings.Title, Description: f.Settings.Description,
		DefaultValue: f.Settings.Default, Options: f.Settings.Options,
	}
	if f.Settings.FontSize > 0 {
		out.Preferences["font_size"] = f.Settings.FontSize
	}
	for _, p := range f.Areas {
		out.Areas = append(out.Areas, CreatedArea{p.X, p.Y, p.W, p.H, p.Page, docs[p.DocumentID], p.Option})
	}
	return out
}

// ordering turns a NewSubmission into a desk.Order, step by step: first all
// that can be said without looking at a file, then the files.
type ordering struct {
	n   *NewSubmission
	now time.Time
	desk.Order

	documents  []int            // indices of the request's documents, in their order
	submitters []int            // by the place of their recipient in Order.Recipients, the index in the request
	recipients map[string]int64 // by role, the id of a recipient
	paths      []string         // by field, where it stands in the request
	inputs     []entry
}

// entry is a value that is entered in advance.
type entry struct {
	field int // index in Order.Fields
	path  string
	desk.Input
}

// decide does all that needs no file.
func (o *ordering) decide() error {
	if err := o.n.check(); err != nil {
		return err
	}
	o.Source = paraph.FromAPI
	for i := range o.n.Documents {
		o.documents = append(o.documents, i)
	}
	slices.SortStableFunc(o.documents, func(i, j int) int { return cmp.Compare(o.n.Documents[i].Position, o.n.Documents[j].Position) })
	if o.Name = o.n.Name; o.Name == "" {
		o.Name = o.n.Documents[o.documents[0]].Name
	}
	steps := []func() error{o.details, o.people, o.fields, o.overrides, o.fillable}
	if o.n.ImportForm {
		steps = steps[:3] // the others are about fields that are not known yet
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// imported adds the form fields that a document has of its own, as fields of
// the first submitter.
func (o *ordering) imported(at string, fields []paraph.Field) {
	for _, f := range fields {
		f.ID, f.RecipientID = -int64(len(o.Fields))-1, -1
		o.Fields = append(o.Fields, f)
		o.paths = append(o.paths, at)
	}
}

func (o *ordering) details() (err error) {
	o.Details = paraph.Details{Sequential: o.n.Order != "random", ExternalID: o.n.ExternalID, RedirectTo: o.n.RedirectURL, ReplyTo: o.n.ReplyTo, Language: o.n.Language, TimeZone: o.n.TimeZone}
	if o.n.Language != "" && !seal.IsLanguage(o.n.Language) {
		return paraph.FieldErrorf("language", "The audit pages are not written in the language “%s”.", short(o.n.Language))
	}
	if m := o.n.Message; m != nil {
		o.Details.Subject, o.Details.Message = m.Subject, m.Body
	}
	o.Details.ExpireAt, err = parseTime("expire_at", o.n.ExpireAt)
	return err
}

// people makes the recipients, and lets the root package name the roles that
// nobody named.
func (o *ordering) people() error {
	var rs []paraph.Recipient
	for i, s := range o.n.Submitters {
		r, err := o.recipient(i, s)
		if err != nil {
			return err
		}
		rs = append(rs, r)
	}
	if bcc := strings.TrimSpace(o.n.BCCCompleted); bcc != "" {
		email, err := paraph.ParseEmail("bcc_completed", bcc)
		if err != nil {
			return err
		}
		rs = append(rs, paraph.Recipient{ID: -int64(len(rs)) - 1, Kind: paraph.CC, Role: "Copy " + paraph.NewLetters(6), Email: email, Order: paraph.MaxRecipients, SendEmail: true})
	}
	for i := range rs {
		o.submitters = append(o.submitters, i)
	}
	trial, _, err := paraph.New(0, 0, "trial", paraph.FromAPI, paraph.Actor{}, o.now)
	if err != nil {
		return err
	}
	if trial, err = trial.SetRecipients(rs, o.now); err != nil {
		return o.located(err)
	}
	o.Recipients = trial.Recipients
	for place, r := range o.Recipients {
		o.submitters[place] = int(-r.ID) - 1
		o.recipients[r.Role] = r.ID
	}
	return nil
}

func (o *ordering) recipient(i int, s NewSubmitter) (r paraph.Recipient, err error) {
	at := fmt.Sprintf("submitters[%d]", i)
	r = paraph.Recipient{
		ID: -int64(i) - 1, Kind: paraph.Signer, Role: s.Role, Name: s.Name, Email: s.Email, Phone: s.Phone, Order: 1,
		ExternalID: cmp.Or(s.ExternalID, s.AppKey), RedirectTo: s.RedirectURL,
		SendEmail: s.Email != "" && isTrue(s.SendEmail, isTrue(o.n.SendEmail, true)),
	}
	if r.Name == "" && r.Email == "" {
		r.Name = r.Phone
	}
	switch {
	case s.Order != nil && *s.Order < 0:
		return r, paraph.FieldErrorf(at+".order", "The order counts from 0.")
	case s.Order != nil:
		r.Order = *s.Order + 1
	case o.Details.Sequential:
		r.Order = i + 1
	}
	if s.Completed {
		o.Complete = append(o.Complete, r.ID)
	}
	r.Metadata, err = metadataOf(at+".metadata", s.Metadata)
	return r, err
}

func isTrue(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}

// fields makes the fields of all documents.
func (o *ordering) fields() error {
	for place, i := range o.documents {
		for j, f := range o.n.Documents[i].Fields {
			if err := o.field(fmt.Sprintf("documents[%d].fields[%d]", i, j), -int64(place)-1, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *ordering) field(path string, document int64, n NewField) error {
	f := paraph.Field{
		ID: -int64(len(o.Fields)) - 1, Name: n.Name, Required: isTrue(n.Required, true), ReadOnly: n.ReadOnly,
		Settings: paraph.FieldSettings{Title: n.Title, Description: n.Description, Options: n.Options},
	}
	var err error
	if f.Type, err = typeOf(path+".type", n.Type); err != nil {
		return err
	}
	f.ReadOnly = f.ReadOnly || n.Type == "datenow"
	if f.RecipientID, err = o.whose(path, n.Role); err != nil {
		return err
	}
	for k, p := range n.Areas {
		if p.Page < 1 {
			return paraph.FieldErrorf(fmt.Sprintf("%s.areas[%d].page", path, k), "Pages count from 1.")
		}
		f.Areas = append(f.Areas, paraph.Area{DocumentID: document, Page: p.Page - 1, X: p.X, Y: p.Y, W: p.W, H: p.H, Option: p.Option})
		if f.Type == paraph.RadioField && len(n.Options) == 0 && p.Option != "" {
			f.Settings.Options = append(f.Settings.Options, p.Option)
		}
	}
	o.Fields = append(o.Fields, f)
	o.paths = append(o.paths, path)
	return o.settle(len(o.Fields)-1, path, SubmitterField{DefaultValue: n.DefaultValue, Validation: n.Validation, Preferences: n.Preferences})
}

// whose finds the recipient of a role; the first one's when none is named.
func (o *ordering) whose(path, role string) (int64, error) {
	if role == "" {
		return -1, nil
	}
	if id, ok := o.recipients[role]; ok {
		return id, nil
	}
	for known, id := range o.recipients {
		if strings.EqualFold(known, strings.TrimSpace(role)) {
			return id, nil
		}
	}
	return 0, paraph.FieldErrorf(path+".role", "No submitter has the role “%s”.", short(role))
}

// overrides takes in what submitters say of their own fields.
func (o *ordering) overrides() error {
	for i, s := range o.n.Submitters {
		at := fmt.Sprintf("submitters[%d]", i)
		for j, f := range s.Fields {
			path := fmt.Sprintf("%s.fields[%d]", at, j)
			if err := o.named(i, path+".name", f.Name, func(k int) error { return o.settle(k, path, f) }); err != nil {
				return err
			}
		}
		for _, name := range sortedKeys(s.Values) {
			path := at + ".values." + name
			if err := o.named(i, path, name, func(k int) error { return o.enter(k, path, s.Values[name]) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// named does something with each field of a submitter that has a name.
func (o *ordering) named(submitter int, path, name string, do func(field int) error) error {
	names, found := paraph.FieldNames(o.Fields), false
	for k, f := range o.Fields {
		if f.RecipientID != -int64(submitter)-1 || names[f.ID] != name {
			continue
		}
		found = true
		if err := do(k); err != nil {
			return err
		}
	}
	if !found {
		return paraph.FieldErrorf(path, "This submitter has no field “%s”.", short(name))
	}
	return nil
}

// fillable refuses a field that nobody could ever fill in, while it is still
// known where in the request it stands.
func (o *ordering) fillable() error {
	for k, f := range o.Fields {
		given := slices.ContainsFunc(o.inputs, func(e entry) bool { return e.field == k })
		if !f.ReadOnly || !f.Required || given {
			continue
		}
		place := slices.IndexFunc(o.Recipients, func(r paraph.Recipient) bool { return r.ID == f.RecipientID })
		f.Value = f.Prefill(o.Recipients[place], o.now)
		if !f.Filled() {
			return paraph.FieldErrorf(o.paths[k], "“%s” is required and read only, so it needs a default value.", f.Title())
		}
	}
	return nil
}

// settle puts settings into a field.
func (o *ordering) settle(k int, path string, s SubmitterField) error {
	f := &o.Fields[k]
	f.Required, f.ReadOnly = isTrue(s.Required, f.Required), isTrue(s.ReadOnly, f.ReadOnly)
	f.Settings.Title, f.Settings.Description = cmp.Or(s.Title, f.Settings.Title), cmp.Or(s.Description, f.Settings.Description)
	if p := s.Preferences; p != nil && p.FontSize != 0 {
		f.Settings.FontSize = p.FontSize
	}
	if v := s.Validation; v != nil {
		if v.Pattern != "" {
			return paraph.FieldErrorf(path+".validation.pattern", "Patterns are not possible yet.")
		}
		f.Settings.Min, f.Settings.Max = bound(v.Min, f.Settings.Min), bound(v.Max, f.Settings.Max)
	}
	if s.DefaultValue == nil {
		return nil
	}
	path += ".default_value"
	if f.Type.IsImage() {
		return o.enter(k, path, s.DefaultValue)
	}
	in, err := inputOf(path, f.Type, s.DefaultValue)
	f.Settings.Default = in.Text
	return err
}

// bound is a limit as text, however it was written.
func bound(raw json.RawMessage, otherwise string) string {
	s := strings.Trim(string(raw), `"`)
	if s == "" || s == "null" {
		return otherwise
	}
	return s
}

// enter notes a value that is entered in advance.
func (o *ordering) enter(k int, path string, raw json.RawMessage) error {
	in, err := inputOf(path, o.Fields[k].Type, raw)
	o.inputs = append(o.inputs, entry{k, path, in})
	return err
}

// prepare looks at the files and pictures, and stores them.
func (a *api) prepare(ctx context.Context, o *ordering) error {
	for place, i := range o.documents {
		d := &o.n.Documents[i]
		at := fmt.Sprintf("documents[%d].file", i)
		data, err := fileOf(at, d.File)
		if err != nil {
			return err
		}
		d.File = "" // it may be large
		p, err := a.desk.PrepareUpload(ctx, desk.Upload{Name: fileName(d.Name, i), Data: data, Password: d.Password})
		if why := desk.NeedsPassword(err); why != "" {
			return locked(err, fmt.Sprintf("documents[%d].password", i), why)
		}
		if err != nil {
			return moved(err, "documents", at)
		}
		if o.n.ImportForm {
			var fields []paraph.Field
			if p, fields, err = a.desk.WithForm(ctx, p, -int64(place)-1); err != nil {
				return moved(err, "documents", at)
			}
			o.imported(at, fields)
		}
		o.Documents = append(o.Documents, p)
	}
	if o.n.ImportForm {
		for _, step := range []func() error{o.overrides, o.fillable} {
			if err := step(); err != nil {
				return err
			}
		}
	}
	o.Values = map[int]paraph.Value{}
	for _, in := range o.inputs {
		v, err := a.desk.Value(ctx, in.Input)
		if err == nil {
			v, err = o.Fields[in.field].CheckValue(v)
		}
		if err != nil {
			return moved(err, "", in.path)
		}
		if !v.IsZero() {
			o.Values[in.field] = v
		}
	}
	return nil
}

// locked stands beside the password of a file, and says to programs what is
// the matter with it.
func locked(err error, at, why string) error {
	known, ok := errors.AsType[*paraph.Error](err)
	if !ok {
		return err
	}
	c := *known
	c.Field, c.Message = at, c.Message+" Send it as password ("+why+")."
	return &c
}

// fileOf is the bytes of a document.
func fileOf(at, s string) ([]byte, error) {
	switch {
	case s == "":
		return nil, paraph.FieldErrorf(at, "Send the file as base64.")
	case isURL(s):
		return nil, paraph.FieldErrorf(at, "Documents can't be fetched from a URL yet; send the file as base64.")
	}
	data, ok := fromBase64(s)
	if !ok {
		return nil, paraph.FieldErrorf(at, "This is not base64.")
	}
	return data, nil
}

// fileName is a document's name with an extension, so that what follows a dot
// in the name itself is not taken for one.
func fileName(name string, i int) string {
	if name = strings.TrimSpace(name); name == "" {
		name = "Document " + strconv.Itoa(i+1)
	}
	if strings.HasSuffix(strings.ToLower(name), ".pdf") {
		return name
	}
	return strings.ReplaceAll(name, "/", "_") + ".pdf"
}

// moved lets an error that stands at one place of ours (or at any, for "")
// stand at a place of the request.
func moved(err error, from, to string) error {
	known, ok := errors.AsType[*paraph.Error](err)
	if !ok || from != "" && known.Field != from {
		return err
	}
	c := *known
	c.Field = to
	return &c
}

// located lets an error of the root package stand at the request's own part.
func (o *ordering) located(err error) error {
	known, ok := errors.AsType[*paraph.Error](err)
	if !ok {
		return err
	}
	c := *known
	if n, ok := number(c.Field, "field_"); ok {
		c.Field = "submitters" // a field that is stored already: a submitter can't complete
		if n < 0 && int(-n) <= len(o.paths) {
			c.Field = o.paths[-n-1]
		}
		return &c
	}
	rest, ok := strings.CutPrefix(c.Field, "recipients")
	if !ok {
		return &c
	}
	c.Field = "submitters"
	if place, part, found := strings.Cut(strings.TrimPrefix(rest, "."), "."); found {
		if n, err := strconv.Atoi(place); err == nil && n >= 0 && n < len(o.submitters) {
			c.Field = fmt.Sprintf("submitters[%d].%s", o.submitters[n], part)
		}
	}
	return &c
}

func number(s, prefix string) (int64, bool) {
	rest, ok := strings.CutPrefix(s, prefix)
	n, err := strconv.ParseInt(rest, 10, 64)
	return n, ok && err == nil
}

// typeOf is our type of field for DocuSeal's.
func typeOf(path, s string) (paraph.FieldType, error) {
	switch s {
	case "":
		return paraph.TextField, nil
	case "datenow":
		return paraph.DateField, nil
	}
	if t := paraph.FieldType(s); t.Valid() {
		return t, nil
	}
	known := []string{"datenow"}
	for _, t := range paraph.FieldTypes() {
		known = append(known, string(t))
	}
	return "", paraph.FieldErrorf(path, "Fields of the type “%s” are not possible yet; possible are %s.", short(s), strings.Join(known, ", "))
}
