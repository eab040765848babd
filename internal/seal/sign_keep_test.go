package seal

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
)

// TestSealSigned seals files that carry signatures. Those that allow it stay good, in the strict sense and in poppler's;
// those that forbid it are dropped, for otherwise the envelope could never be sealed.
func TestSealSigned(t *testing.T) {
	t.Parallel()
	engine := pdfEngine()
	alice, paraph := testKeys()["RSA"], testKeys()["ECDSA"]
	mark := Mark{X: .1, Y: .1, W: .4, H: .05, Kind: MarkText, Text: "Zoë"}
	for name, pdf := range layouts(t) {
		for how, before := range map[string][]byte{
			"approved":  signUnlocked(t, pdf, alice),
			"twice":     signUnlocked(t, signUnlocked(t, pdf, alice), testKeys()["P-384"]),
			"certified": mustSign(t, pdf, alice),
		} {
			t.Run(how+"/"+name, func(t *testing.T) {
				t.Parallel()
				ready, _, err := engine.Prepare(context.Background(), before)
				if err != nil {
					t.Fatal(err)
				}
				sealed, err := engine.Seal(context.Background(), Job{PDF: ready, Marks: []Mark{mark}, Identity: paraph, Sign: SignOptions{At: signedAt}})
				if err != nil {
					t.Fatal(err)
				}
				toolSays(t, sealed, "qpdf", "--check")
				want := map[string]int{"approved": 2, "twice": 3, "certified": 1}[how]
				if said := toolSays(t, sealed, "pdfsig", "-nocert"); strings.Count(said, "Signature is Valid") != want {
					t.Errorf("pdfsig does not find %d signatures valid:\n%s", want, said)
				}
				rep := mustVerify(t, sealed, paraph)
				if !rep.Valid || len(rep.Signatures) != want {
					t.Fatal(rep.Text())
				}
				for _, s := range rep.Signatures[:want-1] {
					if !s.Intact || s.Problem != "" || !slices.ContainsFunc(s.ChangedAfter, func(c string) bool { return strings.Contains(c, "page 1") }) {
						t.Errorf("an earlier signature is reported as %+v", s)
					}
				}
			})
		}
	}
}

// TestTrimRevision takes out of an increment what did not change, and above all signatures.
func TestTrimRevision(t *testing.T) {
	t.Parallel()
	for name, pdf := range layouts(t) {
		before := signUnlocked(t, pdf, testKeys()["RSA"])
		f, err := openPDF(before)
		if err != nil {
			t.Fatal(err)
		}
		rewrite := func(change bool) []byte {
			rev := newRevision(f)
			for n := range f.xref {
				v, err := f.object(n)
				if err != nil {
					t.Fatal(err)
				}
				if st, ok := v.(*pdfStream); v != nil && (!ok || st.dict.name("Type") != "ObjStm" && st.dict.name("Type") != "XRef") {
					rev.put(pdfRef{num: n}, v)
				}
			}
			if change {
				_, root, _ := f.catalog()
				ref, page, _ := f.firstPage(root)
				page = page.clone()
				page.set("Rotate", pdfInt(90))
				rev.put(ref, page)
			}
			return rev.finish()
		}
		if out := trimRevision(before, rewrite(false)); !bytes.Equal(out, before) {
			t.Errorf("%s: nothing changed, and %d bytes were added", name, len(out)-len(before))
		}
		out := trimRevision(before, rewrite(true))
		if !bytes.HasPrefix(out, before) || len(out) > len(before)+3000 {
			t.Errorf("%s: one key changed, and %d bytes were added", name, len(out)-len(before))
		}
		rep := mustVerify(t, out, testKeys()["RSA"])
		if s := rep.Signatures[0]; !s.Intact || !slices.Equal(s.ChangedAfter, []string{"page 1 was changed"}) {
			t.Errorf("%s: %s", name, rep.Text())
		}
	}
	if out := trimRevision(formPDF(false), formPDF(true)); !bytes.Equal(out, formPDF(true)) {
		t.Error("another file was trimmed")
	}
}
