package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

// story is what the acts of story.mjs hand on to each other.
type story struct {
	t      *testing.T
	server *server
	input  map[string]any
}

// act plays one act in the browser. Its answer becomes input of the next ones.
func (s *story) act(name string, more map[string]any) map[string]any {
	s.t.Helper()
	for k, v := range more {
		s.input[k] = v
	}
	in, err := json.Marshal(s.input)
	must(s.t, err)
	node, err := exec.LookPath("node")
	if err != nil {
		s.t.Fatal("node is not installed")
	}
	cmd := exec.CommandContext(s.t.Context(), node, "story.mjs", name)
	cmd.Stdin = bytes.NewReader(in)
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	raw, err := cmd.Output()
	if err != nil {
		s.t.Fatalf("act %q: %v\n%s", name, err, errOut.String())
	}
	var out map[string]any
	must(s.t, json.Unmarshal(raw, &out))
	if p, ok := out["problems"].([]any); ok && len(p) > 0 {
		s.t.Errorf("act %q: the browser complained: %v", name, p)
	}
	if state, ok := out["state"]; ok {
		s.input["state"] = state
	}
	return out
}

// TestStory is the main job in a browser: the owner sends a real contract of
// three pages to two people, one after the other; the first draws on a phone,
// the second types at a desk; the sealed file holds, and a receiver has heard of
// every step, once and in order.
func TestStory(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.start()
	hooks, flaky := newReceiver(t), newReceiver(t)
	flaky.answer = func(n int, _ hook) int {
		if n <= 2 {
			return http.StatusInternalServerError
		}
		return http.StatusOK
	}
	contract, err := filepath.Abs("../cmd/paraph/sample/contract.pdf")
	must(t, err)
	st := &story{t: t, server: s, input: map[string]any{
		"base": s.base, "pdf": contract, "pictures": os.Getenv("PARAPH_STORY_PICTURES"),
		"webhooks": []map[string]any{
			{"url": hooks.url, "secret": "open sesame", "events": []string{
				"document.created", "document.sent", "document.opened", "document.signed", "document.completed",
				"form.viewed", "form.started", "form.completed", "form.declined",
			}},
			{"url": flaky.url, "secret": "", "events": []string{"document.sent"}, "steps": "1, 1"},
		},
		"recipients": []map[string]any{
			{"name": "Clara Vogel", "email": "clara@example.com", "role": "Client"},
			{"name": "Zoë Łukasik", "email": "zoe@example.com", "role": "Consultant"},
		},
	}}
	st.act("owner", nil)
	st.input["url"] = st.act("send", nil)["url"]
	awaitEvents(t, hooks, "document.sent", 1)

	links := st.links()
	st.act("draws", map[string]any{"link": s.base + "/sign/" + links[0], "town": "Hamburg"})
	awaitEvents(t, hooks, "form.completed", 1)
	awaitEvents(t, hooks, "document.signed", 1)
	st.act("types", map[string]any{"link": s.base + "/s/" + links[1], "town": "Łódź", "name": "Zoë Łukasik"})
	awaitEvents(t, hooks, "document.completed", 1)
	awaitEvents(t, hooks, "form.completed", 2)

	sealed := filepath.Join(t.TempDir(), "sealed.pdf")
	st.act("completed", map[string]any{"sealed": sealed, "deliveries": s.base + "/settings/webhooks/1"})
	st.checkSealed(sealed)
	checkOrder(t, hooks.all())
	checkSecret(t, hooks.all())
	checkBodies(t, st, hooks.all(), links)
	checkThirdTime(t, flaky)
	st.checkMails()
}

func awaitEvents(t *testing.T, r *receiver, name string, n int) {
	t.Helper()
	r.await(t, fmt.Sprintf("%s (%d)", name, n), func(hooks []hook) bool {
		count := 0
		for _, h := range hooks {
			if h.event == name {
				count++
			}
		}
		return count >= n
	})
}

// links are the tokens of the two recipients, in their order, asked of the API.
func (s *story) links() []string {
	s.t.Helper()
	token := s.server.command("", "token", "create", "--email", "ada@example.com", "--name", "story")
	c := &customers{t: s.t, nodes: []*server{s.server}, token: token}
	var answer struct{ Submitters []struct{ Slug string } }
	must(s.t, c.call(s.t.Context(), http.MethodGet, "/api/submissions/1", nil, &answer))
	if len(answer.Submitters) != 2 {
		s.t.Fatalf("the envelope has %d recipients", len(answer.Submitters))
	}
	return []string{answer.Submitters[0].Slug, answer.Submitters[1].Slug}
}

// checkSealed asks others, and ourselves, what they think of the sealed file.
func (s *story) checkSealed(path string) {
	s.t.Helper()
	if out := tool(s.t, "pdfsig", path); !strings.Contains(out, "Signature is Valid") || !strings.Contains(out, "Total document signed") {
		s.t.Errorf("pdfsig does not call the sealed file valid:\n%s", out)
	}
	if out := tool(s.t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors found") {
		s.t.Errorf("qpdf finds fault with the sealed file:\n%s", out)
	}
	text := tool(s.t, "pdftotext", "-layout", path, "-")
	for _, want := range []string{"Hamburg", "Łódź", "Clara Vogel", "Zoë Łukasik", "10. Last words"} {
		if !strings.Contains(text, want) {
			s.t.Errorf("pdftotext does not find %q in the sealed file", want)
		}
	}
	if out := s.server.command("", "verify", path); !strings.HasPrefix(out, "VALID") {
		s.t.Errorf("paraph verify says:\n%s", out)
	}
}

