package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The example of the Standard Webhooks specification, and its time.
const (
	specSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	specBody      = `{"test": 2432232314}`
	specSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	specTime      = 1614265330
)

func specHeaders() string {
	return fmt.Sprintf("webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek\r\nwebhook-timestamp: %d\r\nwebhook-signature: v1,%s= %s\r\n", specTime, strings.Repeat("A", 43), specSignature)
}

func TestWebhookVerify(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	headers, body := file("headers", "POST /hook HTTP/1.1\r\n"+specHeaders()), file("body", specBody)
	request := func(length, body string) string {
		return "POST /hook HTTP/1.1\r\nHost: example.com\r\n" + length + specHeaders() + "\r\n" + body
	}
	lines := []string{"--header", "webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek", "--header", fmt.Sprint("webhook-timestamp:", specTime), "--header", "Webhook-Signature: " + specSignature}
	now := []string{"--at", "2021-02-25T15:02:10Z"}
	for name, tt := range map[string]struct {
		stdin string
		args  []string
		code  int
		want  []string
	}{
		"files":           {"", append(now, "--headers", headers, body), 0, []string{"VALID", "20 bytes", "fits secret 1", "no secret fits"}},
		"flags and stdin": {specBody, append(now, lines...), 0, []string{"VALID"}},
		"second secret":   {specBody, append(append(now, lines...), "--secret", "whsec_AAAA"), 0, []string{"fits secret 1"}},
		"no time":         {specBody, append(lines, "--tolerance", "0"), 0, []string{"VALID"}},
		"seconds":         {specBody, append(lines, "--at", fmt.Sprint(specTime+299)), 0, []string{"VALID"}},
		"too old":         {specBody, append(lines, "--at", fmt.Sprint(specTime+300+12*60)), 1, []string{"NOT VALID", "too old by 12 min", "fits secret 1"}},
		"now":             {specBody, lines, 1, []string{"too old by "}},
		"line end":        {specBody + "\n", append(now, lines...), 1, []string{"without the line end"}},
		"no headers":      {specBody, now, 1, []string{"It is not signed"}},
		"whole request":   {request("Content-Length: 20\r\n", specBody+"\n"), now, 0, []string{"VALID", "1 bytes after the body's 20"}},
		"no length":       {request("", specBody), now, 0, []string{"VALID", "does not say how long"}},
		"cut off":         {request("Content-Length: 21\r\n", specBody), now, 0, []string{"cut off"}},
		"chunked":         {request("Transfer-Encoding: chunked\r\n", "14\r\n"+specBody+"\r\n0\r\n\r\n"), now, 0, []string{"VALID"}},
		"Unix line ends":  {strings.ReplaceAll(request("Content-Length: 20\r\n", specBody), "\r\n", "\n"), now, 0, []string{"VALID"}},
	} {
		s := paraphWith(t, tt.stdin, append([]string{"webhook", "verify", "--secret", specSecret}, tt.args...)...)
		if s.code != tt.code || s.err != "" || strings.Contains(s.out, "\x1b") {
			t.Errorf("%s: exit %d\n%s%s", name, s.code, s.out, s.err)
		}
		for _, want := range tt.want {
			if !strings.Contains(s.out, want) {
				t.Errorf("%s does not say %q:\n%s", name, want, s.out)
			}
		}
	}
}

func TestWebhookVerifyRefuses(t *testing.T) {
	t.Parallel()
	for want, tt := range map[string]struct {
		stdin string
		args  []string
	}{
		"--secret":                {"", nil},
		"'name: value'":           {"", []string{"--secret", "x", "--header", "nothing"}},
		"--at is a time":          {"", []string{"--secret", "x", "--at", "noon"}},
		"--tolerance is":          {"", []string{"--secret", "x", "--tolerance=-5m"}},
		"no such file":            {"", []string{"--secret", "x", filepath.Join(t.TempDir(), "none")}},
		"no such file or":         {"", []string{"--secret", "x", "--headers", filepath.Join(t.TempDir(), "none")}},
		"headers of the request":  {"POST / HTTP/1.1\r\nbroken\r\n\r\n", []string{"--secret", "x"}},
		"chunks of the request's": {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz", []string{"--secret", "x"}},
	} {
		if s := paraphWith(t, tt.stdin, append([]string{"webhook", "verify"}, tt.args...)...); s.code == 0 || s.out != "" || !strings.Contains(s.err, want) {
			t.Errorf("%v: %+v does not say %q", tt.args, s, want)
		}
	}
}
