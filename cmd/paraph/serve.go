package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/paraph-sign/paraph/internal/api"
	"github.com/paraph-sign/paraph/internal/blob"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/dev/seed"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/vault"
	"github.com/paraph-sign/paraph/internal/web"
	"github.com/paraph-sign/paraph/internal/web/dist"
	"github.com/paraph-sign/paraph/internal/web/ui/assets"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// Run serves until it is told to stop by SIGINT or SIGTERM.
func (c *serveCmd) Run(s *streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	in, err := c.start(ctx, newLog(s.err, c.LogJSON))
	if err != nil {
		return err
	}
	c.greet(s.out, in)
	if err := c.seed(ctx, s.out, in); err != nil {
		return errors.Join(err, in.close())
	}
	select {
	case <-ctx.Done():
		stop() // a second signal ends us at once
		in.log.Info("stopping")
	case err = <-in.failed:
	}
	return errors.Join(err, in.close())
}

func newLog(w io.Writer, asJSON bool) *slog.Logger {
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

// greet says where to go.
func (c *serveCmd) greet(out io.Writer, in *instance) {
	fmt.Fprintf(out, "Paraph %s is at %s\n", version, c.BaseURL)
	if c.Dev {
		fmt.Fprintf(out, "Mails are caught and shown at %s/dev/mail\n", c.BaseURL)
	}
	if len(c.WebhookAllowNet) > 0 {
		nets := make([]string, len(c.WebhookAllowNet))
		for i, n := range c.WebhookAllowNet {
			nets[i] = n.String()
		}
		fmt.Fprintf(out, "Webhooks may also go to %s\n", strings.Join(nets, ", "))
	}
	fmt.Fprintf(out, "Data is in %s\n", in.where)
}

// seed fills an empty instance when it is asked to.
func (c *serveCmd) seed(ctx context.Context, out io.Writer, in *instance) error {
	if !c.Seed {
		return nil
	}
	done, err := seed.Fill(ctx, seed.Config{Desk: in.desk, Catcher: in.catcher, Base: c.BaseURL, PDF: sampleContract})
	if done {
		fmt.Fprintf(out, "Sample data is there; sign in as %s with the password %q\n", seed.Email, seed.Password)
	}
	return err
}

// instance is a running server and how to end it.
type instance struct {
	log     *slog.Logger
	where   string // the database, for people
	address string // that it listens on
	metrics string // where /metrics is when it has an address of its own
	desk    *desk.Desk
	store   *store.Store
	catcher *mail.Catcher // nil when mail goes out for real
	failed  chan error    // the listener broke
	closers []func() error
}

// close ends everything in the opposite order of its start.
func (in *instance) close() error {
	var errs []error
	for i := len(in.closers) - 1; i >= 0; i-- {
		errs = append(errs, in.closers[i]())
	}
	return errors.Join(errs...)
}

func (in *instance) atClose(f func() error) { in.closers = append(in.closers, f) }

// start is the whole wiring. What it has started is ended again when something
// fails.
func (c *serveCmd) start(ctx context.Context, log *slog.Logger) (_ *instance, err error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	in := &instance{log: log, failed: make(chan error, 1)}
	defer func() {
		if err != nil {
			_ = in.close() // the first error is the one to tell
		}
	}()
	if err := c.openWorld(ctx, in); err != nil {
		return nil, err
	}
	parts, err := c.openParts(ctx, in)
	if err != nil {
		return nil, err
	}
	meter := newMeter()
	cfg := parts.config(c, in)
	if cfg.Stamper, err = c.stamper(in, meter); err != nil {
		return nil, err
	}
	if in.desk, err = desk.New(cfg); err != nil {
		return nil, err
	}
	if err := c.prepareCertificate(ctx, in); err != nil {
		return nil, err
	}
	in.catcher = parts.catcher
	dispatcher, err := webhook.NewDispatcher(webhook.DispatcherConfig{Queue: in.desk.Queue(), Client: parts.client, Log: log, Observe: meter.delivery})
	if err != nil {
		return nil, err
	}
	if err := meter.watch(in, dispatcher.Stats); err != nil {
		return nil, err
	}
	in.desk.WakeLanes(dispatcher.Wake)
	handler, err := c.handler(in, parts, meter)
	if err != nil {
		return nil, err
	}
	if err := c.listenForMetrics(in, meter); err != nil {
		return nil, err
	}
	return in, c.run(ctx, in, dispatcher, handler)
}

// run starts what works by itself, then listens.
func (c *serveCmd) run(ctx context.Context, in *instance, dispatcher *webhook.Dispatcher, handler http.Handler) error {
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	in.address = l.Addr().String()
	in.desk.Start()
	in.atClose(func() error { in.desk.Stop(); return nil })
	dispatcher.Start()
	in.atClose(func() error { dispatcher.Stop(); return nil })
	if err := in.desk.PrepareSweep(ctx); err != nil {
		return errors.Join(err, l.Close())
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Minute, WriteTimeout: 10 * time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(in.log.Handler(), slog.LevelWarn),
	}
	server.RegisterOnShutdown(in.desk.EndWaits)
	in.atClose(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := server.Shutdown(ctx); err != nil {
			return server.Close()
		}
		return nil
	})
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			in.failed <- err
		}
	}()
	return nil
}

