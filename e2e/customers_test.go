package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// customers use a server, or several, and remember what was accepted. Their
// webhooks have three endpoints: a good one, a slow one, and one that refuses
// a fourth of its messages at the first attempt.
type customers struct {
	t         *testing.T
	nodes     []*server
	token     string
	hooks     *receiver
	endpoints []int64
	excused   func(*refusal) bool // refusals that a fault explains; nil: none

	accepted chan struct{} // something was

	mu       sync.Mutex
	created  map[int64]bool  // envelopes
	finished map[int64]int64 // recipients, with their envelope
}

// soon repeats for long enough that no fault outlasts it.
var soon = strings.TrimSuffix(strings.Repeat("1,", 50), ",")

// newCustomers are those of running servers that share a database.
func newCustomers(t *testing.T, nodes ...*server) *customers {
	t.Helper()
	s := nodes[0]
	s.command("a long enough password\n", "user", "create", "--email", "owner@example.com", "--name", "Ada Owner", "--password-stdin")
	c := &customers{
		t: t, nodes: nodes, accepted: make(chan struct{}, 1), created: map[int64]bool{}, finished: map[int64]int64{},
		token: s.command("", "token", "create", "--email", "owner@example.com", "--name", "faults"),
	}
	c.hooks = newReceiver(t)
	c.hooks.slow = "/slow"
	c.hooks.answer = func(_ int, h hook) int {
		if h.path == "/flaky" && h.attempt == "1" && crc32.ChecksumIEEE([]byte(h.id))%4 == 0 {
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	}
	for _, path := range []string{"/good", "/slow", "/flaky"} {
		c.listen(strings.TrimSuffix(c.hooks.url, "/hook") + path)
	}
	return c
}

// listen makes an endpoint for all events.
func (c *customers) listen(url string) {
	c.t.Helper()
	var e struct{ ID int64 }
	must(c.t, c.call(c.t.Context(), http.MethodPost, "/api/webhooks", map[string]any{"url": url, "events": []string{"*"}, "schedule": soon}, &e))
	c.endpoints = append(c.endpoints, e.ID)
}

// progress waits until the server has accepted something from now on.
func (c *customers) progress() {
	c.t.Helper()
	select {
	case <-c.accepted:
	default:
	}
	select {
	case <-c.accepted:
	case <-time.After(3 * time.Minute): // a start compiles the PDF engine, and a machine may be busy
		c.t.Fatal("nothing was accepted for three minutes")
	}
}

var crashPDF = base64.StdEncoding.EncodeToString([]byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n" +
	"0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n163\n%%EOF\n"))

// work makes envelopes and signs them. What a fault broke off is left as it
// is.
func (c *customers) work(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.one(ctx)
		if err == nil {
			continue
		}
		if refused, ok := errors.AsType[*refusal](err); ok && (c.excused == nil || !c.excused(refused)) {
			c.t.Error(err)
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond): // nobody tells a customer that the server is back
		}
	}
}

// one makes an envelope, and all of its people sign.
func (c *customers) one(ctx context.Context) error {
	var sub submission
	if err := c.call(ctx, http.MethodPost, "/api/submissions/pdf", order(), &sub); err != nil {
		return err
	}
	c.note(func() { c.created[sub.ID] = true })
	for _, id := range sub.people() {
		if err := c.sign(ctx, id); err != nil {
			return err
		}
		c.note(func() { c.finished[id] = sub.ID })
	}
	return nil
}

func (c *customers) sign(ctx context.Context, id int64) error {
	return c.call(ctx, http.MethodPut, fmt.Sprintf("/api/submitters/%d", id), map[string]any{
		"completed": true, "values": map[string]any{"Name": "Zoë"},
	}, nil)
}

func (c *customers) note(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	select {
	case c.accepted <- struct{}{}:
	default:
	}
}

// order is an envelope for two, in order.
func order() map[string]any {
	var fields []map[string]any
	for i, role := range []string{"A", "B"} {
		fields = append(fields, map[string]any{
			"name": "Name", "type": "text", "role": role, "required": true,
			"areas": []map[string]any{{"page": 1, "x": 0.1, "y": 0.2 + 0.1*float64(i), "w": 0.3, "h": 0.03}},
		})
	}
	return map[string]any{
		"name": "Crash", "send_email": false, "order": "preserved",
		"submitters": []map[string]any{{"role": "A", "name": "Ann", "email": "ann@example.com"}, {"role": "B", "name": "Ben", "email": "ben@example.com"}},
		"documents":  []map[string]any{{"name": "page", "file": crashPDF, "fields": fields}},
	}
}

// refusal is an answer that is not 2xx.
type refusal struct {
	status int
	text   string
}

func (r *refusal) Error() string { return fmt.Sprintf("%d: %s", r.status, r.text) }

func (c *customers) call(ctx context.Context, method, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.nodes[rand.IntN(len(c.nodes))].base+path, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", c.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode/100 != 2 {
		return &refusal{res.StatusCode, tail(string(data), 300)}
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(data, out)
}

// row is a delivery as the API lists it.
type row struct {
	ID        int64
	Event     string
	MessageID string `json:"message_id"`
	State     string
}

