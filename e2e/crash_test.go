package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

const (
	kills   = 50
	clients = 3
)

// TestCrash is the story of a server that is killed at fifty random moments
// while envelopes are made, signed and delivered. Whatever it accepted, by
// answering 2xx, must be there in the end; every event must have reached the
// receiver; nothing may stay completed but unsealed.
func TestCrash(t *testing.T) {
	t.Parallel()
	n := kills
	if testing.Short() {
		n = 5
	}
	s := newServer(t)
	s.start()
	s.command("a long enough password\n", "user", "create", "--email", "owner@example.com", "--name", "Ada Owner", "--password-stdin")
	c := &customers{
		server: s, accepted: make(chan struct{}, 1), created: map[int64]bool{}, finished: map[int64]int64{},
		token: s.command("", "token", "create", "--email", "owner@example.com", "--name", "crash"),
	}
	hooks := newReceiver(t)
	must(t, c.call(t.Context(), http.MethodPost, "/api/webhooks", map[string]any{"url": hooks.url, "events": []string{"*"}, "schedule": "1,1,1,1,1,1,1,1,1,1"}, nil))

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))
	for i := range n {
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		for range clients {
			all.Go(func() { c.work(ctx) })
		}
		if i == 0 || dice.IntN(5) > 0 { // one time in five the kill comes while the server is still starting
			c.progress(t)
		}
		time.Sleep(time.Duration(dice.IntN(700)) * time.Millisecond) // a random moment is the point
		s.kill()
		cancel()
		all.Wait()
		s.start()
	}
	c.settle(t)
	c.check(t, hooks)
}

// customers use the server and remember what it accepted.
type customers struct {
	server *server
	token  string

	accepted chan struct{} // something was

	mu       sync.Mutex
	created  map[int64]bool  // envelopes
	finished map[int64]int64 // recipients, with their envelope
}

// progress waits until the server has accepted something from now on.
func (c *customers) progress(t *testing.T) {
	t.Helper()
	select {
	case <-c.accepted:
	default:
	}
	select {
	case <-c.accepted:
	case <-time.After(time.Minute):
		t.Fatal("the server accepted nothing for a minute")
	}
}

var crashPDF = base64.StdEncoding.EncodeToString([]byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n" +
	"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\nxref\n0 4\n0000000000 65535 f \n0000000009 00000 n \n0000000052 00000 n \n" +
	"0000000101 00000 n \ntrailer<</Size 4/Root 1 0 R>>\nstartxref\n163\n%%EOF\n"))

