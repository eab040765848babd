// Package blob keeps bytes under their own digest: originals, sealed PDFs, pictures of signatures.
//
// A blob is named by the lower-case hexadecimal SHA-256 of its bytes and lies at ab/cd/abcd…. It never changes, so
// putting it twice is putting it once, and reading it checks it. When Put returns, the bytes survive a power cut: a
// transaction may then refer to them. A crash between the two leaves a blob that nothing refers to, which costs space
// and nothing else.
//
// Blobs lie in a directory or in S3 (gocloud.dev). The directory driver is our own, although gocloud has one, because
// gocloud's writes and renames without fsync: after a power cut, a document that was accepted could be empty.
//
// This package must never decide who may read a blob, and never give one out whose bytes are not those that were put.
package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/url"

	"github.com/paraph-sign/paraph"
)

// MaxSize bounds a blob, in bytes, in both directions. Limits for people are lower and are set where requests come in.
const MaxSize = 1 << 30

// What can be asked of an error with errors.Is. Each is a *paraph.Error, so paraph.KindOf knows its kind as well.
var (
	ErrNotFound error = paraph.Errorf(paraph.NotFound, "This file does not exist.")
	ErrFull     error = paraph.Errorf(paraph.Full, "There is no space left to store this file.")
	ErrTooLarge error = paraph.Errorf(paraph.TooLarge, "This file is larger than what can be stored.")
	ErrCorrupt  error = paraph.Errorf(paraph.Internal, "This file was damaged in storage.")
)

// A Store keeps blobs. It is safe for concurrent use, also by several processes on one directory or bucket.
type Store struct {
	bucket bucket
}

// A bucket is where blobs lie: a directory or a service. Keys are made of hexadecimal digits and slashes.
type bucket interface {
	// write is all or nothing, and durable when it returns nil. Errors of a full medium wrap ErrFull.
	write(ctx context.Context, key string, data []byte) error
	// open returns the content and its size; errors of a missing key wrap ErrNotFound, here and in remove.
	open(ctx context.Context, key string) (io.ReadCloser, int64, error)
	exists(ctx context.Context, key string) (bool, error)
	remove(ctx context.Context, key string) error
	close() error
}

// Open opens the store at a URL: file:///absolute/dir, which is made when missing, or s3://bucket?region=…, with the
// query parameters of gocloud.dev/blob/s3blob (endpoint, use_path_style, disable_https, …; prefix=dir/ puts all keys
// below dir) and credentials from the environment as every AWS client takes them.
func Open(ctx context.Context, rawURL string) (*Store, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("open the blob store: its URL can't be read") // the cause would print credentials
	}
	var b bucket
	switch u.Scheme {
	case "file":
		if u.Host != "" && u.Host != "localhost" || u.Path == "" {
			return nil, fmt.Errorf("open the blob store: %q is not of the form file:///absolute/dir", u.Redacted())
		}
		b, err = openDir(u.Path)
	case "s3":
		b, err = openCloud(ctx, rawURL)
	default:
		return nil, fmt.Errorf("open the blob store: scheme %q is neither file nor s3", u.Scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("open the blob store at %s://%s%s: %w", u.Scheme, u.Host, u.Path, err)
	}
	return &Store{bucket: b}, nil
}

// Close lets go of connections.
func (s *Store) Close() error { return s.bucket.close() }

// Digest is the name under which Put stores data.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Put stores data durably and returns its digest. Errors: ErrFull, ErrTooLarge.
func (s *Store) Put(ctx context.Context, data []byte) (string, error) {
	digest := Digest(data)
	if len(data) > MaxSize {
		return "", fmt.Errorf("store blob %s of %d bytes: %w", digest, len(data), ErrTooLarge)
	}
	if err := s.bucket.write(ctx, key(digest), data); err != nil {
		return "", fmt.Errorf("store blob %s: %w", digest, err)
	}
	return digest, nil
}

// Get returns the bytes of a digest, checked. Errors: ErrNotFound, ErrCorrupt.
func (s *Store) Get(ctx context.Context, digest string) ([]byte, error) {
	r, size, err := s.Open(ctx, digest)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	buf := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead)) // room to see the end without growing
	if _, err := buf.ReadFrom(r); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// Open reads a blob as a stream and tells its size. The reader checks the digest when it comes to the end and then
// fails with ErrCorrupt in the place of io.EOF: whoever passes the bytes on must break off and not call them complete.
// Errors: ErrNotFound, ErrCorrupt.
func (s *Store) Open(ctx context.Context, digest string) (io.ReadCloser, int64, error) {
	if !valid(digest) {
		return nil, 0, fmt.Errorf("open blob %q: no digest: %w", digest, ErrNotFound)
	}
	r, size, err := s.bucket.open(ctx, key(digest))
	if err != nil {
		return nil, 0, fmt.Errorf("open blob %s: %w", digest, err)
	}
	if size > MaxSize {
		r.Close()
		return nil, 0, fmt.Errorf("open blob %s: it has %d bytes: %w", digest, size, ErrCorrupt)
	}
	return &reader{source: r, limited: io.LimitReader(r, size), sum: sha256.New(), digest: digest}, size, nil
}

// Exists tells whether a blob is there; it does not read it.
func (s *Store) Exists(ctx context.Context, digest string) (bool, error) {
	if !valid(digest) {
		return false, nil
	}
	ok, err := s.bucket.exists(ctx, key(digest))
	if err != nil {
		return false, fmt.Errorf("look for blob %s: %w", digest, err)
	}
	return ok, nil
}

// Delete removes a blob; one that isn't there is no error. The caller knows that nothing refers to it any more.
func (s *Store) Delete(ctx context.Context, digest string) error {
	if !valid(digest) {
		return nil
	}
	if err := s.bucket.remove(ctx, key(digest)); err != nil && !errors.Is(err, ErrNotFound) {
		return fmt.Errorf("delete blob %s: %w", digest, err)
	}
	return nil
}

// valid guards against keys made of anything but a digest.
func valid(digest string) bool {
	if len(digest) != hex.EncodedLen(sha256.Size) {
		return false
	}
	for _, c := range []byte(digest) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func key(digest string) string {
	return digest[:2] + "/" + digest[2:4] + "/" + digest
}

// A reader sums what passes through it.
type reader struct {
	source  io.Closer
	limited io.Reader
	sum     hash.Hash
	digest  string
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.limited.Read(p)
	r.sum.Write(p[:n])
	if err == nil {
		return n, nil
	}
	if err != io.EOF {
		return n, fmt.Errorf("read blob %s: %w", r.digest, err)
	}
	if hex.EncodeToString(r.sum.Sum(nil)) != r.digest {
		return n, fmt.Errorf("read blob %s: %w", r.digest, ErrCorrupt)
	}
	return n, io.EOF
}

func (r *reader) Close() error { return r.source.Close() }
