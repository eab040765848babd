package store

import (
	"context"

	"github.com/paraph-sign/paraph"
)

const documentColumns = "id, envelope_id, uuid, data_id, name, position, pages, uploaded, original, sealed, size, created_at, updated_at, notes, uploaded_size, prepared, prepared_size"

func scanDocument(scan func(...any) error) (d paraph.Document, err error) {
	err = scan(&d.ID, &d.EnvelopeID, &d.UUID, &d.DataID, &d.Name, &d.Position, opaque{&d.Pages}, &d.Uploaded, &d.Original,
		&d.Sealed, &d.Size, at{&d.CreatedAt}, at{&d.UpdatedAt}, opaque{&d.Notes}, &d.UploadedSize, &d.Prepared, &d.PreparedSize)
	return d, err
}

func (tx *Tx) saveDocuments(ctx context.Context, was, e *paraph.Envelope, renamed map[int64]int64) error {
	added, differ := changed(was.Documents, e.Documents, func(d paraph.Document) int64 { return d.ID })
	ids, err := tx.insertRows(ctx, `documents (envelope_id, uuid, data_id, name, position, pages, uploaded, original, sealed, size, created_at, updated_at, notes, uploaded_size, prepared, prepared_size)`,
		len(added), func(a *args, i int) string {
			d := e.Documents[added[i]]
			return a.row(e.ID, d.UUID, d.DataID, d.Name, d.Position, asJSON(d.Pages), d.Uploaded, d.Original, d.Sealed, d.Size, micros(d.CreatedAt), micros(d.UpdatedAt), asJSON(d.Notes), d.UploadedSize, d.Prepared, d.PreparedSize)
		})
	if err != nil {
		return err
	}
	for _, i := range added {
		d := &e.Documents[i]
		renamed[d.ID], d.ID, d.EnvelopeID = ids[d.UUID], ids[d.UUID], e.ID
	}
	for _, i := range differ {
		d := e.Documents[i]
		if _, err := tx.exec(ctx, "UPDATE documents SET name = $1, position = $2, sealed = $3, updated_at = $4, original = $5, size = $6, prepared = $7, prepared_size = $8 WHERE id = $9",
			d.Name, d.Position, d.Sealed, micros(d.UpdatedAt), d.Original, d.Size, d.Prepared, d.PreparedSize, d.ID); err != nil {
			return err
		}
	}
	return nil
}
