package web

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/envelope_editor"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// maxLayout bounds the JSON of a layout: two thousand fields with some choices.
const maxLayout = 4 << 20

// layoutJSON is what the field editor reads and writes.
type layoutJSON struct {
	Version    int64           `json:"version"`
	Pages      []pageJSON      `json:"pages,omitempty"`
	Recipients []recipientJSON `json:"recipients,omitempty"`
	Fields     []fieldJSON     `json:"fields"`
}

type pageJSON struct {
	DocumentID   string `json:"document_id"`
	DocumentName string `json:"document_name"`
	Page         int    `json:"page"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	Image        string `json:"image"`
	TextURL      string `json:"text_url,omitempty"`
}

type recipientJSON struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Role  string `json:"role"`
	Color int    `json:"color"`
}

type fieldJSON struct {
	ID          string   `json:"id"`
	UID         string   `json:"uid,omitempty"`
	DocumentID  string   `json:"document_id"`
	Page        int      `json:"page"`
	X           float64  `json:"x"`
	Y           float64  `json:"y"`
	W           float64  `json:"w"`
	H           float64  `json:"h"`
	Type        string   `json:"type"`
	RecipientID string   `json:"recipient_id"`
	Label       string   `json:"label"`
	Required    bool     `json:"required"`
	ReadOnly    bool     `json:"readonly"`
	Default     string   `json:"default"`
	Placeholder string   `json:"placeholder"`
	Options     []string `json:"options"`
	FontSize    *float64 `json:"font_size"`
	Min         *float64 `json:"min"`
	Max         *float64 `json:"max"`
}

// draftWithPeople is the draft in the path, or where to go first when it has
// nothing to place fields on or nobody to place them for.
func (s *server) draftWithPeople(r *http.Request) (e paraph.Envelope, to, why string, err error) {
	if e, err = s.owned(r); err != nil {
		return e, "", "", err
	}
	path := envelopePath(e.ID)
	switch {
	case e.Status != paraph.Draft:
		return e, path, "", nil
	case len(e.Documents) == 0:
		return e, path + "/edit", "Add a document first: fields are placed on its pages.", nil
	case len(e.Recipients) == 0:
		return e, path + fieldless(&e), "Add somebody first: every field belongs to a recipient.", nil
	case !slices.ContainsFunc(e.Recipients, func(r paraph.Recipient) bool { return r.Kind.HasFields() }):
		return e, path + fieldless(&e), "Nobody in this envelope fills anything in, so there are no fields to place.", nil
	}
	return e, "", "", nil
}

// fieldless is where a draft goes on that nobody fills in: to the end when
// somebody reads it, else back to the people.
func fieldless(e *paraph.Envelope) string {
	if len(e.Recipients) > 0 {
		return "/review"
	}
	return "/edit#people"
}

func (s *server) fieldsPage(w http.ResponseWriter, r *http.Request) error {
	e, to, why, err := s.draftWithPeople(r)
	if err != nil {
		return err
	}
	if to != "" {
		if why != "" {
			s.flash(w, kit.Info, why)
		}
		return redirect(w, r, to)
	}
	return s.showFields(w, r, http.StatusOK, editorView(&e))
}

func (s *server) showFields(w http.ResponseWriter, r *http.Request, status int, v editor.View) error {
	p := s.head(w, r, kit.Page{Title: "Fields: " + v.Name, Scripts: []string{editor.Script}})
	return render(w, r.WithContext(withChildren(r, editor.Editor(v))), status, kit.BareLayout(p))
}

func editorView(e *paraph.Envelope) editor.View {
	path := envelopePath(e.ID)
	v := editor.View{Name: e.Name, Source: path + "/layout", Back: path + "/edit", Next: path + "/review", NextLabel: "Review"}
	v.Plain.Action = path + "/fields"
	for _, r := range e.Recipients {
		if r.Kind.HasFields() {
			v.Plain.Recipients = append(v.Plain.Recipients, kit.Option{Value: strconv.FormatInt(r.ID, 10), Label: r.DisplayName()})
		}
	}
	for _, d := range e.Documents {
		for p := range d.Pages {
			v.Plain.Pages = append(v.Plain.Pages, kit.Option{Value: pageKey(d.ID, p), Label: d.Name + ", page " + strconv.Itoa(p+1)})
		}
	}
	for _, f := range e.Fields {
		v.Plain.Fields = append(v.Plain.Fields, plainField(f))
	}
	return v
}

func pageKey(document int64, page int) string {
	return strconv.FormatInt(document, 10) + "/" + strconv.Itoa(page)
}

func plainField(f paraph.Field) editor.PlainField {
	a := f.Areas[0]
	return editor.PlainField{
		ID: strconv.FormatInt(f.ID, 10), Type: string(f.Type), RecipientID: strconv.FormatInt(f.RecipientID, 10), Page: pageKey(a.DocumentID, a.Page),
		Label: f.Name, X: a.X * 100, Y: a.Y * 100, W: a.W * 100, H: a.H * 100, Required: f.Required,
		Options: f.Settings.Options,
	}
}

func (s *server) layout(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	out := layoutJSON{Version: e.Version, Fields: fieldsJSON(e.Fields, nil)}
	for _, d := range e.Documents {
		for i, p := range d.Pages {
			w, h := pictureSize(p, readingWidth)
			out.Pages = append(out.Pages, pageJSON{
				DocumentID: strconv.FormatInt(d.ID, 10), DocumentName: d.Name, Page: i, Width: w, Height: h,
				Image: pictureURL(documentPath(&e, d), &e, d, i, readingWidth),
			})
		}
	}
	for i, rec := range e.Recipients {
		if rec.Kind.HasFields() {
			out.Recipients = append(out.Recipients, recipientJSON{strconv.FormatInt(rec.ID, 10), rec.DisplayName(), rec.Email, chosenRole(&e, rec), i % 8})
		}
	}
	writeJSON(w, http.StatusOK, out)
	return nil
}

// fieldsJSON are fields as the editor knows them: by their first place. uids
// are echoed, one for each field.
func fieldsJSON(fs []paraph.Field, uids []string) []fieldJSON {
	out := make([]fieldJSON, 0, len(fs))
	for i, f := range fs {
		a := f.Areas[0]
		j := fieldJSON{
			ID: strconv.FormatInt(f.ID, 10), DocumentID: strconv.FormatInt(a.DocumentID, 10), Page: a.Page, X: a.X, Y: a.Y, W: a.W, H: a.H,
			Type: string(f.Type), RecipientID: strconv.FormatInt(f.RecipientID, 10), Label: f.Name, Required: f.Required, ReadOnly: f.ReadOnly,
			Default: f.Settings.Default, Placeholder: f.Settings.Placeholder, Options: f.Settings.Options, Min: numeral(f.Settings.Min), Max: numeral(f.Settings.Max),
		}
		if j.Options == nil {
			j.Options = []string{}
		}
		if f.Settings.FontSize > 0 {
			j.FontSize = &f.Settings.FontSize
		}
		if i < len(uids) {
			j.UID = uids[i]
		}
		out = append(out, j)
	}
	return out
}

// numeral is a bound as a number, nil when it is none: dates have bounds too.
func numeral(s string) *float64 {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return nil
	}
	return &n
}

func (s *server) saveLayout(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	var sent layoutJSON
	if err := readJSON(w, r, maxLayout, &sent); err != nil {
		return err
	}
	if sent.Version <= 0 {
		return paraph.FieldErrorf("version", "Say which version of the layout this was made from.")
	}
	fields := make([]paraph.Field, len(sent.Fields))
	for i, j := range sent.Fields {
		fields[i] = j.field(&e)
	}
	order := readingOrder(&e, fields)
	sorted, uids := make([]paraph.Field, len(fields)), make([]string, len(fields))
	for n, i := range order {
		sorted[n], uids[n] = fields[i], sent.Fields[i].UID
	}
	saved, err := s.Desk.SetFields(r.Context(), s.who(r), e.ID, sent.Version, sorted)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, layoutJSON{Version: saved.Version, Fields: fieldsJSON(saved.Fields, uids)})
	return nil
}

// field is what the editor sent as a field, with all that it doesn't know of
// taken from the stored one.
func (j fieldJSON) field(e *paraph.Envelope) paraph.Field {
	id, _ := strconv.ParseInt(j.ID, 10, 64)
	f, known := e.Field(id)
	if !known {
		f = paraph.Field{}
	}
	was := f.Type
	f.Type, f.Name, f.Required, f.ReadOnly = paraph.FieldType(j.Type), j.Label, j.Required, j.ReadOnly
	f.RecipientID, _ = strconv.ParseInt(j.RecipientID, 10, 64)
	document, _ := strconv.ParseInt(j.DocumentID, 10, 64)
	first := paraph.Area{DocumentID: document, Page: j.Page, X: j.X, Y: j.Y, W: j.W, H: j.H}
	if len(f.Areas) > 0 {
		first.Option = f.Areas[0].Option
		f.Areas = append([]paraph.Area{first}, f.Areas[1:]...)
	} else {
		f.Areas = []paraph.Area{first}
	}
	j.settings(&f, was)
	return f
}

func (j fieldJSON) settings(f *paraph.Field, was paraph.FieldType) {
	k := &f.Settings
	k.Default, k.Placeholder, k.Options, k.FontSize = j.Default, j.Placeholder, nil, 0
	if f.Type == paraph.RadioField || f.Type == paraph.SelectField {
		k.Options = j.Options
	}
	if j.FontSize != nil {
		k.FontSize = *j.FontSize
	}
	if f.Type != paraph.DateField || was != paraph.DateField { // the editor has no bounds for dates
		k.Min, k.Max = bound(f.Type, j.Min), bound(f.Type, j.Max)
	}
}

func bound(t paraph.FieldType, n *float64) string {
	if n == nil || t != paraph.NumberField {
		return ""
	}
	return strconv.FormatFloat(*n, 'f', -1, 64)
}

// readingOrder is in which order a reader meets fields: by document, page,
// line, then along the line.
func readingOrder(e *paraph.Envelope, fs []paraph.Field) []int {
	place := map[int64]int{}
	for i, d := range e.Documents {
		place[d.ID] = i
	}
	order := make([]int, len(fs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := fs[i].Areas[0], fs[j].Areas[0]
		line := func(a paraph.Area) int { return int(math.Round(a.Y * 100)) }
		return cmp.Or(place[a.DocumentID]-place[b.DocumentID], a.Page-b.Page, line(a)-line(b), cmp.Compare(a.X, b.X))
	})
	return order
}

// saveField is the plain form: one field at a time, its place in percent.
func (s *server) saveField(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	fields, sent := editedFields(&e, f)
	order := readingOrder(&e, fields)
	sorted := make([]paraph.Field, len(fields))
	for n, i := range order {
		sorted[n] = fields[i]
	}
	_, err = s.Desk.SetFields(r.Context(), s.who(r), e.ID, 0, sorted)
	if shown, rest := oops(err); rest != nil {
		return rest
	} else if shown != nil {
		v := editorView(&e)
		v.Plain.Error = shown.Message
		v.Plain.Fields = replacePlain(v.Plain.Fields, sent, shown.Message)
		return s.showFields(w, r, http.StatusUnprocessableEntity, v)
	}
	s.flash(w, kit.Success, "The fields are saved.")
	return redirect(w, r, envelopePath(e.ID)+"/fields")
}

// editedFields are the draft's fields with what the form changes, and the
// field that it is about.
func editedFields(e *paraph.Envelope, f form) ([]paraph.Field, editor.PlainField) {
	sent := editor.PlainField{
		ID: f.Get("id"), Type: f.Get("type"), RecipientID: f.Get("recipient"), Page: f.Get("page"), Label: f.Get("label"),
		X: percent(f.Get("x")), Y: percent(f.Get("y")), W: percent(f.Get("w")), H: percent(f.Get("h")), Required: f.Get("required") != "",
	}
	id, _ := strconv.ParseInt(sent.ID, 10, 64)
	fields := slices.Clone(e.Fields)
	i := slices.IndexFunc(fields, func(f paraph.Field) bool { return f.ID == id })
	if f.Get("do") == "delete" {
		if i >= 0 {
			fields = slices.Delete(fields, i, i+1)
		}
		return fields, sent
	}
	j := fieldJSON{ID: sent.ID, Type: sent.Type, RecipientID: sent.RecipientID, Label: sent.Label, Required: sent.Required}
	document, page, _ := strings.Cut(sent.Page, "/")
	j.DocumentID = document
	j.Page, _ = strconv.Atoi(page)
	j.X, j.Y, j.W, j.H = sent.X/100, sent.Y/100, sent.W/100, sent.H/100
	if i >= 0 {
		old := fieldsJSON(fields[i:i+1], nil)[0]
		j.ReadOnly, j.Default, j.Placeholder, j.Options, j.FontSize, j.Min, j.Max = old.ReadOnly, old.Default, old.Placeholder, old.Options, old.FontSize, old.Min, old.Max
	}
	if f.Has("options") {
		j.Options = lines(f.Get("options"))
		sent.Options = j.Options
	}
	if i < 0 {
		return append(fields, j.field(e)), sent
	}
	fields[i] = j.field(e)
	return fields, sent
}

func lines(s string) []string {
	var out []string
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

func percent(s string) float64 {
	n, err := strconv.ParseFloat(strings.TrimSpace(strings.ReplaceAll(s, ",", ".")), 64)
	if err != nil {
		return -1 // off the page: refused with the sentence about places
	}
	return n
}

// replacePlain puts what was sent in place of what is stored, with its error.
func replacePlain(fs []editor.PlainField, sent editor.PlainField, message string) []editor.PlainField {
	sent.Error = message
	for i, f := range fs {
		if f.ID == sent.ID {
			fs[i] = sent
			return fs
		}
	}
	return append(fs, sent)
}
