package web

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/dev"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/webhooks"
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
}

func (b *inbox) keep(q received) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	q.id = b.last
	if b.all = append(b.all, q); len(b.all) > inboxRequests {
		b.all = slices.Delete(b.all, 0, 1)
	}
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
	s.inbox.keep(received{name: r.PathValue("name"), at: s.Store.Now(), status: status, headers: r.Header.Clone(), body: body})
	if status == http.StatusNoContent || status == http.StatusNotModified {
		w.WriteHeader(status)
		return nil
	}
	writeJSON(w, status, map[string]bool{"received": true})
	return nil
}

func (s *server) devInbox(w http.ResponseWriter, r *http.Request) error {
	if !s.developing(r) {
		return errNoPage
	}
	v := dev.Inbox{Base: s.Desk.Links.Base, Now: s.Store.Now()}
	for _, q := range s.inbox.newest() {
		v.All = append(v.All, dev.Received{
			ID: q.id, Name: q.name, At: q.at, Status: q.status, Event: q.headers.Get("X-Paraph-Event"), Attempt: q.headers.Get("X-Paraph-Attempt"),
			Headers: sorted(q.headers), Body: indented(q.body),
		})
	}
	return s.page(w, r, http.StatusOK, dev.InboxPage(v), kit.Page{Title: "Webhook inbox", NoIndex: true, Scripts: []string{webhooks.Script}})
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
