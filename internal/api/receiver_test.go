package api_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/webhook"
)

// The receivers that the guide shows believe what is sent to them, and nothing
// else.
func TestReceiversOfTheGuide(t *testing.T) {
	t.Parallel()
	guide := string(read(t, "../../docs/webhooks.md"))
	for language, command := range map[string]func(t *testing.T, program string) *exec.Cmd{
		"js": func(t *testing.T, program string) *exec.Cmd {
			c := exec.CommandContext(t.Context(), "node", "--input-type=module", "-")
			c.Dir, c.Stdin = "sdktest", strings.NewReader(program)
			return c
		},
		"go": func(t *testing.T, program string) *exec.Cmd {
			dir := t.TempDir()
			write(t, filepath.Join(dir, "main.go"), program)
			build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", filepath.Join(dir, "receiver"), filepath.Join(dir, "main.go"))
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			return exec.CommandContext(t.Context(), filepath.Join(dir, "receiver"))
		},
		"python": func(t *testing.T, program string) *exec.Cmd {
			// The module of the library for Go holds those for all languages.
			dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/standard-webhooks/standard-webhooks/libraries").Output()
			if err != nil {
				t.Fatal(err)
			}
			c := exec.CommandContext(t.Context(), "python3", "-B", "-c", program)
			c.Env = []string{"PYTHONPATH=" + filepath.Join(strings.TrimSpace(string(dir)), "python")}
			return c
		},
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			block := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindStringSubmatch(guide)
			if block == nil {
				t.Fatal("the guide has no such receiver")
			}
			secret := webhook.GenerateSecret()
			receives(t, secret, runReceiver(t, command(t, block[1]), secret))
		})
	}
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// runReceiver starts a receiver on a port of its choice, and returns its URL
// once it listens. It ends with the test.
func runReceiver(t *testing.T, c *exec.Cmd, secret string) string {
	t.Helper()
	c.Env = append(append(os.Environ(), c.Env...), "WEBHOOK_SECRET="+secret, "PORT=0")
	c.Stderr = t.Output()
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	port, found := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if err != nil || !found {
		t.Fatalf("it says %q, %v", line, err)
	}
	return "http://127.0.0.1:" + port + "/"
}

func receives(t *testing.T, secret, url string) {
	t.Helper()
	c, err := webhook.NewClient(webhook.ClientConfig{UserAgent: "Paraph/test", Allow: loopback()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, tc := range []struct {
		secrets []string
		want    int
	}{
		{[]string{secret}, 204},
		{[]string{webhook.GenerateSecret(), secret}, 204},
		{[]string{webhook.GenerateSecret()}, 400},
		{nil, 400},
	} {
		o := c.Send(t.Context(), webhook.Request{URL: url, ID: "msg_1", Event: "form.completed", Attempt: 1, Secrets: tc.secrets, Body: []byte(`{"event_type":"form.completed","a":"ü ✍"}`)})
		if o.Status != tc.want {
			t.Errorf("with %d secrets it answers %d %s, want %d", len(tc.secrets), o.Status, o.Error, tc.want)
		}
	}
}
