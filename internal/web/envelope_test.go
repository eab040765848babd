package web

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

const html = "text/html"

// photo is a small picture.
func photo(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 60, 80))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// begin makes a draft with one document of two pages, by its pages.
func begin(t *testing.T, b browser) (path string) {
	t.Helper()
	a := b.upload("/envelopes", html, []attachment{{"file", "lease.pdf", desktest.PDF(2)}}).is(http.StatusSeeOther)
	return strings.TrimSuffix(a.Header().Get("Location"), "/edit")
}

// stored is the envelope of a path, as it is stored.
func (b browser) stored(path string) paraph.Envelope {
	b.t.Helper()
	s, err := b.site.Store.SessionByToken(b.t.Context(), b.session, b.site.Store.Now())
	if err != nil {
		b.t.Fatal(err)
	}
	e, err := b.site.Store.Envelope(b.t.Context(), s.Space.ID, number(strings.TrimPrefix(path, "/envelopes/")))
	if err != nil {
		b.t.Fatal(err)
	}
	return e
}

func TestBeginWithSeveralFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	a := ada.upload("/envelopes", html, []attachment{{"file", "Mill lease.pdf", desktest.PDF(2)}, {"file", "notes.txt", []byte("no pdf")}, {"file", "photo.png", photo(t)}}).is(http.StatusSeeOther)
	page := ada.get(a.Header().Get("Location")).is(http.StatusOK)
	page.says("Mill lease", "2 pages", "photo", "1 page")
	e := ada.stored(strings.TrimSuffix(a.Header().Get("Location"), "/edit"))
	if e.Name != "Mill lease" || len(e.Documents) != 2 || e.Status != paraph.Draft {
		t.Errorf("the draft is %q with %d documents, %s", e.Name, len(e.Documents), e.Status)
	}
	if c := a.Result().Cookies(); len(c) != 1 || c[0].Name != "flash" {
		t.Errorf("the refused file is not told of: %v", c)
	}
}

func TestRefusedFilesMakeNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{MaxSize: 1 << 20})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	pdf := desktest.PDF(1)
	for name, tc := range map[string]struct {
		files  []attachment
		status int
		says   string
	}{
		"nothing":   {nil, 422, "Choose a PDF or a picture first"},
		"empty":     {[]attachment{{"file", "a.pdf", nil}}, 422, "empty"},
		"no PDF":    {[]attachment{{"file", "a.pdf", []byte("<html>")}}, 422, "not a PDF"},
		"truncated": {[]attachment{{"file", "a.pdf", pdf[:60]}}, 422, "“a”"},
		"no pages":  {[]attachment{{"file", "a.pdf", desktest.PDF(0)}}, 422, "“a”"},
		"too large": {[]attachment{{"file", "a.pdf", append(slices.Clone(pdf), make([]byte, 1<<20)...)}}, 413, "larger than 1 MB"},
		"a drawing": {[]attachment{{"file", "a.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)}}, 422, "“a”"},
	} {
		t.Run(name, func(t *testing.T) {
			ada.upload("/envelopes", html, tc.files, "name", "Kept name").is(tc.status).says(tc.says)
			var p problem
			ada.upload("/envelopes", "application/json", tc.files).is(tc.status).read(&p)
			if !strings.Contains(p.Error, tc.says) {
				t.Errorf("a script is told %q", p.Error)
			}
		})
	}
	kept := ada.upload("/envelopes", html, nil, "name", "Kept name").page().Find("input[name=name]").AttrOr("value", "")
	if kept != "Kept name" {
		t.Errorf("the name that was typed is %q now", kept)
	}
	ada.get("/envelopes").is(http.StatusOK).says("Nothing to sign yet")
}

// The script sends one file at a time and is told where the next ones go.
func TestDropFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	var first, second storedFile
	ada.upload("/envelopes", "application/json", []attachment{{"file", "one.pdf", desktest.PDF(1)}}, "name", "Typed").is(http.StatusCreated).read(&first)
	ada.upload(first.Upload, "application/json", []attachment{{"file", "two.pdf", desktest.PDF(3)}}).is(http.StatusCreated).read(&second)
	if second.Done != first.Done || second.Pages != 3 || second.Name != "two" {
		t.Errorf("the second file is %+v", second)
	}
	if e := ada.stored(strings.TrimSuffix(first.Done, "/edit")); e.Name != "Typed" || len(e.Documents) != 2 {
		t.Errorf("the draft is %q with %d documents", e.Name, len(e.Documents))
	}
}

// sendForm posts a draft's form with rows of id, name and e-mail.
func sendForm(path string, b browser, do string, rows ...[3]string) answer {
	b.t.Helper()
	pairs := []string{"do", do, "name", "The lease", "message", "Please sign.", "sequential", "on"}
	for i, r := range rows {
		pairs = append(pairs, "recipient_id", r[0], "recipient_name", r[1], "recipient_email", r[2], "recipient_kind", "signer",
			"recipient_role", "", "recipient_order", id(int64(i+1)))
	}
	return b.upload(path+"/details", html, nil, pairs...)
}

// What is wrong stands beside its input, as it was typed; all the rest is
// stored.
func TestNothingTypedIsLost(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	path := begin(t, ada)
	a := sendForm(path, ada, "continue", [3]string{"", "Bob", "bob@@nowhere"}, [3]string{"", "Carol", "carol@example.com"}).is(http.StatusUnprocessableEntity)
	a.says("“bob@@nowhere” is not an e-mail address")
	p := a.page()
	if got := p.Find("input[name=recipient_email]").First(); got.AttrOr("value", "") != "bob@@nowhere" || got.AttrOr("aria-invalid", "") != "true" {
		t.Error("the wrong address does not stand there, marked")
	}
	e := ada.stored(path)
	if len(e.Recipients) != 2 || e.Recipients[0].Name != "Bob" || e.Recipients[1].Email != "carol@example.com" || e.Message != "Please sign." || e.Name != "The lease" || !e.Sequential {
		t.Errorf("the rest is not stored: %+v", e)
	}
	bobID := p.Find("input[name=recipient_id]").First().AttrOr("value", "")
	if bobID != id(e.Recipients[0].ID) {
		t.Errorf("the row's id is %q, want %d: saving again would make a third recipient", bobID, e.Recipients[0].ID)
	}
	sendForm(path, ada, "continue", [3]string{bobID, "Bob", "bob@example.com"}, [3]string{id(e.Recipients[1].ID), "Carol", "carol@example.com"}).goes(path + "/fields")
	again := ada.stored(path)
	if again.Recipients[0].Token != e.Recipients[0].Token || again.Recipients[0].Email != "bob@example.com" {
		t.Error("the recipient was made anew")
	}
}

func TestRecipientRowsWithoutScripts(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	path := begin(t, ada)
	rows := func(a answer) int {
		d := a.page()
		d.Find("template").Remove()
		return d.Find("[data-row]").Length()
	}
	a := sendForm(path, ada, "add-recipient", [3]string{"", "Bob", "bob@example.com"}).is(http.StatusOK)
	if rows(a) != 2 {
		t.Errorf("there are %d rows after adding one", rows(a))
	}
	bob := id(ada.stored(path).Recipients[0].ID)
	sendForm(path, ada, "remove-recipient-0", [3]string{bob, "Bob", "bob@example.com"}, [3]string{"", "Carol", "carol@example.com"}).goes(path + "/edit#people")
	if e := ada.stored(path); len(e.Recipients) != 1 || e.Recipients[0].Name != "Carol" {
		t.Errorf("left are %+v", e.Recipients)
	}
}

// The form saves itself: the answer names the ids of new rows.
func TestAutosave(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	path := begin(t, ada)
	save := func(pairs ...string) (out savedDraft) {
		t.Helper()
		ada.upload(path+"/details", "application/json", nil, append([]string{"name", "Lease"}, pairs...)...).is(http.StatusOK).read(&out)
		return out
	}
	first := save("recipient_id", "", "recipient_name", "Late", "recipient_email", "late@example.com", "recipient_kind", "signer", "recipient_order", "2",
		"recipient_id", "", "recipient_name", "", "recipient_email", "", "recipient_kind", "signer", "recipient_order", "3",
		"recipient_id", "", "recipient_name", "Early", "recipient_email", "x@", "recipient_kind", "cc", "recipient_order", "1")
	e := ada.stored(path)
	if want := []string{id(e.Recipients[1].ID), "", id(e.Recipients[0].ID)}; !slices.Equal(first.IDs, want) {
		t.Errorf("the ids are %q, want %q", first.IDs, want)
	}
	if first.Wrong["recipients.1.email"] == "" || e.Recipients[0].Name != "Early" {
		t.Errorf("refused is %v; stored is %+v", first.Wrong, e.Recipients[0])
	}
}

func TestDocumentsOfADraft(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	path := begin(t, ada)
	ada.upload(path+"/details", html, []attachment{{"file", "annex.pdf", desktest.PDF(1)}}, "name", "Lease").goes(path + "/edit")
	docs := ada.stored(path).Documents
	if len(docs) != 2 || docs[1].Name != "annex" {
		t.Fatalf("the documents are %+v", docs)
	}
	ada.upload(path+"/details", html, nil, "name", "Lease", "do", "remove-document-"+id(docs[0].ID)).goes(path + "/edit")
	if left := ada.stored(path).Documents; len(left) != 1 || left[0].ID != docs[1].ID {
		t.Errorf("left are %+v", left)
	}
}

func TestReviewSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	path := begin(t, ada)
	ada.get(path + "/fields").goes(path + "/edit#people")
	fix := func(says, href string) {
		t.Helper()
		a := ada.get(path + "/review").is(http.StatusOK).says(says)
		if got := a.page().Find("[role=alert] a").AttrOr("href", ""); got != path+href {
			t.Errorf("it is mended at %q, want %q", got, path+href)
		}
		if _, off := a.page().Find("form[action$='/send'] button").Attr("disabled"); !off {
			t.Error("it can be sent all the same")
		}
		ada.post(path + "/send").is(http.StatusUnprocessableEntity).says(says)
	}
	fix("Add somebody who signs", "/edit#people")
	sendForm(path, ada, "save", [3]string{"", "Bob", ""})
	fix("Enter the e-mail address of Bob", "/edit#people")
	sendForm(path, ada, "save", [3]string{id(ada.stored(path).Recipients[0].ID), "Bob", "bob@example.com"})
	fix("Place at least one field for Bob", "/fields")
}

