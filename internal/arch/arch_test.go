// Package arch keeps the shape of the code: who may import whom. It is a test and nothing else.
package arch

import (
	"fmt"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/paraph-sign/paraph"

// below gives each unit, by its folder, the units that it may import. A unit is a package with those in its folder;
// "." is the root package, which everybody may import. A folder that isn't here may not exist.
var below = map[string][]string{
	".": {},

	"internal/vault":   {},
	"internal/store":   {"internal/vault"},
	"internal/seal":    {},
	"internal/webhook": {},
	"internal/mail":    {},
	"internal/blob":    {},

	"internal/job":  {"internal/store"},
	"internal/desk": {"internal/job", "internal/store", "internal/seal", "internal/webhook", "internal/mail", "internal/blob"},
	"internal/web":  {"internal/desk", "internal/job", "internal/store", "internal/seal", "internal/webhook", "internal/mail", "internal/blob"},
	"internal/api":  {"internal/desk", "internal/job", "internal/store", "internal/seal", "internal/webhook", "internal/mail", "internal/blob"},
	"internal/dev":  {"internal/web", "internal/api", "internal/desk", "internal/job", "internal/store", "internal/seal", "internal/webhook", "internal/mail", "internal/blob"},

	"cmd/paraph": {
		"internal/web", "internal/api", "internal/dev", "internal/desk", "internal/job", "internal/store", "internal/seal",
		"internal/webhook", "internal/mail", "internal/blob", "internal/vault",
	},
	"bench": {
		"internal/desk", "internal/job", "internal/store", "internal/seal", "internal/webhook", "internal/mail", "internal/blob",
		"internal/vault",
	},
}

// owners gives each module of others the units that may import it, which is one: behind it stands our own word for what
// the module does. Tests may import what they like. A module that isn't here needs a line here and a reason in its commit.
var owners = map[string][]string{
	"modernc.org/sqlite":                             {"internal/store"},
	"github.com/pressly/goose":                       {"internal/store"},
	"github.com/jackc/pgx":                           {"internal/store"},
	"gocloud.dev":                                    {"internal/blob"},
	"github.com/wneessen":                            {"internal/mail"},
	"code.dny.dev/ssrf":                              {"internal/webhook"},
	"github.com/danielgtaylor":                       {"internal/api"},
	"github.com/alecthomas":                          {"cmd/paraph"},
	"github.com/prometheus":                          {"cmd/paraph"},
	"github.com/a-h/templ":                           {"internal/web", "internal/dev"}, // markup is what a page is made of
	"github.com/klippa-app":                          {"internal/seal"},
	"github.com/tetratelabs":                         {"internal/seal"},
	"github.com/digitorus":                           {"internal/seal"},
	"github.com/go-text":                             {"internal/seal"},
	"github.com/go-fonts":                            {"internal/seal"},
	"github.com/skip2":                               {"internal/seal"},
	"software.sslmate.com":                           {"internal/seal"},
	"golang.org/x/image":                             {"internal/seal"},
	"golang.org/x/text":                              {"internal/seal"},
	"golang.org/x/net":                               {"internal/webhook"},
	"golang.org/x/crypto":                            {"internal/desk", "internal/seal"},                   // argon2 and cryptobyte have nothing in common
	"golang.org/x/time":                              {"internal/web", "internal/api", "internal/webhook"}, // small
	"golang.org/x/sync":                              {"internal/web", "internal/job", "internal/seal"},    // small
	"github.com/standard-webhooks/standard-webhooks": {"internal/webhook"},
}

// forTests gives the modules that packages which only tests import (their names end in "test") may import besides.
var forTests = []string{
	"github.com/jackc/pgx", "github.com/google/go-cmp", "pgregory.net/rapid", "github.com/PuerkitoBio", "github.com/digitorus", "golang.org/x/crypto",
}

// A file is what one Go file imports, and where it is.
type file struct {
	name    string // from the root of the module
	imports []string
}

func (f file) dir() string { return path.Dir(f.name) }

// helper tells whether the file's package is for tests only.
func (f file) helper() bool { return isHelper(f.dir()) }

func isHelper(dir string) bool { return strings.HasSuffix(path.Base(dir), "test") }

// read parses the imports of all Go files of a module that are built into something; test files are not.
func read(root string) ([]file, error) {
	var files []file
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := filepath.ToSlash(strings.TrimPrefix(strings.TrimPrefix(name, root), string(filepath.Separator)))
		if entry.IsDir() {
			if rel != "" && (skipped(entry.Name()) || rel == "tools" || rel == "bin" || rel == "data") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") || strings.HasSuffix(rel, "_test.go") {
			return nil
		}
		if built, err := build.Default.MatchFile(filepath.Dir(name), entry.Name()); err != nil || !built {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		f := file{name: rel}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, imported)
		}
		files = append(files, f)
		return nil
	})
	return files, err
}

