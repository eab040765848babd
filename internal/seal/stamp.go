package seal

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
)

// Stamp draws marks into the content of pages. A file that carries signatures is saved incrementally, so that they
// stay valid for what they signed; others are saved whole. Text is real text and can be searched and copied.
func (e *Engine) Stamp(ctx context.Context, pdf []byte, marks []Mark) ([]byte, error) {
	out, err := e.assemble(ctx, pdf, marks, nil, nil)
	if err != nil {
		return nil, fmt.Errorf("stamp PDF: %w", err)
	}
	return out, nil
}

// Append adds all pages of a second PDF after the first one's.
func (e *Engine) Append(ctx context.Context, pdf, pages []byte) ([]byte, error) {
	out, err := e.assemble(ctx, pdf, nil, pages, nil)
	if err != nil {
		return nil, fmt.Errorf("append pages: %w", err)
	}
	return out, nil
}

// assemble opens a document once, stamps it, appends a document's pages and those of an audit, and saves it once.
func (e *Engine) assemble(ctx context.Context, pdf []byte, marks []Mark, pages []byte, audit *Audit) ([]byte, error) {
	if err := e.checkBytes(pdf); err != nil {
		return nil, err
	}
	stamped := map[int]bool{}
	for _, m := range marks {
		stamped[m.Page] = true
	}
	pdf = tidyPages(pdf, stamped)
	var out []byte
	err := e.with(ctx, e.fast, func(s *session) error {
		doc, err := s.open(pdf)
		if err != nil {
			return err
		}
		traits, err := s.traits(doc, pdf)
		if err != nil {
			return err
		}
		flags := saveFlags(traits, pdf)
		if traits.HasForm && flags != requests.SaveFlagIncremental {
			below, err := s.yield(doc, marks)
			if err != nil {
				return err
			}
			marks = append(below, marks...)
		}
		if err := e.drawAll(s, doc, marks, pages, audit); err != nil {
			return err
		}
		if out, err = s.save(doc, flags); err == nil && traits.Signed {
			out, err = settleSigned(pdf, out, flags == requests.SaveFlagIncremental)
		}
		return err
	})
	return out, err
}

// saveFlags keeps a signed file's bytes in place. One that had to be repaired or decrypted can't be added to, nor one
// whose signatures forbid it.
func saveFlags(i Info, pdf []byte) requests.SaveFlags {
	if i.Signed && !i.Repaired && !i.WasEncrypted && keepsSignatures(pdf) {
		return requests.SaveFlagIncremental
	}
	return requests.SaveFlagRemoveSecurity
}

func (s *session) appendFrom(doc references.FPDF_DOCUMENT, pages []byte) error {
	from, err := s.open(pages)
	if err != nil {
		return err
	}
	n, err := s.pageCount(doc)
	if err != nil {
		return err
	}
	if _, err := s.pdfium.FPDF_ImportPages(&requests.FPDF_ImportPages{Source: from, Destination: doc, Index: n}); err != nil {
		return fmt.Errorf("import pages: %w", err)
	}
	return nil
}

// drawAll draws marks and audit pages with one font, and puts the pages of another document between them.
func (e *Engine) drawAll(s *session, doc references.FPDF_DOCUMENT, marks []Mark, pages []byte, audit *Audit) error {
	t := newTypesetter(e.fonts)
	stamps, err := s.compose(doc, t, marks)
	if err != nil {
		return err
	}
	var evidence []*sheet
	if audit != nil {
		if evidence, err = setAudit(t, *audit); err != nil {
			return err
		}
	}
	font, err := s.loadFont(doc, &t.glyphs)
	if err != nil {
		return err
	}
	if err := s.paintPages(doc, font, stamps); err != nil {
		return err
	}
	if pages != nil {
		if err := s.appendFrom(doc, pages); err != nil {
			return err
		}
	}
	return s.addSheets(doc, font, evidence)
}

func (s *session) paintPages(doc references.FPDF_DOCUMENT, font references.FPDF_FONT, sheets map[int]*sheet) error {
	for _, index := range slices.Sorted(maps.Keys(sheets)) {
		page, err := s.page(doc, index)
		if err != nil {
			return damagedPage(index, err)
		}
		if err := s.paint(doc, page, font, sheets[index]); err != nil {
			return fmt.Errorf("page %d: %w", index+1, err)
		}
		s.closePage(page)
	}
	return nil
}

// compose shapes all marks before any is drawn.
func (s *session) compose(doc references.FPDF_DOCUMENT, t *typesetter, marks []Mark) (map[int]*sheet, error) {
	pages, err := s.pageCount(doc)
	if err != nil {
		return nil, err
	}
	sheets := map[int]*sheet{}
	sizes := map[int]Page{}
	pictures := pictureSet{}
	for _, m := range marks {
		if err := m.check(pages); err != nil {
			return nil, err
		}
		if sheets[m.Page] == nil {
			size, err := s.pdfium.FPDF_GetPageSizeByIndexF(&requests.FPDF_GetPageSizeByIndexF{Document: doc, Index: m.Page})
			if err != nil {
				return nil, damagedPage(m.Page, err)
			}
			sheets[m.Page] = &sheet{}
			sizes[m.Page] = Page{Width: float64(size.Size.Width), Height: float64(size.Size.Height)}
		}
		if err := m.draw(t, sheets[m.Page], sizes[m.Page].Width, sizes[m.Page].Height, pictures); err != nil {
			return nil, err
		}
	}
	return sheets, nil
}
