package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// scrape reads a page of metrics.
func scrape(t *testing.T, address string) (status int, text string) {
	t.Helper()
	res, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// TestMetrics: what a running server tells, after a delivery that arrived, one
// that failed, and while one waits.
func TestMetrics(t *testing.T) {
	t.Parallel()
	r := startServer(t, nil)
	target, _ := newHitTarget(t, 200, 418)
	e, err := r.desk.CreateEndpoint(t.Context(), r.who, paraph.Endpoint{URL: target, Events: []string{"*"}, Enabled: true})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		paraphWith(t, "", "trigger", "form.viewed", "--webhook", fmt.Sprint(e.ID), "--server", r.url, "--token", r.token) // waits for what comes of it
	}
	if _, err := r.desk.Listen(t.Context(), r.who, paraph.Listener{Events: []string{"*"}}); err != nil {
		t.Fatal(err)
	}
	_, text := scrape(t, r.address)
	for _, want := range []string{
		`paraph_webhook_attempts_total{code="ok"} 1`, `paraph_webhook_attempts_total{code="http_418"} 1`,
		`paraph_webhook_deliveries_finished_total{state="succeeded"} 1`, `paraph_webhook_deliveries_finished_total{state="failed"} 1`,
		`paraph_webhook_delivery_seconds_bucket{le="0.005"}`, `paraph_webhook_delivery_seconds_bucket{le="172800"}`, "paraph_webhook_delivery_seconds_count 0",
		"paraph_webhook_attempt_duration_seconds_count 2", `paraph_webhook_backlog{class="first"} 0`, `paraph_webhook_backlog{class="held"} 0`,
		`paraph_webhook_breakers{state="open"} 0`, "paraph_webhook_in_flight 0", "paraph_webhook_leases_reclaimed_total 0", "paraph_listeners 1",
		`paraph_jobs{kind="seal",state="due"} 0`, `paraph_jobs_oldest_seconds{kind="mail"} `, "paraph_database_up 1", `paraph_build_info{go_version="go`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s", want)
		}
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	if t.Failed() {
		t.Log(text)
	}
	checkDashboard(t, text)
	checkAlerts(t, text)
}

// checkAlerts: the alerts that the guide suggests ask for what the server tells.
func checkAlerts(t *testing.T, metrics string) {
	t.Helper()
	b, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "```yaml\ngroups:")
	rules, _, _ := strings.Cut(rest, "```")
	asked := regexp.MustCompile(`paraph_[a-z_]+`).FindAllString(rules, -1)
	if len(asked) < 5 {
		t.Fatalf("the guide suggests only %v", asked)
	}
	for _, name := range asked {
		if !strings.Contains(metrics, "\n"+name+"{") && !strings.Contains(metrics, "\n"+name+" ") {
			t.Errorf("an alert asks for %s, which nobody tells", name)
		}
	}
}

