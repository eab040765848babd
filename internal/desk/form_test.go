package desk_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/seal"
)

// formPDF has a text field with a value, a checkbox, and a script.
func formPDF() []byte {
	var b bytes.Buffer
	var at []int
	b.WriteString("%PDF-1.7\n")
	for i, o := range []string{
		"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (1) >> /AcroForm << /DA (/Helv 12 Tf) /Fields [4 0 R 5 0 R] >> >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 600] /Annots [4 0 R 5 0 R] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Tx /Ff 2 /T (tenant) /TU (Tenant) /V (Mallory) /Rect [40 500 200 520] >>",
		"<< /Type /Annot /Subtype /Widget /FT /Btn /T (pets) /Rect [40 450 60 470] >>",
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

func TestUploadIsToldInTheTrail(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		ada := w.Person(t, "Ada")
		form, err := w.Desk.Prepare(t.Context(), "Form.pdf", formPDF())
		if err != nil {
			t.Fatal(err)
		}
		plain, err := w.Desk.Prepare(t.Context(), "Plain.pdf", desktest.PDF(2))
		if err != nil {
			t.Fatal(err)
		}
		if form.Original == form.Uploaded || plain.Original != plain.Uploaded || len(form.Warnings()) != 1 || len(plain.Warnings()) != 0 {
			t.Errorf("%+v, %+v", form, plain)
		}
		e, err := w.Desk.Create(t.Context(), ada.Who, "Lease", []desk.Prepared{form, plain})
		if err != nil {
			t.Fatal(err)
		}
		if e, err = w.Desk.RemoveDocument(t.Context(), ada.Who, e.ID, e.Documents[1].ID); err != nil {
			t.Fatal(err)
		}
		events, err := w.Store.Events(t.Context(), e.AccountID, e.ID)
		if err != nil || paraph.VerifyTrail(events) != nil || len(events) != 4 {
			t.Fatalf("%d events, %v", len(events), err)
		}
		added := events[1]
		for k, want := range map[string]string{
			"name": "Form", "pages": "1", "sha256": form.Original, "uploaded_sha256": form.Uploaded,
			"size": fmt.Sprint(form.Size), "uploaded_size": fmt.Sprint(len(formPDF())), "document": e.Documents[0].UUID,
		} {
			if added.Data[k] != want {
				t.Errorf("%s is %q, want %q", k, added.Data[k], want)
			}
		}
		if notes := added.Notes(); len(notes) != 1 || notes[0].Kind != paraph.NoteActionsRemoved {
			t.Errorf("notes %+v", notes)
		}
		for i, words := range map[int][]string{
			1: {"added “Form”", "1 page", form.Uploaded, form.Original, "Active content was removed: JavaScript"},
			2: {"added “Plain”", "2 pages. SHA-256 " + plain.Original},
			3: {"took “Plain” out"},
		} {
			for _, s := range words {
				if got := events[i].Sentence(&e); !strings.Contains(got, s) {
					t.Errorf("event %d says %q, without %q", i, got, s)
				}
			}
		}
		stored, err := w.Store.Envelope(t.Context(), e.AccountID, e.ID)
		if d := stored.Documents[0]; err != nil || d.FormFields() != 2 || d.UploadedSize != int64(len(formPDF())) || len(d.Notes) != 2 {
			t.Errorf("stored as %+v, %v", d, err)
		}
	})
}

