package seal

import (
	"fmt"
	"strings"
	"testing"
)

func TestCombine(t *testing.T) {
	t.Parallel()
	sealed, err := pdfEngine().Seal(t.Context(), sealJob(t, "ECDSA"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := pdfEngine().AuditPages(t.Context(), testAudit(3))
	if err != nil {
		t.Fatal(err)
	}
	c := Combined{Title: "Lease – Аренда", ID: "env_9", Instance: "sign.example.com", VerifyURL: "https://sign.example.com/verify", Parts: []CombinedPart{
		{Name: "Lease", SHA256: strings.Repeat("ab", 32), PDF: sealed}, {Name: "Audit log", PDF: log},
	}}
	out, err := pdfEngine().Combine(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	toolSays(t, out, "qpdf", "--check")
	info, err := pdfEngine().Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	pages := 1
	for _, p := range c.Parts {
		part, err := pdfEngine().Inspect(t.Context(), p.PDF)
		if err != nil {
			t.Fatal(err)
		}
		pages += len(part.Pages)
	}
	if len(info.Pages) != pages {
		t.Errorf("it has %d pages, want %d", len(info.Pages), pages)
	}
	text := foundText(t, out)
	for _, want := range []string{"Combined copy, not signed", "Lease – Аренда", "env_9", strings.Repeat("ab", 32), "14 March 2026", "王小明", "Event009", "Certificate of completion"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	rep, err := Verify(out, VerifyOptions{})
	if err != nil || rep.Valid || len(rep.Signatures) != 0 {
		t.Errorf("the copy passes for something sealed: %+v, %v", rep, err)
	}
	if trail, err := TrailOf(out); err != nil || trail != nil {
		t.Errorf("it carries a trail: %q, %v", trail, err)
	}
}

func TestCombineKeepsLooksAndLeavesTheRest(t *testing.T) {
	t.Parallel()
	layered := func(state string) []byte {
		rev, root := newPDF()
		tree, page, content, layer, form, link := rev.alloc(), rev.alloc(), rev.alloc(), rev.alloc(), rev.alloc(), rev.alloc()
		rev.put(root, dictOf("Type", pdfName("Catalog"), "Pages", tree, "OpenAction", dictOf("S", pdfName("JavaScript"), "JS", pdfText("app.alert(1)")),
			"OCProperties", dictOf("OCGs", pdfArray{layer}, "D", dictOf(state, pdfArray{layer}))))
		rev.put(tree, dictOf("Type", pdfName("Pages"), "Kids", pdfArray{page}, "Count", pdfInt(1), "MediaBox", pdfArray{pdfInt(0), pdfInt(0), pdfInt(300), pdfInt(200)}, "Rotate", pdfInt(90)))
		rev.put(layer, dictOf("Type", pdfName("OCG"), "Name", pdfText("Layer")))
		rev.put(content, rev.packed(newPDFDict(), []byte("/OC /L BDC 1 0 0 rg 0 0 300 200 re f EMC")))
		rev.put(form, dictOf("FT", pdfName("Tx"), "T", pdfText("secret field"), "Kids", pdfArray{link}))
		rev.put(link, dictOf("Type", pdfName("Annot"), "Subtype", pdfName("Link"), "Rect", pdfArray{pdfInt(0), pdfInt(0), pdfInt(9), pdfInt(9)}, "Parent", form,
			"A", dictOf("S", pdfName("GoTo"), "D", pdfArray{page, pdfName("Fit")}, "Next", dictOf("S", pdfName("JavaScript"), "JS", pdfText("app.alert(2)")))))
		rev.put(page, dictOf("Type", pdfName("Page"), "Parent", tree, "Contents", content, "Annots", pdfArray{link},
			"Resources", dictOf("Properties", dictOf("L", layer))))
		return rev.finish()
	}
	out, err := pdfEngine().Combine(t.Context(), Combined{Parts: []CombinedPart{{Name: "on", PDF: layered("ON")}, {Name: "off", PDF: layered("OFF")}}})
	if err != nil {
		t.Fatal(err)
	}
	toolSays(t, out, "qpdf", "--check")
	f, err := openPDF(out)
	if err != nil {
		t.Fatal(err)
	}
	_, root, err := f.catalog()
	if err != nil {
		t.Fatal(err)
	}
	properties := f.dict(root.vals["OCProperties"])
	if on, off := f.array(properties.vals["OCGs"]), f.array(f.dict(properties.vals["D"]).vals["OFF"]); len(on) != 2 || len(off) != 1 || off[0] != on[1] {
		t.Errorf("the layers are %v, hidden %v", on, off)
	}
	pages, err := f.leaves()
	if err != nil || len(pages) != 3 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, p := range pages[1:] {
		if s := f.shape(p); s.width != 200 || s.height != 300 {
			t.Errorf("a turned page is %v × %v", s.width, s.height)
		}
		d := f.dict(f.dict(f.array(p.dict.vals["Annots"])[0]).vals["A"])
		if to := f.array(d.vals["D"]); len(to) != 2 || to[0] != any(p.ref) {
			t.Errorf("the link leads to %v, not to %v", to, p.ref)
		}
	}
	for _, gone := range []string{"JavaScript", "secret field", "OpenAction"} {
		if strings.Contains(string(out), gone) || strings.Contains(string(out), fmt.Sprintf("%x", gone)) {
			t.Errorf("%s is still there", gone)
		}
	}
}

func TestCombineRefuses(t *testing.T) {
	t.Parallel()
	if _, err := pdfEngine().Combine(t.Context(), Combined{}); err == nil {
		t.Error("a copy was made of nothing")
	}
	if _, err := pdfEngine().Combine(t.Context(), Combined{Parts: []CombinedPart{{Name: "x", PDF: []byte("nothing")}}}); kindOf(err) != KindDamaged {
		t.Errorf("what is no PDF: %v", err)
	}
}
