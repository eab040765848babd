package seal

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// overlapping is a file whose form has n fields, the objects from 10 on, each of which starts with open and lies within the one
// before.
func overlapping(n int, open string) []byte {
	var out bytes.Buffer
	at := make([]int, 10+n)
	out.WriteString("%PDF-1.7\n")
	object := func(i int, s string) { at[i] = out.Len(); fmt.Fprintf(&out, "%d 0 obj\n%s\nendobj\n", i, s) }
	var fields strings.Builder
	for i := range n {
		fmt.Fprintf(&fields, "%d 0 R ", 10+i)
	}
	object(1, "<</Type/Catalog/Pages 2 0 R/AcroForm 4 0 R>>")
	object(2, "<</Type/Pages/Kids[3 0 R]/Count 1>>")
	object(3, "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>")
	object(4, "<</Fields["+fields.String()+"]>>")
	for i := range n {
		at[10+i] = out.Len()
		fmt.Fprintf(&out, "%d 0 obj%s", 10+i, open)
	}
	out.WriteString(strings.Repeat(")", n) + "\nnull endobj endstream ")
	end := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n", len(at))
	for _, a := range at {
		kind := "n"
		if a == 0 {
			kind = "f"
		}
		fmt.Fprintf(&out, "%010d 00000 %s\r\n", a, kind)
	}
	fmt.Fprintf(&out, "trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF\n", len(at), end)
	return out.Bytes()
}

// TestOverlappingObjects reads files that would cost their square: gigabytes for less than one megabyte. What is read of a file
// is counted, so nothing here depends on how fast the machine is.
func TestOverlappingObjects(t *testing.T) {
	t.Parallel()
	const n = 5000
	for name, open := range map[string]string{
		"strings in strings": "(", "strings that don't end": "((", "streams that don't end": "<</Length 0>>stream ", "comments": "%",
		"a long word behind a stream": "<</Length 0>>stream-",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pdf := overlapping(n, open)
			f, err := openPDF(pdf)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.signatureFields(); err != nil {
				t.Fatal(err)
			}
			kept := 0
			for _, v := range f.objects {
				switch v := v.(type) {
				case pdfString:
					kept += len(v.val)
				}
			}
			if most := 8*len(pdf) + 2<<20; f.read > most || kept > most {
				t.Errorf("of a file of %d bytes, %d were read and %d kept", len(pdf), f.read, kept)
			}
		})
	}
}

// TestOverlappingInStream has all objects of an object stream start at one long string.
func TestOverlappingInStream(t *testing.T) {
	t.Parallel()
	const n, size = 1000, 1 << 20
	os := &objectStream{data: []byte("(" + strings.Repeat("x", size) + ")")}
	f := &pdfFile{nodes: new(int), decoded: len(os.data), xref: map[uint32]xrefEntry{}, objects: map[uint32]any{}, streams: map[uint32]*objectStream{9: os}, busy: map[uint32]bool{}}
	read := 0
	for i := range n {
		num := uint32(10 + i)
		os.nums, os.starts = append(os.nums, num), append(os.starts, 0)
		f.xref[num] = xrefEntry{kind: 2, a: 9, b: int64(i)}
	}
	for i := range n {
		if _, err := f.object(uint32(10 + i)); err == nil {
			read++
		}
	}
	if read == 0 || read > 5 {
		t.Errorf("%d of %d objects were read that are the same %d bytes", read, n, size)
	}
}

