// Package storetest runs a test on every engine that the store knows, and
// fills stores with what tests need. Only tests may import it.
package storetest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/dev/pgtest"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/vault"
)

// Start is the time at which every Clock begins.
var Start = time.Date(2026, 3, 1, 9, 0, 0, 123456000, time.UTC)

// Clock is a time that stands still until it is told to go on.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock at Start.
func NewClock() *Clock { return &Clock{now: Start} }

// Now is the clock's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance lets time pass and returns the new time.
func (c *Clock) Advance(d time.Duration) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return c.now
}

// Engines are the names of the engines.
func Engines() []string { return []string{"sqlite", "postgres"} }

// Address makes an empty database of an engine and returns its address.
func Address(t testing.TB, engine string) string {
	t.Helper()
	if engine == "postgres" {
		return pgtest.New(t)
	}
	return filepath.Join(t.TempDir(), "a b%?#ü.db") // a path may hold anything
}

// Each runs a test on every engine, in parallel, each with a store and a clock
// of its own.
func Each(t *testing.T, test func(t *testing.T, s *store.Store, clock *Clock)) {
	t.Helper()
	t.Parallel()
	for _, engine := range Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s, clock := New(t, engine)
			test(t, s, clock)
		})
	}
}

// New opens a new store of an engine.
func New(t testing.TB, engine string) (*store.Store, *Clock) {
	t.Helper()
	clock := NewClock()
	return Open(t, Address(t, engine), clock), clock
}

// Open opens a store that is closed when the test ends. More than one may be
// open at an address, like the nodes of a cluster.
func Open(t testing.TB, address string, clock *Clock) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), store.Config{Address: address, Clock: clock.Now, Logger: slog.New(slog.DiscardHandler), Vault: Vault(t)})
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// Vault is the one of all stores that Open opens.
func Vault(t testing.TB) *vault.Vault {
	t.Helper()
	v, err := vault.New(vault.Config{Key: bytes.Repeat([]byte("k"), vault.KeySize)})
	if err != nil {
		t.Fatalf("make the vault: %v", err)
	}
	return v
}

// Update runs fn in a transaction that has to work.
func Update(t testing.TB, s *store.Store, fn func(tx *store.Tx) error) {
	t.Helper()
	if err := s.Update(context.Background(), fn); err != nil {
		t.Fatalf("update: %v", err)
	}
}

// Space adds a user with an account of their own. The name must be new to the
// store.
func Space(t testing.TB, s *store.Store, name string) (paraph.Account, paraph.User) {
	t.Helper()
	now := s.Now()
	a := paraph.Account{Kind: paraph.Personal, Name: name, CreatedAt: now}
	u := paraph.User{Email: name + "@example.com", Name: name, PasswordHash: "hash", CreatedAt: now, UpdatedAt: now}
	Update(t, s, func(tx *store.Tx) error {
		if err := tx.InsertAccount(context.Background(), &a); err != nil {
			return err
		}
		if err := tx.InsertUser(context.Background(), &u); err != nil {
			return err
		}
		return tx.InsertMembership(context.Background(), paraph.Membership{AccountID: a.ID, UserID: u.ID, Role: paraph.RoleAdmin, CreatedAt: now})
	})
	return a, u
}