// work makes envelopes and signs them until the server is gone.
func (c *customers) work(ctx context.Context) {
	for ctx.Err() == nil {
		var sub struct {
			ID         int64
			Submitters []struct{ ID int64 }
		}
		if err := c.call(ctx, http.MethodPost, "/api/submissions/pdf", order(), &sub); err != nil {
			if !gone(err) {
				c.server.t.Errorf("create: %v", err)
			}
			return
		}
		c.note(func() { c.created[sub.ID] = true })
		for _, r := range sub.Submitters {
			err := c.call(ctx, http.MethodPut, fmt.Sprintf("/api/submitters/%d", r.ID), map[string]any{
				"completed": true, "values": map[string]any{"Name": "Zoë"},
			}, nil)
			if err != nil {
				if !gone(err) {
					c.server.t.Errorf("sign: %v", err)
				}
				return
			}
			c.note(func() { c.finished[r.ID] = sub.ID })
		}
	}
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

// gone reports whether an error is the server's being killed, and no answer.
func gone(err error) bool {
	_, answered := errors.AsType[*refusal](err)
	return !answered
}

func (c *customers) call(ctx context.Context, method, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.server.base+path, bytes.NewReader(b))
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

// open opens the database beside the server, to look at it.
func (c *customers) open(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Config{Address: filepath.Join(c.server.data, "paraph.db"), Clock: time.Now, Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { must(t, st.Close()) })
	return st
}

// settle waits until nothing is pending: no delivery, no envelope that waits
// for its seal.
func (c *customers) settle(t *testing.T) {
	t.Helper()
	st := c.open(t)
	deadline := time.Now().Add(4 * time.Minute)
	for {
		lanes, err := st.Lanes(t.Context())
		must(t, err)
		sealed := true
		c.each(t, st, func(e paraph.Envelope) {
			sealed = sealed && (e.Status != paraph.Completed || !e.SealedAt.IsZero())
		})
		if len(lanes) == 0 && sealed {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("after four minutes %d endpoints still have pending deliveries; all sealed: %v", len(lanes), sealed)
		}
		time.Sleep(200 * time.Millisecond) // the other process tells nobody when it is done
	}
}

// each visits every envelope of the owner.
func (c *customers) each(t *testing.T, st *store.Store, visit func(paraph.Envelope)) {
	t.Helper()
	u, err := st.UserByEmail(t.Context(), "owner@example.com")
	must(t, err)
	spaces, err := st.Spaces(t.Context(), u.ID)
	must(t, err)
	for before := int64(0); ; {
		es, err := st.Envelopes(t.Context(), spaces[0].ID, store.EnvelopeFilter{Before: before, Limit: 200})
		must(t, err)
		for _, e := range es {
			visit(e)
			before = e.ID
		}
		if len(es) < 200 {
			return
		}
	}
}

// check holds what the server accepted against what is there and what arrived.
func (c *customers) check(t *testing.T, hooks *receiver) {
	t.Helper()
	st := c.open(t)
	arrived := map[string]int{}
	for _, h := range hooks.all() {
		arrived[h.id]++
	}
	there, done := map[int64]bool{}, map[int64]bool{}
	events, deliveries, repeated := 0, 0, 0
	c.each(t, st, func(e paraph.Envelope) {
		there[e.ID] = true
		for _, r := range e.Recipients {
			done[r.ID] = !r.CompletedAt.IsZero()
		}
		trail, err := st.Events(t.Context(), e.AccountID, e.ID)
		must(t, err)
		if err := paraph.VerifyTrail(trail); err != nil {
			t.Errorf("envelope %d: %v", e.ID, err)
		}
		events += len(trail)
		ds, err := st.Deliveries(t.Context(), e.AccountID, store.DeliveryFilter{EnvelopeID: e.ID, Limit: 200})
		must(t, err)
		deliveries += len(ds)
		told := map[string]bool{}
		for _, d := range ds {
			told[d.EventName] = true
			if arrived[d.MessageID] == 0 || d.State != paraph.DeliverySucceeded {
				t.Errorf("envelope %d: %s arrived %d times and is %s", e.ID, d.EventName, arrived[d.MessageID], d.State)
			}
			repeated += max(0, arrived[d.MessageID]-1)
		}
		c.checkTold(t, e, told)
		c.checkFiles(t, e)
	})
	for id := range c.created {
		if !there[id] {
			t.Errorf("envelope %d was accepted and is lost", id)
		}
	}
	for id, e := range c.finished {
		if !done[id] {
			t.Errorf("the signature of recipient %d on envelope %d was accepted and is lost", id, e)
		}
	}
	t.Logf("%d envelopes and %d signatures accepted, none lost; %d events, %d deliveries, %d of them repeated by crashes",
		len(c.created), len(c.finished), events, deliveries, repeated)
	if len(c.created) < kills/5 && !testing.Short() {
		t.Errorf("only %d envelopes were made: the story is too short to mean anything", len(c.created))
	}
}

// checkTold asks that what the envelope went through has its webhooks.
func (c *customers) checkTold(t *testing.T, e paraph.Envelope, told map[string]bool) {
	t.Helper()
	want := []string{"document.created", "document.sent"}
	if signed, _ := e.Progress(); signed > 0 {
		want = append(want, "document.signed", "form.started")
	}
	if e.Status == paraph.Completed {
		want = append(want, "document.completed", "submission.completed", "form.completed")
	}
	for _, name := range want {
		if !told[name] {
			t.Errorf("envelope %d: nobody was told %s", e.ID, name)
		}
	}
}

// checkFiles asks that a completed envelope's sealed file is there, and holds.
func (c *customers) checkFiles(t *testing.T, e paraph.Envelope) {
	t.Helper()
	if e.Status != paraph.Completed {
		return
	}
	digest := e.Documents[0].Sealed
	path := filepath.Join(c.server.data, "blobs", digest[:2], digest[2:4], digest)
	if _, err := os.Stat(path); err != nil {
		t.Errorf("envelope %d: its sealed file is missing: %v", e.ID, err)
	}
}