// openWorld opens the database, whose transactions are the truth.
func (c *serveCmd) openWorld(ctx context.Context, in *instance) (err error) {
	if err := c.makeData(); err != nil {
		return err
	}
	v, err := c.vault()
	if err != nil {
		return err
	}
	in.store, in.where, err = c.open(ctx, in.log, v)
	if err != nil {
		return err
	}
	in.atClose(in.store.Close)
	return nil
}

// open opens the database; where is its address without a password. Without a
// vault the secrets of webhooks can't be read.
func (w world) open(ctx context.Context, log *slog.Logger, v *vault.Vault) (st *store.Store, where string, err error) {
	address, err := w.address()
	if err != nil {
		return nil, "", err
	}
	where = w.Data
	if w.DatabaseURL != "" {
		where += " and the Postgres database"
	} else if err := private(address); err != nil {
		return nil, where, fmt.Errorf("make the database: %w", err)
	}
	st, err = store.Open(ctx, store.Config{Address: address, Clock: time.Now, Logger: log, Vault: v})
	return st, where, err
}

// private makes a file that only we can read, whatever folder it is in. SQLite
// gives its other files the same mode. One that is there stays as it is.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// parts are the leaves that the desk works with.
type parts struct {
	blobs   *blob.Store
	engine  *seal.Engine
	given   seal.Identity // the operator's identity, when there is one
	client  *webhook.Client
	mailer  desk.Mailer
	catcher *mail.Catcher // nil when mail goes out for real
	key     []byte

	givenFrom string // where it is from, for people
}

func (c *serveCmd) openParts(ctx context.Context, in *instance) (p parts, err error) {
	if p.key, err = c.secret(); err != nil {
		return p, err
	}
	if p.given, p.givenFrom, err = c.identity(in.log); err != nil {
		return p, err
	}
	if err = c.openMail(in.log, &p); err != nil {
		return p, err
	}
	if p.blobs, err = c.openBlobs(ctx); err != nil {
		return p, err
	}
	in.atClose(p.blobs.Close)
	p.engine, err = seal.NewEngine(seal.Config{CacheDir: filepath.Join(c.Data, "cache"), Instances: 2, MaxBytes: int(c.MaxUpload << 20), Logger: in.log})
	if err != nil {
		return p, err
	}
	in.atClose(p.engine.Close)
	p.engine.Start()
	p.client, err = webhook.NewClient(webhook.ClientConfig{UserAgent: "Paraph/" + version, Allow: c.WebhookAllowNet})
	if err != nil {
		return p, err
	}
	in.atClose(func() error { p.client.Close(); return nil })
	return p, nil
}

func (p parts) config(c *serveCmd, in *instance) desk.Config {
	return desk.Config{
		Store: in.store, Blobs: p.blobs, Engine: p.engine, Identity: p.given, IdentityFrom: p.givenFrom, Client: p.client, Mailer: p.mailer, Log: in.log,
		Links: desk.Links{Base: c.BaseURL, Key: p.key}, MaxSize: c.MaxUpload << 20, Instance: c.Name,
		Retention: time.Duration(c.Retention),
		Trusted:   func(certs []*x509.Certificate) error { return seal.WriteTrust(c.Data, certs) },
	}
}

