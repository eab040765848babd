package blob

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/s3blob" // the scheme s3
	"gocloud.dev/gcerrors"
)

// A cloud is a bucket of a storage service. Services of this kind make an object visible when it is whole and safe.
type cloud struct {
	bucket *blob.Bucket
}

func openCloud(ctx context.Context, url string) (*cloud, error) {
	b, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return nil, err
	}
	ok, err := b.IsAccessible(ctx)
	if err == nil && !ok {
		err = errors.New("there is no such bucket, or these credentials may not use it")
	}
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &cloud{bucket: b}, nil
}

func (c *cloud) write(ctx context.Context, key string, data []byte) error {
	return cloudError(c.bucket.WriteAll(ctx, key, data, &blob.WriterOptions{ContentType: "application/octet-stream"}))
}

func (c *cloud) open(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	r, err := c.bucket.NewReader(ctx, key, nil)
	if err != nil {
		return nil, 0, cloudError(err)
	}
	return r, r.Size(), nil
}

func (c *cloud) exists(ctx context.Context, key string) (bool, error) {
	return c.bucket.Exists(ctx, key)
}

func (c *cloud) remove(ctx context.Context, key string) error {
	return cloudError(c.bucket.Delete(ctx, key))
}

func (c *cloud) close() error { return c.bucket.Close() }

// cloudError gives an error of the service its kind. S3 itself is never full; those that are compatible with it say so
// by codes of their own (MinIO, Ceph, others by the name of HTTP 507).
func cloudError(err error) error {
	if err == nil {
		return nil
	}
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		switch coded.ErrorCode() {
		case "XMinioStorageFull", "QuotaExceeded", "InsufficientStorage":
			return fmt.Errorf("%w: %w", ErrFull, err)
		}
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	case gcerrors.ResourceExhausted:
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}
