package seal

import (
	"fmt"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/structs"
)

// webLink is a link to an address on a page.
type webLink struct {
	rect structs.FPDF_FS_RECTF
	uri  string
}

// flatten makes the form fields on a page part of its content, as they look, so that they neither hide what is
// drawn nor stay editable. Pages without form fields are left alone. PDFium takes all annotations off a page that it
// flattens: other visible ones stay as pictures, and links to addresses are put back; links inside the document on
// such a page are lost.
func (s *session) flatten(doc references.FPDF_DOCUMENT, form references.FPDF_FORMHANDLE, index int) error {
	page, err := s.page(doc, index)
	if err != nil {
		return damagedPage(index, err)
	}
	defer s.closePage(page)
	fields, links, err := s.annotations(doc, page)
	if err != nil || fields == 0 {
		return err
	}
	if _, err := s.pdfium.FORM_OnAfterLoadPage(&requests.FORM_OnAfterLoadPage{FormHandle: form, Page: byRef(page)}); err != nil {
		return fmt.Errorf("give form fields an appearance: %w", err)
	}
	_, err = s.pdfium.FPDFPage_Flatten(&requests.FPDFPage_Flatten{Page: byRef(page), Usage: requests.FPDFPage_FlattenUsageNormalDisplay})
	_, closeErr := s.pdfium.FORM_OnBeforeClosePage(&requests.FORM_OnBeforeClosePage{FormHandle: form, Page: byRef(page)})
	if err != nil || closeErr != nil {
		return fmt.Errorf("flatten form fields: %w", firstError(err, closeErr))
	}
	return s.putLinks(page, links)
}

func firstError(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// annotations counts a page's form fields and collects its links.
func (s *session) annotations(doc references.FPDF_DOCUMENT, page references.FPDF_PAGE) (fields int, links []webLink, err error) {
	count, err := s.pdfium.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: byRef(page)})
	if err != nil {
		return 0, nil, fmt.Errorf("count annotations: %w", err)
	}
	for i := range count.Count {
		got, err := s.pdfium.FPDFPage_GetAnnot(&requests.FPDFPage_GetAnnot{Page: byRef(page), Index: i})
		if isCrash(err) {
			return 0, nil, err
		}
		if err != nil {
			continue // a damaged one, which no viewer shows either
		}
		kind, err := s.pdfium.FPDFAnnot_GetSubtype(&requests.FPDFAnnot_GetSubtype{Annotation: got.Annotation})
		switch {
		case err == nil && kind.Subtype == enums.FPDF_ANNOT_SUBTYPE_WIDGET:
			fields++
		case err == nil && kind.Subtype == enums.FPDF_ANNOT_SUBTYPE_LINK:
			if l, ok := s.webLink(doc, got.Annotation); ok {
				links = append(links, l)
			}
		}
		_, _ = s.pdfium.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: got.Annotation})
	}
	return fields, links, nil
}

func (s *session) webLink(doc references.FPDF_DOCUMENT, annot references.FPDF_ANNOTATION) (webLink, bool) {
	rect, err := s.pdfium.FPDFAnnot_GetRect(&requests.FPDFAnnot_GetRect{Annotation: annot})
	if err != nil {
		return webLink{}, false
	}
	link, err := s.pdfium.FPDFAnnot_GetLink(&requests.FPDFAnnot_GetLink{Annotation: annot})
	if err != nil {
		return webLink{}, false
	}
	action, err := s.pdfium.FPDFLink_GetAction(&requests.FPDFLink_GetAction{Link: link.Link})
	if err != nil || action.Action == nil {
		return webLink{}, false
	}
	uri, err := s.pdfium.FPDFAction_GetURIPath(&requests.FPDFAction_GetURIPath{Document: doc, Action: *action.Action})
	if err != nil || uri.URIPath == nil || *uri.URIPath == "" {
		return webLink{}, false
	}
	return webLink{rect.Rect, *uri.URIPath}, true
}

func (s *session) putLinks(page references.FPDF_PAGE, links []webLink) error {
	for _, l := range links {
		made, err := s.pdfium.FPDFPage_CreateAnnot(&requests.FPDFPage_CreateAnnot{Page: byRef(page), Subtype: enums.FPDF_ANNOT_SUBTYPE_LINK})
		if err != nil {
			return fmt.Errorf("put link back: %w", err)
		}
		_, rectErr := s.pdfium.FPDFAnnot_SetRect(&requests.FPDFAnnot_SetRect{Annotation: made.Annotation, Rect: l.rect})
		_, borderErr := s.pdfium.FPDFAnnot_SetBorder(&requests.FPDFAnnot_SetBorder{Annotation: made.Annotation})
		_, uriErr := s.pdfium.FPDFAnnot_SetURI(&requests.FPDFAnnot_SetURI{Annotation: made.Annotation, URI: l.uri})
		_, _ = s.pdfium.FPDFPage_CloseAnnot(&requests.FPDFPage_CloseAnnot{Annotation: made.Annotation})
		if err := firstError(firstError(rectErr, borderErr), uriErr); err != nil {
			return fmt.Errorf("put link back: %w", err)
		}
	}
	return nil
}
