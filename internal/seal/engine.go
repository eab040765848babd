package seal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Config is what an Engine needs. The zero value works, without a compilation cache.
type Config struct {
	CacheDir  string        // where the compiled WebAssembly is kept; empty compiles anew each start (5 s, 270 MB)
	Instances int           // documents worked on at a time; default 2
	Deadline  time.Duration // per operation, not counting the wait for an instance; default 30 s
	MaxBytes  int           // largest file accepted; default 100 MiB
	MaxPages  int           // most pages accepted; default 5000
	Logger    *slog.Logger  // default slog.Default()
}

// Engine works on PDFs with PDFium, compiled to WebAssembly. It is safe for concurrent use: each operation
// has an instance of its own, so that a file that crashes or hangs PDFium harms nobody else.
//
// WebAssembly that can be interrupted runs four times slower (measured), so there are two lanes. The guarded one
// can be stopped at the deadline; in it every file is opened for the first time and all its pages are read
// (Prepare), and whatever looks at content runs in it (Inspect, RenderPage, PageText). The fast one writes: it
// reads pages that Prepare has read. Should it pass the deadline all the same, its caller gets the error in time and
// the instance is left to itself and thrown away when it ends.
type Engine struct {
	cfg   Config
	log   *slog.Logger
	fonts *fontBook
	slots chan struct{} // one token per document being worked on

	guarded, fast *lane
	started       chan struct{} // closed when nothing is done in the background any more
}

// NewEngine returns at once and compiles in the background; the first operations wait for that.
func NewEngine(cfg Config) (*Engine, error) {
	if cfg.Instances < 0 || cfg.Deadline < 0 || cfg.MaxBytes < 0 || cfg.MaxPages < 0 {
		return nil, errors.New("new PDF engine: instances, deadline and limits can't be negative")
	}
	cfg = withDefaults(cfg)
	fonts, err := newFontBook(cfg.CacheDir, cfg.Logger)
	if err != nil {
		return nil, fmt.Errorf("new PDF engine: %w", err)
	}
	e := &Engine{
		cfg: cfg, log: cfg.Logger, fonts: fonts, slots: make(chan struct{}, cfg.Instances),
		guarded: newLane(true), fast: newLane(false), started: make(chan struct{}),
	}
	go func() {
		defer close(e.started)
		e.guarded.start(cfg)
		e.fast.start(cfg)
		fonts.warm()
	}()
	return e, nil
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

// Warm waits until the engine is ready and has instances standing by.
func (e *Engine) Warm(ctx context.Context) error {
	nothing := func(*session) error { return nil }
	if err := e.with(ctx, e.guarded, nothing); err != nil {
		return err
	}
	return e.with(ctx, e.fast, nothing)
}

// Close ends the engine. Operations that are running fail. What NewEngine began in the background is waited for, so that
// nothing is written to the cache afterwards.
func (e *Engine) Close() error {
	<-e.started
	return errors.Join(e.guarded.close(), e.fast.close())
}

// with runs work on an instance of its own, within the deadline.
func (e *Engine) with(ctx context.Context, l *lane, work func(*session) error) error {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	in, err := l.acquire(ctx)
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
			l.release(in)
		}
		done <- err
	}()
	select {
	case err = <-done:
	case <-limited.Done():
		return e.giveUp(ctx, limited, l, in)
	}
	if isCrash(err) {
		return refuse(KindTooComplex, "This file made the PDF engine stop. It is damaged, or too big to process.", fmt.Errorf("%w: %w", ErrCrashed, err))
	}
	return err
}

func (e *Engine) giveUp(ctx, limited context.Context, l *lane, in *instance) error {
	if l.interruptible {
		in.discard()
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	e.log.Warn("the PDF engine was stopped at its deadline", "deadline", e.cfg.Deadline, "interrupted", l.interruptible)
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
