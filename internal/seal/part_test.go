package seal

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// partsWorld is a document for two who sign each for themselves.
type partsWorld struct {
	authority Authority
	parts     []Part
	prepared  []byte
	at        time.Time
}

func newPartsWorld(t testing.TB, pdf []byte) partsWorld {
	t.Helper()
	w := partsWorld{at: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
	var err error
	if w.authority, err = NewAuthority("Acme", w.at); err != nil {
		t.Fatal(err)
	}
	for i, id := range []string{"ann", "bob"} {
		x := 0.08 + 0.45*float64(i)
		w.parts = append(w.parts, Part{ID: id, Places: []Place{
			{X: x, Y: 0.5, W: 0.3, H: 0.03, Title: "Name", Words: true},
			{X: x, Y: 0.55, W: 0.03, H: 0.025, Title: "Agreed"},
			{X: x, Y: 0.6, W: 0.12, H: 0.06, Title: "Initials"},
		}, Sign: &Place{X: x, Y: 0.7, W: 0.3, H: 0.1, Title: "Signature"}})
	}
	w.prepared, err = pdfEngine().PrepareParts(t.Context(), pdf, w.parts)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

var partNames = []string{"Ann Lee", "Bjørn Łukasiewicz"}

// signed is a part as its recipient filled it in.
func (w partsWorld) signed(i int) SignedPart {
	return SignedPart{Part: w.parts[i], Values: []PartValue{
		{Text: partNames[i], Marks: []Mark{{Kind: MarkText, Text: partNames[i]}}},
		{Marks: []Mark{{Kind: MarkCheck}}},
		{Marks: []Mark{{Kind: MarkImage, Image: testPNG(40, 20)}}},
	}, Signed: []Mark{{Kind: MarkTyped, Text: partNames[i], Caption: partNames[i] + "\n2026-11-21 10:00 UTC"}}}
}

func (w partsWorld) sign(t testing.TB, pdf []byte, i int) []byte {
	t.Helper()
	id, err := w.authority.Issue(Person{partNames[i], fmt.Sprintf("person%d@example.com", i)}, w.at, w.at.Add(24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	out, err := pdfEngine().SignPart(pdf, w.signed(i), id, SignOptions{Name: partNames[i], Reason: "Signed", At: w.at.Add(time.Duration(i) * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w partsWorld) seal(t testing.TB, pdf []byte) []byte {
	t.Helper()
	out, err := pdfEngine().Seal(t.Context(), Job{PDF: pdf, Signed: true, Identity: testKeys()["ECDSA"], Sign: SignOptions{Name: "Acme", At: w.at.Add(3 * time.Hour)}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (w partsWorld) verify(t testing.TB, pdf []byte) Report {
	t.Helper()
	roots := testKeys()["ECDSA"].Roots()
	roots.AddCert(w.authority.Certificate())
	rep, err := Verify(pdf, VerifyOptions{Roots: roots})
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

// TestPartsSeal signs two parts in either order, seals, and asks everybody.
func TestPartsSeal(t *testing.T) {
	t.Parallel()
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			t.Parallel()
			w := newPartsWorld(t, contractPDF("", ""))
			one := w.sign(t, w.prepared, order[0])
			if rep := w.verify(t, one); !rep.Valid || len(rep.Signatures) != 1 {
				t.Fatalf("after one: %+v", rep)
			}
			both := w.sign(t, one, order[1])
			if rep := w.verify(t, both); !rep.Valid || len(rep.Signatures) != 2 || rep.Signatures[0].FilledAfter != 3 {
				t.Fatalf("after both: %+v", rep)
			}
			sealed := w.seal(t, both)
			if dir := os.Getenv("PARAPH_KEEP"); dir != "" {
				_ = os.WriteFile(fmt.Sprintf("%s/parts-%d.pdf", dir, order[0]), sealed, 0o600)
			}
			if !bytes.HasPrefix(sealed, both) || !bytes.HasPrefix(both, one) || !bytes.HasPrefix(one, w.prepared) {
				t.Error("a revision was changed")
			}
			w.checkSealed(t, sealed, order)
		})
	}
}

func (w partsWorld) checkSealed(t *testing.T, sealed []byte, order []int) {
	t.Helper()
	rep := w.verify(t, sealed)
	if !rep.Valid || len(rep.Signatures) != 3 || len(rep.Changes) > 0 {
		t.Fatalf("sealed: %s", rep.Text())
	}
	for n, i := range order {
		s := rep.Signatures[n]
		if s.Signer != partNames[i] || s.Email != fmt.Sprintf("person%d@example.com", i) || !s.Trusted || s.Issuer != "CN=Acme Recipients CA" || s.SignedAt == nil || !s.SignedAt.Equal(w.at.Add(time.Duration(i)*time.Hour)) {
			t.Errorf("signature %d: %+v", n, s)
		}
	}
	if got := toolSays(t, sealed, "qpdf", "--check"); strings.Contains(got, "WARNING") {
		t.Errorf("qpdf: %s", got)
	}
	told := toolSays(t, sealed, "pdfsig", "-nocert")
	if n := strings.Count(told, "Signature is Valid"); n != 3 {
		t.Errorf("pdfsig finds %d valid signatures:\n%s", n, told)
	}
	for _, i := range order {
		if !strings.Contains(told, "Signer Certificate Common Name: "+partNames[i]) {
			t.Errorf("pdfsig does not name %s:\n%s", partNames[i], told)
		}
	}
	if text := string(toolWrites(t, sealed, "pdftotext", "-layout")); !strings.Contains(text, partNames[1]) {
		t.Errorf("the text has no %q:\n%s", partNames[1], text)
	}
}

// TestPartsTurned shows values where they belong on pages of every shape, in PDFium and in poppler.
func TestPartsTurned(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"/Rotate 0", "/Rotate 90", "/Rotate 180 /CropBox [100 150 400 650]", "/Rotate 270", "/CropBox [-50 -50 300 900]", "/UserUnit 2 /Rotate 90"} {
		t.Run(page, func(t *testing.T) {
			t.Parallel()
			pdf, info, err := pdfEngine().Prepare(t.Context(), contractPDF("", page))
			if err != nil {
				t.Fatal(err)
			}
			size := info.Pages[0]
			m := Mark{X: 0.1, Y: 0.2, W: 0.4, H: 0.2 * size.Width / size.Height, Kind: MarkImage, Image: testPNG(80, 40)}
			part := Part{ID: "a", Places: []Place{{X: m.X, Y: m.Y, W: m.W, H: m.H}}}
			if pdf, err = pdfEngine().PrepareParts(t.Context(), pdf, []Part{part}); err != nil {
				t.Fatal(err)
			}
			id := testKeys()["ECDSA"]
			pdf, err = pdfEngine().SignPart(pdf, SignedPart{Part: part, Values: []PartValue{{Marks: []Mark{m}}}}, id, SignOptions{At: time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			img := pixelsOf(t, pdf, 800)
			checkBox(t, "PDFium", redBox(img), m, 800, float64(img.Bounds().Dy()))
			img = popplerPixels(t, pdf)
			checkBox(t, "poppler", redBox(img), m, float64(img.Bounds().Dx()), float64(img.Bounds().Dy()))
		})
	}
}

// TestPartsRefused is what SignPart does not sign.
func TestPartsRefused(t *testing.T) {
	t.Parallel()
	w := newPartsWorld(t, contractPDF("", ""))
	one := w.sign(t, w.prepared, 0)
	sealed := w.seal(t, w.sign(t, one, 1))
	id := testKeys()["ECDSA"]
	for name, c := range map[string]struct {
		pdf []byte
		i   int
	}{
		"twice":      {one, 0},
		"sealed":     {w.seal(t, one), 1},
		"all sealed": {sealed, 1},
		"unprepared": {contractPDF("", ""), 0},
	} {
		if _, err := pdfEngine().SignPart(c.pdf, w.signed(c.i), id, SignOptions{At: w.at}); kindOf(err) != KindBadSignatures {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPartsTampered changes what one or both have signed in every way that looks like filling a form in.
func TestPartsTampered(t *testing.T) {
	t.Parallel()
	w := newPartsWorld(t, contractPDF("", ""))
	one := w.sign(t, w.prepared, 0)
	both := w.sign(t, one, 1)
	stranger := newPartsWorld(t, contractPDF("", ""))
	for name, c := range map[string]struct {
		pdf    []byte
		change func(r *pdfRevision)
		reason string
	}{
		"value of a signed field":               {both, func(r *pdfRevision) { r.edit("Paraph-ann-1", "V", pdfText("Eve")) }, `form field "Paraph-ann-1"`},
		"value of the last signer's":            {both, func(r *pdfRevision) { r.edit("Paraph-bob-1", "V", pdfText("Eve")) }, `form field "Paraph-bob-1"`},
		"looks of a signed field":               {both, func(r *pdfRevision) { r.edit("Paraph-ann-3", "AP", dictOf("N", r.blankForm())) }, `form field "Paraph-ann-3"`},
		"looks of a signature":                  {both, func(r *pdfRevision) { r.edit("Paraph-ann", "AP", dictOf("N", r.blankForm())) }, `form field "Paraph-ann"`},
		"blank field of one who has not signed": {one, func(r *pdfRevision) { r.edit("Paraph-bob-1", "V", pdfText("Eve")) }, `form field "Paraph-bob-1"`},
		"looks of one who has not signed":       {one, func(r *pdfRevision) { r.edit("Paraph-bob-2", "AP", dictOf("N", r.blankForm())) }, `form field "Paraph-bob-2"`},
		"place": {both, func(r *pdfRevision) {
			r.edit("Paraph-bob-1", "Rect", pdfArray{pdfInt(0), pdfInt(0), pdfInt(600), pdfInt(700)})
		}, `form field "Paraph-bob-1"`},
		"field taken away":    {both, func(r *pdfRevision) { r.editForm("Fields", r.formFields()[1:]) }, "form fields were removed"},
		"form's default look": {both, func(r *pdfRevision) { r.editForm("DA", pdfText("/Helv 30 Tf")) }, "the form's DA"},
		"annotation": {both, func(r *pdfRevision) {
			a := r.alloc()
			r.put(a, dictOf("Type", pdfName("Annot"), "Subtype", pdfName("FreeText"), "Rect", pdfArray{pdfInt(0), pdfInt(0), pdfInt(9), pdfInt(9)}))
			r.editPage("Annots", a)
		}, "an annotation was added"},
		"field added": {both, func(r *pdfRevision) {
			a := r.alloc()
			r.put(a, dictOf("Type", pdfName("Annot"), "Subtype", pdfName("Widget"), "FT", pdfName("Tx"), "T", pdfText("new"), "Rect", pdfArray{pdfInt(0), pdfInt(0), pdfInt(9), pdfInt(9)}))
			r.editPage("Annots", a)
		}, "a form field was added"},
		"page content": {both, func(r *pdfRevision) {
			l, _ := r.file.leaves()
			page := l[0].dict.clone()
			page.set("Contents", nil)
			r.put(l[0].ref, page)
		}, "page 1 was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := openPDF(c.pdf)
			if err != nil {
				t.Fatal(err)
			}
			r := newRevision(f)
			c.change(r)
			changed := r.finish()
			if rep := w.verify(t, changed); rep.Valid || !strings.Contains(strings.Join(rep.Changes, "; "), c.reason) {
				t.Errorf("unsealed: %v %s %q", rep.Valid, rep.Reason, rep.Changes)
			}
			sealed, err := Sign(changed, testKeys()["ECDSA"], SignOptions{At: w.at.Add(3 * time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			if rep := w.verify(t, sealed); rep.Valid || !strings.Contains(strings.Join(rep.Changes, "; "), c.reason) {
				t.Errorf("sealed all the same: %v %s %q", rep.Valid, rep.Reason, rep.Changes)
			}
		})
	}
	t.Run("filled in by a stranger", func(t *testing.T) {
		t.Parallel()
		id, err := stranger.authority.Issue(Person{"Bob", "bob@example.com"}, w.at, w.at.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		out, err := pdfEngine().SignPart(one, w.signed(1), id, SignOptions{At: w.at})
		if err != nil {
			t.Fatal(err)
		}
		if rep := w.verify(t, out); rep.Valid || !strings.Contains(rep.Reason, "Paraph-bob-1") {
			t.Errorf("%v %s", rep.Valid, rep.Reason)
		}
	})
}

// edit changes an entry of a field.
func (r *pdfRevision) edit(name string, k pdfName, v any) {
	fields, _ := r.file.topFields()
	d := fields[name].dict.clone()
	d.set(k, v)
	r.put(fields[name].ref, d)
}

func (r *pdfRevision) formFields() pdfArray {
	_, root, _ := r.file.catalog()
	return r.file.array(r.file.dict(root.vals["AcroForm"]).vals["Fields"])
}

func (r *pdfRevision) editForm(k pdfName, v any) {
	_, root, _ := r.file.catalog()
	form := r.file.dict(root.vals["AcroForm"]).clone()
	form.set(k, v)
	r.put(root.vals["AcroForm"].(pdfRef), form)
}

// editPage adds to a list of page 1.
func (r *pdfRevision) editPage(k pdfName, v any) {
	l, _ := r.file.leaves()
	page := l[0].dict.clone()
	page.set(k, append(append(pdfArray{}, r.file.array(page.vals[k])...), v))
	r.put(l[0].ref, page)
}

func (r *pdfRevision) blankForm() pdfRef {
	ref := r.alloc()
	r.put(ref, r.packed(dictOf("Type", pdfName("XObject"), "Subtype", pdfName("Form"), "BBox", pdfArray{pdfInt(0), pdfInt(0), pdfInt(1), pdfInt(1)}), nil))
	return ref
}

// TestAuthorityKept reads an authority back, and what it issues says whom it is for.
func TestAuthorityKept(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	a, err := NewAuthority(strings.Repeat("Très long ", 20), now)
	if err != nil {
		t.Fatal(err)
	}
	data, err := a.PEM()
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseAuthority(data)
	if err != nil || !b.Certificate().Equal(a.Certificate()) {
		t.Fatalf("read back: %v", err)
	}
	if n := len([]rune(a.Certificate().Subject.CommonName)); n > 64 {
		t.Errorf("its name has %d characters", n)
	}
	serials := map[string]bool{}
	for _, p := range []Person{{"Ann", "ann@example.com"}, {"Bob", ""}, {"", "zoë@exämple.com"}, {strings.Repeat("長い名前", 40), "x@example.com"}} {
		id, err := b.Issue(p, now, now.Add(24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		leaf := id.Chain[0]
		if err := leaf.CheckSignatureFrom(a.Certificate()); err != nil || id.Check(now) != nil || id.Check(now.Add(25*time.Hour)) == nil {
			t.Errorf("%s: %v", leaf.Subject, err)
		}
		if serials[leaf.SerialNumber.String()] || leaf.SerialNumber.BitLen() < 64 {
			t.Errorf("serial %s", leaf.SerialNumber)
		}
		serials[leaf.SerialNumber.String()] = true
		if mail := len(leaf.ExtKeyUsage) == 1; mail != (p.Email != "") {
			t.Errorf("%q is for mail: %v", p.Email, mail)
		}
	}
	if _, err := ParseAuthority([]byte("x")); err == nil {
		t.Error("nonsense was taken for an authority")
	}
	var leaf Identity
	if leaf, err = a.Issue(Person{Name: "Ann"}, now, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	data, err = encodeIdentity(leaf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseAuthority(data); err == nil {
		t.Error("a person's certificate was taken for an authority")
	}
}
