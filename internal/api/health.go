package api

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// healthSpan is the time that the health beside a webhook looks back.
const healthSpan = 24 * time.Hour

// Health is how a webhook has answered of late. Attempts are counted, tests
// too.
type Health struct {
	Succeeded     int64         `json:"succeeded" doc:"Attempts."`
	Failed        int64         `json:"failed" doc:"Attempts."`
	GivenUp       int64         `json:"given_up" doc:"Deliveries whose schedule was used up."`
	SuccessRate   *float64      `json:"success_rate" doc:"Between 0 and 1, of the attempts; null when there was none."`
	P50MS         *float64      `json:"p50_ms" doc:"Half of the attempts were answered within this many milliseconds. At most 19 % off; null when none was timed."`
	P95MS         *float64      `json:"p95_ms" doc:"95 of 100 were answered within this. At most 19 % off."`
	Pending       int64         `json:"pending" doc:"Deliveries that wait; 1001 stands for more than 1000."`
	LastSuccessAt webhook.Stamp `json:"last_success_at" doc:"Of the last 30 days."`
}

// HealthDetail is Health with its hours.
type HealthDetail struct {
	Health
	Hours []HealthHour `json:"hours" doc:"Those in which something was sent, the oldest first."`
}

// HealthHour is one hour.
type HealthHour struct {
	At        webhook.Stamp `json:"at" doc:"When it began."`
	Succeeded int64         `json:"succeeded"`
	Failed    int64         `json:"failed"`
	P50MS     *float64      `json:"p50_ms"`
	P95MS     *float64      `json:"p95_ms"`
}

func healthOf(h store.Health, pending int64) Health {
	out := Health{
		Succeeded: h.OK, Failed: h.Failed, GivenUp: h.GaveUp, P50MS: quantile(h.Times, 0.5), P95MS: quantile(h.Times, 0.95),
		Pending: pending, LastSuccessAt: webhook.Stamp(h.LastOK),
	}
	if n := h.OK + h.Failed; n > 0 {
		rate := float64(h.OK) / float64(n)
		out.SuccessRate = &rate
	}
	return out
}

// quantile is in milliseconds, null when nothing was timed.
func quantile(t paraph.Times, q float64) *float64 {
	d, ok := t.Quantile(q)
	if !ok {
		return nil
	}
	ms := millis(d.Round(100 * time.Microsecond))
	return &ms
}

// healthyAll are endpoints of one account with how they answered.
func (a *api) healthyAll(ctx context.Context, accountID int64, es []paraph.Endpoint) (out []Webhook, err error) {
	ids := make([]int64, len(es))
	for i, e := range es {
		ids[i] = e.ID
	}
	health, err := a.store.Healths(ctx, accountID, ids, a.cfg.Store.Now().Add(-healthSpan))
	if err != nil {
		return nil, err
	}
	pending, err := a.store.Backlogs(ctx, accountID, ids)
	if err != nil {
		return nil, err
	}
	lanes, err := a.store.LanesOf(ctx, accountID)
	if err != nil {
		return nil, err
	}
	for _, e := range es {
		out = append(out, webhookOf(e, lanes[e.ID], healthOf(health[e.ID], pending[e.ID])))
	}
	return out, nil
}

// healthy is an endpoint with how it answered.
func (a *api) healthy(ctx context.Context, e paraph.Endpoint) (Webhook, error) {
	ws, err := a.healthyAll(ctx, e.AccountID, []paraph.Endpoint{e})
	if err != nil {
		return Webhook{}, err
	}
	return ws[0], nil
}

type healthQuery struct {
	ByID
	Hours int `query:"hours" doc:"How far to look back: 24 when left out, at most 720."`
}

func (a *api) getHealth(ctx context.Context, in *healthQuery) (out HealthDetail, err error) {
	if in.Hours < 0 || in.Hours > 720 {
		return out, paraph.FieldErrorf("hours", "Between 1 and 720 hours can be looked back.")
	}
	hours := in.Hours
	if hours == 0 {
		hours = 24
	}
	e, err := a.store.Endpoint(ctx, whoOf(ctx).AccountID, in.ID)
	if err != nil {
		return out, err
	}
	now := a.cfg.Store.Now()
	h, err := a.store.Health(ctx, e.AccountID, e.ID, now.Truncate(time.Hour).Add(-time.Duration(hours-1)*time.Hour))
	if err != nil {
		return out, err
	}
	pending, err := a.store.Backlogs(ctx, e.AccountID, []int64{e.ID})
	if err != nil {
		return out, err
	}
	out = HealthDetail{Health: healthOf(h, pending[e.ID]), Hours: []HealthHour{}}
	for _, x := range h.Hours {
		out.Hours = append(out.Hours, HealthHour{webhook.Stamp(x.At), x.OK, x.Failed, quantile(x.Times, 0.5), quantile(x.Times, 0.95)})
	}
	return out, nil
}
