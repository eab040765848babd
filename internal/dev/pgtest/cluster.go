package pgtest

import (
	"bytes"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Cluster is a Postgres of one test's own, which the test may stop and start. It listens on a Unix socket in a temporary
// directory and nowhere else, writes without fsync, and ends with the test process, however that ends.
type Cluster struct {
	t    testing.TB
	bin  string
	dir  string
	cmd  *exec.Cmd
	stop io.WriteCloser
	log  *logBuffer
}

// logBuffer keeps what a server says, which is shown when it does not start.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// NewCluster makes a cluster and starts it.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if path, lookErr := exec.LookPath("initdb"); lookErr == nil {
		found = append(found, path)
	}
	if err != nil || len(found) == 0 {
		t.Fatal("pgtest: Postgres is not installed: run `make deps`")
	}
	slices.Sort(found)
	// Not t.TempDir, whose path is too long for a socket and closed to the server's user.
	dir, err := os.MkdirTemp("", "paraph-pg.")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cluster{t: t, bin: filepath.Dir(found[len(found)-1]), dir: dir, log: &logBuffer{}}
	t.Cleanup(func() {
		c.Stop("QUIT")
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if os.Geteuid() == 0 {
		c.run("chown", "postgres", dir)
	}
	c.run(c.asServer(filepath.Join(c.bin, "initdb"), "-D", filepath.Join(dir, "data"), "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")...)
	c.Start()
	return c
}

func (c *Cluster) run(line ...string) {
	c.t.Helper()
	if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
		c.t.Fatalf("pgtest: %s: %v\n%s", strings.Join(line, " "), err, out)
	}
}

// asServer is a command line as a user that Postgres accepts: it refuses root.
func (c *Cluster) asServer(line ...string) []string {
	if os.Geteuid() != 0 {
		return line
	}
	return append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"}, line...)
}

// URL is where the cluster's database is, also while it is stopped.
func (c *Cluster) URL() string { return "postgres://postgres@/postgres?host=" + c.dir }

// keeper runs a server until it reads the name of a signal, or its pipe breaks because the test is gone.
const keeper = `"$@" & pid=$!
read -r signal || signal=QUIT
while kill -0 $pid 2>/dev/null && kill -$signal $pid; do sleep 0.1; done
wait $pid`

// Start starts a stopped cluster and waits until it answers.
func (c *Cluster) Start() {
	c.t.Helper()
	line := c.asServer(filepath.Join(c.bin, "postgres"), "-D", filepath.Join(c.dir, "data"), "-k", c.dir,
		"-c", "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "fsync=off", "-c", "timezone=UTC")
	c.cmd = exec.Command("sh", append([]string{"-c", keeper, "sh"}, line...)...)
	c.cmd.Stdout, c.cmd.Stderr = c.log, c.log
	var err error
	if c.stop, err = c.cmd.StdinPipe(); err == nil {
		err = c.cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	c.await()
}

func (c *Cluster) await() {
	c.t.Helper()
	db, err := sql.Open("pgx", c.URL())
	if err != nil {
		c.t.Fatal(err)
	}
	defer db.Close()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) { // the only way to see another process listen
		if err = db.Ping(); err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("pgtest: the cluster did not answer within a minute: %v\n%s", err, c.log)
		}
	}
}

// Stop ends the server by a signal and waits until it has gone: "INT" breaks its connections off and shuts down, "QUIT" leaves
// everything as a crash would, to be recovered at the next Start.
func (c *Cluster) Stop(signal string) {
	if c.cmd == nil {
		return
	}
	_, _ = fmt.Fprintln(c.stop, signal) // it may have ended by itself
	_ = c.cmd.Wait()                    // says that it was stopped
	c.cmd = nil
}
