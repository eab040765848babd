package desk

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
)

// TestEnterWithin: who waits is let in as soon as a place is free, and sent away when the time is over or the request is.
func TestEnterWithin(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, began := newLimiter(1), time.Now()
		leave, err := l.enterWithin(t.Context(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.enterWithin(t.Context(), time.Minute); paraph.KindOf(err) != paraph.TooMany || time.Since(began) != time.Minute {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.enterWithin(ctx, time.Minute); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a request that is over: %v", err)
		}
		time.AfterFunc(time.Second, leave)
		if leave, err = l.enterWithin(t.Context(), time.Minute); err != nil || time.Since(began) != time.Minute+2*time.Second {
			t.Fatalf("a free place: %v after %s", err, time.Since(began))
		}
		leave()
	})
}

// TestVerifyWithin tells a file that takes too long, which its sender hears of, from a request that was given up.
func TestVerifyWithin(t *testing.T) {
	t.Parallel()
	pdf := []byte("%PDF-1.7\n%%EOF\n")
	if rep, err := verifyWithin(t.Context(), time.Minute, pdf, seal.VerifyOptions{}); err != nil || rep.Digest == "" {
		t.Errorf("in time: %v", err)
	}
	if _, err := verifyWithin(t.Context(), 0, pdf, seal.VerifyOptions{}); paraph.KindOf(err) != paraph.Invalid || !errors.Is(err, errSlowFile) {
		t.Errorf("too late: %v", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := verifyWithin(gone, time.Minute, pdf, seal.VerifyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
}
