package seal

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	whole := threePages(t)
	for _, tc := range []struct {
		name string
		data []byte
		kind string
	}{
		{"nothing", nil, KindEmpty},
		{"text", []byte("Dear Sir or Madam"), KindNotPDF},
		{"a picture", testPNG(10, 10), KindNotPDF},
		{"only a header", []byte("%PDF-1.7\n"), KindTruncated},
		{"garbage between header and end", []byte("%PDF-1.7\n" + strings.Repeat("garbage ", 500) + "\nstartxref\n0\n%%EOF\n"), KindDamaged},
		{"cut in half", whole[:len(whole)/2], KindTruncated},
		{"cut before the table", whole[:bytes.LastIndex(whole, []byte("xref\n"))-40], KindTruncated},
		{"a password", qpdfWrite(t, whole, "--encrypt", "secret", "owner", "256", "--"), KindPassword},
		{"no pages", buildPDF("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>", "null", "null", "null", "<< >>"), KindNoPages},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := pdfEngine().Prepare(t.Context(), tc.data)
			if kindOf(err) != tc.kind {
				t.Errorf("Prepare = %v, want kind %s", err, tc.kind)
			}
		})
	}
}

func TestPrepareLimits(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.MaxPages, cfg.MaxBytes = 2, 1<<20
	e := must2(NewEngine(cfg))
	t.Cleanup(func() { e.Close() })
	if _, _, err := e.Prepare(t.Context(), threePages(t)); kindOf(err) != KindTooManyPages {
		t.Errorf("three pages: %v, want %s", err, KindTooManyPages)
	}
	if _, _, err := e.Prepare(t.Context(), append(threePages(t), make([]byte, 2<<20)...)); kindOf(err) != KindTooLarge {
		t.Errorf("2 MB: %v, want %s", err, KindTooLarge)
	}
}

func TestPrepareKeepsWhatIsFine(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"plain":  threePages(t),
		"form":   formPDF(true),
		"signed": signUnlocked(t, threePages(t), testKeys()["RSA"]),
	} {
		pdf, info, err := pdfEngine().Prepare(t.Context(), data)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.Equal(pdf, data) {
			t.Errorf("%s: the bytes were changed", name)
		}
		if info.Repaired || info.WasEncrypted || info.Signed != (name == "signed") || info.HasForm != (name != "plain") {
			t.Errorf("%s: %+v", name, info)
		}
	}
}

func TestPrepareDecrypts(t *testing.T) {
	t.Parallel()
	locked := qpdfWrite(t, threePages(t), "--encrypt", "", "owner", "256", "--")
	pdf, info, err := pdfEngine().Prepare(t.Context(), locked)
	if err != nil {
		t.Fatal(err)
	}
	if !info.WasEncrypted || len(info.Pages) != 3 {
		t.Errorf("info = %+v", info)
	}
	if bytes.Contains(pdf, []byte("/Encrypt")) {
		t.Error("it is still encrypted")
	}
	if got := toolSays(t, pdf, "qpdf", "--check"); !strings.Contains(got, "not encrypted") {
		t.Errorf("qpdf: %s", got)
	}
}

func TestPrepareRepairs(t *testing.T) {
	t.Parallel()
	good := contractPDF("", "")
	for name, data := range map[string][]byte{
		"wrong offsets":   bytes.Replace(good, []byte("0000000015 00000 n"), []byte("0000000019 00000 n"), 1),
		"no table":        append(bytes.Clone(good[:bytes.LastIndex(good, []byte("xref\n0"))]), "trailer << /Root 1 0 R >>\nstartxref\n0\n%%EOF\n"...),
		"wrong startxref": bytes.Replace(good, []byte("startxref\n"), []byte("startxref\n9"), 1),
	} {
		pdf, info, err := pdfEngine().Prepare(t.Context(), data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !info.Repaired || len(info.Pages) != 1 {
			t.Errorf("%s: %+v", name, info)
		}
		toolSays(t, pdf, "qpdf", "--check")
		if got := foundText(t, pdf); !strings.Contains(got, "Rent: 900") {
			t.Errorf("%s: the text is gone", name)
		}
	}
}

func TestInspectMeasuresAsDisplayed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		page string
		w, h float64
	}{
		{"", 612, 792},
		{"/Rotate 90", 792, 612},
		{"/Rotate 180", 612, 792},
		{"/Rotate -90", 792, 612},
		{"/CropBox [100 100 400 300]", 300, 200},
		{"/CropBox [100 100 400 300] /Rotate 270", 200, 300},
	} {
		info, err := pdfEngine().Inspect(t.Context(), contractPDF("", tc.page))
		if err != nil {
			t.Fatalf("%s: %v", tc.page, err)
		}
		if p := info.Pages[0]; math.Abs(p.Width-tc.w) > 0.01 || math.Abs(p.Height-tc.h) > 0.01 {
			t.Errorf("%q is %v × %v, want %v × %v", tc.page, p.Width, p.Height, tc.w, tc.h)
		}
	}
}

// TestBombs runs everything over files made to take all memory or time; each must end, in a result or a refusal.
func TestBombs(t *testing.T) {
	t.Parallel()
	zeros := string(deflated(600 << 20))
	for name, data := range map[string][]byte{
		"a stream of 600 MB":     bombPage("/Filter /FlateDecode", zeros, "[0 0 612 792]"),
		"deflated twice":         bombPage("/Filter [/FlateDecode /FlateDecode]", string(deflateBytes([]byte(zeros))), "[0 0 612 792]"),
		"a page of 2^31":         bombPage("", "", "[0 0 595 2147483647]"),
		"a page of no height":    bombPage("", "", "[0 0 595 0.0001]"),
		"high object numbers":    bytes.Replace(contractPDF("", ""), []byte("trailer\n"), []byte("2000000000 1\n0000000015 00000 n\r\ntrailer\n"), 1),
		"an image of 10^10 dots": imageBomb(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pdf, _, err := pdfEngine().Prepare(t.Context(), data)
			if err != nil {
				if kindOf(err) == "" {
					t.Errorf("Prepare: %v, want an InputError", err)
				}
				return
			}
			if _, err := pdfEngine().RenderPage(t.Context(), pdf, 0, 800); err != nil && kindOf(err) == "" {
				t.Errorf("RenderPage: %v, want an InputError", err)
			}
			if _, err := pdfEngine().Stamp(t.Context(), pdf, []Mark{{W: 0.5, H: 0.1, Kind: MarkText, Text: "x"}}); err != nil && kindOf(err) == "" {
				t.Errorf("Stamp: %v, want an InputError", err)
			}
		})
	}
}
