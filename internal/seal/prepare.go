package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"

	"github.com/paraph-sign/paraph"
)

// Info says what a PDF is like.
type Info struct {
	Pages        []Page
	Signed       bool          // carries signatures, which sealing keeps valid
	WasEncrypted bool          // it was stored encrypted
	Repaired     bool          // its table of contents was damaged
	HasForm      bool          // has form fields of its own
	Notes        []paraph.Note // what was done with it and what it carries; from Prepare only
}

// minSide is how wide and high a page must be, in points. There is no upper limit: what is drawn has a size of its own.
const minSide = 1

// PrepareOptions are what an upload comes with.
type PrepareOptions struct {
	Password string // opens the file; "" tries without one. It is not kept.
}

// Prepare is what an upload goes through. It gives back the PDF to store: data itself when nothing is wrong with
// it, otherwise a copy that is repaired, without encryption and without active content, and Info.Notes says what was
// done. A file whose signatures can stay valid is never changed. What can't be used is refused with an *InputError.
func (e *Engine) Prepare(ctx context.Context, data []byte) ([]byte, Info, error) {
	return e.PrepareWith(ctx, data, PrepareOptions{})
}

// PrepareWith is Prepare with options. The error is an *InputError with KindPassword when a password is needed and
// none is given, and with KindWrongPassword when the one given does not open the file.
func (e *Engine) PrepareWith(ctx context.Context, data []byte, opts PrepareOptions) ([]byte, Info, error) {
	if err := e.checkBytes(data); err != nil {
		return nil, Info{}, err
	}
	var p prepared
	err := e.withUpload(ctx, func(s *session) error {
		s.password = opts.Password
		var err error
		p, err = e.prepare(s, data)
		return err
	})
	if err == nil {
		err = p.tidy()
	}
	if err == nil {
		err = e.tryOut(ctx, p)
	}
	if err != nil {
		return nil, Info{}, fmt.Errorf("prepare PDF: %w", err)
	}
	return p.pdf, p.info, nil
}

// prepared is an upload on its way.
type prepared struct {
	pdf     []byte
	info    Info
	anew    bool // pdf is not the bytes that came
	unasked bool // encrypted, but no password was needed
	denied  []string
}

// prepare gives a file that can be added to by our strict rules.
func (e *Engine) prepare(s *session, data []byte) (prepared, error) {
	doc, info, err := e.readAnyhow(s, data)
	if isDamaged(err) && (cutOff(data) || !ends(data)) {
		return prepared{}, truncated(err)
	}
	if err != nil {
		return prepared{}, err
	}
	if info.Repaired && cutOff(data) {
		return prepared{}, truncated(nil)
	}
	p := prepared{pdf: data, info: info}
	if info.WasEncrypted {
		p.unasked, p.denied = s.opensUnasked(data), s.denied(doc)
	}
	if !info.WasEncrypted && !info.Repaired && growable(data, len(info.Pages)) {
		return p, nil
	}
	p.anew = true
	p.info.Repaired = info.Repaired || !info.WasEncrypted
	if p.pdf, err = e.writeAnew(s, doc, len(info.Pages)); err != nil {
		return prepared{}, err
	}
	if !ends(data) {
		return p, p.complete()
	}
	return p, nil
}

// writeAnew has PDFium save a document in a form that can be added to.
func (e *Engine) writeAnew(s *session, doc references.FPDF_DOCUMENT, pages int) ([]byte, error) {
	pdf, err := s.save(doc, requests.SaveFlagRemoveSecurity)
	if err == nil && !growable(pdf, pages) {
		pdf, err = s.copied(doc)
	}
	if err != nil {
		return nil, err
	}
	if _, _, err = e.read(s, pdf); err != nil {
		return nil, err
	}
	if !growable(pdf, pages) {
		return nil, beyondRepair(nil)
	}
	return pdf, nil
}

func truncated(err error) error {
	return refuse(KindTruncated, "The end of this PDF is missing, as after a broken download. Get the whole file and upload that.", err)
}

// complete refuses a file that lost its end when its pages need something that was there.
func (p *prepared) complete() error {
	f, err := openPDF(p.pdf)
	if err != nil {
		return beyondRepair(err)
	}
	leaves, err := f.leaves()
	if err != nil {
		return beyondRepair(err)
	}
	for _, l := range leaves {
		if f.lacks(l) {
			return truncated(nil)
		}
	}
	return nil
}

