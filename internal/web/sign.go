package web

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/sign"
)

// maxValue bounds the JSON of one value: a signature's picture of some 2 MB.
const maxValue = 3 << 20

// maxPictures bounds what the plain form uploads at once.
const maxPictures = 24 << 20

// part is an envelope as the recipient has it before them whose link was used.
type part struct {
	e     paraph.Envelope
	r     paraph.Recipient
	token string
}

var errNoLink = paraph.Errorf(paraph.NotFound, "This link does not lead to a document. Perhaps it was cut off on its way: open it from the mail once more, or ask the sender for a new one.")

// partOf is what the token in the path opens.
func (s *server) partOf(r *http.Request) (part, error) {
	token := r.PathValue("token")
	e, rec, err := s.Store.EnvelopeByToken(r.Context(), token)
	if paraph.KindOf(err) == paraph.NotFound {
		return part{}, errNoLink
	}
	return part{e, rec, token}, err
}

// ended reports whether the time of the envelope is over, even when the job
// that says so has not run yet.
func ended(e *paraph.Envelope, now time.Time) bool {
	return e.Status.Ended() || !e.DeletedAt.IsZero() || (!e.ExpireAt.IsZero() && !now.Before(e.ExpireAt))
}

// acting reports whether the recipient can do something now.
func (p *part) acting(now time.Time) bool { return !ended(&p.e, now) && p.e.InTurn(p.r) }

// mayRead reports whether the recipient may see the documents: while it is
// their turn, after they have finished, and, of those who only get a copy, when
// all is complete.
func (p *part) mayRead(now time.Time) bool {
	switch {
	case !p.e.DeletedAt.IsZero() || p.e.Status == paraph.Draft:
		return false
	case p.e.Status == paraph.Completed:
		return true
	}
	return !ended(&p.e, now) && (p.e.InTurn(p.r) || !p.r.CompletedAt.IsZero())
}

func (p *part) path() string { return "/sign/" + p.token }

// private keeps a signing page out of caches and search engines.
func private(w http.ResponseWriter) { w.Header().Set("X-Robots-Tag", "noindex, nofollow") }

// looking reports whether a person opens the page, rather than a browser that
// fetches ahead or a program that asks whether it is there.
func looking(r *http.Request) bool {
	ahead := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose") + r.Header.Get("X-Moz")
	return r.Method == http.MethodGet && !strings.Contains(ahead, "prefetch") && !strings.Contains(ahead, "prerender")
}

// opened is the recipient's part after they were seen to look at it. When it
// is not theirs to act, it is returned as it stands.
func (s *server) opened(r *http.Request) (part, bool, error) {
	p, err := s.partOf(r)
	if err != nil || !p.acting(s.Store.Now()) {
		return p, false, err
	}
	if !looking(r) {
		return p, true, nil
	}
	e, err := s.Desk.Open(r.Context(), p.token, s.from(r))
	switch paraph.KindOf(err) {
	case "":
		p.e = e
		p.r, _ = e.Recipient(p.r.ID)
		return p, true, nil
	case paraph.Ended, paraph.NotYourTurn, paraph.Conflict: // it ended just now
		p, err = s.partOf(r)
		return p, false, err
	}
	return p, false, err
}

func (s *server) signPage(w http.ResponseWriter, r *http.Request) error {
	private(w)
	p, acts, err := s.opened(r)
	if err != nil {
		return err
	}
	if !acts {
		return s.showOutcome(w, r, &p)
	}
	v := sign.View{Source: p.path() + "/task", Plain: p.path() + "/plain", Form: s.signForm(r.Context(), &p)}
	return s.bare(w, r, http.StatusOK, sign.Page(v), kit.Page{Title: p.e.Name, Scripts: []string{sign.Script}, NoIndex: true})
}

// bare writes a page that brings its own bars.
func (s *server) bare(w http.ResponseWriter, r *http.Request, status int, content templ.Component, p kit.Page) error {
	return render(w, r.WithContext(withChildren(r, content)), status, kit.BareLayout(s.head(w, r, p)))
}

