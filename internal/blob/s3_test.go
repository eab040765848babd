package blob

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/dev/scripttest"
)

// startS3 gives the URL of an empty bucket on a real server. It sets credentials for the whole process, as the AWS
// client takes them, so its tests can't be parallel.
func startS3(t *testing.T) string {
	t.Helper()
	names := []string{"PARAPH_TEST_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
	values, err := scripttest.Start("with-s3", names...)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		t.Setenv(name, values[i])
	}
	return values[0]
}

func TestS3(t *testing.T) {
	bucket := startS3(t)
	t.Run("store", func(t *testing.T) {
		testStore(t, openS3(t, bucket+"&prefix=store/"))
	})
	t.Run("a blob of many parts", func(t *testing.T) {
		store := openS3(t, bucket+"&prefix=large/")
		data := bytes.Repeat([]byte("0123456789abcdef"), 1<<20) // 16 MiB
		digest := put(t, store, data)
		if got, err := store.Get(t.Context(), digest); err != nil || !bytes.Equal(got, data) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
	})
	t.Run("damage is seen", func(t *testing.T) {
		store := openS3(t, bucket+"&prefix=damage/")
		if err := store.bucket.write(t.Context(), key(helloDigest), []byte("hellp")); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Get(t.Context(), helloDigest); !errors.Is(err, ErrCorrupt) {
			t.Errorf("Get: %v, want ErrCorrupt", err)
		}
	})
	t.Run("no such bucket", func(t *testing.T) {
		if s, err := Open(t.Context(), strings.Replace(bucket, "s3://paraph", "s3://nobody", 1)); err == nil {
			t.Errorf("opened %v", s)
		}
	})
	t.Run("wrong secret", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
		if s, err := Open(t.Context(), bucket); err == nil {
			t.Errorf("opened %v", s)
		}
	})
}

func openS3(t *testing.T, url string) *Store {
	t.Helper()
	store, err := Open(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return store
}

// No S3 server is full at will, so this one only says it is, each in the words of a real one.
func TestFullS3(t *testing.T) {
	for code, status := range map[string]int{
		"XMinioStorageFull": http.StatusInsufficientStorage, // MinIO
		"QuotaExceeded":     http.StatusForbidden,           // Ceph
	} {
		t.Run(code, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPut {
					w.Header().Set("Content-Type", "application/xml")
					w.WriteHeader(status)
					_, _ = w.Write([]byte("<Error><Code>" + code + "</Code><Message>full</Message></Error>"))
				}
			}))
			defer server.Close()
			t.Setenv("AWS_ACCESS_KEY_ID", "key")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
			t.Setenv("AWS_MAX_ATTEMPTS", "1")
			store := openS3(t, "s3://paraph?region=us-east-1&use_path_style=true&endpoint="+url.QueryEscape(server.URL))
			if _, err := store.Put(t.Context(), []byte("hello")); !errors.Is(err, ErrFull) {
				t.Errorf("Put: %v, want ErrFull", err)
			}
		})
	}
}
