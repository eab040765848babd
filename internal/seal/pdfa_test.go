package seal

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"
)

// sealedLog is an audit log with a trail attached, sealed.
func sealedLog(t *testing.T) []byte {
	t.Helper()
	a := testAudit(5)
	a.Title, a.Trail, a.Language = "Lease <A> & “B”", []byte(`{"format":"test"}`), "de"
	a.At = time.Date(2026, 3, 14, 16, 0, 0, 0, time.UTC)
	pages, err := pdfEngine().AuditPages(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pdfEngine().Seal(t.Context(), Job{PDF: pages, Identity: testKeys()["RSA"], Sign: SignOptions{At: signedAt}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestArchive checks what ISO 19005-3 asks of the sealed log, clause by clause; see newArchive.
func TestArchive(t *testing.T) {
	t.Parallel()
	out := sealedLog(t)
	toolSays(t, out, "qpdf", "--check")
	f, err := openPDF(out)
	if err != nil {
		t.Fatal(err)
	}
	_, root, err := f.catalog()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out, []byte("%PDF-1.7\n%")) || len(out) < 14 || bytes.ContainsFunc(out[10:14], func(r rune) bool { return r > 0 && r < 128 }) {
		t.Errorf("6.1.2: the file begins with %q", out[:16])
	}
	if _, encrypted := f.trailer().get("Encrypt"); encrypted || len(f.array(f.trailer().vals["ID"])) != 2 {
		t.Error("6.1.3: the trailer has no ID, or says that the file is encrypted")
	}
	checkIntent(t, f, root)
	checkMetadata(t, f, root)
	checkFonts(t, f)
	checkAnnotations(t, f, root)
	for _, forbidden := range []string{"/JavaScript", "/Launch", "/Interpolate", "/LZWDecode", "/OPI", "/PS ", "/NeedAppearances"} {
		if bytes.Contains(out, []byte(forbidden)) {
			t.Errorf("%s is not allowed", forbidden)
		}
	}
}

func checkIntent(t *testing.T, f *pdfFile, root *pdfDict) {
	t.Helper()
	intents := f.array(root.vals["OutputIntents"])
	if len(intents) != 1 || f.dict(intents[0]).name("S") != "GTS_PDFA1" {
		t.Fatalf("6.2.3: the output intents are %v", intents)
	}
	st, ok := f.resolve(f.dict(intents[0]).vals["DestOutputProfile"]).(*pdfStream)
	if !ok {
		t.Fatal("6.2.3: there is no profile")
	}
	icc, err := f.decode(st, -1)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := st.dict.int("N"); n != 3 || int(binary.BigEndian.Uint32(icc)) != len(icc) || string(icc[12:24]) != "mntrRGB XYZ " || string(icc[36:40]) != "acsp" {
		t.Errorf("6.2.3: the profile's head is %q", icc[:40])
	}
	for i := range int(binary.BigEndian.Uint32(icc[128:])) {
		tag := icc[132+12*i:]
		at, size := binary.BigEndian.Uint32(tag[4:]), binary.BigEndian.Uint32(tag[8:])
		if at%4 != 0 || int(at+size) > len(icc) {
			t.Errorf("the profile's tag %q lies at %d, %d bytes", tag[:4], at, size)
		}
	}
	// What is white in all three channels is the white of D50.
	for axis, want := range []float64{0.9642, 1, 0.8249} {
		sum := 0.0
		for _, name := range []string{"rXYZ", "gXYZ", "bXYZ"} {
			at := bytes.Index(icc[132:], []byte(name)) + 132
			value := icc[binary.BigEndian.Uint32(icc[at+4:])+8+uint32(4*axis):]
			sum += float64(int32(binary.BigEndian.Uint32(value))) / 65536
		}
		if sum < want-0.001 || sum > want+0.001 {
			t.Errorf("white is %v on axis %d, want %v", sum, axis, want)
		}
	}
}

func checkMetadata(t *testing.T, f *pdfFile, root *pdfDict) {
	t.Helper()
	st, ok := f.resolve(root.vals["Metadata"]).(*pdfStream)
	if !ok || st.dict.name("Type") != "Metadata" || st.dict.name("Subtype") != "XML" {
		t.Fatal("6.6.2: there is no metadata")
	}
	words := map[string]string{}
	d, at := xml.NewDecoder(bytes.NewReader(st.raw)), ""
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("6.6.2: the metadata is no XML: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			at = tok.Name.Space + tok.Name.Local
		case xml.CharData:
			words[at] += strings.TrimSpace(string(tok))
		}
	}
	for key, want := range map[string]string{
		"http://www.aiim.org/pdfa/ns/id/part": "3", "http://www.aiim.org/pdfa/ns/id/conformance": "B",
		"http://ns.adobe.com/xap/1.0/CreateDate":        "2026-03-14T16:00:00Z",
		"http://www.w3.org/1999/02/22-rdf-syntax-ns#li": "Abschlussprotokoll – Lease <A> & “B”de",
	} {
		if words[key] != want {
			t.Errorf("6.6.4: %s is %q, want %q", key, words[key], want)
		}
	}
	if _, has := f.trailer().get("Info"); has {
		t.Error("6.6.3: a document information dictionary would have to agree with the metadata")
	}
}

func checkFonts(t *testing.T, f *pdfFile) {
	t.Helper()
	fonts := 0
	for n := range f.xref {
		v, err := f.object(n)
		if err != nil {
			t.Fatal(err)
		}
		d, ok := v.(*pdfDict)
		if !ok || d.name("Type") != "Font" || d.name("Subtype") == "Type0" {
			continue
		}
		fonts++
		descriptor := f.dict(d.vals["FontDescriptor"])
		if _, embedded := f.resolve(descriptor.vals["FontFile2"]).(*pdfStream); !embedded || d.name("CIDToGIDMap") != "Identity" {
			t.Errorf("6.2.11.4: font %d is not embedded", n)
		}
	}
	if fonts == 0 {
		t.Error("there are no fonts")
	}
}

func checkAnnotations(t *testing.T, f *pdfFile, root *pdfDict) {
	t.Helper()
	pages, err := f.leaves()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		for _, v := range f.array(p.dict.vals["Annots"]) {
			a := f.dict(v)
			flags, _ := a.int("F")
			_, area := f.rectangle(a.vals["Rect"])
			if flags&(1|2|32) != 0 || flags&4 == 0 || (area && a.vals["AP"] == nil) { // Invisible, Hidden, NoView; Print
				t.Errorf("6.3.2, 6.3.3: an annotation has the flags %d", flags)
			}
		}
	}
	spec := f.dict(f.array(root.vals["AF"])[0])
	ef := f.dict(spec.vals["EF"])
	if spec.name("AFRelationship") != "Data" || textOf(spec.vals["F"]) != TrailName || textOf(spec.vals["UF"]) != TrailName || f.dict(ef.vals["F"]).name("Subtype") != "application/json" {
		t.Errorf("6.8: the attached file is described as %v", spec)
	}
}

func TestTrailOf(t *testing.T) {
	t.Parallel()
	if trail, err := TrailOf(sealedLog(t)); err != nil || string(trail) != `{"format":"test"}` {
		t.Errorf("the log's trail is %q, %v", trail, err)
	}
	job := sealJob(t, "ECDSA")
	if trail, err := TrailOf(job.PDF); err != nil || trail != nil {
		t.Errorf("a PDF without one has the trail %q, %v", trail, err)
	}
	job.Audit.Trail = bytes.Repeat([]byte(`{"large":true}`), 100_000)
	out, err := pdfEngine().Seal(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if trail, err := TrailOf(out); err != nil || !bytes.Equal(trail, job.Audit.Trail) {
		t.Errorf("the sealed document's trail has %d bytes, %v", len(trail), err)
	}
	if _, err := TrailOf([]byte("no PDF")); kindOf(err) != KindDamaged {
		t.Errorf("what is no PDF: %v", err)
	}
}

// TestAttachBesideOthers attaches to a file whose names are a tree of several nodes, one of them called as ours.
func TestAttachBesideOthers(t *testing.T) {
	t.Parallel()
	rev, root := newPDF()
	tree, page := rev.alloc(), rev.alloc()
	catalog := dictOf("Type", pdfName("Catalog"), "Pages", tree)
	rev.put(tree, dictOf("Type", pdfName("Pages"), "Kids", pdfArray{page}, "Count", pdfInt(1)))
	rev.put(page, dictOf("Type", pdfName("Page"), "Parent", tree, "MediaBox", pdfArray{pdfInt(0), pdfInt(0), pdfInt(300), pdfInt(200)}))
	var kids pdfArray
	for _, name := range []string{"a.txt", TrailName, "z.txt"} {
		file, spec, kid := rev.alloc(), rev.alloc(), rev.alloc()
		rev.put(file, rev.packed(dictOf("Type", pdfName("EmbeddedFile")), []byte("content of "+name)))
		rev.put(spec, dictOf("Type", pdfName("Filespec"), "F", pdfText(name), "UF", pdfText(name), "EF", dictOf("F", file)))
		key := pdfText(name)
		rev.put(kid, dictOf("Names", pdfArray{key, spec}, "Limits", pdfArray{key, key}))
		kids = append(kids, kid)
	}
	catalog.set("Names", dictOf("EmbeddedFiles", dictOf("Kids", kids), "Dests", dictOf("Names", pdfArray{})))
	rev.put(root, catalog)
	before := rev.finish()
	if trail, err := TrailOf(before); err != nil || string(trail) != "content of "+TrailName {
		t.Errorf("before, the trail is %q, %v", trail, err)
	}

	audit := testAudit(1)
	audit.Trail = []byte("ours")
	out, err := pdfEngine().Seal(t.Context(), Job{PDF: before, Audit: &audit, Identity: testKeys()["RSA"], Sign: SignOptions{At: signedAt}})
	if err != nil {
		t.Fatal(err)
	}
	toolSays(t, out, "qpdf", "--check")
	list := toolSays(t, out, "qpdf", "--list-attachments")
	for _, name := range []string{"a.txt", TrailName, "1-" + TrailName, "z.txt"} {
		if !strings.Contains(list, name+" ->") {
			t.Errorf("%s is not among the attached files: %s", name, list)
		}
	}
	if trail, err := TrailOf(out); err != nil || string(trail) != "ours" {
		t.Errorf("the trail is %q, %v", trail, err)
	}
}
