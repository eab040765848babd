package seal

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
)

// memoryPages limits what one instance may hold: 3200 pages of 64 KiB are 200 MiB.
const memoryPages = 3200

// usesPerInstance is how many documents an instance serves before a fresh one takes its place, so that memory
// that PDFium's allocator holds on to is given back.
const usesPerInstance = 64

// lane is PDFium, compiled so that it can be stopped, with the instances that stand by.
type lane struct {
	ready chan struct{} // closed when pool or err is set
	pool  pdfium.Pool
	err   error

	mu     sync.Mutex
	idle   []*instance
	closed bool
}

// instance is one PDFium with memory of its own. Only one operation at a time has it.
type instance struct {
	pdfium pdfium.Pdfium
	uses   int
	end    sync.Once
}

func newLane() *lane { return &lane{ready: make(chan struct{})} }

func (l *lane) start(cfg Config) {
	defer close(l.ready)
	begin := time.Now()
	l.pool, l.err = webassembly.Init(webassembly.Config{
		MaxIdle:       cfg.Instances,
		MaxTotal:      -1,                   // the engine's slots are the limit; an instance that is given up must not block its successor
		FSConfig:      wazero.NewFSConfig(), // no file system inside
		RuntimeConfig: l.runtime(cfg),
		Stdout:        io.Discard,
		Stderr:        io.Discard,
	})
	if l.err != nil {
		l.err = fmt.Errorf("start PDF engine: %w", l.err)
		cfg.Logger.Error("the PDF engine did not start", "err", l.err)
		return
	}
	cfg.Logger.Debug("PDF engine ready", slog.Duration("took", time.Since(begin)))
}

func (l *lane) runtime(cfg Config) wazero.RuntimeConfig {
	runtime := wazero.NewRuntimeConfig().WithCloseOnContextDone(true).WithMemoryLimitPages(memoryPages)
	if cfg.CacheDir == "" {
		return runtime
	}
	cache, err := wazero.NewCompilationCacheWithDir(cfg.CacheDir)
	if err != nil {
		cfg.Logger.Warn("PDF engine without a compilation cache, so starting is slow", "dir", cfg.CacheDir, "err", err)
		return runtime
	}
	return runtime.WithCompilationCache(cache)
}

// acquire gives an instance that nobody else has.
func (l *lane) acquire(ctx context.Context) (*instance, error) {
	select {
	case <-l.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if l.err != nil {
		return nil, l.err
	}
	if in, err := l.takeIdle(); in != nil || err != nil {
		return in, err
	}
	p, err := l.pool.GetInstanceWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("new PDF instance: %w", err)
	}
	return &instance{pdfium: p}, nil
}

func (l *lane) takeIdle() (*instance, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, ErrClosed
	}
	n := len(l.idle)
	if n == 0 {
		return nil, nil
	}
	in := l.idle[n-1]
	l.idle = l.idle[:n-1]
	return in, nil
}

// release keeps an instance for the next document, or ends it when it has served long enough.
func (l *lane) release(in *instance) {
	in.uses++
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed || in.uses >= usesPerInstance {
		in.discard()
		return
	}
	l.idle = append(l.idle, in)
}

// discard ends an instance, once, which stops what it is doing.
func (in *instance) discard() {
	in.end.Do(func() { _ = in.pdfium.Kill() })
}

func (l *lane) close() error {
	<-l.ready
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	l.idle = nil
	if l.pool == nil {
		return nil
	}
	return l.pool.Close()
}
