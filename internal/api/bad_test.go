package api_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/store"
)

// encrypted is a file that asks for a password: its handler has keys that no
// password opens.
func encrypted() []byte {
	hex := strings.Repeat("5a", 32)
	dict := fmt.Sprintf("/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >> /ID [<%s> <%s>] ", hex, hex, hex[:32], hex[:32])
	return bytes.Replace(desktest.PDF(1), []byte("trailer\n<< "), []byte("trailer\n<< "+dict), 1)
}

// manyPages is a small file whose page tree names one page again and again.
func manyPages() []byte {
	pdf := desktest.PDF(1)
	kids := bytes.Repeat([]byte("4 0 R "), 2001)
	return bytes.Replace(pdf, []byte("/Kids [4 0 R] /Count 1"), []byte("/Kids ["+string(kids)+"] /Count 2001"), 1)
}

func TestBadSubmissions(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{MaxSize: 2 << 20})
	ann := s.Person(t, "Ann Admin")
	document := func(l m) m { return l["documents"].([]m)[0] }
	field := func(l m, i int) m { return document(l)["fields"].([]m)[i] }
	submitter := func(l m, i int) m { return l["submitters"].([]m)[i] }
	file := func(b []byte) func(m) { return func(l m) { document(l)["file"] = base64Of(b) } }
	inArea := func(key string, v any) func(m) {
		return func(l m) { field(l, 1)["areas"].([]m)[0][key] = v }
	}
	for _, test := range []struct {
		name   string
		spoil  func(m)
		status int
		field  string
		says   string
	}{
		{"no documents", func(l m) { delete(l, "documents") }, 422, "documents", "Add a document"},
		{"no submitters", func(l m) { l["submitters"] = []m{} }, 422, "submitters", "Add a submitter"},
		{"no PDF", file([]byte("Dear all, please sign.")), 422, "documents[0].file", "PDF"},
		{"an empty file", func(l m) { document(l)["file"] = "" }, 422, "documents[0].file", "base64"},
		{"a truncated file", file(desktest.PDF(1)[:200]), 422, "documents[0].file", "Lease"},
		{"a file of no pages", file(desktest.PDF(0)), 422, "documents[0].file", "page"},
		{"a file with a password", file(encrypted()), 422, "documents[0].password", "(password_required)"},
		{"a file of too many pages", file(manyPages()), 413, "documents", "2000"},
		{"a large file", file(append(desktest.PDF(1), make([]byte, 2<<20)...)), 413, "documents[0].file", "2 MB"},
		{"a request that is too large", file(make([]byte, 4<<20)), 413, "body", "MB"},
		{"no base64", func(l m) { document(l)["file"] = "%PDF-1.7" }, 422, "documents[0].file", "base64"},
		{"a URL", func(l m) { document(l)["file"] = "https://example.com/lease.pdf" }, 422, "documents[0].file", "URL"},
		{"an internal URL", func(l m) { document(l)["file"] = "http://169.254.169.254/latest" }, 422, "documents[0].file", "URL"},

		{"a field off the page", inArea("x", 0.9), 422, "documents[0].fields[1]", "off page"},
		{"a field with a negative place", inArea("y", -0.1), 422, "documents[0].fields[1]", "off page"},
		{"a field without a size", inArea("w", 0), 422, "documents[0].fields[1]", "off page"},
		{"a field on page 3 of 2", inArea("page", 3), 422, "documents[0].fields[1]", "page 3"},
		{"a field on page 0", inArea("page", 0), 422, "documents[0].fields[1].areas[0].page", "from 1"},
		{"a field nowhere", func(l m) { delete(field(l, 1), "areas") }, 422, "documents[0].fields[1]", "no place"},
		{"a coordinate that is text", inArea("x", "left"), 422, "documents.fields.areas.x", "a number, not text"},
		{"a type that isn't there yet", func(l m) { field(l, 1)["type"] = "payment" }, 422, "documents[0].fields[1].type", "payment"},
		{"a type of another world", func(l m) { field(l, 1)["type"] = "<b>" }, 422, "documents[0].fields[1].type", "<b>"},
		{"a field of nobody", func(l m) { field(l, 1)["role"] = "Notary" }, 422, "documents[0].fields[1].role", "Notary"},
		{"choices without choices", func(l m) { field(l, 1)["type"] = "select" }, 422, "documents[0].fields[1]", "choices"},
		{"a default that is no number", func(l m) { field(l, 1)["default_value"] = "much" }, 422, "documents[0].fields[1]", "number"},
		{"a pattern", func(l m) { field(l, 0)["validation"] = m{"pattern": "^a$"} }, 422, "documents[0].fields[0].validation.pattern", "not possible"},

		{"two submitters of one role", func(l m) { submitter(l, 1)["role"] = "Tenant" }, 422, "submitters[1].role", "Tenant"},
		{"a submitter without anything", func(l m) { l["submitters"] = []m{{"role": "Tenant"}} }, 422, "submitters[0]", "e-mail"},
		{"a bad address", func(l m) { submitter(l, 1)["email"] = "lea@@example" }, 422, "submitters[1].email", "lea@@example"},
		{"a signer with nothing to sign", func(l m) { submitter(l, 1)["role"] = "Owner"; field(l, 4)["role"] = "Tenant" }, 422, "fields", "Lea"},
		{"an address that is a number", func(l m) { submitter(l, 0)["email"] = 7 }, 422, "submitters.email", "text"},
		{"submitters that are an object", func(l m) { l["submitters"] = m{} }, 422, "submitters", "a list"},
		{"an unknown order", func(l m) { l["order"] = "alphabetical" }, 422, "order", "alphabetical"},
		{"a time that is none", func(l m) { l["expire_at"] = "soon" }, 422, "expire_at", "soon"},
		{"a time that is over", func(l m) { l["expire_at"] = "2020-01-01T00:00:00Z" }, 422, "expire_at", "future"},
		{"a script to go on to", func(l m) { l["completed_redirect_url"] = "javascript:alert(1)" }, 422, "completed_redirect_url", "web address"},
		{"a submitter's script to go on to", func(l m) { submitter(l, 1)["completed_redirect_url"] = "data:text/html,x" }, 422, "submitters[1].completed_redirect_url", "web address"},
		{"text messages", func(l m) { l["send_sms"] = true }, 422, "send_sms", "not possible"},
		{"codes by phone", func(l m) { submitter(l, 0)["require_phone_2fa"] = true }, 422, "submitters[0].require_phone_2fa", "not possible"},
		{"templates", func(l m) { l["template_ids"] = []int{1} }, 422, "template_ids", "not possible"},
		{"metadata without end", func(l m) { submitter(l, 0)["metadata"] = m{"x": strings.Repeat("y", 17<<10)} }, 413, "submitters[0].metadata", "16 kB"},

		{"a value for no field", func(l m) { submitter(l, 0)["values"] = m{"Height": 3} }, 422, "submitters[0].values.Height", "Height"},
		{"a value for another's field", func(l m) { submitter(l, 1)["values"] = m{"Rent": 3} }, 422, "submitters[1].values.Rent", "Rent"},
		{"a value of another type", func(l m) { submitter(l, 0)["values"] = m{"Rent": "free"} }, 422, "submitters[0].values.Rent", "number"},
		{"a value that is a list", func(l m) { submitter(l, 0)["values"] = m{"Rent": []int{1}} }, 422, "submitters[0].values.Rent", "number"},
		{"a long value", func(l m) { submitter(l, 0)["values"] = m{"Full name": strings.Repeat("x", 10001)} }, 413, "submitters[0].values.Full name", "10000"},
		{"an SVG for a signature", func(l m) {
			submitter(l, 0)["values"] = m{"Signature": "data:image/svg+xml;base64," + base64Of([]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`))}
		}, 422, "submitters[0].values.Signature", "SVG"},
		{"no picture for a signature", func(l m) { submitter(l, 0)["values"] = m{"Signature": "data:image/png;base64,AAAA"} }, 422, "submitters[0].values.Signature", "PNG"},
		{"a URL for a signature", func(l m) { submitter(l, 0)["values"] = m{"Signature": "https://example.com/me.png"} }, 422, "submitters[0].values.Signature", "URL"},
		{"settings for no field", func(l m) { submitter(l, 0)["fields"] = []m{{"name": "Height"}} }, 422, "submitters[0].fields[0].name", "Height"},
		{"signing with empty fields", func(l m) { submitter(l, 0)["completed"] = true }, 422, "submitters", "still empty"},
		{"signing out of turn", func(l m) {
			submitter(l, 1)["completed"] = true
			submitter(l, 1)["values"] = m{"Signature Field 2": "Lea"}
		}, 422, "", "Others"},
		{"a read-only field without a value", func(l m) { field(l, 0)["readonly"] = true }, 422, "documents[0].fields[0]", "default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := lease()
			test.spoil(l)
			got := s.request(t, ann.Token, "POST", "/api/submissions/pdf", l).must(test.status)
			at, _ := got.v["field"].(string)
			if at != test.field || !strings.Contains(got.text("error"), test.says) {
				t.Errorf("refused at %q: %s; want it at %q, with %q", at, got.text("error"), test.field, test.says)
			}
		})
	}
	if got := s.request(t, ann.Token, "GET", "/api/submissions", nil).must(200); len(got.list("data")) != 0 {
		t.Errorf("something was made all the same: %v", got.v)
	}
	s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
}

func TestBadBodies(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	for name, test := range map[string]struct {
		body   string
		status int
	}{
		"nothing":        {"", 400},
		"no JSON":        {"a=1&b=2", 422},
		"half":           {`{"documents": [`, 422},
		"a list":         {`[]`, 422},
		"text":           {`"submission"`, 422},
		"null":           {`null`, 422},
		"a number":       {`{"name": 7}`, 422},
		"beyond range":   {`{"documents":[{"position": 1e999}]}`, 422},
		"deep":           {strings.Repeat(`{"documents":`, 20000), 422},
		"deep and whole": {`{"variables":` + strings.Repeat(`[`, 20000) + strings.Repeat(`]`, 20000) + `}`, 422},
		"two":            {`{} {}`, 422},
		"not UTF-8":      {"{\"name\": \"\xff\xfe\"}", 422},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.request(t, ann.Token, "POST", "/api/submissions/pdf", test.body).must(test.status)
			if got.text("error") == "" || got.text("field") == "" {
				t.Errorf("refused with %v", got.v)
			}
		})
	}
}

func TestBadSubmitterUpdates(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
	tom := fmt.Sprintf("/api/submitters/%d", made.number("submitters.0.id"))
	before := string(s.request(t, ann.Token, "GET", tom, nil).body)
	for _, test := range []struct {
		name   string
		body   m
		status int
		field  string
	}{
		{"a value for no field", m{"values": m{"Height": 1}}, 422, "values.Height"},
		{"a value of another type", m{"values": m{"Pets": "perhaps"}}, 422, "values.Pets"},
		{"a good and a bad value", m{"values": m{"Full name": "Tom", "Rent": "free"}}, 422, "values.Rent"},
		{"an SVG", m{"values": m{"Signature": "data:image/svg+xml;base64,PHN2Zy8+"}}, 422, "values.Signature"},
		{"20 MB", m{"values": m{"Full name": strings.Repeat("x", 20<<20)}}, 413, "body"},
		{"a long text", m{"values": m{"Full name": strings.Repeat("x", 10001)}}, 413, "values.Full name"},
		{"a bad address", m{"email": "tom"}, 422, "email"},
		{"no address any more", m{"email": ""}, 422, "email"},
		{"a redirect", m{"completed_redirect_url": "https://example.com"}, 422, "completed_redirect_url"},
		{"a field's rule", m{"fields": []m{{"name": "Rent", "required": true}}}, 422, "fields[0]"},
		{"a code", m{"require_email_2fa": true}, 422, "require_email_2fa"},
		{"values that are a list", m{"values": []int{1}}, 422, "values"},
		{"completed as text", m{"completed": "yes"}, 422, "completed"},
		{"completed too early", m{"values": m{"Full name": "Tom"}, "completed": true}, 422, "values.Signature"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.request(t, ann.Token, "PUT", tom, test.body).must(test.status)
			if at, _ := got.v["field"].(string); at != test.field {
				t.Errorf("refused at %q, want %q: %s", at, test.field, got.text("error"))
			}
		})
	}
	if after := string(s.request(t, ann.Token, "GET", tom, nil).body); after != before {
		t.Errorf("something was changed all the same:\n%s\n%s", before, after)
	}
}

func TestBadWebhooks(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	for _, test := range []struct {
		name, key string
		value     any
		field     string
	}{
		{"an unknown event", "events", []string{"form.finished"}, "events"},
		{"no event", "events", []string{}, "events"},
		{"events as text", "events", "form.completed", "events"},
		{"no URL", "url", "", "url"},
		{"a URL with user info", "url", "https://user:secret@example.com/", "url"},
		{"a URL of another scheme", "url", "file:///etc/passwd", "url"},
		{"a loopback URL", "url", "http://127.0.0.1:8080/", "url"},
		{"a header of ours", "headers", m{"webhook-id": "x"}, "headers"},
		{"a header with a line break", "headers", m{"X-A": "a\r\nHost: b"}, "headers"},
		{"a schedule that is none", "schedule", "sometimes", "schedule"},
		{"a schedule of words", "schedule", []string{"1"}, "schedule"},
		{"a long timeout", "timeout", 31, "timeout"},
		{"no timeout", "timeout", 0, "timeout"},
		{"too much at once", "concurrency", 65, "concurrency"},
		{"nothing at once", "concurrency", 0, "concurrency"},
		{"a negative rate", "rate", -1, "rate"},
		{"enabled as text", "enabled", "true", "enabled"},
	} {
		t.Run(test.name, func(t *testing.T) {
			hook := m{"url": "https://example.com/hooks", "events": []string{"form.*"}, test.key: test.value}
			got := s.request(t, ann.Token, "POST", "/api/webhooks", hook).must(422)
			if at, _ := got.v["field"].(string); at != test.field {
				t.Errorf("refused at %q, want %q: %s", at, test.field, got.text("error"))
			}
			if strings.Contains(got.text("error"), "secret") {
				t.Errorf("the refusal repeats a secret: %s", got.text("error"))
			}
		})
	}
	hook := s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"form.*"}, "enabled": false}).must(201)
	path := fmt.Sprintf("/api/webhooks/%d", hook.number("id"))
	s.request(t, ann.Token, "POST", path+"/test", m{"event": "form.viewed"}).must(409)
	s.request(t, ann.Token, "PUT", path, m{"enabled": true}).must(200)
	s.request(t, ann.Token, "POST", path+"/test", m{"event": "form.finished"}).must(422)
	s.request(t, ann.Token, "GET", path+"/deliveries?state=lost", nil).must(422)
	s.request(t, ann.Token, "GET", path+"/deliveries?event=form.finished", nil).must(422)
	s.request(t, ann.Token, "GET", path+"/deliveries?since=yesterday", nil).must(422)
}

func TestExpiredToken(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	err := s.Store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertAPIToken(t.Context(), &paraph.APIToken{
			AccountID: ann.Who.AccountID, UserID: ann.User.ID, Name: "short", CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(time.Hour),
		}, "api_short")
	})
	if err != nil {
		t.Fatal(err)
	}
	s.request(t, "api_short", "GET", "/api/user", nil).must(200)
	s.Clock.Advance(time.Hour)
	s.request(t, "api_short", "GET", "/api/user", nil).must(401)
}
