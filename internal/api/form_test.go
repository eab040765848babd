package api_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// withForm is a PDF with a text field that says “Mallory”.
func withForm() []byte {
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.7\n")
	for i, o := range []string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [4 0 R] >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 600] /Annots [4 0 R] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /T (tenant) /TU (Tenant) /V (Mallory) /Rect [40 480 200 510] >>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f\r\n", len(at)+1)
	for _, o := range at {
		fmt.Fprintf(&b, "%010d 00000 n\r\n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

// TestFormFieldsAreImported takes a PDF's own form as fields that the request can speak of by their names.
func TestFormFieldsAreImported(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ada := s.Person(t, "Ada")
	token := ada.Token
	body := func(on bool, values map[string]any) map[string]any {
		return map[string]any{
			"import_form_fields": on, "documents": []any{map[string]any{"name": "Form", "file": base64.StdEncoding.EncodeToString(withForm())}},
			"submitters": []any{map[string]any{"name": "Ben", "email": "ben@example.com", "values": values}},
		}
	}
	a := s.request(t, token, "POST", "/api/submissions/pdf", body(true, map[string]any{"tenant": "Ben"}))
	if a.status/100 != 2 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, want := range []string{`"name":"tenant"`, `"title":"Tenant"`, `"type":"text"`, `"default_value":"Mallory"`, `"x":0.1`, `"y":0.15`} {
		if !strings.Contains(string(a.body), want) {
			t.Errorf("%s is missing: %s", want, a.body)
		}
	}
	if a := s.request(t, token, "POST", "/api/submissions/pdf", body(true, map[string]any{"nobody": "x"})); a.status != 422 || !strings.Contains(string(a.body), "no field “nobody”") {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := s.request(t, token, "POST", "/api/submissions/pdf", body(false, map[string]any{"tenant": "Ben"})); a.status != 422 {
		t.Errorf("without being asked: %d %s", a.status, a.body)
	}
}

func TestLockedDocument(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ada := s.Person(t, "Ada")
	token := ada.Token
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, desktest.PDF(1), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), "qpdf", "--encrypt", "s3cret", "owner", "256", "--", in, out).CombinedOutput(); err != nil {
		t.Fatalf("qpdf: %v\n%s", err, said)
	}
	pdf, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]string{"": "(password_required)", "wr0ng": "(wrong_password)", "s3cret": ""} {
		a := s.request(t, token, "POST", "/api/submissions/pdf", map[string]any{
			"documents": []any{map[string]any{
				"name": "Locked", "file": base64.StdEncoding.EncodeToString(pdf), "password": password,
				"fields": []any{map[string]any{"name": "s", "type": "signature", "areas": []any{map[string]any{"x": 0.1, "y": 0.1, "w": 0.2, "h": 0.1, "page": 1}}}},
			}},
			"submitters": []any{map[string]any{"email": "ben@example.com"}},
		})
		if want == "" {
			if a.status/100 != 2 {
				t.Errorf("with its password: %d %s", a.status, a.body)
			}
			continue
		}
		if a.status != 422 || !strings.Contains(string(a.body), want) || !strings.Contains(string(a.body), `"field":"documents[0].password"`) || strings.Contains(string(a.body), "wr0ng") {
			t.Errorf("%q: %d %s", password, a.status, a.body)
		}
	}
}
