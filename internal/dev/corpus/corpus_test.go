package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestMain lets the program run itself for each file.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == oneFile {
		main()
		return
	}
	os.Exit(m.Run())
}

// page is a PDF of one page with a square on it.
func page(more string) []byte {
	var b bytes.Buffer
	var at []int
	content := "0.5 g 20 300 100 100 re f"
	b.WriteString("%PDF-1.7\n")
	for i, o := range []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 400 600] /Contents 4 0 R /Resources << >> " + more + " >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(content), content),
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, o := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, start)
	return b.Bytes()
}

func TestCorpus(t *testing.T) {
	dir := t.TempDir()
	files := map[string][]byte{
		"plain.pdf": page(""), "sub/turned.PDF": page("/Rotate 90"), "none.pdf": []byte("no PDF at all"), "ignored.txt": []byte("x"),
	}
	for name, data := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rowsFile := filepath.Join(t.TempDir(), "rows.json")
	var out bytes.Buffer
	if err := run(t.Context(), []string{"--json", rowsFile, dir}, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	data, err := os.ReadFile(rowsFile)
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, r := range rows {
		got[r.File] = r.Outcome + " " + r.Kind
		if r.Outcome == outcomeSealed && (r.Pages != 1 || r.MB == 0) {
			t.Errorf("%+v", r)
		}
	}
	want := map[string]string{"plain.pdf": "sealed ", "sub/turned.PDF": "sealed ", "none.pdf": "refused not_pdf"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if !strings.Contains(out.String(), "3 files: sealed 2 refused 1 invalid 0") {
		t.Error(out.String())
	}
}

func TestCorpusNeedsPDFs(t *testing.T) {
	t.Parallel()
	if err := run(t.Context(), []string{t.TempDir()}, &bytes.Buffer{}); err == nil {
		t.Error("an empty folder is fine")
	}
	if err := run(t.Context(), nil, &bytes.Buffer{}); err == nil {
		t.Error("no folder is fine")
	}
}

func TestFindingsFail(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := printTable(&out, []row{{File: "a.pdf", Outcome: outcomeTimeout, MS: 30000}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "timeout 1") {
		t.Error(out.String())
	}
	if !failed([]row{{Outcome: outcomeInvalid}}) || failed([]row{{Outcome: outcomeSealed}, {Outcome: outcomeRefused}}) {
		t.Error("the exit code is wrong")
	}
	if crash(errors.New("killed")) != outcomeCrashed {
		t.Error("a process that was killed did not crash")
	}
}

func TestPicturesAreCompared(t *testing.T) {
	t.Parallel()
	white := func() picture { return picture{100, 100, bytes.Repeat([]byte{255}, 10000)} }
	blot := func(x0, y0, n int) picture {
		p := white()
		for y := range n {
			for x := range n {
				p.grey[(y0+y)*100+x0+x] = 0
			}
		}
		return p
	}
	field := []area{{0, 0.1, 0.1, 0.2, 0.2}}
	for _, c := range []struct {
		name string
		is   picture
		like bool
	}{
		{"the same", white(), true},
		{"in the field", blot(12, 12, 15), true},
		{"beside the field", blot(60, 60, 15), false},
		{"a speck", blot(60, 60, 3), true},
		{"another size", picture{100, 90, make([]byte, 9000)}, false},
	} {
		if got := white().like(c.is, field); got != c.like {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
