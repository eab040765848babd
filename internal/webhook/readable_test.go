package webhook

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadable(t *testing.T) {
	t.Parallel()
	body := `{"b":1.50,"a":"<x> & y","token":"vbT8hi3jKQmrFP_LN1WcS","empty":{},"none":[],"slug":"","list":[null,true,"see https://sign.example/s/vbT8hi3jKQmrFP_LN1WcS?x=1"],"file":"https://sign.example/file/abcdefgh-1/Lease.pdf","short":"/s/abc"}`
	want := `{
  "b": 1.50,
  "a": "<x> & y",
  "token": "********",
  "empty": {},
  "none": [],
  "slug": "",
  "list": [
    null,
    true,
    "see https://sign.example/s/********?x=1"
  ],
  "file": "https://sign.example/file/********/Lease.pdf",
  "short": "/s/abc"
}`
	text, secrets := Readable([]byte(body))
	if diff := cmp.Diff(want, text); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"vbT8hi3jKQmrFP_LN1WcS", "vbT8hi3jKQmrFP_LN1WcS", "abcdefgh-1"}, secrets); diff != "" {
		t.Error(diff)
	}
	if got := Mask("you sent vbT8hi3jKQmrFP_LN1WcS!", secrets); got != "you sent ********!" {
		t.Errorf("an echo shows %q", got)
	}
}

func TestReadableOfNoJSON(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{", `{"token":`, "see /sign/vbT8hi3jKQmrFP_LN1WcS \xff"} {
		text, _ := Readable([]byte(body))
		if strings.Contains(text, "vbT8") || strings.Contains(text, "\xff") {
			t.Errorf("%q became %q", body, text)
		}
	}
}

// TestReadableOfEveryEvent looks for each recipient's token in the golden
// bodies of every event.
func TestReadableOfEveryEvent(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		text, secrets := Readable(body)
		for _, s := range secrets {
			if strings.Contains(text, s) {
				t.Errorf("%s shows %q", file, s)
			}
		}
		if strings.Contains(file, "documenso") && !slices.ContainsFunc(secrets, func(s string) bool {
			return strings.Contains(string(body), `"token": "`+s+`"`) || strings.Contains(string(body), `"token":"`+s+`"`)
		}) {
			t.Errorf("%s: no token was masked", file)
		}
	}
}
