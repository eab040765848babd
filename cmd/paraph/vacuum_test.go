package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/store"
)

func TestDays(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]time.Duration{"0": 0, "1d": day, "30d": 30 * day, "36h": 36 * time.Hour, "36500d": 36500 * day} {
		var d days
		if err := d.UnmarshalText([]byte(word)); err != nil || time.Duration(d) != want {
			t.Errorf("%s is %v, %v; want %v", word, time.Duration(d), err, want)
		}
	}
	for _, word := range []string{"", "30", "-1d", "0d", "1h", "d", "1.5d", "36501d", "4294967295d", "99999999999999999999d", "for ever"} {
		var d days
		if err := d.UnmarshalText([]byte(word)); err == nil {
			t.Errorf("%q was taken for %v", word, time.Duration(d))
		}
	}
}

func TestVacuum(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	call := func(args ...string) (int, string) {
		var out strings.Builder
		code := run(append([]string{"vacuum"}, args...), strings.NewReader(""), &out, &out)
		return code, out.String()
	}
	if code, out := call("--data", dir); code != 1 || !strings.Contains(out, "no database") {
		t.Errorf("of nothing: %d, %s", code, out)
	}
	if _, err := os.Stat(filepath.Join(dir, "paraph.db")); err == nil {
		t.Error("a database was made")
	}
	st, err := store.Open(t.Context(), store.Config{Address: filepath.Join(dir, "paraph.db"), Clock: time.Now, Logger: newLog(t.Output(), false)})
	if err == nil {
		err = st.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, out := call("--data", dir); code != 0 || !strings.Contains(out, "MB and has") {
		t.Errorf("of a file: %d, %s", code, out)
	}
	if code, out := call("--database-url", "postgres://localhost/x"); code != 1 || !strings.Contains(out, "autovacuum") {
		t.Errorf("of Postgres: %d, %s", code, out)
	}
}
