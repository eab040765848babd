package seal

import (
	"bytes"
	"fmt"
	"image"
	_ "image/png"
	"strings"
	"testing"

	"github.com/klippa-app/go-pdfium/requests"
)

// pixelsOf draws a page.
func pixelsOf(t testing.TB, pdf []byte, width int) image.Image {
	t.Helper()
	pic, err := pdfEngine().RenderPage(t.Context(), pdf, 0, width)
	if err != nil {
		t.Fatal(err)
	}
	img, _, err := image.Decode(bytes.NewReader(pic.Data))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != pic.Width || b.Dy() != pic.Height {
		t.Fatalf("the picture is %v, said to be %d × %d", b, pic.Width, pic.Height)
	}
	return img
}

// redBox is where a picture is red.
func redBox(img image.Image) image.Rectangle {
	var box image.Rectangle
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if r, g, bl, _ := img.At(x, y).RGBA(); r > 0xC000 && g < 0x4000 && bl < 0x4000 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// TestStampPlaces puts a red picture on pages of every shape and looks where it is displayed, in PDFium and in poppler.
func TestStampPlaces(t *testing.T) {
	t.Parallel()
	for _, boxes := range []string{"", "/CropBox [100 150 400 650]", "/CropBox [-50 -50 300 900]", "/MediaBox [-200 -100 400 500]"} {
		for _, rotate := range []int{0, 90, 180, 270} {
			page := fmt.Sprintf("%s /Rotate %d", boxes, rotate)
			t.Run(page, func(t *testing.T) {
				t.Parallel()
				pdf := contractPDF("", page)
				if strings.Contains(boxes, "MediaBox") {
					pdf = bytes.Replace(pdf, []byte("/MediaBox [0 0 612 792]"), nil, 1)
				}
				pdf, info, err := pdfEngine().Prepare(t.Context(), pdf)
				if err != nil {
					t.Fatal(err)
				}
				size := info.Pages[0]
				// A square picture would be centred in its box, so the box is square in points.
				m := Mark{X: 0.1, Y: 0.2, W: 0.25, H: 0.25 * size.Width / size.Height, Kind: MarkImage, Image: testPNG(40, 40)}
				out, err := pdfEngine().Stamp(t.Context(), pdf, []Mark{m})
				if err != nil {
					t.Fatal(err)
				}
				checkBox(t, "PDFium", redBox(pixelsOf(t, out, 800)), m, 800, 800*size.Height/size.Width)
				img := popplerPixels(t, out)
				checkBox(t, "poppler", redBox(img), m, float64(img.Bounds().Dx()), float64(img.Bounds().Dy()))
			})
		}
	}
}

func checkBox(t *testing.T, who string, got image.Rectangle, m Mark, w, h float64) {
	t.Helper()
	want := image.Rect(int(m.X*w), int(m.Y*h), int((m.X+m.W)*w), int((m.Y+m.H)*h))
	near := func(a, b int) bool { return a-b <= 3 && b-a <= 3 }
	if !near(got.Min.X, want.Min.X) || !near(got.Min.Y, want.Min.Y) || !near(got.Max.X, want.Max.X) || !near(got.Max.Y, want.Max.Y) {
		t.Errorf("%s shows the mark at %v, want %v", who, got, want)
	}
}

func popplerPixels(t testing.TB, pdf []byte) image.Image {
	t.Helper()
	data := toolWrites(t, pdf, "pdftoppm", "-png", "-singlefile", "-cropbox", "-r", "72")
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestStampText writes in many scripts and has poppler find it again.
func TestStampText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"Grüße, François Øresund Łódź",
		"Ελληνικά Γεια σου",
		"Привет, мир",
		"مرحبا بالعالم",
		"שלום עולם",
		"नमस्ते दुनिया",
		"สวัสดีชาวโลก",
		"你好世界",
		"日本語テスト",
		"한국어 시험",
		"Zahlung €1.250,00 – fällig",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			out, err := pdfEngine().Stamp(t.Context(), contractPDF("", ""), []Mark{{X: 0.1, Y: 0.3, W: 0.8, H: 0.05, Kind: MarkText, Text: text, FontSize: 14}})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.NewReplacer("\u202a", "", "\u202b", "", "\u202c", "", "\u200e", "", "\u200f", "").Replace(foundText(t, out))
			if !strings.Contains(got, text) {
				t.Errorf("pdftotext finds %q, want %q in it", got, text)
			}
			toolSays(t, out, "qpdf", "--check")
			if len(out) > 60_000 {
				t.Errorf("the file has %d bytes: more than the letters used are in it", len(out))
			}
		})
	}
}

