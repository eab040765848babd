package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paraph-sign/paraph"
)

const helloDigest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // sha256sum of "hello"

func openTemp(t *testing.T) (*Store, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "blobs")
	store, err := Open(t.Context(), "file://"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store, path
}

func put(t *testing.T, s *Store, data []byte) string {
	t.Helper()
	digest, err := s.Put(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	store, _ := openTemp(t)
	testStore(t, store)
}

// testStore is what every kind of bucket must do.
func testStore(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	if digest := put(t, s, []byte("hello")); digest != helloDigest {
		t.Errorf("digest %s, want %s", digest, helloDigest)
	}
	put(t, s, []byte("hello")) // once more is no error
	if got, err := s.Get(ctx, helloDigest); err != nil || string(got) != "hello" {
		t.Errorf("Get = %q, %v", got, err)
	}
	r, size, err := s.Open(ctx, helloDigest)
	if err != nil || size != 5 {
		t.Fatalf("Open: size %d, %v", size, err)
	}
	got, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil || string(got) != "hello" {
		t.Errorf("stream = %q, %v", got, err)
	}
	empty := put(t, s, nil)
	if got, err := s.Get(ctx, empty); err != nil || len(got) != 0 {
		t.Errorf("Get of nothing = %q, %v", got, err)
	}
	testAbsence(t, s)
}

func testAbsence(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	if ok, err := s.Exists(ctx, helloDigest); err != nil || !ok {
		t.Errorf("Exists = %v, %v before Delete", ok, err)
	}
	for range 2 { // once more is no error
		if err := s.Delete(ctx, helloDigest); err != nil {
			t.Errorf("Delete: %v", err)
		}
	}
	if ok, err := s.Exists(ctx, helloDigest); err != nil || ok {
		t.Errorf("Exists = %v, %v after Delete", ok, err)
	}
	_, err := s.Get(ctx, helloDigest)
	if !errors.Is(err, ErrNotFound) || paraph.KindOf(err) != paraph.NotFound {
		t.Errorf("Get after Delete: %v of kind %q", err, paraph.KindOf(err))
	}
}

func TestLayoutIsTheDigest(t *testing.T) {
	t.Parallel()
	store, path := openTemp(t)
	put(t, store, []byte("hello"))
	file := filepath.Join(path, "2c", "f2", helloDigest)
	got, err := os.ReadFile(file)
	if err != nil || string(got) != "hello" {
		t.Fatalf("%s holds %q, %v", file, got, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want that only the owner reads it (%v)", info.Mode(), err)
	}
	if left, _ := os.ReadDir(filepath.Join(path, incoming)); len(left) != 0 {
		t.Errorf("%d files stay in %s after Put", len(left), incoming)
	}
}

func TestWhatIsPutIsGot(t *testing.T) {
	t.Parallel()
	store, _ := openTemp(t)
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOf(rapid.Byte()).Draw(t, "data")
		digest, err := store.Put(context.Background(), data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := store.Get(context.Background(), digest)
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("got %x, %v for %x", got, err, data)
		}
	})
}

func TestDamageIsSeenAndMended(t *testing.T) {
	t.Parallel()
	for name, damaged := range map[string]string{"a flipped bit": "hellp", "cut short": "hel", "grown": "hello\n", "emptied": ""} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, path := openTemp(t)
			put(t, store, []byte("hello"))
			file := filepath.Join(path, "2c", "f2", helloDigest)
			if err := os.WriteFile(file, []byte(damaged), 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := store.Get(t.Context(), helloDigest); !errors.Is(err, ErrCorrupt) || got != nil {
				t.Errorf("Get gave %q, %v, want ErrCorrupt", got, err)
			}
			put(t, store, []byte("hello"))
			if _, err := store.Get(t.Context(), helloDigest); err != nil {
				t.Errorf("after putting it again: %v", err)
			}
		})
	}
}

func TestOnlyDigestsAreNames(t *testing.T) {
	t.Parallel()
	store, path := openTemp(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "secret"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "../secret", "../../secret", helloDigest[:63], helloDigest + "0", "2CF2" + helloDigest[4:], "/2cf2" + helloDigest[5:]} {
		if _, err := store.Get(t.Context(), name); !errors.Is(err, ErrNotFound) {
			t.Errorf("Get(%q): %v, want ErrNotFound", name, err)
		}
		if ok, err := store.Exists(t.Context(), name); ok || err != nil {
			t.Errorf("Exists(%q) = %v, %v", name, ok, err)
		}
		if err := store.Delete(t.Context(), name); err != nil {
			t.Errorf("Delete(%q): %v", name, err)
		}
	}
}

// /dev/full answers every write as a full disk does. It is reached by a link, which Put may remove.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d, err := openDir(path)
	if err != nil {
		t.Fatal(err)
	}
	store := &Store{bucket: d}
	d.create = func(dir string) (*os.File, error) {
		link := filepath.Join(dir, "full")
		if err := os.Symlink("/dev/full", link); err != nil {
			return nil, err
		}
		return os.OpenFile(link, os.O_WRONLY, 0)
	}
	_, err = store.Put(t.Context(), []byte("hello"))
	if !errors.Is(err, ErrFull) || paraph.KindOf(err) != paraph.Full {
		t.Fatalf("Put on a full disk: %v of kind %q, want ErrFull", err, paraph.KindOf(err))
	}
	if ok, _ := store.Exists(t.Context(), helloDigest); ok {
		t.Error("something half written is there")
	}
	d.create = createTemp // space again
	put(t, store, []byte("hello"))
}

func TestWritersOfTheSameBytesDoNotDisturbEachOther(t *testing.T) {
	t.Parallel()
	store, _ := openTemp(t)
	data := bytes.Repeat([]byte("paraph "), 100_000)
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			digest, err := store.Put(t.Context(), data)
			if err != nil {
				t.Errorf("Put: %v", err)
				return
			}
			if got, err := store.Get(t.Context(), digest); err != nil || !bytes.Equal(got, data) {
				t.Errorf("Get: %d bytes, %v", len(got), err)
			}
		})
	}
	writers.Wait()
}

func TestOpeningSweepsWhatACrashLeft(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	old, fresh := filepath.Join(path, incoming, "old"), filepath.Join(path, incoming, "fresh")
	if err := os.Mkdir(filepath.Join(path, incoming), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{old, fresh} {
		if err := os.WriteFile(file, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-abandonedAfter - time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), "file://"+path); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(old); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the abandoned file is still there (%v)", err)
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("another writer's file has gone: %v", err)
	}
}

func TestOpenRefusesOtherURLs(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "/srv/blobs", "file://", "file://relative/dir", "mem://", "http://[::1", "file:///dev/null/blobs"} {
		if s, err := Open(t.Context(), url); err == nil {
			t.Errorf("Open(%q) = %v, want an error", url, s)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	store, err := Open(b.Context(), "file://"+b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, 200<<10)
	for i := 0; b.Loop(); i++ {
		data[0], data[1], data[2] = byte(i), byte(i>>8), byte(i>>16)
		if _, err := store.Put(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
}