// TestImportForm uses a PDF's own form, takes it back, and uses it again; what is sealed shows our values alone.
func TestImportForm(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		ctx, ada := t.Context(), w.Person(t, "Ada")
		p, err := w.Desk.Prepare(ctx, "Form.pdf", formPDF())
		if err != nil {
			t.Fatal(err)
		}
		e, err := w.Desk.Create(ctx, ada.Who, "Lease", []desk.Prepared{p})
		if err != nil {
			t.Fatal(err)
		}
		if e, err = w.Desk.SetRecipients(ctx, ada.Who, e.ID, []paraph.Recipient{{Kind: paraph.Signer, Name: "Ben", Email: "ben@example.com", Order: 1}}); err != nil {
			t.Fatal(err)
		}
		doc, ben := e.Documents[0].ID, e.Recipients[0].ID
		if e, err = w.Desk.ImportForm(ctx, ada.Who, e.ID, doc, ben); err != nil {
			t.Fatal(err)
		}
		if !e.Documents[0].Imported() || e.Documents[0].Original == p.Original || len(e.Fields) != 2 {
			t.Fatalf("%+v %+v", e.Documents[0], e.Fields)
		}
		if f := e.Fields[0]; f.Type != paraph.TextField || f.Name != "tenant" || f.Title() != "Tenant" || !f.Required || f.Settings.Default != "Mallory" || e.Fields[1].Type != paraph.CheckboxField {
			t.Errorf("%+v", e.Fields)
		}
		if _, err := w.Desk.ImportForm(ctx, ada.Who, e.ID, doc, ben); paraph.KindOf(err) != paraph.Conflict {
			t.Errorf("used twice: %v", err)
		}
		if _, err := w.Desk.ImportForm(ctx, w.Person(t, "Eve").Who, e.ID, doc, ben); paraph.KindOf(err) != paraph.NotFound {
			t.Errorf("by a stranger: %v", err)
		}
		if e, err = w.Desk.RestoreForm(ctx, ada.Who, e.ID, doc); err != nil || len(e.Fields) != 0 || e.Documents[0].Original != p.Original || e.Documents[0].Imported() {
			t.Fatalf("taken back: %+v %v", e.Documents[0], err)
		}
		if _, err := w.Desk.RestoreForm(ctx, ada.Who, e.ID, doc); paraph.KindOf(err) != paraph.Conflict {
			t.Errorf("taken back twice: %v", err)
		}
		if e, err = w.Desk.ImportForm(ctx, ada.Who, e.ID, doc, ben); err != nil {
			t.Fatal(err)
		}
		pdf, err := w.Blobs.Get(ctx, e.Documents[0].Original)
		if err != nil {
			t.Fatal(err)
		}
		if left, err := seal.FormFields(pdf); err != nil || len(left) != 0 {
			t.Errorf("%d form fields are left, %v", len(left), err)
		}
		events, err := w.Store.Events(ctx, e.AccountID, e.ID)
		if err != nil {
			t.Fatal(err)
		}
		var why []string
		for _, ev := range events {
			if ev.Type == paraph.DocumentChanged {
				why = append(why, ev.Data["why"])
			}
		}
		if !slices.Equal(why, []string{"fields_imported", "form_restored", "fields_imported"}) {
			t.Errorf("the trail says %v", why)
		}
	})
}

func TestUploadWithPassword(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	locked := lockedPDF(t)
	for password, want := range map[string]string{"": "password_required", "wrong": "wrong_password", "secret": ""} {
		p, err := w.Desk.PrepareUpload(t.Context(), desk.Upload{Name: "Locked.pdf", Data: locked, Password: password})
		if got := desk.NeedsPassword(err); got != want {
			t.Errorf("%q: %q (%v), want %q", password, got, err, want)
		}
		if known, ok := err.(*paraph.Error); want != "" && (!ok || known.Field != desk.PasswordField || known.Kind != paraph.Invalid || !strings.Contains(known.Message, "Locked")) {
			t.Errorf("%q: %v", password, err)
		}
		if want == "" && (len(p.Notes) == 0 || p.Notes[0].Kind != paraph.NoteUnlocked) {
			t.Errorf("notes %+v", p.Notes)
		}
	}
}

// lockedPDF opens with the password “secret”.
func lockedPDF(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, desktest.PDF(1), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.CommandContext(t.Context(), "qpdf", "--encrypt", "secret", "owner", "256", "--", in, out).CombinedOutput(); err != nil {
		t.Fatalf("qpdf: %v\n%s", err, said)
	}
	pdf, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return pdf
}
