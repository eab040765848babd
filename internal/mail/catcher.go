package mail

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// What a Catcher holds at most.
const (
	caughtMessages = 200
	caughtBytes    = 64 << 20
)

// A Catcher keeps the latest messages in memory and sends none: the mail of development. It is safe for concurrent use.
type Catcher struct {
	now func() time.Time

	mu     sync.Mutex
	caught []Caught      // oldest first
	last   int64         // the latest ID given
	bytes  int           // of all caught
	news   chan struct{} // closed at the next message
}

// Caught is a message that would have been sent.
type Caught struct {
	ID int64 // from 1, in order
	At time.Time
	Message
}

// NewCatcher makes an empty Catcher that tells the time by now.
func NewCatcher(now func() time.Time) *Catcher {
	return &Catcher{now: now, news: make(chan struct{})}
}

// Send keeps the message, and drops the oldest when there are too many. It refuses what an SMTP would refuse unsent.
func (c *Catcher) Send(_ context.Context, m Message) error {
	if _, _, err := build(Address{Email: "catcher@localhost"}, m); err != nil {
		return fmt.Errorf("catch mail %s: %w", m.ID, &refusal{err})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	c.caught = append(c.caught, Caught{ID: c.last, At: c.now(), Message: m})
	c.bytes += weight(m)
	for len(c.caught) > caughtMessages || c.bytes > caughtBytes && len(c.caught) > 1 {
		c.bytes -= weight(c.caught[0].Message)
		c.caught = slices.Delete(c.caught, 0, 1)
	}
	close(c.news)
	c.news = make(chan struct{})
	return nil
}

func weight(m Message) int {
	n := len(m.Text) + len(m.HTML)
	for _, a := range m.Attachments {
		n += len(a.Data)
	}
	return n
}

// List returns what is kept, newest first.
func (c *Catcher) List() []Caught {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := slices.Clone(c.caught)
	slices.Reverse(list)
	return list
}

// Get returns one message, if it is still kept.
func (c *Catcher) Get(id int64) (Caught, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.caught, func(m Caught) bool { return m.ID == id })
	if i < 0 {
		return Caught{}, false
	}
	return c.caught[i], true
}

// Next returns the oldest message after an ID and waits for it if need be; 0 asks for the first. It fails when ctx ends.
func (c *Catcher) Next(ctx context.Context, after int64) (Caught, error) {
	for {
		c.mu.Lock()
		i := slices.IndexFunc(c.caught, func(m Caught) bool { return m.ID > after })
		if i >= 0 {
			defer c.mu.Unlock()
			return c.caught[i], nil
		}
		news := c.news
		c.mu.Unlock()
		select {
		case <-news:
		case <-ctx.Done():
			return Caught{}, fmt.Errorf("wait for a mail after %d: %w", after, ctx.Err())
		}
	}
}