// place saves a layout and returns the answer.
func place(b browser, path string, version int64, fields ...fieldJSON) answer {
	b.t.Helper()
	return b.json(http.MethodPut, path+"/layout", layoutJSON{Version: version, Fields: fields})
}

func TestLayout(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	path := begin(t, ada)
	sendForm(path, ada, "save", [3]string{"", "Bob", "bob@example.com"})
	ada.get(path + "/fields").is(http.StatusOK)
	var was, now layoutJSON
	ada.get(path+"/layout", "Accept", "application/json").is(http.StatusOK).read(&was)
	if len(was.Pages) != 2 || len(was.Recipients) != 1 || was.Pages[0].Width != readingWidth {
		t.Fatalf("the layout is %+v", was)
	}
	ada.get(was.Pages[0].Image).is(http.StatusOK)
	bob, doc := was.Recipients[0].ID, was.Pages[0].DocumentID
	five, lo, hi := 5.5, 1.0, 10.0
	low := fieldJSON{UID: "low", DocumentID: doc, X: 0.1, Y: 0.8, W: 0.3, H: 0.05, Type: "number", RecipientID: bob, Label: "Rent", Default: "2", Placeholder: "pounds", FontSize: &five, Min: &lo, Max: &hi}
	high := fieldJSON{UID: "high", DocumentID: doc, X: 0.1, Y: 0.1, W: 0.3, H: 0.05, Type: "radio", RecipientID: bob, Required: true, Options: []string{"yes", "no"}}
	place(ada, path, was.Version, low, high).is(http.StatusOK).read(&now)
	if now.Version <= was.Version || now.Fields[0].UID != "high" || now.Fields[1].UID != "low" {
		t.Errorf("the answer is %+v", now)
	}
	e := ada.stored(path)
	if f := e.Fields[1]; f.Settings.Min != "1" || f.Settings.Max != "10" || f.Settings.FontSize != 5.5 || f.Settings.Default != "2" || f.Settings.Placeholder != "pounds" || f.Name != "Rent" {
		t.Errorf("the number is stored as %+v", f)
	}
	place(ada, path, was.Version, low).is(http.StatusConflict)
	var p problem
	off := low
	off.X = 0.9
	place(ada, path, now.Version, off).is(http.StatusUnprocessableEntity).read(&p)
	if !strings.Contains(p.Error, "lies off page 1") {
		t.Errorf("a field off the page: %q", p.Error)
	}
	for name, wrong := range map[string]fieldJSON{
		"no type":         {DocumentID: doc, W: 0.1, H: 0.1, RecipientID: bob},
		"unknown type":    {Type: "stamp", DocumentID: doc, W: 0.1, H: 0.1, RecipientID: bob},
		"nobody's":        {Type: "text", DocumentID: doc, W: 0.1, H: 0.1},
		"on no document":  {Type: "text", DocumentID: "99999", W: 0.1, H: 0.1, RecipientID: bob},
		"on no page":      {Type: "text", DocumentID: doc, Page: 2, W: 0.1, H: 0.1, RecipientID: bob},
		"without choices": {Type: "select", DocumentID: doc, W: 0.1, H: 0.1, RecipientID: bob},
	} {
		if a := place(ada, path, now.Version, wrong); a.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, a.Code, a.Body)
		}
	}
	if e := ada.stored(path); len(e.Fields) != 2 || e.Version != now.Version {
		t.Error("a refused layout changed something")
	}
	ada.json(http.MethodPut, path+"/layout", []string{"of the wrong shape"}).is(http.StatusUnprocessableEntity)
}

