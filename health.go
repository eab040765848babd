package paraph

import (
	"math"
	"time"
)

// TimeBuckets is how many buckets a Times has.
const TimeBuckets = 31

// Times counts response times in buckets, each √2 times as wide as the one
// before: the first holds all up to 1 ms, the last all above 23.2 s. What
// Quantile answers is therefore at most 19 % off (a fourth root of two) between
// 1 ms and 23.2 s.
type Times [TimeBuckets]int64

// TimeBucket is the bucket that a response time belongs to.
func TimeBucket(d time.Duration) int {
	if d <= time.Millisecond {
		return 0
	}
	return min(int(math.Ceil(2*math.Log2(float64(d)/float64(time.Millisecond))-1e-9)), TimeBuckets-1)
}

// Quantile is the time that a share q of all took at most, or false when
// nothing was counted.
func (t Times) Quantile(q float64) (time.Duration, bool) {
	var all int64
	for _, n := range t {
		all += n
	}
	if all == 0 {
		return 0, false
	}
	rank := max(int64(math.Ceil(q*float64(all))), 1)
	for i, n := range t {
		if rank -= n; rank <= 0 {
			return timeOf(i), true
		}
	}
	return timeOf(TimeBuckets - 1), true
}

// timeOf stands for the times in a bucket: its middle, on a scale of logarithms.
func timeOf(bucket int) time.Duration {
	if bucket == 0 {
		return time.Millisecond
	}
	return time.Duration(float64(time.Millisecond) * math.Exp2(float64(bucket)/2-0.25))
}

// Plus is the sum of both.
func (t Times) Plus(u Times) Times {
	for i := range t {
		t[i] += u[i]
	}
	return t
}
