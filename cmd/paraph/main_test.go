package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// session runs the command as a shell would.
type session struct {
	code     int
	out, err string
}

func paraphWith(t *testing.T, stdin string, args ...string) session {
	t.Helper()
	var out, errOut bytes.Buffer
	code := run(args, strings.NewReader(stdin), &out, &errOut)
	return session{code, out.String(), errOut.String()}
}

// TestDemo runs the main job, and verifies what came out of it: as it is, and
// with one byte changed.
func TestDemo(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sealed.pdf")
	s := paraphWith(t, "", "demo", "--out", path)
	if s.code != 0 {
		t.Fatalf("exit %d\n%s\n%s", s.code, s.out, s.err)
	}
	if got := strings.Count(s.out, "signature good"); got != 17 {
		t.Errorf("%d webhooks came with a good signature, and not 17:\n%s", got, s.out)
	}
	for _, want := range []string{"document.completed", "submission.completed", "VALID: sealed and unchanged since.", path} {
		if !strings.Contains(s.out, want) {
			t.Errorf("the demo does not say %q:\n%s", want, s.out)
		}
	}
	if v := paraphWith(t, "", "verify", path); v.code != 0 || !strings.HasPrefix(v.out, "VALID") {
		t.Errorf("verify: exit %d\n%s%s", v.code, v.out, v.err)
	}
	pdf, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pdf[len(pdf)/3] ^= 1
	broken := filepath.Join(t.TempDir(), "broken.pdf")
	if err := os.WriteFile(broken, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	v := paraphWith(t, "", "verify", "--json", broken)
	var report struct{ Valid, Sealed bool }
	if err := json.Unmarshal([]byte(v.out), &report); err != nil || v.code != 1 || report.Valid {
		t.Errorf("verify of a changed file: exit %d, %v\n%s", v.code, err, v.out)
	}
}

// What holds tokens and secrets is for its owner only, also in a folder that
// is open to others.
func TestDatabaseIsPrivate(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if err := os.Chmod(data, 0o755); err != nil {
		t.Fatal(err)
	}
	s := paraphWith(t, "a long enough password\n", "user", "create", "--data", data, "--email", "ada@example.com", "--name", "Ada", "--password-stdin")
	if s.code != 0 {
		t.Fatalf("create a user: %+v", s)
	}
	files, err := filepath.Glob(filepath.Join(data, "paraph.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has the mode %v, %v", f, info.Mode(), err)
		}
	}
}

func TestUsersAndTokens(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	user := []string{"user", "create", "--data", data, "--email", "ada@example.com", "--name", "Ada", "--password-stdin"}
	if s := paraphWith(t, "short\n", user...); s.code != 1 || s.out != "" || !strings.Contains(s.err, "at least 10 characters") {
		t.Errorf("a short password: %+v", s)
	}
	if s := paraphWith(t, "", user...); s.code != 1 || !strings.Contains(s.err, "standard input") {
		t.Errorf("no password: %+v", s)
	}
	if s := paraphWith(t, "a long enough password\n", user...); s.code != 0 || !strings.Contains(s.out, "ada@example.com") {
		t.Fatalf("create a user: %+v", s)
	}
	if s := paraphWith(t, "a long enough password\n", user...); s.code != 1 || !strings.Contains(s.err, "already") {
		t.Errorf("the same user again: %+v", s)
	}
	s := paraphWith(t, "", "token", "create", "--data", data, "--email", "ADA@example.com", "--name", "script")
	if s.code != 0 || !regexp.MustCompile(`^api_[\w-]{40}\n$`).MatchString(s.out) || s.err != "" {
		t.Errorf("a token: %+v", s)
	}
	if s := paraphWith(t, "", "token", "create", "--data", data, "--email", "bob@example.com", "--name", "x"); s.code != 1 || s.out != "" {
		t.Errorf("a token for nobody: %+v", s)
	}
	if info, err := os.Stat(data); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data folder is %v, %v", info.Mode(), err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "note.txt")
	if err := os.WriteFile(file, []byte("not a PDF"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s := paraphWith(t, "", "verify", file); s.code != 2 || s.out != "" || !strings.Contains(s.err, "not a PDF") {
		t.Errorf("a text file: %+v", s)
	}
	if s := paraphWith(t, "", "verify", file+".missing"); s.code != 2 {
		t.Errorf("a file that isn't there: %+v", s)
	}
}

// TestWrongFlags: what can't be is refused before anything starts.
func TestWrongFlags(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for want, args := range map[string][]string{
		"HOST:PORT":         {"--listen", "3000"},
		"without a path":    {"--base-url", "https://example.com/sign"},
		"postgres://":       {"--database-url", "mysql://localhost/x"},
		"64 hex digits":     {"--secret-key", "abc"},
		"previous-secret":   {"--previous-secret-key", "abc"},
		"1 and 1000 MB":     {"--max-upload", "0"},
		"loopback":          {"--dev", "--listen", "0.0.0.0:0"},
		"no such file":      {"--seal-p12", filepath.Join(data, "none.p12")},
		"webhook-allow-net": {"--webhook-allow-net", "10.0.0.0/99"},
	} {
		s := paraphWith(t, "", append([]string{"serve", "--data", data}, args...)...)
		if s.code == 0 || !strings.Contains(s.err, want) {
			t.Errorf("%v: exit %d, %q does not say %q", args, s.code, s.err, want)
		}
	}
}

// TestEveryFlagHasAVariable: PARAPH_ and its name in capitals.
func TestEveryFlagHasAVariable(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&cli{}, kong.DefaultEnvars("PARAPH"), kong.Vars{"version": "x"}, kong.Name("paraph"))
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range parser.Model.Leaves(true) {
		for _, group := range n.AllFlags(true) {
			for _, f := range group {
				if f.Name == "help" || f.Name == "version" {
					continue
				}
				want := []string{"PARAPH_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))}
				if !reflect.DeepEqual(f.Envs, want) {
					t.Errorf("--%s of %s is set by %v and not by %v", f.Name, n.Name, f.Envs, want)
				}
			}
		}
	}
}
