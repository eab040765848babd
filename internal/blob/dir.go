package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// incoming holds files that are being written, on the same file system as where they go.
const incoming = "incoming"

// abandonedAfter is the age at which a file in incoming can only be what a crash left.
const abandonedAfter = 24 * time.Hour

// A dir is a bucket on a file system. Only its owner can read it.
type dir struct {
	path   string
	create func(dir string) (*os.File, error) // a new file to write to
}

func openDir(path string) (*dir, error) {
	if err := os.MkdirAll(filepath.Join(path, incoming), 0o700); err != nil {
		return nil, err
	}
	if err := syncDirs(path, filepath.Dir(path)); err != nil {
		return nil, err
	}
	if err := sweep(filepath.Join(path, incoming), time.Now().Add(-abandonedAfter)); err != nil {
		return nil, err
	}
	return &dir{path: path, create: createTemp}, nil
}

func createTemp(dir string) (*os.File, error) { return os.CreateTemp(dir, "*") }

// sweep removes files that were last written before a time.
func sweep(dir string, before time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.ModTime().Before(before) {
			continue // an error means that its writer has just moved it away
		}
		if err := os.Remove(filepath.Join(dir, entry.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// write stores the bytes aside, forces them to the medium, gives them their name and forces that too: stopped anywhere,
// the name leads to all of the bytes or does not exist. A damaged file under the name is replaced.
func (d *dir) write(_ context.Context, key string, data []byte) error {
	target := filepath.Join(d.path, filepath.FromSlash(key))
	parent := filepath.Dir(target)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return diskError(err)
	}
	if !holds(target, data) {
		if err := d.place(target, data); err != nil {
			return diskError(err)
		}
	}
	// Also when the file was there: its writer may not have come this far yet, or may never.
	return diskError(syncDirs(parent, filepath.Dir(parent), d.path))
}

// holds tells whether the file at path has exactly this content.
func holds(path string, data []byte) bool {
	info, err := os.Stat(path)
	if err != nil || info.Size() != int64(len(data)) {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	buf := make([]byte, 64<<10)
	for len(data) > 0 {
		n, err := io.ReadFull(f, buf[:min(len(buf), len(data))])
		if err != nil || !bytes.Equal(buf[:n], data[:n]) {
			return false
		}
		data = data[n:]
	}
	return f.Sync() == nil // it may be another writer's, in memory only
}

func (d *dir) place(target string, data []byte) error {
	f, err := d.create(filepath.Join(d.path, incoming))
	if err != nil {
		return err
	}
	err = writeAndSync(f, data)
	if err == nil {
		err = os.Rename(f.Name(), target)
	}
	if err != nil {
		os.Remove(f.Name()) // what stays, sweep removes
	}
	return err
}

func writeAndSync(f *os.File, data []byte) error {
	_, err := f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDirs forces the names in the directories to the medium.
func syncDirs(dirs ...string) error {
	for _, dir := range dirs {
		f, err := os.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return fmt.Errorf("sync directory: %w", err)
		}
	}
	return nil
}

func (d *dir) open(_ context.Context, key string) (io.ReadCloser, int64, error) {
	f, err := os.Open(filepath.Join(d.path, filepath.FromSlash(key)))
	if err != nil {
		return nil, 0, diskError(err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

func (d *dir) exists(_ context.Context, key string) (bool, error) {
	_, err := os.Stat(filepath.Join(d.path, filepath.FromSlash(key)))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func (d *dir) remove(_ context.Context, key string) error {
	return diskError(os.Remove(filepath.Join(d.path, filepath.FromSlash(key))))
}

func (d *dir) close() error { return nil }

// diskError gives an error of the file system its kind.
func diskError(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}
