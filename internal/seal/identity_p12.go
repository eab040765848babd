package seal

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

// LoadPKCS12 reads a key and its certificates from a .p12 or .pfx file. Whatever is wrong with it for sealing today is a
// sentence: not such a file, wrong password, no key, no certificate, expired, not yet valid, a key of another
// certificate, too weak, of a kind that can't sign documents.
func LoadPKCS12(data []byte, password string) (Identity, error) {
	return loadPKCS12(data, password, time.Now())
}

func loadPKCS12(data []byte, password string, now time.Time) (Identity, error) {
	if len(data) == 0 {
		return Identity{}, errors.New("the PKCS#12 file is empty")
	}
	key, first, others, err := pkcs12.DecodeChain(data, password)
	if err != nil {
		return Identity{}, explainPKCS12(err, password)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return Identity{}, fmt.Errorf("the PKCS#12 file's key is of type %T, which can't sign: RSA or ECDSA is needed", key)
	}
	id := Identity{Key: signer, Chain: orderChain(signer, append([]*x509.Certificate{first}, others...))}
	if err := id.Check(now); err != nil {
		return Identity{}, fmt.Errorf("the PKCS#12 file can't be used: %w", err)
	}
	return id, nil
}

func explainPKCS12(err error, password string) error {
	var unsupported pkcs12.NotImplementedError
	switch msg := err.Error(); {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		if password == "" {
			return errors.New("the PKCS#12 file needs a password")
		}
		return errors.New("the password of the PKCS#12 file is wrong")
	case strings.Contains(msg, "UCS-2"):
		return errors.New("the password has characters that the password of a PKCS#12 file can't have")
	case strings.Contains(msg, "private key missing"):
		return errors.New("the PKCS#12 file has no private key; export it with its key")
	case strings.Contains(msg, "certificate missing"):
		return errors.New("the PKCS#12 file has no certificate; export it with the key's certificate")
	case strings.Contains(msg, "exactly one key"):
		return errors.New("the PKCS#12 file has more than one private key; export just the one to seal with")
	case errors.As(err, &unsupported):
		return fmt.Errorf("the PKCS#12 file is written in a way that is not supported: %w", err)
	default:
		return fmt.Errorf("this is not a PKCS#12 file (.p12, .pfx), or it is damaged: %w", err)
	}
}

// orderChain puts the key's certificate first and each issuer after what it issued; strangers are left out.
func orderChain(key crypto.Signer, certs []*x509.Certificate) []*x509.Certificate {
	leaf := certs[0]
	for _, c := range certs {
		if sameKey(c.PublicKey, key.Public()) {
			leaf = c
			break
		}
	}
	chain := []*x509.Certificate{leaf}
	for len(chain) <= len(certs) {
		parent := issuerOf(chain[len(chain)-1], certs)
		if parent == nil {
			break
		}
		chain = append(chain, parent)
	}
	return chain
}

func issuerOf(c *x509.Certificate, certs []*x509.Certificate) *x509.Certificate {
	for _, p := range certs {
		if !p.Equal(c) && string(p.RawSubject) == string(c.RawIssuer) && c.CheckSignatureFrom(p) == nil {
			return p
		}
	}
	return nil
}
