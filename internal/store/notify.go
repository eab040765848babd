package store

import (
	"context"
	"log/slog"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paraph-sign/paraph"
)

// What is announced instead of endpoints, whose ids are positive.
const (
	announceAll  = 0  // look at all of them
	announceJoin = -1 // a node joined
)

// maxAnnounced bounds a payload: 64 ids of 19 digits. Postgres' limit is 8000
// bytes.
const maxAnnounced = 64

// company is whether other nodes send from this database. As long as it is not
// known, they do.
type company struct {
	alone atomic.Bool
	name  string // of this process, by which it tells its own announcements
}

func newCompany() *company { return &company{name: paraph.NewToken(16)} }

func (c *company) set(others bool) { c.alone.Store(!others) }

// Announce tells other nodes, once the transaction commits, that an endpoint
// has something to do or was changed. InsertDeliveries and whatever else
// changes a lane do so by themselves.
func (tx *Tx) Announce(endpointIDs ...int64) {
	for _, id := range endpointIDs {
		if id > 0 {
			tx.announce(id)
		}
	}
}

func (tx *Tx) announce(id int64) {
	if tx.announced == nil {
		tx.announced = map[int64]bool{}
	}
	tx.announced[id] = true
}

// tell sends what was announced with the commit. Where nobody hears it,
// nothing is sent: commits that notify wait for each other.
func (tx *Tx) tell(ctx context.Context) error {
	if len(tx.announced) == 0 || tx.d.notify == "" || tx.company.alone.Load() && !tx.announced[announceJoin] {
		return nil
	}
	_, err := tx.exec(ctx, tx.d.notify, payload(tx.company.name, tx.announced))
	return err
}

func payload(from string, announced map[int64]bool) string {
	if len(announced) > maxAnnounced {
		announced = map[int64]bool{announceAll: true, announceJoin: announced[announceJoin]}
	}
	words := []string{from}
	for id, yes := range announced {
		if yes {
			words = append(words, strconv.FormatInt(id, 10))
		}
	}
	return strings.Join(words, " ")
}

// The pauses between tries to hear again, and how long the other side may be
// silent before it is asked whether it is there.
const (
	firstHearing = 100 * time.Millisecond
	lastHearing  = 5 * time.Second
	maxSilence   = 20 * time.Second
)

// Listen calls f with the endpoints that other nodes announce, until ctx ends;
// with none when all have to be looked at, because something may have been
// missed. It has one connection of its own, which it opens again when it
// breaks. Where nodes can't be told of each other it returns at once.
func (s *Store) Listen(ctx context.Context, f func(endpointIDs []int64)) {
	if s.d.notify == "" {
		return
	}
	for pause := firstHearing; ctx.Err() == nil; {
		heard, err := s.hear(ctx, f)
		if ctx.Err() != nil {
			return
		}
		s.company.set(true) // who knows
		if heard {
			pause = firstHearing
		}
		s.log.Warn("hear what other nodes announce; will try again", slog.Duration("in", pause), slog.Any("error", err))
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
		pause = min(2*pause, lastHearing)
	}
}

// hear listens on one connection until it breaks; heard tells whether there
// was one.
func (s *Store) hear(ctx context.Context, f func([]int64)) (heard bool, err error) {
	opening, cancel := context.WithTimeout(ctx, maxSilence)
	defer cancel()
	conn, err := pgx.Connect(opening, s.address)
	if err != nil {
		return false, err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(closing) // it is broken, or no longer needed
	}()
	if _, err := conn.Exec(opening, s.d.listen); err != nil {
		return false, err
	}
	f(nil)
	for {
		if err := s.hearOne(ctx, conn, f); err != nil {
			return true, err
		}
	}
}

// hearOne waits for one announcement, and asks the server whether it is there
// when none comes.
func (s *Store) hearOne(ctx context.Context, conn *pgx.Conn, f func([]int64)) error {
	waiting, cancel := context.WithTimeout(ctx, maxSilence)
	defer cancel()
	n, err := conn.WaitForNotification(waiting)
	switch {
	case err == nil:
		s.heard(n.Payload, f)
		return nil
	case ctx.Err() != nil || waiting.Err() == nil || conn.IsClosed():
		return err
	}
	asking, cancel := context.WithTimeout(ctx, maxSilence)
	defer cancel()
	return conn.Ping(asking)
}

func (s *Store) heard(payload string, f func([]int64)) {
	words := strings.Fields(payload)
	if len(words) == 0 || words[0] == s.company.name {
		return
	}
	var ids []int64
	for _, w := range words[1:] {
		switch id, err := strconv.ParseInt(w, 10, 64); {
		case err != nil || id == announceAll:
			f(nil)
			return
		case id == announceJoin:
			s.company.set(true)
		default:
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		f(ids)
	}
}
