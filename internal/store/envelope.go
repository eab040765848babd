package store

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/paraph-sign/paraph"
)

const envelopeColumns = `envelopes.id, envelopes.account_id, envelopes.owner_id, envelopes.public_id, envelopes.slug, envelopes.name,
	envelopes.status, envelopes.source, envelopes.sequential, envelopes.subject, envelopes.message, envelopes.external_id,
	envelopes.redirect_to, envelopes.reply_to, envelopes.expire_at, envelopes.created_at, envelopes.updated_at, envelopes.sent_at,
	envelopes.ended_at, envelopes.sealed_at, envelopes.archived_at, envelopes.deleted_at, envelopes.audit_log, envelopes.version,
	envelopes.language, envelopes.time_zone, envelopes.seal_level, envelopes.stamp_at, envelopes.own_signatures`

func scanEnvelope(scan func(...any) error) (e paraph.Envelope, err error) {
	err = scan(&e.ID, &e.AccountID, &e.OwnerID, &e.PublicID, &e.Slug, &e.Name, &e.Status, &e.Source, &e.Sequential, &e.Subject,
		&e.Message, &e.ExternalID, &e.RedirectTo, &e.ReplyTo, at{&e.ExpireAt}, at{&e.CreatedAt}, at{&e.UpdatedAt}, at{&e.SentAt},
		at{&e.EndedAt}, at{&e.SealedAt}, at{&e.ArchivedAt}, at{&e.DeletedAt}, &e.AuditLog, &e.Version, &e.Language, &e.TimeZone,
		&e.SealLevel, at{&e.StampAt}, &e.OwnSignatures)
	return e, err
}

const noEnvelope = "This envelope is not here, or it belongs to another space."

// Envelope answers a whole envelope of an account. Deleted ones are not found.
func (r Reader) Envelope(ctx context.Context, accountID, id int64) (paraph.Envelope, error) {
	return r.wholeEnvelope(ctx, "envelopes.account_id = $1 AND envelopes.id = $2 AND envelopes.deleted_at = 0", accountID, id)
}

// EnvelopeByToken answers the envelope to which a signing link's token
// belongs, deleted ones too, for their page says so.
func (r Reader) EnvelopeByToken(ctx context.Context, token string) (paraph.Envelope, paraph.Recipient, error) {
	e, err := r.wholeEnvelope(ctx, "envelopes.id = (SELECT envelope_id FROM recipients WHERE token_hash = $1)", paraph.TokenHash(token))
	if err != nil {
		return e, paraph.Recipient{}, err
	}
	rec, ok := e.RecipientByToken(token)
	if !ok {
		return paraph.Envelope{}, rec, paraph.Errorf(paraph.NotFound, noEnvelope)
	}
	return e, rec, nil
}

// EnvelopeBySlug answers the envelope of a preview link.
func (r Reader) EnvelopeBySlug(ctx context.Context, slug string) (paraph.Envelope, error) {
	return r.wholeEnvelope(ctx, "envelopes.slug = $1 AND envelopes.deleted_at = 0", slug)
}

// AnyEnvelope answers an envelope of whatever account, for the server's own
// work on it.
func (tx *Tx) AnyEnvelope(ctx context.Context, id int64) (paraph.Envelope, error) {
	return tx.wholeEnvelope(ctx, "envelopes.id = $1", id)
}

// AnyEnvelope is Tx.AnyEnvelope outside a transaction.
func (s *Store) AnyEnvelope(ctx context.Context, id int64) (paraph.Envelope, error) {
	return s.wholeEnvelope(ctx, "envelopes.id = $1", id)
}

// EnvelopeOfRecipient answers the id of the envelope that a recipient of the
// account belongs to.
func (r Reader) EnvelopeOfRecipient(ctx context.Context, accountID, recipientID int64) (int64, error) {
	return one(ctx, r.q, "This recipient is not here, or belongs to another space.", scanInt, `SELECT envelopes.id FROM recipients
		JOIN envelopes ON envelopes.id = recipients.envelope_id
		WHERE recipients.id = $1 AND envelopes.account_id = $2 AND envelopes.deleted_at = 0`, recipientID, accountID)
}