// public writes a page for somebody without an account, whoever is signed in.
func (s *server) public(w http.ResponseWriter, r *http.Request, status int, content templ.Component, p kit.Page) error {
	return render(w, r.WithContext(withChildren(r, content)), status, kit.PublicLayout(s.head(w, r, p)))
}

func withChildren(r *http.Request, content templ.Component) context.Context {
	return templ.WithChildren(r.Context(), content)
}

// taskJSON is what the signing island reads.
type taskJSON struct {
	Envelope   taskEnvelope    `json:"envelope"`
	Recipient  taskRecipient   `json:"recipient"`
	Pages      []pageJSON      `json:"pages"`
	Fields     []taskFieldJSON `json:"fields"`
	Consent    string          `json:"consent"`
	ValuesURL  string          `json:"values_url"`
	FinishURL  string          `json:"finish_url"`
	DeclineURL string          `json:"decline_url"`
}

type taskEnvelope struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Sender  string `json:"sender"`
}

type taskRecipient struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Kind  string `json:"kind"`
}

type lineJSON struct {
	T string  `json:"t"`
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
}

// spotJSON is a place of a field. Option is the choice that is ticked there.
type spotJSON struct {
	DocumentID string  `json:"document_id"`
	Page       int     `json:"page"`
	X          float64 `json:"x"`
	Y          float64 `json:"y"`
	W          float64 `json:"w"`
	H          float64 `json:"h"`
	Option     string  `json:"option,omitempty"`
}

type taskFieldJSON struct {
	spotJSON
	ID             string     `json:"id"`
	Type           string     `json:"type"`
	Label          string     `json:"label"`
	Required       bool       `json:"required"`
	ReadOnly       bool       `json:"readonly"`
	Placeholder    string     `json:"placeholder"`
	Options        []string   `json:"options"`
	Value          string     `json:"value"`
	SignatureImage string     `json:"signature_image"`
	Min            *float64   `json:"min"`
	Max            *float64   `json:"max"`
	Also           []spotJSON `json:"also,omitempty"` // where the same value stands besides
}

func (s *server) signTask(w http.ResponseWriter, r *http.Request) error {
	private(w)
	p, err := s.partOf(r)
	if err != nil {
		return err
	}
	now := s.Store.Now()
	if !p.acting(now) {
		return p.refusal(now)
	}
	t := taskJSON{
		Envelope:  taskEnvelope{p.e.Name, p.e.Message, s.sender(r.Context(), &p.e)},
		Recipient: taskRecipient{strconv.FormatInt(p.r.ID, 10), p.r.Name, p.r.Email, string(p.r.Kind)},
		Consent:   consentOf(p.r.Kind), ValuesURL: p.path() + "/fields", FinishURL: p.path(), DeclineURL: p.path() + "/decline",
		Fields: []taskFieldJSON{},
	}
	for _, f := range p.e.FieldsOf(p.r.ID) {
		t.Fields = append(t.Fields, p.taskField(f, now))
	}
	t.Pages = p.taskPages()
	writeJSON(w, http.StatusOK, t)
	return nil
}

// refusal is why somebody can't act, as an error.
func (p *part) refusal(now time.Time) error {
	switch {
	case ended(&p.e, now):
		return paraph.Errorf(paraph.Ended, "This envelope has ended; nothing can be entered any more. Load the page again to see how.")
	case p.r.Done():
		return paraph.Errorf(paraph.Ended, "You have finished your part already.")
	}
	return paraph.Errorf(paraph.NotYourTurn, "It is not your turn yet; you will get a mail when it is.")
}

func spot(a paraph.Area) spotJSON {
	return spotJSON{strconv.FormatInt(a.DocumentID, 10), a.Page, a.X, a.Y, a.W, a.H, a.Option}
}

// shownValue is what a field shows: what was entered, or what it shows before.
func shownValue(f paraph.Field, r paraph.Recipient, now time.Time) paraph.Value {
	if !f.EnteredAt.IsZero() || !f.Value.IsZero() {
		return f.Value
	}
	return f.Prefill(r, now)
}

