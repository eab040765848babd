package seal

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// TextRun is a piece of a page's text that stands on one line, with its box.
type TextRun struct {
	Text       string
	X, Y, W, H float64 // fractions of the displayed page, origin top left
}

// maxLetters bounds the text of one page.
const maxLetters = 100_000

// PageText gives the text of a page (from 0), in the page's own order, for a layer to select and search in.
func (e *Engine) PageText(ctx context.Context, pdf []byte, page int) ([]TextRun, error) {
	if err := e.checkBytes(pdf); err != nil {
		return nil, err
	}
	var runs []TextRun
	err := e.with(ctx, func(s *session) error {
		doc, err := s.open(pdf)
		if err != nil {
			return err
		}
		if err := s.checkPage(doc, page); err != nil {
			return err
		}
		loaded, err := s.page(doc, page)
		if err != nil {
			return damagedPage(page, err)
		}
		runs, err = s.text(loaded)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("text of page %d: %w", page+1, err)
	}
	return runs, nil
}

func (s *session) text(page references.FPDF_PAGE) ([]TextRun, error) {
	shape, err := s.pageShape(page)
	if err != nil {
		return nil, err
	}
	loaded, err := s.pdfium.FPDFText_LoadPage(&requests.FPDFText_LoadPage{Page: byRef(page)})
	if err != nil {
		return nil, fmt.Errorf("load text: %w", err)
	}
	defer func() {
		_, _ = s.pdfium.FPDFText_ClosePage(&requests.FPDFText_ClosePage{TextPage: loaded.TextPage})
	}()
	count, err := s.pdfium.FPDFText_CountChars(&requests.FPDFText_CountChars{TextPage: loaded.TextPage})
	if err != nil {
		return nil, fmt.Errorf("count letters: %w", err)
	}
	c := collector{shape: shape}
	for i := range min(count.Count, maxLetters) {
		unit, err := s.pdfium.FPDFText_GetUnicode(&requests.FPDFText_GetUnicode{TextPage: loaded.TextPage, Index: i})
		if err != nil {
			return nil, fmt.Errorf("read letter: %w", err)
		}
		box, err := s.pdfium.FPDFText_GetLooseCharBox(&requests.FPDFText_GetLooseCharBox{TextPage: loaded.TextPage, Index: i})
		if isCrash(err) {
			return nil, err
		}
		if err != nil {
			c.letter(rune(unit.Unicode), nil)
			continue
		}
		c.letter(rune(unit.Unicode), shape.displayed(float64(box.Rect.Left), float64(box.Rect.Bottom), float64(box.Rect.Right), float64(box.Rect.Top)))
	}
	c.flush()
	return c.runs, nil
}

// displayed turns a box in user space into one on the displayed page, y down.
func (p pageShape) displayed(left, bottom, right, top float64) *frame {
	back := p.toUser.inverse().apply
	x0, y0 := back(left, bottom)
	x1, y1 := back(right, top)
	return &frame{min(x0, x1), p.height - max(y0, y1), max(x0, x1) - min(x0, x1), max(y0, y1) - min(y0, y1)}
}

// collector joins letters to runs.
type collector struct {
	shape pageShape
	runs  []TextRun
	units []uint16
	box   *frame
}

// letter adds one letter; those that PDFium made up, like spaces between words, have no box.
func (c *collector) letter(r rune, box *frame) {
	if r == '\r' || r == '\n' {
		c.flush()
		return
	}
	if box != nil && box.w > 0 && box.h > 0 {
		if c.box != nil && !c.box.continues(box) {
			c.flush()
		}
		c.box = c.box.with(box)
	}
	if r > 0xFFFF {
		c.units = utf16.AppendRune(c.units, r)
	} else if r != 0 {
		c.units = append(c.units, uint16(r))
	}
}

// continues says whether a letter stands on the same line, next to what is there.
func (f *frame) continues(b *frame) bool {
	middle := b.y + b.h/2
	gap := max(b.x-(f.x+f.w), f.x-(b.x+b.w))
	return middle > f.y && middle < f.y+f.h && gap < 2*max(f.h, b.h)
}

func (f *frame) with(b *frame) *frame {
	if f == nil {
		return b
	}
	x, y := min(f.x, b.x), min(f.y, b.y)
	return &frame{x, y, max(f.x+f.w, b.x+b.w) - x, max(f.y+f.h, b.y+b.h) - y}
}

func (c *collector) flush() {
	text := strings.TrimSpace(string(utf16.Decode(c.units)))
	if c.box != nil && text != "" {
		w, h := c.shape.width, c.shape.height
		c.runs = append(c.runs, TextRun{Text: text, X: c.box.x / w, Y: c.box.y / h, W: c.box.w / w, H: c.box.h / h})
	}
	c.units, c.box = nil, nil
}
