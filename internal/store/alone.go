package store

import (
	"context"
	"fmt"
)

// A process that is killed leaves its node and its lanes behind, and others
// wait for the lease to run out. Over a file there is a shorter way: whoever
// has it open holds a lock of the kernel's on a file beside it, which ends with
// the process however that ends. Who gets that lock for itself is alone, and
// what nodes are written down are dead.

// beside names the file of that lock.
const beside = "-open"

// attend takes the lock, shared with all others, for as long as the store is
// open. When there are no others it first ends the leases that dead processes
// left. Where locks can't be had leases run out by themselves.
func (s *Store) attend(ctx context.Context) error {
	if s.d.writers == 0 {
		return nil
	}
	lock, alone, err := lockBeside(s.address + beside)
	if err != nil {
		s.log.Debug("tell whether this process is the only one at its database; leases of killed ones run out by themselves", "error", err)
		return nil
	}
	s.lock = lock
	if alone {
		if err := s.Claim(ctx, func(tx *Tx) error { return tx.forgetNodes(ctx) }); err != nil {
			return fmt.Errorf("end the leases of dead processes: %w", err)
		}
	}
	return lock.share()
}

// forgetNodes ends all leases and frees all lanes.
func (tx *Tx) forgetNodes(ctx context.Context) error {
	if _, err := tx.exec(ctx, "DELETE FROM nodes"); err != nil {
		return err
	}
	_, err := tx.exec(ctx, "UPDATE lanes SET node_id = '', next_at = $1 WHERE node_id <> ''", micros(tx.now))
	return err
}

// openLock is a lock that ends with the process.
type openLock interface {
	share() error
	Close() error
}