// checkDashboard: each metric and label of each panel is one that the server
// tells, and each panel and variable is as Grafana wants it.
func checkDashboard(t *testing.T, metrics string) {
	t.Helper()
	b, err := os.ReadFile("../../docs/grafana-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Title, UID    string
		SchemaVersion int
		Templating    struct {
			List []struct{ Name, Type, Query any }
		}
		Panels []struct {
			ID          int
			Type, Title string
			GridPos     struct{ X, Y, W, H int }
			Datasource  struct{ Type, UID string }
			Targets     []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal(b, &board); err != nil {
		t.Fatal(err)
	}
	if board.Title == "" || board.UID == "" || board.SchemaVersion < 36 || len(board.Templating.List) == 0 || board.Templating.List[0].Name != "datasource" || board.Templating.List[0].Type != "datasource" {
		t.Errorf("the dashboard is headed %q %q %d %v", board.Title, board.UID, board.SchemaVersion, board.Templating)
	}
	names := regexp.MustCompile(`\b(?:paraph|go|process)_[a-z0-9_]+`)
	selectors := regexp.MustCompile(`([a-z_]+)(?:=|=~)"([^"$]*)"`)
	used, ids, taken := map[string]bool{}, map[int]bool{}, map[[2]int]int{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" {
			t.Errorf("panel %d %q has no number or title of its own", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				if other, ok := taken[at]; ok || at[0] >= 24 {
					t.Errorf("panel %d lies at %v, over panel %d or the edge", p.ID, at, other)
				}
				taken[at] = p.ID
			}
		}
		if p.Type == "row" {
			continue
		}
		if len(p.Targets) == 0 || p.Datasource.UID != "${datasource}" {
			t.Errorf("panel %q asks %d questions of %q", p.Title, len(p.Targets), p.Datasource.UID)
		}
		for _, q := range p.Targets {
			for _, name := range names.FindAllString(q.Expr, -1) {
				used[name] = true
				if !strings.Contains(metrics, "\n"+name+"{") && !strings.Contains(metrics, "\n"+name+" ") {
					t.Errorf("panel %q asks for %s, which nobody tells", p.Title, name)
				}
			}
			for _, s := range selectors.FindAllStringSubmatch(q.Expr, -1) {
				for value := range strings.SplitSeq(s[2], "|") {
					if !strings.Contains(metrics, fmt.Sprintf("%s=%q", s[1], value)) {
						t.Errorf("panel %q asks for %s=%q, which nobody tells", p.Title, s[1], value)
					}
				}
			}
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (paraph_\S+) (\S+)$`).FindAllStringSubmatch(metrics, -1) {
		if name := m[1]; !used[name] && !used[name+"_bucket"] {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// TestMetricsOfTheirOwnAddress: then nothing of them is at the other.
func TestMetricsOfTheirOwnAddress(t *testing.T) {
	t.Parallel()
	r := startServer(t, func(c *serveCmd) { c.MetricsListen = "127.0.0.1:0" })
	if status, text := scrape(t, r.address); status != http.StatusNotFound || strings.Contains(text, "paraph_") {
		t.Errorf("at the public address: %d", status)
	}
	if status, text := scrape(t, r.metrics); status != http.StatusOK || !strings.Contains(text, "paraph_database_up 1") {
		t.Errorf("at their own address: %d", status)
	}
	for path, want := range map[string]int{"/healthz": 200, "/": 404, "/api/user": 404, "/signin": 404} {
		res, err := http.Get("http://" + r.metrics + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s: %d and not %d", path, res.StatusCode, want)
		}
	}
	if s := paraphWith(t, "", "serve", "--data", t.TempDir(), "--metrics-listen", "9090"); s.code != 1 || !strings.Contains(s.err, "--metrics-listen is HOST:PORT") {
		t.Errorf("a port alone: %+v", s)
	}
}

// TestMetricsLookSeldom: a scrape within a moment of another asks the database
// nothing, and a database that is gone is told of.
func TestMetricsLookSeldom(t *testing.T) {
	t.Parallel()
	r := startServer(t, nil)
	w := &worldMeter{desk: r.desk, store: r.store, lanes: func() webhook.Stats { return webhook.Stats{} }, log: slog.New(slog.DiscardHandler), look: time.Hour}
	w.see()
	if !w.last.ok || !w.next.After(time.Now().Add(time.Minute)) {
		t.Fatalf("it saw %+v, and looks again at %v", w.last, w.next)
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if w.see(); !w.last.ok {
		t.Error("it looked again at once")
	}
	w.next = time.Time{}
	if w.see(); w.last.ok {
		t.Error("it did not see that the database is gone")
	}
}

// TestCodeLabel: receivers can't make labels of their own.
func TestCodeLabel(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"ok": "ok", "timeout": "timeout", "http_503": "http_503", "http_418": "http_418", "http_799": "http_other", "http_x": "http_other"} {
		if got := codeLabel(code); got != want {
			t.Errorf("%s is %s and not %s", code, got, want)
		}
	}
}
