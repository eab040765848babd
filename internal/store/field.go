package store

import (
	"context"
	"slices"

	"github.com/paraph-sign/paraph"
)

const fieldColumns = "id, envelope_id, recipient_id, uuid, type, name, required, read_only, settings, areas, position, value, entered_at"

func scanField(scan func(...any) error) (f paraph.Field, err error) {
	err = scan(&f.ID, &f.EnvelopeID, &f.RecipientID, &f.UUID, &f.Type, &f.Name, &f.Required, &f.ReadOnly, opaque{&f.Settings},
		opaque{&f.Areas}, &f.Position, opaque{&f.Value}, at{&f.EnteredAt})
	return f, err
}

// saveFields also gives the fields the real ids of recipients and documents
// that were placeholders until now, and deletes those that are gone.
func (tx *Tx) saveFields(ctx context.Context, was, e *paraph.Envelope, documents, recipients map[int64]int64) error {
	for i := range e.Fields {
		rename(&e.Fields[i], documents, recipients)
	}
	id := func(f paraph.Field) int64 { return f.ID }
	if err := tx.deleteRows(ctx, "fields", missing(was.Fields, e.Fields, id)); err != nil {
		return err
	}
	added, differ := changed(was.Fields, e.Fields, id)
	ids, err := tx.insertRows(ctx, "fields (envelope_id, recipient_id, uuid, type, name, required, read_only, settings, areas, position, value, entered_at)",
		len(added), func(a *args, i int) string {
			f := e.Fields[added[i]]
			return a.row(e.ID, f.RecipientID, f.UUID, f.Type, f.Name, f.Required, f.ReadOnly, asJSON(f.Settings), asJSON(f.Areas),
				f.Position, asJSON(f.Value), micros(f.EnteredAt))
		})
	if err != nil {
		return err
	}
	for _, i := range added {
		f := &e.Fields[i]
		f.ID, f.EnvelopeID = ids[f.UUID], e.ID
	}
	for _, i := range differ {
		f := e.Fields[i]
		if _, err := tx.exec(ctx, `UPDATE fields SET recipient_id = $1, type = $2, name = $3, required = $4, read_only = $5, settings = $6,
			areas = $7, position = $8, value = $9, entered_at = $10 WHERE id = $11`,
			f.RecipientID, f.Type, f.Name, f.Required, f.ReadOnly, asJSON(f.Settings), asJSON(f.Areas), f.Position, asJSON(f.Value),
			micros(f.EnteredAt), f.ID); err != nil {
			return err
		}
	}
	return nil
}

func rename(f *paraph.Field, documents, recipients map[int64]int64) {
	if id, ok := recipients[f.RecipientID]; ok {
		f.RecipientID = id
	}
	if !slices.ContainsFunc(f.Areas, func(a paraph.Area) bool { return documents[a.DocumentID] != 0 }) {
		return
	}
	f.Areas = slices.Clone(f.Areas)
	for i, a := range f.Areas {
		if id, ok := documents[a.DocumentID]; ok {
			f.Areas[i].DocumentID = id
		}
	}
}
