package vault_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph/internal/vault"
)

func key(b byte) []byte { return bytes.Repeat([]byte{b}, vault.KeySize) }

func open(t *testing.T, cfg vault.Config) *vault.Vault {
	t.Helper()
	v, err := vault.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSealAndOpen(t *testing.T) {
	t.Parallel()
	v := open(t, vault.Config{Key: key(1)})
	for _, plain := range []string{"", "whsec_abc", strings.Repeat("ü\x00", 10000)} {
		sealed := v.Seal([]byte(plain), "endpoint 1 7")
		if !strings.HasPrefix(sealed, v.Prefix()) || plain != "" && strings.Contains(sealed, plain) {
			t.Errorf("%.20q is sealed as %.60q", plain, sealed)
		}
		got, err := v.Open(sealed, "endpoint 1 7")
		if err != nil || string(got) != plain {
			t.Errorf("%.20q comes back as %.20q, %v", plain, got, err)
		}
		if again := v.Seal([]byte(plain), "endpoint 1 7"); again == sealed {
			t.Errorf("%.20q is sealed the same way twice", plain)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	v := open(t, vault.Config{Key: key(1)})
	sealed := v.Seal([]byte("whsec_abc"), "endpoint 1 7")
	middle := len(sealed) - 10
	flipped := sealed[:middle] + string(sealed[middle]^1) + sealed[middle+1:]
	for _, c := range []struct {
		name, sealed, about string
		want                error
	}{
		{"another endpoint's", sealed, "endpoint 1 8", vault.ErrDamaged},
		{"changed", flipped, "endpoint 1 7", vault.ErrDamaged},
		{"cut", sealed[:len(sealed)-4], "endpoint 1 7", vault.ErrDamaged},
		{"without bytes", v.Prefix(), "endpoint 1 7", vault.ErrDamaged},
		{"not base64", v.Prefix() + "!!", "endpoint 1 7", vault.ErrDamaged},
		{"empty", "", "endpoint 1 7", vault.ErrDamaged},
		{"plain", "whsec_abc", "endpoint 1 7", vault.ErrDamaged},
		{"of another version", "v2" + sealed[2:], "endpoint 1 7", vault.ErrDamaged},
		{"of another key", open(t, vault.Config{Key: key(2)}).Seal([]byte("x"), "endpoint 1 7"), "endpoint 1 7", vault.ErrOtherKey},
	} {
		if got, err := v.Open(c.sealed, c.about); !errors.Is(err, c.want) || got != nil {
			t.Errorf("%s: %q, %v; want %v", c.name, got, err, c.want)
		}
	}
}

func TestAKeyCanBeChanged(t *testing.T) {
	t.Parallel()
	old, both := open(t, vault.Config{Key: key(1)}), open(t, vault.Config{Key: key(2), Previous: [][]byte{key(1)}})
	sealed := old.Seal([]byte("secret"), "a")
	if got, err := both.Open(sealed, "a"); err != nil || string(got) != "secret" {
		t.Errorf("the previous key opens %q, %v", got, err)
	}
	if both.Prefix() == old.Prefix() || strings.HasPrefix(sealed, both.Prefix()) {
		t.Errorf("the keys can't be told apart: %q", both.Prefix())
	}
	if _, err := old.Open(both.Seal([]byte("secret"), "a"), "a"); !errors.Is(err, vault.ErrOtherKey) {
		t.Errorf("the old key opens what the new one sealed: %v", err)
	}
}

func TestNewRefusesShortKeys(t *testing.T) {
	t.Parallel()
	for _, cfg := range []vault.Config{{}, {Key: key(1)[:31]}, {Key: key(1), Previous: [][]byte{nil}}} {
		if v, err := vault.New(cfg); err == nil || v != nil {
			t.Errorf("%v makes a vault", cfg)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	v, err := vault.New(vault.Config{Key: key(1)})
	if err != nil {
		b.Fatal(err)
	}
	sealed := v.Seal(bytes.Repeat([]byte("x"), 300), "endpoint 1 7")
	for b.Loop() {
		if _, err := v.Open(sealed, "endpoint 1 7"); err != nil {
			b.Fatal(err)
		}
	}
}
