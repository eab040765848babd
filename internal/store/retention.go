package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Mark is how far a pass over finished deliveries has come. The zero Mark is
// its beginning.
type Mark struct {
	finished int64
	id       int64
}

type finished struct {
	Mark
	endpointID int64
}

func scanFinished(scan func(...any) error) (f finished, err error) {
	err = scan(&f.finished, &f.id, &f.endpointID)
	return f, err
}

// PruneDeliveries looks at up to n deliveries that ended before a time, those
// that ended first beginning after a mark, and removes them with their
// attempts and bodies. Those of the endpoints in keep stay. It tells how many it
// removed and where the next call goes on; the zero Mark says that there are no
// more. Pending deliveries are never touched.
//
// Run it in a Claim: rows that somebody is changing are passed over, and
// nobody can queue one anew while it is being removed.
func (tx *Tx) PruneDeliveries(ctx context.Context, before time.Time, from Mark, n int, keep map[int64]bool) (removed int, next Mark, err error) {
	old, err := all(ctx, tx.q, scanFinished, `SELECT finished_at, id, endpoint_id FROM deliveries
		WHERE state <> 'pending' AND (finished_at, id) > ($1, $2) AND finished_at < $3 AND created_at < $3 ORDER BY finished_at, id LIMIT $4`+tx.d.skip,
		from.finished, from.id, micros(before), n)
	if err != nil {
		return 0, from, fmt.Errorf("find finished deliveries: %w", err)
	}
	if len(old) == n {
		next = old[n-1].Mark
	}
	var ids []int64
	for _, f := range old {
		if !keep[f.endpointID] {
			ids = append(ids, f.id)
		}
	}
	for piece := range pieces(ids, 128) {
		if err := tx.deleteDeliveries(ctx, piece); err != nil {
			return 0, from, fmt.Errorf("remove %d deliveries: %w", len(piece), err)
		}
	}
	return len(ids), next, nil
}

// deleteDeliveries removes deliveries with all that belongs to them.
func (tx *Tx) deleteDeliveries(ctx context.Context, ids []int64) error {
	var a args
	in := " IN (" + list(&a, ids) + ")"
	for _, statement := range []string{"DELETE FROM attempts WHERE delivery_id", "DELETE FROM bodies WHERE id", "DELETE FROM deliveries WHERE id"} {
		if _, err := tx.exec(ctx, statement+in, a...); err != nil {
			return err
		}
	}
	return nil
}

// KeptAttempts is how many of its newest attempts a delivery keeps when it is
// sent anew. Its schedule adds some fifty at most, so that the log of one that
// a program sends again and again is bounded.
const KeptAttempts = 200

// trimAttempts removes all but the newest KeptAttempts of each delivery.
func (tx *Tx) trimAttempts(ctx context.Context, ids []int64) error {
	for piece := range pieces(ids, 128) {
		var a args
		_, err := tx.exec(ctx, "DELETE FROM attempts WHERE delivery_id IN ("+list(&a, piece)+`) AND number <=
			(SELECT MAX(number) FROM attempts AS newest WHERE newest.delivery_id = attempts.delivery_id) - `+a.add(KeptAttempts), a...)
		if err != nil {
			return fmt.Errorf("trim the attempts of %d deliveries: %w", len(piece), err)
		}
	}
	return nil
}

// Of what has run out, this is kept longer than it holds.
const (
	keepIdempotency = 24 * time.Hour
	keepInvitations = 30 * 24 * time.Hour
)

