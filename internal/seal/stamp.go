package seal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/klippa-app/go-pdfium/requests"
)

// Stamp draws marks over the content of pages, as one revision at the end of the file: what was there stays byte for byte, so
// signatures stay valid for what they signed. Text is real text and can be searched and copied.
func (e *Engine) Stamp(ctx context.Context, pdf []byte, marks []Mark) ([]byte, error) {
	out, err := e.assemble(ctx, pdf, marks, nil)
	if err != nil {
		return nil, fmt.Errorf("stamp PDF: %w", err)
	}
	return out, nil
}

// assemble stamps a document and appends the pages of an audit, in one revision.
func (e *Engine) assemble(ctx context.Context, pdf []byte, marks []Mark, audit *Audit) ([]byte, error) {
	if err := e.checkBytes(pdf); err != nil {
		return nil, err
	}
	f, err := e.regular(ctx, pdf)
	if err != nil {
		return nil, err
	}
	if f.hasForm() && !f.hasSignatures() {
		if f, err = e.flatten(f, flattening{marks: marks}); err != nil {
			return nil, err
		}
	}
	pages, err := f.leaves()
	if err != nil {
		return nil, irregular(err)
	}
	s := stamping{rev: newRevision(f), pages: pages, t: newTypesetter(e.fonts), pictures: pictureSet{}}
	sheets, err := s.compose(marks)
	if err != nil {
		return nil, err
	}
	var evidence []*sheet
	if audit != nil {
		if evidence, err = setAudit(s.t, *audit); err != nil {
			return nil, err
		}
	}
	if len(sheets)+len(evidence) == 0 {
		return f.buf, nil
	}
	if err := s.draw(sheets, evidence); err != nil {
		return nil, err
	}
	if audit != nil && audit.Trail != nil {
		if err := s.rev.attachTo(trailAttachment(audit.Trail, audit.made())); err != nil {
			return nil, irregular(err)
		}
	}
	return s.rev.finish(), nil
}

// regular opens a file that can be added to. Prepare gives nothing else; a file that is irregular all the same, or whose
// signatures forbid that anything is added, is written anew.
func (e *Engine) regular(ctx context.Context, pdf []byte) (*pdfFile, error) {
	f, err := openPDF(pdf)
	if err == nil {
		err = f.canGrow()
	}
	if err != nil {
		if pdf, err = e.rewrite(ctx, pdf); err != nil {
			return nil, err
		}
		if f, err = openPDF(pdf); err != nil {
			return nil, irregular(err)
		}
	}
	if !f.hasSignatures() || keepsSignatures(f.buf) {
		return f, nil
	}
	if pdf, err = DropSignatures(f.buf); err != nil {
		return nil, err
	}
	return openPDF(pdf)
}

func irregular(err error) error {
	return refuse(KindDamaged, "This PDF is damaged and can't be repaired. Open it in a PDF viewer and save or print it to a new PDF.", err)
}

// rewrite has PDFium save the whole file.
func (e *Engine) rewrite(ctx context.Context, pdf []byte) (out []byte, err error) {
	err = e.with(ctx, func(s *session) error {
		doc, err := s.open(pdf)
		if err == nil {
			out, err = s.save(doc, requests.SaveFlagRemoveSecurity)
		}
		return err
	})
	return out, err
}

// canGrow says why a revision can't be added to the file; nil when it can.
func (f *pdfFile) canGrow() error {
	if _, encrypted := f.trailer().get("Encrypt"); encrypted {
		return errors.New("it is encrypted")
	}
	_, err := f.leaves()
	return err
}

func (f *pdfFile) hasForm() bool {
	_, root, err := f.catalog()
	return err == nil && f.dict(root.vals["AcroForm"]) != nil
}

// hasSignatures tells whether a field of the form is signed, or whether that can't be told.
func (f *pdfFile) hasSignatures() bool {
	fields, err := f.signatureFields()
	return err != nil || slices.ContainsFunc(fields, func(fd sigField) bool { return fd.value != nil })
}

// stamping is one revision in the making.
type stamping struct {
	rev      *pdfRevision
	pages    []leaf
	t        *typesetter
	pictures pictureSet
}

// stampedPage is what happens to one page.
type stampedPage struct {
	shape  pageShape
	sheet  *sheet
	marks  []Mark
	annots pdfArray // those that stay; nil: all
	below  []appearance
}

// compose shapes all marks before any is drawn.
func (s *stamping) compose(marks []Mark) (map[int]*stampedPage, error) {
	out := map[int]*stampedPage{}
	for _, m := range marks {
		if err := m.check(len(s.pages)); err != nil {
			return nil, err
		}
		if out[m.Page] == nil {
			out[m.Page] = &stampedPage{shape: s.rev.file.shape(s.pages[m.Page]), sheet: &sheet{}}
		}
		out[m.Page].marks = append(out[m.Page].marks, m)
	}
	for _, index := range slices.Sorted(maps.Keys(out)) {
		if err := s.composePage(index, out[index]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *stamping) composePage(index int, p *stampedPage) error {
	if p.shape.width < minSide || p.shape.height < minSide {
		return damagedPage(index, errors.New("it has no size"))
	}
	for _, m := range p.marks {
		if err := m.draw(s.t, p.sheet, p.shape.width, p.shape.height, s.pictures); err != nil {
			return err
		}
	}
	return nil
}

func (s *stamping) draw(sheets map[int]*stampedPage, evidence []*sheet) error {
	d := newDrawing(s.rev, &s.t.glyphs)
	for _, index := range slices.Sorted(maps.Keys(sheets)) {
		p := sheets[index]
		if err := d.over(s.pages[index], p.shape, p.sheet, p.below, p.annots); err != nil {
			return fmt.Errorf("page %d: %w", index+1, err)
		}
	}
	return s.rev.appendPages(len(s.pages), func(parent pdfRef) (pdfArray, error) { return d.newPages(parent, evidence) })
}

// newPages adds A4 pages.
func (d *drawing) newPages(parent pdfRef, sheets []*sheet) (refs pdfArray, err error) {
	for _, sh := range sheets {
		ref, err := d.newPage(parent, a4Width, a4Height, sh)
		if err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, nil
}
