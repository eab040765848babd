package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/dev"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/webhooks"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// What the inbox of development holds at most.
const (
	inboxRequests = 100
	inboxBody     = 512 << 10
)

// inbox keeps the latest requests that webhooks sent to this server itself: a
// receiver for trying things out. It is safe for concurrent use.
type inbox struct {
	mu   sync.Mutex
	last int64
	all  []received // oldest first
}

// received is one request.
type received struct {
	id      int64
	name    string
	at      time.Time
	status  int
	headers http.Header
	body    []byte
	signed  dev.Signed
}

func (q received) event() string { return q.headers.Get("X-Paraph-Event") }

func (b *inbox) keep(q received) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	q.id = b.last
	if b.all = append(b.all, q); len(b.all) > inboxRequests {
		b.all = slices.Delete(b.all, 0, 1)
	}
}

// clear forgets all.
func (b *inbox) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = nil
}

// newest are what is kept, the latest first.
func (b *inbox) newest() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Clone(b.all)
	slices.Reverse(all)
	return all
}

// devReceive takes any webhook, and answers with the status that the address
// asks for: /dev/inbox/crm?status=503 fails.
func (s *server) devReceive(w http.ResponseWriter, r *http.Request) error {
	if s.Catcher == nil {
		return errNoPage
	}
	status := http.StatusOK
	if text := r.URL.Query().Get("status"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 200 || n > 599 {
			return paraph.FieldErrorf("status", "The status is a number from 200 to 599.")
		}
		status = n
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, inboxBody))
	if err != nil {
		return unreadable(err)
	}
	q := received{name: r.PathValue("name"), at: s.Store.Now(), status: status, headers: r.Header.Clone(), body: body}
	if q.signed, err = s.signedBy(r.Context(), q); err != nil {
		return err
	}
	s.inbox.keep(q)
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return nil
	}
	writeJSON(w, status, map[string]bool{"received": true})
	return nil
}

// keys are the secrets with which a request may be signed, and whose each is.
type keys struct{ secrets, owners []string }

// signedBy checks a request's signatures, and its shared secret, against the
// webhooks that lead to its inbox.
func (s *server) signedBy(ctx context.Context, q received) (out dev.Signed, err error) {
	endpoints, err := s.Store.EndpointsAt(ctx, "/dev/inbox/"+q.name)
	if err != nil {
		return out, err
	}
	var k keys
	shared := q.headers.Get("X-Documenso-Secret")
	for _, e := range endpoints {
		u, err := url.Parse(e.URL)
		if err != nil || u.Path != "/dev/inbox/"+q.name {
			continue
		}
		k.add(e, q.at)
		if e.Secret != "" && paraph.SameToken(e.Secret, shared) {
			out.Lines = append(out.Lines, fmt.Sprintf("X-Documenso-Secret is that of webhook %d.", e.ID))
		}
	}
	if shared != "" && len(out.Lines) == 0 {
		out.Lines = append(out.Lines, "X-Documenso-Secret is that of no webhook which leads here.")
	}
	k.check(q, &out)
	return out, nil
}

func (k *keys) add(e paraph.Endpoint, now time.Time) {
	for i, secret := range e.SigningSecrets(now) {
		owner := fmt.Sprintf("webhook %d", e.ID)
		if i > 0 {
			owner += " before its rotation"
		}
		k.secrets, k.owners = append(k.secrets, secret), append(k.owners, owner)
	}
}

// check says what the signatures are worth.
func (k *keys) check(q received, out *dev.Signed) {
	in := webhook.Inspect(k.secrets, webhook.Received{Header: q.headers, Body: q.body, At: q.at, Tolerance: webhook.DefaultTolerance})
	var by []string
	for _, c := range in.Checks {
		what := "made with no secret of a webhook that leads here"
		switch {
		case c.Why != "":
			what = c.Why
		case c.Secret >= 0:
			what = "made with the secret of " + k.owners[c.Secret]
			if !slices.Contains(by, k.owners[c.Secret]) {
				by = append(by, k.owners[c.Secret])
			}
		}
		out.Lines = append(out.Lines, c.Scheme+": "+what+".")
	}
	switch {
	case in.Valid:
		out.State, out.By = dev.Valid, strings.Join(by, ", ")
	case len(in.Checks) == 0:
		out.State = dev.Unsigned
	default:
		out.State = dev.Wrong
	}
	if out.State != dev.Unsigned {
		out.Lines = append(out.Lines, in.Problems...)
	}
}

func (s *server) devInbox(w http.ResponseWriter, r *http.Request) error {
	if !s.developing(r) {
		return errNoPage
	}
	v := dev.Inbox{Base: s.Desk.Links.Base, Now: s.Store.Now(), Event: r.URL.Query().Get("event")}
	for _, q := range s.inbox.newest() {
		v.Total++
		if e := q.event(); e != "" && !slices.Contains(v.Events, e) {
			v.Events = append(v.Events, e)
		}
		if v.Event != "" && q.event() != v.Event {
			continue
		}
		v.All = append(v.All, dev.Received{
			ID: q.id, Name: q.name, At: q.at, Status: q.status, Event: q.event(), Attempt: q.headers.Get("X-Paraph-Attempt"),
			Test: q.headers.Get("X-Paraph-Test") != "", Headers: sorted(q.headers), Body: indented(q.body), Signed: q.signed,
		})
	}
	slices.Sort(v.Events)
	return s.page(w, r, http.StatusOK, dev.InboxPage(v), kit.Page{Title: "Webhook inbox", NoIndex: true, Scripts: []string{webhooks.Script}})
}

func (s *server) devClear(w http.ResponseWriter, r *http.Request) error {
	if !s.developing(r) {
		return errNoPage
	}
	s.inbox.clear()
	return redirect(w, r, "/dev/inbox")
}

func sorted(h http.Header) [][2]string {
	var out [][2]string
	for name, values := range h {
		for _, value := range values {
			out = append(out, [2]string{name, value})
		}
	}
	slices.SortFunc(out, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return out
}

// indented is a body for reading, as it came when it is no JSON.
func indented(body []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, body, "", "  ") != nil {
		return printable(body)
	}
	return printable(out.Bytes())
}
