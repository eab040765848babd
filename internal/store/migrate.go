package store

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrate applies what is missing. Two that start together don't get in each
// other's way: on Postgres by a lock; on SQLite one of the two fails, and finds
// the work done when it looks again.
func migrate(ctx context.Context, db *sql.DB, d dialect) error {
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.Dialect(d.name), db, worded{sub, d}, goose.WithVerbose(false))
	if err != nil {
		return err
	}
	if d.name != "postgres" {
		for try := 1; ; try++ {
			if _, err = p.Up(ctx); err == nil || try > len(p.ListSources()) {
				return err
			}
		}
	}
	return underLock(ctx, db, func() error { _, err := p.Up(ctx); return err })
}

// migrationLock is the key of Postgres' advisory lock: "paraph" in ASCII.
const migrationLock = 0x706172617068

func underLock(ctx context.Context, db *sql.DB, f func() error) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
		return err
	}
	defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock) //nolint:errcheck // ends with the connection
	return f()
}

// worded is the migrations with the dialect's words put in.
type worded struct {
	fs.FS
	d dialect
}

func (w worded) Open(name string) (fs.File, error) {
	info, err := fs.Stat(w.FS, name)
	if err != nil || info.IsDir() {
		return w.FS.Open(name)
	}
	b, err := fs.ReadFile(w.FS, name)
	if err != nil {
		return nil, err
	}
	b = bytes.ReplaceAll(b, []byte("{{id}}"), []byte(w.d.id))
	b = bytes.ReplaceAll(b, []byte("{{postgres}}"), []byte(w.d.postgres))
	return &wordedFile{Reader: bytes.NewReader(b), name: info.Name(), size: int64(len(b))}, nil
}

// wordedFile is a file of which only the text differs.
type wordedFile struct {
	*bytes.Reader
	name string
	size int64
}

func (f *wordedFile) Close() error               { return nil }
func (f *wordedFile) Stat() (fs.FileInfo, error) { return f, nil }
func (f *wordedFile) Name() string               { return f.name }
func (f *wordedFile) Size() int64                { return f.size }
func (f *wordedFile) Mode() fs.FileMode          { return 0o444 }
func (f *wordedFile) ModTime() time.Time         { return time.Time{} }
func (f *wordedFile) IsDir() bool                { return false }
func (f *wordedFile) Sys() any                   { return nil }