func (c *serveCmd) openBlobs(ctx context.Context) (*blob.Store, error) {
	address := c.BlobURL
	if address == "" {
		dir, err := filepath.Abs(filepath.Join(c.Data, "blobs"))
		if err != nil {
			return nil, err
		}
		address = "file://" + filepath.ToSlash(dir)
	}
	b, err := blob.Open(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("open the store of documents: %w", err)
	}
	return b, nil
}

// noMail refuses every message; see serveCmd.SMTPURL.
type noMail struct{}

func (noMail) Send(context.Context, mail.Message) error {
	return errors.New("no mail server is set; start with --smtp-url")
}

func (c *serveCmd) openMail(log *slog.Logger, p *parts) (err error) {
	switch {
	case c.SMTPURL != "":
		p.mailer, err = mail.NewSMTP(mail.Config{URL: c.SMTPURL, From: mail.Address{Name: c.Name, Email: c.MailFrom}})
		return err
	case c.Dev:
		p.catcher = mail.NewCatcher(time.Now)
		p.mailer = p.catcher
	default:
		log.Warn("no mail goes out: start with --smtp-url; signing links can be copied from an envelope's page")
		p.mailer = noMail{}
	}
	return nil
}

// secret is the key that signs links to files and encrypts the secrets of
// webhooks: given, or made once and kept.
// Two starts at the same time agree, because the file is made by linking it
// into place, which only the first can.
func (c *serveCmd) secret() ([]byte, error) {
	if c.SecretKey != "" {
		return hex.DecodeString(c.SecretKey)
	}
	path := filepath.Join(c.Data, "secret.key")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeSecret(path); err != nil {
			return nil, fmt.Errorf("make the secret key: %w", err)
		}
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret key: %w", err)
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, fmt.Errorf("%s does not hold 64 hex digits; restore it from a backup (how to go on without one is in docs/operating.md)", path)
	}
	return key, nil
}

func makeSecret(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), "secret-*.tmp")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // linked by then
	key := make([]byte, 32)
	rand.Read(key)
	_, werr := f.WriteString(hex.EncodeToString(key) + "\n")
	if err := errors.Join(werr, f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// vault encrypts with the secret key, and reads what earlier keys encrypted.
func (c *serveCmd) vault() (*vault.Vault, error) {
	key, err := c.secret()
	if err != nil {
		return nil, err
	}
	cfg := vault.Config{Key: key}
	for _, text := range c.PreviousSecretKey {
		previous, err := hex.DecodeString(text)
		if err != nil {
			return nil, errors.New("--previous-secret-key is 64 hex digits")
		}
		cfg.Previous = append(cfg.Previous, previous)
	}
	return vault.New(cfg)
}

// handler puts the pages, the API and the operator's two addresses together.
func (c *serveCmd) handler(in *instance, p parts, m *meter) (http.Handler, error) {
	files, err := assets.New(assets.Config{Files: dist.Files})
	if err != nil {
		return nil, err
	}
	pages, err := web.New(web.Config{
		Desk: in.desk, Store: in.store, Assets: files, Log: in.log, BaseURL: c.BaseURL, MaxSize: c.MaxUpload << 20,
		TrustProxy: c.TrustProxy, Catcher: p.catcher,
	})
	if err != nil {
		return nil, err
	}
	rest, err := api.New(api.Config{
		Desk: in.desk, Store: in.store, Log: in.log, Version: version, MaxSize: c.MaxUpload << 20,
		ClientIP: func(r *http.Request) string { return web.ClientIP(r, c.TrustProxy) },
	})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.Handle("/api/", rest)
	mux.Handle("/docs/api", rest)
	mux.Handle("/docs/", rest)
	if c.MetricsListen == "" {
		mux.Handle("GET /metrics", m.handler())
	}
	mux.HandleFunc("GET /healthz", in.health)
	return m.measure(recovered(in.log, mux)), nil
}

// health answers as the database does.
func (in *instance) health(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := in.store.Ping(ctx); err != nil {
		in.log.Error("health", "error", err)
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	fmt.Fprintln(w, "ok")
}

// recovered turns a handler's panic into a 500 and a line in the log.
func recovered(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			if p == http.ErrAbortHandler {
				panic(p)
			}
			log.Error("a handler panicked", "method", r.Method, "route", r.Pattern, "panic", p)
			http.Error(w, "Something broke on our side. It was written to the log.", http.StatusInternalServerError)
		}()
		next.ServeHTTP(w, r)
	})
}
