package api

import (
	"context"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// DeliveryRow is a delivery as lists show it.
type DeliveryRow struct {
	ID            int64         `json:"id"`
	WebhookID     int64         `json:"webhook_id"`
	Sequence      int64         `json:"sequence" doc:"Grows with every event of the server; 0 for a test."`
	Event         string        `json:"event"`
	MessageID     string        `json:"message_id" doc:"The header webhook-id, the same on every attempt."`
	SubmissionID  *int64        `json:"submission_id"`
	Test          bool          `json:"test"`
	State         string        `json:"state" doc:"pending, succeeded, failed or skipped."`
	Attempts      int           `json:"attempts" doc:"How many were made."`
	NextAttemptAt webhook.Stamp `json:"next_attempt_at" doc:"null when none will be made."`
	LastStatus    *int          `json:"last_status" doc:"HTTP status of the last attempt; null when there was no answer."`
	LastError     *string       `json:"last_error" doc:"A stable code; null after a success."`
	CreatedAt     webhook.Stamp `json:"created_at"`
	FinishedAt    webhook.Stamp `json:"finished_at"`
}

func rowOf(d paraph.Delivery) DeliveryRow {
	row := DeliveryRow{
		ID: d.ID, WebhookID: d.EndpointID, Sequence: d.EventID, Event: d.EventName, MessageID: d.MessageID, Test: d.Test,
		State: string(d.State), Attempts: d.Attempts, CreatedAt: webhook.Stamp(d.CreatedAt), FinishedAt: webhook.Stamp(d.FinishedAt),
		SubmissionID: orNull(d.EnvelopeID), LastStatus: orNull(d.LastStatus), LastError: orNull(d.LastError),
	}
	if d.State == paraph.DeliveryPending {
		row.NextAttemptAt = webhook.Stamp(d.NextAttemptAt)
	}
	return row
}

// orNull is a value that is null when it is zero.
func orNull[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// DeliveryDetail is a delivery with its body and attempts.
type DeliveryDetail struct {
	DeliveryRow
	Body     rawJSON         `json:"body" doc:"As it was sent, with the tokens of signing links masked."`
	Attempts []AttemptDetail `json:"attempts"`
}

// AttemptDetail is one try.
type AttemptDetail struct {
	Number          int           `json:"number"`
	At              webhook.Stamp `json:"at"`
	Status          *int          `json:"status"`
	Error           *string       `json:"error" doc:"A stable code; null for a success."`
	Message         *string       `json:"message" doc:"The same for people."`
	DurationMS      float64       `json:"duration_ms"`
	Timings         Timings       `json:"timings" doc:"Milliseconds from the start to the end of each phase; null for those that did not happen."`
	RemoteAddress   *string       `json:"remote_address"`
	RequestHeaders  []Header      `json:"request_headers" doc:"Secrets are masked."`
	ResponseHeaders []Header      `json:"response_headers"`
	ResponseBody    string        `json:"response_body" doc:"The first 8 KiB."`
	Truncated       bool          `json:"truncated"`
}

// Timings are in milliseconds.
type Timings struct {
	DNS       *float64 `json:"dns"`
	Connect   *float64 `json:"connect"`
	TLS       *float64 `json:"tls"`
	FirstByte *float64 `json:"first_byte"`
	Total     *float64 `json:"total"`
}

// Header is a header as it was sent.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func headersOf(pairs [][2]string, secrets []string) []Header {
	out := make([]Header, len(pairs))
	for i, p := range pairs {
		out[i] = Header{p[0], webhook.Mask(p[1], secrets)}
	}
	return out
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// attemptOf is an attempt without the secrets that a receiver may echo.
func attemptOf(t paraph.Attempt, secrets []string) AttemptDetail {
	out := AttemptDetail{
		Number: t.Number, At: webhook.Stamp(t.At), Status: orNull(t.Status), DurationMS: millis(t.Duration),
		Timings: Timings{
			DNS: orNull(millis(t.Timings.DNS)), Connect: orNull(millis(t.Timings.Connect)), TLS: orNull(millis(t.Timings.TLS)),
			FirstByte: orNull(millis(t.Timings.FirstByte)), Total: orNull(millis(t.Timings.Total)),
		},
		RemoteAddress: orNull(t.RemoteAddress), RequestHeaders: headersOf(t.RequestHeaders, secrets), ResponseHeaders: headersOf(t.ResponseHeaders, secrets),
		ResponseBody: webhook.Mask(text(t.ResponseBody), secrets), Truncated: t.Truncated,
	}
	if t.Code != "ok" {
		out.Error, out.Message = orNull(t.Code), orNull(t.Error)
	}
	return out
}

// text is what a receiver answered as JSON can carry it.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string([]rune(string(b))) // what is no UTF-8 becomes U+FFFD
}

type deliveryFilter struct {
	ByID
	PageQuery
	State  string `query:"state" doc:"pending, succeeded, failed or skipped."`
	Event  string `query:"event" doc:"Such as form.completed."`
	Since  string `query:"since" doc:"Created at or after this time, in ISO 8601."`
	Until  string `query:"until" doc:"Created before this time."`
	Query  string `query:"q" doc:"A delivery's, a submission's or a message's id."`
	Code   string `query:"code" doc:"How the last attempt ended: an error code such as timeout, a status such as 503, 5xx for all of a kind, or none for no answer."`
	Replay int64  `query:"replay_id" doc:"Queued last by this replay."`

	SubmissionID int64 `query:"submission_id"`
}

func (a *api) listDeliveries(ctx context.Context, in *deliveryFilter) (p Page[DeliveryRow], err error) {
	account := whoOf(ctx).AccountID
	if _, err := a.store.Endpoint(ctx, account, in.ID); err != nil {
		return p, err
	}
	f := store.DeliveryFilter{
		EndpointID: in.ID, EnvelopeID: in.SubmissionID, ReplayID: in.Replay, State: paraph.DeliveryState(in.State), Code: in.Code, Query: in.Query,
		Before: in.After, After: in.Before, Limit: in.limit(),
	}
	if in.State != "" && !slices.Contains(paraph.DeliveryStates(), f.State) {
		return p, paraph.FieldErrorf("state", "“%s” is not a state: pending, succeeded, failed or skipped.", short(in.State))
	}
	if in.Event != "" {
		n, ok := webhook.Lookup(in.Event)
		if !ok {
			return p, paraph.FieldErrorf("event", "There is no event “%s”.", short(in.Event))
		}
		f.Event = n.Name
	}
	if f.Since, err = parseTime("since", in.Since); err != nil {
		return p, err
	}
	if f.Until, err = parseTime("until", in.Until); err != nil {
		return p, err
	}
	found, err := a.store.DeliveryLog(ctx, account, f)
	if err != nil {
		return p, err
	}
	var out []DeliveryRow
	for _, d := range found.Deliveries {
		out = append(out, rowOf(d))
	}
	p = paged(out, func(d DeliveryRow) int64 { return d.ID })
	if found.LookedTo > 0 { // there may be more beyond what one page looks at
		if in.Before > 0 {
			p.Pagination.Prev = &found.LookedTo
		} else {
			p.Pagination.Next = &found.LookedTo
		}
	}
	return p, nil
}

func (a *api) getDelivery(ctx context.Context, in *ByID) (out DeliveryDetail, err error) {
	account := whoOf(ctx).AccountID
	d, err := a.store.Delivery(ctx, account, in.ID)
	if err != nil {
		return out, err
	}
	attempts, err := a.store.Attempts(ctx, account, in.ID)
	if err != nil {
		return out, err
	}
	secrets, err := a.secretsOf(ctx, d)
	if err != nil {
		return out, err
	}
	out = DeliveryDetail{DeliveryRow: rowOf(d), Attempts: []AttemptDetail{}}
	for _, t := range attempts {
		out.Attempts = append(out.Attempts, attemptOf(t, secrets))
	}
	out.Body, err = maskTokens(d.Body)
	return out, err
}

// secretsOf are the strings in a delivery that must not be read from its log.
func (a *api) secretsOf(ctx context.Context, d paraph.Delivery) ([]string, error) {
	_, secrets := webhook.Readable(d.Body)
	e, err := a.store.Endpoint(ctx, d.AccountID, d.EndpointID)
	if paraph.KindOf(err) == paraph.NotFound { // deleted since
		return secrets, nil
	}
	return append(secrets, e.Secrets()...), err
}

func (a *api) resendDelivery(ctx context.Context, in *ByID) (DeliveryRow, error) {
	d, err := a.desk.Resend(ctx, whoOf(ctx), in.ID)
	return rowOf(d), err
}
