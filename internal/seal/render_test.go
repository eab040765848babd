package seal

import (
	"fmt"
	"image"
	"math"
	"strings"
	"testing"
)

func TestRenderPageSizes(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		page  string
		width int
		w, h  int
	}{
		{"", 612, 612, 792},
		{"/Rotate 90", 792, 792, 612},
		{"", 10, MinRenderWidth, 65},
		{"", 9000, MaxRenderWidth, 3882},
		{"/CropBox [0 0 100 100]", 500, 500, 500},
	} {
		pic, err := pdfEngine().RenderPage(t.Context(), contractPDF("", tc.page), 0, tc.width)
		if err != nil {
			t.Fatal(err)
		}
		if pic.Width != tc.w || pic.Height != tc.h {
			t.Errorf("%q at %d is %d × %d, want %d × %d", tc.page, tc.width, pic.Width, pic.Height, tc.w, tc.h)
		}
		if pic.ContentType != "image/png" {
			t.Errorf("a page of text is a %s", pic.ContentType)
		}
	}
}

func TestRenderPageBoundsPixels(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]float64{{595, 842}, {100, 20000}, {20000, 100}, {1, 1e9}} {
		for _, width := range []int{50, 800, 3000} {
			w, h := pixelSize(size[0], size[1], width)
			if w < 1 || h < 1 || w > MaxRenderWidth || h > maxHeight || w*h > maxPixels+maxHeight {
				t.Errorf("%v at %d is %d × %d", size, width, w, h)
			}
		}
	}
}

func TestRenderPageRefuses(t *testing.T) {
	t.Parallel()
	for _, page := range []int{-1, 1, 1 << 30} {
		if _, err := pdfEngine().RenderPage(t.Context(), contractPDF("", ""), page, 100); kindOf(err) != KindBadMark {
			t.Errorf("page %d: %v", page, err)
		}
	}
}

// TestRenderPageShowsForms draws a form field that has a value and no appearance of its own.
func TestRenderPageShowsForms(t *testing.T) {
	t.Parallel()
	img := pixelsOf(t, formPDF(true), 612)
	dark := darkIn(img, image.Rect(72, 792-620, 200, 792-600))
	if dark < 20 {
		t.Errorf("the field's value does not show: %d dark pixels", dark)
	}
}

// TestPageText finds text where it is displayed, on pages that are turned and cropped too.
func TestPageText(t *testing.T) {
	t.Parallel()
	for _, rotate := range []int{0, 90, 180, 270} {
		page := fmt.Sprintf("/CropBox [20 30 512 772] /Rotate %d", rotate)
		m := Mark{X: 0.3, Y: 0.6, W: 0.4, H: 0.04, Kind: MarkText, Text: "Find me 𝒳 here"}
		out, err := pdfEngine().Stamp(t.Context(), contractPDF("", page), []Mark{m})
		if err != nil {
			t.Fatal(err)
		}
		runs, err := pdfEngine().PageText(t.Context(), out, 0)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, r := range runs {
			if strings.Contains(r.Text, "Find me 𝒳 here") {
				found = true
				if math.Abs(r.X-m.X) > 0.01 || r.Y < m.Y-0.005 || r.Y+r.H > m.Y+m.H+0.005 || r.W < 0.05 || r.W > 0.4 {
					t.Errorf("rotated %d: found at %+v, want in %+v", rotate, r, m)
				}
			}
		}
		if !found {
			t.Errorf("rotated %d: not found in %+v", rotate, runs)
		}
	}
}
