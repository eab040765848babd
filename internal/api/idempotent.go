package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"

	"github.com/paraph-sign/paraph"
)

// maxKey is the longest Idempotency-Key, in bytes.
const maxKey = 255

// idempotent answers a POST that repeats an earlier one, by its
// Idempotency-Key, with what that one was answered. See desk.ReserveAnswer for
// what a crash can do.
func (a *api) idempotent(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Idempotency-Key")
		if r.Method != http.MethodPost || key == "" {
			next.ServeHTTP(w, r)
			return
		}
		if err := a.once(w, r, key, next); err != nil {
			a.refuse(w, r, err)
		}
	})
}

// once works a request whose key is new, or repeats its answer.
func (a *api) once(w http.ResponseWriter, r *http.Request, key string, next http.Handler) error {
	if len(key) > maxKey || paraph.CleanLine(key) != key {
		return paraph.FieldErrorf("Idempotency-Key", "The key has at most %d characters, and none that can't be printed.", maxKey)
	}
	kept, replay, err := a.desk.ReserveAnswer(r.Context(), whoOf(r.Context()), key, requestHash(r))
	if err != nil {
		return err
	}
	if replay {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Idempotent-Replayed", "true")
		w.WriteHeader(kept.Status)
		_, _ = w.Write(kept.Body) // the reader may be gone
		return nil
	}
	rec := &recorder{header: w.Header(), status: http.StatusOK}
	a.keep(r, key, rec, next)
	w.WriteHeader(rec.status)
	_, _ = w.Write(rec.body.Bytes())
	return nil
}

// keep works a request and keeps its answer before anybody sees it, so that
// whoever has seen it can repeat the request.
func (a *api) keep(r *http.Request, key string, rec *recorder, next http.Handler) {
	done := false
	// The caller may be gone by then, and the key must not stay taken.
	ctx := context.WithoutCancel(r.Context())
	defer func() {
		status := 0
		if done && final(rec.status) {
			status = rec.status
		}
		if err := a.desk.KeepAnswer(ctx, whoOf(ctx), key, status, rec.body.Bytes()); err != nil {
			a.log.Error("an answer was not kept", "request", callOf(ctx).id, "error", err)
		}
	}()
	next.ServeHTTP(rec, r)
	done = true
}

// final tells the answers that the same request would get again.
func final(status int) bool {
	return status < 500 && status != http.StatusTooManyRequests && status != http.StatusConflict
}

// requestHash names what a request asks for: method, address and body.
func requestHash(r *http.Request) string {
	h := sha256.New()
	h.Write([]byte(r.Method + " " + r.URL.RequestURI() + "\n"))
	if b, ok := r.Body.(*body); ok {
		h.Write(b.all)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// recorder holds an answer back.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
