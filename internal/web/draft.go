package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/web/ui/draft"
	envelopenew "github.com/paraph-sign/paraph/internal/web/ui/envelope_new"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Sizes of forms.
const (
	maxValues    = 4 << 20 // the longest message and a hundred recipients are far below
	filesAtOnce  = 10
	secondsOfDay = 24*time.Hour - time.Second
)

var smallForm = limits{values: 64 << 10}

func (s *server) uploadLimits() limits {
	return limits{values: maxValues, file: s.MaxSize, files: filesAtOnce, total: 2 * s.MaxSize, room: s.Desk.Uploads}
}

// asError is the error as ours, if it is one that people are told.
func asError(err error) (*paraph.Error, bool) { return errors.AsType[*paraph.Error](err) }

func (s *server) drop(upload string) envelopenew.Drop {
	return envelopenew.Drop{
		Upload: upload, MaxBytes: s.MaxSize, Hint: "PDF files up to " + megabytes(s.MaxSize) + ", or pictures (PNG, JPEG, TIFF, WebP, GIF), which become PDFs.",
	}
}

// locked is the sentence of the first refusal that asks for a file's password, "" when none does.
func locked(refused []*paraph.Error) string {
	for _, e := range refused {
		if e.Field == desk.PasswordField {
			return e.Message
		}
	}
	return ""
}

func (s *server) newEnvelopePage(w http.ResponseWriter, r *http.Request) error {
	return s.showNew(w, r, http.StatusOK, draft.New{Drop: s.drop("/envelopes")})
}

func (s *server) showNew(w http.ResponseWriter, r *http.Request, status int, v draft.New) error {
	return s.page(w, r, status, draft.NewPage(v), kit.Page{Title: "New envelope", Scripts: []string{envelopenew.Script}})
}

// prepare looks at files and keeps the good ones. refused are the sentences
// about the others; err is what stops all.
func (s *server) prepare(ctx context.Context, f form) (good []desk.Prepared, refused []*paraph.Error, err error) {
	for _, u := range f.files {
		p, err := desk.Prepared{}, u.refused
		if err == nil {
			p, err = s.Desk.PrepareUpload(ctx, desk.Upload{Name: u.name, Data: u.data, Password: f.Get("file_password")})
		}
		if k := paraph.KindOf(err); k == paraph.Invalid || k == paraph.TooLarge {
			e, _ := asError(err)
			refused = append(refused, e)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		good = append(good, p)
	}
	return good, refused, nil
}

// storedFile is what a script is told of a file that was stored.
type storedFile struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Pages  int    `json:"pages"`
	Size   int64  `json:"size"`
	Upload string `json:"upload"` // where more files go
	Done   string `json:"done"`   // where the browser goes on
}

func fileAnswer(e *paraph.Envelope) storedFile {
	d := e.Documents[len(e.Documents)-1]
	return storedFile{strconv.FormatInt(d.ID, 10), d.Name, len(d.Pages), d.Size, envelopePath(e.ID) + "/documents", envelopePath(e.ID) + "/edit"}
}

// newEnvelope makes a draft of the files that were sent. A script sends one
// and hears where the next ones go.
func (s *server) newEnvelope(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, s.uploadLimits())
	if err != nil {
		return err
	}
	good, refused, err := s.prepare(r.Context(), f)
	if err != nil {
		return err
	}
	if len(good) == 0 {
		if len(refused) == 0 {
			refused = append(refused, paraph.FieldErrorf("documents", "Choose a PDF or a picture first."))
		}
		return s.refuseNew(w, r, f, refused)
	}
	e, err := s.Desk.Create(r.Context(), s.who(r), or(strings.TrimSpace(f.Get("name")), good[0].Name), good)
	if shown, rest := oops(err); rest != nil {
		return rest
	} else if shown != nil {
		return s.refuseNew(w, r, f, []*paraph.Error{shown})
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusCreated, fileAnswer(&e))
		return nil
	}
	if len(refused) > 0 {
		s.flash(w, kit.Error, strings.Join(sentences(refused), " "))
	}
	return redirect(w, r, envelopePath(e.ID)+"/edit")
}

