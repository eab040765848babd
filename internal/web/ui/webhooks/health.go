package webhooks

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Health is how a webhook answered of late.
type Health struct {
	OK, Failed int64 // attempts
	GaveUp     int64 // deliveries whose schedule was used up
	P50, P95   time.Duration
	Timed      bool  // P50 and P95 are known
	Waiting    int64 // deliveries; above most it is not known how many
	Most       int64
	LastOK     time.Time
	Bars       []Bar // one for each span of the time looked at, oldest first
	Now        time.Time
}

// Bar is one span of Health's time.
type Bar struct {
	From, To   time.Time
	OK, Failed int64
	P95        time.Duration // 0: nothing was timed
}

// Span is a choice of how far back a chart looks.
type Span struct {
	Label, Href string
	Current     bool
}

// rate is the share of attempts that succeeded. It says 100 % only when all
// did.
func (h Health) rate() string {
	n := h.OK + h.Failed
	switch {
	case n == 0:
		return "—"
	case h.Failed == 0:
		return "100 %"
	}
	return strconv.FormatFloat(float64(h.OK*1000/n)/10, 'f', -1, 64) + " %"
}

func (h Health) detail() string {
	if h.OK+h.Failed == 0 {
		return "no attempts"
	}
	return thousands(h.OK) + " of " + thousands(h.OK+h.Failed) + " attempts"
}

func (h Health) waiting() string {
	if h.Most > 0 && h.Waiting > h.Most {
		return thousands(h.Most) + "+"
	}
	return thousands(h.Waiting)
}

func (h Health) p50() string { return h.timed(h.P50) }
func (h Health) p95() string { return h.timed(h.P95) }

func (h Health) timed(d time.Duration) string {
	if !h.Timed {
		return "—"
	}
	return about(d)
}

// about is a time of which the first two digits are meant.
func about(d time.Duration) string {
	switch {
	case d <= time.Millisecond:
		return "1 ms"
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(float64(d.Round(100*time.Microsecond))/float64(time.Millisecond), 'f', -1, 64) + " ms"
	case d < 100*time.Millisecond:
		return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10) + " ms"
	case d < time.Second:
		return strconv.FormatInt(d.Round(10*time.Millisecond).Milliseconds(), 10) + " ms"
	}
	return strconv.FormatFloat(d.Round(100*time.Millisecond).Seconds(), 'f', 1, 64) + " s"
}

// thousands is a number with thin spaces between its thousands.
func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}

// The drawing's units: each bar has a slot, of which it leaves a part empty.
const (
	slot      = 20
	barGap    = 4
	barsHigh  = 100
	lineHigh  = 40
	sparkHigh = 24
)

type rect struct{ X, Y, W, H string }

func unit(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// piece is a bar's part of a chart that is high units high and shows most at its top.
func piece(i int, below, n, most int64, high float64) rect {
	scale := high / float64(max(most, 1))
	h := float64(n) * scale
	if n > 0 {
		h = max(h, 1.5) // something is seen of a single one among thousands
	}
	return rect{unit(float64(i*slot) + barGap/2.0), unit(max(high-float64(below)*scale-h, 0)), unit(slot - barGap), unit(h)}
}

func (h Health) most() (n int64) {
	for _, b := range h.Bars {
		n = max(n, b.OK+b.Failed)
	}
	return n
}

func (h Health) slowest() (d time.Duration) {
	for _, b := range h.Bars {
		d = max(d, b.P95)
	}
	return d
}

func (h Health) box(high int) string {
	return fmt.Sprintf("0 0 %d %d", max(len(h.Bars), 1)*slot, high)
}

// line is the course of the 95th percentile: a path that breaks where nothing
// was timed. A lone point becomes a short stroke.
func (h Health) line() string {
	var path strings.Builder
	drawn := false
	slowest := float64(max(h.slowest(), 1))
	for i, b := range h.Bars {
		if b.P95 == 0 {
			drawn = false
			continue
		}
		x, y := float64(i*slot)+slot/2.0, lineHigh-2-float64(b.P95)/slowest*(lineHigh-4)
		last := i+1 == len(h.Bars) || h.Bars[i+1].P95 == 0
		switch {
		case drawn:
			fmt.Fprintf(&path, "L%s %s", unit(x), unit(y))
		case last:
			fmt.Fprintf(&path, "M%s %sL%s %s", unit(x-slot/4.0), unit(y), unit(x+slot/4.0), unit(y))
		default:
			fmt.Fprintf(&path, "M%s %s", unit(x), unit(y))
		}
		drawn = true
	}
	return path.String()
}

func (b Bar) words() string {
	out := b.span() + ": " + thousands(b.OK) + " succeeded, " + thousands(b.Failed) + " failed"
	if b.P95 > 0 {
		out += ", p95 " + about(b.P95)
	}
	return out
}

func (b Bar) span() string {
	return b.From.UTC().Format("2 Jan, 15:04") + b.To.UTC().Format("–15:04 UTC")
}

// spoken is what a chart shows, in a sentence.
func (h Health) spoken() string {
	if len(h.Bars) == 0 {
		return "No attempts"
	}
	return "Attempts from " + kit.Exact(h.Bars[0].From) + " until now: " + thousands(h.OK) + " succeeded, " + thousands(h.Failed) + " failed"
}

// busy are the bars in which something happened, newest first.
func (h Health) busy() (out []Bar) {
	for i := len(h.Bars) - 1; i >= 0; i-- {
		if b := h.Bars[i]; b.OK+b.Failed > 0 {
			out = append(out, b)
		}
	}
	return out
}

// middle is the time in the middle of a chart.
func (h Health) middle() string { return h.Bars[len(h.Bars)/2].From.UTC().Format(h.axis()) }
func (h Health) first() string  { return h.Bars[0].From.UTC().Format(h.axis()) }

func (h Health) axis() string {
	if h.Bars[0].To.Sub(h.Bars[0].From) > time.Hour {
		return "2 Jan"
	}
	return "15:04"
}