// lacks tells whether a page refers to content, a font or a picture that isn't in the file.
func (f *pdfFile) lacks(l leaf) bool {
	missing := func(v any) bool {
		_, is := v.(pdfRef)
		return is && f.resolve(v) == nil
	}
	needs := append(pdfArray{l.dict.vals["Contents"], l.attribute("Resources")}, f.array(l.dict.vals["Contents"])...)
	if resources := f.dict(l.attribute("Resources")); resources != nil {
		for _, k := range []pdfName{"XObject", "Font"} {
			needs = append(needs, resources.vals[k])
			if named := f.dict(resources.vals[k]); named != nil {
				for _, name := range named.keys {
					needs = append(needs, named.vals[name])
				}
			}
		}
	}
	for _, v := range needs {
		if missing(v) {
			return true
		}
	}
	return false
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

// read opens a document, counts and reads its pages. It does not measure them: boxes may have to be mended first.
func (e *Engine) read(s *session, data []byte) (references.FPDF_DOCUMENT, Info, error) {
	doc, err := s.open(data)
	if err != nil {
		return "", Info{}, err
	}
	n, err := e.count(s, doc)
	if err != nil {
		return "", Info{}, err
	}
	info, err := s.traits(doc, data)
	if err != nil {
		return "", Info{}, err
	}
	info.Pages = make([]Page, n)
	return doc, info, s.readPages(doc, n, e.cfg.Deadline/100)
}

func isDamaged(err error) bool {
	var input *InputError
	return errors.As(err, &input) && (input.Kind == KindDamaged || input.Kind == KindNoPages) && !isCrash(err)
}

// withoutTable hides the cross-reference table, so that PDFium looks for the objects themselves.
func withoutTable(data []byte) []byte {
	return bytes.ReplaceAll(data, []byte("startxref"), []byte("startxxxx"))
}

// opensUnasked tells whether a file opens without a password, even if one was given.
func (s *session) opensUnasked(data []byte) bool {
	if s.password == "" {
		return true
	}
	given := s.password
	defer func() { s.password = given }()
	s.password = ""
	_, err := s.open(data)
	return err == nil
}

// denied is what the owner of an encrypted document forbids those who are not the owner (ISO 32000-2, table 22), in words.
func (s *session) denied(doc references.FPDF_DOCUMENT) []string {
	resp, err := s.pdfium.FPDF_GetDocPermissions(&requests.FPDF_GetDocPermissions{Document: doc})
	if err != nil {
		return nil
	}
	var out []string
	for _, p := range []struct {
		bit  uint
		what string
	}{{3, "printing"}, {4, "changing"}, {5, "copying"}, {6, "annotating"}} {
		if resp.DocPermissions&(1<<(p.bit-1)) == 0 {
			out = append(out, p.what)
		}
	}
	return out
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

// readPages interprets the content of pages once, the last one first, for as long as limit: people sign on the last page,
// and a book would take longer than its reader waits. What is not looked at here is drawn under a deadline all the same.
func (s *session) readPages(doc references.FPDF_DOCUMENT, n int, limit time.Duration) error {
	begin := time.Now()
	for i := 0; i < n && (i == 0 || time.Since(begin) < limit); i++ {
		index := (n - 1 + i) % n
		page, err := s.page(doc, index)
		if err != nil {
			return damagedPage(index, err)
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
	err := e.with(ctx, func(s *session) error {
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

// ends tells a file whose end is there from one that was cut off: a whole one names the place of its cross-reference
// table near its end (ISO 32000-2, 7.5.5).
func ends(data []byte) bool {
	tail := data[max(0, len(data)-2048):]
	return bytes.Contains(tail, []byte("startxref")) || bytes.Contains(tail, []byte("%%EOF"))
}

// cutOff tells whether a file was cut off inside one of its objects.
func cutOff(data []byte) bool {
	return !ends(data) && bytes.LastIndex(data, []byte(" obj")) > bytes.LastIndex(data, []byte("endobj"))
}

func (e *Engine) count(s *session, doc references.FPDF_DOCUMENT) (int, error) {
	n, err := s.pageCount(doc)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, refuse(KindNoPages, "This PDF has no pages.", nil)
	}
	if n > e.cfg.MaxPages {
		return 0, refuse(KindTooManyPages, fmt.Sprintf("This PDF has %d pages; up to %d are allowed.", n, e.cfg.MaxPages), nil)
	}
	return n, nil
}

func (e *Engine) inspect(s *session, doc references.FPDF_DOCUMENT, data []byte) (Info, error) {
	n, err := e.count(s, doc)
	if err != nil {
		return Info{}, err
	}
	info, err := s.traits(doc, data)
	if err != nil {
		return Info{}, err
	}
	info.Pages, err = s.measure(doc, n, userUnits(data))
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

// userUnits are the pages' units in points (ISO 32000-2, table 31), which PDFium does not apply; nil when all are 1 or
// the file can't be read by strict rules.
func userUnits(pdf []byte) []float64 {
	f, err := openPDF(pdf)
	if err != nil {
		return nil
	}
	leaves, err := f.leaves()
	if err != nil {
		return nil
	}
	units := make([]float64, len(leaves))
	for i, l := range leaves {
		units[i] = f.unit(l)
	}
	return units
}

func (s *session) measure(doc references.FPDF_DOCUMENT, n int, units []float64) ([]Page, error) {
	pages := make([]Page, n)
	for i := range pages {
		size, err := s.pdfium.FPDF_GetPageSizeByIndexF(&requests.FPDF_GetPageSizeByIndexF{Document: doc, Index: i})
		if err != nil {
			if isCrash(err) {
				return nil, err
			}
			return nil, refuse(KindDamaged, fmt.Sprintf("Page %d of this PDF is damaged and can't be repaired.", i+1), err)
		}
		unit := 1.0
		if len(units) == n {
			unit = units[i]
		}
		w, h := float64(size.Size.Width)*unit, float64(size.Size.Height)*unit
		if w < minSide || h < minSide {
			return nil, noSize(i)
		}
		pages[i] = Page{Width: w, Height: h}
	}
	return pages, nil
}

func noSize(page int) error {
	return refuse(KindDamaged, fmt.Sprintf("Page %d of this PDF has no size.", page+1), nil)
}

// eachOnce gives words, each once, in their order.
func eachOnce(words []string) []string {
	var out []string
	for _, w := range words {
		if !strings.Contains("\x00"+strings.Join(out, "\x00")+"\x00", "\x00"+w+"\x00") {
			out = append(out, w)
		}
	}
	return out
}
