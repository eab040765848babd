package desk

import (
	"bytes"
	"context"
	"io"

	"github.com/paraph-sign/paraph"
)

// File is bytes to hand out. Whoever has it closes it.
type File struct {
	io.ReadCloser
	Name        string
	ContentType string
	Size        int64  // in bytes; -1: not known before it is read
	Tag         string // names these very bytes
}

const pdfType = "application/pdf"

func (d *Desk) stored(ctx context.Context, digest, name, contentType string) (File, error) {
	body, size, err := d.Blobs.Open(ctx, digest)
	return File{ReadCloser: body, Name: fileName(name), ContentType: contentType, Size: size, Tag: digest}, err
}

// named opens what is stored under a name that the account has for it.
func (d *Desk) named(ctx context.Context, e *paraph.Envelope, digest, name string, status fileStatus) (File, error) {
	n, err := d.namer(ctx, e)
	if err != nil {
		return File{}, err
	}
	body, size, err := d.Blobs.Open(ctx, digest)
	return File{ReadCloser: body, Name: n.file(name, status, ".pdf"), ContentType: pdfType, Size: size, Tag: digest}, err
}

// OriginalFile is a document as it was when it was sent.
func (d *Desk) OriginalFile(ctx context.Context, e *paraph.Envelope, doc paraph.Document) (File, error) {
	return d.named(ctx, e, doc.Original, doc.Name, statusOriginal)
}

// SealedFile is a document with its seal. The error is NotFound until there
// is one.
func (d *Desk) SealedFile(ctx context.Context, e *paraph.Envelope, doc paraph.Document) (File, error) {
	if doc.Sealed == "" {
		return File{}, paraph.Errorf(paraph.NotFound, "This document is not sealed yet.")
	}
	return d.named(ctx, e, doc.Sealed, doc.Name, statusSealed)
}

// CurrentFile is a document as it now stands; see CurrentPDF.
func (d *Desk) CurrentFile(ctx context.Context, e *paraph.Envelope, doc paraph.Document) (File, error) {
	if doc.Sealed != "" {
		return d.SealedFile(ctx, e, doc)
	}
	n, err := d.namer(ctx, e)
	if err != nil {
		return File{}, err
	}
	pdf, err := d.CurrentPDF(ctx, e, doc)
	if err != nil {
		return File{}, wrap(err, "draw document", doc.ID)
	}
	return File{io.NopCloser(bytes.NewReader(pdf)), n.file(doc.Name, statusCurrent, ".pdf"), pdfType, int64(len(pdf)), StateTag(e, doc)}, nil
}

// AuditFile is the audit log of a sealed envelope. The error is NotFound until
// there is one, and when the audit pages are no file of their own.
func (d *Desk) AuditFile(ctx context.Context, e *paraph.Envelope) (File, error) {
	switch {
	case e.SealedAt.IsZero():
		return File{}, paraph.Errorf(paraph.NotFound, "The audit log is made when everybody has signed.")
	case e.AuditLog == "":
		return File{}, paraph.Errorf(paraph.NotFound, "The audit log stands at the end of each sealed document.")
	}
	return d.named(ctx, e, e.AuditLog, e.Name, statusAudit)
}

// ValueFile is the picture of a signature or initials. The error is NotFound
// when the field holds none.
func (d *Desk) ValueFile(ctx context.Context, f paraph.Field) (File, error) {
	if f.Value.Image == "" {
		return File{}, paraph.Errorf(paraph.NotFound, "Nothing was signed here yet.")
	}
	return d.stored(ctx, f.Value.Image, string(f.Type)+".png", "image/png")
}

// LinkedFile is what a link to a file leads to; see Links.OpenFile. The error
// is NotFound when the envelope has been deleted.
func (d *Desk) LinkedFile(ctx context.Context, ref FileRef) (File, error) {
	gone := paraph.Errorf(paraph.NotFound, "There is no file at this address any more.")
	e, err := d.Store.AnyEnvelope(ctx, ref.EnvelopeID)
	switch {
	case err != nil:
		return File{}, err
	case !e.DeletedAt.IsZero():
		return File{}, gone
	}
	switch ref.Kind {
	case FileDocument:
		if doc, ok := e.Document(ref.ID); ok {
			return d.CurrentFile(ctx, &e, doc)
		}
	case FileOriginal:
		if doc, ok := e.Document(ref.ID); ok {
			return d.OriginalFile(ctx, &e, doc)
		}
	case FileAudit:
		return d.AuditFile(ctx, &e)
	case FileCombined:
		return d.CombinedFile(ctx, &e)
	case FileArchive:
		return d.ArchiveFile(ctx, &e)
	case FileValue:
		if f, ok := e.Field(ref.ID); ok {
			return d.ValueFile(ctx, f)
		}
	}
	return File{}, gone
}
