package seal

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"math"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// Picture is a page drawn.
type Picture struct {
	Data          []byte
	ContentType   string // image/png or image/jpeg, whichever suits the page
	Width, Height int    // pixels
}

// Widths that RenderPage draws, in pixels, and how many pixels a picture may have in all.
const (
	MinRenderWidth = 50
	MaxRenderWidth = 3000
	maxPixels      = 12 << 20
	maxHeight      = 20_000
)

// RenderPage draws a page (from 0) at a width in pixels; widths outside 50 to 3000 are brought inside. Very long
// pages come out narrower, so that no picture has more than 12 million pixels. Form fields and annotations are shown.
func (e *Engine) RenderPage(ctx context.Context, pdf []byte, page, width int) (Picture, error) {
	if err := e.checkBytes(pdf); err != nil {
		return Picture{}, err
	}
	var pic *image.RGBA
	err := e.with(ctx, func(s *session) error {
		doc, err := s.open(pdf)
		if err != nil {
			return err
		}
		if err := s.checkPage(doc, page); err != nil {
			return err
		}
		pic, err = s.render(doc, page, width)
		return err
	})
	if err != nil {
		return Picture{}, fmt.Errorf("render page %d: %w", page+1, err)
	}
	return encode(pic)
}

func (s *session) checkPage(doc references.FPDF_DOCUMENT, page int) error {
	n, err := s.pageCount(doc)
	if err != nil {
		return err
	}
	if page < 0 || page >= n {
		return refuse(KindBadMark, fmt.Sprintf("There is no page %d; the document has %d.", page+1, n), nil)
	}
	return nil
}

func pixelSize(w, h float64, width int) (int, int) {
	width = max(MinRenderWidth, min(width, MaxRenderWidth))
	height := float64(width) * h / w
	if total := float64(width) * height; total > maxPixels {
		scale := math.Sqrt(maxPixels / total)
		return max(1, int(float64(width)*scale)), max(1, min(int(height*scale), maxHeight))
	}
	if height > maxHeight {
		return max(1, int(float64(width)*maxHeight/height)), maxHeight
	}
	return width, max(1, int(math.Round(height)))
}

func (s *session) render(doc references.FPDF_DOCUMENT, index, width int) (*image.RGBA, error) {
	form := s.form(doc)
	page, err := s.page(doc, index)
	if err != nil {
		return nil, damagedPage(index, err)
	}
	defer s.closePage(page)
	shape, err := s.pageShape(page)
	if err != nil {
		return nil, err
	}
	if shape.width < minSide || shape.height < minSide {
		return nil, damagedPage(index, nil)
	}
	w, h := pixelSize(shape.width, shape.height, width)
	made, err := s.pdfium.FPDFBitmap_Create(&requests.FPDFBitmap_Create{Width: w, Height: h})
	if err != nil {
		return nil, fmt.Errorf("make bitmap: %w", err)
	}
	defer func() {
		_, _ = s.pdfium.FPDFBitmap_Destroy(&requests.FPDFBitmap_Destroy{Bitmap: made.Bitmap})
	}()
	if err := s.renderOn(made.Bitmap, page, form, w, h); err != nil {
		return nil, err
	}
	buf, err := s.pdfium.FPDFBitmap_GetBuffer(&requests.FPDFBitmap_GetBuffer{Bitmap: made.Bitmap})
	if err != nil {
		return nil, fmt.Errorf("read bitmap: %w", err)
	}
	return fromRGBX(buf.Buffer, w, h), nil
}

func damagedPage(index int, err error) error {
	if isCrash(err) {
		return err
	}
	return refuse(KindDamaged, fmt.Sprintf("Page %d of this PDF is damaged and can't be shown.", index+1), err)
}

func (s *session) renderOn(bitmap references.FPDF_BITMAP, page references.FPDF_PAGE, form references.FPDF_FORMHANDLE, w, h int) error {
	if _, err := s.pdfium.FPDFBitmap_FillRect(&requests.FPDFBitmap_FillRect{Bitmap: bitmap, Width: w, Height: h, Color: 0xFFFFFFFF}); err != nil {
		return fmt.Errorf("clear bitmap: %w", err)
	}
	flags := enums.FPDF_RENDER_FLAG_ANNOT | enums.FPDF_RENDER_FLAG_REVERSE_BYTE_ORDER
	if _, err := s.pdfium.FPDF_RenderPageBitmap(&requests.FPDF_RenderPageBitmap{Bitmap: bitmap, Page: byRef(page), SizeX: w, SizeY: h, Flags: flags}); err != nil {
		return fmt.Errorf("draw page: %w", err)
	}
	if form == "" {
		return nil
	}
	if _, err := s.pdfium.FPDF_FFLDraw(&requests.FPDF_FFLDraw{FormHandle: form, Bitmap: bitmap, Page: byRef(page), SizeX: w, SizeY: h, Flags: flags}); err != nil {
		return fmt.Errorf("draw form fields: %w", err)
	}
	return nil
}

func fromRGBX(buf []byte, w, h int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	copy(out.Pix, buf)
	for i := 3; i < len(out.Pix); i += 4 {
		out.Pix[i] = 255
	}
	return out
}

// encode chooses the format by what is on the page: few colours make a small, sharp PNG; a photograph a JPEG.
func encode(pic *image.RGBA) (Picture, error) {
	out := Picture{Width: pic.Rect.Dx(), Height: pic.Rect.Dy()}
	var buf bytes.Buffer
	if palette := fewColors(pic); palette != nil {
		if err := (&png.Encoder{CompressionLevel: png.DefaultCompression}).Encode(&buf, palette); err != nil {
			return Picture{}, fmt.Errorf("encode PNG: %w", err)
		}
		out.Data, out.ContentType = buf.Bytes(), "image/png"
		return out, nil
	}
	if err := jpeg.Encode(&buf, pic, &jpeg.Options{Quality: 85}); err != nil {
		return Picture{}, fmt.Errorf("encode JPEG: %w", err)
	}
	out.Data, out.ContentType = buf.Bytes(), "image/jpeg"
	return out, nil
}
