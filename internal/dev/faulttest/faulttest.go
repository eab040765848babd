// Package faulttest keeps the accounts of fault stories: what was accepted, what arrived, what was lost and what arrived
// twice. `make test-faults` prints them as a table.
//
// Only tests may import this package.
package faulttest

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	// LengthVariable is "long" for the whole stories; otherwise they are short enough for every run of the tests.
	LengthVariable = "PARAPH_FAULTS"
	// TableVariable names the file that rows of the table are appended to.
	TableVariable = "PARAPH_FAULTS_TABLE"
)

// Times is how often a story's fault happens: few with -short, some in `make test`, many in `make test-faults`.
func Times(few, some, many int) int {
	switch {
	case testing.Short():
		return few
	case os.Getenv(LengthVariable) == "long":
		return many
	}
	return some
}

// Tally is the account of one story. Accepted, Delivered, Lost and Twice count deliveries: one event for one endpoint.
type Tally struct {
	Story     string
	Faults    int // how often it happened
	Accepted  int // owed, because the change was committed
	Delivered int // of these, taken by the receiver with 2xx
	Failed    int // of these, given up after the whole schedule, with the log saying so
	Twice     int // taken again after they were taken
	InFlight  int // at most so many were on the way at the faults and may be taken twice
	Took      time.Duration
}

// Lost is what was owed and neither delivered nor given up by the schedule.
func (x Tally) Lost() int { return x.Accepted - x.Delivered - x.Failed }

// Check logs the account and fails the test when it does not hold.
func (x Tally) Check(t testing.TB) {
	t.Helper()
	t.Log(x)
	if x.Lost() != 0 {
		t.Errorf("%d deliveries were lost", x.Lost())
	}
	if x.Twice > x.InFlight {
		t.Errorf("%d deliveries arrived twice, and only %d were in flight at the faults", x.Twice, x.InFlight)
	}
	if x.Accepted == 0 {
		t.Error("nothing was accepted: the story means nothing")
	}
	x.append(t)
}

func (x Tally) String() string {
	return fmt.Sprintf("%s: %d times, %d accepted, %d delivered, %d given up, %d lost, %d twice (at most %d), %s",
		x.Story, x.Faults, x.Accepted, x.Delivered, x.Failed, x.Lost(), x.Twice, x.InFlight, x.Took.Round(time.Second))
}

func (x Tally) append(t testing.TB) {
	t.Helper()
	path := os.Getenv(TableVariable)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	verdict := "ok"
	if t.Failed() {
		verdict = "FAILED"
	}
	row := []any{x.Story, x.Faults, x.Accepted, x.Delivered, x.Failed, x.Lost(), x.Twice, x.InFlight, x.Took.Round(time.Second), verdict}
	if _, err := fmt.Fprintf(f, strings.Repeat("%v\t", len(row)-1)+"%v\n", row...); err != nil {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
}