func (s *server) refuseNew(w http.ResponseWriter, r *http.Request, f form, refused []*paraph.Error) error {
	if wantsJSON(r) {
		return refused[0]
	}
	v := draft.New{Name: f.Get("name"), Errors: sentences(refused), Drop: s.drop("/envelopes")}
	v.Drop.Locked = locked(refused)
	return s.showNew(w, r, statusOf(refused[0]), v)
}

func sentences(errs []*paraph.Error) []string {
	out := make([]string, len(errs))
	for i, e := range errs {
		out[i] = e.Message
	}
	return out
}

// addDocuments takes the files that a script drops onto a draft.
func (s *server) addDocuments(w http.ResponseWriter, r *http.Request) error {
	was, err := s.owned(r)
	if err != nil {
		return err
	}
	f, err := readForm(w, r, s.uploadLimits())
	if err != nil {
		return err
	}
	good, refused, err := s.prepare(r.Context(), f)
	if err != nil {
		return err
	}
	if len(good) == 0 && len(refused) == 0 {
		refused = append(refused, paraph.FieldErrorf("documents", "Choose a PDF or a picture first."))
	}
	e := was
	if len(good) > 0 {
		if e, err = s.Desk.AddDocuments(r.Context(), s.who(r), was.ID, good); err != nil {
			return err
		}
	}
	switch {
	case wantsJSON(r) && len(refused) > 0:
		return refused[0]
	case wantsJSON(r):
		writeJSON(w, http.StatusCreated, fileAnswer(&e))
		return nil
	case len(refused) > 0:
		s.flash(w, kit.Error, strings.Join(sentences(refused), " "))
	}
	return redirect(w, r, envelopePath(e.ID)+"/edit")
}

func (s *server) draftPage(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	if e.Status != paraph.Draft {
		return redirect(w, r, envelopePath(e.ID))
	}
	return s.showDraft(w, r, http.StatusOK, s.draftView(&e))
}

func (s *server) showDraft(w http.ResponseWriter, r *http.Request, status int, v draft.View) error {
	return s.page(w, r, status, draft.Page(v), kit.Page{Title: v.Name, Scripts: []string{envelopenew.Script}})
}

func (s *server) draftView(e *paraph.Envelope) draft.View {
	v := draft.View{
		ID: e.ID, Name: e.Name, Subject: e.Subject, Message: e.Message, Sequential: e.Sequential, Drop: s.drop(envelopePath(e.ID) + "/documents"),
		Today: s.Store.Now().Format(time.DateOnly), Documents: draftDocuments(e), Wrong: map[string]string{},
		Languages: languageOptions(e.Language), TimeZone: e.TimeZone,
	}
	if !e.ExpireAt.IsZero() {
		v.ExpireOn = e.ExpireAt.UTC().Format(time.DateOnly)
	}
	for _, r := range e.Recipients {
		v.Recipients.Rows = append(v.Recipients.Rows, envelopenew.Row{
			ID: strconv.FormatInt(r.ID, 10), Name: r.Name, Email: r.Email, Kind: string(r.Kind), Role: chosenRole(e, r), Order: r.Order,
		})
	}
	return v
}

// languageOptions are the languages of the audit pages, and before them the one
// of the space's settings.
func languageOptions(chosen string) []kit.Option {
	out := []kit.Option{{Label: "As in your settings", Selected: chosen == ""}}
	for _, l := range seal.Languages() {
		out = append(out, kit.Option{Value: l[0], Label: l[1], Selected: l[0] == chosen})
	}
	return out
}

func draftDocuments(e *paraph.Envelope) []draft.Document {
	var out []draft.Document
	for _, d := range e.Documents {
		w, h := pictureSize(d.Pages[0], thumbnailWidth)
		out = append(out, draft.Document{
			ID: d.ID, Name: d.Name, Facts: pageCount(len(d.Pages)) + ", " + kit.Bytes(d.Size), Width: w, Height: h,
			Thumbnail: pictureURL(documentPath(e, d), e, d, 0, thumbnailWidth), Notes: draftNotes(d), FormFields: d.FormFields(), Imported: d.Imported(),
		})
	}
	return out
}

