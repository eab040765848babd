package scripttest_test

import (
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/dev/scripttest"
)

func TestServerOutlivesTheGarbageCollector(t *testing.T) {
	t.Setenv("PARAPH_TEST_POSTGRES", "") // so that one is started here
	values, err := scripttest.Start("with-postgres", "PARAPH_TEST_POSTGRES", "PATH")
	if err != nil || !strings.HasPrefix(values[0], "postgres://") || values[1] == "" {
		t.Fatalf("Start: %q, %v", values, err)
	}
	_, dir, _ := strings.Cut(values[0], "?host=")
	for range 500 { // without a reference to its pipe, the server ends after a few of these
		runtime.GC()
		conn, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL.5432"))
		if err != nil {
			t.Fatalf("the server has gone: %v", err)
		}
		conn.Close()
	}
}

func TestGivenServersAreTaken(t *testing.T) {
	t.Setenv("PARAPH_TEST_POSTGRES", "postgres://given/")
	if values, err := scripttest.Start("with-postgres", "PARAPH_TEST_POSTGRES"); err != nil || values[0] != "postgres://given/" {
		t.Errorf("Start: %q, %v", values, err)
	}
}

func TestWhatTheScriptSaysIsInTheError(t *testing.T) {
	t.Setenv("PARAPH_TEST_S3", "")
	t.Setenv("PARAPH_VERSITYGW", "/bin/false")
	if _, err := scripttest.Start("with-s3", "PARAPH_TEST_S3"); err == nil || !strings.Contains(err.Error(), "did not start") {
		t.Errorf("error %v, want the script's own words", err)
	}
}