// deliveries are those of an endpoint, in a state or in any.
func (c *customers) deliveries(endpoint int64, state string) (all []row) {
	c.t.Helper()
	for after := int64(0); ; {
		var page struct{ Data []row }
		path := fmt.Sprintf("/api/webhooks/%d/deliveries?limit=100&state=%s&after=%d", endpoint, state, after)
		must(c.t, c.call(c.t.Context(), http.MethodGet, path, nil, &page))
		all = append(all, page.Data...)
		if len(page.Data) < 100 {
			return all
		}
		after = page.Data[99].ID
	}
}

// open opens the database beside the server, to look at it.
func (c *customers) open() *store.Store {
	c.t.Helper()
	st, err := store.Open(c.t.Context(), store.Config{Address: c.nodes[0].database, Clock: time.Now, Logger: slog.New(slog.DiscardHandler)})
	must(c.t, err)
	return st
}

// account is the owner's space.
func (c *customers) account(st *store.Store) int64 {
	c.t.Helper()
	u, err := st.UserByEmail(c.t.Context(), "owner@example.com")
	must(c.t, err)
	spaces, err := st.Spaces(c.t.Context(), u.ID)
	must(c.t, err)
	return spaces[0].ID
}

// eachPending visits the deliveries that are not delivered yet, with or
// without a server.
func (c *customers) eachPending(visit func(paraph.Delivery)) {
	c.t.Helper()
	st := c.open()
	defer st.Close()
	account := c.account(st)
	for before := int64(0); ; {
		ds, err := st.Deliveries(c.t.Context(), account, store.DeliveryFilter{State: paraph.DeliveryPending, Before: before, Limit: 200})
		must(c.t, err)
		for _, d := range ds {
			visit(d)
			before = d.ID
		}
		if len(ds) < 200 {
			return
		}
	}
}

// settle waits until nothing is pending: no delivery, no envelope that waits
// for its seal.
func (c *customers) settle() {
	c.t.Helper()
	st := c.open()
	defer st.Close()
	deadline := time.Now().Add(4 * time.Minute)
	for {
		pending, unsealed := 0, 0
		for _, id := range c.endpoints {
			pending += len(c.deliveries(id, string(paraph.DeliveryPending)))
		}
		c.each(st, func(e paraph.Envelope) {
			if e.Status == paraph.Completed && e.SealedAt.IsZero() {
				unsealed++
			}
		})
		if pending+unsealed == 0 {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("after four minutes %d deliveries are pending and %d envelopes unsealed", pending, unsealed)
		}
		time.Sleep(200 * time.Millisecond) // the other process tells nobody when it is done
	}
}

// each visits every envelope of the owner.
func (c *customers) each(st *store.Store, visit func(paraph.Envelope)) {
	c.t.Helper()
	account := c.account(st)
	for before := int64(0); ; {
		es, err := st.Envelopes(c.t.Context(), account, store.EnvelopeFilter{Before: before, Limit: 200})
		must(c.t, err)
		for _, e := range es {
			visit(e)
			before = e.ID
		}
		if len(es) < 200 {
			return
		}
	}
}

// check holds what the server accepted against what is there.
func (c *customers) check() {
	c.t.Helper()
	st := c.open()
	defer st.Close()
	there, done := map[int64]bool{}, map[int64]bool{}
	events := 0
	c.each(st, func(e paraph.Envelope) {
		there[e.ID] = true
		for _, r := range e.Recipients {
			done[r.ID] = !r.CompletedAt.IsZero()
		}
		trail, err := st.Events(c.t.Context(), e.AccountID, e.ID)
		must(c.t, err)
		if err := paraph.VerifyTrail(trail); err != nil {
			c.t.Errorf("envelope %d: %v", e.ID, err)
		}
		events += len(trail)
		c.checkTold(st, e)
		c.checkFiles(e)
	})
	for id := range c.created {
		if !there[id] {
			c.t.Errorf("envelope %d was accepted and is lost", id)
		}
	}
	for id, e := range c.finished {
		if !done[id] {
			c.t.Errorf("the signature of recipient %d on envelope %d was accepted and is lost", id, e)
		}
	}
	c.t.Logf("%d envelopes and %d signatures accepted, none lost; %d events", len(c.created), len(c.finished), events)
}

// checkTold asks that every endpoint was told what the envelope went through.
func (c *customers) checkTold(st *store.Store, e paraph.Envelope) {
	c.t.Helper()
	ds, err := st.Deliveries(c.t.Context(), e.AccountID, store.DeliveryFilter{EnvelopeID: e.ID, Limit: 200})
	must(c.t, err)
	told := map[string]int{}
	for _, d := range ds {
		told[d.EventName]++
	}
	want := []string{"document.created", "document.sent"}
	if signed, _ := e.Progress(); signed > 0 {
		want = append(want, "document.signed", "form.started")
	}
	if e.Status == paraph.Completed {
		want = append(want, "document.completed", "submission.completed", "form.completed")
	}
	for _, name := range want {
		if told[name] < len(c.endpoints) {
			c.t.Errorf("envelope %d: %d of %d endpoints are told %s", e.ID, told[name], len(c.endpoints), name)
		}
	}
}

// checkFiles asks that a completed envelope's sealed file is there.
func (c *customers) checkFiles(e paraph.Envelope) {
	c.t.Helper()
	if e.Status != paraph.Completed {
		return
	}
	digest := e.Documents[0].Sealed
	path := filepath.Join(c.nodes[0].data, "blobs", digest[:2], digest[2:4], digest)
	if _, err := os.Stat(path); err != nil {
		c.t.Errorf("envelope %d: its sealed file is missing: %v", e.ID, err)
	}
}
