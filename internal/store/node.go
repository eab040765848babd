package store

import (
	"context"
	"fmt"
	"time"
)

// JoinNode writes down a process that sends webhooks. It counts as alive until
// its lease runs out, or rather until somebody notices that and buries it.
func (tx *Tx) JoinNode(ctx context.Context, id string, lease time.Duration) error {
	tx.announce(announceJoin)
	_, err := tx.exec(ctx, "INSERT INTO nodes (name, joined_at, lease_until) VALUES ($1, $2, $3)", id, micros(tx.now), micros(tx.now.Add(lease)))
	return err
}

// RenewNode lets a node's lease run anew, and all its lanes with it. alive is
// false when it was buried meanwhile: then it holds nothing any more. A lease
// that ran out and was noticed by nobody is renewed like any other.
func (tx *Tx) RenewNode(ctx context.Context, id string, lease time.Duration) (alive bool, err error) {
	n, err := tx.exec(ctx, "UPDATE nodes SET lease_until = $1 WHERE name = $2", micros(tx.now.Add(lease)), id)
	if err != nil {
		return false, err
	}
	others, err := all(ctx, tx.q, scanInt, "SELECT 1 FROM nodes WHERE name <> $1 LIMIT 1", id)
	if err == nil {
		tx.After(func() { tx.company.set(len(others) > 0) })
	}
	return n == 1, err
}

// Lapsed reports whether some node's lease has run out.
func (s *Store) Lapsed(ctx context.Context) (bool, error) {
	ids, err := all(ctx, s.q, scanInt, "SELECT 1 FROM nodes WHERE lease_until <= $1 LIMIT 1", micros(s.Now()))
	return len(ids) > 0, err
}

// BuryNodes removes the nodes whose leases have run out and answers the
// endpoints whose lanes are free by that. Whoever renews its lease at the same
// moment is either alive or learns that it is not.
func (tx *Tx) BuryNodes(ctx context.Context) ([]int64, error) {
	if _, err := tx.exec(ctx, "DELETE FROM nodes WHERE lease_until <= $1", micros(tx.now)); err != nil {
		return nil, fmt.Errorf("bury nodes: %w", err)
	}
	dead, err := all(ctx, tx.q, func(scan func(...any) error) (id string, err error) { err = scan(&id); return id, err },
		"SELECT DISTINCT node_id FROM lanes WHERE node_id <> '' AND NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.name = lanes.node_id) LIMIT 100")
	if err != nil || len(dead) == 0 {
		return nil, err
	}
	var a args
	freed, err := all(ctx, tx.q, scanInt, "UPDATE lanes SET node_id = '', next_at = "+a.add(micros(tx.now))+
		" WHERE node_id <> '' AND node_id IN ("+list(&a, dead)+") RETURNING endpoint_id", a...)
	if err != nil {
		return nil, fmt.Errorf("free the lanes of %d dead nodes: %w", len(dead), err)
	}
	tx.Announce(freed...)
	return freed, nil
}

// LeaveNode frees all that a node holds and removes it. Other nodes are told
// of what has something to do.
func (tx *Tx) LeaveNode(ctx context.Context, id string, frees []FreeLane) error {
	due, err := tx.FreeLanes(ctx, id, frees)
	if err != nil {
		return err
	}
	rest, err := all(ctx, tx.q, scanInt, "UPDATE lanes SET node_id = '', next_at = $1 WHERE node_id = $2 AND node_id <> '' RETURNING endpoint_id", micros(tx.now), id)
	if err != nil {
		return fmt.Errorf("free the lanes of node %s: %w", id, err)
	}
	tx.Announce(append(due, rest...)...)
	_, err = tx.exec(ctx, "DELETE FROM nodes WHERE name = $1", id)
	return err
}
