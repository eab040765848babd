package seal

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
)

// LoadRoots is the pool of certificates that seals made with the identity in dir lead to; nil when dir holds none that can
// be read.
func LoadRoots(dir string) *x509.CertPool {
	data, err := os.ReadFile(filepath.Join(dir, identityFile))
	if err != nil {
		return nil
	}
	id, _, err := parseIdentity(data)
	if err != nil {
		return nil
	}
	return id.Roots()
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