// TestPackedValues reads a file of 16 kB that holds millions of dictionaries, which took gigabytes.
func TestPackedValues(t *testing.T) {
	t.Parallel()
	packed := deflateBytes([]byte("4 0 [" + strings.Repeat("<<>>", 4_000_000) + "]"))
	os := &pdfStream{dict: dictOf("Type", pdfName("ObjStm"), "N", pdfInt(1), "First", pdfInt(4), "Filter", pdfName("FlateDecode")), raw: packed}
	rev, root := newPDF()
	rev.put(root, dictOf("Type", pdfName("Catalog")))
	f, err := openPDF(rev.finish())
	if err != nil {
		t.Fatal(err)
	}
	f.objects[9], f.xref[9], f.xref[4] = os, xrefEntry{kind: 1}, xrefEntry{kind: 2, a: 9}
	if _, err := f.object(4); !errors.Is(err, errPDFBounds) {
		t.Errorf("the error is %v", err)
	}
}

// aboutItself is a file whose object 4 refers to itself six times, which makes millions of ways through it.
func aboutItself(object string) []byte {
	return buildPDF("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>",
		fmt.Sprintf(object, strings.Repeat("4 0 R ", 6)))
}

func TestActionsThatFollowThemselves(t *testing.T) {
	t.Parallel()
	f, err := openPDF(aboutItself("<< /S /JavaScript /JS () /Next [%s] >>"))
	if err != nil {
		t.Fatal(err)
	}
	c := cleaner{file: f, done: map[pdfRef]bool{}}
	if !c.bad(pdfRef{num: 4}, 0) || len(c.found) > maxActions {
		t.Errorf("%d actions were looked at", len(c.found))
	}
}

func TestNamesThatHoldThemselves(t *testing.T) {
	t.Parallel()
	f, err := openPDF(aboutItself("<< /Names [() ()] /Kids [%s] >>"))
	if err != nil {
		t.Fatal(err)
	}
	c, left := cleaner{file: f, done: map[pdfRef]bool{}}, maxNames
	if n := c.leavesOf(pdfRef{num: 4}, 0, &left); n > maxNames+1 {
		t.Errorf("%d names were looked at", n)
	}
}

// TestPagesThatShareAnnotations refuses thousands of pages with one long list, which would be gone through for each.
func TestPagesThatShareAnnotations(t *testing.T) {
	t.Parallel()
	const pages, annots = 1000, 501
	var kids strings.Builder
	list := []string{"<< /Type /Catalog /Pages 2 0 R >>", "", "[" + strings.Repeat("<< >> ", annots) + "]"}
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", 4+i)
		list = append(list, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] /Annots 3 0 R >>")
	}
	list[1] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids.String(), pages)
	p := prepared{pdf: buildPDF(list...)}
	if err := p.tidy(); !errors.Is(err, errPDFBounds) {
		t.Errorf("the error is %v", err)
	}
}

// TestLongNamesAndReasons reads a file in which many things refer to one long text: each took a copy of its own.
func TestLongNamesAndReasons(t *testing.T) {
	t.Parallel()
	long := "(" + strings.Repeat("x", 1<<20) + ")"
	var kids strings.Builder
	list := []string{
		"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 100] >>", long, "",
	}
	for i := range 50 {
		fmt.Fprintf(&kids, "%d 0 R ", 6+i)
		list = append(list, "<< /FT /Sig /T (a) /V << /Reason 4 0 R /Location 4 0 R >> >>")
	}
	list[4] = "<< /T (form) /Kids [" + kids.String() + "] >>"
	rep, err := Verify(buildPDF(list...), VerifyOptions{})
	if err != nil || len(rep.Signatures) != 50 {
		t.Fatalf("%d signatures, %v", len(rep.Signatures), err)
	}
	for _, s := range rep.Signatures {
		if len(s.Reason) == 0 || len(s.Reason)+len(s.Location) > 2*maxText {
			t.Fatalf("a reason of %d bytes", len(s.Reason))
		}
	}
	list[4] = "<< /T 4 0 R /Kids [" + kids.String() + "] >>"
	if rep, err = Verify(buildPDF(list...), VerifyOptions{}); err != nil || len(rep.Signatures) != 0 || !strings.Contains(rep.Reason, "too much to read") {
		t.Errorf("%d signatures, %q, %v", len(rep.Signatures), rep.Reason, err)
	}
}
