package seal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"strings"
	"testing"
)

// penned is a signature as a pad records it: a wave, a dot above it and a short line through it.
func penned() []byte {
	var wave [][4]float64
	for i := range 60 {
		x := float64(i) * 5
		wave = append(wave, [4]float64{20 + x, 90 + 40*math.Sin(x/22), 0.5, float64(i) * (8 + 4*math.Sin(x/50))})
	}
	s := Strokes{[][][4]float64{wave, {{150, 20, 0.5, 900}}, {{40, 140, 0.5, 1000}, {300, 128, 0.5, 1100}}}}
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return b
}

// TestReadStrokes keeps what the pen did and nothing else, and draws it.
func TestReadStrokes(t *testing.T) {
	t.Parallel()
	sent := bytes.Replace(penned(), []byte(`{"strokes"`), []byte(`{"more": [1, 2], "strokes"`), 1)
	sent = bytes.Replace(sent, []byte(`[20,90,`), []byte(`[20.00123,90.0001,`), 1)
	kept, png, err := ReadStrokes(sent)
	if err != nil {
		t.Fatal(err)
	}
	again, samePNG, err := ReadStrokes(kept)
	if err != nil || !bytes.Equal(again, kept) || !bytes.Equal(samePNG, png) {
		t.Errorf("what is kept reads as something else: %v", err)
	}
	if bytes.Contains(kept, []byte("more")) || bytes.Contains(kept, []byte("00123")) {
		t.Errorf("kept: %s", kept)
	}
	pic, err := decodePNG(png, 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	if w, h := pic.Rect.Dx(), pic.Rect.Dy(); w < 1000 || w > 1220 || h > 500 || h < 380 {
		t.Errorf("the picture is %v", pic.Rect)
	}
	if _, err := ReadSignatureImage(png); err != nil {
		t.Errorf("the picture is not taken as a signature: %v", err)
	}
}

func TestReadStrokesRefuses(t *testing.T) {
	t.Parallel()
	many := `{"strokes":[[` + strings.Repeat("[1,1,0,0],", maxPenPoints) + `[1,1,0,0]]]}`
	for name, tc := range map[string]struct{ data, kind string }{
		"nothing":            {"", KindBadImage},
		"no JSON":            {"<svg>", KindBadImage},
		"another shape":      {`{"strokes":{"x":1}}`, KindBadImage},
		"words":              {`{"strokes":[[["a","b",0,0]]]}`, KindBadImage},
		"no strokes":         {`{"strokes":[]}`, KindBlank},
		"null":               {`{"strokes":null}`, KindBlank},
		"empty strokes":      {`{"strokes":[[],[]]}`, KindBlank},
		"three numbers":      {`{"strokes":[[[1,2,3]]]}`, KindBadImage},
		"five numbers":       {`{"strokes":[[[1,2,0,0,0]]]}`, KindBadImage},
		"far away":           {`{"strokes":[[[1e9,2,0,0]]]}`, KindBadImage},
		"beyond all numbers": {`{"strokes":[[[1e999,2,0,0]]]}`, KindBadImage},
		"too much pressure":  {`{"strokes":[[[1,2,7,0]]]}`, KindBadImage},
		"before the start":   {`{"strokes":[[[1,2,0,-5]]]}`, KindBadImage},
		"too many strokes":   {`{"strokes":[` + strings.Repeat("[[1,1,0,0]],", maxStrokes) + `[[1,1,0,0]]]}`, KindTooLarge},
		"too many points":    {many, KindTooLarge},
		"too many bytes":     {`{"strokes":[]}` + strings.Repeat(" ", maxStrokesBytes), KindTooLarge},
	} {
		if _, _, err := ReadStrokes([]byte(tc.data)); kindOf(err) != tc.kind {
			t.Errorf("%s: %v, want %s", name, err, tc.kind)
		}
	}
}

// TestStrokesAnyWay draws what pens do at odd moments: stand still, go back in time, turn on the spot.
func TestStrokesAnyWay(t *testing.T) {
	t.Parallel()
	for _, strokes := range []string{
		`[[5,5,0.5,0]]`,
		`[[5,5,0.5,0],[5,5,0.5,0]]`,
		`[[5,5,0.5,0],[5,5,0.5,0],[5,5,0.5,0]]`,
		`[[5,5,0.5,9],[50,5,0.5,3],[5,5,0.5,3],[50,5,0.5,3]]`,
		`[[0,0,0.5,0],[90,0,0.5,9],[0,0.01,0.5,20],[90,0.02,0.5,30],[0,0,0.5,40]]`,
		`[[-20000,-20000,0,0],[20000,20000,1,1],[-20000,20000,1,2]]`,
	} {
		kept, _, err := ReadStrokes([]byte(`{"strokes":[` + strokes + `]}`))
		if err != nil {
			t.Errorf("%s: %v", strokes, err)
			continue
		}
		out, err := pdfEngine().Stamp(t.Context(), bombPage("", "", "[0 0 612 792]"), []Mark{{X: 0.1, Y: 0.1, W: 0.3, H: 0.1, Kind: MarkStrokes, Strokes: kept}})
		if err != nil {
			t.Errorf("%s: %v", strokes, err)
			continue
		}
		toolSays(t, out, "qpdf", "--check")
		if inkBox(popplerPixels(t, out)).Empty() {
			t.Errorf("%s: nothing shows", strokes)
		}
	}
}

// FuzzReadStrokes: whatever is taken can be drawn and is taken again.
func FuzzReadStrokes(f *testing.F) {
	f.Add(penned())
	f.Add([]byte(`{"strokes":[[[5,5,0.5,9],[50,5,0.5,3],[5,5,0.5,3],[50,5,0.5,3]]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		kept, _, err := ReadStrokes(data)
		if err != nil {
			return
		}
		s, err := parseStrokes(kept)
		if err != nil {
			t.Fatalf("%s is kept and not taken: %v", kept, err)
		}
		for _, thinnest := range []float64{0, 1, 1000} {
			for _, step := range s.outline(thinnest) {
				for _, v := range step.points {
					if math.IsNaN(v.x+v.y) || math.IsInf(v.x+v.y, 0) {
						t.Fatalf("%s draws to %v", kept, v)
					}
				}
			}
		}
	})
}

// TestSignaturesAreOutlines finds no picture in a file with drawn and typed signatures, but their ink, text and captions.
func TestSignaturesAreOutlines(t *testing.T) {
	t.Parallel()
	kept, png, err := ReadStrokes(penned())
	if err != nil {
		t.Fatal(err)
	}
	for _, face := range []string{"dancing-script", "caveat", "great-vibes", ""} {
		marks := []Mark{
			{X: 0.1, Y: 0.1, W: 0.35, H: 0.1, Kind: MarkStrokes, Strokes: kept, Caption: "Ada Lovelace\n2026-03-14 15:09 UTC · 5a3b1e00"},
			{X: 0.55, Y: 0.1, W: 0.35, H: 0.1, Kind: MarkTyped, Text: "Grace Hopper", Face: face, Caption: "Grace Hopper\n2026-03-14 15:12 UTC · 5a3b1e01"},
			{X: 0.1, Y: 0.4, W: 0.2, H: 0.02, Kind: MarkTyped, Text: "GH", Face: face, Caption: "no room for this"},
		}
		out, err := pdfEngine().Stamp(t.Context(), bombPage("", "", "[0 0 612 792]"), marks)
		if err != nil {
			t.Fatal(err)
		}
		toolSays(t, out, "qpdf", "--check")
		if list := strings.Split(strings.TrimSpace(toolSays(t, out, "pdfimages", "-list")), "\n"); len(list) > 2 {
			t.Errorf("%q: there are pictures: %q", face, list)
		}
		text := foundText(t, out)
		for _, want := range []string{"Grace Hopper", "Ada Lovelace", "2026-03-14 15:09 UTC · 5a3b1e00", "5a3b1e01", "GH"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q: %q is missing in %q", face, want, text)
			}
		}
		if strings.Contains(text, "no room") {
			t.Errorf("%q: a low box has a caption", face)
		}
		checkInkInside(t, fmt.Sprintf("face %q", face), popplerPixels(t, out), marks)
		if !bytes.Contains(toolWrites(t, out, "pdftocairo", "-svg"), []byte("<path")) {
			t.Errorf("%q: no paths", face)
		}
	}
	// The picture of the strokes shows what the outlines show.
	drawn := func(m Mark) image.Rectangle {
		m.X, m.Y, m.W, m.H = 0.1, 0.1, 0.8, 0.4
		out, err := pdfEngine().Stamp(t.Context(), bombPage("", "", "[0 0 612 792]"), []Mark{m})
		if err != nil {
			t.Fatal(err)
		}
		return inkBox(popplerPixels(t, out))
	}
	a, b := drawn(Mark{Kind: MarkStrokes, Strokes: kept}), drawn(Mark{Kind: MarkImage, Image: png})
	if d := a.Min.Sub(b.Min); max(d.X, d.Y, -d.X, -d.Y) > 6 || a.Dx()-b.Dx() > 12 || b.Dx()-a.Dx() > 12 {
		t.Errorf("the outlines are at %v, the picture at %v", a, b)
	}
}

// checkInkInside finds ink in each mark's box and none outside of all.
func checkInkInside(t *testing.T, who string, img image.Image, marks []Mark) {
	t.Helper()
	w, h := float64(img.Bounds().Dx()), float64(img.Bounds().Dy())
	found := make([]int, len(marks))
	strays, first := 0, image.Point{}
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if r, g, b, _ := img.At(x, y).RGBA(); min(r, g, b) > 0xC000 {
				continue
			}
			at := -1
			for i, m := range marks {
				const slack = 1.5 // pixels, of smoothing
				if float64(x) > m.X*w-slack && float64(x) < (m.X+m.W)*w+slack && float64(y) > m.Y*h-slack && float64(y) < (m.Y+m.H)*h+slack {
					at = i
				}
			}
			if at >= 0 {
				found[at]++
			} else if strays++; strays == 1 {
				first = image.Pt(x, y)
			}
		}
	}
	if strays > 0 {
		t.Errorf("%s: %d dark pixels outside of the boxes, the first at %v of %v", who, strays, first, img.Bounds())
	}
	for i, n := range found {
		if n < 4 {
			t.Errorf("%s: mark %d, %s, does not show: %d dark pixels", who, i, marks[i].Kind, n)
		}
	}
}