// draftForm is what a draft's form said.
type draftForm struct {
	form
	rows []envelopenew.Row // without blank ones
}

// rowsOf reads the recipients' rows. One that is new and says nothing is none.
func rowsOf(f form) []envelopenew.Row {
	col := func(name string, i int) string {
		if all := f.Values["recipient_"+name]; i < len(all) {
			return strings.TrimSpace(all[i])
		}
		return ""
	}
	var out []envelopenew.Row
	for i := range f.Values["recipient_name"] {
		row := envelopenew.Row{ID: col("id", i), Name: col("name", i), Email: col("email", i), Kind: or(col("kind", i), "signer"), Role: col("role", i)}
		row.Order, _ = strconv.Atoi(col("order", i))
		out = append(out, row)
	}
	return out
}

func blank(r envelopenew.Row) bool { return r.ID == "" && r.Name == "" && r.Email == "" }

func recipientOf(r envelopenew.Row) paraph.Recipient {
	id, _ := strconv.ParseInt(r.ID, 10, 64)
	return paraph.Recipient{
		ID: max(id, 0), Kind: paraph.RecipientKind(r.Kind), Role: r.Role, Name: r.Name, Email: r.Email, Order: r.Order, SendEmail: true,
	}
}

// detailsOf are the draft's details with what the form changes of them.
func detailsOf(e *paraph.Envelope, f form) (paraph.Details, *paraph.Error) {
	k := paraph.Details{
		Name: f.Get("name"), Subject: f.Get("subject"), Message: f.Get("message"), Sequential: f.Get("sequential") != "",
		ExternalID: e.ExternalID, RedirectTo: e.RedirectTo, ReplyTo: e.ReplyTo, Language: e.Language, TimeZone: e.TimeZone,
	}
	if f.Has("language") {
		k.Language = f.Get("language")
	}
	if f.Has("timezone") {
		k.TimeZone = strings.TrimSpace(f.Get("timezone"))
	}
	if day := strings.TrimSpace(f.Get("expire_at")); day != "" {
		t, err := time.Parse(time.DateOnly, day)
		if err != nil {
			return k, paraph.FieldErrorf("expire_at", "“%s” is not a date; write it as 2026-12-31.", paraph.Shorten(day, 30))
		}
		k.ExpireAt = t.Add(secondsOfDay)
	}
	return k, nil
}

// saveDetails stores a draft's form: documents, people, message. What can't be
// stored as it is stands there again with the reason, and all the rest is kept.
func (s *server) saveDetails(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	raw, err := readForm(w, r, s.uploadLimits())
	if err != nil {
		return err
	}
	f := draftForm{raw, rowsOf(raw)}
	f.changeRows()
	good, refused, err := s.prepare(r.Context(), f.form)
	if err != nil {
		return err
	}
	saved, wrong, err := s.saveDraft(r.Context(), s.who(r), &e, &f, good)
	if err != nil {
		return err
	}
	if err := s.form(r, &saved, f, &wrong); err != nil {
		return err
	}
	return s.answerDraft(w, r, saved, f, refused, wrong)
}

// changeRows does what the buttons in the list of recipients say.
func (f *draftForm) changeRows() {
	what := f.Get("do")
	if i, err := strconv.Atoi(strings.TrimPrefix(what, "remove-recipient-")); err == nil && i >= 0 && i < len(f.rows) {
		f.rows = slices.Delete(f.rows, i, i+1)
	}
}

// saveDraft stores a form. An input that the rules refuse is put back to what
// was stored, and the rest is tried again, so that nothing else is lost.
func (s *server) saveDraft(ctx context.Context, who desk.Who, e *paraph.Envelope, f *draftForm, add []desk.Prepared) (paraph.Envelope, []*paraph.Error, error) {
	var wrong []*paraph.Error
	details, bad := detailsOf(e, f.form)
	if bad != nil {
		wrong, details.ExpireAt = append(wrong, bad), e.ExpireAt
	}
	edit := desk.DraftEdit{Details: details, Add: add}
	edit.Remove, _ = strconv.ParseInt(strings.TrimPrefix(f.Get("do"), "remove-document-"), 10, 64)
	for _, row := range f.rows {
		if !blank(row) {
			edit.Recipients = append(edit.Recipients, recipientOf(row))
		}
	}
	for range 3 * (len(f.rows) + 4) {
		saved, err := s.Desk.EditDraft(ctx, who, e.ID, edit)
		shown, ok := asError(err)
		if !ok || (shown.Kind != paraph.Invalid && shown.Kind != paraph.TooLarge) {
			return saved, wrong, err
		}
		wrong = append(wrong, shown)
		if !repair(&edit, e, shown.Field) {
			return *e, wrong, nil
		}
	}
	return *e, wrong, nil
}

