package api

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// masked stands for a secret. Sent back, it leaves the secret as it is.
const masked = "********"

// Webhook is an endpoint.
type Webhook struct {
	ID             int64             `json:"id"`
	URL            string            `json:"url"`
	Events         []string          `json:"events"`
	Secret         string            `json:"secret" doc:"Masked when there is one."`
	Headers        map[string]string `json:"headers" doc:"The values are masked."`
	Description    string            `json:"description"`
	Enabled        bool              `json:"enabled"`
	DisabledAt     webhook.Stamp     `json:"disabled_at"`
	DisabledReason *string           `json:"disabled_reason" doc:"Why the server switched it off; null when somebody did by hand."`
	DisabledBy     *string           `json:"disabled_by" enum:"hand,gone,failing" doc:"gone: it answered 410; failing: it took nothing for five days. null while it is on."`
	Failing        *Failing          `json:"failing" doc:"null when the last attempt that counts succeeded."`
	HeldUntil      webhook.Stamp     `json:"held_until" doc:"Set while most requests fail: what is due waits, one is tried every 30 seconds, the next at this time. No attempts are used up by waiting."`
	Schedule       any               `json:"schedule" doc:"seed, standard, or the seconds between attempts."`
	Timeout        float64           `json:"timeout" doc:"Seconds."`
	Concurrency    int               `json:"concurrency"`
	Rate           float64           `json:"rate" doc:"Requests a second; 0: no limit."`
	Ordered        bool              `json:"ordered"`
	OmitTokens     bool              `json:"omit_tokens"`
	SigningSecret  string            `json:"signing_secret,omitempty" doc:"After creation and rotation only; else see /api/webhooks/{id}/secret."`
	PreviousUntil  webhook.Stamp     `json:"previous_secret_until" doc:"Until then requests are also signed with the secret before the last rotation."`
	CreatedAt      webhook.Stamp     `json:"created_at"`
	UpdatedAt      webhook.Stamp     `json:"updated_at"`
	Health         Health            `json:"health"`
}

func webhookOf(e paraph.Endpoint, lane paraph.Lane, h Health) Webhook {
	w := Webhook{
		ID: e.ID, URL: e.URL, Events: e.Events, Headers: map[string]string{}, Description: e.Description, Enabled: e.Enabled,
		DisabledAt: webhook.Stamp(e.DisabledAt), Schedule: scheduleOf(e.Schedule), Timeout: e.Timeout.Seconds(), Concurrency: e.Concurrency,
		Rate: e.Rate, Ordered: e.Ordered, OmitTokens: e.OmitTokens, CreatedAt: webhook.Stamp(e.CreatedAt), UpdatedAt: webhook.Stamp(e.UpdatedAt),
		Health: h,
	}
	if e.Secret != "" {
		w.Secret = masked
	}
	if e.DisabledWhy != "" {
		w.DisabledReason = &e.DisabledWhy
	}
	if e.DisabledBy != "" {
		by := string(e.DisabledBy)
		w.DisabledBy = &by
	}
	if e.PreviousSecret != "" {
		w.PreviousUntil = webhook.Stamp(e.PreviousUntil)
	}
	w.Failing = failingOf(e)
	if e.Enabled && lane.Breaker != "" && lane.Breaker != paraph.BreakerClosed {
		w.HeldUntil = webhook.Stamp(lane.HeldUntil)
	}
	for _, p := range e.Headers {
		w.Headers[p[0]] = masked
	}
	return w
}

// scheduleOf is a schedule as JSON has it: its name, or a list of seconds.
func scheduleOf(s string) any {
	var seconds []float64
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil {
			return s
		}
		seconds = append(seconds, n)
	}
	return seconds
}

// WebhookSettings are what can be said of a webhook. What is left out stays as
// it is, or gets what is usual.
type WebhookSettings struct {
	URL         *string            `json:"url" required:"true" example:"https://example.com/hooks"`
	Events      []string           `json:"events" required:"true" doc:"Names of either dialect, families such as form.* or document.*, or * for all; see /api/events/types."`
	Secret      *string            `json:"secret" doc:"Sent as it is in X-Documenso-Secret."`
	Headers     map[string]*string `json:"headers" doc:"Headers of your own, name and value; null takes one away."`
	Description *string            `json:"description"`
	Enabled     *bool              `json:"enabled" doc:"true when left out."`
	Schedule    any                `json:"schedule" doc:"seed (12 attempts in 34 hours, when left out), standard (10 in 3 days), or a list of the seconds between attempts."`
	Timeout     *float64           `json:"timeout" doc:"Seconds for the whole exchange, 1 to 30; 15 when left out."`
	Concurrency *int               `json:"concurrency" doc:"How many requests at once, 1 to 64; 8 when left out."`
	Rate        *float64           `json:"rate" doc:"Requests a second; 0: no limit."`
	Ordered     *bool              `json:"ordered" doc:"true: one at a time, in the order of the events."`
	OmitTokens  *bool              `json:"omit_tokens" doc:"true: bodies have no tokens of signing links."`
}

type webhookCreation struct {
	Body input[WebhookSettings]
}

type webhookUpdate struct {
	ByID
	Body input[WebhookSettings]
}

