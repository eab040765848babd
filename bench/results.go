package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
)

// results is what bench/results.json holds. The figures of deliveries and
// latency at its top are those of SQLite.
type results struct {
	DeliveriesShareOfBare float64 `json:"deliveries_share_of_bare"`
	LatencyP50            float64 `json:"latency_p50_ms"`
	LatencyP99            float64 `json:"latency_p99_ms"`
	SealedPerSecond       float64 `json:"sealed_per_second"`
	sealFigures

	SQLite   *figures `json:"sqlite,omitempty"`
	Postgres *figures `json:"postgres,omitempty"`
	Machine  machine  `json:"machine"`
}

type machine struct {
	Processors int    `json:"processors"`
	System     string `json:"system"`
	Go         string `json:"go"`
}

// figures are of one database. A ratio or a share is the median over rounds,
// each with a baseline of its own right beside it.
type figures struct {
	DeliveriesShareOfBare float64 `json:"deliveries_share_of_bare"`
	DeliveriesWorkShare   float64 `json:"deliveries_share_of_bare_by_processor_time"`
	DeliveriesPerSecond   float64 `json:"deliveries_per_second"`
	BarePerSecond         float64 `json:"bare_per_second"`

	LatencyP50     float64 `json:"latency_p50_ms"`
	LatencyP99     float64 `json:"latency_p99_ms"`
	LatencySamples int     `json:"latency_samples"` // of each kind of load

	BacklogRatio       float64 `json:"backlog_1m_latency_ratio"`
	BacklogP99         float64 `json:"backlog_1m_latency_p99_ms"`
	BacklogFillSeconds float64 `json:"backlog_1m_fill_seconds"`
	IdleRatio          float64 `json:"endpoints_10k_latency_ratio"`
	IdleP99            float64 `json:"endpoints_10k_latency_p99_ms"`
	WaitingRatio       float64 `json:"endpoints_10k_waiting_latency_ratio"`
	WaitingP99         float64 `json:"endpoints_10k_waiting_latency_p99_ms"`
	HangingRatio       float64 `json:"hanging_latency_ratio"`
	HangingP99         float64 `json:"hanging_latency_p99_ms"`
	PruningRatio       float64 `json:"pruning_latency_ratio"`
	PruningP99         float64 `json:"pruning_latency_p99_ms"`

	FanoutRatio float64 `json:"fanout_500_ratio_to_bare"`
	FanoutMS    float64 `json:"fanout_500_ms"`
	FanoutBare  float64 `json:"fanout_500_bare_ms"`
	FanoutEvent float64 `json:"fanout_500_commit_ms"`

	MemoryRSSRatio float64 `json:"memory_1m_rss_ratio"`
	MemoryRSS      float64 `json:"memory_1m_rss_mb"`
	MemoryRSSNone  float64 `json:"memory_none_rss_mb"`
	MemoryHeap     float64 `json:"memory_1m_heap_mb"`
	MemoryHeapNone float64 `json:"memory_none_heap_mb"`
}

