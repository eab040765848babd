package seal

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// encodeIdentity is the form of identityFile: the key, the certificates, and the authority's key when it is here.
func encodeIdentity(id Identity) ([]byte, error) {
	key, err := keyPEM(id.Key)
	if err != nil || id.Authority == nil {
		return append(key, id.PEM()...), err
	}
	authority, err := keyPEM(id.Authority)
	return append(append(key, id.PEM()...), authority...), err
}

// PEM is the identity's certificates, the key's own first.
func (id Identity) PEM() []byte {
	var b bytes.Buffer
	for _, c := range id.Chain {
		b.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	return b.Bytes()
}

// Keys is what of the identity is secret, in PEM: its key and, when that is here, its authority's.
func (id Identity) Keys() ([]byte, error) {
	key, err := keyPEM(id.Key)
	if err != nil || id.Authority == nil {
		return key, err
	}
	authority, err := keyPEM(id.Authority)
	return append(key, authority...), err
}

// ParseIdentity is the identity that PEM and Keys were made of.
func ParseIdentity(certificates, keys []byte) (Identity, error) {
	return parseIdentity(append(append([]byte{}, keys...), certificates...))
}

func keyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// parseIdentity reads the identity and, when it is there, the authority's key.
func parseIdentity(data []byte) (Identity, error) {
	var id Identity
	var keys []crypto.Signer
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case "CERTIFICATE":
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return id, fmt.Errorf("a certificate in it can't be read: %w", err)
			}
			id.Chain = append(id.Chain, c)
		case "PRIVATE KEY":
			k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
			if err != nil {
				return id, fmt.Errorf("a key in it can't be read: %w", err)
			}
			s, ok := k.(crypto.Signer)
			if !ok {
				return id, fmt.Errorf("a key of type %T in it can't sign", k)
			}
			keys = append(keys, s)
		}
	}
	if len(keys) == 0 || len(id.Chain) == 0 {
		return id, errors.New("it is damaged: a key and a certificate should be in it; restore it from a backup, or remove it to have a new one made")
	}
	id.Key = keys[0]
	if len(keys) > 1 {
		id.Authority = keys[1]
	}
	return id, id.usable()
}