// edit is the settings as a change to an endpoint.
func (s *WebhookSettings) edit() (func(*paraph.Endpoint), error) {
	schedule, err := s.schedule()
	if err != nil {
		return nil, err
	}
	if s.Timeout != nil && !(*s.Timeout > 0 && *s.Timeout <= 3600) {
		return nil, paraph.FieldErrorf("timeout", "The timeout lies between 1 and 30 seconds.")
	}
	if s.Concurrency != nil && *s.Concurrency < 1 {
		return nil, paraph.FieldErrorf("concurrency", "Between 1 and %d requests can run at once.", paraph.MaxConcurrency)
	}
	return func(e *paraph.Endpoint) {
		set(&e.URL, s.URL)
		set(&e.Description, s.Description)
		set(&e.Enabled, s.Enabled)
		set(&e.Concurrency, s.Concurrency)
		set(&e.Rate, s.Rate)
		set(&e.Ordered, s.Ordered)
		set(&e.OmitTokens, s.OmitTokens)
		if s.Events != nil {
			e.Events = s.Events
		}
		if s.Secret != nil && *s.Secret != masked {
			e.Secret = *s.Secret
		}
		if schedule != "" {
			e.Schedule = schedule
		}
		if s.Timeout != nil {
			e.Timeout = time.Duration(math.Round(*s.Timeout*1000)) * time.Millisecond
		}
		if s.Headers != nil {
			e.Headers = s.headers(e.Headers)
		}
	}, nil
}

func set[T any](to, v *T) {
	if v != nil {
		*to = *v
	}
}

// headers are the new pairs. A masked value keeps the old one.
func (s *WebhookSettings) headers(was [][2]string) [][2]string {
	var out [][2]string
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		v := s.Headers[name]
		if v == nil {
			continue
		}
		value := *v
		for _, p := range was {
			if value == masked && strings.EqualFold(p[0], name) {
				value = p[1]
			}
		}
		out = append(out, [2]string{name, value})
	}
	return out
}

// schedule is the schedule as it is stored, "" when nothing is said.
func (s *WebhookSettings) schedule() (string, error) {
	switch v := s.Schedule.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			n, ok := x.(float64)
			if !ok {
				return "", paraph.FieldErrorf("schedule", "The list of a schedule holds seconds.")
			}
			parts[i] = strconv.FormatFloat(n, 'f', -1, 64)
		}
		return strings.Join(parts, ","), nil
	}
	return "", paraph.FieldErrorf("schedule", "The schedule is seed, standard, or a list of seconds.")
}

func (a *api) createWebhook(ctx context.Context, in *webhookCreation) (out Webhook, err error) {
	s, err := in.Body.value()
	if err != nil {
		return out, err
	}
	edit, err := s.edit()
	if err != nil {
		return out, err
	}
	e := paraph.Endpoint{Enabled: true}
	edit(&e)
	if e, err = a.desk.CreateEndpoint(ctx, whoOf(ctx), e); err != nil {
		return out, err
	}
	out = webhookOf(e, paraph.Lane{}, Health{})
	out.SigningSecret = e.SigningSecret
	return out, nil
}

func (a *api) listWebhooks(ctx context.Context, q *PageQuery) (p Page[Webhook], err error) {
	account := whoOf(ctx).AccountID
	all, err := a.store.Endpoints(ctx, account)
	if err != nil {
		return p, err
	}
	out, err := a.healthyAll(ctx, account, cut(all, *q))
	if err != nil {
		return p, err
	}
	return paged(out, func(w Webhook) int64 { return w.ID }), nil
}

// cut takes a page out of an account's few endpoints, which come oldest first.
func cut(all []paraph.Endpoint, q PageQuery) []paraph.Endpoint {
	all = slices.DeleteFunc(slices.Clone(all), func(e paraph.Endpoint) bool {
		return q.After > 0 && e.ID >= q.After || q.Before > 0 && e.ID <= q.Before
	})
	n := min(q.limit(), len(all))
	if q.Before > 0 {
		all = all[:n]
	} else {
		all = all[len(all)-n:]
	}
	slices.Reverse(all)
	return all
}

func (a *api) getWebhook(ctx context.Context, in *ByID) (Webhook, error) {
	e, err := a.store.Endpoint(ctx, whoOf(ctx).AccountID, in.ID)
	if err != nil {
		return Webhook{}, err
	}
	return a.healthy(ctx, e)
}

func (a *api) updateWebhook(ctx context.Context, in *webhookUpdate) (out Webhook, err error) {
	s, err := in.Body.value()
	if err != nil {
		return out, err
	}
	edit, err := s.edit()
	if err != nil {
		return out, err
	}
	e, err := a.desk.UpdateEndpoint(ctx, whoOf(ctx), in.ID, edit)
	if err != nil {
		return out, err
	}
	return a.healthy(ctx, e)
}

// Deleted names what is gone.
type Deleted struct {
	ID      int64 `json:"id"`
	Deleted bool  `json:"deleted"`
}

func (a *api) deleteWebhook(ctx context.Context, in *ByID) (Deleted, error) {
	return Deleted{in.ID, true}, a.desk.DeleteEndpoint(ctx, whoOf(ctx), in.ID)
}

// TestEvent asks for a test.
type TestEvent struct {
	Event string `json:"event" required:"true" example:"form.completed"`
}

type webhookTest struct {
	ByID
	Body input[TestEvent]
}

func (a *api) testWebhook(ctx context.Context, in *webhookTest) (DeliveryRow, error) {
	t, err := in.Body.value()
	if err != nil {
		return DeliveryRow{}, err
	}
	d, err := a.desk.SendTest(ctx, whoOf(ctx), in.ID, t.Event)
	return rowOf(d), err
}
