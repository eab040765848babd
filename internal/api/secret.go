package api

import (
	"context"
	"math"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// Failing is what is known of a webhook that takes nothing.
type Failing struct {
	Since     webhook.Stamp `json:"since" doc:"The first failure after the last success."`
	LastAt    webhook.Stamp `json:"last_at" doc:"The latest failure that was noted; one an hour is."`
	LastCode  string        `json:"last_code" example:"http_503"`
	LastError string        `json:"last_error" doc:"The same for people."`
	OffAt     webhook.Stamp `json:"off_at" doc:"When it will be switched off unless a delivery succeeds before; null when it is off."`
}

func failingOf(e paraph.Endpoint) *Failing {
	f := e.Failing
	if f.Since.IsZero() {
		return nil
	}
	out := &Failing{Since: webhook.Stamp(f.Since), LastAt: webhook.Stamp(f.Last), LastCode: f.Code, LastError: f.Error}
	if e.Enabled {
		out.OffAt = webhook.Stamp(f.OffAt())
	}
	return out
}

// WebhookSecrets are all secrets of a webhook.
type WebhookSecrets struct {
	ID                    int64             `json:"id"`
	SigningSecret         string            `json:"signing_secret" doc:"Signs every request: webhook-signature, and X-Docuseal-Signature."`
	PreviousSigningSecret *string           `json:"previous_signing_secret" doc:"Signs too until its time is over: webhook-signature then has two signatures."`
	PreviousUntil         webhook.Stamp     `json:"previous_until"`
	Secret                string            `json:"secret" doc:"Sent as it is in X-Documenso-Secret."`
	Headers               map[string]string `json:"headers"`
}

func (a *api) webhookSecrets(ctx context.Context, in *ByID) (out WebhookSecrets, err error) {
	e, err := a.desk.Secrets(ctx, whoOf(ctx), in.ID)
	if err != nil {
		return out, err
	}
	out = WebhookSecrets{ID: e.ID, SigningSecret: e.SigningSecret, Secret: e.Secret, Headers: map[string]string{}}
	if keys := e.SigningSecrets(a.cfg.Store.Now()); len(keys) > 1 {
		out.PreviousSigningSecret, out.PreviousUntil = &keys[1], webhook.Stamp(e.PreviousUntil)
	}
	for _, p := range e.Headers {
		out.Headers[p[0]] = p[1]
	}
	return out, nil
}

// SecretRotation is how a new signing secret takes over.
type SecretRotation struct {
	SigningSecret *string  `json:"signing_secret" doc:"One of your own: whsec_ and base64 of 24 to 64 bytes, or another text of 16 characters at least. Made when left out."`
	GraceHours    *float64 `json:"grace_hours" doc:"For how long requests have a second signature, with the old secret: 0 to 168; 24 when left out."`
}

type webhookRotation struct {
	ByID
	Body *input[SecretRotation] // may be left out
}

func (a *api) rotateSecret(ctx context.Context, in *webhookRotation) (out Webhook, err error) {
	if in.Body == nil {
		in.Body = &input[SecretRotation]{}
	}
	s, err := in.Body.value()
	if err != nil {
		return out, err
	}
	r := desk.Rotation{Grace: paraph.DefaultGrace}
	set(&r.Secret, s.SigningSecret)
	if h := s.GraceHours; h != nil {
		if !(*h >= 0 && *h <= paraph.MaxGrace.Hours()) {
			return out, paraph.FieldErrorf("grace_hours", "The old secret can stay valid for 0 to %d hours.", int(paraph.MaxGrace.Hours()))
		}
		r.Grace = time.Duration(math.Round(*h*3600)) * time.Second
	}
	e, err := a.desk.RotateSecret(ctx, whoOf(ctx), in.ID, r)
	if err != nil {
		return out, err
	}
	out, err = a.healthy(ctx, e)
	out.SigningSecret = e.SigningSecret
	return out, err
}

func (a *api) endPreviousSecret(ctx context.Context, in *ByID) (Webhook, error) {
	e, err := a.desk.EndPreviousSecret(ctx, whoOf(ctx), in.ID)
	if err != nil {
		return Webhook{}, err
	}
	return a.healthy(ctx, e)
}

// EnabledWebhook is a webhook that was switched on.
type EnabledWebhook struct {
	Webhook
	Missed *Missed `json:"missed" doc:"What failed or was skipped while it was off; replay it from there. null when it was on."`
}

// Missed is what a webhook did not get.
type Missed struct {
	Since webhook.Stamp `json:"since"`
	Count int           `json:"count" doc:"Deliveries that failed or were skipped since."`
}

func (a *api) enableWebhook(ctx context.Context, in *ByID) (out EnabledWebhook, err error) {
	e, missed, err := a.desk.EnableEndpoint(ctx, whoOf(ctx), in.ID)
	if err != nil {
		return out, err
	}
	if !missed.Since.IsZero() {
		out.Missed = &Missed{webhook.Stamp(missed.Since), missed.N}
	}
	out.Webhook, err = a.healthy(ctx, e)
	return out, err
}
