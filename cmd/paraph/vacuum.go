package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// vacuumCmd writes the database file anew. A server gives back what pruning
// frees by itself; this is for a file from before it could, or to have the last
// of it at once.
type vacuumCmd struct {
	world
}

// Run tells what the file was and is.
func (c *vacuumCmd) Run(s *streams) error {
	if c.DatabaseURL != "" {
		return errors.New("a Postgres database gives space back to itself by autovacuum, and to the disk by its own VACUUM FULL")
	}
	path, err := c.address()
	if err != nil {
		return err
	}
	before, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("there is no database to vacuum: %w", err)
	}
	ctx := context.Background()
	st, _, err := c.open(ctx, newLog(s.err, false), nil)
	if err != nil {
		return err
	}
	if err := errors.Join(st.Vacuum(ctx), st.Close()); err != nil {
		return err
	}
	after, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s had %d MB and has %d MB\n", path, before.Size()>>20, after.Size()>>20)
	return nil
}

// days is a span of time as people write it: 30d, or 0. Hours and less may be
// written as Go does.
type days time.Duration

// The least and the most that can be kept.
const (
	day      = 24 * time.Hour
	mostDays = 36500
)

// UnmarshalText reads it.
func (d *days) UnmarshalText(text []byte) error {
	word := string(text)
	if word == "0" {
		*d = 0
		return nil
	}
	span, err := time.ParseDuration(word)
	if number, ok := strings.CutSuffix(word, "d"); ok {
		var n uint64
		n, err = strconv.ParseUint(number, 10, 32)
		span = day * time.Duration(min(n, mostDays+1))
	}
	if err != nil || span < day || span > mostDays*day {
		return fmt.Errorf("%q is neither a number of days from 1d to %dd nor 0", word, mostDays)
	}
	*d = days(span)
	return nil
}
