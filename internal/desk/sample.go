package desk

import (
	"context"
	"net/url"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// sample is a made-up story in which every event happens, for test sends: the
// snapshot right after the event. Its people and its envelope don't exist.
func (d *Desk) sample(ctx context.Context, tx *store.Tx, who Who, n webhook.Name) (s webhook.Snapshot, err error) {
	account, err := tx.Account(ctx, who.AccountID)
	if err != nil {
		return s, err
	}
	owner, err := tx.User(ctx, who.UserID)
	if err != nil {
		return s, err
	}
	return sampleOf(who, account, owner, d.Links.Base, tx.Now(), n)
}

// Example is an event's body as documentation shows it: the same at each call.
// It goes to an endpoint at url, and its links begin with base.
func Example(n webhook.Name, base, url string) ([]byte, error) {
	owner := paraph.User{ID: 1, Name: "Olga Owner", Email: "olga@example.com"}
	account := paraph.Account{ID: 1, Kind: paraph.Team, Name: "Example"}
	who := Who{AccountID: account.ID, UserID: owner.ID, Actor: paraph.Actor{Kind: paraph.ByUser, UserID: owner.ID, Name: owner.Name, Email: owner.Email}}
	s, err := sampleOf(who, account, owner, base, time.Date(2026, 9, 14, 10, 0, 0, 0, time.UTC), n)
	if err != nil {
		return nil, err
	}
	return webhook.Render(n.Name, s, paraph.Endpoint{URL: url})
}

func sampleOf(who Who, account paraph.Account, owner paraph.User, base string, now time.Time, n webhook.Name) (webhook.Snapshot, error) {
	s := webhook.Snapshot{Account: account, Owner: owner, Links: sampleLinks(base)}
	story := tellStory(who, now, sampleBranch(n.Name))
	for i, ev := range story.events {
		for _, h := range consequences[ev.Type].hooks {
			if h.name != n.Name {
				continue
			}
			s.Event, s.Envelope, s.Trail = ev, story.after[i], story.events[:i+1]
			if h.about != nil {
				about := h.about(&s, ev)
				if len(about) == 0 {
					continue
				}
				s.Event.RecipientID = about[0]
			}
			return s, nil
		}
	}
	return s, paraph.Errorf(paraph.Internal, "the sample has no %s", n.Name)
}

// sampleLinks lead nowhere. They must not be signed ones: the numbers of the
// sample may be those of somebody's real envelope.
func sampleLinks(base string) webhook.Links {
	return webhook.Links{
		Document: func(doc paraph.Document) string { return base + "/file/sample/" + url.PathEscape(doc.Name) + ".pdf" },
		Picture:  func(paraph.Field) string { return base + "/file/sample/signature.png" },
		AuditLog: func(paraph.Envelope) string { return base + "/file/sample/audit-log.pdf" },
		Envelope: func(e paraph.Envelope) string { return Links{Base: base}.Preview(e.Slug) },
		BytesAre: "FILE_PATH",
	}
}

// sampleBranch is how the story has to end for an event to happen in it.
func sampleBranch(name string) paraph.Status {
	switch name {
	case "document.rejected", "form.declined":
		return paraph.Rejected
	case "document.cancelled":
		return paraph.Cancelled
	case "recipient.expired", "submission.expired":
		return paraph.Expired
	}
	return paraph.Completed
}

// story is a life as it was told: each event and the envelope after it.
type story struct {
	e      paraph.Envelope
	events []paraph.Event
	after  []paraph.Envelope
}

// step takes a rule's answer into the story. The story's inputs are ours, so
// an error is a mistake in it.
func (s *story) step(e paraph.Envelope, events []paraph.Event, err error) {
	if err != nil {
		panic("the sample story: " + err.Error())
	}
	s.e = e
	for _, ev := range events {
		ev.ID, ev.EnvelopeID, ev.AccountID = int64(len(s.events)+1), e.ID, e.AccountID
		s.events = append(s.events, ev)
		s.after = append(s.after, e)
	}
	var last paraph.Event
	if n := len(s.events) - len(events); n > 0 {
		last = s.events[n-1]
	}
	paraph.Chain(last, s.events[len(s.events)-len(events):])
}

func (s *story) quiet(e paraph.Envelope, err error) { s.step(e, nil, err) }

// sampleDigest stands for bytes that don't exist.
const sampleDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func tellStory(who Who, now time.Time, end paraph.Status) story {
	at := func(minute int) time.Time { return now.Add(time.Duration(minute-60) * time.Minute) }
	sender := who.Actor
	alice := paraph.Actor{Kind: paraph.ByRecipient, Name: "Alice Archer", Email: "alice@example.com", IP: "203.0.113.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"}
	ben := alice
	ben.Name, ben.Email, ben.IP = "Ben Baker", "ben@example.com", "203.0.113.8"
	var s story
	s.begin(who, sender, at)
	s.step(s.e.Send(sender, at(5)))
	s.step(s.e.Remind(1, sender, at(10)))
	s.step(s.e.Open(1, alice, at(20)))
	switch end {
	case paraph.Rejected:
		s.step(s.e.Decline(1, "The delivery date is wrong.", alice, at(25)))
		return s
	case paraph.Cancelled:
		s.step(s.e.Cancel("", sender, at(25)))
		return s
	case paraph.Expired:
		s.step(s.e.Expire(s.e.ExpireAt))
		return s
	}
	s.step(s.e.Enter(1, 1, paraph.Value{Text: "Alice Archer"}, alice, at(21)))
	s.step(s.e.Enter(1, 2, paraph.Value{Image: sampleDigest, Method: "type", Text: "Alice Archer"}, alice, at(22)))
	s.step(s.e.Finish(1, Consent, alice, at(23)))
	s.step(s.e.Open(2, ben, at(30)))
	s.step(s.e.Enter(2, 3, paraph.Value{Image: sampleDigest, Method: "draw"}, ben, at(31)))
	s.step(s.e.Finish(2, Consent, ben, at(32)))
	s.step(s.e.Seal(paraph.Artefacts{Documents: map[int64]string{1: sampleDigest}, AuditLog: sampleDigest}, at(33)))
	s.step(s.e.Archive(true, sender, at(40)))
	return s
}

func (s *story) begin(who Who, sender paraph.Actor, at func(int) time.Time) {
	e, events, err := paraph.New(who.AccountID, who.UserID, "Sample agreement", paraph.FromWeb, sender, at(0))
	e.ID, e.PublicID, e.Slug = 1, "envelope_sampleagreements", "SampleEnvelope"
	s.step(e, events, err)
	s.quiet(s.e.AddDocument(paraph.Document{ID: 1, Name: "Sample agreement", Pages: []paraph.Page{{Width: 595, Height: 842}}, Uploaded: sampleDigest, Original: sampleDigest, Size: 52000}, at(0)))
	s.quiet(s.e.SetDetails(paraph.Details{Name: "Sample agreement", Sequential: true, ExpireAt: at(55)}, at(0)))
	s.quiet(s.e.SetRecipients([]paraph.Recipient{
		{ID: 1, Kind: paraph.Signer, Role: "Tenant", Name: "Alice Archer", Email: "alice@example.com", Phone: "+442079460007", ExternalID: "customer-17", Metadata: `{"customer":17}`, Order: 1, SendEmail: true},
		{ID: 2, Kind: paraph.Signer, Role: "Landlord", Name: "Ben Baker", Email: "ben@example.com", Order: 2, SendEmail: true},
	}, at(0)))
	s.e.Documents[0].UUID, s.e.Documents[0].DataID = "5a3b1e00-0000-4000-8000-000000000001", "sampledocumentdatasampled"
	s.e.Recipients[0].UUID, s.e.Recipients[0].Token = "5a3b1e00-0000-4000-8000-000000000011", "alice-sample-token-00"
	s.e.Recipients[1].UUID, s.e.Recipients[1].Token = "5a3b1e00-0000-4000-8000-000000000012", "ben-sample-token-0000"
	area := []paraph.Area{{DocumentID: 1, X: 0.1, Y: 0.8, W: 0.3, H: 0.06}}
	s.quiet(s.e.SetFields([]paraph.Field{
		{RecipientID: 1, Type: paraph.TextField, Name: "Full name", Required: true, Areas: area},
		{RecipientID: 1, Type: paraph.SignatureField, Name: "Signature", Required: true, Areas: area},
		{RecipientID: 2, Type: paraph.SignatureField, Required: true, Areas: area},
	}, at(0)))
	for i := range s.e.Fields {
		s.e.Fields[i].ID = int64(i) + 1
	}
	// It was made by one request, whose event tells of all of it.
	for i := range s.after {
		s.after[i] = s.e
	}
}
