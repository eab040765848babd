package seal

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"software.sslmate.com/src/go-pkcs12"
)

// MaxIdentityFile bounds the file that ReadIdentity takes, in bytes.
const MaxIdentityFile = 1 << 20

// ErrPassword is in the errors of ReadIdentity that another password would mend.
var ErrPassword = errors.New("the password is wrong")

// ReadIdentity reads a key and its certificates from a PKCS#12 file (.p12, .pfx), or from PEM that is not encrypted.
// Whatever is wrong with it for sealing is a sentence; whether it is valid today is for Check.
func ReadIdentity(data []byte, password string) (Identity, error) {
	switch {
	case len(data) == 0:
		return Identity{}, errors.New("the file is empty")
	case len(data) > MaxIdentityFile:
		return Identity{}, fmt.Errorf("the file has %d kB; a key with its certificates has at most %d", len(data)>>10, MaxIdentityFile>>10)
	}
	what, read := "PKCS#12", readPKCS12
	if bytes.Contains(data, []byte("-----BEGIN ")) {
		what, read = "PEM", readPEM
	}
	key, certs, err := read(data, password)
	if err != nil {
		return Identity{}, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return Identity{}, fmt.Errorf("the %s file's key is of a kind that can't sign (%T): RSA or ECDSA is needed", what, key)
	}
	id := Identity{Key: signer, Chain: orderChain(signer, certs)}
	if err := id.Suits(); err != nil {
		return Identity{}, fmt.Errorf("the %s file can't be used: %w", what, err)
	}
	return id, nil
}

func readPKCS12(data []byte, password string) (any, []*x509.Certificate, error) {
	if err := explainOther(data); err != nil {
		return nil, nil, err
	}
	key, first, others, err := pkcs12.DecodeChain(data, password)
	if err != nil {
		return nil, nil, explainPKCS12(err, password)
	}
	return key, append([]*x509.Certificate{first}, others...), nil
}

// explainOther tells what a file is that is often taken for a PKCS#12 file.
func explainOther(data []byte) error {
	if bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}) {
		return errors.New("this is a Java keystore and not a PKCS#12 file: convert it with `keytool -importkeystore -srckeystore it.jks -destkeystore it.p12 -deststoretype PKCS12`")
	}
	if _, err := x509.ParseCertificate(data); err == nil {
		return errors.New("this is a certificate without its key and not a PKCS#12 file: export it with its key")
	}
	if _, err := x509.ParsePKCS8PrivateKey(data); err == nil {
		return errors.New("this is a key without its certificate and not a PKCS#12 file: put both into one with `openssl pkcs12 -export`")
	}
	return nil
}

func explainPKCS12(err error, password string) error {
	var unsupported pkcs12.NotImplementedError
	switch msg := err.Error(); {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption):
		if password == "" {
			return passwordError("the PKCS#12 file needs a password")
		}
		return passwordError("the password of the PKCS#12 file is wrong, or the file is damaged")
	case strings.Contains(msg, "no MAC in data"):
		return passwordError("the PKCS#12 file has no password; leave it empty")
	case strings.Contains(msg, "UCS-2"):
		return passwordError("the password has characters that the password of a PKCS#12 file can't have")
	case strings.Contains(msg, "private key missing"):
		return errors.New("the PKCS#12 file has no private key; export it with its key")
	case strings.Contains(msg, "certificate missing"):
		return errors.New("the PKCS#12 file has no certificate; export it with the key's certificate")
	case strings.Contains(msg, "exactly one key"):
		return errors.New("the PKCS#12 file has more than one private key; export just the one to seal with")
	case strings.Contains(msg, "elliptic curve"):
		return errOddCurve("PKCS#12")
	case errors.As(err, &unsupported):
		return fmt.Errorf("the PKCS#12 file is written in a way that is not supported (%w): export it with AES-256 or 3DES, as OpenSSL and Windows do", err)
	default:
		return &inWords{"this is not a PKCS#12 file (.p12, .pfx), or it is damaged", err}
	}
}

// passwordError is a sentence that is an ErrPassword.
type passwordError string

func (e passwordError) Error() string        { return string(e) }
func (e passwordError) Is(target error) bool { return target == ErrPassword }

// inWords is a sentence that keeps to itself what the cause says in the words of ASN.1.
type inWords struct {
	words string
	cause error
}

func (e *inWords) Error() string { return e.words }
func (e *inWords) Unwrap() error { return e.cause }

func errOddCurve(what string) error {
	return fmt.Errorf("the %s file's key is on an elliptic curve that is not supported: P-256, P-384, P-521 or RSA is needed", what)
}

// readPEM reads a private key and certificates. There is no password to it.
func readPEM(data []byte, _ string) (key any, certs []*x509.Certificate, err error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, nil, explainPEM("certificate", err)
			}
			certs = append(certs, c)
		case block.Type == "ENCRYPTED PRIVATE KEY", block.Headers["DEK-Info"] != "":
			return nil, nil, errors.New("the key in the PEM file is encrypted: put key and certificates into a PKCS#12 file with `openssl pkcs12 -export -inkey key.pem -in certificates.pem -out seal.p12`")
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			if key != nil {
				return nil, nil, errors.New("the PEM file has more than one private key; leave just the one to seal with")
			}
			if key, err = parseKey(block); err != nil {
				return nil, nil, explainPEM("key", err)
			}
		}
	}
	switch {
	case key == nil && len(certs) == 0:
		return nil, nil, errors.New("the PEM file has no private key and no certificate that can be read; is it complete?")
	case key == nil:
		return nil, nil, errors.New("the PEM file has no private key; put it into the same file")
	case len(certs) == 0:
		return nil, nil, errors.New("the PEM file has no certificate; put the key's certificate and its issuers' into the same file")
	}
	return key, certs, nil
}

func parseKey(block *pem.Block) (any, error) {
	switch block.Type {
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	}
	return x509.ParsePKCS8PrivateKey(block.Bytes)
}

func explainPEM(what string, err error) error {
	if strings.Contains(err.Error(), "elliptic curve") {
		return errOddCurve("PEM")
	}
	return fmt.Errorf("a %s in the PEM file is damaged: %w", what, err)
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
