// Command bench measures what Paraph promises to be fast at, each beside a
// baseline of the same run, prints a table and writes bench/results.json.
// docs/performance.md says what each figure means.
//
// Figures that are a share or a ratio can be compared between machines; times
// in milliseconds and documents a second belong to the machine that they were
// measured on, and no test depends on them.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the command line's.
type options struct {
	only    string // parts, with commas; "" for all
	engines string
	waiting int
	rounds  int
}

// wants tells whether a part is to be measured.
func (o options) wants(part string) bool {
	if o.only == "" || o.only == "webhooks" && part != "sealing" {
		return true
	}
	for word := range strings.SplitSeq(o.only, ",") {
		if word == part {
			return true
		}
	}
	return false
}

func run() error {
	var o options
	profile := flag.String("cpuprofile", "", "write a CPU profile to this file")
	flag.StringVar(&o.only, "only", "", "measure \"webhooks\" or \"sealing\" alone, or some of deliveries,latency,fanout,memory; writes no results.json")
	flag.StringVar(&o.engines, "engines", "sqlite,postgres", "databases to measure on")
	flag.IntVar(&o.waiting, "waiting", 1_000_000, "how many deliveries wait in the backlog")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of 60 events for each latency")
	child := flag.String("memory-of", "", "for its own use: tell the memory of a dispatcher at this database")
	sealOf := flag.String("seal-of", "", "for its own use: seal the job of this folder again and again")
	childDir := flag.String("dir", "", "for its own use: the folder of the run")
	flag.Parse()
	if *sealOf != "" {
		return sealAsChild(*sealOf, os.Stdout)
	}
	if *child != "" {
		return tellMemory(*childDir, *child)
	}
	dir, err := os.MkdirTemp("", "paraph-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a folder of temporary files
	stop, err := profiling(*profile)
	if err != nil {
		return err
	}
	defer stop()
	all, err := measure(o, dir)
	if err != nil {
		return err
	}
	all.print()
	if o.only != "" {
		return nil
	}
	return all.write("bench/results.json")
}

func measure(o options, dir string) (all results, err error) {
	if o.only != "sealing" {
		if err := webhooks(o, dir, &all); err != nil {
			return all, err
		}
	}
	if o.wants("sealing") {
		progress("sealing")
		if all.SealedPerSecond, err = sealing(dir); err != nil {
			return all, fmt.Errorf("sealing: %w", err)
		}
		if all.sealFigures, err = compareSealing(dir); err != nil {
			return all, fmt.Errorf("sealing beside libpdf: %w", err)
		}
	}
	return all, nil
}

// webhooks measures deliveries on SQLite, and on Postgres when there is one.
func webhooks(o options, dir string, all *results) error {
	t, err := newTools(dir)
	if err != nil {
		return err
	}
	defer t.close()
	for name, place := range places(o, dir) {
		f, err := deliver(o, t, name, place)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if name == "sqlite" {
			all.SQLite = &f
		} else {
			all.Postgres = &f
		}
	}
	return nil
}

// deliver measures all that is about webhooks at one database.
func deliver(o options, t tools, name string, p place) (f figures, err error) {
	defer p.drop()
	for _, part := range []struct {
		name string
		run  func(o options, t tools, p place, f *figures) error
	}{
		{"deliveries", deliveries}, {"fanout", fanout}, {"latency", latency}, {"memory", memory},
	} {
		if !o.wants(part.name) {
			continue
		}
		begin := time.Now()
		if err := part.run(o, t, p, &f); err != nil {
			return f, fmt.Errorf("%s: %w", part.name, err)
		}
		progress("%s: %s took %.0f s", name, part.name, time.Since(begin).Seconds())
	}
	return f, nil
}

func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }

// profiling records where the time goes until stop, when there is a file to
// write it to.
func profiling(file string) (stop func(), err error) {
	if file == "" {
		return func() {}, nil
	}
	f, err := os.Create(filepath.Clean(file))
	if err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close() // a tool's output; a full disk shows when it is read
	}, pprof.StartCPUProfile(f)
}
