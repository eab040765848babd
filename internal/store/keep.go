package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strconv"
	"strings"

	"modernc.org/sqlite"
)

// maxKept bounds the statements that a connection keeps. Texts that are put
// together have many forms; a new one takes the place of any other.
const maxKept = 256

// openSQLite is sql.Open whose connections keep the statements that they have
// parsed. By itself the driver parses the text anew on each call, which costs
// more than most of our statements.
func openSQLite(source string) (*sql.DB, error) {
	c, err := sqlite.NewConnector(source)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(keeping{c}), nil
}

type keeping struct{ driver.Connector }

func (k keeping) Connect(ctx context.Context) (driver.Conn, error) {
	c, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &keeper{sqliteConn: c.(sqliteConn), kept: map[string]*kept{}}, nil
}

// sqliteConn is what database/sql uses of the driver's connection.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// keeper is a connection with the statements that it has parsed. Like any
// driver.Conn it is used by one goroutine at a time.
type keeper struct {
	sqliteConn
	kept map[string]*kept
	inTx bool
	lax  bool // a commit does not wait for the disk
}

// laxly begins a transaction whose commit does not wait for the disk. It is
// written with the next one that does.
var laxly = &sql.TxOptions{Isolation: sql.LevelReadUncommitted}

// BeginTx marks the connection. database/sql looks before each statement of a
// transaction whether its context has ended; to break off within one would
// have the driver start a goroutine for each, which costs more than most.
func (k *keeper) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := k.setLax(ctx, o.Isolation == driver.IsolationLevel(laxly.Isolation)); err != nil {
		return nil, err
	}
	o.Isolation = 0
	t, err := k.sqliteConn.BeginTx(ctx, o)
	k.inTx = err == nil
	return keptTx{t, k}, err
}

func (k *keeper) setLax(ctx context.Context, lax bool) error {
	if k.lax == lax {
		return nil
	}
	level := "FULL"
	if lax {
		level = "NORMAL"
	}
	_, err := k.sqliteConn.ExecContext(ctx, "PRAGMA synchronous = "+level, nil)
	if err == nil {
		k.lax = lax
	}
	return err
}

type keptTx struct {
	driver.Tx
	of *keeper
}

func (t keptTx) Commit() error {
	t.of.inTx = false
	return t.Tx.Commit()
}

func (t keptTx) Rollback() error {
	t.of.inTx = false
	return t.Tx.Rollback()
}

func (k *keeper) unhurried(ctx context.Context) context.Context {
	if k.inTx {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

type kept struct {
	sqliteStmt
	busy bool // its rows are being read
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// statement is the parsed text, or nil when it is to be parsed for one use.
func (k *keeper) statement(ctx context.Context, query string) (*kept, error) {
	s, ok := k.kept[query]
	switch {
	case ok && s.busy:
		return nil, nil
	case ok:
		return s, nil
	case len(k.kept) >= maxKept:
		k.forgetOne()
	}
	p, err := k.PrepareContext(ctx, unnumbered(query))
	if err != nil {
		return nil, err
	}
	s = &kept{sqliteStmt: p.(sqliteStmt)}
	k.kept[query] = s
	return s, nil
}

// unnumbered says $1, $2, … as ?, ?, … where each stands once and in order,
// outside of texts. The driver asks SQLite for the name of each numbered place
// at each run and compares it with those of all arguments.
func unnumbered(query string) string {
	if strings.ContainsAny(query, "\"?") {
		return query
	}
	for i, part := range strings.Split(query, "'") {
		if i%2 == 1 && strings.Contains(part, "$") {
			return query
		}
	}
	parts := strings.Split(query, "$")
	for i, part := range parts[1:] {
		number := strconv.Itoa(i + 1)
		rest, ok := strings.CutPrefix(part, number)
		if !ok || rest != "" && rest[0] >= '0' && rest[0] <= '9' {
			return query
		}
		parts[i+1] = rest
	}
	return strings.Join(parts, "?")
}

func (k *keeper) forgetOne() {
	for query, s := range k.kept {
		if !s.busy {
			delete(k.kept, query)
			_ = s.Close() // it reports how its last run ended, which is known
			return
		}
	}
}

func (k *keeper) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if !k.inTx {
		if err := k.setLax(ctx, false); err != nil {
			return nil, err
		}
	}
	if len(args) == 0 { // PRAGMA, BEGIN, a table of a migration: seldom, and some are several at once
		return k.sqliteConn.ExecContext(ctx, query, args)
	}
	s, err := k.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return k.sqliteConn.ExecContext(ctx, query, args)
	}
	return s.ExecContext(k.unhurried(ctx), args)
}

func (k *keeper) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := k.statement(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return k.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(k.unhurried(ctx), args)
	if err != nil {
		return nil, err
	}
	s.busy = true
	return keptRows{rows, s}, nil
}

func (k *keeper) Close() error {
	for _, s := range k.kept {
		_ = s.Close() // the connection's own Close tells what is wrong
	}
	return k.sqliteConn.Close()
}

// keptRows frees the statement for its next use.
type keptRows struct {
	driver.Rows
	of *kept
}

func (r keptRows) Close() error {
	r.of.busy = false
	return r.Rows.Close()
}
