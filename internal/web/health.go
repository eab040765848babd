package web

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/webhooks"
)

// healthSpan is how far back a chart looks, and the time of one of its bars.
type healthSpan struct {
	name, label string
	bars        int
	step        time.Duration
}

func healthSpans() []healthSpan {
	return []healthSpan{{"24h", "24 hours", 24, time.Hour}, {"7d", "7 days", 28, 6 * time.Hour}}
}

// since is when a chart begins: its last bar is the one that now falls into.
func (p healthSpan) since(now time.Time) time.Time {
	return now.Truncate(p.step).Add(p.step - time.Duration(p.bars)*p.step)
}

func spanOf(name string) healthSpan {
	all := healthSpans()
	for _, p := range all {
		if p.name == name {
			return p
		}
	}
	return all[0]
}

// spanLinks lead from one span to the others, the log staying as it is.
func spanLinks(q logQuery, current healthSpan) (out []webhooks.Span) {
	for i, p := range healthSpans() {
		name := p.name
		if i == 0 {
			name = ""
		}
		out = append(out, webhooks.Span{Label: p.label, Href: q.href("span", name), Current: p.name == current.name})
	}
	return out
}

// health is how a webhook answered, drawn in the bars of a span.
func health(h store.Health, waiting int64, p healthSpan, now time.Time) webhooks.Health {
	out := webhooks.Health{
		OK: h.OK, Failed: h.Failed, GaveUp: h.GaveUp, Waiting: waiting, Most: store.MaxBacklog, LastOK: h.LastOK, Now: now,
		Bars: make([]webhooks.Bar, p.bars),
	}
	out.P50, out.Timed = h.Times.Quantile(0.5)
	out.P95, _ = h.Times.Quantile(0.95)
	begin := p.since(now)
	times := make([]paraph.Times, p.bars)
	for i := range out.Bars {
		out.Bars[i].From, out.Bars[i].To = begin.Add(time.Duration(i)*p.step), begin.Add(time.Duration(i+1)*p.step)
	}
	for _, hour := range h.Hours {
		i := int(hour.At.Sub(begin) / p.step)
		if i < 0 || i >= p.bars {
			continue
		}
		out.Bars[i].OK, out.Bars[i].Failed, times[i] = out.Bars[i].OK+hour.OK, out.Bars[i].Failed+hour.Failed, times[i].Plus(hour.Times)
	}
	for i := range out.Bars {
		out.Bars[i].P95, _ = times[i].Quantile(0.95)
	}
	return out
}

// healths are how some webhooks answered in the last 24 hours, and how much
// waits for each.
func (s *server) healths(ctx context.Context, accountID int64, of []paraph.Endpoint) (map[int64]store.Health, map[int64]int64, error) {
	ids := make([]int64, len(of))
	for i, e := range of {
		ids[i] = e.ID
	}
	out, err := s.Store.Healths(ctx, accountID, ids, spanOf("").since(s.Store.Now()))
	if err != nil {
		return nil, nil, err
	}
	waiting, err := s.Store.Backlogs(ctx, accountID, ids)
	return out, waiting, err
}

// markOf says in a word how a webhook is.
func markOf(e paraph.Endpoint, lane paraph.Lane) webhooks.Mark {
	mark := func(label string, tone kit.Tone, icon, text string) webhooks.Mark {
		return webhooks.Mark{Status: kit.Status{Label: label, Tone: tone, Icon: icon}, Text: text}
	}
	switch {
	case !e.Enabled && offWord(e) != "":
		return mark(offWord(e), kit.Warning, "ban", "Since "+since(e.DisabledAt))
	case !e.Enabled:
		return mark("Off", kit.Neutral, "ban", "")
	case !e.Failing.Since.IsZero():
		return mark("Failing", kit.Error, "warning", "Since "+since(e.Failing.Since))
	case heldBack(e, lane):
		return mark("Held back", kit.Warning, "hourglass", "Most requests failed; one is tried every 30 seconds")
	}
	return mark("On", kit.Success, "check", "")
}

func since(t time.Time) string { return t.UTC().Format("2 Jan, 15:04 UTC") }

// heldBack tells whether a webhook's breaker lets only one request through now
// and then.
func heldBack(e paraph.Endpoint, lane paraph.Lane) bool {
	return e.Enabled && lane.Breaker != "" && lane.Breaker != paraph.BreakerClosed
}

// heldUntil is when the next request is let through: now, while it is under way.
func heldUntil(lane paraph.Lane, now time.Time) time.Time {
	if lane.HeldUntil.Before(now) {
		return now
	}
	return lane.HeldUntil
}
