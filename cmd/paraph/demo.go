package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/webhook"
)

//go:embed sample/contract.pdf
var sampleContract []byte

type demoCmd struct {
	Out string `help:"Where to put the sealed PDF. Default: a file in the folder of temporary files." placeholder:"FILE" type:"path"`
}

// demo is the main job, told in a terminal. It speaks to the server as others
// do: by HTTP.
type demo struct {
	*instance
	out   io.Writer
	base  string
	token string
	hooks *hookPrinter
}

// signers are who signs in the demo.
var signers = []struct{ name, email, role string }{
	{"Clara Vogel", "clara@example.com", "Client"},
	{"Idris Okafor", "idris@example.com", "Consultant"},
}

// Run plays the main job from the upload to the check of the sealed file.
func (c *demoCmd) Run(s *streams) error {
	dir, err := os.MkdirTemp("", "paraph-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder of temporary files
	d, err := newDemo(s.out, dir)
	if err != nil {
		return err
	}
	path, err := d.play(c.Out)
	if err = errors.Join(err, d.hooks.close(), d.instance.close()); err == nil {
		fmt.Fprintf(s.out, "\nThe sealed PDF: %s\n", path)
	}
	return err
}

func newDemo(out io.Writer, dir string) (*demo, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, err
	}
	c := serveCmd{
		world: world{Data: dir}, Listen: address, BaseURL: "http://" + address, Dev: true, MaxUpload: 100, Name: "Paraph demo",
		WebhookAllowNet: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	}
	in, err := c.start(context.Background(), slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	d := &demo{instance: in, out: out, base: c.BaseURL}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(err, in.close())
	}
	d.say("A server is at %s, with an empty database in %s", d.base, dir)
	return d, nil
}

func (d *demo) say(format string, args ...any) { fmt.Fprintf(d.out, format+"\n", args...) }

// prepare makes a user, a token and a webhook for every event.
func (d *demo) prepare() error {
	ctx := context.Background()
	u, err := d.desk.SignUp(ctx, desk.NewUser{Email: "owner@example.com", Name: "Ada Owner", Password: paraph.NewToken(20)}, true)
	if err != nil {
		return err
	}
	spaces, err := d.store.Spaces(ctx, u.ID)
	if err != nil {
		return err
	}
	who := desk.Who{AccountID: spaces[0].ID, UserID: u.ID}
	if d.token, _, err = d.desk.CreateToken(ctx, who, "demo"); err != nil {
		return err
	}
	if d.hooks, err = newHookPrinter(d.out); err != nil {
		return err
	}
	e, err := d.desk.CreateEndpoint(ctx, who, paraph.Endpoint{URL: d.hooks.url, Events: []string{"*"}, Enabled: true, Ordered: true})
	d.hooks.trust(e.SigningSecret)
	return err
}

// play sends the contract, lets both sign, and checks what came out.
func (d *demo) play(out string) (string, error) {
	d.say("\nAda sends a contract of three pages to Clara, then Idris.")
	slugs, id, err := d.send()
	if err != nil {
		return "", fmt.Errorf("send: %w", err)
	}
	if err := d.hooks.await("document.sent"); err != nil {
		return "", err
	}
	for i, slug := range slugs {
		d.say("\n%s opens the link and signs.", signers[i].name)
		if err := d.sign(slug, signers[i].name); err != nil {
			return "", fmt.Errorf("%s signs: %w", signers[i].name, err)
		}
		if err := d.hooks.await("document.recipient.completed"); err != nil {
			return "", err
		}
	}
	if err := d.hooks.await("document.completed"); err != nil {
		return "", err
	}
	if err := d.hooks.await("submission.completed"); err != nil {
		return "", err
	}
	return d.check(id, out)
}

// field is a field of the sample contract, on its third page.
func field(name, kind, role string, x, y, w, h float64) map[string]any {
	return map[string]any{
		"name": name, "type": kind, "role": role, "required": true,
		"areas": []map[string]any{{"page": 3, "x": x, "y": y, "w": w, "h": h}},
	}
}

func (d *demo) send() (slugs []string, id int64, err error) {
	var fields, submitters []map[string]any
	for i, s := range signers {
		x := 0.115 + 0.414*float64(i)
		fields = append(fields, field(s.role+" name", "text", s.role, x, 0.333, 0.35, 0.032), field(s.role+" signature", "signature", s.role, x, 0.382, 0.35, 0.072))
		submitters = append(submitters, map[string]any{"role": s.role, "name": s.name, "email": s.email})
	}
	var answer struct {
		ID         int64
		Submitters []struct{ Slug string }
	}
	err = d.call(http.MethodPost, "/api/submissions/pdf", map[string]any{
		"name": "Consulting agreement", "order": "preserved", "submitters": submitters,
		"documents": []map[string]any{{"name": "Consulting agreement", "file": base64.StdEncoding.EncodeToString(sampleContract), "fields": fields}},
	}, &answer)
	for _, s := range answer.Submitters {
		slugs = append(slugs, s.Slug)
	}
	return slugs, answer.ID, err
}