// repair takes the input at fault out of an edit; false when it isn't clear
// which that is.
func repair(edit *desk.DraftEdit, e *paraph.Envelope, field string) bool {
	switch field {
	case "name":
		edit.Details.Name = e.Name
	case "message":
		edit.Details.Subject, edit.Details.Message = e.Subject, e.Message
	case "expire_at":
		edit.Details.ExpireAt = time.Time{}
	case "language", "timezone":
		edit.Details.Language, edit.Details.TimeZone = e.Language, e.TimeZone
	case "documents":
		if len(edit.Add) == 0 {
			return false
		}
		edit.Add = nil
	default:
		return repairRecipient(edit, field)
	}
	return true
}

func repairRecipient(edit *desk.DraftEdit, field string) bool {
	i, what, ok := recipientField(field)
	if !ok || i >= len(edit.Recipients) {
		return false
	}
	r := &edit.Recipients[i]
	switch what {
	case "email":
		r.Email = ""
	case "name":
		r.Name, r.Role = paraph.Shorten(r.Name, paraph.MaxNameLength), paraph.Shorten(r.Role, paraph.MaxNameLength)
	case "role":
		r.Role = ""
	case "kind":
		r.Kind = paraph.Signer
	default:
		return false
	}
	return true
}

// recipientField takes "recipients.2.email" apart.
func recipientField(field string) (i int, what string, ok bool) {
	parts := strings.Split(field, ".")
	if len(parts) != 3 || parts[0] != "recipients" {
		return 0, "", false
	}
	i, err := strconv.Atoi(parts[1])
	return i, parts[2], err == nil && i >= 0
}

// savedDraft is what a script that saves as one types is told: the ids of the
// rows, "" for a blank one, and what was refused.
type savedDraft struct {
	IDs   []string          `json:"ids"`
	Wrong map[string]string `json:"wrong"`
}

func (s *server) answerDraft(w http.ResponseWriter, r *http.Request, e paraph.Envelope, f draftForm, refused, wrong []*paraph.Error) error {
	f.identify(&e)
	if wantsJSON(r) {
		out := savedDraft{IDs: []string{}, Wrong: map[string]string{}}
		for _, row := range f.rows {
			out.IDs = append(out.IDs, row.ID)
		}
		for _, x := range wrong {
			out.Wrong[x.Field] = x.Message
		}
		writeJSON(w, http.StatusOK, out)
		return nil
	}
	path := envelopePath(e.ID)
	if len(wrong) > 0 || len(refused) > 0 {
		return s.showDraft(w, r, http.StatusUnprocessableEntity, s.wrongDraft(&e, f, refused, wrong))
	}
	switch do := f.Get("do"); {
	case do == "continue":
		return redirect(w, r, path+"/fields")
	case do == "close":
		s.flash(w, kit.Success, "The draft is saved.")
		return redirect(w, r, "/envelopes")
	case do == "add-recipient":
		v := s.draftView(&e)
		v.Recipients.Rows = append(f.rows, envelopenew.Row{Kind: "signer", Order: len(f.rows) + 1})
		return s.showDraft(w, r, http.StatusOK, v)
	case strings.HasPrefix(do, "remove-recipient-"):
		return redirect(w, r, path+"/edit#people")
	}
	return redirect(w, r, path+"/edit")
}

