package api_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// DocuSeal's own library for Node, as npm has it, against this server.
func TestDocuSealSDK(t *testing.T) {
	if _, err := os.Stat("sdktest/node_modules/@docuseal/api/package.json"); err != nil {
		t.Fatalf("the library is not installed; run `npm ci` in internal/api/sdktest: %v", err)
	}
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		file := filepath.Join(t.TempDir(), "lease.pdf")
		if err := os.WriteFile(file, desktest.PDF(2), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "node", "sdktest/story.mjs", s.url+"/api", ann.Token, file).CombinedOutput()
		if err != nil || len(out) != 0 {
			t.Errorf("%v\n%s", err, out)
		}
	})
}
