package desk

import (
	"io"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
)

func TestRoom(t *testing.T) {
	t.Parallel()
	room := NewRoom(10)
	read := func(g *Guest, n int) error {
		b, err := io.ReadAll(g.Reader(strings.NewReader(strings.Repeat("x", n))))
		if err == nil && len(b) != n {
			t.Errorf("%d bytes came, want %d", len(b), n)
		}
		return err
	}
	a, b := room.Guest(), room.Guest()
	if err := read(a, 6); err != nil {
		t.Fatal(err)
	}
	if err := read(b, 5); paraph.KindOf(err) != paraph.TooMany {
		t.Errorf("11 bytes were let in: %v", err)
	}
	if err := read(b, 4); err != nil {
		t.Errorf("what was refused was counted: %v", err)
	}
	if err := read(a, 1); err == nil || room.left != 6 {
		t.Errorf("who is refused keeps others out: %d bytes are left, want 6", room.left)
	}
	a.Leave()
	b.Leave()
	b.Leave()
	if room.left != 10 {
		t.Errorf("%d bytes are left, want 10", room.left)
	}
}
