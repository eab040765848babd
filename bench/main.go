// Command bench measures what Paraph promises to be fast at, each beside a
// baseline of the same run, prints a table and writes bench/results.json.
//
// Figures that are a share or a ratio can be compared between machines; times
// in milliseconds and documents a second belong to the machine that they were
// measured on, and no test depends on them.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/paraph-sign/paraph/internal/blob"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/vault"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// results is what bench/results.json holds. The figures at its top are of
// SQLite.
type results struct {
	DeliveriesShareOfBare float64  `json:"deliveries_share_of_bare"`
	DeliveriesWorkShare   float64  `json:"deliveries_share_of_bare_by_processor_time"`
	DeliveriesPerSecond   float64  `json:"deliveries_per_second"`
	BarePerSecond         float64  `json:"bare_per_second"`
	LatencyP50            float64  `json:"latency_p50_ms"`
	LatencyP99            float64  `json:"latency_p99_ms"`
	SealedPerSecond       float64  `json:"sealed_per_second"`
	Postgres              *results `json:"postgres,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	profile := flag.String("cpuprofile", "", "write a CPU profile of the deliveries to this file")
	only := flag.String("only", "", "measure \"webhooks\" or \"sealing\" alone, and write no results.json")
	flag.Parse()
	stop, err := profiling(*profile)
	if err != nil {
		return err
	}
	defer stop()
	dir, err := os.MkdirTemp("", "paraph-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder of temporary files
	var all results
	if *only != "sealing" {
		if all, err = webhooks(dir); err != nil {
			return err
		}
	}
	if *only != "webhooks" {
		if all.SealedPerSecond, err = sealing(dir); err != nil {
			return fmt.Errorf("sealing: %w", err)
		}
	}
	all.print()
	if *only != "" {
		return nil
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile("bench/results.json", append(b, '\n'), 0o644)
}

// webhooks measures deliveries on SQLite, and on Postgres when there is one.
func webhooks(dir string) (all results, err error) {
	if all, err = measure(dir, filepath.Join(dir, "paraph.db")); err != nil {
		return all, fmt.Errorf("sqlite: %w", err)
	}
	if address := os.Getenv("PARAPH_TEST_POSTGRES"); address != "" {
		pg, err := measure(dir, address)
		if err != nil {
			return all, fmt.Errorf("postgres: %w", err)
		}
		all.Postgres = &pg
	}
	return all, nil
}

// profiling records where the time goes until stop, when there is a file to
// write it to.
func profiling(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(file)
	if err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a tool's output; a full disk shows when it is read
	}, pprof.StartCPUProfile(f)
}

func (r results) print() {
	row := func(name string, sqlite float64, postgres func(results) float64, unit string) {
		second := "-"
		if r.Postgres != nil {
			second = fmt.Sprintf("%.2f", postgres(*r.Postgres))
		}
		fmt.Printf("%-44s %12.2f %12s  %s\n", name, sqlite, second, unit)
	}
	fmt.Printf("%-44s %12s %12s\n", "", "SQLite", "Postgres")
	row("deliveries, share of a bare loop of POSTs", r.DeliveriesShareOfBare, func(r results) float64 { return r.DeliveriesShareOfBare }, "")
	row("the same by processor time", r.DeliveriesWorkShare, func(r results) float64 { return r.DeliveriesWorkShare }, "")
	row("deliveries", r.DeliveriesPerSecond, func(r results) float64 { return r.DeliveriesPerSecond }, "a second")
	row("bare loop", r.BarePerSecond, func(r results) float64 { return r.BarePerSecond }, "a second")
	row("commit to received POST, median", r.LatencyP50, func(r results) float64 { return r.LatencyP50 }, "ms")
	row("commit to received POST, 99 of 100", r.LatencyP99, func(r results) float64 { return r.LatencyP99 }, "ms")
	fmt.Printf("%-44s %12.2f %12s  %s\n", "sealed contracts of three pages", r.SealedPerSecond, "", "a second")
}

// bed is an instance without pages, and a receiver of its webhooks.
type bed struct {
	store    *store.Store
	desk     *desk.Desk
	client   *webhook.Client
	receiver *receiver
	who      desk.Who
	engine   *seal.Engine
	contract []byte // three pages
	closers  []func()
}

// contractPath is the demo's, from the top folder, where results are written
// too.
const contractPath = "cmd/paraph/sample/contract.pdf"

func (b *bed) close() {
	for i := len(b.closers) - 1; i >= 0; i-- {
		b.closers[i]()
	}
}

func newBed(dir, address string) (*bed, error) {
	ctx, quiet := context.Background(), slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	contract, err := os.ReadFile(contractPath)
	if err != nil {
		return nil, err
	}
	b := &bed{receiver: newReceiver(), contract: contract}
	b.closers = append(b.closers, b.receiver.close)
	v, err := vault.New(vault.Config{Key: make([]byte, vault.KeySize)})
	if err != nil {
		return nil, err
	}
	if b.store, err = store.Open(ctx, store.Config{Address: address, Clock: time.Now, Logger: quiet, Vault: v}); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, func() { _ = b.store.Close() })
	blobs, err := blob.Open(ctx, "file://"+filepath.Join(dir, "blobs"))
	if err != nil {
		return nil, err
	}
	if b.engine, err = seal.NewEngine(seal.Config{CacheDir: filepath.Join(dir, "cache"), Logger: quiet}); err != nil {
		return nil, err
	}
	b.closers = append(b.closers, func() { _ = b.engine.Close() })
	if err := b.engine.Warm(ctx); err != nil { // its compiling would go on beside what is measured
		return nil, err
	}
	identity, err := seal.LoadOrCreateIdentity(dir, "Bench", time.Now())
	if err != nil {
		return nil, err
	}
	b.client, err = webhook.NewClient(webhook.ClientConfig{UserAgent: "Paraph/bench", Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		return nil, err
	}
	b.closers = append(b.closers, b.client.Close)
	b.desk, err = desk.New(desk.Config{
		Store: b.store, Blobs: blobs, Engine: b.engine, Identity: identity, Client: b.client, Mailer: mail.NewCatcher(time.Now),
		Links: desk.Links{Base: "http://localhost:3000", Key: make([]byte, 32)}, Log: quiet, MaxSize: 100 << 20, Instance: "Bench",
	})
	if err != nil {
		return nil, err
	}
	u, err := b.desk.SignUp(ctx, desk.NewUser{Email: "bench@example.com", Name: "Bench", Password: "a long enough one"}, true)
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

// dispatch runs a dispatcher until the returned function is called.
func (b *bed) dispatch() (stop func(), err error) {
	d, err := webhook.NewDispatcher(webhook.DispatcherConfig{Queue: b.desk.Queue(), Client: b.client, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	b.desk.WakeLanes(d.Wake)
	d.Start()
	return d.Stop, nil
}

func measure(dir, address string) (r results, err error) {
	b, err := newBed(dir, address)
	if err != nil {
		return r, err
	}
	defer b.close()
	if err := deliveries(b, &r); err != nil {
		return r, err
	}
	return r, latency(b, &r)
}
