package desk

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
)

// ImportForm uses the form fields that a draft's document has of its own as
// fields of a recipient: they are taken out of the PDF and become ours, with
// their types, places, choices and values. The error is Invalid when there are
// none, and Conflict when they are in use already.
func (d *Desk) ImportForm(ctx context.Context, who Who, id, documentID, recipientID int64) (paraph.Envelope, error) {
	e, err := d.Store.Envelope(ctx, who.AccountID, id)
	if err != nil {
		return e, err
	}
	doc, ok := e.Document(documentID)
	if !ok {
		return e, paraph.Errorf(paraph.NotFound, "This document is not in the envelope.")
	}
	taken, err := d.takeForm(ctx, doc)
	if err != nil {
		return e, wrap(refused(doc.Name, "fields", err), "import form of document", documentID)
	}
	for i := range taken.Fields {
		taken.Fields[i].RecipientID = recipientID
	}
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		if is, _ := e.Document(documentID); is.Original != doc.Original {
			return e, nil, paraph.Errorf(paraph.Conflict, "The document changed meanwhile. Load the page again.")
		}
		return e.ImportFields(taken, who.Actor, now)
	})
}

// takeForm makes fields of a document's own, and the PDF without them.
func (d *Desk) takeForm(ctx context.Context, doc paraph.Document) (paraph.Import, error) {
	out := paraph.Import{DocumentID: doc.ID}
	if doc.Imported() || doc.FormFields() == 0 {
		return out, nil // the rule says what is wrong
	}
	pdf, err := d.Blobs.Get(ctx, doc.Original)
	if err != nil {
		return out, err
	}
	flat, fields, err := d.ownFields(ctx, pdf)
	if err != nil || len(fields) == 0 {
		return out, err
	}
	for _, f := range fields {
		out.Fields = append(out.Fields, fieldOf(f, doc.ID))
	}
	out.Size = int64(len(flat))
	out.Flat, err = d.Blobs.Put(ctx, flat)
	return out, err
}

// ownFields are a PDF's form fields, and the PDF without them.
func (d *Desk) ownFields(ctx context.Context, pdf []byte) ([]byte, []seal.FormField, error) {
	fields, err := seal.FormFields(pdf)
	if err != nil || len(fields) == 0 {
		return nil, nil, err
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	flat, err := d.Engine.Flatten(ctx, pdf, names)
	return flat, fields, err
}

// fieldOf is a form field of a PDF as ours.
func fieldOf(f seal.FormField, documentID int64) paraph.Field {
	out := paraph.Field{
		Type: f.Type, Name: f.Name, Required: f.Required,
		Settings: paraph.FieldSettings{Title: f.Label, Default: f.Default, Options: f.Options, FontSize: f.FontSize, FormField: f.Name},
	}
	if out.Settings.FormField == "" {
		out.Settings.FormField = "?" // a field without a name is one of the form all the same
	}
	for _, p := range f.Places {
		out.Areas = append(out.Areas, paraph.Area{DocumentID: documentID, Page: p.Page, X: p.X, Y: p.Y, W: p.W, H: p.H, Option: p.Option})
	}
	return out
}

// RestoreForm takes ImportForm back.
func (d *Desk) RestoreForm(ctx context.Context, who Who, id, documentID int64) (paraph.Envelope, error) {
	return d.change(ctx, ofAccount(who.AccountID, id), func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error) {
		return e.RestoreForm(documentID, who.Actor, now)
	})
}

// WithForm gives an upload whose own form fields are used as ours, and these
// fields; their areas name the document by documentID. It changes nothing when
// the PDF has none.
func (d *Desk) WithForm(ctx context.Context, p Prepared, documentID int64) (Prepared, []paraph.Field, error) {
	doc := p.document()
	doc.ID = documentID
	taken, err := d.takeForm(ctx, doc)
	if err != nil || len(taken.Fields) == 0 {
		return p, nil, refused(p.Name, "documents", err)
	}
	p.Prepared, p.PreparedSize = p.Original, p.Size
	p.Original, p.Size = taken.Flat, taken.Size
	return p, taken.Fields, nil
}