// What the editor does not know of a field stays as it is when it saves.
func TestLayoutKeepsWhatTheEditorDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ada := s.signedIn(t, s.owner)
	doc, err := s.Desk.Prepare(t.Context(), "x.pdf", desktest.PDF(2))
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Desk.Create(t.Context(), s.owner.Who, "x", []desk.Prepared{doc})
	if err != nil {
		t.Fatal(err)
	}
	e, err = s.Desk.SetRecipients(t.Context(), s.owner.Who, e.ID, []paraph.Recipient{{Kind: paraph.Signer, Name: "Bob", Email: "b@example.com", Order: 1, SendEmail: true}})
	if err != nil {
		t.Fatal(err)
	}
	spot := func(page int) paraph.Area {
		return paraph.Area{DocumentID: e.Documents[0].ID, Page: page, X: 0.1, Y: 0.1, W: 0.1, H: 0.1}
	}
	f := paraph.Field{RecipientID: e.Recipients[0].ID, Type: paraph.DateField, Areas: []paraph.Area{spot(0), spot(1)}, Settings: paraph.FieldSettings{Title: "Day", Description: "of the lease", Min: "2026-01-01"}}
	if e, err = s.Desk.SetFields(t.Context(), s.owner.Who, e.ID, 0, []paraph.Field{f}); err != nil {
		t.Fatal(err)
	}
	path := envelopePath(e.ID)
	var l layoutJSON
	ada.get(path + "/layout").read(&l)
	l.Fields[0].X, l.Fields[0].Required = 0.5, true
	place(ada, path, l.Version, l.Fields...).is(http.StatusOK)
	got := ada.stored(path).Fields[0]
	if got.ID != e.Fields[0].ID || got.Areas[0].X != 0.5 || !slices.Equal(got.Areas[1:], f.Areas[1:]) || got.Settings.Min != "2026-01-01" || got.Settings.Description == "" || !got.Required {
		t.Errorf("the field is %+v now", got)
	}
}

