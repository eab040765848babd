package api

import (
	"context"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

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
	Schedule *ScheduleLeft   `json:"schedule" doc:"What is still to come; null when the delivery has ended."`
	Attempts []AttemptDetail `json:"attempts"`
}

// ScheduleLeft is what a pending delivery's schedule still holds.
type ScheduleLeft struct {
	Attempt   int             `json:"attempt" doc:"The next one, counted from 1 since the delivery was queued last."`
	Of        int             `json:"of"`
	At        webhook.Stamp   `json:"at" doc:"When it is due. A time that is past means that it is being made or waits for its turn."`
	Then      []webhook.Stamp `json:"then" doc:"When the others come at the earliest, if all fail. Up to a tenth of the wait is added by chance, and Retry-After is honoured."`
	GivesUpAt webhook.Stamp   `json:"gives_up_at" doc:"When the last of them comes at the earliest."`
}

func scheduleLeft(e paraph.Endpoint, d paraph.Delivery) *ScheduleLeft {
	s, err := webhook.ScheduleOf(e, d)
	if err != nil || d.State != paraph.DeliveryPending {
		return nil
	}
	left := &ScheduleLeft{
		Attempt: d.Attempts - d.Before + 1, Of: s.Attempts(), At: webhook.Stamp(d.NextAttemptAt),
		Then: []webhook.Stamp{}, GivesUpAt: webhook.Stamp(d.NextAttemptAt),
	}
	for _, at := range s.Ahead(left.Attempt, d.NextAttemptAt) {
		left.Then, left.GivesUpAt = append(left.Then, webhook.Stamp(at)), webhook.Stamp(at)
	}
	return left
}

// AttemptDetail is one try.
type AttemptDetail struct {
	Number          int           `json:"number"`
	At              webhook.Stamp `json:"at"`
	Status          *int          `json:"status"`
	Error           *string       `json:"error" doc:"A stable code; null for a success."`
	Message         *string       `json:"message" doc:"The same for people."`
	Advice          *string       `json:"advice" doc:"What that means for the receiver, and what to do; null for a success."`
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
		out.Error, out.Message, out.Advice = orNull(t.Code), orNull(t.Error), orNull(webhook.Advice(t.Code, t.Status))
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

// LogFilter narrows the log.
type LogFilter struct {
	State  string `query:"state" doc:"pending, succeeded, failed or skipped."`
	Event  string `query:"event" doc:"Such as form.completed."`
	Since  string `query:"since" doc:"Created at or after this time, in ISO 8601."`
	Until  string `query:"until" doc:"Created before this time."`
	Query  string `query:"q" doc:"A delivery's, a submission's or a message's id."`
	Code   string `query:"code" doc:"How the last attempt ended: an error code such as timeout, a status such as 503, 5xx for all of a kind, or none for no answer."`
	Replay int64  `query:"replay_id" doc:"Queued last by this replay."`

	SubmissionID int64 `query:"submission_id"`
}

type deliveryFilter struct {
	ByID
	PageQuery
	LogFilter
}

type allDeliveriesFilter struct {
	WebhookID int64 `query:"webhook_id"`
	PageQuery
	LogFilter
}

type deliveryFileFilter struct {
	WebhookID int64 `query:"webhook_id"`
	LogFilter
}

// filter reads what narrows the log, or says what can't be read.
func (l LogFilter) filter() (f store.DeliveryFilter, err error) {
	f = store.DeliveryFilter{EnvelopeID: l.SubmissionID, ReplayID: l.Replay, State: paraph.DeliveryState(l.State), Code: l.Code, Query: l.Query}
	if l.State != "" && !slices.Contains(paraph.DeliveryStates(), f.State) {
		return f, paraph.FieldErrorf("state", "“%s” is not a state: pending, succeeded, failed or skipped.", short(l.State))
	}
	if l.Event != "" {
		n, ok := webhook.Lookup(l.Event)
		if !ok {
			return f, paraph.FieldErrorf("event", "There is no event “%s”.", short(l.Event))
		}
		f.Event = n.Name
	}
	if f.Since, err = parseTime("since", l.Since); err != nil {
		return f, err
	}
	f.Until, err = parseTime("until", l.Until)
	return f, err
}

func (a *api) listDeliveries(ctx context.Context, in *deliveryFilter) (p Page[DeliveryRow], err error) {
	if _, err := a.store.Endpoint(ctx, whoOf(ctx).AccountID, in.ID); err != nil {
		return p, err
	}
	return a.deliveryPage(ctx, in.ID, in.LogFilter, in.PageQuery)
}

func (a *api) listAllDeliveries(ctx context.Context, in *allDeliveriesFilter) (Page[DeliveryRow], error) {
	return a.deliveryPage(ctx, in.WebhookID, in.LogFilter, in.PageQuery)
}

// deliveryPage is a page of the log, of one webhook or (0) of all of the account.
func (a *api) deliveryPage(ctx context.Context, endpointID int64, l LogFilter, q PageQuery) (p Page[DeliveryRow], err error) {
	f, err := l.filter()
	if err != nil {
		return p, err
	}
	f.EndpointID, f.Before, f.After, f.Limit = endpointID, q.After, q.Before, q.limit()
	found, err := a.store.DeliveryLog(ctx, whoOf(ctx).AccountID, f)
	if err != nil {
		return p, err
	}
	var out []DeliveryRow
	for _, d := range found.Deliveries {
		out = append(out, rowOf(d))
	}
	p = paged(out, func(d DeliveryRow) int64 { return d.ID })
	if found.LookedTo > 0 { // there may be more beyond what one page looks at
		if q.Before > 0 {
			p.Pagination.Prev = &found.LookedTo
		} else {
			p.Pagination.Next = &found.LookedTo
		}
	}
	return p, nil
}

// exportDeliveries is the log as a file, written as it is read.
func (a *api) exportDeliveries(ctx context.Context, in *deliveryFileFilter) (*huma.StreamResponse, error) {
	c, account := callOf(ctx), whoOf(ctx).AccountID
	f, err := in.filter()
	if err != nil {
		return nil, a.failed(c, err, true)
	}
	f.EndpointID = in.WebhookID
	return &huma.StreamResponse{Body: func(to huma.Context) {
		to.SetHeader("Content-Type", "text/csv; charset=utf-8")
		to.SetHeader("Content-Disposition", `attachment; filename="deliveries-`+a.cfg.Store.Now().Format(time.DateOnly)+`.csv"`)
		if err := a.store.ExportDeliveries(ctx, account, f, to.BodyWriter()); err != nil {
			panic(http.ErrAbortHandler) // a file cut short must not look whole
		}
	}}, nil
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
	e, err := a.store.Endpoint(ctx, account, d.EndpointID)
	if err != nil && paraph.KindOf(err) != paraph.NotFound { // deleted since
		return out, err
	}
	_, secrets := webhook.Readable(d.Body)
	secrets = append(secrets, e.Secrets()...)
	out = DeliveryDetail{DeliveryRow: rowOf(d), Schedule: scheduleLeft(e, d), Attempts: []AttemptDetail{}}
	for _, t := range attempts {
		out.Attempts = append(out.Attempts, attemptOf(t, secrets))
	}
	out.Body, err = maskTokens(d.Body)
	return out, err
}

func (a *api) resendDelivery(ctx context.Context, in *ByID) (DeliveryRow, error) {
	d, err := a.desk.Resend(ctx, whoOf(ctx), in.ID)
	return rowOf(d), err
}
