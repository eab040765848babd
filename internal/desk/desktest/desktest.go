// Package desktest makes worlds for tests: a desk over a real store, with a
// clock that stands still until it is moved, a folder for the bytes, the real
// PDF engine and a catcher for the mail. Each world is its own; only the
// engine, whose start is dear, is shared by the tests of a process.
//
// Only tests may import this package.
package desktest

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/blob"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/dev/pgtest"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// Options is what a world can differ in. The zero value is good.
type Options struct {
	Database string    // address of an empty database; "" makes a SQLite file
	Start    time.Time // where the clock stands; zero: 2026-09-14 10:00:00.123456 UTC
	MaxSize  int64     // of an uploaded file; 0: 10 MB
	Base     string    // of all links; "": https://sign.example.com
	Allow    []netip.Prefix
	Mailer   desk.Mailer // nil: the world's Mail
	Log      *slog.Logger
	// Identity is the operator's; zero: one that all worlds share. With Own
	// there is none, and the database's certificate seals.
	Identity seal.Identity
	Own      bool
	// Stamper makes what timestamps the seals; nil: nothing does.
	Stamper func(clock func() time.Time) *seal.Stamper
}

// World is a desk and all that it stands on.
type World struct {
	Desk  *desk.Desk
	Store *store.Store
	Blobs *blob.Store
	Mail  *mail.Catcher
	Clock *Clock

	people atomic.Int64
}

// New makes a world that ends with the test. The desk's jobs don't run by
// themselves: call Desk.RunDue, or Desk.Start and Desk.Stop.
func New(t testing.TB, o Options) *World {
	t.Helper()
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 9, 14, 10, 0, 0, 123456000, time.UTC)
	}
	if o.MaxSize == 0 {
		o.MaxSize = 10 << 20
	}
	if o.Base == "" {
		o.Base = "https://sign.example.com"
	}
	if o.Database == "" {
		o.Database = filepath.Join(t.TempDir(), "paraph.db")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	}
	w := &World{Clock: &Clock{now: o.Start}}
	w.Mail = mail.NewCatcher(w.Clock.Now)
	if o.Mailer == nil {
		o.Mailer = w.Mail
	}
	w.open(t, o)
	return w
}

func (w *World) open(t testing.TB, o Options) {
	t.Helper()
	var err error
	w.Store, err = store.Open(t.Context(), store.Config{Address: o.Database, Clock: w.Clock.Now, Logger: o.Log, Vault: storetest.Vault(t)})
	must(t, err)
	t.Cleanup(func() { must(t, w.Store.Close()) })
	w.Blobs, err = blob.Open(t.Context(), "file://"+t.TempDir())
	must(t, err)
	t.Cleanup(func() { must(t, w.Blobs.Close()) })
	tools, err := shared()
	must(t, err)
	client, err := webhook.NewClient(webhook.ClientConfig{UserAgent: "Paraph/test", Allow: o.Allow, Clock: w.Clock.Now})
	must(t, err)
	t.Cleanup(client.Close)
	if o.Identity.Key == nil && !o.Own {
		o.Identity = tools.identity
	}
	var stamper *seal.Stamper
	if o.Stamper != nil {
		stamper = o.Stamper(w.Clock.Now)
	}
	w.Desk, err = desk.New(desk.Config{
		Store: w.Store, Blobs: w.Blobs, Stamper: stamper, Engine: tools.engine, Identity: o.Identity, IdentityFrom: "a test", Client: client, Mailer: o.Mailer,
		Links: desk.Links{Base: o.Base, Key: []byte("0123456789abcdef0123456789abcdef")}, Log: o.Log, MaxSize: o.MaxSize, Instance: "Paraph test",
	})
	must(t, err)
	if o.Own {
		must(t, w.Desk.PrepareCertificate(t.Context(), nil))
	}
}

// Each runs a test on every database engine, in parallel.
func Each(t *testing.T, f func(t *testing.T, w *World)) {
	t.Helper()
	EachWith(t, Options{}, f)
}

// EachWith is Each for worlds with options.
func EachWith(t *testing.T, o Options, f func(t *testing.T, w *World)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, New(t, o))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		o := o
		o.Database = pgtest.New(t)
		f(t, New(t, o))
	})
}

// Clock is a clock that stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time on the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Password is everybody's.
const Password = "correct horse battery staple"

// Person is somebody who signed up, and works in their own space.
type Person struct {
	User  paraph.User
	Who   desk.Who // as an API token of theirs acts
	Token string   // an API token
}

// Person signs a new user up and gives them an API token.
func (w *World) Person(t testing.TB, name string) Person {
	t.Helper()
	email := fmt.Sprintf("person%d@example.com", w.people.Add(1))
	u, err := w.Desk.SignUp(t.Context(), desk.NewUser{Email: email, Name: name, Password: Password}, true)
	must(t, err)
	spaces, err := w.Store.Spaces(t.Context(), u.ID)
	must(t, err)
	p := Person{User: u, Who: desk.Who{
		AccountID: spaces[0].ID, UserID: u.ID,
		Actor: paraph.Actor{Kind: paraph.ByAPI, UserID: u.ID, Name: u.Name, Email: u.Email, IP: "203.0.113.5", UserAgent: "test"},
	}}
	p.Token, _, err = w.Desk.CreateToken(t.Context(), p.Who, "test")
	must(t, err)
	return p
}

// Team makes a team of somebody who manages it and somebody who doesn't; the
// answers work in its space, with API tokens of their own.
func (w *World) Team(t testing.TB, admin, member Person) (asAdmin, asMember Person) {
	t.Helper()
	team, err := w.Desk.CreateTeam(t.Context(), admin.User.ID, "Team of "+admin.User.Name)
	must(t, err)
	must(t, w.Store.Update(t.Context(), func(tx *store.Tx) error {
		return tx.InsertMembership(t.Context(), paraph.Membership{AccountID: team.ID, UserID: member.User.ID, Role: paraph.RoleMember, CreatedAt: tx.Now()})
	}))
	in := func(p Person) Person {
		t.Helper()
		p.Who.AccountID = team.ID
		p.Token, _, err = w.Desk.CreateToken(t.Context(), p.Who, "team")
		must(t, err)
		return p
	}
	return in(admin), in(member)
}

// RunDue works the desk's jobs until none is due.
func (w *World) RunDue(t testing.TB) {
	t.Helper()
	for {
		n, err := w.Desk.RunDue(t.Context())
		must(t, err)
		if n == 0 {
			return
		}
	}
}

// tools is what the tests of a process share.
type tools struct {
	engine   *seal.Engine
	identity seal.Identity
}

// shared is a package variable because compiling the engine takes seconds and
// it keeps nothing of what it works on.
var shared = sync.OnceValues(func() (tools, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		dir = os.TempDir()
	}
	dir = filepath.Join(dir, "paraph-test")
	engine, err := seal.NewEngine(seal.Config{CacheDir: filepath.Join(dir, "engine"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return tools{}, err
	}
	identity, err := seal.LoadOrCreateIdentity(filepath.Join(dir, "identity"), "Paraph test", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		return tools{}, err
	}
	return tools{engine, identity}, engine.Warm(context.Background())
})

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