func skipped(dir string) bool {
	return strings.HasPrefix(dir, ".") || strings.HasPrefix(dir, "_") || dir == "testdata" || dir == "node_modules" || dir == "vendor"
}

// check returns one sentence for each import that breaks a rule.
func check(files []file) []string {
	var broken []string
	for _, f := range files {
		unit, known := unitOf(f.dir())
		if !known {
			broken = append(broken, fmt.Sprintf("%s: the folder %s is not part of the layout", f.name, f.dir()))
			continue
		}
		for _, imported := range f.imports {
			if why := refuse(f, unit, imported); why != "" {
				broken = append(broken, fmt.Sprintf("%s imports %s: %s", f.name, imported, why))
			}
		}
	}
	return broken
}

// unitOf finds the unit of a folder.
func unitOf(dir string) (string, bool) {
	for ; dir != "."; dir = path.Dir(dir) {
		if _, ok := below[dir]; ok {
			return dir, true
		}
		if !strings.Contains(dir, "/") {
			return "", false
		}
	}
	return ".", true
}

// refuse says why a file may not import a package, or nothing.
func refuse(f file, unit, imported string) string {
	if imported == module || strings.HasPrefix(imported, module+"/") {
		return refuseOurs(f, unit, strings.TrimPrefix(strings.TrimPrefix(imported, module), "/"))
	}
	if first, _, _ := strings.Cut(imported, "/"); !strings.Contains(first, ".") {
		return refuseStandard(f, unit, imported)
	}
	return refuseTheirs(f, unit, imported)
}

func refuseOurs(f file, unit, dir string) string {
	if dir == "" {
		return ""
	}
	if isHelper(dir) && !f.helper() {
		return "only tests may import helpers of tests"
	}
	if isHelper(dir) {
		return ""
	}
	other, known := unitOf(dir)
	if !known || other != unit && !slices.Contains(below[unit], other) {
		return fmt.Sprintf("%s may import only the root and %v", unit, below[unit])
	}
	return ""
}

func refuseStandard(f file, unit, imported string) string {
	if (imported == "testing" || strings.HasPrefix(imported, "testing/") || isHelper(imported)) && !f.helper() {
		return "only tests may import what is for tests"
	}
	if unit != "." {
		return ""
	}
	for _, outside := range []string{"net/http", "database/sql", "os"} {
		if imported == outside || strings.HasPrefix(imported, outside+"/") {
			return "the root package knows nothing of the outside world"
		}
	}
	return ""
}

func refuseTheirs(f file, unit, imported string) string {
	if unit == "." {
		return "the root package imports the standard library only"
	}
	if f.helper() && slices.ContainsFunc(forTests, func(m string) bool { return within(imported, m) }) {
		return ""
	}
	for m, units := range owners {
		if within(imported, m) {
			if slices.Contains(units, unit) {
				return ""
			}
			return fmt.Sprintf("%s belongs to %v", m, units)
		}
	}
	return "no unit owns this module yet"
}

func within(imported, m string) bool {
	return imported == m || strings.HasPrefix(imported, m+"/")
}

