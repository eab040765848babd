package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

const (
	secretPrefix   = "whsec_"
	secretBytes    = 32 // Standard Webhooks allows 24 to 64
	maxSecretChars = 1024
)

// GenerateSecret returns a fresh signing secret: "whsec_" and 32 random bytes in base64, as Standard Webhooks writes them.
func GenerateSecret() string {
	key := make([]byte, secretBytes)
	rand.Read(key) // never fails, see crypto/rand
	return secretPrefix + base64.StdEncoding.EncodeToString(key)
}

// CheckSecret says whether a secret that a person chose can be used: printable ASCII, because it may travel in a header, at most
// 1024 characters, and real base64 behind "whsec_". An empty secret is none, and fine.
func CheckSecret(secret string) error {
	if len(secret) > maxSecretChars {
		return badSecret("The secret is longer than " + strconv.Itoa(maxSecretChars) + " characters.")
	}
	for _, c := range []byte(secret) {
		if c < ' ' || c > '~' {
			return badSecret("The secret may only have printable ASCII characters, because it is sent in a header.")
		}
	}
	if strings.TrimSpace(secret) != secret {
		return badSecret("The secret may not begin or end with a space.")
	}
	_, err := signer(secret)
	return err
}

func badSecret(sentence string) error { return paraph.FieldErrorf(fieldSecret, "%s", sentence) }

// signer reads the key as the Standard Webhooks specification does: what follows "whsec_" is base64. Any other secret is a string
// that somebody made up for the Documenso header; its bytes are the key.
func signer(secret string) (*standardwebhooks.Webhook, error) {
	if !strings.HasPrefix(secret, secretPrefix) {
		return standardwebhooks.NewWebhookRaw([]byte(secret))
	}
	w, err := standardwebhooks.NewWebhook(secret)
	if err != nil || len(secret) == len(secretPrefix) {
		return nil, badSecret("The secret begins with “whsec_”, but what follows is not base64.")
	}
	return w, nil
}

// standardSignature is the value of the header webhook-signature: one "v1,…" for each secret, separated by spaces, so that a
// receiver that knows only the old or only the new secret finds one that fits while a rotation is going on.
func standardSignature(secrets []string, id string, at time.Time, body []byte) (string, error) {
	if len(secrets) == 1 {
		return oneSignature(secrets[0], id, at, body)
	}
	all := make([]string, 0, len(secrets))
	for _, secret := range secrets {
		s, err := oneSignature(secret, id, at, body)
		if err != nil {
			return "", err
		}
		all = append(all, s)
	}
	return strings.Join(all, " "), nil
}

func oneSignature(secret, id string, at time.Time, body []byte) (string, error) {
	w, err := signer(secret)
	if err != nil {
		return "", err
	}
	return w.Sign(id, at, body)
}

// docusealSignature is the value of X-Docuseal-Signature: "<unix seconds>.<hex HMAC-SHA256 of seconds.body>". Unlike in Standard
// Webhooks the key is the whole secret string, its prefix included.
func docusealSignature(secret string, at time.Time, body []byte) string {
	ts := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(ts + "."))
	mac.Write(body)
	return ts + "." + hex.EncodeToString(mac.Sum(nil))
}