func (p *part) taskField(f paraph.Field, now time.Time) taskFieldJSON {
	v := shownValue(f, p.r, now)
	out := taskFieldJSON{
		spotJSON: spot(f.Areas[0]), ID: strconv.FormatInt(f.ID, 10), Type: string(f.Type), Label: label(f), Required: f.Required, ReadOnly: f.ReadOnly,
		Placeholder: f.Settings.Placeholder, Options: f.Settings.Options, Min: numeral(f.Settings.Min), Max: numeral(f.Settings.Max),
	}
	if f.Type.IsImage() {
		out.SignatureImage = p.signatureURL(f)
	} else {
		out.Value = v.Text
	}
	for _, a := range f.Areas[1:] {
		out.Also = append(out.Also, spot(a))
	}
	return out
}

func label(f paraph.Field) string { return or(f.Settings.Title, f.Name) }

func (p *part) signatureURL(f paraph.Field) string {
	if f.Value.Image == "" {
		return ""
	}
	return p.path() + "/fields/" + strconv.FormatInt(f.ID, 10) + "/picture?v=" + f.Value.Image[:16]
}

// taskPages are all pages, each with where its words are, which stand behind the
// picture for whoever selects, searches or listens.
func (p *part) taskPages() []pageJSON {
	var out []pageJSON
	for _, d := range p.e.Documents {
		base := p.path() + "/documents/" + strconv.FormatInt(d.ID, 10)
		for i, size := range d.Pages {
			w, h := pictureSize(size, readingWidth)
			out = append(out, pageJSON{
				DocumentID: strconv.FormatInt(d.ID, 10), DocumentName: d.Name, Page: i, Width: w, Height: h,
				Image: pictureURL(base, &p.e, d, i, readingWidth), TextURL: base + "/pages/" + strconv.Itoa(i) + "/text?v=" + d.Original[:16],
			})
		}
	}
	return out
}

// signWords are the words on a page and where they stand. They are those of the
// original, which never changes. A page whose words can't be read has none.
func (s *server) signWords(w http.ResponseWriter, r *http.Request) error {
	private(w)
	p, err := s.readable(r)
	if err != nil {
		return err
	}
	d, page, err := pageOf(r, &p.e)
	if err != nil {
		return err
	}
	words, err := s.words(r.Context(), d, page)
	if err != nil {
		s.Log.Warn("read a page's words", "document", d.ID, "page", page, "error", err)
		writeJSON(w, http.StatusOK, []lineJSON{})
		return nil
	}
	w.Header().Set("Cache-Control", "private, max-age=31536000, immutable")
	writeJSON(w, http.StatusOK, words)
	return nil
}

func (s *server) words(ctx context.Context, d paraph.Document, page int) ([]lineJSON, error) {
	runs, err := s.Desk.PageText(ctx, d, page)
	if err != nil {
		return nil, err
	}
	out := make([]lineJSON, 0, len(runs))
	for _, t := range runs {
		out = append(out, lineJSON{t.Text, t.X, t.Y, t.W, t.H})
	}
	return out, nil
}

// sender is who sent the envelope, by name.
func (s *server) sender(ctx context.Context, e *paraph.Envelope) string {
	u, err := s.Store.User(ctx, e.OwnerID)
	if err != nil {
		return s.Desk.Instance
	}
	return or(u.Name, u.Email)
}

// consentOf is what finishing means for a kind of recipient.
func consentOf(k paraph.RecipientKind) string {
	switch k {
	case paraph.Signer:
		return desk.Consent
	case paraph.Approver:
		return "I have read these documents and approve them."
	case paraph.Viewer:
		return "I have read these documents."
	}
	return "What I filled in is complete."
}

// valueJSON is one value as the island sends it.
type valueJSON struct {
	Value     *string        `json:"value"`
	Signature *signatureJSON `json:"signature"`
}