func TestImportsGoDownOnly(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if mod, err := os.ReadFile(filepath.Join(root, "go.mod")); err != nil || !strings.HasPrefix(string(mod), "module "+module+"\n") {
		t.Fatalf("%s is not the root of %s (%v)", root, module, err)
	}
	files, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d files were found; the rules were not checked", len(files))
	}
	for _, sentence := range check(files) {
		t.Error(sentence)
	}
}

// A check that never fails checks nothing: each of these trees breaks one rule, or none.
func TestEachRuleIsKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, file, imports string
		want                string // part of the sentence; empty when the import is fine
	}{
		{"the root asks the web", "envelope.go", "net/http", "outside world"},
		{"the root asks a database", "envelope.go", "database/sql/driver", "outside world"},
		{"the root asks the system", "envelope.go", "os", "outside world"},
		{"the root may ask the time", "envelope.go", "time", ""},
		{"the root may parse an address", "envelope.go", "net/mail", ""},
		{"the root takes a module", "envelope.go", "golang.org/x/text/width", "standard library only"},
		{"the root looks down", "envelope.go", module + "/internal/store", "may import only"},
		{"everybody uses the nouns", "internal/mail/mail.go", module, ""},
		{"the store looks up", "internal/store/store.go", module + "/internal/desk", "may import only"},
		{"a job looks up", "internal/job/job.go", module + "/internal/desk", "may import only"},
		{"leaves know each other", "internal/webhook/send.go", module + "/internal/mail", "may import only"},
		{"a leaf knows the store", "internal/seal/seal.go", module + "/internal/store", "may import only"},
		{"the desk uses all", "internal/desk/envelope.go", module + "/internal/seal", ""},
		{"the desk looks up", "internal/desk/envelope.go", module + "/internal/web", "may import only"},
		{"a page deep down asks the store", "internal/web/ui/sign/page.go", module + "/internal/store", ""},
		{"a page uses another part of the web", "internal/web/ui/sign/page.go", module + "/internal/web/ui/kit", ""},
		{"pages and API know each other", "internal/web/web.go", module + "/internal/api", "may import only"},
		{"the API knows development", "internal/api/api.go", module + "/internal/dev/gallery", "may import only"},
		{"the command wires all", "cmd/paraph/serve.go", module + "/internal/dev/gallery", ""},
		{"a heavy module at home", "internal/blob/cloud.go", "gocloud.dev/blob/s3blob", ""},
		{"a heavy module abroad", "internal/desk/envelope.go", "gocloud.dev/blob", "belongs to [internal/blob]"},
		{"a name that only begins alike", "internal/blob/cloud.go", "gocloud.device/blob", "no unit owns"},
		{"a module nobody has heard of", "internal/desk/envelope.go", "example.com/leftpad", "no unit owns"},
		{"tests in production", "internal/desk/envelope.go", "testing", "for tests"},
		{"a test server in production", "internal/web/web.go", "net/http/httptest", "for tests"},
		{"a helper of tests in production", "cmd/paraph/serve.go", module + "/internal/dev/pgtest", "only tests"},
		{"a helper of tests may test", "internal/store/storetest/suite.go", "testing", ""},
		{"a helper of tests uses another", "internal/store/storetest/suite.go", module + "/internal/dev/pgtest", ""},
		{"a helper of tests reaches the driver", "internal/dev/pgtest/pgtest.go", "github.com/jackc/pgx/v5/stdlib", ""},
		{"a folder of its own invention", "internal/utils/utils.go", "strings", "not part of the layout"},
		{"a top folder of its own invention", "pkg/paraph/client.go", "strings", "not part of the layout"},
		{"tests import what they like", "internal/mail/mail_test.go", "example.com/leftpad", ""},
		{"data of tests is no code", "internal/mail/testdata/x.go", "example.com/leftpad", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			name := filepath.Join(root, filepath.FromSlash(test.file))
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, fmt.Appendf(nil, "package p\n\nimport _ %q\n", test.imports), 0o644); err != nil {
				t.Fatal(err)
			}
			files, err := read(root)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(check(files), "\n")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("said %q, want %q", got, test.want)
			}
		})
	}
}