// write completes the results and keeps them in a file.
func (r results) write(path string) error {
	if r.SQLite != nil {
		r.DeliveriesShareOfBare, r.LatencyP50, r.LatencyP99 = r.SQLite.DeliveriesShareOfBare, r.SQLite.LatencyP50, r.SQLite.LatencyP99
	}
	r.Machine = machine{Processors: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// A row is one line of the table. Aim is the least (or, with most set, the
// most) that a figure should be; 0: it has none.
type row struct {
	name string
	of   func(f *figures) float64
	unit string
	aim  float64
	most bool
}

func table() []row {
	return []row{
		{"deliveries, share of a bare loop of POSTs", func(f *figures) float64 { return f.DeliveriesShareOfBare }, "", 0.6, false},
		{"  the same by processor time", func(f *figures) float64 { return f.DeliveriesWorkShare }, "", 0, false},
		{"  deliveries", func(f *figures) float64 { return f.DeliveriesPerSecond }, "a second", 0, false},
		{"  bare loop", func(f *figures) float64 { return f.BarePerSecond }, "a second", 0, false},
		{"commit to received POST at 20 a second, median", func(f *figures) float64 { return f.LatencyP50 }, "ms", 0, false},
		{"  99 of 100", func(f *figures) float64 { return f.LatencyP99 }, "ms", 15, true},
		{"1,000,000 waiting: median to that without", func(f *figures) float64 { return f.BacklogRatio }, "times", 1.5, true},
		{"  99 of 100", func(f *figures) float64 { return f.BacklogP99 }, "ms", 0, true},
		{"10,000 idle endpoints: median to that without", func(f *figures) float64 { return f.IdleRatio }, "times", 1.2, true},
		{"  99 of 100", func(f *figures) float64 { return f.IdleP99 }, "ms", 0, true},
		{"10,000 with one waiting each: the same", func(f *figures) float64 { return f.WaitingRatio }, "times", 1.2, true},
		{"  99 of 100", func(f *figures) float64 { return f.WaitingP99 }, "ms", 0, true},
		{"one endpoint hangs: median to that without", func(f *figures) float64 { return f.HangingRatio }, "times", 1.2, true},
		{"  99 of 100", func(f *figures) float64 { return f.HangingP99 }, "ms", 0, true},
		{"while old deliveries are pruned: the same", func(f *figures) float64 { return f.PruningRatio }, "times", 1.5, true},
		{"  99 of 100", func(f *figures) float64 { return f.PruningP99 }, "ms", 0, true},
		{"one event to 500 endpoints, to 500 bare POSTs", func(f *figures) float64 { return f.FanoutRatio }, "times", 0, false},
		{"  to the last POST", func(f *figures) float64 { return f.FanoutMS }, "ms", 0, false},
		{"    of which until the commit", func(f *figures) float64 { return f.FanoutEvent }, "ms", 0, false},
		{"  bare", func(f *figures) float64 { return f.FanoutBare }, "ms", 0, false},
		{"memory with 1,000,000 waiting, to that with none", func(f *figures) float64 { return f.MemoryRSSRatio }, "times", 0, false},
		{"  resident", func(f *figures) float64 { return f.MemoryRSS }, "MB", 0, false},
		{"  with none waiting", func(f *figures) float64 { return f.MemoryRSSNone }, "MB", 0, false},
		{"  heap", func(f *figures) float64 { return f.MemoryHeap }, "MB", 0, false},
		{"  with none waiting", func(f *figures) float64 { return f.MemoryHeapNone }, "MB", 0, false},
	}
}

// missed tells whether a figure that was measured is not what it should be.
func (r row) missed(v float64) bool {
	return r.aim > 0 && v > 0 && (r.most && v > r.aim || !r.most && v < r.aim)
}

func (r row) cell(f *figures) string {
	if f == nil || r.of(f) == 0 {
		return "-  "
	}
	mark := " "
	if r.missed(r.of(f)) {
		mark = "!"
	}
	return fmt.Sprintf("%.2f %s", r.of(f), mark)
}

func (r row) goal() string {
	switch {
	case r.aim == 0:
		return ""
	case r.most:
		return "at most " + strconv.FormatFloat(r.aim, 'g', -1, 64)
	}
	return "at least " + strconv.FormatFloat(r.aim, 'g', -1, 64)
}

// print writes the table; ! stands behind a figure that misses its aim.
func (r results) print() {
	const format = "%-50s %12s %12s  %-9s %s\n"
	fmt.Printf(format, "", "SQLite  ", "Postgres  ", "", "aim (! missed)")
	for _, row := range table() {
		if r.SQLite != nil || r.Postgres != nil {
			fmt.Printf(format, row.name, row.cell(r.SQLite), row.cell(r.Postgres), row.unit, row.goal())
		}
	}
	if r.SealedPerSecond > 0 {
		fmt.Printf(format, "sealed contracts of three pages", fmt.Sprintf("%.2f  ", r.SealedPerSecond), "", "a second", "")
	}
	r.sealFigures.print()
}
