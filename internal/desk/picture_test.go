package desk

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/seal"
)

// What the document itself makes fail is not tried again and again: it may hold
// up the engine for as long as its deadline each time.
func TestPageCacheKeepsWhatCanNeverBeDrawn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 9, 14, 10, 0, 0, 0, time.UTC)
	c, made := newPageCache(4*cachedSize, func() time.Time { return now }), 0
	get := func(key string, err error) error {
		_, got := c.get(key, func() ([]byte, error) { made++; return nil, err })
		return got
	}
	never := fmt.Errorf("render: %w", &seal.InputError{Kind: seal.KindTooLarge, Message: "Too complex."})
	for range 3 {
		if err := get("bomb", never); !errors.Is(err, never) {
			t.Errorf("the error is %v", err)
		}
	}
	if made != 1 {
		t.Errorf("it was tried %d times", made)
	}
	now = now.Add(retryDrawing)
	if _ = get("bomb", never); made != 2 {
		t.Errorf("it was tried %d times after a while, want 2", made)
	}
	later := errors.New("the disk is away")
	for range 3 {
		if err := get("page", later); !errors.Is(err, later) {
			t.Errorf("the error is %v", err)
		}
	}
	if made != 5 {
		t.Errorf("another failure was tried %d times, want 3", made-2)
	}
	for i := range 100 {
		_ = get(fmt.Sprint("bomb ", i), never)
	}
	if n := len(c.items); n > 4 || c.order.Len() != n || c.size > c.max {
		t.Errorf("%d failures are kept in %d bytes", n, c.size)
	}
}
