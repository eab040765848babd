package paraph_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/paraph-sign/paraph"
)

func TestTimesAreAsExactAsTheySay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		took := rapid.SliceOfN(rapid.Int64Range(int64(time.Millisecond), int64(23*time.Second)), 1, 50).Draw(t, "took")
		q := rapid.Float64Range(0.01, 1).Draw(t, "q")
		var times paraph.Times
		for _, d := range took {
			times[paraph.TimeBucket(time.Duration(d))]++
		}
		slices.Sort(took)
		want := float64(took[max(int(math.Ceil(q*float64(len(took)))), 1)-1])
		got, ok := times.Quantile(q)
		if off := math.Abs(math.Log2(float64(got) / want)); !ok || off > 0.2501 {
			t.Fatalf("the %v-quantile of %v is %v and not %v", q, took, got, time.Duration(want))
		}
	})
}

func TestTimesAtTheirEnds(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]int{
		0: 0, time.Microsecond: 0, time.Millisecond: 0, time.Millisecond + 1000: 1, 2 * time.Millisecond: 2, 2*time.Millisecond + 1000: 3,
		23 * time.Second: 29, 24 * time.Second: 30, time.Hour: 30,
	} {
		if got := paraph.TimeBucket(d); got != want {
			t.Errorf("%v is in bucket %d, want %d", d, got, want)
		}
	}
	if _, ok := (paraph.Times{}).Quantile(0.5); ok {
		t.Error("nothing has a median")
	}
	sum := paraph.Times{3: 1}.Plus(paraph.Times{3: 2, 30: 1})
	if sum != (paraph.Times{3: 3, 30: 1}) {
		t.Errorf("the sum is %v", sum)
	}
}
