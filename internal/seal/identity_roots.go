package seal

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
)

// trustFile holds, in PEM, the certificates that this instance's seals lead to. It has no secret.
const trustFile = "seal-certificates.pem"

// Anchor is the certificate that makes a seal of this identity a seal of this instance: its own authority, or, for an
// identity from an authority that certifies others too, the key's own certificate.
func (id Identity) Anchor() *x509.Certificate {
	if id.Authority != nil {
		return id.Chain[len(id.Chain)-1]
	}
	return id.Chain[0]
}

// Fingerprint is the SHA-256 of a certificate in hex.
func Fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// Pool is certificates as VerifyOptions wants them, a new one each time.
func Pool(certs []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool
}

// ReadInstanceIdentity reads the identity that LoadOrCreateIdentity keeps in dir. The error is fs.ErrNotExist when there is
// none.
func ReadInstanceIdentity(dir string) (Identity, error) {
	data, err := os.ReadFile(filepath.Join(dir, identityFile))
	if err != nil {
		return Identity{}, err
	}
	return parseIdentity(data)
}

// WriteTrust puts the certificates that seals of this instance lead to into dir, for LoadRoots. A file that says the same
// already is left alone.
func WriteTrust(dir string, certs []*x509.Certificate) error {
	var data []byte
	for _, c := range certs {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	path := filepath.Join(dir, trustFile)
	if old, err := os.ReadFile(path); err == nil && string(old) == string(data) {
		return nil
	}
	return publish(path, data, os.Rename)
}

// LoadRoots is the pool of certificates that seals of the instance that keeps its data in dir lead to, present and earlier
// ones; nil when dir holds none that can be read.
func LoadRoots(dir string) *x509.CertPool {
	var certs []*x509.Certificate
	if data, err := os.ReadFile(filepath.Join(dir, trustFile)); err == nil {
		certs = parseCerts(data)
	}
	if id, err := ReadInstanceIdentity(dir); err == nil {
		certs = append(certs, id.Anchor())
	}
	return poolOf(certs)
}

// SystemRoots are the certificates that the operating system trusts; nil when it has none.
func SystemRoots() *x509.CertPool {
	pool, err := x509.SystemCertPool()
	if err != nil {
		return nil
	}
	return pool
}

// ReadRoots reads certificates in PEM from files, as VerifyOptions.Given. A file without any is an error.
func ReadRoots(files ...string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read certificates: %w", err)
		}
		if !pool.AppendCertsFromPEM(data) {
			return nil, fmt.Errorf("there is no certificate in PEM in %s", filepath.Base(name))
		}
	}
	return pool, nil
}
