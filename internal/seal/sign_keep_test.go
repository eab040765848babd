package seal

import (
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
