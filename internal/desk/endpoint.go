package desk

import (
	"context"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// checkEndpoint returns the endpoint as it is stored, what was left out filled
// in, or says what is wrong with it.
func (d *Desk) checkEndpoint(e paraph.Endpoint) (_ paraph.Endpoint, err error) {
	e.URL = strings.TrimSpace(e.URL)
	if err := d.Client.CheckURL(e.URL); err != nil {
		return e, at("url", err)
	}
	if e.Events, err = webhook.CheckEvents(e.Events); err != nil {
		return e, err
	}
	if err := webhook.CheckSecret(e.Secret); err != nil {
		return e, at("secret", err)
	}
	if err := webhook.CheckHeaders(e.Headers); err != nil {
		return e, at("headers", err)
	}
	if e.Schedule == "" {
		e.Schedule = paraph.DefaultSchedule
	}
	schedule, err := webhook.ParseSchedule(e.Schedule)
	if err != nil {
		return e, at("schedule", err)
	}
	e.Schedule = schedule.String()
	e.Description = paraph.Shorten(strings.TrimSpace(paraph.CleanLine(e.Description)), paraph.MaxNameLength)
	return e, checkPace(&e)
}

func checkPace(e *paraph.Endpoint) error {
	if e.Timeout == 0 {
		e.Timeout = paraph.DefaultTimeout
	}
	if e.Concurrency == 0 {
		e.Concurrency = paraph.DefaultConcurrency
	}
	switch {
	case e.Timeout < paraph.MinTimeout || e.Timeout > paraph.MaxTimeout:
		return paraph.FieldErrorf("timeout", "The timeout lies between 1 and 30 seconds.")
	case e.Concurrency < 1 || e.Concurrency > paraph.MaxConcurrency:
		return paraph.FieldErrorf("concurrency", "Between 1 and %d requests can run at once.", paraph.MaxConcurrency)
	case !(e.Rate >= 0 && e.Rate <= 10000):
		return paraph.FieldErrorf("rate", "The rate lies between 0 (no limit) and 10000 requests a second.")
	}
	return nil
}

// at puts an error beside an input, if it stands nowhere yet.
func at(field string, err error) error {
	if e, ok := err.(*paraph.Error); ok {
		c := *e
		if c.Field == "" {
			c.Field = field
		}
		return &c
	}
	return &paraph.Error{Kind: paraph.Invalid, Field: field, Message: err.Error()}
}

// CreateEndpoint adds a webhook to an account, with a signing secret of its
// own.
func (d *Desk) CreateEndpoint(ctx context.Context, who Who, e paraph.Endpoint) (paraph.Endpoint, error) {
	e, err := d.checkEndpoint(e)
	if err != nil {
		return e, err
	}
	e.AccountID, e.SigningSecret = who.AccountID, webhook.GenerateSecret()
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		all, err := tx.Endpoints(ctx, who.AccountID)
		if err != nil {
			return err
		}
		if len(all) >= paraph.MaxEndpoints {
			return paraph.Errorf(paraph.Invalid, "A space has at most %d webhooks.", paraph.MaxEndpoints)
		}
		e.CreatedAt, e.UpdatedAt = tx.Now(), tx.Now()
		if !e.Enabled {
			e.DisabledAt, e.DisabledBy = tx.Now(), paraph.OffByHand
		}
		return tx.InsertEndpoint(ctx, &e)
	})
	return e, err
}

// UpdateEndpoint changes a webhook: what edit makes of it, checked.
func (d *Desk) UpdateEndpoint(ctx context.Context, who Who, id int64, edit func(*paraph.Endpoint)) (out paraph.Endpoint, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		was, err := tx.Endpoint(ctx, who.AccountID, id)
		if err != nil {
			return err
		}
		e := was
		edit(&e)
		if e, err = d.checkEndpoint(e); err != nil {
			return err
		}
		e.UpdatedAt = tx.Now()
		if err := switchEndpoint(ctx, tx, was, &e, paraph.OffByHand, ""); err != nil {
			return err
		}
		out = e
		tx.After(func() { d.lanes(e.ID) })
		return tx.UpdateEndpoint(ctx, e)
	})
	return out, err
}

// switchEndpoint does what belongs to switching on or off: what is queued
// stops at once.
func switchEndpoint(ctx context.Context, tx *store.Tx, was paraph.Endpoint, e *paraph.Endpoint, by paraph.WhyOff, why string) error {
	if e.Enabled && (!was.Enabled || e.URL != was.URL) { // what failed before says nothing any more
		e.Failing = paraph.Failing{ExhaustedAt: e.Failing.ExhaustedAt}
		if err := tx.EndFailing(ctx, e.ID); err != nil {
			return err
		}
	}
	switch {
	case was.Enabled && !e.Enabled:
		e.DisabledAt, e.DisabledBy, e.DisabledWhy = tx.Now(), by, why
		return stopSending(ctx, tx, e.ID, "The webhook was switched off.")
	case !was.Enabled && e.Enabled:
		if e.SigningSecret == "" { // lost with the key; nothing goes out unsigned
			e.SigningSecret = webhook.GenerateSecret()
		}
		e.DisabledAt, e.DisabledBy, e.DisabledWhy = time.Time{}, "", ""
	}
	return nil
}

// DeleteEndpoint takes a webhook away; what is queued for it stops.
func (d *Desk) DeleteEndpoint(ctx context.Context, who Who, id int64) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.DeleteEndpoint(ctx, who.AccountID, id); err != nil {
			return err
		}
		tx.After(func() { d.lanes(id) })
		return stopSending(ctx, tx, id, "The webhook was deleted.")
	})
}

// endpointGone switches off an endpoint that answered 410 Gone, and tells
// whoever can do something about it.
func (d *Desk) endpointGone(ctx context.Context, tx *store.Tx, id int64) error {
	was, err := tx.AnyEndpoint(ctx, id)
	if paraph.KindOf(err) == paraph.NotFound {
		return nil
	}
	if err != nil || !was.Enabled {
		return err
	}
	return d.switchOff(ctx, tx, was, paraph.OffByGone, "It answered 410 Gone: it asked never to be called again.")
}
