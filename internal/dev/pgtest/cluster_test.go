package pgtest_test

import (
	"testing"

	"github.com/paraph-sign/paraph/internal/dev/pgtest"
)

// What was committed is there after a crash, at the same address, and while it is stopped nobody answers.
func TestClusterComesBack(t *testing.T) {
	t.Parallel()
	c := pgtest.NewCluster(t)
	db := open(t, c.URL())
	if _, err := db.Exec("CREATE TABLE t (n BIGINT)"); err != nil {
		t.Fatal(err)
	}
	for i, signal := range []string{"INT", "QUIT"} {
		if _, err := db.Exec("INSERT INTO t VALUES (1)"); err != nil {
			t.Fatal(err)
		}
		c.Stop(signal)
		if err := db.Ping(); err == nil {
			t.Errorf("%s: it still answers", signal)
		}
		c.Start()
		if n := count(t, db); n != i+1 {
			t.Errorf("%s: %d rows are left of %d", signal, n, i+1)
		}
	}
}
