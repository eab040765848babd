package seal

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"strings"
	"testing"
)

// TestShapeIsWhatPDFiumShows measures pages of every kind twice.
func TestShapeIsWhatPDFiumShows(t *testing.T) {
	t.Parallel()
	for _, above := range []string{"", "/MediaBox [0 0 300 400]", "/MediaBox [0 0 300 400] /Rotate 90 /CropBox [10 20 200 300]"} {
		for _, page := range []string{
			"", "/MediaBox [0 0 612 792]", "/MediaBox [612 792 0 0]", "/MediaBox [-100 -50.5 200 300]", "/MediaBox [0 0 100]", "/MediaBox [0 0 0 0]",
			"/MediaBox [0 0 612 792] /CropBox [100 100 400 500]", "/MediaBox [0 0 612 792] /CropBox [-100 -100 4000 5000]",
			"/Rotate 180", "/Rotate -90", "/Rotate 450", "/Rotate 45",
		} {
			pdf := buildPDF(
				"<< /Type /Catalog /Pages 2 0 R >>",
				"<< /Type /Pages /Kids [3 0 R] /Count 1 "+above+" >>",
				"<< /Type /Page /Parent 2 0 R "+page+" >>", "<< >>", "null", "<< >>")
			info, err := pdfEngine().Inspect(t.Context(), pdf)
			if err != nil {
				t.Fatalf("%s %s: %v", above, page, err)
			}
			f, err := openPDF(pdf)
			if err != nil {
				t.Fatal(err)
			}
			leaves, err := f.leaves()
			if err != nil || len(leaves) != 1 {
				t.Fatalf("%d pages, %v", len(leaves), err)
			}
			got, want := f.shape(leaves[0]), info.Pages[0]
			if math.Abs(got.width-want.Width) > 0.01 || math.Abs(got.height-want.Height) > 0.01 {
				t.Errorf("%s %s: %.2f × %.2f, PDFium shows %.2f × %.2f", above, page, got.width, got.height, want.Width, want.Height)
			}
		}
	}
}

// TestStampLeavesOthersAlone draws on one of two pages that share what they are drawn with.
func TestStampLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	pdf := buildPDF(
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 /MediaBox [0 0 300 400] /Resources 5 0 R >>",
		"<< /Type /Page /Parent 2 0 R /Contents 9 0 R >>",
		"<< /Type /Page /Parent 2 0 R /Contents 7 0 R >>",
		"<< /ExtGState 8 0 R >>",
		"<< >>",
		streamObject("", "/Faint gs 1 0 0 rg 50 50 100 100 re f"),
		"<< /Faint << /ca 0 >> >>", // nothing drawn with it shows
		streamObject("", "0 0 1 1 re f"),
	)
	out, err := pdfEngine().Stamp(t.Context(), pdf, []Mark{{X: 0.1, Y: 0.1, W: 0.5, H: 0.1, Kind: MarkText, Text: "Ada"}})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out, pdf) {
		t.Error("what was there was changed")
	}
	pic, err := pdfEngine().RenderPage(t.Context(), out, 1, 300)
	if err != nil {
		t.Fatal(err)
	}
	img, _, err := image.Decode(bytes.NewReader(pic.Data))
	if err != nil {
		t.Fatal(err)
	}
	if red := redBox(img); !red.Empty() {
		t.Errorf("page 2 lost its transparency: %v is red", red)
	}
	toolSays(t, out, "qpdf", "--check")
}

// TestStampCostsByWhatIsStamped draws on one page of a short and of a long document.
func TestStampCostsByWhatIsStamped(t *testing.T) {
	t.Parallel()
	mark := []Mark{{X: 0.1, Y: 0.1, W: 0.5, H: 0.1, Kind: MarkText, Text: "Ada"}}
	added := func(pages int) int {
		pdf := book(pages)
		out, err := pdfEngine().Stamp(t.Context(), pdf, mark)
		if err != nil {
			t.Fatal(err)
		}
		return len(out) - len(pdf)
	}
	if short, long := added(2), added(500); long > short+200 {
		t.Errorf("a revision of %d bytes for 2 pages, %d for 500", short, long)
	}
}

// book is a PDF of empty pages.
func book(pages int) []byte {
	objects := []string{"<< /Type /Catalog /Pages 2 0 R >>", ""}
	var kids strings.Builder
	for i := range pages {
		fmt.Fprintf(&kids, "%d 0 R ", i+3)
		objects = append(objects, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>")
	}
	objects[1] = fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids.String(), pages)
	return buildPDF(objects...)
}

// TestPrepareMakesPagesRegular rewrites files whose page tree viewers forgive and a revision can't be hung on.
func TestPrepareMakesPagesRegular(t *testing.T) {
	t.Parallel()
	for name, tree := range map[string][2]string{
		"a page twice":          {"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>", "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] >>"},
		"a page without a tree": {"<< /Type /Page /MediaBox [0 0 300 400] >>", "null"},
	} {
		pdf, info, err := pdfEngine().Prepare(t.Context(), buildPDF("<< /Type /Catalog /Pages 2 0 R >>", tree[0], tree[1], "null", "null", "<< >>"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		last := len(info.Pages) - 1
		out, err := pdfEngine().Seal(t.Context(), Job{
			PDF: pdf, Marks: []Mark{{Page: last, W: 0.5, H: 0.1, Kind: MarkText, Text: "Last"}}, Audit: &Audit{}, Identity: testKeys()["RSA"], Sign: SignOptions{At: signedAt},
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if n := strings.Count(foundText(t, out), "Last"); n != 1 {
			t.Errorf("%s: drawn on %d of %d pages", name, n, last+1)
		}
	}
}
