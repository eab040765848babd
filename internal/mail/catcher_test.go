package mail

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func newCatcher() *Catcher {
	return NewCatcher(func() time.Time { return noon })
}

func catch(t *testing.T, c *Catcher, subject string, attached int) {
	t.Helper()
	m := plain()
	m.Subject = subject
	if attached > 0 {
		m.Attachments = []Attachment{{Name: "a.pdf", ContentType: "application/pdf", Data: make([]byte, attached)}}
	}
	if err := c.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

func TestCatcherKeepsTheLatest(t *testing.T) {
	t.Parallel()
	c := newCatcher()
	for i := range caughtMessages + 5 {
		catch(t, c, fmt.Sprint(i), 0)
	}
	list := c.List()
	if len(list) != caughtMessages || list[0].Subject != "204" || list[len(list)-1].Subject != "5" || !list[0].At.Equal(noon) {
		t.Fatalf("%d are kept, from %q to %q", len(list), list[0].Subject, list[len(list)-1].Subject)
	}
	if m, ok := c.Get(list[3].ID); !ok || m.Subject != list[3].Subject {
		t.Errorf("Get = %q, %v, want %q", m.Subject, ok, list[3].Subject)
	}
	if _, ok := c.Get(1); ok {
		t.Error("the first message is still there")
	}
}

func TestCatcherBoundsItsMemory(t *testing.T) {
	t.Parallel()
	c := newCatcher()
	for i := range 10 {
		catch(t, c, fmt.Sprint(i), 20<<20)
	}
	if list := c.List(); len(list) != 3 || list[0].Subject != "9" {
		t.Errorf("%d messages of 20 MiB are kept, want 3", len(list))
	}
	catch(t, c, "larger than all", caughtBytes+1)
	if list := c.List(); len(list) != 1 || list[0].Subject != "larger than all" {
		t.Errorf("the latest message was dropped: %d are kept", len(list))
	}
}

func TestNextWaitsInOrder(t *testing.T) {
	t.Parallel()
	c := newCatcher()
	catch(t, c, "first", 0)
	first, err := c.Next(t.Context(), 0)
	if err != nil || first.Subject != "first" {
		t.Fatalf("Next = %q, %v", first.Subject, err)
	}
	var waiters sync.WaitGroup
	for range 3 {
		waiters.Go(func() {
			if second, err := c.Next(t.Context(), first.ID); err != nil || second.Subject != "second" {
				t.Errorf("Next = %q, %v", second.Subject, err)
			}
		})
	}
	catch(t, c, "second", 0)
	catch(t, c, "third", 0)
	waiters.Wait()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Next(ctx, 99); !errors.Is(err, context.Canceled) {
		t.Errorf("Next with an ended context: %v", err)
	}
}
