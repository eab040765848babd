package seal

import (
	"fmt"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// Page is a page as a viewer shows it.
type Page struct {
	Width, Height float64 // points, after rotation, crop box and UserUnit
}

// pageShape says how a page lies in its own coordinates.
type pageShape struct {
	width, height float64 // as displayed, in points
	toUser        matrix  // displayed, y up → user space
}

func (s *session) pageShape(page references.FPDF_PAGE) (pageShape, error) {
	box, err := s.pdfium.FPDF_GetPageBoundingBox(&requests.FPDF_GetPageBoundingBox{Page: byRef(page)})
	if err != nil {
		return pageShape{}, fmt.Errorf("page box: %w", err)
	}
	rot, err := s.pdfium.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: byRef(page)})
	if err != nil {
		return pageShape{}, fmt.Errorf("page rotation: %w", err)
	}
	r := box.Rect
	return shapeOf(float64(r.Left), float64(r.Bottom), float64(r.Right), float64(r.Top), int(rot.PageRotation)&3), nil
}

// shapeOf turns a page's visible box and its quarter turns clockwise into its shape (ISO 32000-2, 7.7.3.3).
func shapeOf(left, bottom, right, top float64, quarters int) pageShape {
	w, h := right-left, top-bottom
	switch quarters {
	case 1:
		return pageShape{h, w, matrix{0, 1, -1, 0, right, bottom}}
	case 2:
		return pageShape{w, h, matrix{-1, 0, 0, -1, right, top}}
	case 3:
		return pageShape{h, w, matrix{0, -1, 1, 0, left, top}}
	}
	return pageShape{w, h, matrix{1, 0, 0, 1, left, bottom}}
}

// times gives a shape whose units are u points each, measured in points.
func (p pageShape) times(u float64) pageShape {
	if u == 1 {
		return p
	}
	return pageShape{p.width * u, p.height * u, p.toUser.after(matrix{a: 1 / u, d: 1 / u})}
}