type signatureJSON struct {
	Method  string          `json:"method"`
	Image   string          `json:"image"` // a PNG or JPEG as a data URL
	Text    string          `json:"text"`
	Face    string          `json:"face"`    // of a typed one, one of paraph.SignatureFaces
	Strokes json.RawMessage `json:"strokes"` // of a drawn one; then the image is not looked at
}

func (v valueJSON) input() (desk.Input, error) {
	switch {
	case v.Signature != nil:
		return v.Signature.input()
	case v.Value != nil:
		return desk.Input{Text: *v.Value}, nil
	}
	return desk.Input{}, paraph.FieldErrorf("value", "Send a value or a signature.")
}

func (g signatureJSON) input() (desk.Input, error) {
	in := desk.Input{Text: g.Text, Method: g.Method, Face: g.Face}
	if g.Method == "type" {
		return in, nil
	}
	if g.Method == "draw" && len(g.Strokes) > 0 && string(g.Strokes) != "null" {
		in.Strokes = slices.Concat([]byte(`{"strokes":`), g.Strokes, []byte("}"))
		return in, nil
	}
	kind, data, ok := strings.Cut(strings.TrimPrefix(g.Image, "data:"), ";base64,")
	if !ok || (kind != "image/png" && kind != "image/jpeg") {
		return in, paraph.FieldErrorf("signature", "The signature is not a picture that can be read; draw it, type it, or choose a PNG or JPEG.")
	}
	b, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return in, paraph.FieldErrorf("signature", "The signature's picture arrived damaged; try again.")
	}
	in.Image = b
	return in, nil
}

func (s *server) signValue(w http.ResponseWriter, r *http.Request) error {
	private(w)
	field, err := pathID(r, "field")
	if err != nil {
		return err
	}
	var v valueJSON
	if err := readJSON(w, r, maxValue, &v); err != nil {
		return err
	}
	in, err := v.input()
	if err != nil {
		return err
	}
	if err := s.mayWrite(r, v.Signature != nil); err != nil {
		return err
	}
	e, err := s.Desk.Enter(r.Context(), r.PathValue("token"), field, in, s.from(r))
	if err != nil {
		return err
	}
	f, _ := e.Field(field)
	writeJSON(w, http.StatusOK, map[string]string{"value": f.Value.Text})
	return nil
}

// mayWrite bounds how many values a link stores, each in a transaction of its
// own, and how many signatures: what is drawn over an earlier one stays behind
// it.
func (s *server) mayWrite(r *http.Request, signature bool) error {
	p, err := s.partOf(r)
	if err != nil {
		return err
	}
	if signature {
		return s.inks.check(s.Store.Now(), p.key())
	}
	return s.pens.check(s.Store.Now(), p.key())
}

// key names the recipient where tries are counted.
func (p *part) key() string { return strconv.FormatInt(p.r.ID, 10) }

// signFinish ends somebody's part. The island has stored the values before; the
// plain form brings them along.
func (s *server) signFinish(w http.ResponseWriter, r *http.Request) error {
	private(w)
	p, err := s.partOf(r)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, limits{values: maxValues, file: maxValue, files: paraph.MaxFields, total: maxPictures, room: s.Desk.Visits})
	if err != nil {
		return err
	}
	if !p.acting(s.Store.Now()) {
		return redirect(w, r, p.path())
	}
	wrong := map[string]string{}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		if err := s.inks.check(s.Store.Now(), p.key()); err != nil {
			return err
		}
		if wrong, err = s.enterAll(r, &p, f); err != nil {
			return err
		}
	}
	if f.Get("consent") == "" {
		wrong["consent"] = "Tick this box to go on."
	}
	if len(wrong) == 0 {
		_, err = s.Desk.Finish(r.Context(), p.token, s.from(r))
		shown, ok := asError(err)
		switch {
		case err == nil:
			return redirect(w, r, p.path()+"?done=1")
		case !ok || shown.Kind == paraph.Internal || shown.Kind == paraph.Full || wantsJSON(r):
			return err
		case shown.Kind != paraph.Invalid:
			return redirect(w, r, p.path())
		}
		wrong[shown.Field] = shown.Message
	}
	return s.showPlain(w, r, http.StatusUnprocessableEntity, f, wrong)
}

