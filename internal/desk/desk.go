// Package desk is every change to the world, one verb a function: open a
// transaction, load, decide, save, append the events, queue what follows,
// commit. consequence.go is the table of what follows from which event.
//
// Nothing outside hears of a change before it is committed, and nothing else
// writes to the database.
package desk

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/blob"
	"github.com/paraph-sign/paraph/internal/job"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// Mailer sends one message: an SMTP server, or the catcher of development.
type Mailer interface {
	Send(ctx context.Context, m mail.Message) error
}

// Config is what a desk is made of. All but Retention and Stamper is needed.
type Config struct {
	Store    *store.Store
	Blobs    *blob.Store
	Engine   *seal.Engine
	Identity seal.Identity // seals, when the operator gives it; else what PrepareCertificate makes does
	Client   *webhook.Client
	Mailer   Mailer
	Links    Links
	Log      *slog.Logger
	MaxSize  int64 // of one uploaded file, in bytes
	Instance string
	// Retention is how long a delivery is kept once it has ended, with its
	// attempts and its body; 0: for ever.
	Retention time.Duration
	// IdentityFrom says to people where Identity is from.
	IdentityFrom string
	// Trusted is told of the certificates that seals of this instance lead to, when they change; nil: nobody is.
	Trusted func([]*x509.Certificate) error
	// Stamper timestamps what is sealed; nil: nothing is.
	Stamper *seal.Stamper
}

// Desk is where things get done. It is safe for concurrent use.
type Desk struct {
	Config
	Rooms
	jobs   *job.Runner
	lanes  func(endpointID int64) // wakes the webhook dispatcher
	pages  *pageCache
	busy   limiter // of what is verified
	inks   limiter // of pictures that are read or drawn: each takes up to some 300 MB
	hasher hasher
	sights sights // of endpoints
	issuer issuer // of recipients' certificates
	ears   *ears  // of listeners
	keys   keyring
}

// Rooms are where requests with files lie while they are read and worked on.
// Those of strangers have one of their own, so that they can't keep others out.
type Rooms struct {
	Uploads *Room // of users and their programs
	Visits  *Room // of signers and strangers
}

func newRooms(maxSize int64) Rooms {
	return Rooms{NewRoom(max(8*maxSize, 256<<20)), NewRoom(max(4*maxSize, 128<<20))}
}

// New makes a desk. Its background work runs from Start until Stop.
func New(cfg Config) (*Desk, error) {
	if cfg.Store == nil || cfg.Blobs == nil || cfg.Engine == nil || cfg.Client == nil || cfg.Mailer == nil || cfg.Log == nil || cfg.MaxSize <= 0 {
		return nil, errors.New("desk: the config is incomplete")
	}
	d := &Desk{Config: cfg, Rooms: newRooms(cfg.MaxSize), lanes: func(int64) {}, pages: newPageCache(64<<20, cfg.Store.Now), busy: newLimiter(2), inks: newLimiter(2), hasher: newHasher(2), ears: newEars()}
	var err error
	d.jobs, err = job.New(job.Config{Store: cfg.Store, Log: cfg.Log, Kinds: d.kinds()})
	return d, err
}

// WakeLanes says whom to tell that a delivery was committed for an endpoint.
// f must not block. Call it before Start.
func (d *Desk) WakeLanes(f func(endpointID int64)) { d.lanes = f }

// Start runs the desk's jobs in the background.
func (d *Desk) Start() { d.jobs.Start() }

// Stop ends the jobs and waits for them.
func (d *Desk) Stop() { d.jobs.Stop() }

// RunDue works the jobs that are due now; see job.Runner.
func (d *Desk) RunDue(ctx context.Context) (int, error) { return d.jobs.RunDue(ctx) }

// Who does something, and in which account.
type Who struct {
	AccountID int64
	UserID    int64
	Actor     paraph.Actor
}

// loader reads the envelope that a verb changes.
type loader func(ctx context.Context, tx *store.Tx) (paraph.Envelope, error)

// decision is a rule of the root package with its input.
type decision func(e paraph.Envelope, now time.Time) (paraph.Envelope, []paraph.Event, error)

// ofAccount loads an envelope of an account.
func ofAccount(accountID, id int64) loader {
	return func(ctx context.Context, tx *store.Tx) (paraph.Envelope, error) {
		return tx.Envelope(ctx, accountID, id)
	}
}

// ofToken loads the envelope of a signing link.
func ofToken(token string) loader {
	return func(ctx context.Context, tx *store.Tx) (paraph.Envelope, error) {
		e, _, err := tx.EnvelopeByToken(ctx, token)
		return e, err
	}
}

// ofServer loads an envelope for the server's own work.
func ofServer(id int64) loader {
	return func(ctx context.Context, tx *store.Tx) (paraph.Envelope, error) { return tx.AnyEnvelope(ctx, id) }
}

// change is the way of every verb on an envelope: all in one transaction, so
// that if we stop anywhere in it, nothing has happened.
func (d *Desk) change(ctx context.Context, load loader, decide decision) (paraph.Envelope, error) {
	var out paraph.Envelope
	err := d.Store.Update(ctx, func(tx *store.Tx) error {
		was, err := load(ctx, tx)
		if err != nil {
			return err
		}
		e, events, err := decide(was, tx.Now())
		if err != nil {
			return err
		}
		out = e
		if len(events) == 0 && reflect.DeepEqual(was, e) {
			return nil
		}
		if err := tx.SaveEnvelope(ctx, was, &out); err != nil {
			return err
		}
		return d.append(ctx, tx, &out, events)
	})
	return out, err
}

// append adds events to the trail and queues what follows from each.
func (d *Desk) append(ctx context.Context, tx *store.Tx, e *paraph.Envelope, events []paraph.Event) error {
	if err := tx.AppendEvents(ctx, e, events); err != nil {
		return err
	}
	return d.follow(ctx, tx, e, events)
}

// wrap says of which verb an error is, and keeps its kind.
func wrap(err error, verb string, id int64) error {
	if err == nil || paraph.KindOf(err) != paraph.Internal {
		return err
	}
	return fmt.Errorf("%s %d: %w", verb, id, err)
}

// ForAccounts is a desk that can do no more than manage users, spaces and
// tokens: for the command line, beside a server that does the rest.
func ForAccounts(st *store.Store) *Desk {
	return &Desk{Config: Config{Store: st}, hasher: newHasher(1)}
}
