package store

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// checkpointEvery is how long what was committed stays in SQLite's log before
// it is moved to the database file. The log is what a commit waits for.
const checkpointEvery = time.Second

// checkpointer moves SQLite's log to the database file in the background. Left
// to itself SQLite does so within a commit, of a thousand pages each time, and
// that one commit takes many times as long as the others.
type checkpointer struct {
	dirty atomic.Bool // something was committed
	end   context.CancelFunc
	done  sync.WaitGroup
}

// startCheckpoints does nothing for an engine without a log of that kind.
func (s *Store) startCheckpoints() {
	ctx, cancel := context.WithCancel(context.Background())
	s.checkpoints.end = cancel
	if s.d.checkpoint != "" {
		s.checkpoints.done.Go(func() { s.checkpointLoop(ctx) })
	}
}

func (s *Store) checkpointLoop(ctx context.Context) {
	t := time.NewTicker(checkpointEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if !s.checkpoints.dirty.Swap(false) {
			continue
		}
		if _, err := s.read.ExecContext(context.WithoutCancel(ctx), s.d.checkpoint); err != nil {
			s.log.Warn("move the log to the database file", "error", err)
		}
	}
}

func (s *Store) stopCheckpoints() {
	s.checkpoints.end()
	s.checkpoints.done.Wait()
}
