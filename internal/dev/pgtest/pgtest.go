// Package pgtest gives tests empty Postgres databases on a real server.
//
// The server is the one that PARAPH_TEST_POSTGRES names (`make test` sets it), or else one that the first call starts
// with scripts/with-postgres and that ends with the test process, however that ends. A test never skips for want of
// Postgres: it fails and says what to install.
//
// Only tests may import this package.
package pgtest

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	"github.com/paraph-sign/paraph/internal/dev/scripttest"
)

// Variable names a server to test on: a URL whose user may create databases.
const Variable = "PARAPH_TEST_POSTGRES"

// New makes an empty database and returns its URL, which pgx and libpq understand. The database is dropped when the
// test ends, with whatever connections are still open to it.
func New(t testing.TB) string {
	t.Helper()
	srv, err := shared()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	name := srv.nextName()
	if err := srv.exec("CREATE DATABASE " + name + " TEMPLATE template0"); err != nil {
		t.Fatalf("pgtest: create a database: %v", err)
	}
	t.Cleanup(func() {
		if err := srv.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Errorf("pgtest: drop the database: %v", err)
		}
	})
	return srv.url(name)
}

// shared is the server of this test process. It is a package variable because tests of one process must share it and
// have nothing else in common.
var shared = sync.OnceValues(connect)

type server struct {
	base  url.URL
	admin *sql.DB
	count atomic.Int64
}

func connect() (*server, error) {
	values, err := scripttest.Start("with-postgres", Variable)
	if err != nil {
		return nil, err
	}
	dsn := values[0]
	base, err := url.Parse(dsn)
	if err != nil {
		return nil, fmt.Errorf("%s is no URL", Variable) // the cause would print a password
	}
	admin, err := sql.Open("pgx", dsn)
	if err != nil {
		return nil, fmt.Errorf("open the Postgres of %s: %w", Variable, err)
	}
	admin.SetMaxOpenConns(4)
	if err := admin.Ping(); err != nil {
		return nil, fmt.Errorf("reach the Postgres of %s: %w", Variable, err)
	}
	return &server{base: *base, admin: admin}, nil
}

// nextName is unique among all test processes that share the server.
func (s *server) nextName() string {
	return fmt.Sprintf("paraph_test_%d_%d", os.Getpid(), s.count.Add(1))
}

func (s *server) url(database string) string {
	u := s.base
	u.Path = "/" + database
	return u.String()
}

func (s *server) exec(query string) error {
	_, err := s.admin.ExecContext(context.Background(), query)
	return err
}
