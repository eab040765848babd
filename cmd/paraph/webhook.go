package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/textproto"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/webhook"
)

type webhookCmd struct {
	Verify webhookVerifyCmd `cmd:"" help:"Say whether a webhook that was received is signed with a secret, or precisely why not."`
}

type webhookVerifyCmd struct {
	Secret    []string      `help:"The signing secret, or several (repeat the flag)." required:"" sep:"none" placeholder:"whsec_…"`
	Header    []string      `help:"A header of the request, as 'name: value' (repeat the flag)." sep:"none" placeholder:"LINE"`
	Headers   string        `help:"File with the headers, one a line." placeholder:"FILE" type:"path"`
	At        string        `help:"When it was received, in ISO 8601 or seconds since 1970. Default: now." placeholder:"TIME"`
	Tolerance time.Duration `help:"How old it may be; 0 to leave its time out." default:"5m" placeholder:"TIME"`
	Body      string        `arg:"" optional:"" default:"-" help:"File with the body as it came, or with the whole request as it went over the wire; - for standard input." placeholder:"FILE"`
}

// maxHook bounds what is read of a request, in bytes.
const maxHook = 64 << 20

// Run prints what can be said. The exit code is 0 when a signature is good and
// its time too, 1 otherwise.
func (c *webhookVerifyCmd) Run(s *streams) error {
	r := webhook.Received{Tolerance: c.Tolerance}
	if c.Tolerance < 0 {
		return errors.New("--tolerance is a time such as 5m, or 0")
	}
	var err error
	if r.At, err = parseAt(c.At); err != nil {
		return err
	}
	raw, err := c.read(s.in)
	if err != nil {
		return err
	}
	var notes []string
	if r.Header, r.Body, notes, err = parseRequest(raw); err != nil {
		return err
	}
	if err := c.addHeaders(r.Header); err != nil {
		return err
	}
	return report(s.out, webhook.Inspect(c.Secret, r), notes, len(r.Body))
}

func parseAt(text string) (time.Time, error) {
	if text == "" {
		return time.Now(), nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(n, 0), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("--at is a time such as 2026-09-14T10:07:12Z, or seconds since 1970, and not %q", text)
	}
	return t, nil
}

// read is the body's file, or standard input.
func (c *webhookVerifyCmd) read(in io.Reader) ([]byte, error) {
	if c.Body != "-" {
		f, err := os.Open(c.Body)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxHook+1))
	if err == nil && len(b) > maxHook {
		err = fmt.Errorf("the body is larger than %d MB", maxHook>>20)
	}
	return b, err
}

// addHeaders adds those of the flags.
func (c *webhookVerifyCmd) addHeaders(h http.Header) error {
	lines := c.Header
	if c.Headers != "" {
		b, err := os.ReadFile(c.Headers)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(b), "\n") {
			line = strings.TrimRight(line, "\r")
			if line != "" && (i > 0 || !strings.Contains(line, "HTTP/")) { // a request's or an answer's first line
				lines = append(lines, line)
			}
		}
	}
	for _, line := range lines {
		name, value, ok := strings.Cut(line, ":")
		if !ok || strings.TrimSpace(name) == "" || strings.ContainsAny(strings.TrimSpace(name), " \t") {
			return fmt.Errorf("a header is 'name: value', and not %q", paraph.Shorten(line, 100))
		}
		h.Add(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return nil
}

var requestLine = regexp.MustCompile(`\A[A-Z]+ \S+ HTTP/[0-9.]+\r?\n`)

// parseRequest takes the headers off a whole request; what does not begin like
// one is a body.
func parseRequest(raw []byte) (h http.Header, body []byte, notes []string, err error) {
	line := requestLine.Find(raw)
	if line == nil {
		return http.Header{}, raw, nil, nil
	}
	b := bufio.NewReader(bytes.NewReader(raw[len(line):]))
	pairs, err := textproto.NewReader(b).ReadMIMEHeader()
	if err != nil {
		return nil, nil, nil, fmt.Errorf("the headers of the request can't be read: %w", err)
	}
	h = http.Header(pairs)
	if strings.EqualFold(h.Get("Transfer-Encoding"), "chunked") {
		if body, err = io.ReadAll(httputil.NewChunkedReader(b)); err != nil {
			err = fmt.Errorf("the chunks of the request's body can't be read: %w", err)
		}
		return h, body, nil, err
	}
	if body, err = io.ReadAll(b); err != nil {
		return nil, nil, nil, err
	}
	said, err := strconv.Atoi(h.Get("Content-Length"))
	switch {
	case err != nil:
		notes = append(notes, "The request does not say how long its body is; all that follows the headers was taken.")
	case said < len(body):
		notes = append(notes, fmt.Sprintf("%d bytes after the body's %d were left out, as Content-Length says.", len(body)-said, said))
		body = body[:said]
	case said > len(body):
		notes = append(notes, fmt.Sprintf("The body has %d bytes, but Content-Length says %d: it was cut off.", len(body), said))
	}
	return h, body, notes, nil
}

// report prints an inspection.
func report(out io.Writer, in webhook.Inspection, notes []string, size int) error {
	colour := inColour(out)
	if in.Valid {
		fmt.Fprintln(out, paint(colour, green, "VALID")+fmt.Sprintf(": signed with a secret that you gave, %d bytes.", size))
	} else {
		fmt.Fprintln(out, paint(colour, red, "NOT VALID"))
	}
	for _, c := range in.Checks {
		what := "no secret fits"
		switch {
		case c.Why != "":
			what = "can't be used: " + c.Why
		case c.Secret >= 0:
			what = fmt.Sprintf("fits secret %d", c.Secret+1)
		}
		fmt.Fprintf(out, "  %s  %s: %s\n", c.Scheme, paraph.Shorten(paraph.CleanLine(c.Signature), 60), what)
	}
	for _, lines := range [][]string{in.Problems, in.Hints, notes} {
		for _, line := range lines {
			fmt.Fprintln(out, "  "+line)
		}
	}
	if !in.Valid {
		return errQuiet
	}
	return nil
}
