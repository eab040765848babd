package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLoadOrCreateIdentity(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "keys")
	id, err := LoadOrCreateIdentity(dir, "sign.example.com", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	leaf := id.Chain[0]
	if leaf.Subject.CommonName != "sign.example.com" || leaf.IsCA || !id.Chain[1].IsCA || leaf.CheckSignatureFrom(id.Chain[1]) != nil {
		t.Errorf("the chain is %v under %v", leaf.Subject, id.Chain[1].Subject)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v lie in the folder", files, err)
	}
	if info, _ := files[0].Info(); info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v", info.Mode())
	}
	again, err := LoadOrCreateIdentity(dir, "another name", signedAt.AddDate(9, 0, 0))
	if err != nil || !again.Chain[0].Equal(leaf) || !sameKey(again.Key.Public(), id.Key.Public()) {
		t.Errorf("the second start has another identity: %v", err)
	}
}

// TestLoadOrCreateIdentityRace lets many processes start at once; they all have to seal with the same key.
func TestLoadOrCreateIdentityRace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const n = 16
	ids, errs := make([]Identity, n), make([]error, n)
	var ready, wg sync.WaitGroup
	ready.Add(n)
	for i := range n {
		wg.Go(func() {
			ready.Done()
			ready.Wait()
			ids[i], errs[i] = LoadOrCreateIdentity(dir, "race", signedAt)
		})
	}
	wg.Wait()
	for i := range n {
		if errs[i] != nil || !ids[i].Chain[0].Equal(ids[0].Chain[0]) {
			t.Fatalf("start %d: %v", i, errs[i])
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
}

// TestLinkOrCopy names a file without ever taking a name that is in use.
func TestLinkOrCopy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tmp, path := filepath.Join(dir, "tmp"), filepath.Join(dir, "path")
	if err := os.WriteFile(tmp, []byte("first"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := linkOrCopy(tmp, path); err != nil {
		t.Fatal(err)
	}
	if err := linkOrCopy(tmp, path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a name that is taken: %v", err)
	}
	if err := linkOrCopy(filepath.Join(dir, "missing"), filepath.Join(dir, "new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing source: %v", err)
	}
}

// TestLoadOrCreateIdentityRenews goes past the sealing certificate's end: a new one under the same authority.
func TestLoadOrCreateIdentityRenews(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, err := LoadOrCreateIdentity(dir, "long.example.com", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	later := signedAt.AddDate(leafYears, 0, 1)
	id, err := LoadOrCreateIdentity(dir, "long.example.com", later)
	if err != nil {
		t.Fatal(err)
	}
	if !id.Chain[1].Equal(old.Chain[1]) || id.Chain[0].Equal(old.Chain[0]) || id.Check(later) != nil || id.Chain[0].Subject.CommonName != "long.example.com" {
		t.Errorf("renewed to %v until %v", id.Chain[0].Subject, id.Chain[0].NotAfter)
	}
	if _, err := LoadOrCreateIdentity(dir, "long.example.com", signedAt.AddDate(caYears, 0, 2)); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("past the authority's end: %v", err)
	}
}

func TestLoadOrCreateIdentityErrors(t *testing.T) {
	t.Parallel()
	whole := t.TempDir()
	if _, err := LoadOrCreateIdentity(whole, "x", signedAt); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(filepath.Join(whole, identityFile))
	if err != nil {
		t.Fatal(err)
	}
	strange, err := encodeIdentity(Identity{Key: testKeys()["RSA"].Key, Chain: testKeys()["ECDSA"].Chain, Authority: testKeys()["RSA"].Key})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty":        {nil, "damaged"},
		"cut off":      {good[:100], "damaged"},
		"no key":       {good[bytes.Index(good, []byte("-----BEGIN CERT")):bytes.LastIndex(good, []byte("-----BEGIN PRIV"))], "damaged"},
		"another key":  {strange, "does not belong"},
		"broken bytes": {bytes.Replace(good, []byte("\nMIG"), []byte("\nAAA"), 1), "can't be read"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, identityFile), c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := LoadOrCreateIdentity(dir, "x", signedAt)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), identityFile) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(filepath.Join(dir, identityFile)); !bytes.Equal(after, c.data) {
			t.Errorf("%s: the file was overwritten", name)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadOrCreateIdentity(filepath.Join(file, "sub"), "x", signedAt); err == nil {
		t.Error("made an identity inside of a file")
	}
}

// chainOf is a root, an intermediate and a leaf for a key.
func chainOf(t *testing.T, key crypto.Signer) []*x509.Certificate {
	t.Helper()
	rootKey, root, err := newAuthority("Root", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	midKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := func(name string, ca bool) *x509.Certificate {
		return &x509.Certificate{Subject: pkix.Name{CommonName: name}, NotBefore: signedAt.Add(-time.Hour), NotAfter: signedAt.AddDate(1, 0, 0), IsCA: ca, BasicConstraintsValid: true}
	}
	mid, err := issue(template("Middle", true), root, midKey.Public(), rootKey)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := issue(template("Leaf", false), mid, key.Public(), midKey)
	if err != nil {
		t.Fatal(err)
	}
	return []*x509.Certificate{leaf, mid, root}
}
