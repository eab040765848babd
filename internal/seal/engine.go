package seal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
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

// memoryPages limits what one instance may hold: 3200 pages of 64 KiB are 200 MiB.
const memoryPages = 3200

// usesPerInstance is how many documents an instance serves before a fresh one takes its place, so that memory
// that PDFium's allocator holds on to is given back.
const usesPerInstance = 64

// Engine works on PDFs with PDFium, compiled to WebAssembly. It is safe for concurrent use: each operation
// has an instance of its own, so that a file that crashes or hangs PDFium harms nobody else.
type Engine struct {
	cfg   Config
	log   *slog.Logger
	fonts *fontBook

	ready chan struct{} // closed when pool or err is set
	pool  pdfium.Pool
	err   error

	slots chan struct{} // one token per allowed instance
	mu    sync.Mutex
	idle  []*instance
	done  bool
}

type instance struct {
	pdfium pdfium.Pdfium
	uses   int
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
	e := &Engine{cfg: cfg, log: cfg.Logger, fonts: fonts, ready: make(chan struct{}), slots: make(chan struct{}, cfg.Instances)}
	go e.start()
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

func (e *Engine) start() {
	defer close(e.ready)
	begin := time.Now()
	runtime := wazero.NewRuntimeConfig().WithCloseOnContextDone(true).WithMemoryLimitPages(memoryPages)
	if e.cfg.CacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(e.cfg.CacheDir)
		if err != nil {
			e.log.Warn("PDF engine: no compilation cache, starting will be slow", "dir", e.cfg.CacheDir, "err", err)
		} else {
			runtime = runtime.WithCompilationCache(cache)
		}
	}
	e.pool, e.err = webassembly.Init(webassembly.Config{
		MaxIdle:       e.cfg.Instances,
		MaxTotal:      -1, // slots is the limit; a killed instance must not block its successor
		ReuseWorkers:  false,
		FSConfig:      wazero.NewFSConfig(), // no file system inside
		RuntimeConfig: runtime,
		Stdout:        io.Discard,
		Stderr:        io.Discard,
	})
	if e.err != nil {
		e.err = fmt.Errorf("start PDF engine: %w", e.err)
		e.log.Error("PDF engine did not start", "err", e.err)
		return
	}
	e.log.Debug("PDF engine ready", "took", time.Since(begin))
}

// Warm waits until the engine is ready and has one instance standing by.
func (e *Engine) Warm(ctx context.Context) error {
	return e.with(ctx, func(*session) error { return nil })
}

// Close ends the engine. Operations that are running fail.
func (e *Engine) Close() error {
	<-e.ready
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done {
		return nil
	}
	e.done = true
	e.idle = nil
	if e.pool == nil {
		return nil
	}
	return e.pool.Close()
}

// with runs work on an instance of its own, within the deadline.
func (e *Engine) with(ctx context.Context, work func(*session) error) error {
	in, err := e.acquire(ctx)
	if err != nil {
		return err
	}
	defer func() { <-e.slots }()

	limited, cancel := context.WithTimeoutCause(ctx, e.cfg.Deadline, ErrDeadline)
	defer cancel()
	killed := make(chan struct{})
	stop := context.AfterFunc(limited, func() {
		defer close(killed)
		_ = in.pdfium.Kill()
	})
	err = runOn(in, work)
	if !stop() {
		<-killed
		return e.stopped(ctx, limited)
	}
	if isCrash(err) {
		_ = in.pdfium.Kill()
		return refuse(KindTooComplex, "This file made the PDF engine stop. It is damaged, or too big to process.", fmt.Errorf("%w: %w", ErrCrashed, err))
	}
	e.release(in)
	return err
}

func runOn(in *instance, work func(*session) error) (err error) {
	s := &session{pdfium: in.pdfium}
	defer s.close()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	return work(s)
}

var errPanic = errors.New("panic occurred")

func (e *Engine) stopped(ctx, limited context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return refuse(KindTooComplex, "This file takes too long to process.", context.Cause(limited))
}

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

func (e *Engine) acquire(ctx context.Context) (*instance, error) {
	select {
	case <-e.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if e.err != nil {
		return nil, e.err
	}
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	in, err := e.takeIdle()
	if err == nil && in == nil {
		in, err = e.newInstance(ctx)
	}
	if err != nil {
		<-e.slots
		return nil, err
	}
	in.uses++
	return in, nil
}

func (e *Engine) takeIdle() (*instance, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.done {
		return nil, ErrClosed
	}
	if len(e.idle) == 0 {
		return nil, nil
	}
	in := e.idle[len(e.idle)-1]
	e.idle = e.idle[:len(e.idle)-1]
	return in, nil
}

func (e *Engine) newInstance(ctx context.Context) (*instance, error) {
	p, err := e.pool.GetInstanceWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("new PDF instance: %w", err)
	}
	return &instance{pdfium: p}, nil
}

// release keeps an instance for the next document, or ends it when it has served long enough.
func (e *Engine) release(in *instance) {
	e.mu.Lock()
	keep := !e.done && in.uses < usesPerInstance
	if keep {
		e.idle = append(e.idle, in)
	}
	closed := e.done
	e.mu.Unlock()
	if !keep && !closed {
		_ = in.pdfium.Close()
	}
}
