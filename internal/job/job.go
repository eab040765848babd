// Package job runs leased rows: it claims what is due, works it with a
// heartbeat, finishes it or puts it back with a pause, and stops cleanly. It
// knows nothing of what the work is, and keeps no state that the rows don't
// have.
package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// A Kind is one sort of work.
type Kind struct {
	Name    string
	Workers int // how many at once; 0 means 1
	// Run does the work. nil finishes the job; an error puts it back, unless
	// Stop wraps it. Run must be safe to repeat: a crash after its effect and
	// before the row is closed runs it again.
	Run func(ctx context.Context, j store.Job) error
	// Pause is how long to wait after the n-th failed attempt (from 1); false
	// means to give up.
	Pause func(n int) (time.Duration, bool)
	// GaveUp is told of a job that failed for good, in the transaction that
	// closes it. It may be nil.
	GaveUp func(ctx context.Context, tx *store.Tx, j store.Job, why error) error
}

// Config says what to run. All but Lease are needed.
type Config struct {
	Store *store.Store
	Kinds []Kind
	Log   *slog.Logger
	Lease time.Duration // 0 means 30 s; a claim is renewed three times in it
	Poll  time.Duration // how often to look for other nodes' jobs; 0 means 5 s
}

// Runner runs jobs from Start until Stop.
type Runner struct {
	cfg   Config
	lanes map[string]*lane
	stop  context.CancelFunc
	done  sync.WaitGroup
}

// lane is one kind with its workers.
type lane struct {
	kind Kind
	wake chan struct{}
}

// New makes a runner; nothing runs before Start.
func New(cfg Config) (*Runner, error) {
	if cfg.Store == nil || cfg.Log == nil || len(cfg.Kinds) == 0 {
		return nil, errors.New("job: Store, Log and Kinds are needed")
	}
	if cfg.Lease == 0 {
		cfg.Lease = 30 * time.Second
	}
	if cfg.Poll == 0 {
		cfg.Poll = 5 * time.Second
	}
	r := &Runner{cfg: cfg, lanes: map[string]*lane{}}
	for _, k := range cfg.Kinds {
		if k.Name == "" || k.Run == nil || k.Pause == nil {
			return nil, fmt.Errorf("job: kind %q lacks Run or Pause", k.Name)
		}
		k.Workers = max(k.Workers, 1)
		r.lanes[k.Name] = &lane{kind: k, wake: make(chan struct{}, 1)}
	}
	return r, nil
}

// Wake says that a job of a kind has just been committed. It never blocks.
func (r *Runner) Wake(kind string) {
	if l, ok := r.lanes[kind]; ok {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
}

// Start runs jobs in the background.
func (r *Runner) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.stop = cancel
	for _, l := range r.lanes {
		r.done.Go(func() { r.serve(ctx, l) })
	}
}

// Stop ends what is running and waits for it. A job that was broken off is
// put back, due at once, its attempt not counted.
func (r *Runner) Stop() {
	if r.stop != nil {
		r.stop()
	}
	r.done.Wait()
}

// serve keeps up to Workers jobs of one kind running.
func (r *Runner) serve(ctx context.Context, l *lane) {
	free := make(chan struct{}, l.kind.Workers)
	var running sync.WaitGroup
	defer running.Wait()
	for {
		jobs, err := r.claim(ctx, l.kind, l.kind.Workers-len(free))
		if err != nil && ctx.Err() == nil {
			r.cfg.Log.Error("claim jobs", "kind", l.kind.Name, "error", err)
		}
		for _, j := range jobs {
			free <- struct{}{}
			running.Go(func() {
				r.work(ctx, l.kind, j)
				<-free
				r.Wake(l.kind.Name)
			})
		}
		if len(jobs) > 0 && len(free) < l.kind.Workers {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-l.wake:
		case <-time.After(r.pause(ctx, l.kind.Name)):
		}
	}
}

// pause is how long to sleep when nobody wakes us: until the next job is due,
// at most Poll.
func (r *Runner) pause(ctx context.Context, kind string) time.Duration {
	next, err := r.cfg.Store.JobNext(ctx, kind)
	if err != nil || next.IsZero() {
		return r.cfg.Poll
	}
	return min(max(next.Sub(r.cfg.Store.Now()), time.Millisecond), r.cfg.Poll)
}

