package blob

import (
	"context"
	"io"
)

// Hooked is the store with before asked ahead of each operation on what lies beneath (write, open, exists, remove); an error of
// before is the operation's. Tests use it to make a store fail, or stop, at any step. Only s is to be closed.
func (s *Store) Hooked(before func(operation string) error) *Store {
	return &Store{bucket: hooked{s.bucket, before}}
}

type hooked struct {
	bucket
	before func(operation string) error
}

func (h hooked) write(ctx context.Context, key string, data []byte) error {
	if err := h.before("write"); err != nil {
		return err
	}
	return h.bucket.write(ctx, key, data)
}

func (h hooked) open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := h.before("open"); err != nil {
		return nil, 0, err
	}
	return h.bucket.open(ctx, key)
}

func (h hooked) exists(ctx context.Context, key string) (bool, error) {
	if err := h.before("exists"); err != nil {
		return false, err
	}
	return h.bucket.exists(ctx, key)
}

func (h hooked) remove(ctx context.Context, key string) error {
	if err := h.before("remove"); err != nil {
		return err
	}
	return h.bucket.remove(ctx, key)
}
