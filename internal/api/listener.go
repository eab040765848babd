package api

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// Listener is a program that hears events while it is connected.
type Listener struct {
	ID         int64         `json:"id"`
	URL        string        `json:"url"`
	Events     []string      `json:"events"`
	OmitTokens bool          `json:"omit_tokens"`
	CreatedAt  webhook.Stamp `json:"created_at"`
	AskedAt    webhook.Stamp `json:"asked_at" doc:"When it last asked for events; two minutes later it is gone."`
}

func listenerOf(l paraph.Listener) Listener {
	return Listener{l.ID, l.URL, l.Events, l.OmitTokens, webhook.Stamp(l.CreatedAt), webhook.Stamp(l.AskedAt)}
}

// ListenerSettings are what can be said of a listener.
type ListenerSettings struct {
	URL        string   `json:"url" doc:"Where the events will be taken; stands in the bodies of Documenso's events. http://localhost/ when left out."`
	Events     []string `json:"events" required:"true" doc:"As for a webhook."`
	OmitTokens bool     `json:"omit_tokens" doc:"true: bodies have no tokens of signing links."`
}

type listenerCreation struct {
	Body input[ListenerSettings]
}

func (a *api) createListener(ctx context.Context, in *listenerCreation) (Listener, error) {
	s, err := in.Body.value()
	if err != nil {
		return Listener{}, err
	}
	l, err := a.desk.Listen(ctx, whoOf(ctx), paraph.Listener{URL: s.URL, Events: s.Events, OmitTokens: s.OmitTokens})
	return listenerOf(l), err
}

// Listeners are those that are connected.
type Listeners struct {
	Data []Listener `json:"data"`
}

func (a *api) listListeners(ctx context.Context, _ *struct{}) (Listeners, error) {
	out := Listeners{Data: []Listener{}}
	ls, err := a.store.Listeners(ctx, whoOf(ctx).AccountID, a.cfg.Store.Now().Add(-paraph.ListenerLife))
	for _, l := range ls {
		out.Data = append(out.Data, listenerOf(l))
	}
	return out, err
}

func (a *api) deleteListener(ctx context.Context, in *ByID) (Deleted, error) {
	return Deleted{in.ID, true}, a.desk.StopListening(ctx, whoOf(ctx), in.ID)
}

// ListenerQuestion asks for events.
type ListenerQuestion struct {
	Received []int64 `json:"received" doc:"Ids of events that were answered before and need not be answered again."`
	Limit    *int    `json:"limit" doc:"How many to answer: 100 when left out and at most; 0 to say only that the listener is there."`
	Wait     float64 `json:"wait" doc:"Seconds to wait when there is nothing, at most 30. 0 when left out."`
}

// ListenerEvents is what a listener is answered.
type ListenerEvents struct {
	Events      []ListenerEvent `json:"events"`
	MissedSince webhook.Stamp   `json:"missed_since" doc:"When not null, events passed the listener by from then until now, because 1,000 waited. It is told once, after all that waited."`
}

// ListenerEvent is an event as a webhook would have been sent it.
type ListenerEvent struct {
	ID        int64         `json:"id" doc:"To be named in received."`
	Event     string        `json:"event"`
	MessageID string        `json:"message_id" doc:"For the header webhook-id."`
	Sequence  int64         `json:"sequence" doc:"Grows with every event of the server; 0 for a test."`
	Test      bool          `json:"test"`
	CreatedAt webhook.Stamp `json:"created_at"`
	Body      string        `json:"body" doc:"The bytes of the request, as text."`
}

type listenerAsks struct {
	ByID
	Body input[ListenerQuestion]
}

func (a *api) hear(ctx context.Context, in *listenerAsks) (out ListenerEvents, err error) {
	q, err := in.Body.value()
	if err != nil {
		return out, err
	}
	if !(q.Wait >= 0 && q.Wait <= paraph.MaxListenWait.Seconds()) {
		return out, paraph.FieldErrorf("wait", "The wait lies between 0 and %g seconds.", paraph.MaxListenWait.Seconds())
	}
	limit := 100
	set(&limit, q.Limit)
	h, err := a.desk.Hear(ctx, whoOf(ctx), in.ID, desk.Question{Received: q.Received, Limit: limit, Wait: time.Duration(q.Wait * float64(time.Second))})
	if err != nil {
		return out, err
	}
	out = ListenerEvents{Events: []ListenerEvent{}, MissedSince: webhook.Stamp(h.FullSince)}
	for _, e := range h.Events {
		out.Events = append(out.Events, ListenerEvent{e.ID, e.EventName, e.MessageID, e.EventID, e.Test, webhook.Stamp(e.At), string(e.Body)})
	}
	return out, nil
}

// ListenerTest says who was told of a test.
type ListenerTest struct {
	Event     string `json:"event"`
	Listening int    `json:"listening" doc:"How many listeners there are."`
	Told      int    `json:"told" doc:"How many of them ask for this event, and were told."`
}

type listenerTrial struct {
	Body input[TestEvent]
}

func (a *api) testListeners(ctx context.Context, in *listenerTrial) (out ListenerTest, err error) {
	t, err := in.Body.value()
	if err != nil {
		return out, err
	}
	out.Event = t.Event
	if n, ok := webhook.Lookup(t.Event); ok {
		out.Event = n.Name
	}
	out.Listening, out.Told, err = a.desk.TestListeners(ctx, whoOf(ctx), t.Event)
	return out, err
}
