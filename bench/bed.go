package main

import (
	"context"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/paraph-sign/paraph/internal/blob"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/vault"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// contractPath is the demo's, from the top folder, where results are written
// too.
const contractPath = "cmd/paraph/sample/contract.pdf"

// retention is of the server's own work, which runs where a load says so.
const retention = 24 * time.Hour

// tools are what all beds of a run share.
type tools struct {
	dir      string
	engine   *seal.Engine
	identity seal.Identity
	contract []byte // three pages
}

func newTools(dir string) (t tools, err error) {
	t.dir = dir
	if t.contract, err = os.ReadFile(contractPath); err != nil {
		return t, err
	}
	if t.identity, err = seal.LoadOrCreateIdentity(dir, "Bench", time.Now()); err != nil {
		return t, err
	}
	if t.engine, err = seal.NewEngine(seal.Config{CacheDir: filepath.Join(dir, "cache"), Logger: quiet()}); err != nil {
		return t, err
	}
	return t, t.engine.Warm(context.Background()) // its compiling would go on beside what is measured
}

func (t tools) close() { _ = t.engine.Close() } // the process ends

func quiet() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
}

// bed is an instance without pages, and a receiver of its webhooks.
type bed struct {
	tools
	store     *store.Store
	desk      *desk.Desk
	client    *webhook.Client
	receiver  *receiver
	who       desk.Who
	spare     []int64                   // envelopes that nothing has happened to
	wake      func(endpointID int64)    // the dispatcher's, while there is one
	committed atomic.Pointer[time.Time] // when something was last committed for a lane
	closers   []func()
}

func (b *bed) close() {
	for i := len(b.closers) - 1; i >= 0; i-- {
		b.closers[i]()
	}
}

// newBed is a bed with tools of its own.
func newBed(dir, address string) (*bed, error) {
	t, err := newTools(dir)
	if err != nil {
		return nil, err
	}
	b, err := t.bed(address, "bench@example.com")
	if err != nil {
		return nil, err
	}
	b.closers = append([]func(){t.close}, b.closers...)
	return b, nil
}

// bed opens an instance at a database and signs somebody up.
func (t tools) bed(address, email string) (b *bed, err error) {
	ctx := context.Background()
	b = &bed{tools: t, receiver: newReceiver()}
	defer func() {
		if err != nil {
			b.close()
		}
	}()
	b.closers = append(b.closers, b.receiver.close)
	if err := b.open(ctx, address); err != nil {
		return nil, err
	}
	u, err := b.desk.SignUp(ctx, desk.NewUser{Email: email, Name: "Bench", Password: "a long enough one"}, true)
	if err != nil {
		return nil, err
	}
	spaces, err := b.store.Spaces(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	b.who = desk.Who{AccountID: spaces[0].ID, UserID: u.ID}
	return b, nil
}

func (b *bed) open(ctx context.Context, address string) (err error) {
	if b.store, err = openStore(ctx, address); err != nil {
		return err
	}
	b.closers = append(b.closers, func() { _ = b.store.Close() })
	blobs, err := blob.Open(ctx, "file://"+filepath.Join(b.dir, "blobs"))
	if err != nil {
		return err
	}
	b.client, err = webhook.NewClient(webhook.ClientConfig{UserAgent: "Paraph/bench", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		return err
	}
	b.closers = append(b.closers, b.client.Close)
	b.desk, err = desk.New(desk.Config{
		Store: b.store, Blobs: blobs, Engine: b.engine, Identity: b.identity, Client: b.client, Mailer: mail.NewCatcher(time.Now),
		Links: desk.Links{Base: "http://localhost:3000", Key: make([]byte, 32)}, Log: quiet(), MaxSize: 100 << 20, Instance: "Bench",
		Retention: retention,
	})
	return err
}

func openStore(ctx context.Context, address string) (*store.Store, error) {
	v, err := vault.New(vault.Config{Key: make([]byte, vault.KeySize)})
	if err != nil {
		return nil, err
	}
	return store.Open(ctx, store.Config{Address: address, Clock: time.Now, Logger: quiet(), Vault: v})
}

// dispatch runs a dispatcher until the returned function is called.
func (b *bed) dispatch() (stop func(), err error) {
	d, err := webhook.NewDispatcher(webhook.DispatcherConfig{
		Queue: b.desk.Queue(), Client: b.client, Log: slog.New(slog.DiscardHandler),
		Grace: 200 * time.Millisecond, // what hangs is not waited for
	})
	if err != nil {
		return nil, err
	}
	b.wake = d.Wake
	b.desk.WakeLanes(func(endpointID int64) {
		now := time.Now()
		b.committed.Store(&now)
		d.Wake(endpointID)
	})
	d.Start()
	return d.Stop, nil
}