func (r Reader) wholeEnvelope(ctx context.Context, where string, args ...any) (paraph.Envelope, error) {
	e, err := one(ctx, r.q, noEnvelope, scanEnvelope, "SELECT "+envelopeColumns+" FROM envelopes WHERE "+where, args...)
	if err != nil {
		return e, err
	}
	es := []paraph.Envelope{e}
	if err := r.parts(ctx, es); err != nil {
		return e, err
	}
	fields, err := all(ctx, r.q, scanField, "SELECT "+fieldColumns+" FROM fields WHERE envelope_id = $1 ORDER BY position, id", e.ID)
	es[0].Fields = fields
	return es[0], err
}

// parts loads the documents and recipients of envelopes with one query each.
func (r Reader) parts(ctx context.Context, es []paraph.Envelope) error {
	if len(es) == 0 {
		return nil
	}
	var a args
	index := make(map[int64]*paraph.Envelope, len(es))
	ids := make([]int64, len(es))
	for i := range es {
		index[es[i].ID], ids[i] = &es[i], es[i].ID
	}
	in := list(&a, ids)
	docs, err := all(ctx, r.q, scanDocument, "SELECT "+documentColumns+" FROM documents WHERE envelope_id IN ("+in+") ORDER BY envelope_id, position, id", a...)
	if err != nil {
		return err
	}
	for _, d := range docs {
		e := index[d.EnvelopeID]
		e.Documents = append(e.Documents, d)
	}
	recipients, err := all(ctx, r.q, scanRecipient, "SELECT "+recipientColumns+" FROM recipients WHERE envelope_id IN ("+in+") ORDER BY envelope_id, sign_order, id", a...)
	if err != nil {
		return err
	}
	for _, rec := range recipients {
		e := index[rec.EnvelopeID]
		e.Recipients = append(e.Recipients, rec)
	}
	return nil
}

// EnvelopeFilter chooses among the envelopes of an account. Zero values choose
// all that are neither archived nor deleted.
type EnvelopeFilter struct {
	Status   paraph.Status
	Query    string // in its name, its recipients' names and addresses, its external id
	Slug     string
	Archived bool
	Before   int64 // only ids below; 0: no bound
	After    int64 // only ids above, and the lowest of those
	Limit    int
}

func (f EnvelopeFilter) where(a *args, accountID int64) string {
	w := []string{"account_id = " + a.add(accountID), "deleted_at = 0"}
	if f.Archived {
		w = append(w, "archived_at > 0")
	} else {
		w = append(w, "archived_at = 0")
	}
	if f.Status != "" {
		w = append(w, "status = "+a.add(f.Status))
	}
	if q := strings.TrimSpace(f.Query); q != "" {
		w = append(w, "search LIKE "+a.add(likePattern(q))+` ESCAPE '\'`)
	}
	if f.Slug != "" {
		w = append(w, "slug = "+a.add(f.Slug))
	}
	if f.Before > 0 {
		w = append(w, "id < "+a.add(f.Before))
	}
	if f.After > 0 {
		w = append(w, "id > "+a.add(f.After))
	}
	return strings.Join(w, " AND ")
}

// Envelopes answers a page of envelopes, newest first, without their fields.
// Limit is needed; it is at most 200.
func (r Reader) Envelopes(ctx context.Context, accountID int64, f EnvelopeFilter) ([]paraph.Envelope, error) {
	var a args
	order := "DESC"
	if f.After > 0 {
		order = "ASC"
	}
	query := "SELECT " + envelopeColumns + " FROM envelopes WHERE " + f.where(&a, accountID) +
		" ORDER BY id " + order + " LIMIT " + a.add(min(max(f.Limit, 1), 200))
	es, err := all(ctx, r.q, scanEnvelope, query, a...)
	if err != nil {
		return nil, err
	}
	if f.After > 0 {
		for i, j := 0, len(es)-1; i < j; i, j = i+1, j-1 {
			es[i], es[j] = es[j], es[i]
		}
	}
	return es, r.parts(ctx, es)
}

