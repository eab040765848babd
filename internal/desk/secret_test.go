package desk_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// docusealSigned tells whether X-Docuseal-Signature was made with a secret.
func docusealSigned(p post, secret string) bool {
	at, signature, _ := strings.Cut(p.header.Get("X-Docuseal-Signature"), ".")
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(at + "." + p.body))
	return signature == hex.EncodeToString(m.Sum(nil))
}

func TestARotatedSecretSignsBesideTheNewOne(t *testing.T) {
	t.Parallel()
	eachSender(t, func(t *testing.T, s *sender) {
		r := newReceiver(t)
		first := s.endpoint(r.url)
		rotate := func(how desk.Rotation) paraph.Endpoint {
			t.Helper()
			e, err := s.Desk.RotateSecret(t.Context(), s.Who, first.ID, how)
			s.must(err)
			return e
		}
		signed := func(when string, good []string, bad ...string) {
			t.Helper()
			s.archive()
			p := next(t, r.posts, "the webhook")
			s.result()
			equal(t, when+": signatures", len(strings.Fields(p.header.Get("Webhook-Signature"))), len(good))
			for _, secret := range good {
				if err := webhook.VerifySignature(secret, []byte(p.body), p.header); err != nil {
					t.Errorf("%s: %.12s does not verify: %v", when, secret, err)
				}
			}
			for _, secret := range bad {
				if webhook.VerifySignature(secret, []byte(p.body), p.header) == nil {
					t.Errorf("%s: %.12s still verifies", when, secret)
				}
			}
			equal(t, when+": X-Docuseal-Signature is made with the new one", docusealSigned(p, good[0]), true)
		}
		signed("at first", []string{first.SigningSecret})
		second := rotate(desk.Rotation{Grace: 2 * time.Minute}) // libraries refuse timestamps that are five minutes off
		signed("in the grace period", []string{second.SigningSecret, first.SigningSecret})
		s.Clock.Advance(2*time.Minute - time.Second)
		signed("at its end", []string{second.SigningSecret, first.SigningSecret})
		s.Clock.Advance(time.Second)
		signed("after it", []string{second.SigningSecret}, first.SigningSecret)

		own := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 24))
		equal(t, "one's own", rotate(desk.Rotation{Secret: own, Grace: paraph.MaxGrace}).SigningSecret, own)
		signed("with one's own", []string{own, second.SigningSecret}, first.SigningSecret)
		_, err := s.Desk.EndPreviousSecret(t.Context(), s.Who, first.ID)
		s.must(err)
		signed("ended by hand", []string{own}, second.SigningSecret)
		last := rotate(desk.Rotation{})
		signed("without grace", []string{last.SigningSecret}, own)
	})
}

// TestRotationsAtOnce: of eight who replace the same secret one does, and the old one keeps its grace.
func TestRotationsAtOnce(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		was, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://example.com/", Events: []string{"*"}, Enabled: true})
		ok(t, err)
		errs, made := make([]error, 8), make([]paraph.Endpoint, 8)
		var all sync.WaitGroup
		for i := range errs {
			all.Go(func() {
				made[i], errs[i] = w.Desk.RotateSecret(t.Context(), p.Who, was.ID, desk.Rotation{Was: was.SigningSecret, Grace: time.Hour})
			})
		}
		all.Wait()
		e, err := w.Store.Endpoint(t.Context(), p.Who.AccountID, was.ID)
		ok(t, err)
		done := 0
		for i, err := range errs {
			if err == nil {
				done++
				equal(t, "the winner's secret is the webhook's", made[i].SigningSecret == e.SigningSecret, true)
			} else if paraph.KindOf(err) != paraph.Conflict {
				t.Errorf("a loser: %v", err)
			}
		}
		equal(t, "how many rotated", done, 1)
		equal(t, "the receiver's secret has its grace", e.PreviousSecret == was.SigningSecret, true)
		_, err = w.Desk.RotateSecret(t.Context(), p.Who, was.ID, desk.Rotation{Was: was.SigningSecret})
		equal(t, "the same once more", paraph.KindOf(err), paraph.Conflict)
		_, err = w.Desk.RotateSecret(t.Context(), p.Who, was.ID, desk.Rotation{Grace: time.Hour})
		ok(t, err)
	})
}

