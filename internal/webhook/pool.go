package webhook

import (
	"errors"
	"net/url"
	"sync"
	"time"
)

const (
	maxIdle        = 1024 // connections kept in all
	maxIdlePerHost = 128
	idleTimeout    = 60 * time.Second
	// maxConnAge is how long a name's addresses are believed: after it a connection, however busy, is made anew, and so is the check.
	maxConnAge = 2 * time.Minute
)

// errStale: a kept connection was closed by the receiver before it answered.
var errStale = errors.New("the kept connection was dead")

func poolKey(u *url.URL) string { return u.Scheme + "://" + u.Host }

// pool keeps connections between exchanges, the latest used first.
type pool struct {
	clock func() time.Time

	mu     sync.Mutex
	idle   map[string][]idleConn
	count  int
	closed bool
	timer  *time.Timer // runs while connections are kept
}

type idleConn struct {
	*conn
	since time.Time
}

func newPool(clock func() time.Time) *pool { return &pool{clock: clock, idle: map[string][]idleConn{}} }

// get returns a connection that is fresh enough and that the receiver has neither closed nor written to, or nil.
func (p *pool) get(key string) *conn {
	for {
		c, ok := p.pop(key)
		if !ok {
			return nil
		}
		if p.fresh(c) && isQuiet(c.tcp) {
			return c.conn
		}
		c.Close()
	}
}

func (p *pool) pop(key string) (idleConn, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[key]
	if len(list) == 0 {
		return idleConn{}, false
	}
	last := list[len(list)-1]
	p.keep(key, list[:len(list)-1])
	p.count--
	return last, true
}

// keep stores a shorter list; a host without connections leaves nothing behind.
func (p *pool) keep(key string, list []idleConn) {
	if len(list) == 0 {
		delete(p.idle, key)
		return
	}
	p.idle[key] = list
}

func (p *pool) fresh(c idleConn) bool {
	now := p.clock()
	return now.Sub(c.born) < maxConnAge && now.Sub(c.since) < idleTimeout
}

func (p *pool) put(c *conn) {
	if !p.add(c) {
		c.Close()
	}
}

func (p *pool) add(c *conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.idle[c.key]
	if p.closed || p.count >= maxIdle || len(list) >= maxIdlePerHost {
		return false
	}
	p.idle[c.key] = append(list, idleConn{c, p.clock()})
	p.count++
	if p.timer == nil {
		p.timer = time.AfterFunc(idleTimeout, p.sweep)
	}
	return true
}

// sweep closes what has been idle too long, and comes again while anything is left.
func (p *pool) sweep() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, list := range p.idle {
		var left []idleConn
		for _, c := range list {
			if p.fresh(c) {
				left = append(left, c)
				continue
			}
			c.Close()
			p.count--
		}
		p.keep(key, left)
	}
	p.timer = nil
	if p.count > 0 && !p.closed {
		p.timer = time.AfterFunc(idleTimeout/2, p.sweep)
	}
}

// close drops all connections and takes no more.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	if p.timer != nil {
		p.timer.Stop()
	}
	for key, list := range p.idle {
		for _, c := range list {
			c.Close()
		}
		delete(p.idle, key)
	}
	p.count = 0
}