// identify gives new rows the ids that they were stored under: the store has
// them sorted by their order, rows of one order as they stood.
func (f *draftForm) identify(e *paraph.Envelope) {
	var at []int
	for i, row := range f.rows {
		if !blank(row) {
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int { return clampOrder(f.rows[a].Order) - clampOrder(f.rows[b].Order) })
	if len(at) != len(e.Recipients) {
		return
	}
	for n, i := range at {
		f.rows[i].ID = strconv.FormatInt(e.Recipients[n].ID, 10)
	}
}

func clampOrder(n int) int { return min(max(n, 1), paraph.MaxRecipients) }

// wrongDraft is the form as it was filled in, with what is wrong beside it.
func (s *server) wrongDraft(e *paraph.Envelope, f draftForm, refused, wrong []*paraph.Error) draft.View {
	v := s.draftView(e)
	v.Errors, v.Recipients.Rows, v.Drop.Locked = sentences(refused), f.rows, locked(refused)
	v.Name, v.Subject, v.Message, v.Sequential = f.Get("name"), f.Get("subject"), f.Get("message"), f.Get("sequential") != ""
	v.ExpireOn, v.Languages, v.TimeZone = f.Get("expire_at"), languageOptions(f.Get("language")), f.Get("timezone")
	filled := []int{} // the rules count recipients without the blank rows
	for i, row := range f.rows {
		if !blank(row) {
			filled = append(filled, i)
		}
	}
	for _, x := range wrong {
		i, what, ok := recipientField(x.Field)
		switch {
		case ok && i < len(filled) && what == "email":
			v.Recipients.Rows[filled[i]].EmailError = x.Message
		case ok && i < len(filled) && what == "role":
			v.Recipients.Rows[filled[i]].RoleError = x.Message
		case ok && i < len(filled):
			v.Recipients.Rows[filled[i]].NameError = x.Message
		case x.Field == "recipients":
			v.Recipients.Error = x.Message
		case slices.Contains([]string{"name", "subject", "message", "expire_at", "timezone"}, x.Field):
			v.Wrong[x.Field] = x.Message
		default:
			v.Wrong[""] = strings.TrimSpace(v.Wrong[""] + " " + x.Message)
		}
	}
	return v
}

func (s *server) reviewPage(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	if e.Status != paraph.Draft {
		return redirect(w, r, envelopePath(e.ID))
	}
	return s.showReview(w, r, http.StatusOK, &e, e.Ready(s.Store.Now()))
}

func (s *server) showReview(w http.ResponseWriter, r *http.Request, status int, e *paraph.Envelope, missing error) error {
	v := draft.Review{
		ID: e.ID, Name: e.Name, Documents: draftDocuments(e), Sequential: e.Sequential, Subject: e.Subject, Message: e.Message,
		ExpireAt: e.ExpireAt, Now: s.Store.Now(),
	}
	for i, p := range e.Recipients {
		v.Recipients = append(v.Recipients, draft.Person{
			Name: p.DisplayName(), Email: p.Email, Does: does(p.Kind), Role: chosenRole(e, p), Fields: len(e.FieldsOf(p.ID)), Order: p.Order, Number: i,
		})
	}
	if x, ok := asError(missing); ok {
		v.Missing, v.Fix = x.Message, envelopePath(e.ID)+fixPage(x.Field)
	}
	return s.page(w, r, status, draft.ReviewPage(v), kit.Page{Title: "Review: " + e.Name})
}

// fixPage is where an input stands that is wrong.
func fixPage(field string) string {
	switch {
	case field == "fields" || strings.HasPrefix(field, "field_"):
		return "/fields"
	case strings.HasPrefix(field, "recipients"):
		return "/edit#people"
	case field == "expire_at" || field == "timezone":
		return "/edit#message-part"
	}
	return "/edit"
}

func (s *server) send(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	sent, err := s.Desk.Send(r.Context(), s.who(r), e.ID)
	switch {
	case paraph.KindOf(err) == paraph.Invalid && !wantsJSON(r):
		return s.showReview(w, r, http.StatusUnprocessableEntity, &e, err)
	case err != nil:
		return err
	}
	s.flash(w, kit.Success, sentText(&sent))
	return redirect(w, r, envelopePath(e.ID))
}

func sentText(e *paraph.Envelope) string {
	return fmt.Sprintf("It is out. %s will get a mail in a moment.", names(e.WaitingFor()))
}