func (r *Runner) claim(ctx context.Context, k Kind, n int) (jobs []store.Job, err error) {
	if n <= 0 {
		return nil, nil
	}
	claimID := paraph.NewToken(16)
	err = r.cfg.Store.Claim(ctx, func(tx *store.Tx) error {
		jobs, err = tx.ClaimJobs(ctx, k.Name, claimID, tx.Now().Add(r.cfg.Lease), n)
		return err
	})
	return jobs, err
}

// RunDue works everything that is due now, one after the other, and tells how
// many jobs that were. It is what tests use in the place of Start.
func (r *Runner) RunDue(ctx context.Context) (int, error) {
	n := 0
	for {
		before := n
		for _, k := range r.cfg.Kinds {
			jobs, err := r.claim(ctx, k, 100)
			if err != nil {
				return n, err
			}
			for _, j := range jobs {
				r.work(ctx, k, j)
				n++
			}
		}
		if n == before {
			return n, nil
		}
	}
}

// work runs one claimed job and closes it. If we crash in here, the claim runs
// out and the job is run again by whoever claims it next.
func (r *Runner) work(ctx context.Context, k Kind, j store.Job) {
	work, cancel := context.WithCancel(ctx)
	beat := make(chan struct{})
	go func() {
		defer close(beat)
		r.heartbeat(work, cancel, j)
	}()
	err := run(work, k, j)
	cancel()
	<-beat
	if cerr := r.closeJob(context.WithoutCancel(ctx), k, j, err, ctx.Err() != nil); cerr != nil {
		r.cfg.Log.Error("close job", "kind", k.Name, "job", j.ID, "error", cerr)
	}
}

// run turns a panic into an error, so that one bad document can't end the
// server.
func run(ctx context.Context, k Kind, j store.Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return k.Run(ctx, j)
}

// heartbeat renews the claim while the job runs, and breaks the work off when
// the claim was lost.
func (r *Runner) heartbeat(ctx context.Context, lost context.CancelFunc, j store.Job) {
	t := time.NewTicker(r.cfg.Lease / 3)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		held := true
		err := r.cfg.Store.Claim(ctx, func(tx *store.Tx) (err error) {
			held, err = tx.ExtendJob(ctx, j, tx.Now().Add(r.cfg.Lease))
			return err
		})
		if err != nil && ctx.Err() == nil {
			r.cfg.Log.Warn("renew claim", "kind", j.Kind, "job", j.ID, "error", err)
		}
		if !held {
			lost()
			return
		}
	}
}

// Stop marks an error that no further attempt can mend.
func Stop(err error) error { return &stopped{err} }

type stopped struct{ error }

func (s *stopped) Unwrap() error { return s.error }

func (r *Runner) closeJob(ctx context.Context, k Kind, j store.Job, err error, stopping bool) error {
	return r.cfg.Store.Update(ctx, func(tx *store.Tx) error {
		if err == nil {
			return tx.FinishJob(ctx, j, "done", "")
		}
		if stopping {
			return tx.RetryJob(ctx, j, tx.Now(), "the server stopped", false)
		}
		why := paraph.Shorten(err.Error(), 1000)
		_, final := errors.AsType[*stopped](err)
		pause, again := k.Pause(j.Attempts + 1)
		if again && !final {
			r.cfg.Log.Warn("job failed; will try again", "kind", k.Name, "job", j.ID, "attempt", j.Attempts+1, "in", pause, "error", err)
			return tx.RetryJob(ctx, j, tx.Now().Add(pause), why, true)
		}
		r.cfg.Log.Error("job failed for good", "kind", k.Name, "job", j.ID, "attempt", j.Attempts+1, "error", err)
		if k.GaveUp != nil {
			if err := k.GaveUp(ctx, tx, j, err); err != nil {
				return err
			}
		}
		return tx.FinishJob(ctx, j, "failed", why)
	})
}

// Doubling is a Pause that begins with first, doubles up to most, and gives
// up when the attempts have lasted for total (0: never).
func Doubling(first, most, total time.Duration) func(n int) (time.Duration, bool) {
	return func(n int) (time.Duration, bool) {
		var spent time.Duration
		wait := first
		for i := 1; i < n; i++ {
			spent += wait
			wait = min(wait*2, most)
			if total > 0 && spent+wait > total {
				return 0, false
			}
		}
		return wait, total == 0 || spent+wait <= total
	}
}