func foundText(t testing.TB, pdf []byte) string {
	t.Helper()
	return string(toolWrites(t, pdf, "pdftotext", "-enc", "UTF-8"))
}

// TestStampTextFits has long text shrink and wrap, and never leave its box.
func TestStampTextFits(t *testing.T) {
	t.Parallel()
	sentence := "The tenant pays the rent in advance, at the latest on the third working day of each month. "
	for _, tc := range []struct {
		name string
		mark Mark
	}{
		{"a little too long", Mark{X: 0.1, Y: 0.5, W: 0.3, H: 0.03, Text: "A name that is rather long, Esq."}},
		{"wrapped", Mark{X: 0.1, Y: 0.5, W: 0.3, H: 0.08, Text: sentence}},
		{"very long", Mark{X: 0.1, Y: 0.5, W: 0.2, H: 0.05, Text: strings.Repeat(sentence, 12)}},
		{"one long word", Mark{X: 0.1, Y: 0.5, W: 0.1, H: 0.03, Text: strings.Repeat("Donaudampfschifffahrt", 4)}},
		{"lines", Mark{X: 0.1, Y: 0.5, W: 0.3, H: 0.05, Text: "one\ntwo\nthree\nfour"}},
		{"a size that is too big", Mark{X: 0.1, Y: 0.5, W: 0.1, H: 0.02, Text: "12345", FontSize: 60}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.mark.Kind = MarkText
			out, err := pdfEngine().Stamp(t.Context(), bombPage("", "", "[0 0 612 792]"), []Mark{tc.mark})
			if err != nil {
				t.Fatal(err)
			}
			squash := func(s string) string { return strings.Join(strings.Fields(s), "") }
			if got := foundText(t, out); !strings.Contains(squash(got), squash(tc.mark.Text)) {
				t.Errorf("some text is gone: %q", got)
			}
			runs, err := pdfEngine().PageText(t.Context(), out, 0)
			if err != nil {
				t.Fatal(err)
			}
			const slack = 0.004 // ascenders and descenders of the outer lines
			for _, r := range runs {
				if r.X < tc.mark.X-slack || r.Y < tc.mark.Y-slack || r.X+r.W > tc.mark.X+tc.mark.W+slack || r.Y+r.H > tc.mark.Y+tc.mark.H+slack {
					t.Errorf("%q at %v leaves its box %v", r.Text, r, tc.mark)
				}
			}
		})
	}
}

func TestStampRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		mark Mark
		kind string
	}{
		"no such page":   {Mark{Page: 1, W: 0.1, H: 0.1, Kind: MarkText}, KindBadMark},
		"before a page":  {Mark{Page: -1, W: 0.1, H: 0.1, Kind: MarkText}, KindBadMark},
		"off the right":  {Mark{X: 0.95, W: 0.1, H: 0.1, Kind: MarkText}, KindBadMark},
		"off the bottom": {Mark{Y: 0.95, W: 0.1, H: 0.1, Kind: MarkText}, KindBadMark},
		"no width":       {Mark{H: 0.1, Kind: MarkText}, KindBadMark},
		"unknown kind":   {Mark{W: 0.1, H: 0.1, Kind: "video"}, KindBadMark},
		"no image":       {Mark{W: 0.1, H: 0.1, Kind: MarkImage}, KindBadImage},
		"a huge image":   {Mark{W: 0.1, H: 0.1, Kind: MarkImage, Image: hugePNG()}, KindTooLarge},
	} {
		if _, err := pdfEngine().Stamp(t.Context(), contractPDF("", ""), []Mark{tc.mark}); kindOf(err) != tc.kind {
			t.Errorf("%s: %v, want %s", name, err, tc.kind)
		}
	}
}