func TestRotationRefuses(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ann Admin")
	e, err := w.Desk.CreateEndpoint(t.Context(), p.Who, paraph.Endpoint{URL: "https://example.com/", Events: []string{"*"}, Enabled: true})
	ok(t, err)
	whsec := func(n int) string { return "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, n)) }
	for _, c := range []struct {
		name, field string
		r           desk.Rotation
	}{
		{"a grace below 0", "grace", desk.Rotation{Grace: -1}},
		{"a grace of more than a week", "grace", desk.Rotation{Grace: paraph.MaxGrace + 1}},
		{"no base64", "secret", desk.Rotation{Secret: "whsec_!!!"}},
		{"a short key", "secret", desk.Rotation{Secret: whsec(23)}},
		{"a long key", "secret", desk.Rotation{Secret: whsec(65)}},
		{"a short text", "secret", desk.Rotation{Secret: "fifteen letters"}},
		{"what no header can carry", "secret", desk.Rotation{Secret: "sixteen letters\nand more"}},
		{"the one it has", "secret", desk.Rotation{Secret: e.SigningSecret}},
	} {
		_, err := w.Desk.RotateSecret(t.Context(), p.Who, e.ID, c.r)
		if paraph.KindOf(err) != paraph.Invalid || fieldOf(err) != c.field {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, secret := range []string{whsec(24), whsec(64), "sixteen letters."} {
		_, err := w.Desk.RotateSecret(t.Context(), p.Who, e.ID, desk.Rotation{Secret: secret})
		ok(t, err)
	}
}

func fieldOf(err error) string {
	if e, ok := err.(*paraph.Error); ok {
		return e.Field
	}
	return ""
}

func TestOnlyAdminsSeeAndChangeSecrets(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		admin, member := w.Team(t, w.Person(t, "Ann Admin"), w.Person(t, "Mel Member"))
		stranger := w.Person(t, "Stan Stranger")
		e, err := w.Desk.CreateEndpoint(t.Context(), member.Who, paraph.Endpoint{URL: "https://example.com/", Events: []string{"*"}, Enabled: true})
		ok(t, err)
		for name, verb := range map[string]func(who desk.Who) error{
			"see": func(who desk.Who) error { _, err := w.Desk.Secrets(t.Context(), who, e.ID); return err },
			"rotate": func(who desk.Who) error {
				_, err := w.Desk.RotateSecret(t.Context(), who, e.ID, desk.Rotation{})
				return err
			},
			"end": func(who desk.Who) error { _, err := w.Desk.EndPreviousSecret(t.Context(), who, e.ID); return err },
		} {
			if err := verb(admin.Who); err != nil {
				t.Errorf("an admin can't %s: %v", name, err)
			}
			if err := verb(member.Who); paraph.KindOf(err) != paraph.Forbidden {
				t.Errorf("a member can %s: %v", name, err)
			}
			if err := verb(stranger.Who); paraph.KindOf(err) != paraph.NotFound {
				t.Errorf("a stranger can %s: %v", name, err)
			}
		}
	})
}

// lines is a log that a test reads.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// No secret is in the files of the database nor in the log, also when the
// receiver sends all back and when everything goes wrong.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	dir, log := t.TempDir(), &lines{}
	w := desktest.New(t, desktest.Options{
		Database: filepath.Join(dir, "paraph.db"), Allow: loopback(), Start: time.Now(), Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	s := newSender(t, w, w.Person(t, "Ann Admin"))
	s.start(webhook.DispatcherConfig{})
	echo := newReceiver(t, 500, 200, 410)
	echo.handle = func(p post) {
		echo.mu.Lock()
		defer echo.mu.Unlock()
		echo.header = http.Header{"X-Echo": {fmt.Sprint(p.header)}}
	}
	e := s.endpoint(echo.url, func(e *paraph.Endpoint) {
		e.Secret, e.Headers, e.Events = "GREPME-own", [][2]string{{"Authorization", "Bearer GREPME-header"}}, []string{"*"}
	})
	words := []string{e.SigningSecret, "GREPME"}
	for _, own := range []string{"GREPME-the-second", "GREPME-the-third"} {
		_, err := s.Desk.RotateSecret(t.Context(), s.Who, e.ID, desk.Rotation{Secret: own, Grace: time.Hour})
		s.must(err)
	}
	for _, name := range []string{"document.sent", "form.viewed", "document.completed"} {
		_, err := s.Desk.SendTest(t.Context(), s.Who, e.ID, name)
		s.must(err)
		p := next(t, echo.posts, "a test")
		s.result()
		if p.header.Get("Authorization") != "Bearer GREPME-header" {
			t.Fatalf("sent were %v", p.header)
		}
	}
	_, err := s.Desk.Secrets(t.Context(), s.Who, e.ID)
	s.must(err)
	_, err = s.Desk.RotateSecret(t.Context(), s.Who, e.ID, desk.Rotation{Secret: "whsec_GREPME!"})
	if err == nil {
		t.Error("a bad secret was taken")
	}
	s.RunDue(t)
	if n := len(s.log(e)); n != 3 {
		t.Fatalf("%d deliveries are in the log", n)
	}
	if !strings.Contains(log.String(), "secrets were shown") {
		t.Errorf("the log does not say that secrets were shown: %s", log)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	s.must(err)
	for _, word := range words {
		if strings.Contains(log.String(), word) {
			t.Errorf("the log has %q", word)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			s.must(err)
			if bytes.Contains(b, []byte(word)) {
				t.Errorf("%s has %q", filepath.Base(f), word)
			}
		}
	}
	for _, m := range s.Mail.List() {
		if strings.Contains(m.Text+m.Subject, "GREPME") {
			t.Errorf("the mail %q has a secret", m.Subject)
		}
	}
}