// CountEnvelopes counts an account's envelopes by status, under a filter's
// other conditions.
func (r Reader) CountEnvelopes(ctx context.Context, accountID int64, f EnvelopeFilter) (map[paraph.Status]int, error) {
	f.Status, f.Before, f.After = "", 0, 0
	var a args
	type row struct {
		status paraph.Status
		n      int
	}
	scan := func(scan func(...any) error) (x row, err error) { err = scan(&x.status, &x.n); return x, err }
	rows, err := all(ctx, r.q, scan, "SELECT status, COUNT(*) FROM envelopes WHERE "+f.where(&a, accountID)+" GROUP BY status", a...)
	counts := make(map[paraph.Status]int, len(rows))
	for _, x := range rows {
		counts[x.status] = x.n
	}
	return counts, err
}

// searchText is what a search looks in: lower case, bounded.
func searchText(e *paraph.Envelope) string {
	parts := []string{e.Name, e.ExternalID}
	for _, r := range e.Recipients {
		parts = append(parts, r.Name, r.Email)
	}
	return paraph.Shorten(strings.ToLower(strings.Join(parts, "\n")), 8000)
}

// InsertEnvelope adds a new envelope with all its parts and sets their ids.
func (tx *Tx) InsertEnvelope(ctx context.Context, e *paraph.Envelope) (err error) {
	e.Version = 1
	e.ID, err = tx.insert(ctx, `INSERT INTO envelopes (account_id, owner_id, public_id, slug, name, status, source, sequential, subject,
		message, external_id, redirect_to, reply_to, expire_at, created_at, updated_at, sent_at, ended_at, sealed_at, archived_at,
		deleted_at, audit_log, version, search, language, time_zone, seal_level, stamp_at, own_signatures)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
		RETURNING id`,
		e.AccountID, e.OwnerID, e.PublicID, e.Slug, e.Name, e.Status, e.Source, e.Sequential, e.Subject, e.Message, e.ExternalID,
		e.RedirectTo, e.ReplyTo, micros(e.ExpireAt), micros(e.CreatedAt), micros(e.UpdatedAt), micros(e.SentAt), micros(e.EndedAt),
		micros(e.SealedAt), micros(e.ArchivedAt), micros(e.DeletedAt), e.AuditLog, e.Version, searchText(e), e.Language, e.TimeZone,
		e.SealLevel, micros(e.StampAt), e.OwnSignatures)
	if err != nil {
		return fmt.Errorf("insert envelope: %w", err)
	}
	return tx.saveParts(ctx, &paraph.Envelope{ID: e.ID}, e)
}

// SaveEnvelope writes what differs between the envelope as it was loaded and
// as it shall be, and sets the ids of new parts. When somebody else saved
// meanwhile the error is a Conflict.
func (tx *Tx) SaveEnvelope(ctx context.Context, was paraph.Envelope, e *paraph.Envelope) error {
	e.Version = was.Version + 1
	n, err := tx.exec(ctx, `UPDATE envelopes SET name = $1, status = $2, sequential = $3, subject = $4, message = $5, external_id = $6,
		redirect_to = $7, reply_to = $8, expire_at = $9, updated_at = $10, sent_at = $11, ended_at = $12, sealed_at = $13,
		archived_at = $14, deleted_at = $15, audit_log = $16, version = $17, search = $18, language = $19,
		time_zone = $20, seal_level = $21, stamp_at = $22, own_signatures = $23
		WHERE id = $24 AND version = $25`,
		e.Name, e.Status, e.Sequential, e.Subject, e.Message, e.ExternalID, e.RedirectTo, e.ReplyTo, micros(e.ExpireAt),
		micros(e.UpdatedAt), micros(e.SentAt), micros(e.EndedAt), micros(e.SealedAt), micros(e.ArchivedAt), micros(e.DeletedAt),
		e.AuditLog, e.Version, searchText(e), e.Language, e.TimeZone, e.SealLevel, micros(e.StampAt), e.OwnSignatures, was.ID, was.Version)
	if err != nil {
		return fmt.Errorf("save envelope %d: %w", was.ID, err)
	}
	if n == 0 {
		return paraph.Errorf(paraph.Conflict, "Somebody else changed this envelope just now; look again.")
	}
	return tx.saveParts(ctx, &was, e)
}

