package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/digitorus/timestamp"
)

// revise appends a revision to a file: each object number and its new content.
func revise(t testing.TB, pdf []byte, objects map[uint32]string) []byte {
	t.Helper()
	f, err := openPDF(pdf)
	if err != nil {
		t.Fatal(err)
	}
	r := newRevision(f)
	for n, content := range objects {
		r.put(pdfRef{num: n}, pdfRaw(content))
	}
	return r.finish()
}

// replaced swaps the only occurrence of a text for another.
func replaced(t testing.TB, pdf []byte, old, new string) []byte {
	t.Helper()
	if n := bytes.Count(pdf, []byte(old)); n != 1 {
		t.Fatalf("%q is %d times in the file", old, n)
	}
	return bytes.Replace(pdf, []byte(old), []byte(new), 1)
}

// gapOf is the range of the newest signature.
func gapOf(t testing.TB, pdf []byte) signedRange {
	t.Helper()
	f, err := openPDF(pdf)
	if err != nil {
		t.Fatal(err)
	}
	fields, err := f.signatureFields()
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := f.rangeOf(fields[len(fields)-1].value)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// withContents puts another signature into the newest signature's gap.
func withContents(t testing.TB, pdf, cms []byte) []byte {
	t.Helper()
	r := gapOf(t, pdf)
	out := slices.Clone(pdf)
	gap := out[r.gapStart+1 : r.gapEnd-1]
	copy(gap, bytes.Repeat([]byte("0"), len(gap)))
	hex.Encode(gap, cms)
	return out
}

// resigned signs again over another range, as a forger with a key of his own could.
func resigned(t testing.TB, id Identity, pdf []byte, byteRange string, cover ...[]byte) []byte {
	t.Helper()
	out := slices.Clone(pdf)
	at := bytes.LastIndex(out, []byte("/ByteRange ["))
	end := at + bytes.IndexByte(out[at:], ']') + 1
	field := "/ByteRange " + byteRange
	copy(out[at:end], field+strings.Repeat(" ", end-at-len(field)))
	h := sha256.New()
	for _, c := range cover {
		h.Write(bytes.Replace(c, pdf[at:end], out[at:end], 1))
	}
	cms, err := cmsSign(id, crypto.SHA256, h.Sum(nil))
	if err != nil {
		t.Fatal(err)
	}
	gap := bytes.LastIndex(out[:at], []byte("/Contents <")) + len("/Contents <")
	hex.Encode(out[gap:], cms)
	return out
}

// tamper is one way of changing a sealed file, and what the reason has to say.
type tamper struct {
	name, reason string
	change       func(t testing.TB, pdf []byte) []byte
}

const (
	notWhatWasSigned = "content is not what was signed"
	pageDict         = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [7 0 R 9 0 R %s] >>"
	catalogDict      = "<< /Type /Catalog /Pages %s /AcroForm << /Fields [7 0 R %s] /SigFlags 3 /DA (/F1 12 Tf 0 g) /DR << /Font << /F1 5 0 R >> >> >> /Perms << /DocMDP 8 0 R >> %s >>"
	valueField       = "<< /Type /Annot /Subtype /Widget /FT /Tx /T (rent) /V (700) /Rect [72 600 200 620] /P 3 0 R /DA (/F1 12 Tf 0 g) /F 4 >>"
)

// object makes a tampering that appends a revision with these objects.
func objects(pairs ...any) func(testing.TB, []byte) []byte {
	return func(t testing.TB, pdf []byte) []byte {
		m := map[uint32]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[uint32(pairs[i].(int))] = pairs[i+1].(string)
		}
		return revise(t, pdf, m)
	}
}

// swap makes a tampering that changes a text in place.
func swap(old, new string) func(testing.TB, []byte) []byte {
	return func(t testing.TB, pdf []byte) []byte { return replaced(t, pdf, old, new) }
}

// numbers makes a tampering that rewrites the ByteRange in place.
func numbers(change func(a, b, c int) string) func(testing.TB, []byte) []byte {
	return func(t testing.TB, pdf []byte) []byte {
		r := gapOf(t, pdf)
		old := byteRange(r.gapStart, r.gapEnd, r.end-r.gapEnd)
		return replaced(t, pdf, old, fmt.Sprintf("%-*s", len(old), change(r.gapStart, r.gapEnd, r.end-r.gapEnd)))
	}
}

