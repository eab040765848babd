package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	_ "image/gif" // decoded by PicturesToPDF
	"image/jpeg"
	"image/png"
	"math"
	"slices"

	_ "golang.org/x/image/bmp"
	"golang.org/x/image/draw"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// maxImagePixels is how large a picture may be that becomes a page: 40 million pixels, 160 MB decoded.
const maxImagePixels = 40_000_000

// maxEmbeddedPixels is how large a picture is embedded, about A4 at 400 dots to the inch; PDFium has to hold it
// when it draws the page.
const maxEmbeddedPixels = 16_000_000

// Limits of a signature's picture.
const (
	maxSignatureBytes  = 2 << 20
	maxSignatureWidth  = 4000
	maxSignatureHeight = 2000
)

// pictureSet decodes each image of a document once.
type pictureSet map[[sha256.Size]byte]*picture

// get gives the picture for a PNG that is shown w points wide.
func (p pictureSet) get(data []byte, w float64) (*picture, error) {
	key := sha256.Sum256(fmt.Appendf(data[:len(data):len(data)], "%.0f", w))
	if pic, ok := p[key]; ok {
		return pic, nil
	}
	pixels, err := decodePNG(data, maxSignatureWidth*maxSignatureHeight)
	if err != nil {
		return nil, err
	}
	pic := &picture{pixels: shrink(pixels, w)}
	p[key] = pic
	return pic, nil
}

func decodePNG(data []byte, limit int) (*image.NRGBA, error) {
	cfg, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, refuse(KindBadImage, "This picture is not a PNG that can be read.", err)
	}
	if err := checkPixels(cfg, limit); err != nil {
		return nil, err
	}
	decoded, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, refuse(KindBadImage, "This picture is damaged.", err)
	}
	return straight(decoded), nil
}

func checkPixels(cfg image.Config, limit int) error {
	if cfg.Width <= 0 || cfg.Height <= 0 {
		return refuse(KindBadImage, "This picture is empty.", nil)
	}
	if cfg.Width > limit/cfg.Height {
		return refuse(KindTooLarge, fmt.Sprintf("This picture has %d × %d pixels, which is too many.", cfg.Width, cfg.Height), nil)
	}
	return nil
}

// straight gives the picture with its alpha kept apart from its colours.
func straight(src image.Image) *image.NRGBA {
	if have, ok := src.(*image.NRGBA); ok && have.Rect.Min == (image.Point{}) {
		return have
	}
	if have, ok := src.(*image.RGBA); ok && have.Rect.Min == (image.Point{}) && have.Opaque() {
		return (*image.NRGBA)(have) // without transparency both are the same bytes
	}
	b := src.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	draw.Draw(out, out.Rect, src, b.Min, draw.Src)
	return out
}

// ImageToPDF is PicturesToPDF for who doesn't count.
func (e *Engine) ImageToPDF(ctx context.Context, data []byte) ([]byte, error) {
	pdf, _, err := e.PicturesToPDF(ctx, data)
	return pdf, err
}

// PicturesToPDF makes a PDF of a picture: PNG, JPEG, GIF, WebP (the first frame of both), TIFF (a page for each of its pages) or
// BMP, turned as its EXIF data says, with what is transparent on white. It has at most 40 million pixels a page, counted
// before anything is decoded, and 400 million in all.
//
// A picture that says how large it is on paper, between 5 and 45 cm a side, is a page of that size. Others stand on A4, upright
// or lying as the picture is, as large as it allows up to a margin of 1 cm. JPEGs up to 16 million pixels are kept as they
// are, other photographs become one.
func (e *Engine) PicturesToPDF(ctx context.Context, data []byte) (pdf []byte, pages int, err error) {
	if len(data) > e.cfg.MaxBytes {
		return nil, 0, refuse(KindTooLarge, fmt.Sprintf("This file is larger than %d MB.", e.cfg.MaxBytes>>20), nil)
	}
	limited, cancel := context.WithTimeoutCause(ctx, e.cfg.Deadline, ErrDeadline)
	defer cancel()
	out := newPictureBook()
	if err = out.read(limited, data); err == nil {
		pdf, err = out.finish()
	}
	if err != nil {
		return nil, 0, fmt.Errorf("image to PDF: %w", err)
	}
	return pdf, len(out.kids), nil
}

