package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// signedAt is when everything in these tests is signed.
var signedAt = time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)

// needTool finds a program that the tests can't do without.
func needTool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("%s is needed by this test (Debian: poppler-utils, qpdf): %v", name, err)
	}
	return path
}

// toolSays runs a program on a file with these bytes and returns what it said.
func toolSays(t testing.TB, pdf []byte, name string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "in.pdf")
	if err := os.WriteFile(file, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(needTool(t, name), append(args, file)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// qpdfWrite rewrites a file with these options.
func qpdfWrite(t testing.TB, pdf []byte, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	if err := os.WriteFile(in, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	if msg, err := exec.Command(needTool(t, "qpdf"), append(args, in, out)...).CombinedOutput(); err != nil {
		t.Fatalf("qpdf %v: %v\n%s", args, err, msg)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// buildPDF writes numbered objects with a classic cross-reference table; the first is the catalog.
func buildPDF(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f\r\n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n\r\n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}

func streamObject(dict, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", dict, len(data), data)
}

const pageText = "BT /F1 24 Tf 72 700 Td (Rent: 900 a month) Tj ET"

// contractPDF is a page with text, a font and information; extra goes into the catalog and the page.
func contractPDF(catalog, page string, more ...string) []byte {
	return buildPDF(append([]string{
		"<< /Type /Catalog /Pages 2 0 R " + catalog + " >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> " + page + " >>",
		streamObject("", pageText),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
		"<< /Title (Lease) /Producer (test) >>",
	}, more...)...)
}

// formPDF is a contract with a text field, everything kept in the given way.
func formPDF(indirect bool) []byte {
	field := "<< /Type /Annot /Subtype /Widget /FT /Tx /T (rent) /V (900) /Rect [72 600 200 620] /P 3 0 R /DA (/F1 12 Tf 0 g) /F 4 >>"
	if !indirect {
		return contractPDF("/AcroForm << /Fields [7 0 R] /DA (/F1 12 Tf 0 g) /DR << /Font << /F1 5 0 R >> >> >>", "/Annots [7 0 R]", field)
	}
	return contractPDF("/AcroForm 8 0 R", "/Annots 9 0 R", field,
		"<< /Fields 10 0 R /DA (/F1 12 Tf 0 g) /DR << /Font << /F1 5 0 R >> >> >>", "[7 0 R]", "[7 0 R]")
}

func threePages(t testing.TB) []byte {
	t.Helper()
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetFont("Helvetica", "", 14)
	for i := range 3 {
		doc.AddPage()
		doc.Cell(40, 10, fmt.Sprintf("Page %d", i+1))
	}
	var b bytes.Buffer
	if err := doc.Output(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hybridPDF hides the contract's text from readers that know no cross-reference streams.
func hybridPDF() []byte {
	b := contractPDF("", "")
	cut := bytes.LastIndex(b, []byte("xref\n0 "))
	text := bytes.Index(b, []byte("4 0 obj"))
	var out bytes.Buffer
	out.Write(b[:cut])
	hidden := out.Len()
	rows := []byte{1, byte(text >> 8), byte(text), 0}
	fmt.Fprintf(&out, "9 0 obj\n<< /Type /XRef /Size 10 /W [1 2 1] /Index [4 1] /Length %d >>\nstream\n%s\nendstream\nendobj\n", len(rows), rows)
	start := out.Len()
	tail := bytes.Replace(b[cut:], fmt.Appendf(nil, "%010d 00000 n", text), []byte("0000000000 65535 f"), 1)
	tail = bytes.Replace(tail, []byte("/Root"), fmt.Appendf(nil, "/XRefStm %d /Root", hidden), 1)
	out.Write(bytes.Replace(tail, fmt.Appendf(nil, "startxref\n%d", cut), fmt.Appendf(nil, "startxref\n%d", start), 1))
	return out.Bytes()
}

// layouts are the ways a file may be built that signing has to cope with.
func layouts(t testing.TB) map[string][]byte {
	base := contractPDF("", "")
	return map[string][]byte{
		"table":                  base,
		"direct form":            formPDF(false),
		"indirect form":          formPDF(true),
		"object streams":         qpdfWrite(t, formPDF(true), "--object-streams=generate"),
		"linearized":             qpdfWrite(t, threePages(t), "--linearize"),
		"linearized and streams": qpdfWrite(t, threePages(t), "--linearize", "--object-streams=generate"),
		"fpdf":                   threePages(t),
		"hybrid":                 hybridPDF(),
		"junk before the header": append([]byte("MIME junk\r\n\r\n"), base...),
		"no newline at the end":  bytes.TrimRight(base, "\n"),
		"missing annotations":    contractPDF("", "/Annots 99 0 R"),
		"odd names":              contractPDF("/Odd#20Name (\\050paren\\051) /PieceInfo << /a#2Fb [1 -.5 true null <AF>] >>", ""),
	}
}

// testKeys makes one identity for each kind of key, once.
var testKeys = sync.OnceValue(func() map[string]Identity {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return map[string]Identity{"RSA": selfSigned("Rita RSA", rsaKey, nil), "ECDSA": selfSigned("Eddy ECDSA", p256, nil), "P-384": selfSigned("Petra", p384, nil)}
})

// selfSigned is an identity whose certificate lives through 2026; change may alter the template.
func selfSigned(name string, key crypto.Signer, change func(*x509.Certificate)) Identity {
	t := &x509.Certificate{
		Subject:   pkix.Name{CommonName: name},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:  time.Date(2026, 12, 31, 0, 0, 0, 0, time.UTC),
		KeyUsage:  x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(t)
	}
	c, err := issue(t, t, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return Identity{Key: key, Chain: []*x509.Certificate{c}}
}

func mustSign(t testing.TB, pdf []byte, id Identity) []byte {
	t.Helper()
	out, err := Sign(pdf, id, SignOptions{Name: "Paraph", Reason: "Sealed – Versiegelt", Location: "Köln", At: signedAt})
	if err != nil {
		t.Fatalf("Sign: %v", err)
	}
	return out
}

func mustVerify(t testing.TB, pdf []byte, id Identity) Report {
	t.Helper()
	rep, err := Verify(pdf, VerifyOptions{Roots: id.Roots()})
	if err != nil {
		t.Fatalf("Verify: %v", err)
	}
	return rep
}

// TestSign signs every layout with every key; poppler, qpdf and Verify have to agree that it is good.
func TestSign(t *testing.T) {
	t.Parallel()
	files := layouts(t)
	for keyName, id := range testKeys() {
		for name, pdf := range files {
			t.Run(keyName+"/"+name, func(t *testing.T) {
				t.Parallel()
				out := mustSign(t, pdf, id)
				if !bytes.HasPrefix(out, pdf) {
					t.Fatal("bytes that were there have changed")
				}
				said := toolSays(t, out, "pdfsig", "-nocert")
				for _, want := range []string{"Signature is Valid", "Total document signed", "ETSI.CAdES.detached", "SHA-256", id.Chain[0].Subject.CommonName} {
					if !strings.Contains(said, want) {
						t.Errorf("pdfsig does not say %q:\n%s", want, said)
					}
				}
				toolSays(t, out, "qpdf", "--check")
				rep := mustVerify(t, out, id)
				if !rep.Valid || !rep.Sealed || rep.Reason != "" || len(rep.Signatures) != 1 || len(rep.Changes) != 0 {
					t.Fatalf("Verify: %s", rep.Text())
				}
				s := rep.Signatures[0]
				if !s.Intact || !s.Trusted || !s.SelfSigned || !s.CoversFile || !s.CertificateValid || s.Level != "B-B" ||
					!s.SignedAt.Equal(signedAt) || s.Reason != "Sealed – Versiegelt" || s.Location != "Köln" || s.Signer != id.Chain[0].Subject.CommonName {
					t.Errorf("the signature is reported as %+v", s)
				}
			})
		}
	}
}

// TestSignKeepsThePage compares what poppler reads before and after.
func TestSignKeepsThePage(t *testing.T) {
	t.Parallel()
	for name, pdf := range layouts(t) {
		text := func(b []byte) string {
			file := filepath.Join(t.TempDir(), "in.pdf")
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(needTool(t, "pdftotext"), "-layout", file, "-").Output()
			if err != nil {
				t.Fatal(err)
			}
			return string(out)
		}
		before, after := text(pdf), text(mustSign(t, pdf, testKeys()["ECDSA"]))
		if before != after || !strings.Contains(before, "Rent") && !strings.Contains(before, "Page 3") {
			t.Errorf("%s: the text was %q and is %q", name, before, after)
		}
	}
}

// signUnlocked signs as other people's approvals do, without a word on what may follow.
func signUnlocked(t testing.TB, pdf []byte, id Identity) []byte {
	t.Helper()
	return signWith(t, pdf, id, func(s *signing) { s.lock = false })
}

// signWith signs after a change to the signing, in ways that Sign itself never does.
func signWith(t testing.TB, pdf []byte, id Identity, change func(*signing)) []byte {
	t.Helper()
	f, err := openPDF(pdf)
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSigning(f, id, SignOptions{At: signedAt})
	if err != nil {
		t.Fatal(err)
	}
	change(s)
	out, err := s.run()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSignAfterOthers seals files that carry somebody's approval: theirs stays good, and poppler sees both.
func TestSignAfterOthers(t *testing.T) {
	t.Parallel()
	alice, paraph := testKeys()["RSA"], testKeys()["ECDSA"]
	for name, pdf := range layouts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := mustSign(t, signUnlocked(t, pdf, alice), paraph)
			said := toolSays(t, out, "pdfsig", "-nocert")
			if strings.Count(said, "Signature is Valid") != 2 {
				t.Errorf("pdfsig sees something else than two good signatures:\n%s", said)
			}
			toolSays(t, out, "qpdf", "--check")
			rep := mustVerify(t, out, paraph)
			if !rep.Valid || len(rep.Signatures) != 2 {
				t.Fatal(rep.Text())
			}
			if a, p := rep.Signatures[0], rep.Signatures[1]; a.CoversFile || a.Trusted || !a.Intact || !p.CoversFile || !p.Trusted || a.Field == p.Field {
				t.Errorf("the signatures are reported as %+v and %+v", a, p)
			}
		})
	}
}

// TestSignRefuses tells what can't be signed and why.
func TestSignRefuses(t *testing.T) {
	t.Parallel()
	id := testKeys()["ECDSA"]
	base := contractPDF("", "")
	for name, c := range map[string]struct {
		pdf  []byte
		kind string
	}{
		"encrypted":      {qpdfWrite(t, base, "--encrypt", "", "owner", "256", "--"), KindPassword},
		"closed already": {mustSign(t, base, id), KindBadSignatures},
		"truncated":      {base[:len(base)/2], KindDamaged},
		"no pdf":         {[]byte("hello"), KindDamaged},
		"empty":          {nil, KindDamaged},
		"no pages":       {buildPDF("<< /Type /Catalog >>", "null", "null", "null", "null", "<< >>"), KindNoPages},
	} {
		_, err := Sign(c.pdf, id, SignOptions{At: signedAt})
		var in *InputError
		if !errors.As(err, &in) || in.Kind != c.kind || in.Message == "" {
			t.Errorf("%s: the error is %v, not of kind %s", name, err, c.kind)
		}
	}
	other := Identity{Key: testKeys()["RSA"].Key, Chain: id.Chain}
	for name, bad := range map[string]Identity{"no key": {Chain: id.Chain}, "no certificate": {Key: id.Key}, "another's key": other} {
		if _, err := Sign(base, bad, SignOptions{At: signedAt}); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	if _, err := Sign(base, id, SignOptions{}); err == nil {
		t.Error("signed without a time")
	}
}

// TestDropSignatures takes signatures out of every layout, certified or approved; then the file can be sealed anew.
func TestDropSignatures(t *testing.T) {
	t.Parallel()
	alice, paraph := testKeys()["RSA"], testKeys()["ECDSA"]
	for name, pdf := range layouts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for restricted, before := range map[bool][]byte{true: mustSign(t, pdf, alice), false: signUnlocked(t, pdf, alice)} {
				if st, err := Signatures(before); err != nil || st != (SignatureState{1, restricted}) {
					t.Fatalf("the state is %+v, %v", st, err)
				}
				dropped, err := DropSignatures(before)
				if err != nil {
					t.Fatal(err)
				}
				if st, err := Signatures(dropped); err != nil || st != (SignatureState{}) {
					t.Errorf("after dropping, the state is %+v, %v", st, err)
				}
				if rep := mustVerify(t, dropped, alice); rep.Sealed || rep.Valid {
					t.Errorf("after dropping: %s", rep.Text())
				}
				sealed := mustSign(t, dropped, paraph)
				toolSays(t, sealed, "qpdf", "--check")
				if rep := mustVerify(t, sealed, paraph); !rep.Valid || len(rep.Signatures) != 1 {
					t.Errorf("sealed anew: %s", rep.Text())
				}
				if said := toolSays(t, sealed, "pdfsig", "-nocert"); strings.Count(said, "Signature is Valid") != 1 {
					t.Errorf("pdfsig says %s", said)
				}
			}
			if same, err := DropSignatures(pdf); err != nil || !bytes.Equal(same, pdf) {
				t.Errorf("a file without signatures was changed: %v", err)
			}
		})
	}
}
