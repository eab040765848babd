package pgtest_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/dev/pgtest"
)

func TestEachDatabaseIsEmptyAndItsOwn(t *testing.T) {
	t.Parallel()
	first, second := open(t, pgtest.New(t)), open(t, pgtest.New(t))
	for _, db := range []*sql.DB{first, second} {
		if _, err := db.Exec("CREATE TABLE t (n BIGINT)"); err != nil {
			t.Fatalf("create a table: %v", err)
		}
	}
	if _, err := first.Exec("INSERT INTO t VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if n := count(t, second); n != 0 {
		t.Errorf("the second database has %d rows of the first", n)
	}
}

func TestDatabaseIsDroppedThoughConnectionsAreOpen(t *testing.T) {
	t.Parallel()
	var db *sql.DB
	t.Run("user", func(t *testing.T) {
		var err error
		if db, err = sql.Open("pgx", pgtest.New(t)); err != nil {
			t.Fatal(err)
		}
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
	})
	defer db.Close()
	if err := db.Ping(); err == nil {
		t.Error("the database is still there after its test")
	}
}

// The server must end with the process that started it, also when that is killed: no other test would notice a leak.
func TestScriptLeavesNothingBehindWhenKilled(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	openUp(t, tmp)
	cmd := exec.Command("../../../scripts/with-postgres", "sh", "-c", "echo up && exec cat")
	cmd.Env = append(os.Environ(), pgtest.Variable+"=", "TMPDIR="+tmp)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := stdout.Read(make([]byte, 3)); err != nil {
		t.Fatalf("with-postgres did not come up: %v", err)
	}
	server := onlyMatch(t, tmp+"/paraph-pg.*/data/postmaster.pid")
	pid, _, _ := strings.Cut(readFile(t, server), "\n")

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	stdin.Close()
	_ = cmd.Wait() // says that it was killed
	// tail --pid returns when the process has gone: a signal to wait for, bounded by timeout.
	if out, err := exec.Command("timeout", "20", "tail", "--pid="+pid, "-f", "/dev/null").CombinedOutput(); err != nil {
		t.Errorf("Postgres %s lives on after its script was killed: %v %s", pid, err, out)
	}
}

func TestScriptPassesTheExitCodeOn(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("../../../scripts/with-postgres", "sh", "-c", "exit 3")
	cmd.Env = append(os.Environ(), pgtest.Variable+"=postgres://unused@/unused")
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 3 {
		t.Errorf("exit code %d, want the command's own 3", code)
	}
}

// openUp lets the server's user through to dir, which may lie in directories that only root can enter.
func openUp(t *testing.T, dir string) {
	t.Helper()
	for ; strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func onlyMatch(t *testing.T, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("%s matches %v (%v), want one file", pattern, found, err)
	}
	return found[0]
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func open(t *testing.T, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func count(t *testing.T, db *sql.DB) int {
	t.Helper()
	var n int
	if err := db.QueryRow("SELECT count(*) FROM t").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