// checkOrder wants each event once and in the order in which things happened,
// in each dialect.
func checkOrder(t *testing.T, hooks []hook) {
	t.Helper()
	var documents, forms []string
	for _, h := range hooks {
		if strings.HasPrefix(h.event, "document.") {
			documents = append(documents, h.event)
		} else {
			forms = append(forms, h.event)
		}
	}
	want := []string{
		"document.created", "document.sent", "document.opened", "document.signed", "document.opened", "document.signed", "document.completed",
	}
	if diff := cmp.Diff(want, documents); diff != "" {
		t.Errorf("Documenso's events (-want +got):\n%s", diff)
	}
	want = []string{"form.viewed", "form.started", "form.completed", "form.viewed", "form.started", "form.completed"}
	if diff := cmp.Diff(want, forms); diff != "" {
		t.Errorf("DocuSeal's events (-want +got):\n%s", diff)
	}
}

func checkSecret(t *testing.T, hooks []hook) {
	t.Helper()
	for _, h := range hooks {
		secret, signed := h.header.Get("X-Documenso-Secret"), h.header.Get("X-Docuseal-Signature")
		if documenso := strings.HasPrefix(h.event, "document."); documenso != (secret == "open sesame") || documenso == (signed != "") {
			t.Errorf("%s carries the secret %q and the signature %q", h.event, secret, signed)
		}
		if h.header.Get("Webhook-Signature") == "" || h.attempt != "1" {
			t.Errorf("%s: attempt %q, signature %q", h.event, h.attempt, h.header.Get("Webhook-Signature"))
		}
	}
}

// checkThirdTime wants the delivery that was answered 500 twice to have come a
// third time, the same to the byte.
func checkThirdTime(t *testing.T, flaky *receiver) {
	t.Helper()
	flaky.await(t, "the third attempt", func(hooks []hook) bool { return len(hooks) >= 3 })
	all := flaky.all()
	for i, h := range all {
		if h.id != all[0].id || !bytes.Equal(h.body, all[0].body) || h.attempt != fmt.Sprint(i+1) {
			t.Errorf("attempt %d has id %s and number %s, and its body is the same: %v", i+1, h.id, h.attempt, bytes.Equal(h.body, all[0].body))
		}
	}
	if len(all) != 3 {
		t.Errorf("there were %d attempts and not 3", len(all))
	}
}

// checkMails wants each mail that the story sends, once.
func (s *story) checkMails() {
	s.t.Helper()
	res, err := http.Get(s.server.base + "/dev/mail")
	must(s.t, err)
	defer res.Body.Close()
	var page bytes.Buffer
	_, err = page.ReadFrom(res.Body)
	must(s.t, err)
	for _, want := range []string{"asks you to sign", "Completed:", "clara@example.com", "zoe@example.com", "ada@example.com"} {
		if !strings.Contains(page.String(), want) {
			s.t.Errorf("/dev/mail does not show %q", want)
		}
	}
}

// What differs from run to run, and what stands in its place in the goldens.
var changing = []struct {
	pattern *regexp.Regexp
	word    string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`), "TIME"},
	{regexp.MustCompile(`/file/[\w-]+/`), "/file/LINK/"},
	{regexp.MustCompile(`/e/[\w-]+`), "/e/SLUG"},
	{regexp.MustCompile(`envelope_[a-z]{16}`), "ENVELOPE"},
	{regexp.MustCompile(`"[a-z]{25}"`), `"DATA"`},
	{regexp.MustCompile(`[0-9a-f]{64}`), "DIGEST"},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "UUID"},
	{regexp.MustCompile(`Mozilla/[^"]+`), "BROWSER"},
}

// checkBodies holds each body against its golden.
func checkBodies(t *testing.T, s *story, hooks []hook, links []string) {
	t.Helper()
	count := map[string]int{}
	for _, h := range hooks {
		count[h.event]++
		text := strings.ReplaceAll(string(h.body), s.server.base, "BASE")
		text = regexp.MustCompile(`http://127\.0\.0\.1:\d+/hook`).ReplaceAllString(text, "HOOK")
		for i, link := range links {
			text = strings.ReplaceAll(text, link, fmt.Sprintf("TOKEN-%d", i+1))
		}
		for _, c := range changing {
			text = c.pattern.ReplaceAllString(text, c.word)
		}
		var pretty bytes.Buffer
		must(t, json.Indent(&pretty, []byte(text), "", "  "))
		pretty.WriteByte('\n')
		golden(t, fmt.Sprintf("%s-%d.json", h.event, count[h.event]), pretty.Bytes())
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.MkdirAll("testdata", 0o755))
		must(t, os.WriteFile(path, got, 0o644))
		return
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf("%s (-golden +got):\n%s", name, diff)
	}
}