// tampers work on a sealed formPDF(false): 8 is the signature, 9 its field.
func tampers() []tamper {
	return []tamper{
		{"a byte of the page", notWhatWasSigned, swap("Rent: 900 a", "Rent: 700 a")},
		{"a byte of the information", notWhatWasSigned, swap("(Lease)", "(Leash)")},
		{"the reason", notWhatWasSigned, swap("/M <", "/m <")},
		{"a comment", notWhatWasSigned, swap("%\xe2\xe3\xcf\xd3", "%\xe2\xe3\xcf\xd4")},
		{"bytes before the file", "ByteRange", func(_ testing.TB, b []byte) []byte { return append([]byte("junk\n"), b...) }},
		{"junk at the end", "5 bytes follow", func(_ testing.TB, b []byte) []byte { return append(slices.Clone(b), "junk\n"...) }},
		{"a second end", "6 bytes follow", func(_ testing.TB, b []byte) []byte { return append(slices.Clone(b), "%%EOF\n"...) }},
		{"much junk at the end", "100000 bytes follow", func(_ testing.TB, b []byte) []byte {
			return append(slices.Clone(b), bytes.Repeat([]byte{'x'}, 100_000)...)
		}},
		{"a page overlaid", "the content of page 1 was changed", objects(4, streamObject("", "BT /F1 24 Tf 72 700 Td (Rent: 700) Tj ET"))},
		{"another content", "page 1 was changed", objects(3, strings.Replace(fmt.Sprintf(pageDict, ""), "/Contents 4", "/Contents 20", 1), 20, streamObject("", "BT ET"))},
		{"an annotation", "an annotation was added", objects(3, fmt.Sprintf(pageDict, "20 0 R"), 20, "<< /Type /Annot /Subtype /FreeText /Rect [72 700 300 730] /Contents (700) >>")},
		{"annotations taken away", "annotations of page 1 were removed", objects(3, strings.Replace(fmt.Sprintf(pageDict, ""), "[7 0 R 9 0 R ]", "[9 0 R]", 1))},
		{"a font", "the resources of page 1 was changed", objects(5, "<< /Type /Font /Subtype /Type1 /BaseFont /Symbol >>")},
		{"the pages replaced", "the pages were replaced", objects(1, fmt.Sprintf(catalogDict, "20 0 R", "9 0 R", ""), 20, "<< /Type /Pages /Kids [21 0 R] /Count 1 >>", 21, "<< /Type /Page /Parent 20 0 R /MediaBox [0 0 9 9] >>")},
		{"a page added", "the page tree was changed", objects(2, "<< /Type /Pages /Kids [3 0 R 20 0 R] /Count 2 >>", 20, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>")},
		{"a page removed", "page 1 was changed", objects(3, "null")},
		{"a script", "scripts, actions or attachments", objects(1, fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>"))},
		{"an attachment", "scripts, actions or attachments", objects(1, fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "/Names << /EmbeddedFiles << /Names [] >> >>"))},
		{"metadata", "the metadata was changed", objects(1, fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "/Metadata 20 0 R"), 20, streamObject("/Type /Metadata /Subtype /XML", "<x/>"))},
		{"the information", "the document information was changed", objects(6, "<< /Title (Gift) >>")},
		{"a form value", `the form field "rent" was changed`, objects(7, valueField)},
		{"a form field added", "a form field was added", objects(1, fmt.Sprintf(catalogDict, "2 0 R", "9 0 R 20 0 R", ""), 20, strings.Replace(valueField, "(rent)", "(more)", 1))},
		{"the form's looks", "the form's DR was changed", objects(1, strings.Replace(fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", ""), "/F1 5 0 R", "/F1 20 0 R", 1), 20, "<< /Type /Font >>")},
		{"the permissions", "the permissions were changed", objects(1, strings.Replace(fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", ""), "/Perms << /DocMDP 8 0 R >>", "", 1))},
		{"the signature unhooked", "the document's form does not refer to it", objects(1, fmt.Sprintf(catalogDict, "2 0 R", "", ""))},
		{"the field emptied", "the document's form does not refer to it", objects(9, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Seal1) /F 132 /Rect [0 0 0 0] /P 3 0 R >>")},
		{"the signature replaced by a copy", "ByteRange", func(t testing.TB, b []byte) []byte {
			at := bytes.Index(b, []byte("8 0 obj\n")) + len("8 0 obj\n")
			return revise(t, b, map[uint32]string{8: string(b[at : at+bytes.Index(b[at:], []byte("\nendobj"))])})
		}},
		{"the catalog moved", "catalog was replaced", func(t testing.TB, b []byte) []byte {
			out := revise(t, b, map[uint32]string{20: fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "")})
			i := bytes.LastIndex(out, []byte("/Root 1 0 R"))
			return append(append(slices.Clone(out[:i]), "/Root 20 0 R"...), out[i+len("/Root 1 0 R"):]...)
		}},
		{"a range that skips more", "leaves out something else", numbers(func(a, b, c int) string { return fmt.Sprintf("[0 %d %d %d]", a, b+20, c-20) })},
		{"a range that starts late", "does not start at the beginning", numbers(func(a, b, c int) string { return fmt.Sprintf("[9 %d %d %d]", a-9, b, c) })},
		{"a range that ends early", notWhatWasSigned, numbers(func(a, b, c int) string { return fmt.Sprintf("[0 %d %d %d]", a, b, c-9) })},
		{"a range beyond the end", "reaches out of the file", numbers(func(a, b, c int) string { return fmt.Sprintf("[0 %d %d %d]", a, b, c+9) })},
		{"a range backwards", "runs backwards", numbers(func(a, b, c int) string { return fmt.Sprintf("[0 %d %d %d]", b, a, c) })},
		{"a range of six numbers", "does not have four numbers", numbers(func(a, b, c int) string { return fmt.Sprintf("[0 %d %d 1 1 %d]", a, b, c) })},
		{"a range of negatives", "reaches out of the file", numbers(func(a, b, c int) string { return fmt.Sprintf("[0 %d %d -1]", a, b) })},
		{"another file's signature", notWhatWasSigned, func(t testing.TB, b []byte) []byte {
			other := mustSign(t, replaced(t, formPDF(false), "Rent: 900", "Rent: 700"), testKeys()["ECDSA"])
			r := gapOf(t, other)
			cms, err := hex.DecodeString(string(other[r.gapStart+1 : r.gapEnd-1]))
			if err != nil {
				t.Fatal(err)
			}
			return withContents(t, b, cms)
		}},
		{"another's signature of another content", notWhatWasSigned, func(t testing.TB, b []byte) []byte {
			cms, err := cmsSign(testKeys()["RSA"], crypto.SHA256, make([]byte, 32))
			if err != nil {
				t.Fatal(err)
			}
			return withContents(t, b, cms)
		}},
		{"no signature in its place", "CMS in DER", func(t testing.TB, b []byte) []byte { return withContents(t, b, nil) }},
		{"padding that says something", "behind the signature", func(_ testing.TB, b []byte) []byte {
			out := slices.Clone(b)
			out[gapOf(t0, b).gapEnd-2] = '1'
			return out
		}},
		{"spaces in the signature", "other characters", func(_ testing.TB, b []byte) []byte {
			out := slices.Clone(b)
			copy(out[gapOf(t0, b).gapEnd-3:], "  ")
			return out
		}},
		{"a byte of the signature", "does not fit the certificate's key", func(_ testing.TB, b []byte) []byte {
			return flipInContents(b, 1)
		}},
		{"a key twice", "same key twice", swap("/Location <", "/Contents <")},
		{"the start of the table", "damaged", func(_ testing.TB, b []byte) []byte {
			out := slices.Clone(b)
			i := bytes.LastIndex(out, []byte("startxref\n")) + len("startxref\n")
			out[i]++
			return out
		}},
		{"the end cut off", "damaged", func(_ testing.TB, b []byte) []byte { return b[:len(b)-200] }},
		{"the last newline cut off", "cut off", func(_ testing.TB, b []byte) []byte { return b[:len(b)-1] }},
		{"the seal cut off", "no signature", func(testing.TB, []byte) []byte { return formPDF(false) }},
		{"a weak digest", "SHA-1", func(t testing.TB, _ []byte) []byte {
			return signWith(t, formPDF(false), testKeys()["RSA"], func(s *signing) { s.hash = crypto.SHA1 })
		}},
		{"an unknown format", "not checked", func(t testing.TB, _ []byte) []byte {
			return signWith(t, formPDF(false), testKeys()["RSA"], func(s *signing) { s.format = "adbe.pkcs7.sha1" })
		}},
		{"a forger's wide gap", "leaves out something else", func(t testing.TB, b []byte) []byte {
			r := gapOf(t, b)
			return resigned(t, testKeys()["ECDSA"], b, fmt.Sprintf("[0 %d %d %d]", r.gapStart, r.end-7, 7), b[:r.gapStart], b[r.end-7:])
		}},
		{"a forger's late start", "does not start at the beginning", func(t testing.TB, b []byte) []byte {
			r := gapOf(t, b)
			return resigned(t, testKeys()["ECDSA"], b, fmt.Sprintf("[20 %d %d %d]", r.gapStart-20, r.gapEnd, r.end-r.gapEnd), b[20:r.gapStart], b[r.gapEnd:])
		}},
		{"changed and signed by a forger", "the content of page 1 was changed", func(t testing.TB, b []byte) []byte {
			return signUnlocked(t, revise(t, b, map[uint32]string{4: streamObject("", "BT ET")}), testKeys()["RSA"])
		}},
		{"signed once more", "after one that closes the file", func(t testing.TB, b []byte) []byte {
			return signUnlocked(t, b, testKeys()["RSA"])
		}},
	}
}

// t0 stands for a test in tamperings that can't fail by themselves.
var t0 testing.TB = &testing.B{}

// flipInContents changes the signature's byte that stands this far from its end.
func flipInContents(pdf []byte, fromEnd int) []byte {
	out := slices.Clone(pdf)
	gap := out[gapOf(t0, pdf).gapStart+1 : gapOf(t0, pdf).gapEnd-1]
	i := len(bytes.TrimRight(gap, "0")) - 2*fromEnd
	if gap[i] == '5' {
		gap[i] = '6'
	} else {
		gap[i] = '5'
	}
	return out
}

func TestVerifyRefusesTampering(t *testing.T) {
	t.Parallel()
	for _, keyName := range []string{"RSA", "ECDSA"} {
		id := testKeys()[keyName]
		sealed := mustSign(t, formPDF(false), id)
		if rep := mustVerify(t, sealed, id); !rep.Valid {
			t.Fatal(rep.Text())
		}
		for _, tp := range tampers() {
			t.Run(keyName+"/"+tp.name, func(t *testing.T) {
				t.Parallel()
				bad := tp.change(t, sealed)
				if bytes.Equal(bad, sealed) {
					t.Fatal("nothing was changed")
				}
				for _, opt := range []VerifyOptions{{}, {Roots: id.Roots()}, {Roots: testKeys()["RSA"].Roots()}} {
					rep, err := Verify(bad, opt)
					if err != nil {
						t.Fatal(err)
					}
					if all := rep.Reason + strings.Join(rep.Changes, "; "); rep.Valid || !strings.Contains(all, tp.reason) {
						t.Errorf("not refused because of %q:\n%s", tp.reason, rep.Text())
					}
				}
			})
		}
	}
}

// TestVerifyRefusesEveryBit flips a bit of each byte that is signed.
func TestVerifyRefusesEveryBit(t *testing.T) {
	t.Parallel()
	id := testKeys()["ECDSA"]
	sealed := mustSign(t, formPDF(true), id)
	r := gapOf(t, sealed)
	for i := range sealed {
		if i > r.gapStart && i < r.gapEnd-1 {
			continue
		}
		bad := slices.Clone(sealed)
		bad[i] ^= 1 << (i % 8)
		rep, err := Verify(bad, VerifyOptions{Roots: id.Roots()})
		if err == nil && (rep.Valid || rep.Reason == "") {
			t.Fatalf("byte %d: %s", i, rep.Text())
		}
	}
}

// TestVerifyRefusesEveryCut cuts the file off after each byte.
func TestVerifyRefusesEveryCut(t *testing.T) {
	t.Parallel()
	id := testKeys()["ECDSA"]
	sealed := mustSign(t, qpdfWrite(t, formPDF(true), "--object-streams=generate"), id)
	for i := range sealed {
		rep, err := Verify(sealed[:i], VerifyOptions{Roots: id.Roots()})
		if err == nil && (rep.Valid || rep.Reason == "") {
			t.Fatalf("cut after %d bytes: %s", i, rep.Text())
		}
	}
}

func TestVerifyUnsealed(t *testing.T) {
	t.Parallel()
	for name, pdf := range layouts(t) {
		rep, err := Verify(pdf, VerifyOptions{})
		if err != nil || rep.Sealed || rep.Valid || !strings.Contains(rep.Reason, "not sealed") {
			t.Errorf("%s: %v %+v", name, err, rep)
		}
	}
	for want, data := range map[string][]byte{KindEmpty: nil, KindNotPDF: []byte("GIF89a")} {
		var in *InputError
		if _, err := Verify(data, VerifyOptions{}); !errors.As(err, &in) || in.Kind != want {
			t.Errorf("the error is %v, not of kind %s", err, want)
		}
	}
}

// TestVerifyCertificate tells trusted, untrusted and out-of-time certificates apart.
func TestVerifyCertificate(t *testing.T) {
	t.Parallel()
	key := testKeys()["ECDSA"].Key
	expired := selfSigned("Old", key, func(c *x509.Certificate) { c.NotAfter = signedAt.Add(-time.Minute) })
	rep := mustVerify(t, mustSign(t, formPDF(false), expired), expired)
	if s := rep.Signatures[0]; rep.Valid || !s.Intact || s.CertificateValid || s.Trusted || !strings.Contains(rep.Reason, "not valid at the time") {
		t.Errorf("expired: %s", rep.Text())
	}
	rep = mustVerify(t, mustSign(t, formPDF(false), testKeys()["ECDSA"]), testKeys()["RSA"])
	if s := rep.Signatures[0]; !rep.Valid || s.Trusted {
		t.Errorf("a stranger's: %s", rep.Text())
	}
	made, err := LoadOrCreateIdentity(t.TempDir(), "sign.example.com", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	rep = mustVerify(t, mustSign(t, formPDF(false), made), made)
	if s := rep.Signatures[0]; !rep.Valid || !s.Trusted || s.SelfSigned || s.Signer != "sign.example.com" || s.Issuer != "CN=sign.example.com Authority" {
		t.Errorf("the instance's own: %s", rep.Text())
	}
}

// TestVerifyLaterChanges is about files that somebody approved before they came here: what may follow, and who says so.
func TestVerifyLaterChanges(t *testing.T) {
	t.Parallel()
	alice, paraph := testKeys()["RSA"], testKeys()["ECDSA"]
	for name, pdf := range map[string][]byte{"table": formPDF(false), "streams": qpdfWrite(t, formPDF(false), "--object-streams=generate")} {
		approved := signUnlocked(t, pdf, alice)
		f, err := openPDF(approved)
		if err != nil {
			t.Fatal(err)
		}
		_, root, _ := f.catalog()
		ref, _, _ := f.firstPage(root)
		stamped := revise(t, approved, map[uint32]string{ref.num: "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] >>"})
		sealed := mustSign(t, stamped, paraph)

		rep := mustVerify(t, sealed, paraph)
		if !rep.Valid || len(rep.Changes) == 0 || len(rep.Signatures[0].ChangedAfter) == 0 || len(rep.Signatures[1].ChangedAfter) != 0 {
			t.Errorf("%s, sealed by whom we trust: %s", name, rep.Text())
		}
		rep = mustVerify(t, sealed, alice)
		if rep.Valid || !strings.Contains(rep.Reason, "after the signature of Rita RSA: page 1 was changed") {
			t.Errorf("%s, sealed by a stranger: %s", name, rep.Text())
		}
	}
}

// TestVerifyAddedFields is about signatures as a disguise for other additions.
func TestVerifyAddedFields(t *testing.T) {
	t.Parallel()
	const sig = "<< /Type /Sig >>"
	for name, c := range map[string]struct{ field, want string }{
		"visible":      {"<< /Subtype /Widget /FT /Sig /T (x) /V 21 0 R /Rect [0 0 500 500] /F 4 >>", "a visible signature was added"},
		"toggled":      {"<< /Subtype /Widget /FT /Sig /T (x) /V 21 0 R /Rect [0 0 500 500] /F 288 >>", "a visible signature was added"},
		"with script":  {"<< /Subtype /Widget /FT /Sig /T (x) /V 21 0 R /Rect [0 0 0 0] /AA << >> >>", "a signature field with AA was added"},
		"with kids":    {"<< /FT /Sig /T (x) /V 21 0 R /Kids [7 0 R] >>", "a signature field with Kids was added"},
		"empty":        {"<< /Subtype /Widget /FT /Sig /T (x) /Rect [0 0 0 0] >>", "an empty signature field was added"},
		"key twice":    {"<< /Subtype /Widget /FT /Sig /FT /Tx /T (x) /V 21 0 R /Rect [0 0 0 0] >>", "a key twice"},
		"no field":     {"<< /Subtype /Stamp /Rect [0 0 500 500] >>", "an annotation was added"},
		"not readable": {"[]", "something unreadable"},
	} {
		approved := signUnlocked(t, contractPDF("", ""), testKeys()["RSA"])
		bad := revise(t, approved, map[uint32]string{
			3:  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> /Annots [8 0 R 20 0 R] >>",
			20: c.field, 21: sig,
		})
		rep := mustVerify(t, bad, testKeys()["RSA"])
		if rep.Valid || !strings.Contains(strings.Join(rep.Changes, "; "), c.want) {
			t.Errorf("%s is not called %q:\n%s", name, c.want, rep.Text())
		}
	}
}

// TestVerifyObjectStreams replaces a stream that holds objects without naming any of them.
func TestVerifyObjectStreams(t *testing.T) {
	t.Parallel()
	id := testKeys()["RSA"]
	sealed := mustSign(t, qpdfWrite(t, formPDF(false), "--object-streams=generate"), id)
	f, err := openPDF(sealed)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range f.xref {
		if e.kind == 2 {
			rep := mustVerify(t, revise(t, sealed, map[uint32]string{uint32(e.a): "<< >>"}), id)
			if rep.Valid {
				t.Error(rep.Text())
			}
			return
		}
	}
	t.Fatal("qpdf made no object stream")
}

// testTSA is a timestamp authority of our own.
type testTSA struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newTSA(t testing.TB) testTSA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := selfSigned("Timely", key, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}
		c.NotAfter = c.NotAfter.AddDate(50, 0, 0)
	})
	return testTSA{key, id.Chain[0]}
}

// token stamps a digest.
func (a testTSA) token(t testing.TB, digest []byte) []byte {
	t.Helper()
	resp, err := (&timestamp.Timestamp{
		HashAlgorithm: crypto.SHA256, HashedMessage: digest, Time: signedAt.Add(time.Minute),
		Policy: asn1.ObjectIdentifier{1, 2, 3}, SerialNumber: big.NewInt(7), AddTSACertificate: true,
	}).CreateResponseWithOpts(a.cert, a.key, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := timestamp.ParseResponse(resp)
	if err != nil {
		t.Fatal(err)
	}
	return ts.RawToken
}

// appendLast appends bytes within the last of the nested elements, this deep.
func appendLast(t testing.TB, der, extra []byte, depth int) []byte {
	t.Helper()
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		t.Fatal(err)
	}
	body := v.Bytes
	if depth == 0 {
		body = append(slices.Clone(body), extra...)
	} else {
		var last asn1.RawValue
		rest := body
		for len(rest) > 0 {
			next, err := asn1.Unmarshal(rest, &last)
			if err != nil {
				t.Fatal(err)
			}
			rest = next
		}
		head := body[:len(body)-len(last.FullBytes)]
		body = append(slices.Clone(head), appendLast(t, last.FullBytes, extra, depth-1)...)
	}
	out, err := asn1.Marshal(asn1.RawValue{Class: v.Class, Tag: v.Tag, IsCompound: true, Bytes: body})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// stamped adds a signature timestamp to a CMS signature; what it stamps may be wrong.
func stamped(t testing.TB, tsa testTSA, cms []byte, right bool) []byte {
	t.Helper()
	m, err := parseCMS(cms)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(m.signature)
	if !right {
		sum[0]++
	}
	attr, err := asn1.Marshal(cmsAttribute{oidTimestampToken, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: tsa.token(t, sum[:])}})
	if err != nil {
		t.Fatal(err)
	}
	unsigned, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: attr})
	if err != nil {
		t.Fatal(err)
	}
	return appendLast(t, cms, unsigned, 4) // ContentInfo, [0], SignedData, signerInfos, SignerInfo
}

// TestVerifyLevels builds each PAdES level; nothing that a higher one adds counts as a change.
func TestVerifyLevels(t *testing.T) {
	t.Parallel()
	id, tsa := testKeys()["ECDSA"], newTSA(t)
	sign := func(right bool) []byte {
		return signWith(t, formPDF(false), id, func(s *signing) {
			s.room += 8192
			s.make = func(h crypto.Hash, digest []byte) ([]byte, error) {
				cms, err := cmsSign(id, h, digest)
				return stamped(t, tsa, cms, right), err
			}
		})
	}
	store := func(pdf []byte, content string) []byte {
		return revise(t, pdf, map[uint32]string{
			1:  fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "/DSS 30 0 R"),
			30: "<< /Type /DSS /Certs [31 0 R] >>", 31: streamObject("", content),
		})
	}
	dss := func(pdf []byte) []byte { return store(pdf, string(id.Chain[0].Raw)) }
	docTimestamp := func(pdf []byte) []byte {
		return signWith(t, pdf, id, func(s *signing) {
			s.lock, s.kind, s.format, s.room = false, "DocTimeStamp", "ETSI.RFC3161", 8192
			s.make = func(_ crypto.Hash, digest []byte) ([]byte, error) { return tsa.token(t, digest), nil }
		})
	}
	bt := sign(true)
	for _, c := range []struct {
		name, level string
		pdf         []byte
		stamped     bool
		valid       bool
	}{
		{"nothing", "B-B", mustSign(t, formPDF(false), id), false, true},
		{"timestamp", "B-T", bt, true, true},
		{"wrong timestamp", "B-B", sign(false), false, true},
		{"document timestamp", "B-T", docTimestamp(mustSign(t, formPDF(false), id)), false, true},
		{"something that is no validation data", "B-T", docTimestamp(store(bt, "a list")), true, true},
		{"validation data alone", "B-LT", dss(bt), true, false},
		{"validation data and document timestamp", "B-LTA", docTimestamp(dss(bt)), true, true},
		{"twice", "B-LTA", docTimestamp(docTimestamp(dss(bt))), true, true},
	} {
		rep := mustVerify(t, c.pdf, id)
		s := rep.Signatures[0]
		if rep.Valid != c.valid || s.Level != c.level || (s.TimestampedAt != nil) != c.stamped || len(rep.Changes) != 0 {
			t.Errorf("%s: level %s, valid %v:\n%s", c.name, s.Level, rep.Valid, rep.Text())
		}
		if !strings.Contains(toolSays(t, c.pdf, "pdfsig", "-nocert"), "Signature is Valid") {
			t.Errorf("%s: pdfsig does not find it valid", c.name)
		}
	}
	changed := revise(t, docTimestamp(dss(bt)), map[uint32]string{7: valueField})
	if rep := mustVerify(t, docTimestamp(changed), id); rep.Valid || !strings.Contains(rep.Reason, `"rent"`) {
		t.Errorf("changed between timestamps: %s", rep.Text())
	}
}

// TestReport pins the keys that programs read, and that nothing in a file can steer a terminal.
func TestReport(t *testing.T) {
	t.Parallel()
	key := testKeys()["ECDSA"].Key
	id := selfSigned("Mal\x1b[2Jlory\u202e", key, nil)
	signed := mustSign(t, formPDF(false), id)
	rep := mustVerify(t, signed, id)
	if text := rep.Text(); strings.ContainsAny(text, "\x1b\u202e") || !strings.Contains(text, "VALID") || !strings.Contains(text, "2026-03-14 15:09:26 UTC") {
		t.Errorf("the text is %q", text)
	}
	b, err := json.Marshal(rep)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{
		"sealed", "valid", "sha256", "size", "signatures", "changes", "signer", "issuer", "serial", "fingerprint",
		"signed_at", "level", "covers_file", "intact", "trusted", "self_signed", "certificate_valid",
	} {
		if !strings.Contains(string(b), `"`+k+`":`) {
			t.Errorf("%s is not in %s", k, b)
		}
	}
	if sum := sha256.Sum256(signed); rep.Digest != hex.EncodeToString(sum[:]) {
		t.Errorf("the digest is %q", rep.Digest)
	}
}

func TestParsePDFDate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"D:20260314150926Z":        "2026-03-14T15:09:26Z",
		"D:20260314150926+01'00'":  "2026-03-14T14:09:26Z",
		"D:20260314150926-0530":    "2026-03-14T20:39:26Z",
		"D:20260314150926Z00'00'":  "2026-03-14T15:09:26Z",
		"D:20260314150926+01":      "2026-03-14T14:09:26Z",
		"20260314":                 "2026-03-14T00:00:00Z",
		"D:20261314150926Z":        "",
		"":                         "",
		"D:99999999999999999999'Z": "",
	} {
		got, ok := parsePDFDate(in)
		if ok != (want != "") || ok && got.Format(time.RFC3339) != want {
			t.Errorf("%q is read as %v, %v", in, got, ok)
		}
	}
}

// TestVerifyFilledField signs a field that waited for it: that, and how it looks then, was foreseen; its place was too.
func TestVerifyFilledField(t *testing.T) {
	t.Parallel()
	const waiting = "<< /Type /Annot /Subtype /Widget /FT /Sig /T (buyer) /Rect [72 100 200 140] /P 3 0 R /F 4 %s >>"
	before := contractPDF("/AcroForm << /Fields [7 0 R] >>", "/Annots [7 0 R]", fmt.Sprintf(waiting, ""))
	filled := fmt.Sprintf(waiting, "/V 21 0 R /AP << /N 22 0 R >>")
	for name, c := range map[string]struct {
		field string
		lock  bool
		want  []string
	}{
		"filled":           {filled, false, []string{}},
		"filled and moved": {strings.Replace(filled, "72 100", "0 0", 1), false, []string{`the signature field "buyer" was changed`}},
		"after a lock":     {filled, true, []string{"a further signature was added after one that closes the file"}},
	} {
		signed := signWith(t, before, testKeys()["RSA"], func(s *signing) { s.lock = c.lock })
		rep := mustVerify(t, revise(t, signed, map[uint32]string{7: c.field, 21: "<< /Type /Sig >>", 22: streamObject("/Type /XObject /Subtype /Form", "")}), testKeys()["RSA"])
		if rep.Valid || !slices.Equal(rep.Changes, c.want) {
			t.Errorf("%s: the changes are %q", name, rep.Changes)
		}
	}
}

// TestVerifyCertificateBinding exchanges the certificate for another of the same name, number and key.
func TestVerifyCertificateBinding(t *testing.T) {
	t.Parallel()
	key := testKeys()["ECDSA"].Key
	a := selfSigned("Twin", key, nil)
	twin := *a.Chain[0]
	twin.NotBefore = twin.NotBefore.Add(time.Hour)
	b := Identity{Key: key}
	for len(b.Chain) == 0 || len(a.Chain[0].Raw) != len(b.Chain[0].Raw) { // an ECDSA signature's length varies
		der, err := x509.CreateCertificate(rand.Reader, &twin, &twin, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		b.Chain = []*x509.Certificate{c}
	}
	sealed := signWith(t, formPDF(false), a, func(s *signing) {
		s.make = func(h crypto.Hash, digest []byte) ([]byte, error) {
			cms, err := cmsSign(a, h, digest)
			return bytes.Replace(cms, a.Chain[0].Raw, b.Chain[0].Raw, 1), err
		}
	})
	if rep := mustVerify(t, sealed, b); rep.Valid || !strings.Contains(rep.Reason, "names another certificate") {
		t.Error(rep.Text())
	}
}

// TestUnpredict undoes each of PNG's five filters.
func TestUnpredict(t *testing.T) {
	t.Parallel()
	const width = 7
	want := []byte("the quick brown fox jumps over the!")
	var packed []byte
	prior := make([]byte, width)
	for i := 0; i < len(want); i += width {
		kind, row := byte(i/width%5), want[i:i+width]
		packed = append(packed, kind)
		for k, c := range row {
			var left, upleft byte
			if k > 0 {
				left, upleft = row[k-1], prior[k-1]
			}
			packed = append(packed, c-[]byte{0, left, prior[k], byte((int(left) + int(prior[k])) / 2), paeth(left, prior[k], upleft)}[kind])
		}
		prior = row
	}
	d := newPDFDict()
	d.set("Predictor", pdfInt(15))
	d.set("Columns", pdfInt(width))
	if got, err := unpredict(d, packed); err != nil || !bytes.Equal(got, want) {
		t.Errorf("unpacked to %q, %v", got, err)
	}
	if _, err := unpredict(d, []byte{5, 1, 2, 3}); err == nil {
		t.Error("a sixth filter was accepted")
	}
	for _, c := range [][4]byte{{10, 20, 15, 15}, {10, 20, 5, 20}, {10, 20, 30, 10}, {200, 100, 150, 150}, {0, 0, 0, 0}} {
		if got := paeth(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("paeth(%d, %d, %d) = %d, not %d", c[0], c[1], c[2], got, c[3])
		}
	}
}