// enterAll stores what a plain form brings, each value by itself, so that the
// good ones are kept whatever is wrong with the others.
func (s *server) enterAll(r *http.Request, p *part, f form) (map[string]string, error) {
	wrong := map[string]string{}
	for _, field := range p.e.FieldsOf(p.r.ID) {
		in, ok, err := plainInput(field, f, shownValue(field, p.r, s.Store.Now()))
		if !ok || field.ReadOnly {
			continue
		}
		if err == nil {
			err = s.pens.check(s.Store.Now(), p.key())
		}
		if err == nil {
			_, err = s.Desk.Enter(r.Context(), p.token, field.ID, in, s.from(r))
		}
		shown, told := asError(err)
		switch {
		case err == nil:
		case told && (shown.Kind == paraph.Invalid || shown.Kind == paraph.TooLarge):
			wrong[field.InputName()] = shown.Message
		default:
			return wrong, err
		}
	}
	return wrong, nil
}

// plainInput is what a plain form says of a field; false when that is nothing
// new, an error when it could not be read.
func plainInput(field paraph.Field, f form, now paraph.Value) (desk.Input, bool, error) {
	name := "field-" + strconv.FormatInt(field.ID, 10)
	if field.Type.IsImage() {
		for _, u := range f.files {
			if u.field == name+"-file" && (len(u.data) > 0 || u.refused != nil) {
				return desk.Input{Method: "upload", Image: u.data}, true, u.refused
			}
		}
		text := strings.TrimSpace(f.Get(name + "-text"))
		return desk.Input{Method: "type", Text: text}, text != "", nil
	}
	text, said := f.Get(name), f.Has(name)
	if field.Type == paraph.CheckboxField && !said { // an empty box sends nothing
		return desk.Input{Text: "false"}, now.Text == "true", nil
	}
	return desk.Input{Text: text}, said && text != now.Text, nil
}

func (s *server) signDecline(w http.ResponseWriter, r *http.Request) error {
	private(w)
	p, err := s.partOf(r)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	_, err = s.Desk.Decline(r.Context(), p.token, f.Get("reason"), s.from(r))
	switch k := paraph.KindOf(err); {
	case err == nil, (k == paraph.Ended || k == paraph.NotYourTurn) && !wantsJSON(r):
		return redirect(w, r, p.path())
	case k == paraph.Invalid && !wantsJSON(r):
		shown, _ := asError(err)
		return s.showPlain(w, r, http.StatusUnprocessableEntity, form{}, map[string]string{"": shown.Message})
	}
	return err
}

func (s *server) signFieldPicture(w http.ResponseWriter, r *http.Request) error {
	p, err := s.partOf(r)
	if err != nil {
		return err
	}
	id, err := pathID(r, "field")
	if err != nil {
		return err
	}
	f, ok := p.e.Field(id)
	if !ok || f.RecipientID != p.r.ID || !p.mayRead(s.Store.Now()) {
		return errNoPage
	}
	file, err := s.Desk.ValueFile(r.Context(), f)
	if err != nil {
		return err
	}
	return handOut(w, r, file, viewed)
}

// readable is the recipient's part, if they may see the documents.
func (s *server) readable(r *http.Request) (part, error) {
	p, err := s.partOf(r)
	if err == nil && !p.mayRead(s.Store.Now()) {
		err = p.refusal(s.Store.Now())
	}
	return p, err
}

func (s *server) signPicture(w http.ResponseWriter, r *http.Request) error {
	private(w)
	p, err := s.readable(r)
	if err != nil {
		return err
	}
	return s.picture(w, r, &p.e)
}

func (s *server) signDownload(w http.ResponseWriter, r *http.Request) error {
	private(w)
	p, err := s.readable(r)
	if err != nil {
		return err
	}
	return s.handDocument(w, r, &p.e)
}
