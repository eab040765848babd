package api_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// sealedLease has a lease signed and answers its document, sealed.
func (s *server) sealedLease(t *testing.T, by desktest.Person) []byte {
	t.Helper()
	made := s.request(t, by.Token, "POST", "/api/submissions/pdf", lease()).must(200)
	s.request(t, by.Token, "PUT", fmt.Sprintf("/api/submitters/%d", made.number("submitters.0.id")), m{
		"values": m{"Full name": "Tom Tenant", "Rent": 850.5, "Pets": true, "Signature": "Tom Tenant"}, "completed": true,
	}).must(200)
	s.request(t, by.Token, "PUT", fmt.Sprintf("/api/submitters/%d", made.number("submitters.1.id")), m{"values": m{"Signature Field 2": "Lea"}, "completed": true}).must(200)
	s.RunDue(t)
	e, err := s.Store.Envelope(t.Context(), by.Who.AccountID, made.number("id"))
	if err != nil || e.SealedAt.IsZero() {
		t.Fatalf("%v; sealed at %v", err, e.SealedAt)
	}
	pdf, err := s.Blobs.Get(t.Context(), e.Documents[0].Sealed)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}

// form is a file as a form sends it.
func form(t *testing.T, name string, file []byte) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if err := w.WriteField("note", "first"); err != nil {
		t.Fatal(err)
	}
	part, err := w.CreateFormFile(name, "lease.pdf")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := part.Write(file); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), "Content-Type: " + w.FormDataContentType()
}

// TestVerify sends sealed files in both forms, by their owner and by a stranger, who gets the same answer.
func TestVerify(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann, eve := s.Person(t, "Ann Admin"), s.Person(t, "Eve Else")
		sealed := s.sealedLease(t, ann)
		body, kind := form(t, "file", sealed)
		var answers []object
		for _, p := range []desktest.Person{ann, eve} {
			answers = append(answers, s.request(t, p.Token, "POST", "/api/tools/verify", m{"file": base64Of(sealed)}).must(200))
			answers = append(answers, s.request(t, p.Token, "POST", "/api/tools/verify", body, kind).must(200))
		}
		for i, a := range answers {
			if a.text("checksum_status") != "verified" || a.at("valid") != true || a.at("sealed_here") != true || a.text("signatures.0.trusted_by") != "instance" ||
				a.text("signatures.0.signature_type") != "ETSI.CAdES.detached" || a.text("signatures.0.verification_result.0.type") != "info" ||
				a.text("signatures.0.signer_name") == "" || a.text("signatures.0.signing_time") == "" || !strings.Contains(a.text("signatures.0.signing_reason"), "acted") {
				t.Errorf("answer %d is %v", i, a.v)
			}
			if a.at("trail.holds") != true || a.at("trail.sealed") != true || a.number("trail.events") < 5 || a.text("trail.document") != "Lease 1.2" {
				t.Errorf("of the trail answer %d says %v", i, a.v["trail"])
			}
			if fmt.Sprint(a.v) != fmt.Sprint(answers[0].v) {
				t.Errorf("answer %d differs: %v", i, a.v)
			}
		}
		changed := bytes.Replace(sealed, []byte("startxref"), []byte("startxreg"), 1)
		changed[len(changed)/2] ^= 1
		a := s.request(t, ann.Token, "POST", "/api/tools/verify", m{"file": base64Of(append(bytes.Clone(sealed), "xyz"...))}).must(200)
		if a.text("checksum_status") != "not_found" || a.at("valid") != false || !strings.Contains(a.text("reason"), "3 bytes follow") || a.at("trail.sealed") != false {
			t.Errorf("of three bytes more it says %v", a.v)
		}
		if a := s.request(t, ann.Token, "POST", "/api/tools/verify", m{"file": base64Of(changed)}).must(200); a.at("valid") != false || a.text("checksum_status") != "not_found" {
			t.Errorf("of a changed file it says %v", a.v)
		}
		if a := s.request(t, ann.Token, "POST", "/api/tools/verify", m{"file": base64Of(desktest.PDF(1))}).must(200); a.at("sealed") != false || len(a.list("signatures")) != 0 || a.at("sealed_here") != false {
			t.Errorf("of a file that is not sealed it says %v", a.v)
		}
	})
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{MaxSize: 1 << 20})
	ann := s.Person(t, "Ann Admin")
	other, otherKind := form(t, "document", desktest.PDF(1))
	whole, kind := form(t, "file", desktest.PDF(1))
	for name, c := range map[string]struct {
		body   any
		header []string
		status int
		says   string
	}{
		"nothing":        {m{}, nil, 422, "base64"},
		"a URL":          {m{"file": "https://example.com/a.pdf"}, nil, 422, "base64"},
		"no PDF":         {m{"file": base64Of([]byte("GIF89a"))}, nil, 422, "not a PDF"},
		"an empty file":  {m{"file": "data:application/pdf;base64,"}, nil, 422, "empty"},
		"too much":       {m{"file": base64Of(make([]byte, 1<<20+1))}, nil, 413, "larger"},
		"far too much":   {m{"file": base64Of(make([]byte, 4<<20))}, nil, 413, "larger"},
		"another part":   {other, []string{otherKind}, 422, "no part “file”"},
		"half a form":    {whole[:len(whole)/2], []string{kind}, 422, "form ends within"},
		"no form":        {[]byte("%PDF-1.7"), []string{kind}, 422, "form"},
		"a form of JSON": {m{"file": 7}, nil, 422, "file"},
	} {
		a := s.request(t, ann.Token, "POST", "/api/tools/verify", c.body, c.header...)
		if a.status != c.status || !strings.Contains(a.object().text("error"), c.says) {
			t.Errorf("%s: answered %d %s", name, a.status, a.body)
		}
	}
}
