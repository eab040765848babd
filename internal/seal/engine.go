package seal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
)

// Config is what an Engine needs. The zero value works, without a compilation cache.
type Config struct {
	CacheDir  string        // where the compiled WebAssembly is kept; empty compiles anew each start (5 s, 270 MB)
	Instances int           // documents worked on at a time, one less of them uploads; default 2
	Deadline  time.Duration // per operation, not counting the wait for an instance; default 30 s
	MaxBytes  int           // largest file accepted; default 100 MiB
	MaxPages  int           // most pages accepted; default 5000
	Logger    *slog.Logger  // default slog.Default()
}

// Engine works on PDFs. Opening, repairing, measuring, rendering and finding text is PDFium's work, compiled to WebAssembly that
// can be interrupted at a deadline: each operation has an instance of its own, so that a file that crashes or hangs PDFium harms
// nobody else. Drawing and sealing need no PDFium. An Engine is safe for concurrent use.
type Engine struct {
	cfg   Config
	log   *slog.Logger
	fonts *fontBook
	trial func() (Identity, error) // see tryOut
	slots chan struct{}            // one token per document that PDFium works on
	doors chan struct{}            // one token per upload among them; see withUpload

	lane    *lane
	begin   sync.Once
	started chan struct{} // closed when nothing is done in the background any more
}

// NewEngine returns at once. PDFium is compiled when it is needed first, or by Start.
func NewEngine(cfg Config) (*Engine, error) {
	if cfg.Instances < 0 || cfg.Deadline < 0 || cfg.MaxBytes < 0 || cfg.MaxPages < 0 {
		return nil, errors.New("new PDF engine: instances, deadline and limits can't be negative")
	}
	cfg = withDefaults(cfg)
	fonts, err := newFontBook(cfg.CacheDir, cfg.Logger)
	if err != nil {
		return nil, fmt.Errorf("new PDF engine: %w", err)
	}
	return &Engine{
		cfg: cfg, log: cfg.Logger, fonts: fonts, trial: sync.OnceValues(trialIdentity), slots: make(chan struct{}, cfg.Instances),
		doors: make(chan struct{}, max(1, cfg.Instances-1)), lane: newLane(), started: make(chan struct{}),
	}, nil
}

// Start compiles PDFium in the background, once, so that the first who needs it need not wait for that.
func (e *Engine) Start() {
	e.begin.Do(func() {
		go func() {
			defer close(e.started)
			e.lane.start(e.cfg)
			e.fonts.warm()
		}()
	})
}

func withDefaults(cfg Config) Config {
	if cfg.Instances == 0 {
		cfg.Instances = 2
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = 30 * time.Second
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 100 << 20
	}
	if cfg.MaxPages == 0 {
		cfg.MaxPages = 5000
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	return cfg
}

// Warm waits until the engine is ready and has an instance standing by.
func (e *Engine) Warm(ctx context.Context) error {
	return e.with(ctx, func(*session) error { return nil })
}

// Close ends the engine. Operations that are running fail. What was begun in the background is waited for, so that nothing is
// written to the cache afterwards.
func (e *Engine) Close() error {
	e.begin.Do(func() { // it was never needed
		e.lane.err = ErrClosed
		close(e.lane.ready)
		close(e.started)
	})
	<-e.started
	return e.lane.close()
}

// withUpload is with for uploads, which may take long. They never have all instances, so that somebody who looks at a page
// does not wait for other people's files.
func (e *Engine) withUpload(ctx context.Context, work func(*session) error) error {
	select {
	case e.doors <- struct{}{}:
		defer func() { <-e.doors }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return e.with(ctx, work)
}

// with runs work on an instance of its own, within the deadline.
func (e *Engine) with(ctx context.Context, work func(*session) error) error {
	e.Start()
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	in, err := e.lane.acquire(ctx)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, e.cfg.Deadline, ErrDeadline)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		err := runOn(&session{pdfium: in.pdfium, maxOutput: 2*e.cfg.MaxBytes + 16<<20, stop: limited.Done()}, work)
		if limited.Err() != nil || isCrash(err) {
			in.discard()
		} else {
			e.lane.release(in)
		}
		done <- err
	}()
	select {
	case err = <-done:
	case <-limited.Done():
		return e.giveUp(ctx, limited, in)
	}
	if isCrash(err) {
		return refuse(KindTooComplex, "This file made the PDF engine stop. It is damaged, or too big to process.", fmt.Errorf("%w: %w", ErrCrashed, err))
	}
	return err
}

func (e *Engine) giveUp(ctx, limited context.Context, in *instance) error {
	in.discard()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	e.log.Warn("the PDF engine was stopped at its deadline", "deadline", e.cfg.Deadline)
	return refuse(KindTooComplex, "This file takes too long to process.", context.Cause(limited))
}

func runOn(s *session, work func(*session) error) (err error) {
	defer s.close()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return work(s)
}

var errPanic = errors.New("panic occurred")

// isCrash tells PDFium saying no from PDFium having stopped working. wazero's traps and the wrapper's
// recovered panics carry no type of their own through go-pdfium, so their texts are looked at.
func isCrash(err error) bool {
	if err == nil {
		return false
	}
	text := err.Error()
	return strings.Contains(text, "wasm error") || strings.Contains(text, "panic occurred") ||
		strings.Contains(text, "module closed") || strings.Contains(text, "wasm stack trace")
}
