package web

import (
	"bytes"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/blob"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/seal"
)

func (s *scene) bob() string   { return "/sign/" + s.sent.Recipients[0].Token }
func (s *scene) carol() string { return "/sign/" + s.sent.Recipients[1].Token }

// now is the sent envelope as it is stored.
func (s *scene) now() paraph.Envelope {
	e, err := s.Store.AnyEnvelope(s.t.Context(), s.sent.ID)
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

// put sends a value as the page's script does.
func (b browser) put(path string, v any) answer {
	b.t.Helper()
	return b.json(http.MethodPut, path, v)
}

type object = map[string]any

func drawn(t *testing.T) object {
	t.Helper()
	return object{"signature": object{"method": "draw", "image": "data:image/png;base64," + base64.StdEncoding.EncodeToString(desktest.Signature(t)), "text": ""}}
}

// finishBob lets Bob sign with the page's script.
func (s *scene) finishBob() {
	s.t.Helper()
	b := s.nobody(s.t)
	fields := s.sent.FieldsOf(s.sent.Recipients[0].ID)
	b.put(s.bob()+"/fields/"+id(fields[0].ID), drawn(s.t)).is(http.StatusOK)
	b.post(s.bob(), "consent", "on").goes(s.bob() + "?done=1")
}

// finishCarol lets Carol sign with the plain form.
func (s *scene) finishCarol() {
	s.t.Helper()
	fields := s.sent.FieldsOf(s.sent.Recipients[1].ID)
	s.nobody(s.t).upload(s.carol(), html, nil, "field-"+id(fields[0].ID)+"-text", "Carol Caraway", "field-"+id(fields[1].ID), "+49 30 123456", "consent", "on").
		goes(s.carol() + "?done=1")
}

func (s *scene) finish() {
	s.t.Helper()
	s.finishBob()
	s.finishCarol()
	s.RunDue(s.t)
}

func TestSigning(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	visitor, ada := s.nobody(t), s.signedIn(t, s.owner)

	visitor.get(s.carol()).is(http.StatusOK).says("It is not your turn yet", "Bob Brown").hides("paraph-signer", "bob@secret.example")
	if !s.now().Recipients[1].OpenedAt.IsZero() {
		t.Error("Carol opened what she could not see")
	}
	var task taskJSON
	visitor.get(s.bob()).is(http.StatusOK)
	visitor.get(s.bob()+"/task", "Accept", "application/json").is(http.StatusOK).read(&task)
	if task.Recipient.Name != "Bob Brown" || task.Envelope.Sender != "Olive Owner" || len(task.Pages) != 2 || len(task.Fields) != 2 || task.Consent != desk.Consent {
		t.Errorf("the task is %+v", task)
	}
	var words []lineJSON
	if visitor.get(task.Pages[1].TextURL).is(http.StatusOK).read(&words); len(words) == 0 || !strings.Contains(words[0].T, "Page") {
		t.Errorf("the words of page 2 are %+v", words)
	}
	visitor.put(task.ValuesURL+"/"+task.Fields[1].ID, object{"value": "Ockham"}).is(http.StatusOK)
	visitor.post(task.FinishURL, "consent", "on").is(http.StatusUnprocessableEntity).says("“Signature” is still empty", "everything else is saved")
	visitor.post(task.FinishURL).is(http.StatusUnprocessableEntity).says("Tick this box")
	visitor.put(task.ValuesURL+"/"+task.Fields[0].ID, drawn(t)).is(http.StatusOK)
	visitor.get(s.bob()+"/task", "Accept", "application/json").read(&task)
	visitor.get(task.Fields[0].SignatureImage).is(http.StatusOK)
	visitor.post(task.FinishURL, "consent", "on").goes(s.bob() + "?done=1")
	visitor.get(s.bob()+"?done=1").is(http.StatusOK).says("You have signed", "Still to come: Carol Caraway", "as it stands now").hides("carol@secret.example")
	visitor.get(s.bob()+"/task", "Accept", "application/json").is(http.StatusGone)
	visitor.put(task.ValuesURL+"/"+task.Fields[1].ID, object{"value": "Too late"}).is(http.StatusGone)
	visitor.post(task.FinishURL, "consent", "on").goes(s.bob())

	s.finishCarol()
	done := visitor.get(s.carol()).is(http.StatusOK).says("being sealed")
	if done.Header().Get("Refresh") == "" {
		t.Error("the page does not look again for the sealed PDF")
	}
	ada.get(envelopePath(s.sent.ID)).says("The sealed PDF is being made")
	s.RunDue(t)
	page := visitor.get(s.carol()).is(http.StatusOK).says("signed by all and sealed")
	sealed := visitor.get(page.page().Find("a[download]").AttrOr("href", "")).is(http.StatusOK)
	rep, err := seal.Verify(sealed.Body.Bytes(), seal.VerifyOptions{Roots: s.Desk.Identity.Roots()})
	if err != nil || !rep.Valid {
		t.Errorf("the download is judged %+v, %v", rep, err)
	}
	ada.get(envelopePath(s.sent.ID)).says("Completed", "Sealed PDF", "Audit log", "Bob Brown signed", "Carol Caraway signed", "Everybody has finished", "Trail verified")
	e := s.now()
	if got := e.FieldsOf(e.Recipients[0].ID)[1].Value.Text; got != "Ockham" {
		t.Errorf("Bob's text is %q", got)
	}
}

// The plain form keeps what is right whatever is wrong with the rest.
func TestPlainForm(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.finishBob()
	b := s.nobody(t)
	fields := s.sent.FieldsOf(s.sent.Recipients[1].ID)
	signature, phone := "field-"+id(fields[0].ID), "field-"+id(fields[1].ID)
	form := b.get(s.carol() + "/plain").is(http.StatusOK).page()
	if form.Find("input[name="+phone+"][type=tel]").Length() != 1 || form.Find("img.plain-sheet").Length() != 2 {
		t.Error("the plain form lacks its parts")
	}
	a := b.upload(s.carol(), html, nil, signature+"-text", "Carol Caraway", phone, "12", "consent", "on").is(http.StatusUnprocessableEntity)
	a.says("between 5 and 15 digits", "everything else is saved")
	p := a.page()
	if p.Find("input[name="+phone+"]").AttrOr("value", "") != "12" || p.Find("img.plain-signature").Length() != 1 {
		t.Error("what was typed is gone")
	}
	if _, ticked := p.Find("input[name=consent]").Attr("checked"); !ticked {
		t.Error("the consent is gone")
	}
	a = b.upload(s.carol(), html, []attachment{{signature + "-file", "me.svg", []byte("<svg/>")}}, phone, "+49 30 123456", "consent", "on").is(http.StatusUnprocessableEntity)
	if a.page().Find("input[name="+signature+"-file]").Length() != 1 {
		t.Error("the form does not come back")
	}
	b.upload(s.carol(), html, []attachment{{signature + "-file", "me.png", desktest.Signature(t)}}, phone, "+49 30 123456", "consent", "on").goes(s.carol() + "?done=1")
	e := s.now()
	if v := e.FieldsOf(s.sent.Recipients[1].ID)[0].Value; v.Method != "upload" {
		t.Errorf("the signature is %+v", v)
	}
}

func TestBadValues(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b := s.nobody(t)
	fields := s.sent.FieldsOf(s.sent.Recipients[0].ID)
	signature, words := s.bob()+"/fields/"+id(fields[0].ID), s.bob()+"/fields/"+id(fields[1].ID)
	image := func(kind string, data []byte) object {
		return object{"signature": object{"method": "upload", "image": "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)}}
	}
	svg := []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`)
	for name, tc := range map[string]struct {
		path   string
		value  any
		status int
	}{
		"nothing":              {words, object{}, 422},
		"a number":             {words, object{"value": 5}, 422},
		"a list":               {words, []int{1}, 422},
		"11,000 letters":       {words, object{"value": strings.Repeat("x", 11000)}, 413},
		"20 MB":                {words, object{"value": strings.Repeat("x", 20<<20)}, 413},
		"an SVG":               {signature, image("image/svg+xml", svg), 422},
		"an SVG called PNG":    {signature, image("image/png", svg), 422},
		"no base64":            {signature, object{"signature": object{"method": "draw", "image": "data:image/png;base64,%%%"}}, 422},
		"no picture":           {signature, object{"signature": object{"method": "draw"}}, 422},
		"an unknown way":       {signature, object{"signature": object{"method": "stamp", "image": "data:image/png;base64,aGk="}}, 422},
		"an empty typed name":  {signature, object{"signature": object{"method": "type", "text": "  "}}, 422},
		"somebody else's":      {s.bob() + "/fields/" + id(s.sent.FieldsOf(s.sent.Recipients[1].ID)[0].ID), object{"value": "x"}, 404},
		"no field":             {s.bob() + "/fields/999999", object{"value": "x"}, 404},
		"a field by no number": {s.bob() + "/fields/first", object{"value": "x"}, 404},
		"out of turn":          {s.carol() + "/fields/" + id(s.sent.FieldsOf(s.sent.Recipients[1].ID)[1].ID), object{"value": "x"}, 409},
		"a wrong link":         {"/sign/nonsense/fields/" + id(fields[1].ID), object{"value": "x"}, 404},
	} {
		var p problem
		a := b.put(tc.path, tc.value)
		if a.Code != tc.status {
			t.Errorf("%s: %d, want %d: %s", name, a.Code, tc.status, a.Body)
			continue
		}
		if a.read(&p); p.Error == "" {
			t.Errorf("%s: no sentence", name)
		}
	}
	for _, f := range s.now().Fields {
		if !f.Value.IsZero() {
			t.Errorf("%q was stored", f.Value)
		}
	}
}

// Who may not sign leaves no picture behind, however the request is made; who
// may, only so many.
func TestNobodyFillsTheDisk(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	png, err := seal.ReadSignatureImage(desktest.Signature(t))
	if err != nil {
		t.Fatal(err)
	}
	stored := func() bool {
		ok, err := s.Blobs.Exists(t.Context(), blob.Digest(png))
		if err != nil {
			t.Fatal(err)
		}
		return ok
	}
	b, mine, hers := s.nobody(t), s.sent.FieldsOf(s.sent.Recipients[0].ID)[0], s.sent.FieldsOf(s.sent.Recipients[1].ID)[0]
	b.put("/sign/nonsense/fields/"+id(mine.ID), drawn(t)).is(http.StatusNotFound)
	b.put(s.bob()+"/fields/"+id(hers.ID), drawn(t)).is(http.StatusNotFound)
	b.put(s.carol()+"/fields/"+id(hers.ID), drawn(t)).is(http.StatusConflict)
	b.put("/sign/"+s.draftToken()+"/fields/"+id(mine.ID), drawn(t)).is(http.StatusConflict)
	if stored() {
		t.Error("a picture was stored for somebody who may not sign")
	}
	for range 98 { // one was hers
		b.put(s.bob()+"/fields/"+id(mine.ID), object{"signature": object{"method": "type", "text": ""}}).is(http.StatusUnprocessableEntity)
	}
	b.put(s.bob()+"/fields/"+id(mine.ID), drawn(t)).is(http.StatusOK)
	if !stored() {
		t.Error("the signature was not stored")
	}
	b.put(s.bob()+"/fields/"+id(mine.ID), drawn(t)).is(http.StatusTooManyRequests)
}

// Each value is a transaction; a link makes only so many.
func TestALinkWritesSoMuch(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	srv := &server{
		Config: Config{Desk: s.Desk, Store: s.Store, Assets: s.assets, Log: s.Desk.Log},
		tries:  newTries(1, time.Minute), inks: newTries(10, time.Minute), pens: newTries(3, time.Minute),
	}
	mux := http.NewServeMux()
	mux.Handle("PUT /sign/{token}/fields/{field}", srv.answer(srv.signValue))
	mux.Handle("POST /sign/{token}", srv.answer(srv.signFinish))
	b := browser{t: t, site: &site{handler: mux}}
	words := s.sent.FieldsOf(s.sent.Recipients[0].ID)[1]
	for i := range 2 {
		b.put(s.bob()+"/fields/"+id(words.ID), object{"value": "Berlin " + id(int64(i))}).is(http.StatusOK)
	}
	b.upload(s.bob(), html, nil, "field-"+id(words.ID), "Bonn").is(http.StatusUnprocessableEntity)
	b.put(s.bob()+"/fields/"+id(words.ID), object{"value": "Rome"}).is(http.StatusTooManyRequests)
	b.upload(s.bob(), html, nil, "field-"+id(words.ID), "Paris").is(http.StatusTooManyRequests)
	if now := s.now(); now.FieldsOf(now.Recipients[0].ID)[1].Value.Text != "Bonn" {
		t.Error("a value was stored beyond the bound, or one within it was lost")
	}
	s.Clock.Advance(time.Minute)
	b.put(s.bob()+"/fields/"+id(words.ID), object{"value": "Rome"}).is(http.StatusOK)
}

// A request for a picture has no body that would be read: FormValue would put
// it on the disk.
func TestPictureReadsNoBody(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	body := &countingReader{Reader: strings.NewReader("--x\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n" + strings.Repeat("x", 1<<20) + "\r\n--x--\r\n")}
	r := httptest.NewRequest(http.MethodGet, s.path("/sign/{bob}/documents/{document}/pages/0?w=240"), body)
	r.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	s.nobody(t).send(r).is(http.StatusOK)
	if body.n > 0 {
		t.Errorf("%d bytes were read", body.n)
	}
}

type countingReader struct {
	io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

// A link leads to a page that says how things stand, whatever has happened.
func TestLinksThatLeadNowhere(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		do    func(t *testing.T, s *scene)
		says  []string
		gone  bool // status 410
		reads bool // the documents can still be seen
	}{
		"declined": {func(t *testing.T, s *scene) {
			s.nobody(t).post(s.bob() + "/decline").is(http.StatusUnprocessableEntity).says("Say in a few words why")
			s.nobody(t).post(s.bob()+"/decline", "reason", "Too dear").goes(s.bob())
		}, []string{"You declined", "Too dear"}, false, false},
		"cancelled": {func(t *testing.T, s *scene) {
			s.signedIn(t, s.owner).post(envelopePath(s.sent.ID) + "/cancel").is(http.StatusSeeOther)
		}, []string{"This envelope was cancelled"}, false, false},
		"deleted": {func(t *testing.T, s *scene) {
			s.signedIn(t, s.owner).post(envelopePath(s.sent.ID) + "/delete").is(http.StatusSeeOther)
		}, []string{"This envelope was deleted"}, true, false},
		"finished": {func(t *testing.T, s *scene) { s.finishBob() }, []string{"You have signed", "Carol Caraway"}, false, true},
		"complete": {func(t *testing.T, s *scene) { s.finish() }, []string{"the documents are sealed"}, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			tc.do(t, s)
			b := s.nobody(t)
			status := http.StatusOK
			if tc.gone {
				status = http.StatusGone
			}
			for _, path := range []string{s.bob(), s.bob() + "/plain", strings.Replace(s.bob(), "/sign/", "/s/", 1)} {
				b.get(path).is(status).says(tc.says...).hides("paraph-signer", "secret.example")
			}
			b.get(s.bob()+"/task", "Accept", "application/json").is(http.StatusGone)
			status = http.StatusGone
			if tc.reads {
				status = http.StatusOK
			}
			b.get(s.path("/sign/{bob}/documents/{document}")).is(status)
			b.get(s.path("/sign/{bob}/documents/{document}/pages/0")).is(status)
			b.post(s.bob(), "consent", "on").goes(s.bob())
		})
	}
	s := newScene(t)
	s.nobody(t).get("/sign/nonsense").is(http.StatusNotFound).says("This link does not lead to a document")
	s.nobody(t).get("/sign/" + s.draftToken()).is(http.StatusOK).says("Not sent yet").hides(secretWords...)
}

// draftToken is the link of somebody in the draft, which nobody should have.
func (s *scene) draftToken() string {
	s.t.Helper()
	e, err := s.Desk.SetRecipients(s.t.Context(), s.owner.Who, s.draft.ID, []paraph.Recipient{{Kind: paraph.Signer, Name: "Bob", Email: "b@example.com", Order: 1}})
	if err != nil {
		s.t.Fatal(err)
	}
	return e.Recipients[0].Token
}

// The time is over at its end, though the job that says so has not run.
func TestExpiredLink(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	o := pendingOrder("Soon over", []desk.Prepared{{Name: "x", Original: s.sent.Documents[0].Original, Uploaded: s.sent.Documents[0].Uploaded, Pages: s.sent.Documents[0].Pages}})
	o.Details.ExpireAt = s.Store.Now().Add(time.Hour)
	e, err := s.Desk.CreateAndSend(t.Context(), s.owner.Who, o)
	if err != nil {
		t.Fatal(err)
	}
	path := "/sign/" + e.Recipients[0].Token
	s.nobody(t).get(path).is(http.StatusOK).says("Soon over")
	s.Clock.Advance(time.Hour)
	s.nobody(t).get(path).is(http.StatusOK).says("The time to sign is over")
	s.nobody(t).put(path+"/fields/"+id(e.Fields[1].ID), object{"value": "x"}).is(http.StatusGone)
	s.RunDue(t)
	s.nobody(t).get(path).is(http.StatusOK).says("The time to sign is over")
}

// Looking ahead is not looking: a browser that prefetches and a program that
// checks the link open nothing.
func TestOnlyPeopleOpen(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b := s.nobody(t)
	b.get(s.bob(), "Sec-Purpose", "prefetch;prerender").is(http.StatusOK)
	b.send(httptest.NewRequest(http.MethodHead, s.bob(), nil)).is(http.StatusOK)
	b.get(s.bob() + "/task")
	if !s.now().Recipients[0].OpenedAt.IsZero() {
		t.Error("a machine opened it")
	}
	b.get(s.bob(), "User-Agent", "A person's/1.0").is(http.StatusOK)
	if r := s.now().Recipients[0]; r.OpenedAt.IsZero() || r.UserAgent != "A person's/1.0" || r.IP != "192.0.2.1" {
		t.Errorf("the recipient is %+v", r)
	}
}

// Others than signers have words and rights of their own.
func TestKindsOfRecipients(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	doc := desk.Prepared{Name: "Minutes", Original: s.sent.Documents[0].Original, Uploaded: s.sent.Documents[0].Uploaded, Pages: s.sent.Documents[0].Pages}
	person := func(n int64, k paraph.RecipientKind) paraph.Recipient {
		return paraph.Recipient{ID: n, Kind: k, Name: string(k), Email: string(k) + "@example.com", Order: 1, SendEmail: true}
	}
	e, err := s.Desk.CreateAndSend(t.Context(), s.owner.Who, desk.Order{
		Name: "Minutes", Source: paraph.FromAPI, Documents: []desk.Prepared{doc}, Details: paraph.Details{RedirectTo: "https://elsewhere.example/done"},
		Recipients: []paraph.Recipient{person(-1, paraph.Approver), person(-2, paraph.Viewer), person(-3, paraph.CC)},
	})
	if err != nil {
		t.Fatal(err)
	}
	b := s.nobody(t)
	link := func(i int) string { return "/sign/" + e.Recipients[i].Token }
	plain := b.get(link(0) + "/plain").is(http.StatusOK).says("I have read these documents and approve them.")
	if got := plain.page().Find("form[action='" + link(0) + "'] button").Text(); got != "Approve" {
		t.Errorf("the approver's button says %q", got)
	}
	b.get(link(1) + "/plain").is(http.StatusOK).says("I have read it")
	b.get(link(2)).is(http.StatusOK).says("You get a copy").hides("/documents/")
	b.get(link(2) + "/documents/" + id(e.Documents[0].ID)).is(http.StatusGone)
	b.post(link(0), "consent", "on").goes(link(0) + "?done=1")
	if got := b.get(link(0)+"?done=1").says("You have approved it", "Continue", "to elsewhere.example").Header().Get("Refresh"); got != "4; url=https://elsewhere.example/done" {
		t.Errorf("the browser goes on to %q", got)
	}
	b.post(link(1), "consent", "on").goes(link(1) + "?done=1")
	s.RunDue(t)
	b.get(link(2)).is(http.StatusOK).says("Everybody has finished", "signed by all and sealed")
	b.get(link(2) + "/documents/" + id(e.Documents[0].ID)).is(http.StatusOK)
}

// Where a finished signer is sent on to is http or https.
func TestSafeURL(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://a.example/x?y=1": "a.example", "http://a.example": "a.example", "javascript:alert(1)": "", "//a.example": "", "/x": "",
		"data:text/html,x": "", "https:": "", "": "", "https://a.example/\r\nSet-Cookie: x": "",
	} {
		if _, host, ok := safeURL(raw); host != want || ok != (want != "") {
			t.Errorf("%q leads to %q, %v", raw, host, ok)
		}
	}
}

// A field with several places is entered at one, and stands at all.
func TestFieldInSeveralPlaces(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	o := pendingOrder("Twice", []desk.Prepared{{Name: "x", Original: s.sent.Documents[0].Original, Uploaded: s.sent.Documents[0].Uploaded, Pages: s.sent.Documents[0].Pages}})
	o.Fields[1].Areas = append(o.Fields[1].Areas, paraph.Area{DocumentID: -1, Page: 1, X: 0.5, Y: 0.5, W: 0.2, H: 0.05})
	e, err := s.Desk.CreateAndSend(t.Context(), s.owner.Who, o)
	if err != nil {
		t.Fatal(err)
	}
	var task taskJSON
	s.nobody(t).get("/sign/" + e.Recipients[0].Token + "/task").is(http.StatusOK).read(&task)
	if len(task.Fields) != 2 || len(task.Fields[1].Also) != 1 || task.Fields[1].Also[0].Page != 1 {
		t.Errorf("the fields are %+v", task.Fields)
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b := s.nobody(t)
	var task taskJSON
	b.get(s.bob() + "/task").read(&task)
	a := b.get(task.Pages[0].Image).is(http.StatusOK)
	if !strings.HasPrefix(a.Header().Get("Content-Type"), "image/") || !strings.Contains(a.Header().Get("Cache-Control"), "private") || !strings.Contains(a.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("the picture comes with %v", a.Header())
	}
	tag := a.Header().Get("ETag")
	b.get(task.Pages[0].Image, "If-None-Match", tag).is(http.StatusNotModified)
	if got := b.get(s.bob() + s.path("/documents/{document}/pages/0?v=old")).is(http.StatusOK).Header().Get("Cache-Control"); strings.Contains(got, "immutable") {
		t.Errorf("a picture under an old version is kept: %q", got)
	}
	b.get(s.carol() + s.path("/documents/{document}/pages/0")).is(http.StatusConflict)
	for _, page := range []string{"2", "-1", "x", "99999999999999999999"} {
		b.get(s.bob() + s.path("/documents/{document}/pages/") + page).is(http.StatusNotFound)
	}
	small := b.get(s.bob() + s.path("/documents/{document}/pages/0?w=240")).is(http.StatusOK)
	if odd := b.get(s.bob() + s.path("/documents/{document}/pages/0?w=99999")).is(http.StatusOK); !bytes.Equal(odd.Body.Bytes(), a.Body.Bytes()) || small.Body.Len() >= a.Body.Len() {
		t.Error("pages are drawn in other widths than ours")
	}
	s.finishBob()
	var after taskJSON
	b.get(s.carol() + "/task").is(http.StatusOK).read(&after)
	if query := func(u string) string { _, q, _ := strings.Cut(u, "?"); return q }; query(after.Pages[0].Image) == query(task.Pages[0].Image) {
		t.Error("the picture's address is the same after somebody signed")
	}
}
