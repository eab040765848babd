package store

import (
	"context"
	"database/sql"
	"database/sql/driver"

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
}

// BeginTx marks the connection. database/sql looks before each statement of a
// transaction whether its context has ended; to break off within one would
// have the driver start a goroutine for each, which costs more than most.
func (k *keeper) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	t, err := k.sqliteConn.BeginTx(ctx, o)
	k.inTx = err == nil
	return keptTx{t, k}, err
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
	p, err := k.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s = &kept{sqliteStmt: p.(sqliteStmt)}
	k.kept[query] = s
	return s, nil
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
