// Package pgtest gives tests empty Postgres databases on a real server.
//
// The server is the one that PARAPH_TEST_POSTGRES names (`make test` sets it), or else one that the first call starts
// with scripts/with-postgres and that ends with the test process, however that ends. A test never skips for want of
// Postgres: it fails and says what to install.
//
// Only tests may import this package.
package pgtest

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
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
	dsn := os.Getenv(Variable)
	if dsn == "" {
		var err error
		if dsn, err = start(); err != nil {
			return nil, err
		}
	}
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

// start runs scripts/with-postgres around a command that prints the server's URL and then reads its standard input,
// which is a pipe that nobody writes to and that breaks when this process ends.
func start() (string, error) {
	script, err := findScript()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(script, "sh", "-c", `echo "$`+Variable+`" && exec cat`)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if _, err := cmd.StdinPipe(); err != nil {
		return "", fmt.Errorf("start Postgres: %w", err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", fmt.Errorf("start Postgres: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return "", fmt.Errorf("start Postgres: %w", err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("start Postgres: %w: %s", cmd.Wait(), strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(line), nil
}

// findScript looks for scripts/with-postgres in the directory of the test and those above.
func findScript() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find scripts/with-postgres: %w", err)
	}
	for {
		script := filepath.Join(dir, "scripts", "with-postgres")
		if _, err := os.Stat(script); err == nil {
			return script, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("find scripts/with-postgres: the test does not run inside the repository")
		}
		dir = parent
	}
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
