package seal

import (
	"fmt"
	"maps"
	"slices"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// yield takes away form fields of the document's own that lie where marks are drawn, because a viewer draws form
// fields over a page's content and would hide the marks. What such a field said comes back as a mark to be drawn
// below the others. All other fields stay as they are and look as they did; PDFium's own flattening is not used
// because it regenerates appearances, loses links and forgets what a page inherits.
func (s *session) yield(doc references.FPDF_DOCUMENT, marks []Mark) ([]Mark, error) {
	form := s.form(doc)
	if form == "" {
		return nil, nil
	}
	byPage := map[int][]Mark{}
	for _, m := range marks {
		byPage[m.Page] = append(byPage[m.Page], m)
	}
	n, err := s.pageCount(doc)
	if err != nil {
		return nil, err
	}
	var below []Mark
	for _, index := range slices.Sorted(maps.Keys(byPage)) {
		if index < 0 || index >= n {
			continue // refused when it is drawn
		}
		said, err := s.yieldOn(doc, form, index, byPage[index])
		if err != nil {
			return nil, err
		}
		below = append(below, said...)
	}
	return below, nil
}

func (s *session) yieldOn(doc references.FPDF_DOCUMENT, form references.FPDF_FORMHANDLE, index int, marks []Mark) ([]Mark, error) {
	page, err := s.page(doc, index)
	if err != nil {
		return nil, damagedPage(index, err)
	}
	defer s.closePage(page)
	shape, err := s.pageShape(page)
	if err != nil {
		return nil, err
	}
	count, err := s.pdfium.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: byRef(page)})
	if err != nil {
		return nil, fmt.Errorf("count annotations: %w", err)
	}
	var said []Mark
	for i := count.Count - 1; i >= 0; i-- {
		field, covered, err := s.covered(form, page, shape, i, marks)
		if err != nil {
			return nil, err
		}
		if !covered {
			continue
		}
		if _, err := s.pdfium.FPDFPage_RemoveAnnot(&requests.FPDFPage_RemoveAnnot{Page: byRef(page), Index: i}); err != nil {
			return nil, fmt.Errorf("take form field away: %w", err)
		}
		if field.Kind != "" {
			field.Page = index
			said = append(said, field)
		}
	}
	return said, nil
}

// covered looks at one annotation: whether it is a form field below a mark, and what it says as a mark.
func (s *session) covered(form references.FPDF_FORMHANDLE, page references.FPDF_PAGE, shape pageShape, i int, marks []Mark) (Mark, bool, error) {
	got, err := s.pdfium.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: byRef(page), Index: i})
	if isCrash(err) {
		return Mark{}, false, err
	}
	if err != nil {
		return Mark{}, false, nil // a damaged one, which no viewer shows either
	}
	defer func() {
		_, _ = s.pdfium.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: got.Annotation})
	}()
	kind, err := s.pdfium.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: got.Annotation})
	if err != nil || kind.Subtype != enums.FPDF_ANNOT_SUBTYPE_WIDGET {
		return Mark{}, false, nil
	}
	rect, err := s.pdfium.FPDFAnnot_GetRect(&requests.FPDFAnnot_GetRect{Annotation: got.Annotation})
	if err != nil {
		return Mark{}, false, nil
	}
	box := shape.displayed(float64(rect.Rect.Left), float64(rect.Rect.Bottom), float64(rect.Rect.Right), float64(rect.Rect.Top))
	field := onPage(box, shape)
	for _, m := range marks {
		if overlap(m, field) {
			s.fieldValue(form, got.Annotation, &field)
			return field, true, nil
		}
	}
	return Mark{}, false, nil
}

// onPage is a box as a mark's, cut at the page's edges.
func onPage(b *frame, shape pageShape) Mark {
	x0, y0 := max(0, b.x/shape.width), max(0, b.y/shape.height)
	x1, y1 := min(1, (b.x+b.w)/shape.width), min(1, (b.y+b.h)/shape.height)
	return Mark{X: x0, Y: y0, W: x1 - x0, H: y1 - y0}
}

// overlap says whether two boxes share a tenth of the smaller one; that neighbours touch is nothing.
func overlap(a, b Mark) bool {
	w := min(a.X+a.W, b.X+b.W) - max(a.X, b.X)
	h := min(a.Y+a.H, b.Y+b.H) - max(a.Y, b.Y)
	return w > 0 && h > 0 && w*h > 0.1*min(a.W*a.H, b.W*b.H)
}

// fieldValue makes a field's value a mark; an empty or hidden field leaves Kind empty.
func (s *session) fieldValue(form references.FPDF_FORMHANDLE, annot references.FPDF_ANNOTATION, m *Mark) {
	flags, err := s.pdfium.FPDFAnnot_GetFlags(&requests.FPDFAnnot_GetFlags{Annotation: annot})
	if err != nil || flags.Flags&(enums.FPDF_ANNOT_FLAG_HIDDEN|enums.FPDF_ANNOT_FLAG_NOVIEW) != 0 {
		return
	}
	kind, err := s.pdfium.FPDFAnnot_GetFormFieldType(&requests.FPDFAnnot_GetFormFieldType{FormHandle: form, Annotation: annot})
	if err != nil {
		return
	}
	switch kind.FormFieldType {
	case enums.FPDF_FORMFIELD_TYPE_CHECKBOX, enums.FPDF_FORMFIELD_TYPE_RADIOBUTTON:
		on, err := s.pdfium.FPDFAnnot_IsChecked(&requests.FPDFAnnot_IsChecked{FormHandle: form, Annotation: annot})
		if err == nil && on.IsChecked {
			m.Kind = MarkCheck
		}
	case enums.FPDF_FORMFIELD_TYPE_TEXTFIELD, enums.FPDF_FORMFIELD_TYPE_COMBOBOX, enums.FPDF_FORMFIELD_TYPE_LISTBOX:
		value, err := s.pdfium.FPDFAnnot_GetFormFieldValue(&requests.FPDFAnnot_GetFormFieldValue{FormHandle: form, Annotation: annot})
		if err == nil && value.FormFieldValue != "" {
			m.Kind, m.Text = MarkText, value.FormFieldValue
		}
	}
}