// TestStampOverForms draws on a form. What a field shows becomes part of the page; under a mark only its box stays, so that
// no text stands on text.
func TestStampOverForms(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		y    float64
		keep bool
	}{
		"over the field": {(792 - 620) / 792.0, false},
		"elsewhere":      {0.6, true},
	} {
		m := Mark{X: 72 / 612.0, Y: tc.y, W: 0.3, H: 0.025, Kind: MarkImage, Image: testPNG(40, 4)}
		out, err := pdfEngine().Stamp(t.Context(), formPDF(true), []Mark{m})
		if err != nil {
			t.Fatal(err)
		}
		got := foundText(t, out)
		if strings.Contains(got, "900\n") != tc.keep || !strings.Contains(got, "Rent: 900 a month") {
			t.Errorf("%s: %q", name, got)
		}
		if red := redBox(popplerPixels(t, out)); red.Dx() < 150 {
			t.Errorf("%s: the mark does not show: %v", name, red)
		}
		if n := annotations(t, out); n != 0 {
			t.Errorf("%s: %d fields are left", name, n)
		}
		toolSays(t, out, "qpdf", "--check")
	}
}

// annotations counts those of the first page.
func annotations(t testing.TB, pdf []byte) int {
	t.Helper()
	n := 0
	err := pdfEngine().with(t.Context(), func(s *session) error {
		doc, err := s.open(pdf)
		if err != nil {
			return err
		}
		page, err := s.page(doc, 0)
		if err != nil {
			return err
		}
		count, err := s.pdfium.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: byRef(page)})
		if err == nil {
			n = count.Count
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestStampKeepsSignatures adds to a signed file without touching what was signed.
func TestStampKeepsSignatures(t *testing.T) {
	t.Parallel()
	for name, layout := range layouts(t) {
		signed := signUnlocked(t, layout, testKeys()["RSA"])
		out, err := pdfEngine().Stamp(t.Context(), signed, []Mark{{X: 0.5, Y: 0.5, W: 0.3, H: 0.05, Kind: MarkText, Text: "Later"}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !bytes.HasPrefix(out, signed) {
			t.Errorf("%s: the signed bytes were changed", name)
		}
		if got := toolSays(t, out, "pdfsig", "-nocert"); !strings.Contains(got, "Signature is Valid") {
			t.Errorf("%s: pdfsig: %s", name, got)
		}
		toolSays(t, out, "qpdf", "--check")
		if !strings.Contains(foundText(t, out), "Later") {
			t.Errorf("%s: the mark is missing", name)
		}
	}
}

// TestStampAfterUntidyContent draws on pages whose content leaves its scale, clip and colour behind.
func TestStampAfterUntidyContent(t *testing.T) {
	t.Parallel()
	for _, content := range []string{
		"0.5 0 0 0.5 100 100 cm",
		"q q q 2 0 0 2 -50 -50 cm",
		"0 0 10 10 re W n",
		"q 0 0 10 10 re W n 0.3 0 0 0.3 0 0 cm",
		"Q Q Q",
		"BT 3 Tr",
		"/GS gs /Nothing Do 1 2 3 nonsense",
	} {
		pdf := bombPage("", content, "[0 0 600 800]")
		m := Mark{X: 0.3, Y: 0.5, W: 0.2, H: 0.2 * 600 / 800, Kind: MarkImage, Image: testPNG(40, 40)}
		text := Mark{X: 0.3, Y: 0.8, W: 0.4, H: 0.04, Kind: MarkText, Text: "Visible"}
		out, err := pdfEngine().Stamp(t.Context(), pdf, []Mark{m, text})
		if err != nil {
			t.Errorf("%q: %v", content, err)
			continue
		}
		checkBox(t, content+": PDFium", redBox(pixelsOf(t, out, 600)), m, 600, 800)
		img := popplerPixels(t, out)
		checkBox(t, content+": poppler", redBox(img), m, 600, 800)
		if dark := darkIn(img, image.Rect(180, 640, 420, 672)); dark < 30 {
			t.Errorf("%q: the text does not show: %d dark pixels", content, dark)
		}
	}
}

// darkIn counts the dark pixels in a part of a picture.
func darkIn(img image.Image, part image.Rectangle) int {
	dark := 0
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			if r, _, _, _ := img.At(x, y).RGBA(); r < 0x8000 {
				dark++
			}
		}
	}
	return dark
}
