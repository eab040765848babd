package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/seal"
)

// keyFiles are a key and its certificate, in PEM: apart, and together.
func keyFiles(t *testing.T, until time.Time) (key, cert, both string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Operator"}, NotBefore: until.AddDate(-1, 0, 0), NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return write("key.pem", keyPEM), write("cert.pem", certPEM), write("both.pem", append(keyPEM, certPEM...))
}

// TestOperatorsIdentity: what could never seal is refused with a sentence; what
// can't today is not, for the server has more to do.
func TestOperatorsIdentity(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal(err)
	}
	key, cert, both := keyFiles(t, time.Now().AddDate(0, 1, 0))
	_, _, old := keyFiles(t, time.Now().AddDate(0, 0, -1))
	sign := openssl + " pkeyutl -sign -inkey " + key
	for name, c := range map[string]struct {
		cmd  serveCmd
		want string // of the error
		from string
	}{
		"none":              {serveCmd{}, "", ""},
		"a file":            {serveCmd{SealP12: both}, "", "PARAPH_SEAL_P12: both.pem"},
		"a file that ended": {serveCmd{SealP12: old}, "", "PARAPH_SEAL_P12: both.pem"},
		"a key alone":       {serveCmd{SealP12: key}, "no certificate", ""},
		"no file":           {serveCmd{SealP12: key + "x"}, "no such file", ""},
		"both ways":         {serveCmd{SealP12: both, SealSignerCommand: sign}, "give one", ""},
		"a program":         {serveCmd{SealSignerCommand: sign, SealCertificate: cert}, "", "PARAPH_SEAL_SIGNER_COMMAND: openssl"},
		"one that fails":    {serveCmd{SealSignerCommand: "false", SealCertificate: cert}, "", "PARAPH_SEAL_SIGNER_COMMAND: false"},
		"no program":        {serveCmd{SealSignerCommand: "/no/such/program", SealCertificate: cert}, "can't be started", ""},
		"no certificate":    {serveCmd{SealSignerCommand: sign}, "also needs --seal-certificate", ""},
		"a key for it":      {serveCmd{SealSignerCommand: sign, SealCertificate: key}, "no certificate", ""},
		"certificate alone": {serveCmd{SealCertificate: cert}, "goes with --seal-signer-command", ""},
	} {
		_, from, err := c.cmd.identity(slog.New(slog.DiscardHandler))
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) || from != c.from {
			t.Errorf("%s: from %q, %v; want %q, %q", name, from, err, c.from, c.want)
		}
	}
}

// TestTheKeyOfAnEarlierVersion: what lay in the data folder goes on sealing, the
// folder trusts it, and the metric tells when it ends.
func TestTheKeyOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	was, err := seal.LoadOrCreateIdentity(data, "From before", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		c := serveCmd{world: world{Data: data}, Listen: "127.0.0.1:0", MaxUpload: 1, Name: "Test"}
		in, err := c.start(context.Background(), slog.New(slog.NewTextHandler(t.Output(), nil)))
		if err != nil {
			t.Fatal(err)
		}
		all, err := in.store.SealCertificates(t.Context())
		if err != nil || len(all) != 1 || all[0].Subject != "From before" || !all[0].HasKeys {
			t.Errorf("the certificates are %+v, %v", all, err)
		}
		res, err := http.Get("http://" + in.address + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !strings.Contains(string(body), "\nparaph_seal_certificate_expiry_seconds 3.15") {
			t.Errorf("the metric is missing: %v", err)
		}
		if err := in.close(); err != nil {
			t.Error(err)
		}
		if err := os.Remove(filepath.Join(data, "seal-identity.pem")); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	certs, err := os.ReadFile(filepath.Join(data, "seal-certificates.pem"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := seal.ReadCertificates(certs)
	if err != nil || len(got) != 1 || !got[0].Equal(was.Anchor()) {
		t.Errorf("the folder trusts %v, %v", got, err)
	}
}
