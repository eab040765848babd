package seal

import (
	"crypto/x509"
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