// sign does what the signing page does in a browser.
func (d *demo) sign(token, name string) error {
	page := "/sign/" + token
	if err := d.call(http.MethodGet, page, nil, nil); err != nil {
		return err
	}
	var task struct {
		Fields []struct {
			ID   json.RawMessage
			Type string
		}
	}
	if err := d.call(http.MethodGet, page+"/task", nil, &task); err != nil {
		return err
	}
	for _, f := range task.Fields {
		var body any = map[string]any{"value": name}
		if f.Type == "signature" {
			body = map[string]any{"signature": map[string]any{"method": "type", "text": name}}
		}
		if err := d.call(http.MethodPut, page+"/fields/"+string(bytes.Trim(f.ID, `"`)), body, nil); err != nil {
			return err
		}
	}
	return d.call(http.MethodPost, page, url.Values{"consent": {"on"}}, nil)
}

// call asks the server, with JSON both ways; url.Values go as a form.
func (d *demo) call(method, path string, in, out any) error {
	var body io.Reader
	kind := "application/json"
	if form, ok := in.(url.Values); ok {
		body, kind = strings.NewReader(form.Encode()), "application/x-www-form-urlencoded"
	} else if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, d.base+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", d.token)
	req.Header.Set("Content-Type", kind)
	if out != nil {
		req.Header.Set("Accept", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, 100<<20))
	if err != nil {
		return err
	}
	if res.StatusCode >= 400 {
		return fmt.Errorf("%s answered %s: %s", path, res.Status, paraph.Shorten(string(data), 300))
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = data
		return nil
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// check downloads the sealed PDF and verifies it as `paraph verify` does.
func (d *demo) check(id int64, path string) (string, error) {
	var answer struct{ Documents []struct{ URL string } }
	if err := d.call(http.MethodGet, fmt.Sprintf("/api/submissions/%d/documents", id), nil, &answer); err != nil {
		return "", err
	}
	if len(answer.Documents) != 1 {
		return "", fmt.Errorf("there are %d sealed documents and not one", len(answer.Documents))
	}
	var pdf []byte
	if err := d.call(http.MethodGet, answer.Documents[0].URL[len(d.base):], nil, &pdf); err != nil {
		return "", err
	}
	if path == "" {
		path = filepath.Join(os.TempDir(), fmt.Sprintf("paraph-demo-%d.pdf", os.Getpid()))
	}
	if err := os.WriteFile(path, pdf, 0o644); err != nil {
		return "", err
	}
	report, err := d.desk.Verify(context.Background(), pdf)
	if err != nil {
		return "", err
	}
	d.say("\nThe sealed PDF is checked:\n\n%s", report.Text())
	if !report.Valid {
		return "", errors.New("the sealed PDF is not valid")
	}
	return path, nil
}

// hookPrinter receives webhooks, checks their signature with the official
// library and prints a line for each.
type hookPrinter struct {
	out    io.Writer
	url    string
	server *http.Server
	seen   chan string

	mu      sync.Mutex
	secret  string
	waiting map[string]int
}

func newHookPrinter(out io.Writer) (*hookPrinter, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &hookPrinter{out: out, url: "http://" + l.Addr().String() + "/hook", seen: make(chan string, 100), waiting: map[string]int{}}
	h.server = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.server.Serve(l) }() // ends with close
	return h, nil
}

func (h *hookPrinter) close() error { return h.server.Close() }

func (h *hookPrinter) trust(secret string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.secret = secret
}

func (h *hookPrinter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 10<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := webhook.VerifySignature(h.secret, body, r.Header); err != nil {
		fmt.Fprintf(h.out, "  webhook with a wrong signature: %v\n", err)
		http.Error(w, "signature", http.StatusUnauthorized)
		return
	}
	name := r.Header.Get("X-Paraph-Event")
	fmt.Fprintf(h.out, "  webhook %-30s %6d bytes, signature good\n", name, len(body))
	h.seen <- name
}

// await waits until one more event of that name has arrived than was awaited
// before.
func (h *hookPrinter) await(name string) error {
	timeout := time.After(time.Minute)
	for h.waiting[name] == 0 {
		select {
		case n := <-h.seen:
			h.waiting[n]++
		case <-timeout:
			return fmt.Errorf("the webhook %s did not arrive within a minute", name)
		}
	}
	h.waiting[name]--
	return nil
}