// ImageFormat names the kind of picture that data begins like, "" for none. Not all that have a name can be read.
func ImageFormat(data []byte) string {
	for _, f := range []struct {
		at          int
		magic, name string
	}{
		{0, "\x89PNG\r\n\x1a\n", "PNG"},
		{0, "\xff\xd8\xff", "JPEG"},
		{0, "GIF8", "GIF"},
		{8, "WEBP", "WebP"},
		{0, "II*\x00", "TIFF"},
		{0, "MM\x00*", "TIFF"},
		{0, "II+\x00", "BigTIFF"},
		{0, "MM\x00+", "BigTIFF"},
		{4, "ftypavif", "AVIF"},
		{4, "ftypavis", "AVIF"},
		{4, "ftyphei", "HEIC"},
		{4, "ftyphev", "HEIC"},
		{4, "ftypmif1", "HEIC"},
		{4, "ftypmsf1", "HEIC"},
		{0, "\xff\x0a", "JPEG XL"},
		{0, "\x00\x00\x00\x0cJXL ", "JPEG XL"},
		{0, "\x00\x00\x00\x0cjP  ", "JPEG 2000"},
		{0, "8BPS", "Photoshop"},
		{0, "BM", "BMP"},
	} {
		if len(data) >= f.at+len(f.magic) && string(data[f.at:f.at+len(f.magic)]) == f.magic {
			return f.name
		}
	}
	if looksLikeSVG(data) && bytes.Contains(bytes.ToLower(data[:min(len(data), 1024)]), []byte("<svg")) {
		return "SVG"
	}
	return ""
}

// unreadable are the formats that are known and not read.
var unreadable = []string{"SVG", "HEIC", "AVIF", "JPEG XL", "JPEG 2000", "Photoshop", "BigTIFF"}

// openPicture checks a picture of one page before it is decoded.
func openPicture(data []byte) (image.Config, error) {
	if len(data) == 0 {
		return image.Config{}, refuse(KindEmpty, "This file is empty.", nil)
	}
	name := ImageFormat(data)
	if name == "" && looksLikeSVG(data) {
		name = "SVG"
	}
	if slices.Contains(unreadable, name) {
		return image.Config{}, refuse(KindUnsupported, name+" pictures can't be used. Save it as JPEG, PNG or PDF and upload that.", nil)
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return cfg, refuse(KindBadImage, "This file is neither a PDF nor a picture that can be read (PNG, JPEG, GIF, WebP, TIFF or BMP).", err)
	}
	return cfg, checkPixels(cfg, maxImagePixels)
}

// readPicture reads a picture of one page, made fit to be embedded.
func readPicture(data []byte) (*picture, image.Point, error) {
	cfg, err := openPicture(data)
	if err != nil {
		return nil, image.Point{}, err
	}
	size := image.Pt(cfg.Width, cfg.Height)
	decoded, format, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, size, refuse(KindBadImage, "This picture is damaged, or stored in a way that can't be read. Open it, save it as JPEG or PDF and upload that.", err)
	}
	if _, cmyk := decoded.(*image.CMYK); format == "jpeg" && !cmyk && size.X*size.Y <= maxEmbeddedPixels {
		return &picture{jpeg: data}, size, nil
	}
	pic, err := compact(onWhite(decoded))
	return pic, size, err
}