// PruneExpired removes sessions, password resets, invitations and idempotency
// keys that have run out, up to n of each, and reports whether there may be
// more.
func (tx *Tx) PruneExpired(ctx context.Context, n int) (more bool, err error) {
	for _, t := range []struct {
		table, key, column string
		keep               time.Duration
	}{
		{"sessions", "id", "expires_at", 0},
		{"password_resets", "id", "expires_at", 0},
		{"invitations", "id", "expires_at", keepInvitations},
		{"idempotency_keys", "account_id, idempotency_key", "created_at", keepIdempotency},
	} {
		removed, err := tx.exec(ctx, "DELETE FROM "+t.table+" WHERE ("+t.key+") IN (SELECT "+t.key+" FROM "+t.table+
			" WHERE "+t.column+" < $1 ORDER BY "+t.column+" LIMIT $2)", micros(tx.now.Add(-t.keep)), n)
		if err != nil {
			return false, fmt.Errorf("remove expired %s: %w", t.table, err)
		}
		more = more || removed == int64(n)
	}
	return more, nil
}

// Free space of up to a sixteenth of the file, and of 1 MB, stays: what comes
// next takes it.
const (
	slackShare = 16
	slackPages = 256
)

// GiveBack hands up to n pages (4 KB each) of free space of a SQLite file back
// to the disk, and reports whether there is more to give. On Postgres it does
// nothing: autovacuum does.
func (s *Store) GiveBack(ctx context.Context, n int) (more bool, err error) {
	if s.d.driver != "sqlite" {
		return false, nil
	}
	space, err := s.space(ctx, s.read)
	if err != nil || !space.gives {
		return false, err
	}
	spare := space.free - max(space.pages/slackShare, slackPages)
	if spare <= 0 {
		return false, nil
	}
	// It answers a row for each page, and stops when nobody asks for the next.
	if _, err := all(ctx, s.write, scanNothing, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", min(spare, n))); err != nil {
		return false, fmt.Errorf("give space back: %w", err)
	}
	s.checkpoints.dirty.Store(true)
	return spare > n, nil
}

func scanNothing(scan func(...any) error) (struct{}, error) { return struct{}{}, nil }

// fileSpace is how a SQLite file's pages are used.
type fileSpace struct {
	pages, free int
	gives       bool // it was made so that free pages can be given back
}

func (s *Store) space(ctx context.Context, db *sql.DB) (f fileSpace, err error) {
	var mode string
	for pragma, v := range map[string]any{"page_count": &f.pages, "freelist_count": &f.free, "auto_vacuum": &mode} {
		if err := db.QueryRowContext(ctx, "PRAGMA "+pragma).Scan(v); err != nil {
			return f, fmt.Errorf("ask for %s: %w", pragma, err)
		}
	}
	f.gives = mode == giving
	return f, nil
}

// smallFile is how many pages a file may have that is written anew without
// being asked: 64 MB, which take a second.
const smallFile = 16 << 10

// makeGiving writes a SQLite file anew that was made before files gave space
// back, if it is small. A large one stays as it is until somebody calls Vacuum.
func (s *Store) makeGiving(ctx context.Context) {
	if s.d.driver != "sqlite" {
		return
	}
	space, err := s.space(ctx, s.write)
	switch {
	case err != nil:
		s.log.Warn("look at the database file", "error", err)
	case space.gives:
	case space.pages > smallFile:
		s.log.Info("this database file can't give space back to the disk yet; `paraph vacuum` makes it so while the server is stopped")
	default:
		if err := s.Vacuum(ctx); err != nil {
			s.log.Info("the database file was not made to give space back; it will be tried at the next start", "error", err)
		}
	}
}

// Vacuum writes a SQLite file anew without its free space, and so that it can
// give space back from then on. It takes as much space again while it lasts,
// and nobody else can write meanwhile. Postgres vacuums by itself; there it does
// nothing.
func (s *Store) Vacuum(ctx context.Context) error {
	if s.d.driver != "sqlite" {
		return nil
	}
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return s.told(fmt.Errorf("write the database file anew: %w", err))
	}
	defer conn.Close()
	for _, statement := range []string{"PRAGMA auto_vacuum=" + giving, "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return s.told(fmt.Errorf("write the database file anew: %s: %w", statement, err))
		}
	}
	return nil
}
