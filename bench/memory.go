package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// memoryUse is what a process takes, in MB.
type memoryUse struct {
	RSS, Heap float64
}

// memory compares two processes that do the same: at a database where a
// million deliveries wait, and at one where none does. They are those of the
// latency, when that was measured.
func memory(o options, t tools, p place, f *figures) error {
	if f.LatencySamples == 0 {
		o.rounds = 0
		for _, l := range []load{quietLoad(f), backlogLoad(o, f)} {
			b, err := t.loaded(o, p, l)
			if err != nil {
				return err
			}
			b.close()
		}
	}
	some, err := memoryOf(p, t.dir, "backlog")
	if err != nil {
		return err
	}
	none, err := memoryOf(p, t.dir, "quiet")
	if err != nil {
		return err
	}
	f.MemoryRSS, f.MemoryRSSNone, f.MemoryHeap, f.MemoryHeapNone = some.RSS, none.RSS, some.Heap, none.Heap
	f.MemoryRSSRatio = some.RSS / none.RSS
	return nil
}

func memoryOf(p place, dir, name string) (use memoryUse, err error) {
	address, err := p.address(name)
	if err != nil {
		return use, err
	}
	self, err := os.Executable()
	if err != nil {
		return use, err
	}
	cmd := exec.Command(self, "-memory-of", address, "-dir", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return use, fmt.Errorf("measure memory: %w", err)
	}
	return use, json.Unmarshal(out, &use)
}

// tellMemory is the process that is measured: it looks for what is due for a
// while, sends some, and says what it takes.
func tellMemory(dir, address string) error {
	t, err := newTools(dir)
	if err != nil {
		return err
	}
	defer t.close()
	b, err := t.bed(address, "memory@example.com")
	if err != nil {
		return err
	}
	defer b.close()
	stop, err := b.dispatch()
	if err != nil {
		return err
	}
	defer stop()
	time.Sleep(6 * time.Second) // the dispatcher looks around every few seconds
	if err := b.sendSome(500); err != nil {
		return err
	}
	runtime.GC()
	runtime.GC() // what lay in a pool is gone after the second
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	rss, err := resident()
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(memoryUse{RSS: rss, Heap: float64(m.HeapAlloc) / (1 << 20)})
}

// sendSome sends n deliveries, one after the other.
func (b *bed) sendSome(n int) error {
	ctx := context.Background()
	e, err := b.desk.CreateEndpoint(ctx, b.who, paraph.Endpoint{URL: b.receiver.url, Events: []string{"*"}, Enabled: true})
	if err != nil {
		return err
	}
	body := sampleBody()
	for range n {
		b.receiver.expect(1)
		err := b.store.Update(ctx, func(tx *store.Tx) error {
			ds := []paraph.Delivery{{
				AccountID: b.who.AccountID, EndpointID: e.ID, EventName: "document.completed", MessageID: "msg_" + paraph.NewToken(24),
				Body: body, State: paraph.DeliveryPending, NextAttemptAt: tx.Now(), CreatedAt: tx.Now(),
			}}
			return tx.InsertDeliveries(ctx, ds)
		})
		if err != nil {
			return err
		}
		b.wake(e.ID)
		<-b.receiver.done
	}
	return nil
}

// resident is this process' memory in MB, as Linux counts it.
func resident() (float64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/self/statm says %q", text)
	}
	pages, err := strconv.Atoi(fields[1])
	return float64(pages*os.Getpagesize()) / (1 << 20), err
}