// onWhite gives the picture as it looks on paper.
func onWhite(src image.Image) *image.NRGBA {
	b := src.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	opaque, can := src.(interface{ Opaque() bool })
	if can && opaque.Opaque() {
		draw.Draw(out, out.Rect, src, b.Min, draw.Src)
	} else {
		draw.Draw(out, out.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(out, out.Rect, src, b.Min, draw.Over)
	}
	return (*image.NRGBA)(out) // without transparency both are the same bytes
}

// compact makes a picture without transparency fit to be embedded: not larger than a page needs at 400 dots to the inch, few
// colours as a palette, and a JPEG when it is a photograph.
func compact(pixels *image.NRGBA) (*picture, error) {
	if n := pixels.Rect.Dx() * pixels.Rect.Dy(); n > maxEmbeddedPixels {
		shrinkBy := math.Sqrt(float64(n) / maxEmbeddedPixels)
		pixels = shrink(pixels, float64(pixels.Rect.Dx())/shrinkBy*72/400)
	}
	if few := fewColors((*image.RGBA)(pixels)); few != nil {
		return &picture{few: few}, nil
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, pixels, &jpeg.Options{Quality: 90}); err != nil {
		return nil, fmt.Errorf("encode JPEG: %w", err)
	}
	return &picture{jpeg: buf.Bytes()}, nil
}

// putPalette writes a picture of few colours as an image of indices (ISO 32000-2, 8.6.6.3), one bit each for two colours.
func (d *drawing) putPalette(ref pdfRef, pic *image.Paletted) {
	w, h := pic.Rect.Dx(), pic.Rect.Dy()
	bits, rows := 8, pic.Pix
	if len(pic.Palette) <= 2 {
		bits, rows = 1, make([]byte, h*((w+7)/8))
		for y := range h {
			for x := range w {
				rows[y*((w+7)/8)+x/8] |= pic.Pix[y*pic.Stride+x] << (7 - x%8)
			}
		}
	}
	var table []byte
	for _, c := range pic.Palette {
		r, g, b, _ := c.RGBA()
		table = append(table, byte(r>>8), byte(g>>8), byte(b>>8))
	}
	dict := imageDict(w, h, "DeviceRGB")
	dict.set("ColorSpace", pdfArray{pdfName("Indexed"), pdfName("DeviceRGB"), pdfInt(len(pic.Palette) - 1), pdfString{val: table}})
	dict.set("BitsPerComponent", pdfInt(bits))
	d.rev.put(ref, d.rev.packed(dict, rows))
}

func looksLikeSVG(data []byte) bool {
	head := bytes.ToLower(data[:min(len(data), 1024)])
	return bytes.Contains(head, []byte("<svg")) || bytes.HasPrefix(bytes.TrimLeft(head, "\xef\xbb\xbf \r\n\t"), []byte("<?xml"))
}

const (
	a4Width, a4Height = 595.276, 841.890
	centimetre        = 72 / 2.54
)

// pictureBook is a PDF in the making whose pages are pictures. Each picture is written as soon as it is read.
type pictureBook struct {
	d      *drawing
	root   pdfRef
	tree   pdfRef
	kids   pdfArray
	pixels int
}

// Bounds of a picture with many pages.
const (
	maxPicturePages = 500
	maxAllPixels    = 400_000_000
)

func newPictureBook() *pictureBook {
	rev, root := newPDF()
	glyphs := newGlyphSet() // nothing is written
	b := &pictureBook{d: newDrawing(rev, &glyphs), root: root}
	b.tree = rev.alloc()
	return b
}

// read adds a page for each page of a picture.
func (b *pictureBook) read(ctx context.Context, data []byte) error {
	if ImageFormat(data) == "TIFF" {
		return b.readTIFF(ctx, data)
	}
	pic, size, err := readPicture(data)
	if err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	x, y := resolution(data)
	return b.add(pic, size, exifOrientation(data), x, y)
}

// add adds a page with a picture of so many pixels, to be turned, and of so many dots to the inch; 0 is unknown.
func (b *pictureBook) add(pic *picture, size image.Point, turn orientation, dotsX, dotsY float64) error {
	w, h := float64(size.X), float64(size.Y)
	paper := dotsX > 0 && dotsY > 0
	if paper {
		w, h = w*72/dotsX, h*72/dotsY
	}
	if turn.swaps() {
		w, h = h, w
	}
	pageW, pageH := w, h
	if !paper || min(w, h) < 5*centimetre || max(w, h) > 45*centimetre {
		pageW, pageH = a4Width, a4Height
		if w > h {
			pageW, pageH = pageH, pageW
		}
		scale := min((pageW-2*centimetre)/w, (pageH-2*centimetre)/h)
		if !paper {
			scale = min(scale, 1.0)
		}
		w, h = w*scale, h*scale
	}
	sh := &sheet{}
	place := matrix{w, 0, 0, h, (pageW - w) / 2, (pageH - h) / 2}.after(turn.matrix())
	sh.add(func(c *canvas) { c.image(pic, place) })
	page, err := b.d.newPage(b.tree, pageW, pageH, sh)
	if err != nil {
		return err
	}
	b.kids = append(b.kids, page)
	delete(b.d.pictures, pic) // it is written
	return nil
}

func (b *pictureBook) finish() ([]byte, error) {
	if len(b.kids) == 0 {
		return nil, refuse(KindBadImage, "This picture has no pages.", nil)
	}
	b.d.rev.put(b.tree, dictOf("Type", pdfName("Pages"), "Kids", b.kids, "Count", pdfInt(len(b.kids))))
	b.d.rev.put(b.root, dictOf("Type", pdfName("Catalog"), "Pages", b.tree))
	return b.d.rev.finish(), nil
}
