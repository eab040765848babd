package desk

import (
	"context"
	"fmt"
	"slices"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// consequence is what follows from an event. All of it is queued in the
// event's transaction.
type consequence struct {
	hooks []hook
	mails func(e *paraph.Envelope, ev paraph.Event) []letter
	job   string // the kind of a job about the envelope, due at once
}

// hook is a webhook event that follows, and about whom.
type hook struct {
	name string
	// about picks the recipients that it is told of, one body each; 0 is nobody
	// in particular. nil: the one that the event is about. The snapshot's trail
	// is whole, with what the same transaction appended after the event.
	about func(s *webhook.Snapshot, ev paraph.Event) []int64
}

func hooks(names ...string) []hook {
	hs := make([]hook, len(names))
	for i, n := range names {
		hs[i].name = n
	}
	return hs
}

// consequences is THE table: after this event, that happens.
//
// form.completed promises that the recipient's PDFs can be downloaded. For
// everybody but the last that holds when they finish; for the last, whose
// documents are the sealed ones, when the envelope is sealed.
var consequences = map[paraph.EventType]consequence{
	paraph.EnvelopeCreated:   {hooks: hooks("document.created", "submission.created")},
	paraph.EnvelopeSent:      {hooks: hooks("document.sent")},
	paraph.RecipientInvited:  {mails: toRecipient(mailInvitation)},
	paraph.RecipientReminded: {mails: toRecipient(mailReminder), hooks: hooks("document.reminder.sent")},
	paraph.RecipientViewed:   {hooks: hooks("document.opened", "form.viewed")},
	paraph.RecipientStarted:  {hooks: hooks("form.started")},
	paraph.RecipientFinished: {hooks: append(hooks("document.signed", "document.recipient.completed"), hook{"form.completed", notLast})},
	paraph.RecipientRefused:  {hooks: hooks("document.rejected", "form.declined"), mails: afterRefusal},
	paraph.EnvelopeCompleted: {job: jobSeal},
	paraph.EnvelopeSealed: {
		hooks: append([]hook{{"form.completed", lastToAct}}, hooks("document.completed", "submission.completed")...),
		mails: afterSealing,
	},
	paraph.EnvelopeCancelled: {hooks: hooks("document.cancelled"), mails: toInvited(mailCancelled)},
	paraph.EnvelopeExpired:   {hooks: append([]hook{{"recipient.expired", unfinished}}, hooks("submission.expired")...)},
	paraph.EnvelopeArchived:  {hooks: hooks("submission.archived")},
	paraph.EnvelopeDeleted:   {hooks: []hook{{"document.cancelled", unlessCancelled}}},
}

// everyone is about nobody in particular: one body.
var everyone = []int64{0}

// notLast is the recipient who finished, unless nobody had to act after them.
func notLast(s *webhook.Snapshot, ev paraph.Event) []int64 {
	if s.Envelope.Status == paraph.Completed && lastFinished(s) == ev.RecipientID {
		return nil
	}
	return []int64{ev.RecipientID}
}

// lastToAct is the recipient who finished last.
func lastToAct(s *webhook.Snapshot, _ paraph.Event) []int64 { return []int64{lastFinished(s)} }

func lastFinished(s *webhook.Snapshot) int64 {
	for _, ev := range slices.Backward(s.Trail) {
		if ev.Type == paraph.RecipientFinished {
			return ev.RecipientID
		}
	}
	return 0
}

func unfinished(s *webhook.Snapshot, _ paraph.Event) []int64 {
	var ids []int64
	for _, r := range s.Envelope.Recipients {
		if !r.Done() {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// unlessCancelled keeps a deleted envelope from being told of as cancelled
// twice.
func unlessCancelled(s *webhook.Snapshot, _ paraph.Event) []int64 {
	if s.Envelope.Status == paraph.Cancelled {
		return nil
	}
	return everyone
}

func toRecipient(kind mailKind) func(*paraph.Envelope, paraph.Event) []letter {
	return func(e *paraph.Envelope, ev paraph.Event) []letter {
		r, ok := e.Recipient(ev.RecipientID)
		if !ok || r.Email == "" || !r.SendEmail && kind == mailInvitation {
			return nil
		}
		return []letter{{Kind: kind, RecipientID: r.ID}}
	}
}

func toInvited(kind mailKind) func(*paraph.Envelope, paraph.Event) []letter {
	return func(e *paraph.Envelope, _ paraph.Event) []letter {
		var out []letter
		for _, r := range e.Recipients {
			if !r.SentAt.IsZero() && r.SendEmail && r.Email != "" {
				out = append(out, letter{Kind: kind, RecipientID: r.ID})
			}
		}
		return out
	}
}

// afterRefusal tells the owner, and those who were asked to act.
func afterRefusal(e *paraph.Envelope, ev paraph.Event) []letter {
	out := []letter{{Kind: mailDeclined, UserID: e.OwnerID, About: ev.RecipientID}}
	for _, l := range toInvited(mailDeclined)(e, ev) {
		if l.RecipientID != ev.RecipientID {
			l.About = ev.RecipientID
			out = append(out, l)
		}
	}
	return out
}

// afterSealing hands the sealed documents to everybody, copies included.
func afterSealing(e *paraph.Envelope, _ paraph.Event) []letter {
	out := []letter{{Kind: mailCompleted, UserID: e.OwnerID}}
	for _, r := range e.Recipients {
		if r.SendEmail && r.Email != "" {
			out = append(out, letter{Kind: mailCompleted, RecipientID: r.ID})
		}
	}
	return out
}

// follow queues what follows from events that were just appended.
func (d *Desk) follow(ctx context.Context, tx *store.Tx, e *paraph.Envelope, events []paraph.Event) error {
	if err := d.followHooks(ctx, tx, e, events); err != nil {
		return err
	}
	for _, ev := range events {
		c := consequences[ev.Type]
		if c.job != "" {
			if err := d.queue(ctx, tx, store.Job{Kind: c.job, AccountID: e.AccountID, EnvelopeID: e.ID, DueAt: tx.Now()}); err != nil {
				return err
			}
		}
		if ev.Type == paraph.EnvelopeSealed && !e.StampAt.IsZero() {
			if err := d.queue(ctx, tx, store.Job{Kind: jobTimestamp, AccountID: e.AccountID, EnvelopeID: e.ID, DueAt: tx.Now()}); err != nil {
				return err
			}
		}
		if ev.Type == paraph.RecipientFinished && e.OwnSignatures && e.Status == paraph.Pending { // the last one's is signed when it is sealed
			if err := d.queue(ctx, tx, store.Job{Kind: jobSign, AccountID: e.AccountID, EnvelopeID: e.ID, DueAt: tx.Now()}); err != nil {
				return err
			}
		}
		if ev.Type == paraph.EnvelopeSent && !e.ExpireAt.IsZero() {
			if err := d.queue(ctx, tx, store.Job{Kind: jobExpire, AccountID: e.AccountID, EnvelopeID: e.ID, DueAt: e.ExpireAt}); err != nil {
				return err
			}
		}
		if c.mails == nil {
			continue
		}
		for _, l := range c.mails(e, ev) {
			if err := d.queueMail(ctx, tx, e.AccountID, e.ID, l); err != nil {
				return err
			}
		}
	}
	return nil
}

// followHooks renders a body for each endpoint and each listener that asks for
// it, and queues it. What bodies are rendered from is read only when somebody
// does.
func (d *Desk) followHooks(ctx context.Context, tx *store.Tx, e *paraph.Envelope, events []paraph.Event) error {
	if !slices.ContainsFunc(events, func(ev paraph.Event) bool { return len(consequences[ev.Type].hooks) > 0 }) {
		return nil
	}
	endpoints, err := tx.Endpoints(ctx, e.AccountID)
	if err != nil {
		return err
	}
	hearing, err := d.hearing(ctx, tx, e.AccountID)
	asks := func(to paraph.Endpoint) bool { return listens(to, events) }
	if err != nil || !slices.ContainsFunc(endpoints, asks) && !slices.ContainsFunc(hearing, asks) {
		return err
	}
	snapshot, err := d.snapshot(ctx, tx, e)
	if err != nil {
		return err
	}
	deliveries, err := tellAll(events, snapshot, endpoints)
	if err != nil {
		return err
	}
	heard, err := tellAll(events, snapshot, hearing)
	if err != nil {
		return err
	}
	if err := d.queueHeard(ctx, tx, heard); err != nil {
		return err
	}
	return d.queueDeliveries(ctx, tx, deliveries)
}

// tellAll is tell for every hook of events.
func tellAll(events []paraph.Event, s webhook.Snapshot, endpoints []paraph.Endpoint) ([]paraph.Delivery, error) {
	var out []paraph.Delivery
	for _, ev := range events {
		for _, h := range consequences[ev.Type].hooks {
			ds, err := tell(h, ev, s, endpoints)
			if err != nil {
				return nil, err
			}
			out = append(out, ds...)
		}
	}
	return out, nil
}

// listens reports whether an endpoint asks for anything that follows from
// events.
func listens(to paraph.Endpoint, events []paraph.Event) bool {
	return slices.ContainsFunc(events, func(ev paraph.Event) bool {
		return slices.ContainsFunc(consequences[ev.Type].hooks, func(h hook) bool { return webhook.Match(to.Events, h.name) })
	})
}

// snapshot is what the bodies of an envelope's events are rendered from.
func (d *Desk) snapshot(ctx context.Context, tx *store.Tx, e *paraph.Envelope) (s webhook.Snapshot, err error) {
	s = webhook.Snapshot{Envelope: *e, Links: d.webhookLinks(e, tx)}
	if s.Account, err = tx.Account(ctx, e.AccountID); err != nil {
		return s, err
	}
	if s.Owner, err = tx.User(ctx, e.OwnerID); err != nil {
		return s, err
	}
	s.Trail, err = tx.Events(ctx, e.AccountID, e.ID)
	return s, err
}

func (d *Desk) webhookLinks(e *paraph.Envelope, tx *store.Tx) webhook.Links {
	return webhook.Links{
		Document: func(doc paraph.Document) string { return d.Links.DocumentLink(e, doc, tx.Now()) },
		Picture:  func(f paraph.Field) string { return d.Links.ValueLink(e, f, tx.Now()) },
		AuditLog: func(e paraph.Envelope) string { return d.Links.AuditLink(&e, tx.Now()) },
		Envelope: func(e paraph.Envelope) string { return d.Links.Preview(e.Slug) },
		BytesAre: "FILE_PATH",
	}
}

// tell renders one hook of one event for every endpoint that listens. A switched
// off endpoint gets its deliveries too, as skipped, so that they can be
// replayed.
func tell(h hook, ev paraph.Event, s webhook.Snapshot, endpoints []paraph.Endpoint) ([]paraph.Delivery, error) {
	about := []int64{ev.RecipientID}
	if h.about != nil {
		about = h.about(&s, ev)
	}
	s.Trail = s.Trail[:slices.IndexFunc(s.Trail, func(t paraph.Event) bool { return t.Seq == ev.Seq })+1]
	var out []paraph.Delivery
	for _, recipientID := range about {
		s.Event = ev
		s.Event.RecipientID = recipientID
		for _, to := range endpoints {
			if !webhook.Match(to.Events, h.name) {
				continue
			}
			body, err := webhook.Render(h.name, s, to)
			if err != nil {
				return nil, fmt.Errorf("tell endpoint %d of event %d: %w", to.ID, ev.ID, err)
			}
			out = append(out, newDelivery(to, h.name, body, ev))
		}
	}
	return out, nil
}

func newDelivery(to paraph.Endpoint, name string, body []byte, ev paraph.Event) paraph.Delivery {
	d := paraph.Delivery{
		AccountID: to.AccountID, EndpointID: to.ID, EventID: ev.ID, EnvelopeID: ev.EnvelopeID, EventName: name,
		MessageID: "msg_" + paraph.NewToken(24), Body: body, State: paraph.DeliveryPending, NextAttemptAt: ev.At, CreatedAt: ev.At,
	}
	if !to.Enabled {
		d.State, d.FinishedAt = paraph.DeliverySkipped, ev.At
	}
	return d
}

// queueDeliveries stores deliveries, and wakes their lanes after the commit.
func (d *Desk) queueDeliveries(ctx context.Context, tx *store.Tx, ds []paraph.Delivery) error {
	if err := tx.InsertDeliveries(ctx, ds); err != nil {
		return err
	}
	for _, x := range ds {
		if x.State == paraph.DeliveryPending {
			tx.After(func() { d.lanes(x.EndpointID) })
		}
	}
	return nil
}

// queue stores a job, and wakes its kind after the commit.
func (d *Desk) queue(ctx context.Context, tx *store.Tx, j store.Job) error {
	if err := tx.InsertJob(ctx, &j); err != nil {
		return err
	}
	tx.After(func() { d.jobs.Wake(j.Kind) })
	return nil
}
