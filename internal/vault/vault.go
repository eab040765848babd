// Package vault encrypts small secrets before they are stored: AES-256-GCM
// under a key of its own that is derived from the server's secret key by HKDF
// (RFC 5869). What is encrypted is bound to what it belongs to, so that a row
// copied over another can't be read there, and names its key, so that the key
// can be changed.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// KeySize is the length of a secret key in bytes.
const KeySize = 32

// version begins whatever this code encrypts. A change of cipher or derivation
// is a new version.
const version = "v1"

// ErrOtherKey says that something was encrypted with a key that is not here.
var ErrOtherKey = errors.New("encrypted with another secret key")

// ErrDamaged says that what was encrypted was changed, cut, or belongs
// elsewhere.
var ErrDamaged = errors.New("what was encrypted is damaged or belongs elsewhere")

// Config is what a Vault is made of.
type Config struct {
	Key      []byte   // encrypts and decrypts
	Previous [][]byte // decrypt only, while a key is being changed
}

// Vault encrypts and decrypts. It is safe for concurrent use.
type Vault struct {
	current key
	keys    map[string]cipher.AEAD
}

type key struct {
	id   string // 8 hex digits that tell keys apart and say nothing about them
	aead cipher.AEAD
}

// New refuses keys that are not KeySize bytes long.
func New(cfg Config) (*Vault, error) {
	current, err := derive(cfg.Key)
	if err != nil {
		return nil, err
	}
	v := &Vault{current: current, keys: map[string]cipher.AEAD{current.id: current.aead}}
	for _, secret := range cfg.Previous {
		k, err := derive(secret)
		if err != nil {
			return nil, err
		}
		v.keys[k.id] = k.aead
	}
	return v, nil
}

func derive(secret []byte) (k key, err error) {
	if len(secret) != KeySize {
		return k, fmt.Errorf("vault: a secret key has %d bytes, not %d", KeySize, len(secret))
	}
	part := func(info string, size int) []byte {
		b, herr := hkdf.Key(sha256.New, secret, nil, "paraph "+version+" "+info, size)
		err = errors.Join(err, herr)
		return b
	}
	k.id = hex.EncodeToString(part("key id", 4))
	encryption := part("stored secrets", 32)
	if err != nil {
		return k, err
	}
	block, err := aes.NewCipher(encryption)
	if err != nil {
		return k, err
	}
	k.aead, err = cipher.NewGCMWithRandomNonce(block)
	return k, err
}

// Seal encrypts. about names what the secret belongs to, and Open needs the
// same. The result is printable ASCII.
func (v *Vault) Seal(plain []byte, about string) string {
	sealed := v.current.aead.Seal(nil, nil, plain, []byte(about))
	return v.Prefix() + base64.RawURLEncoding.EncodeToString(sealed)
}

// Prefix is how everything begins that Seal encrypts now.
func (v *Vault) Prefix() string { return version + "." + v.current.id + "." }

// Open decrypts what Seal encrypted about the same thing. The error is
// ErrOtherKey or ErrDamaged.
func (v *Vault) Open(sealed, about string) ([]byte, error) {
	parts := strings.Split(sealed, ".")
	if len(parts) != 3 || parts[0] != version {
		return nil, ErrDamaged
	}
	aead, ok := v.keys[parts[1]]
	if !ok {
		return nil, ErrOtherKey
	}
	b, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil {
		return nil, ErrDamaged
	}
	plain, err := aead.Open(nil, nil, b, []byte(about))
	if err != nil {
		return nil, ErrDamaged
	}
	return plain, nil
}
