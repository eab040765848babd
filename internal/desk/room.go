package desk

import (
	"io"
	"sync"

	"github.com/paraph-sign/paraph"
)

// Room bounds how many bytes of requests lie in memory at once, whoever sends
// them and however slowly: room is taken as bytes arrive. It is safe for
// concurrent use.
type Room struct {
	mu   sync.Mutex
	left int64
}

// NewRoom makes room for so many bytes.
func NewRoom(bytes int64) *Room { return &Room{left: bytes} }

// errNoRoom is for a request that may be tried again.
var errNoRoom = paraph.Errorf(paraph.TooMany, "The server is taken up with other files just now; try again in a minute.")

func (m *Room) take(n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left < n {
		return false
	}
	m.left -= n
	return true
}

func (m *Room) give(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left += n
}

// Guest holds room for one request.
type Guest struct {
	room *Room
	mu   sync.Mutex
	held int64
}

// Guest lets a request in; Leave is to be called when it has been answered.
func (m *Room) Guest() *Guest { return &Guest{room: m} }

// Leave gives back what the request held.
func (g *Guest) Leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.room.give(g.held)
	g.held = 0
}

// Reader reads r and takes room for each byte. When there is none left, its
// error is TooMany, and what the request held is free for others.
func (g *Guest) Reader(r io.Reader) io.Reader { return guestReader{g, r} }

type guestReader struct {
	g *Guest
	r io.Reader
}

func (r guestReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if n > 0 && !r.g.room.take(int64(n)) {
		r.g.Leave() // or many that came at once would all be refused
		return 0, errNoRoom
	}
	r.g.mu.Lock()
	r.g.held += int64(n)
	r.g.mu.Unlock()
	return n, err
}