func (tx *Tx) saveParts(ctx context.Context, was, e *paraph.Envelope) error {
	documents, recipients := map[int64]int64{}, map[int64]int64{} // placeholder id → id; both kinds begin at -1
	if err := tx.saveDocuments(ctx, was, e, documents); err != nil {
		return fmt.Errorf("save documents of envelope %d: %w", e.ID, err)
	}
	if err := tx.saveRecipients(ctx, was, e, recipients); err != nil {
		return fmt.Errorf("save recipients of envelope %d: %w", e.ID, err)
	}
	if err := tx.saveFields(ctx, was, e, documents, recipients); err != nil {
		return fmt.Errorf("save fields of envelope %d: %w", e.ID, err)
	}
	if err := tx.rememberSealed(ctx, was, e); err != nil {
		return fmt.Errorf("remember the sealed files of envelope %d: %w", e.ID, err)
	}
	for table, gone := range map[string][]int64{
		"recipients": missing(was.Recipients, e.Recipients, func(r paraph.Recipient) int64 { return r.ID }),
		"documents":  missing(was.Documents, e.Documents, func(d paraph.Document) int64 { return d.ID }),
	} {
		if err := tx.deleteRows(ctx, table, gone); err != nil {
			return fmt.Errorf("save envelope %d: %w", e.ID, err)
		}
	}
	return nil
}

// missing are the ids that were there and are no longer.
func missing[T any](was, is []T, id func(T) int64) []int64 {
	kept := make(map[int64]bool, len(is))
	for _, v := range is {
		kept[id(v)] = true
	}
	var gone []int64
	for _, v := range was {
		if !kept[id(v)] {
			gone = append(gone, id(v))
		}
	}
	return gone
}

func (tx *Tx) deleteRows(ctx context.Context, table string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	var a args
	_, err := tx.exec(ctx, "DELETE FROM "+table+" WHERE id IN ("+list(&a, ids)+")", a...)
	return err
}

// insertRows inserts rows of many values at once and answers their ids by
// their uuids, which each row carries.
func (tx *Tx) insertRows(ctx context.Context, into string, n int, row func(a *args, i int) string) (map[string]int64, error) {
	chunk := tx.d.rows(1 + strings.Count(into, ","))
	ids := make(map[string]int64, n)
	for from := 0; from < n; from += chunk {
		var a args
		var rows []string
		for i := from; i < min(n, from+chunk); i++ {
			rows = append(rows, row(&a, i))
		}
		if err := tx.insertChunk(ctx, into, rows, a, ids); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

func (tx *Tx) insertChunk(ctx context.Context, into string, rows []string, a args, ids map[string]int64) error {
	res, err := tx.q.QueryContext(ctx, "INSERT INTO "+into+" VALUES "+strings.Join(rows, ", ")+" RETURNING id, uuid", a...)
	if err != nil {
		return err
	}
	defer res.Close()
	for res.Next() {
		var id int64
		var uuid string
		if err := res.Scan(&id, &uuid); err != nil {
			return err
		}
		ids[uuid] = id
	}
	return res.Err()
}

// changed splits the parts of an envelope into the indices of new ones and of
// those that differ from what they were.
func changed[T any](was, is []T, id func(T) int64) (added, differ []int) {
	old := make(map[int64]T, len(was))
	for _, v := range was {
		old[id(v)] = v
	}
	for i, v := range is {
		o, ok := old[id(v)]
		switch {
		case !ok:
			added = append(added, i)
		case !reflect.DeepEqual(o, v):
			differ = append(differ, i)
		}
	}
	return added, differ
}
