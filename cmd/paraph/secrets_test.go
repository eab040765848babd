package main

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
)

// TestAKeyIsChangedAndLost: a server with another key does not start; with the
// old one beside it, it does; and when all keys are lost there is a way on.
func TestAKeyIsChangedAndLost(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first, second, third := strings.Repeat("11", 32), strings.Repeat("22", 32), strings.Repeat("33", 32)
	start := func(key string, previous ...string) (*instance, error) {
		c := serveCmd{
			world: world{Data: data}, Listen: "127.0.0.1:0", MaxUpload: 1, Name: "Test", SecretKey: key, PreviousSecretKey: previous,
		}
		return c.start(context.Background(), slog.New(slog.NewTextHandler(t.Output(), nil)))
	}
	running := func(key string, previous ...string) *instance {
		t.Helper()
		in, err := start(key, previous...)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	refused := func(key string, previous ...string) {
		t.Helper()
		in, err := start(key, previous...)
		if err == nil || !strings.Contains(err.Error(), "--previous-secret-key") {
			t.Errorf("with another key: %v, %v", in, err)
		}
	}
	in := running(first)
	u, err := in.desk.SignUp(t.Context(), desk.NewUser{Email: "ann@example.com", Name: "Ann", Password: "a long enough one"}, true)
	if err != nil {
		t.Fatal(err)
	}
	spaces, err := in.store.Spaces(t.Context(), u.ID)
	if err != nil {
		t.Fatal(err)
	}
	who := desk.Who{AccountID: spaces[0].ID, UserID: u.ID}
	made, err := in.desk.CreateEndpoint(t.Context(), who, paraph.Endpoint{URL: "https://example.com/", Events: []string{"*"}, Enabled: true, Secret: "hush"})
	if err != nil {
		t.Fatal(err)
	}
	stored := func(in *instance) paraph.Endpoint {
		t.Helper()
		e, err := in.store.Endpoint(t.Context(), who.AccountID, made.ID)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	end := func(in *instance) {
		t.Helper()
		if err := in.close(); err != nil {
			t.Error(err)
		}
	}
	end(in)

	refused(second)
	refused(second, third)
	end(running(second, first))
	refused(first)
	in = running(second)
	if e := stored(in); e.SigningSecret != made.SigningSecret || e.Secret != "hush" {
		t.Errorf("under the new key it is %+v", e)
	}
	end(in)

	if s := paraphWith(t, "", "forget-secrets", "--data", data); s.code == 0 || !strings.Contains(s.err, "--yes") {
		t.Errorf("without --yes: %+v", s)
	}
	refused(third)
	if s := paraphWith(t, "", "forget-secrets", "--data", data, "--yes"); s.code != 0 || !strings.Contains(s.out, "1 webhooks") {
		t.Errorf("with --yes: %+v", s)
	}
	in = running(third)
	defer end(in)
	if e := stored(in); e.Enabled || e.SigningSecret != "" || !strings.Contains(e.DisabledWhy, "lost") {
		t.Errorf("after its secrets were forgotten it is %+v", e)
	}
	e, err := in.desk.UpdateEndpoint(t.Context(), who, made.ID, func(e *paraph.Endpoint) { e.Enabled = true })
	if err != nil || !strings.HasPrefix(e.SigningSecret, "whsec_") || e.SigningSecret == made.SigningSecret {
		t.Errorf("switched on it signs with %q, %v", e.SigningSecret, err)
	}
}
