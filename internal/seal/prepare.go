package seal

import (
	"bytes"
	"context"
	"fmt"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// Info says what a PDF is like.
type Info struct {
	Pages        []Page
	Signed       bool // carries signatures, which sealing keeps valid
	WasEncrypted bool // encrypted, though it opens without a password
	Repaired     bool // its table of contents was damaged
	HasForm      bool // has form fields of its own
}

// Limits of a page, in points: 1 pt and 7 m. A page of 0 has nothing to show; wider ones are nearly always an attack.
const (
	minSide = 1
	maxSide = 20000
)

// Prepare is what an upload goes through. It gives back the PDF to store: data itself when nothing is wrong with
// it or when it is signed, otherwise a copy that is repaired and without encryption. What can't be used is
// refused with an *InputError.
func (e *Engine) Prepare(ctx context.Context, data []byte) ([]byte, Info, error) {
	if err := e.checkBytes(data); err != nil {
		return nil, Info{}, err
	}
	var info Info
	pdf := data
	err := e.with(ctx, e.guarded, func(s *session) error {
		doc, err := s.open(data)
		if err != nil {
			return err
		}
		if info, err = e.inspect(s, doc, data); err != nil {
			return err
		}
		if info.Repaired && cutOff(data) {
			return refuse(KindTruncated, "The end of this PDF is missing, as after a broken download. Get the whole file and upload that.", nil)
		}
		if err := s.readPages(doc, len(info.Pages)); err != nil {
			return err
		}
		if info.Signed && !info.WasEncrypted || !info.WasEncrypted && !info.Repaired {
			return nil
		}
		pdf, err = s.save(doc, requests.SaveFlagRemoveSecurity)
		return err
	})
	if err != nil {
		return nil, Info{}, fmt.Errorf("prepare PDF: %w", err)
	}
	return pdf, info, nil
}

// readPages interprets the content of every page once, while it can still be stopped.
func (s *session) readPages(doc references.FPDF_DOCUMENT, n int) error {
	for i := range n {
		page, err := s.page(doc, i)
		if err != nil {
			return damagedPage(i, err)
		}
		s.closePage(page)
	}
	return nil
}

// Inspect measures a PDF without changing it.
func (e *Engine) Inspect(ctx context.Context, pdf []byte) (Info, error) {
	if err := e.checkBytes(pdf); err != nil {
		return Info{}, err
	}
	var info Info
	err := e.with(ctx, e.guarded, func(s *session) error {
		doc, err := s.open(pdf)
		if err != nil {
			return err
		}
		info, err = e.inspect(s, doc, pdf)
		return err
	})
	if err != nil {
		return Info{}, fmt.Errorf("inspect PDF: %w", err)
	}
	return info, nil
}

func (e *Engine) checkBytes(data []byte) error {
	if len(data) == 0 {
		return refuse(KindEmpty, "This file is empty.", nil)
	}
	if len(data) > e.cfg.MaxBytes {
		return refuse(KindTooLarge, fmt.Sprintf("This file is larger than %d MB.", e.cfg.MaxBytes>>20), nil)
	}
	if !bytes.Contains(data[:min(len(data), 1024)], []byte("%PDF-")) {
		return refuse(KindNotPDF, "This file is not a PDF.", nil)
	}
	return nil
}

// cutOff tells a file whose end is missing from one whose end is there: a whole one names the place of its
// cross-reference table near its end (ISO 32000-2, 7.5.5), or at least finishes an object.
func cutOff(data []byte) bool {
	tail := data[max(0, len(data)-2048):]
	if bytes.Contains(tail, []byte("startxref")) || bytes.Contains(tail, []byte("%%EOF")) {
		return false
	}
	return !bytes.HasSuffix(bytes.TrimRight(tail, "\r\n\t \x00"), []byte("endobj"))
}

func (e *Engine) inspect(s *session, doc references.FPDF_DOCUMENT, data []byte) (Info, error) {
	n, err := s.pageCount(doc)
	if err != nil {
		return Info{}, err
	}
	if n == 0 {
		return Info{}, refuse(KindNoPages, "This PDF has no pages.", nil)
	}
	if n > e.cfg.MaxPages {
		return Info{}, refuse(KindTooManyPages, fmt.Sprintf("This PDF has %d pages; up to %d are allowed.", n, e.cfg.MaxPages), nil)
	}
	info, err := s.traits(doc, data)
	if err != nil {
		return Info{}, err
	}
	info.Pages, err = s.measure(doc, n)
	return info, err
}

func (s *session) traits(doc references.FPDF_DOCUMENT, data []byte) (Info, error) {
	valid, err := s.pdfium.FPDF_DocumentHasValidCrossReferenceTable(&requests.FPDF_DocumentHasValidCrossReferenceTable{Document: doc})
	if err != nil {
		return Info{}, fmt.Errorf("look at cross references: %w", err)
	}
	security, err := s.pdfium.FPDF_GetSecurityHandlerRevision(&requests.FPDF_GetSecurityHandlerRevision{Document: doc})
	if err != nil {
		return Info{}, fmt.Errorf("look at encryption: %w", err)
	}
	form, err := s.pdfium.FPDF_GetFormType(&requests.FPDF_GetFormType{Document: doc})
	if err != nil {
		return Info{}, fmt.Errorf("look at form: %w", err)
	}
	return Info{
		// A signature's dictionary stands in the clear, because its byte range points at itself.
		Signed:       bytes.Contains(data, []byte("/ByteRange")),
		WasEncrypted: security.SecurityHandlerRevision >= 0,
		Repaired:     !valid.DocumentHasValidCrossReferenceTable,
		HasForm:      form.FormType != 0,
	}, nil
}

func (s *session) measure(doc references.FPDF_DOCUMENT, n int) ([]Page, error) {
	pages := make([]Page, n)
	for i := range pages {
		size, err := s.pdfium.FPDF_GetPageSizeByIndexF(&requests.FPDF_GetPageSizeByIndexF{Document: doc, Index: i})
		if err != nil {
			if isCrash(err) {
				return nil, err
			}
			return nil, refuse(KindDamaged, fmt.Sprintf("Page %d of this PDF is damaged and can't be repaired.", i+1), err)
		}
		w, h := float64(size.Size.Width), float64(size.Size.Height)
		if w < minSide || h < minSide {
			return nil, refuse(KindDamaged, fmt.Sprintf("Page %d of this PDF has no size.", i+1), nil)
		}
		if w > maxSide || h > maxSide {
			return nil, refuse(KindTooLarge, fmt.Sprintf("Page %d of this PDF is more than 7 metres long.", i+1), nil)
		}
		pages[i] = Page{Width: w, Height: h}
	}
	return pages, nil
}
