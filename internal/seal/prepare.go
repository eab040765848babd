package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

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

// minSide is how wide and high a page must be, in points. There is no upper limit: what is drawn has a size of its own.
const minSide = 1

// Prepare is what an upload goes through. It gives back the PDF to store: data itself when nothing is wrong with
// it or when it is signed, otherwise a copy that is repaired and without encryption. What can't be used is
// refused with an *InputError.
func (e *Engine) Prepare(ctx context.Context, data []byte) ([]byte, Info, error) {
	if err := e.checkBytes(data); err != nil {
		return nil, Info{}, err
	}
	var info Info
	var pdf []byte
	err := e.with(ctx, e.guarded, func(s *session) error {
		var err error
		pdf, info, err = e.prepare(s, data)
		return err
	})
	if err != nil {
		return nil, Info{}, fmt.Errorf("prepare PDF: %w", err)
	}
	return pdf, info, nil
}

func (e *Engine) prepare(s *session, data []byte) ([]byte, Info, error) {
	doc, info, err := e.readAnyhow(s, data)
	if (isDamaged(err) || info.Repaired) && cutOff(data) {
		return nil, Info{}, refuse(KindTruncated, "The end of this PDF is missing, as after a broken download. Get the whole file and upload that.", err)
	}
	if err != nil {
		return nil, Info{}, err
	}
	if !info.WasEncrypted && !info.Repaired && growable(data, len(info.Pages)) {
		return data, info, nil
	}
	info.Signed = false // what is written anew is not what was signed
	pdf, err := s.save(doc, requests.SaveFlagRemoveSecurity)
	if err == nil && !growable(pdf, len(info.Pages)) {
		pdf, err = s.copied(doc)
	}
	if err != nil {
		return nil, Info{}, err
	}
	if _, _, err = e.read(s, pdf); err != nil {
		return nil, Info{}, err
	}
	if !growable(pdf, len(info.Pages)) {
		return nil, Info{}, beyondRepair(nil)
	}
	return pdf, info, nil
}

// growable tells whether a revision can be added to a file, by the strict rules of our own reader, and whether it sees the
// pages that PDFium sees.
func growable(pdf []byte, pages int) bool {
	f, err := openPDF(pdf)
	if err != nil || f.canGrow() != nil {
		return false
	}
	leaves, err := f.leaves()
	return err == nil && len(leaves) == pages
}

// readAnyhow reads a document by its table of contents or, when that is wrong, without it.
func (e *Engine) readAnyhow(s *session, data []byte) (references.FPDF_DOCUMENT, Info, error) {
	doc, info, err := e.read(s, data)
	if !isDamaged(err) {
		return doc, info, err
	}
	doc, info, again := e.read(s, withoutTable(data))
	if again != nil {
		return "", Info{}, err
	}
	info.Repaired, info.Signed = true, false
	return doc, info, nil
}

// read opens a document, measures it and reads its pages.
func (e *Engine) read(s *session, data []byte) (references.FPDF_DOCUMENT, Info, error) {
	doc, err := s.open(data)
	if err != nil {
		return "", Info{}, err
	}
	info, err := e.inspect(s, doc, data)
	if err != nil {
		return "", Info{}, err
	}
	return doc, info, s.readPages(doc, len(info.Pages), e.cfg.Deadline/10)
}

func isDamaged(err error) bool {
	var input *InputError
	return errors.As(err, &input) && (input.Kind == KindDamaged || input.Kind == KindNoPages) && !isCrash(err)
}

// withoutTable hides the cross-reference table, so that PDFium looks for the objects themselves.
func withoutTable(data []byte) []byte {
	return bytes.ReplaceAll(data, []byte("startxref"), []byte("startxxxx"))
}

// copied saves the pages in a new document, which makes their structure regular.
func (s *session) copied(from references.FPDF_DOCUMENT) ([]byte, error) {
	resp, err := s.pdfium.FPDF_CreateNewDocument(&requests.FPDF_CreateNewDocument{})
	if err != nil {
		return nil, fmt.Errorf("new document: %w", err)
	}
	s.docs = append(s.docs, resp.Document)
	if _, err := s.pdfium.FPDF_ImportPages(&requests.FPDF_ImportPages{Source: from, Destination: resp.Document}); err != nil {
		return nil, beyondRepair(err)
	}
	return s.save(resp.Document, requests.SaveFlagNoIncremental)
}

func beyondRepair(err error) error {
	if isCrash(err) {
		return err
	}
	return refuse(KindDamaged, "This PDF is damaged and can't be repaired. Open it in a PDF viewer and save or print it to a new PDF.", err)
}

// readPages interprets the content of the pages once, while it can still be stopped, for as long as there is time; a
// book would take longer than its reader waits.
func (s *session) readPages(doc references.FPDF_DOCUMENT, n int, limit time.Duration) error {
	begin := time.Now()
	for i := 0; i < n && time.Since(begin) < limit; i++ {
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
		pages[i] = Page{Width: w, Height: h}
	}
	return pages, nil
}
