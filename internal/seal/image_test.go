package seal

import (
	"bytes"
	"encoding/binary"
	"image"
	stdcolor "image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// corners is a picture whose top left quarter is red and whose rest is blue.
func corners(w, h int) *image.NRGBA {
	pic := filled(w, h, stdcolor.NRGBA{0, 0, 255, 255})
	draw.Draw(pic, image.Rect(0, 0, w/2, h/2), image.NewUniform(stdcolor.NRGBA{255, 0, 0, 255}), image.Point{}, draw.Src)
	return pic
}

func encodeJPEG(pic image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, pic, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// withOrientation puts an EXIF segment that says how to turn the picture into a JPEG.
func withOrientation(data []byte, o int) []byte {
	tiffBytes := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00")
	binary.BigEndian.PutUint16(tiffBytes[18:], uint16(o))
	body := append([]byte("Exif\x00\x00"), tiffBytes...)
	segment := binary.BigEndian.AppendUint16([]byte{0xFF, 0xE1}, uint16(len(body)+2))
	segment = append(segment, body...)
	return append(append(bytes.Clone(data[:2]), segment...), data[2:]...)
}

// TestImageToPDF reads each format and finds the picture upright on its page.
func TestImageToPDF(t *testing.T) {
	t.Parallel()
	pic := corners(120, 60)
	var asGIF, asBMP, asTIFF bytes.Buffer
	for _, err := range []error{gif.Encode(&asGIF, pic, nil), bmp.Encode(&asBMP, pic), tiff.Encode(&asTIFF, pic, nil)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	// Where the red quarter is after turning, as fractions of the picture, for a stored picture of 120 × 60.
	topLeft, topRight := [2]float64{0.25, 0.25}, [2]float64{0.75, 0.25}
	bottomLeft, bottomRight := [2]float64{0.25, 0.75}, [2]float64{0.75, 0.75}
	for _, tc := range []struct {
		name   string
		data   []byte
		red    [2]float64
		turned bool
	}{
		{"PNG", encodePNG(pic), topLeft, false},
		{"GIF", asGIF.Bytes(), topLeft, false},
		{"BMP", asBMP.Bytes(), topLeft, false},
		{"TIFF", asTIFF.Bytes(), topLeft, false},
		{"JPEG", encodeJPEG(pic), topLeft, false},
		{"JPEG 2", withOrientation(encodeJPEG(pic), 2), topRight, false},
		{"JPEG 3", withOrientation(encodeJPEG(pic), 3), bottomRight, false},
		{"JPEG 4", withOrientation(encodeJPEG(pic), 4), bottomLeft, false},
		{"JPEG 5", withOrientation(encodeJPEG(pic), 5), topLeft, true},
		{"JPEG 6", withOrientation(encodeJPEG(pic), 6), topRight, true},
		{"JPEG 7", withOrientation(encodeJPEG(pic), 7), bottomRight, true},
		{"JPEG 8", withOrientation(encodeJPEG(pic), 8), bottomLeft, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			pdf, err := pdfEngine().ImageToPDF(t.Context(), tc.data)
			if err != nil {
				t.Fatal(err)
			}
			toolSays(t, pdf, "qpdf", "--check")
			img := pixelsOf(t, pdf, 600)
			if upright := img.Bounds().Dy() > img.Bounds().Dx(); upright != tc.turned {
				t.Errorf("the page is %v", img.Bounds())
			}
			ink := inkBox(img)
			red := redBox(img)
			want := image.Pt(ink.Min.X+int(tc.red[0]*float64(ink.Dx())), ink.Min.Y+int(tc.red[1]*float64(ink.Dy())))
			if !want.In(red) || red.Dx() > ink.Dx()*6/10 || red.Dy() > ink.Dy()*6/10 {
				t.Errorf("red is at %v of %v, want it around %v", red, ink, want)
			}
		})
	}
}

// inkBox is where a picture is not white.
func inkBox(img image.Image) image.Rectangle {
	var box image.Rectangle
	b := img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			if r, g, bl, _ := img.At(x, y).RGBA(); min(r, g, bl) < 0xC000 {
				box = box.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return box
}

// TestImageToPDFLarge takes photographs near the limit and keeps them drawable and small.
func TestImageToPDFLarge(t *testing.T) {
	t.Parallel()
	noisy := image.NewNRGBA(image.Rect(0, 0, 5400, 4000))
	for i := range noisy.Pix {
		noisy.Pix[i] = byte(i * i >> 7)
		if i%4 == 3 {
			noisy.Pix[i] = 255
		}
	}
	for name, data := range map[string][]byte{"JPEG": withOrientation(encodeJPEG(noisy), 6), "BMP": asBMP(t, noisy)} {
		pdf, err := pdfEngine().ImageToPDF(t.Context(), data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		img := pixelsOf(t, pdf, 200)
		if upright := img.Bounds().Dy() > img.Bounds().Dx(); upright != (name == "JPEG") {
			t.Errorf("%s: the page is %v", name, img.Bounds())
		}
		if inkBox(img).Empty() {
			t.Errorf("%s: nothing shows", name)
		}
		if len(pdf) > len(data) {
			t.Errorf("%s: %d bytes became %d", name, len(data), len(pdf))
		}
	}
}

func asBMP(t testing.TB, pic image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := bmp.Encode(&b, pic); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestImageToPDFRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		data []byte
		kind string
	}{
		"nothing":     {nil, KindEmpty},
		"text":        {[]byte("hello"), KindBadImage},
		"SVG":         {[]byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), KindUnsupported},
		"SVG as XML":  {[]byte("\xef\xbb\xbf<?xml version=\"1.0\"?><svg/>"), KindUnsupported},
		"a bomb":      {hugePNG(), KindTooLarge},
		"a cut PNG":   {testPNG(200, 200)[:200], KindBadImage},
		"a cut JPEG":  {encodeJPEG(corners(200, 200))[:600], KindBadImage},
		"half a TIFF": {[]byte("II*\x00\x08\x00\x00\x00"), KindBadImage},
	} {
		if _, err := pdfEngine().ImageToPDF(t.Context(), tc.data); kindOf(err) != tc.kind {
			t.Errorf("%s: %v, want %s", name, err, tc.kind)
		}
	}
}

func TestReadSignatureImage(t *testing.T) {
	t.Parallel()
	drawn := image.NewNRGBA(image.Rect(0, 0, 400, 200))
	draw.Draw(drawn, image.Rect(100, 80, 300, 120), image.NewUniform(stdcolor.NRGBA{10, 20, 90, 255}), image.Point{}, draw.Src)
	onPaper := filled(400, 200, stdcolor.NRGBA{205, 203, 198, 255})
	draw.Draw(onPaper, image.Rect(100, 80, 300, 120), image.NewUniform(stdcolor.NRGBA{10, 20, 90, 255}), image.Point{}, draw.Src)
	for name, data := range map[string][]byte{
		"drawn":              encodePNG(drawn),
		"a photo":            encodeJPEG(onPaper),
		"a scan":             encodePNG(onPaper),
		"a photo, on a side": withOrientation(encodeJPEG(onPaper), 3),
	} {
		out, err := ReadSignatureImage(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		pic, err := decodePNG(out, 1<<20)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if w, h := pic.Rect.Dx(), pic.Rect.Dy(); w < 200 || w > 212 || h < 40 || h > 52 {
			t.Errorf("%s: trimmed to %d × %d, want about 204 × 44", name, w, h)
		}
		middle, corner := pic.NRGBAAt(pic.Rect.Dx()/2, pic.Rect.Dy()/2), pic.NRGBAAt(0, 0)
		if middle.A < 180 || middle.B < middle.R+30 || corner.A > 10 {
			t.Errorf("%s: ink is %v, paper %v", name, middle, corner)
		}
	}
}

func TestReadSignatureImageRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		data []byte
		kind string
	}{
		"nothing":           {nil, KindEmpty},
		"SVG":               {[]byte("<svg></svg>"), KindUnsupported},
		"a PDF":             {threePages(t), KindBadImage},
		"too wide":          {testPNG(4001, 10), KindTooLarge},
		"too high":          {testPNG(10, 2001), KindTooLarge},
		"a bomb":            {hugePNG(), KindTooLarge},
		"too many bytes":    {append(testPNG(10, 10), make([]byte, 2<<20)...), KindTooLarge},
		"transparent":       {encodePNG(image.NewNRGBA(image.Rect(0, 0, 100, 50))), KindBlank},
		"white":             {encodePNG(filled(100, 50, stdcolor.White)), KindBlank},
		"white paper":       {encodeJPEG(filled(100, 50, stdcolor.NRGBA{200, 200, 200, 255})), KindBlank},
		"white on no paper": {encodePNG(filled(100, 50, stdcolor.NRGBA{255, 255, 255, 200})), KindBlank},
		"cut":               {encodePNG(corners(100, 100))[:90], KindBadImage},
	} {
		if _, err := ReadSignatureImage(tc.data); kindOf(err) != tc.kind {
			t.Errorf("%s: %v, want %s", name, err, tc.kind)
		}
	}
}

func TestRenderTypedSignature(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Ada Lovelace", "Έλλη Παππά", "Иван Петров", "王小明", "محمد", "Ŵ"} {
		data, err := pdfEngine().RenderTypedSignature(name, "caveat")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		pic, err := decodePNG(data, 1<<24)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if pic.Opaque() || pic.Rect.Dy() < 60 || pic.Rect.Dy() > 500 {
			t.Errorf("%s: %v, opaque %v", name, pic.Rect, pic.Opaque())
		}
		if _, err := ReadSignatureImage(data); err != nil {
			t.Errorf("%s is not taken as a signature: %v", name, err)
		}
	}
	if _, err := pdfEngine().RenderTypedSignature(" \n\t ", ""); kindOf(err) != KindBlank {
		t.Errorf("blank: %v", err)
	}
}

func FuzzExifOrientation(f *testing.F) {
	f.Add(withOrientation(encodeJPEG(corners(8, 8)), 6))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := exifOrientation(data); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}
