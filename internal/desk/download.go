package desk

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
)

// maxCombined bounds what is combined to one PDF, in bytes of its parts: they
// are all in memory at once.
const maxCombined = 256 << 20

// CombinedFile is the sealed documents of an envelope and its audit log as one
// PDF, for reading: it carries no seal, and says so. The error is NotFound
// until they are sealed, TooLarge when they are too much for memory.
func (d *Desk) CombinedFile(ctx context.Context, e *paraph.Envelope) (File, error) {
	if e.SealedAt.IsZero() {
		return File{}, paraph.Errorf(paraph.NotFound, "The documents are combined once everybody has signed.")
	}
	n, err := d.namer(ctx, e)
	if err != nil {
		return File{}, err
	}
	p, err := d.preferencesOf(ctx, e)
	if err != nil {
		return File{}, err
	}
	leave, err := d.busy.enterWithin(ctx, maxWait)
	if err != nil {
		return File{}, err
	}
	defer leave()
	c := seal.Combined{Title: e.Name, ID: e.PublicID, Instance: d.Instance, VerifyURL: d.Links.Verify(), Language: p.Language}
	if c.Parts, err = d.parts(ctx, e); err != nil {
		return File{}, err
	}
	pdf, err := d.Engine.Combine(ctx, c)
	if err != nil {
		return File{}, wrap(err, "combine envelope", e.ID)
	}
	sum := sha256.Sum256(pdf)
	return File{io.NopCloser(bytes.NewReader(pdf)), n.file(e.Name, statusCombined, ".pdf"), pdfType, int64(len(pdf)), hex.EncodeToString(sum[:])}, nil
}

func (d *Desk) parts(ctx context.Context, e *paraph.Envelope) (parts []seal.CombinedPart, err error) {
	for _, doc := range e.Documents {
		parts = append(parts, seal.CombinedPart{Name: doc.Name, SHA256: doc.Sealed})
	}
	if e.AuditLog != "" {
		parts = append(parts, seal.CombinedPart{Name: "Audit Log", SHA256: e.AuditLog})
	}
	room := int64(maxCombined)
	for i, p := range parts {
		body, size, err := d.Blobs.Open(ctx, p.SHA256)
		if err != nil {
			return nil, err
		}
		if room -= size; room < 0 {
			return nil, errors.Join(paraph.Errorf(paraph.TooLarge, "These documents are too large for one PDF; take them as a ZIP."), body.Close())
		}
		parts[i].PDF, err = io.ReadAll(io.LimitReader(body, size))
		if err = errors.Join(err, body.Close()); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// entry is a file in the archive of an envelope.
type entry struct {
	folder string
	at     time.Time
	open   func(context.Context) (File, error)
}

// ArchiveFile is all files of an envelope as a ZIP: the documents as they now
// stand, the audit log when there is one, and in a folder the originals. Its
// size is not known before it is read, -1; one file at a time is in memory. If
// one can't be read, reading the archive fails.
func (d *Desk) ArchiveFile(ctx context.Context, e *paraph.Envelope) (File, error) {
	if len(e.Documents) == 0 {
		return File{}, paraph.Errorf(paraph.NotFound, "There is no document in this envelope yet.")
	}
	n, err := d.namer(ctx, e)
	if err != nil {
		return File{}, err
	}
	r, w := io.Pipe()
	entries := d.entries(e)
	go func() { w.CloseWithError(writeArchive(ctx, w, entries)) }() // ends at the latest when the reader is closed
	return File{r, n.file(e.Name, statusAll, ".zip"), "application/zip", -1, archiveTag(e, n)}, nil
}

func archiveTag(e *paraph.Envelope, n namer) string {
	h := sha256.New()
	fmt.Fprintf(h, "%+v %s", n, e.AuditLog)
	for _, doc := range e.Documents {
		fmt.Fprintf(h, " %d %q %s %s", doc.ID, doc.Name, doc.Original, StateTag(e, doc))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (d *Desk) entries(e *paraph.Envelope) (all []entry) {
	for _, doc := range e.Documents {
		all = append(all, entry{"", doc.UpdatedAt, func(ctx context.Context) (File, error) { return d.CurrentFile(ctx, e, doc) }})
	}
	if e.AuditLog != "" {
		all = append(all, entry{"", e.SealedAt, func(ctx context.Context) (File, error) { return d.AuditFile(ctx, e) }})
	}
	for _, doc := range e.Documents {
		all = append(all, entry{"original/", doc.CreatedAt, func(ctx context.Context) (File, error) { return d.OriginalFile(ctx, e, doc) }})
	}
	return all
}

func writeArchive(ctx context.Context, w io.Writer, entries []entry) error {
	z, names := zip.NewWriter(w), unique{}
	for _, en := range entries {
		if err := en.write(ctx, z, names); err != nil {
			return err
		}
	}
	return z.Close()
}

// write stores the file as it is: a PDF is packed already.
func (en entry) write(ctx context.Context, z *zip.Writer, names unique) error {
	f, err := en.open(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	to, err := z.CreateHeader(&zip.FileHeader{Name: names.name(en.folder, f.Name), Method: zip.Store, Modified: en.at.UTC()})
	if err != nil {
		return err
	}
	_, err = io.Copy(to, f)
	return err
}
