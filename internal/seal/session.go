package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klippa-app/go-pdfium"
	pdfiumerrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// inMemory is the size up to which a file is copied into the instance; larger ones are read from where they
// are, which is slower and spares the instance's memory.
const inMemory = 16 << 20

// session is one operation on one instance. What it opened is closed with it.
type session struct {
	pdfium    pdfium.Pdfium
	maxOutput int             // bytes that a saved file may have
	password  string          // opens files; "" tries without
	stop      <-chan struct{} // closed when nobody waits for the result any more

	docs  []references.FPDF_DOCUMENT
	forms []references.FPDF_FORMHANDLE
	pages []references.FPDF_PAGE
}

func (s *session) close() {
	for _, p := range s.pages {
		_, _ = s.pdfium.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: p})
	}
	for _, f := range s.forms {
		_, _ = s.pdfium.FPDFDOC_ExitFormFillEnvironment(&requests.FPDFDOC_ExitFormFillEnvironment{FormHandle: f})
	}
	for _, d := range s.docs {
		_, _ = s.pdfium.FPDF_CloseDocument(&requests.FPDF_CloseDocument{Document: d})
	}
}

func (s *session) open(data []byte) (references.FPDF_DOCUMENT, error) {
	req := &requests.OpenDocument{File: &data}
	if len(data) > inMemory {
		req = &requests.OpenDocument{FileReader: bytes.NewReader(data), FileReaderSize: int64(len(data))}
	}
	if s.password != "" {
		req.Password = &s.password
	}
	resp, err := s.pdfium.OpenDocument(req)
	if err != nil {
		return "", openError(err, s.password != "")
	}
	s.docs = append(s.docs, resp.Document)
	return resp.Document, nil
}

func openError(err error, tried bool) error {
	switch {
	case errors.Is(err, pdfiumerrors.ErrPassword) && tried:
		return refuse(KindWrongPassword, "This password does not open the PDF.", err)
	case errors.Is(err, pdfiumerrors.ErrPassword):
		return refuse(KindPassword, "This PDF needs a password to open.", err)
	case errors.Is(err, pdfiumerrors.ErrSecurity):
		return refuse(KindUnsupported, "This PDF is encrypted in a way that can't be opened. Save a copy without encryption and upload that.", err)
	}
	return beyondRepair(err)
}

func (s *session) pageCount(doc references.FPDF_DOCUMENT) (int, error) {
	resp, err := s.pdfium.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: doc})
	if err != nil {
		return 0, fmt.Errorf("count pages: %w", err)
	}
	return resp.PageCount, nil
}

func (s *session) page(doc references.FPDF_DOCUMENT, index int) (references.FPDF_PAGE, error) {
	resp, err := s.pdfium.FPDF_LoadPage(&requests.FPDF_LoadPage{Document: doc, Index: index})
	if err != nil {
		return "", fmt.Errorf("load page %d: %w", index+1, err)
	}
	s.pages = append(s.pages, resp.Page)
	return resp.Page, nil
}

// closePage lets go of a page before the session ends; it must be the one opened last.
func (s *session) closePage(page references.FPDF_PAGE) {
	if n := len(s.pages); n > 0 && s.pages[n-1] == page {
		s.pages = s.pages[:n-1]
		_, _ = s.pdfium.FPDF_ClosePage(&requests.FPDF_ClosePage{Page: page})
	}
}

func byRef(page references.FPDF_PAGE) requests.Page { return requests.Page{ByReference: &page} }

// save writes the document out, up to a limit: a small file can be made to grow without end by naming very high
// object numbers.
func (s *session) save(doc references.FPDF_DOCUMENT, flags requests.SaveFlags) ([]byte, error) {
	out := &boundedBuffer{left: s.maxOutput, stop: s.stop}
	_, err := s.pdfium.FPDF_SaveAsCopy(&requests.FPDF_SaveAsCopy{Document: doc, Flags: flags, FileWriter: out})
	if out.full {
		return nil, refuse(KindTooComplex, "This PDF becomes too large when it is saved.", err)
	}
	if err != nil {
		return nil, fmt.Errorf("save PDF: %w", err)
	}
	return out.Bytes(), nil
}

// boundedBuffer refuses to grow beyond a size or after a stop, which makes PDFium give up.
type boundedBuffer struct {
	bytes.Buffer
	left int
	stop <-chan struct{}
	full bool
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	select {
	case <-b.stop:
		return 0, ErrDeadline
	default:
	}
	if b.left -= len(p); b.left < 0 {
		b.full = true
		return 0, io.ErrShortWrite
	}
	return b.Buffer.Write(p)
}
