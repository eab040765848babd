package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // decoded by ImageToPDF
	"image/jpeg"
	"image/png"
	"math"

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

// ImageToPDF makes a one-page PDF of a picture: PNG, JPEG (turned as its EXIF data says), GIF, WebP, TIFF or
// BMP, with at most 40 million pixels, counted before anything is decoded. The page is A4, upright or lying as
// the picture is, and the picture fills it up to a margin of 1 cm. JPEGs up to 16 million pixels are kept as they are, other
// photographs become one.
func (e *Engine) ImageToPDF(ctx context.Context, data []byte) ([]byte, error) {
	if len(data) > e.cfg.MaxBytes {
		return nil, refuse(KindTooLarge, fmt.Sprintf("This file is larger than %d MB.", e.cfg.MaxBytes>>20), nil)
	}
	pic, size, turn, err := readPicture(data)
	if err != nil {
		return nil, fmt.Errorf("image to PDF: %w", err)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, fmt.Errorf("image to PDF: %w", err)
	}
	out, err := imagePage(pic, size, turn)
	if err != nil {
		return nil, fmt.Errorf("image to PDF: %w", err)
	}
	return out, nil
}

func readPicture(data []byte) (*picture, image.Point, orientation, error) {
	if len(data) == 0 {
		return nil, image.Point{}, 1, refuse(KindEmpty, "This file is empty.", nil)
	}
	if looksLikeSVG(data) {
		return nil, image.Point{}, 1, refuse(KindUnsupported, "SVG pictures can't be used. Save it as PNG or PDF and upload that.", nil)
	}
	cfg, format, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, image.Point{}, 1, refuse(KindBadImage, "This file is neither a PDF nor a picture that can be read (PNG, JPEG, GIF, WebP, TIFF or BMP).", err)
	}
	if err := checkPixels(cfg, maxImagePixels); err != nil {
		return nil, image.Point{}, 1, err
	}
	size := image.Pt(cfg.Width, cfg.Height)
	decoded, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, image.Point{}, 1, refuse(KindBadImage, "This picture is damaged.", err)
	}
	if _, cmyk := decoded.(*image.CMYK); format == "jpeg" && !cmyk && size.X*size.Y <= maxEmbeddedPixels {
		return &picture{jpeg: data}, size, exifOrientation(data), nil
	}
	pic, err := compact(straight(decoded))
	return pic, size, exifOrientation(data), err
}

// compact makes a picture fit to be embedded: not larger than a page needs at 400 dots to the inch, and a JPEG
// when it is a photograph, because PDFium would compress it without loss, to many times the size.
func compact(pixels *image.NRGBA) (*picture, error) {
	if n := pixels.Rect.Dx() * pixels.Rect.Dy(); n > maxEmbeddedPixels {
		shrinkBy := math.Sqrt(float64(n) / maxEmbeddedPixels)
		pixels = shrink(pixels, float64(pixels.Rect.Dx())/shrinkBy*72/400)
	}
	if !pixels.Opaque() || fewColors((*image.RGBA)(pixels)) != nil { // without transparency both are the same bytes
		return &picture{pixels: pixels}, nil
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, pixels, &jpeg.Options{Quality: 90}); err != nil {
		return nil, fmt.Errorf("encode JPEG: %w", err)
	}
	return &picture{jpeg: buf.Bytes()}, nil
}

func looksLikeSVG(data []byte) bool {
	head := bytes.ToLower(data[:min(len(data), 1024)])
	return bytes.Contains(head, []byte("<svg")) || bytes.HasPrefix(bytes.TrimLeft(head, "\xef\xbb\xbf \r\n\t"), []byte("<?xml"))
}

const (
	a4Width, a4Height = 595.276, 841.890
	centimetre        = 72 / 2.54
)

func imagePage(pic *picture, size image.Point, turn orientation) ([]byte, error) {
	w, h := float64(size.X), float64(size.Y)
	if turn.swaps() {
		w, h = h, w
	}
	pageW, pageH := a4Width, a4Height
	if w > h {
		pageW, pageH = pageH, pageW
	}
	scale := min((pageW-2*centimetre)/w, (pageH-2*centimetre)/h, 1.0)
	w, h = w*scale, h*scale
	sh := &sheet{}
	place := matrix{w, 0, 0, h, (pageW - w) / 2, (pageH - h) / 2}.after(turn.matrix())
	sh.add(func(c *canvas) { c.image(pic, place) })
	t := typesetter{glyphs: newGlyphSet()} // nothing is written
	return newDocument(&t, []*sheet{sh}, pageW, pageH)
}

// IsImage says whether data looks like a picture that ImageToPDF may be able to read.
func IsImage(data []byte) bool {
	_, _, err := image.DecodeConfig(bytes.NewReader(data))
	return err == nil || !errors.Is(err, image.ErrFormat)
}