func TestFieldsWithoutScripts(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	ada := s.signedIn(t, s.Person(t, "Ada"))
	path := begin(t, ada)
	sendForm(path, ada, "save", [3]string{"", "Bob", "bob@example.com"})
	e := ada.stored(path)
	field := func(x string) []string {
		return []string{"do", "save", "type", "signature", "recipient", id(e.Recipients[0].ID), "page", pageKey(e.Documents[0].ID, 1), "x", x, "y", "80", "w", "28,5", "h", "6", "required", "on"}
	}
	if a := ada.post(path+"/fields", field("95")...).is(http.StatusUnprocessableEntity); !strings.Contains(a.Body.String(), "off page 2") {
		t.Error("it does not say what is wrong")
	}
	ada.post(path+"/fields", field("10")...).goes(path + "/fields")
	f := ada.stored(path).Fields
	if len(f) != 1 || f[0].Areas[0] != (paraph.Area{DocumentID: e.Documents[0].ID, Page: 1, X: 0.1, Y: 0.8, W: 0.285, H: 0.06}) {
		t.Fatalf("the fields are %+v", f)
	}
	ada.post(path+"/fields", append(field("20"), "id", id(f[0].ID))...).goes(path + "/fields")
	if again := ada.stored(path).Fields; len(again) != 1 || again[0].ID != f[0].ID || again[0].Areas[0].X != 0.2 {
		t.Errorf("the field is %+v", again)
	}
	ada.post(path+"/fields", "do", "delete", "id", id(f[0].ID)).goes(path + "/fields")
	if left := ada.stored(path).Fields; len(left) != 0 {
		t.Errorf("left are %+v", left)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ada := s.signedIn(t, s.owner)
	a := ada.get("/envelopes").is(http.StatusOK)
	a.says("Topsecret draft", "Topsecret merger", "0 of 2 signed", "Waiting for Bob Brown", "All 2", "Drafts 1", "Pending 1", "Archive 0")
	ada.get("/envelopes?status=draft").says("Topsecret draft").hides("Topsecret merger")
	ada.get("/envelopes?q=CAROL").says("Topsecret merger").hides("Topsecret draft")
	ada.get("/envelopes?q=%25").says("Nothing found")
	ada.get("/envelopes?status=expired").says("Nothing in this state")
	ada.get("/envelopes?status=nonsense&before=x&after=-5").is(http.StatusOK).says("Topsecret draft")
	path := envelopePath(s.sent.ID)
	ada.post(path+"/archive", "archived", "yes").goes("/envelopes")
	ada.get("/envelopes").says("Archive 1").hides("Topsecret merger")
	ada.get("/envelopes?status=archived").says("Topsecret merger")
	ada.post(path+"/archive", "archived", "no", "from", "envelope").goes(path)
	ada.get("/envelopes").says("Topsecret merger")
}

func TestListPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	p := s.Person(t, "Ada")
	ada := s.signedIn(t, p)
	const all = 2*pageSize + 3
	for i := range all {
		if _, err := s.Desk.Create(t.Context(), p.Who, fmt.Sprintf("Envelope no. %03d", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	var walk []string
	on := func(path string) (names []string, prev, next string) {
		t.Helper()
		d := ada.get(path).is(http.StatusOK).page()
		for _, n := range d.Find("td.lead").EachIter() {
			names = append(names, n.Text())
		}
		return names, d.Find("a[rel=prev]").AttrOr("href", ""), d.Find("a[rel=next]").AttrOr("href", "")
	}
	names, prev, next := on("/envelopes?status=draft")
	if prev != "" {
		t.Error("the first page has one before it")
	}
	walk = append(walk, names...)
	var back string
	for next != "" {
		names, back, next = on(next)
		walk = append(walk, names...)
	}
	if len(walk) != all || walk[0] != "Envelope no. 052" || walk[all-1] != "Envelope no. 000" || !slices.IsSortedFunc(walk, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Errorf("the walk on is %d long: %v", len(walk), walk)
	}
	pages := 1
	for back != "" {
		names, back, _ = on(back)
		pages++
	}
	if pages != 3 || names[0] != "Envelope no. 052" || len(names) != pageSize {
		t.Errorf("the walk back took %d pages and ends at %v", pages, names)
	}
}

func TestEnvelopePage(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	ada := s.signedIn(t, s.owner)
	path := envelopePath(s.sent.ID)
	s.RunDue(t)
	a := ada.get(path).is(http.StatusOK)
	a.says("Topsecret merger", "Pending", "Bob Brown was invited", "The invitation went to bob@secret.example", "Sent by Olive Owner by API",
		"203.0.113.5", "Trail verified", "Waiting for turn", s.sent.Recipients[0].Token, "document.sent")
	d := a.page()
	if d.Find("form[action$='/remind']").Length() != 1 {
		t.Error("not exactly the one whose turn it is can be reminded")
	}
	remind := s.path(path + "/recipients/{recipient}/remind")
	ada.post(remind).goes(path)
	again := ada.post(remind).goes(path)
	ada.get(path, "Cookie", again.Header().Get("Set-Cookie")).says("wait a minute")
	ada.post(path+"/cancel", "reason", "Wrong price").goes(path)
	ada.get(path).says("Cancelled by Olive Owner", "“Wrong price”", "Nobody can sign it any more")
	ada.post(path + "/cancel").goes(path)
	ada.post(path + "/delete").goes("/envelopes")
	ada.get(path).is(http.StatusNotFound)
}

// A trail that somebody changed behind the server's back is shown as broken.
func TestBrokenTrail(t *testing.T) {
	t.Parallel()
	events := paraph.Chain(paraph.Event{}, []paraph.Event{{Type: paraph.EnvelopeCreated, At: time.Unix(1, 0)}, {Type: paraph.EnvelopeSent, At: time.Unix(2, 0)}})
	if got := trail(events); !got.Sound || got.Hash != events[1].Hash {
		t.Errorf("a sound trail is %+v", got)
	}
	events[0].Actor.IP = "198.51.100.1"
	if got := trail(events); got.Sound || !strings.Contains(got.Text, "event 1 was changed") {
		t.Errorf("a changed trail is %+v", got)
	}
}

func TestErrorsByAudience(t *testing.T) {
	t.Parallel()
	s := newSite(t, desktest.Options{})
	srv := &server{Config: Config{Desk: s.Desk, Store: s.Store, Assets: s.assets, Log: s.Desk.Log}, tries: newTries(1, time.Minute)}
	full := &paraph.Error{Kind: paraph.Full, Message: "There is no space left.", Err: errors.New("write /var/x: no space left on device")}
	for name, tc := range map[string]struct {
		do     handler
		status int
		says   string
	}{
		"a full disk": {func(http.ResponseWriter, *http.Request) error { return full }, http.StatusInsufficientStorage, "disk is full"},
		"a panic":     {func(http.ResponseWriter, *http.Request) error { panic("at /internal/secret.go") }, http.StatusInternalServerError, "our side"},
		"a conflict":  {func(http.ResponseWriter, *http.Request) error { return paraph.Errorf(paraph.Conflict, "Look again.") }, http.StatusConflict, "Look again."},
	} {
		t.Run(name, func(t *testing.T) {
			b := browser{t: t, site: &site{handler: srv.answer(tc.do)}}
			b.get("/x").is(tc.status).says(tc.says).hides("/var/x", "/internal/secret.go")
			var p problem
			b.get("/x", "Accept", "application/json").is(tc.status).hides("/var/x", "/internal/secret.go").read(&p)
			if p.Error == "" {
				t.Error("a script is told nothing")
			}
		})
	}
}
