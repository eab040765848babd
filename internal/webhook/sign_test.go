package webhook

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

func TestDocusealSignatureVector(t *testing.T) {
	t.Parallel()
	body := `{"event_type":"template.archived","timestamp":"2026-09-20T12:00:00.101Z","data":{"id":42,"archived_at":"2026-09-20T12:00:00.020Z"}}`
	got := docusealSignature("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", time.Unix(1789905600, 0), []byte(body))
	want := "1789905600.063ae555a133452e9424bfd5838973f484623ce2aab4f469288af283a38f07e9"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Whoever holds either secret of a rotation can verify with the official library, and nobody else can.
func TestStandardSignatureDuringRotation(t *testing.T) {
	t.Parallel()
	fresh, old, body, at := GenerateSecret(), GenerateSecret(), []byte(`{"a":1}`), noon()
	signature, err := standardSignature([]string{fresh, old}, "evt_1", at, body)
	if err != nil {
		t.Fatal(err)
	}
	header := http.Header{"Webhook-Id": {"evt_1"}, "Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Webhook-Signature": {signature}}
	for secret, want := range map[string]bool{fresh: true, old: true, GenerateSecret(): false} {
		w, err := standardwebhooks.NewWebhook(secret)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.VerifyIgnoringTimestamp(body, header) == nil; got != want {
			t.Errorf("verified = %v, want %v", got, want)
		}
	}
}

// The example in the Standard Webhooks specification.
func TestStandardSignatureVector(t *testing.T) {
	t.Parallel()
	got, err := standardSignature([]string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "msg_p5jXN8AQM9LWM0D4loKWxJek",
		time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestCheckSecret(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"", "correct horse battery", GenerateSecret()} {
		if err := CheckSecret(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"whsec_", "whsec_not base64!", "a\nb", "schlüssel", " padded", strings.Repeat("x", 1025)} {
		if err := CheckSecret(bad); !isInvalid(err, "secret") {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}
