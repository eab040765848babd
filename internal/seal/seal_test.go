package seal

import (
	"strings"
	"testing"
)

func sealJob(t testing.TB, key string) Job {
	audit := testAudit(10)
	return Job{
		PDF: threePages(t),
		Marks: []Mark{
			{Page: 0, X: 0.1, Y: 0.2, W: 0.4, H: 0.03, Kind: MarkText, Text: "Ada Lovelace"},
			{Page: 1, X: 0.1, Y: 0.2, W: 0.4, H: 0.03, Kind: MarkText, Text: "14 March 2026"},
			{Page: 1, X: 0.6, Y: 0.2, W: 0.03, H: 0.02, Kind: MarkCheck},
			{Page: 2, X: 0.1, Y: 0.2, W: 0.4, H: 0.03, Kind: MarkText, Text: "王小明"},
			{Page: 2, X: 0.5, Y: 0.7, W: 0.35, H: 0.08, Kind: MarkImage, Image: testPNG(600, 150), Caption: "Ada Lovelace\n2026-03-14 15:09 UTC · rcp_1"},
		},
		Audit: &audit, Identity: testKeys()[key], Sign: SignOptions{Reason: "Sealed", At: signedAt},
	}
}

func TestSeal(t *testing.T) {
	t.Parallel()
	for key := range testKeys() {
		out, err := pdfEngine().Seal(t.Context(), sealJob(t, key))
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		if rep := mustVerify(t, out, testKeys()[key]); !rep.Valid || !rep.Signatures[0].Trusted {
			t.Errorf("%s: %s", key, rep.Text())
		}
		toolSays(t, out, "qpdf", "--check")
		if said := toolSays(t, out, "pdfsig", "-nocert"); !strings.Contains(said, "Signature is Valid") || !strings.Contains(said, "Total document signed") {
			t.Errorf("%s: pdfsig: %s", key, said)
		}
		text := foundText(t, out)
		for _, want := range []string{"Page 1", "Ada Lovelace", "14 March 2026", "王小明", "rcp_1", "Certificate of completion", "Event009"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing", key, want)
			}
		}
	}
}

func TestSealRefuses(t *testing.T) {
	t.Parallel()
	job := sealJob(t, "RSA")
	job.Identity = Identity{}
	if _, err := pdfEngine().Seal(t.Context(), job); err == nil {
		t.Error("sealed without a key")
	}
	job = sealJob(t, "RSA")
	job.Marks[0].Page = 17
	if _, err := pdfEngine().Seal(t.Context(), job); kindOf(err) != KindBadMark {
		t.Errorf("a field on page 18 of 3: %v", err)
	}
}

// BenchmarkSeal is the whole job: a three-page contract, five fields with one image, audit pages, a signature.
func BenchmarkSeal(b *testing.B) {
	for _, key := range []string{"RSA", "ECDSA"} {
		b.Run(key, func(b *testing.B) {
			job := sealJob(b, key)
			if err := pdfEngine().Warm(b.Context()); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := pdfEngine().Seal(b.Context(), job); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