// Draft is an envelope that was never stored: two documents, a signer with a
// field on each, an approver and a cc.
func Draft(t testing.TB, accountID, ownerID int64, name string, now time.Time) paraph.Envelope {
	t.Helper()
	e, _, err := paraph.New(accountID, ownerID, name, paraph.FromWeb, paraph.Actor{Kind: paraph.ByUser, UserID: ownerID}, now)
	for i := range 2 {
		if err == nil {
			e, err = e.AddDocument(paraph.Document{
				ID: -int64(i) - 1, Name: fmt.Sprint("document ", i), Uploaded: paraph.TokenHash("u"), Original: paraph.TokenHash("o"), Size: 1 << 33,
				Pages: []paraph.Page{{Width: 595.5, Height: 842}, {Width: 842, Height: 595.5}},
			}, now)
		}
	}
	if err == nil {
		e, err = e.SetRecipients([]paraph.Recipient{
			{ID: -1, Kind: paraph.Signer, Name: "Ada Łovelace 日本 🖋", Email: "ada@example.com", Order: 1, SendEmail: true, Metadata: `{"a":"ü"}`},
			{ID: -2, Kind: paraph.Approver, Name: "Bob", Email: "bob@example.com", Order: 2, SendEmail: true},
			{ID: -3, Kind: paraph.CC, Email: "cy@example.com", Order: 3},
		}, now)
	}
	if err == nil {
		e, err = e.SetFields([]paraph.Field{
			{
				RecipientID: -1, Type: paraph.SignatureField, Required: true,
				Areas: []paraph.Area{{DocumentID: -2, Page: 1, X: .1, Y: .2, W: .3, H: .05}, {DocumentID: -1, X: .1, Y: .2, W: .3, H: .05}},
			},
			{
				RecipientID: -2, Type: paraph.SelectField, Name: "Größe",
				Settings: paraph.FieldSettings{Options: []string{"klein", "groß \u2028 \"x\""}, FontSize: 9.5},
				Areas:    []paraph.Area{{DocumentID: -1, X: .5, Y: .5, W: .25, H: .125}},
			},
		}, now)
	}
	if err != nil {
		t.Fatalf("make a draft: %v", err)
	}
	return e
}

// Envelope stores a Draft.
func Envelope(t testing.TB, s *store.Store, accountID, ownerID int64, name string) paraph.Envelope {
	t.Helper()
	e := Draft(t, accountID, ownerID, name, s.Now())
	Update(t, s, func(tx *store.Tx) error { return tx.InsertEnvelope(context.Background(), &e) })
	return e
}

// Endpoint stores an endpoint.
func Endpoint(t testing.TB, s *store.Store, accountID int64) paraph.Endpoint {
	t.Helper()
	p := paraph.Endpoint{
		AccountID: accountID, URL: "https://example.com/hook?ü=1", Events: []string{"form.*", "document.signed"}, Secret: "s", SigningSecret: "whsec_x",
		Headers: [][2]string{{"X-A", "1"}, {"X-A", "2"}}, Description: "d", Enabled: true, Schedule: paraph.DefaultSchedule,
		Timeout: paraph.DefaultTimeout, Concurrency: 8, Rate: 2.5, OmitTokens: true, CreatedAt: s.Now(), UpdatedAt: s.Now(),
	}
	Update(t, s, func(tx *store.Tx) error { return tx.InsertEndpoint(context.Background(), &p) })
	return p
}

// Deliveries are n that were never stored, due now.
func Deliveries(p paraph.Endpoint, n int, now time.Time) []paraph.Delivery {
	ds := make([]paraph.Delivery, n)
	for i := range ds {
		ds[i] = paraph.Delivery{
			AccountID: p.AccountID, EndpointID: p.ID, EventID: int64(i), EnvelopeID: int64(i % 3), EventName: "document.signed",
			MessageID: paraph.NewUUID(), Body: []byte(`{"n":` + fmt.Sprint(i) + "}"), State: paraph.DeliveryPending, NextAttemptAt: now, CreatedAt: now,
		}
	}
	return ds
}

// Queue stores deliveries.
func Queue(t testing.TB, s *store.Store, ds []paraph.Delivery) []paraph.Delivery {
	t.Helper()
	Update(t, s, func(tx *store.Tx) error { return tx.InsertDeliveries(context.Background(), ds) })
	return ds
}

// Due reads up to n deliveries of an endpoint that are due, first attempts
// before retries, as the holder of its lane does.
func Due(ctx context.Context, r store.Reader, endpointID int64, now time.Time, n int) ([]paraph.Delivery, error) {
	first, err := r.DueDeliveries(ctx, now, store.DueWant{EndpointID: endpointID, N: n})
	if err != nil {
		return nil, err
	}
	if len(first[0]) == n {
		return first[0], nil
	}
	late, err := r.DueDeliveries(ctx, now, store.DueWant{EndpointID: endpointID, Late: true, N: n - len(first[0])})
	if err != nil {
		return nil, err
	}
	return append(first[0], late[0]...), nil
}
