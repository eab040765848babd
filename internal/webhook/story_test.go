package webhook

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
)

// story walks an invented envelope through its life by the real rules and hands out a snapshot at every step. Its data have what
// goes wrong in JSON: letters beyond ASCII, quotes, HTML, a line break, and times finer than a millisecond.
type story struct {
	t     testing.TB
	s     Snapshot
	clock time.Time
}

const (
	anna  int64 = 311 // signs first
	basho int64 = 312 // signs second, by API
	carla int64 = 313 // gets a copy
)

func newStory(t testing.TB) *story {
	made := noon().Add(341500 * time.Microsecond)
	return &story{t: t, clock: made, s: Snapshot{
		Account: paraph.Account{ID: 9, Kind: paraph.Team, Name: "Lindenhof"},
		Owner:   paraph.User{ID: 4, Email: "otto@lindenhof.example", Name: "Otto von Linden"},
		Template: &Template{
			ID: 77, Name: "Lease", ExternalID: "tpl-lease", Folder: "Rent / 2027", CreatedAt: made.AddDate(0, -2, 0), UpdatedAt: made.AddDate(0, -1, 0),
		},
		Links: Links{
			Document: func(d paraph.Document) string {
				return "https://sign.lindenhof.example/file/" + d.Current()[:8] + "/" + d.UUID + ".pdf"
			},
			Picture: func(f paraph.Field) string {
				return "https://sign.lindenhof.example/file/" + f.Value.Image[:8] + "/signature.png"
			},
			AuditLog: func(e paraph.Envelope) string {
				return "https://sign.lindenhof.example/file/" + e.AuditLog[:8] + "/audit.pdf"
			},
			Envelope: func(e paraph.Envelope) string { return "https://sign.lindenhof.example/e/" + e.Slug },
			BytesAre: "FILE_PATH",
		},
		Envelope: lease(made),
	}}
}

func lease(made time.Time) paraph.Envelope {
	person := func(id int64, order int, kind paraph.RecipientKind, role, name, email string) paraph.Recipient {
		return paraph.Recipient{
			ID: id, EnvelopeID: 501, UUID: fmt.Sprintf("5c0ffee0-0000-4000-8000-%012d", id), Kind: kind, Role: role,
			Name: name, Email: email, Order: order, Token: strings.ToLower(role) + "-opens-this-page", SendEmail: true, CreatedAt: made, UpdatedAt: made,
		}
	}
	e := paraph.Envelope{
		ID: 501, AccountID: 9, OwnerID: 4, PublicID: "envelope_lindenhofsieben", Slug: "Lindenhof7Slug", Name: `Mietvertrag Lindenstraße 7 <"Anlage" & mehr> ✍`,
		Status: paraph.Draft, Source: paraph.FromAPI, Sequential: true, Subject: "Bitte unterschreiben", Message: "Guten Tag,\nbitte hier unterschreiben.",
		ExternalID: "lease-7", RedirectTo: "https://lindenhof.example/danke", ExpireAt: made.AddDate(0, 0, 14), CreatedAt: made, UpdatedAt: made,
		Documents: []paraph.Document{
			{ID: 61, EnvelopeID: 501, UUID: "d0c00061", DataID: "leasedataleasedataleaseda", Name: "Mietvertrag", Original: strings.Repeat("0a1b", 16), CreatedAt: made, UpdatedAt: made},
			{ID: 62, EnvelopeID: 501, UUID: "d0c00062", DataID: "rulesdatarulesdatarulesda", Name: "Hausordnung", Original: strings.Repeat("2c3d", 16), CreatedAt: made, UpdatedAt: made},
		},
		Recipients: []paraph.Recipient{
			person(anna, 1, paraph.Signer, "Tenant", "Anna Öztürk", "anna@tenant.example"),
			person(basho, 2, paraph.Approver, "Landlord", "松尾 芭蕉", "basho@landlord.example"),
			person(carla, 3, paraph.CC, "Office", "Carla", "carla@office.example"),
		},
		Fields: leaseFields(),
	}
	for i := range e.Documents {
		e.Documents[i].Pages = []paraph.Page{{Width: 595, Height: 842}}
	}
	e.Recipients[0].Phone, e.Recipients[0].ExternalID, e.Recipients[0].Metadata = "+49301234567", "crm-311", `{"flat": 7, "b": "<a>"}`
	return e
}

func leaseFields() []paraph.Field {
	field := func(id, recipient int64, kind paraph.FieldType, name string) paraph.Field {
		return paraph.Field{
			ID: id, EnvelopeID: 501, RecipientID: recipient, UUID: "f1e1d", Type: kind, Name: name, Position: int(id),
			Settings: paraph.FieldSettings{Options: []string{"monthly", "yearly"}}, Areas: []paraph.Area{{DocumentID: 61, X: .1, Y: .1, W: .2, H: .05}},
		}
	}
	return []paraph.Field{
		field(1, anna, paraph.TextField, "Occupation"), field(2, anna, paraph.NumberField, "Rent"), field(3, anna, paraph.CheckboxField, "Pets"),
		field(4, anna, paraph.DateField, "Move in"), field(5, anna, paraph.SelectField, "Pays"), field(6, anna, paraph.PhoneField, ""),
		field(7, anna, paraph.TextField, ""), field(8, anna, paraph.SignatureField, ""), field(9, basho, paraph.TextField, ""), field(10, basho, paraph.SignatureField, "Seal"),
	}
}

// later is 1 minute and a few microseconds after the step before.
func (st *story) later() time.Time {
	st.clock = st.clock.Add(time.Minute + 1027*time.Microsecond)
	return st.clock
}

func (st *story) by(recipient int64) paraph.Actor {
	a := paraph.Actor{Kind: paraph.ByRecipient, IP: "198.51.100.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) <test>"}
	if recipient == basho {
		a.Kind = paraph.ByAPI
	}
	return a
}

// take keeps the outcome of a rule, and returns the snapshot at the first event of the type.
func (st *story) take(kind paraph.EventType) func(paraph.Envelope, []paraph.Event, error) Snapshot {
	return func(e paraph.Envelope, events []paraph.Event, err error) Snapshot {
		st.t.Helper()
		if err != nil {
			st.t.Fatal(err)
		}
		st.s.Envelope = e
		at := -1
		for i, ev := range events {
			ev.ID = 9000 + int64(len(st.s.Trail))
			st.s.Trail = append(st.s.Trail, ev)
			if ev.Type == kind && at < 0 {
				at, st.s.Event = i, ev
			}
		}
		if at < 0 {
			st.t.Fatalf("no event %s among %v", kind, events)
		}
		return st.s
	}
}

func (st *story) created() Snapshot {
	return st.take(paraph.EnvelopeCreated)(st.s.Envelope, []paraph.Event{{Type: paraph.EnvelopeCreated, At: st.clock}}, nil)
}

func (st *story) sent() Snapshot {
	return st.take(paraph.EnvelopeSent)(st.s.Envelope.Send(paraph.Actor{Kind: paraph.ByUser}, st.later()))
}

func (st *story) opened(who int64) Snapshot {
	return st.take(paraph.RecipientViewed)(st.s.Envelope.Open(who, st.by(who), st.later()))
}

func (st *story) reminded(who int64) Snapshot {
	return st.take(paraph.RecipientReminded)(st.s.Envelope.Remind(who, paraph.Actor{Kind: paraph.ByUser}, st.later()))
}

func (st *story) started(who, field int64, text string) Snapshot {
	return st.take(paraph.RecipientStarted)(st.s.Envelope.Enter(who, field, paraph.Value{Text: text}, st.by(who), st.later()))
}

func (st *story) enter(who, field int64, v paraph.Value) {
	st.t.Helper()
	e, _, err := st.s.Envelope.Enter(who, field, v, st.by(who), st.later())
	if err != nil {
		st.t.Fatal(err)
	}
	st.s.Envelope = e
}

func (st *story) fillAnna() {
	st.enter(anna, 2, paraph.Value{Text: "1250.50"})
	st.enter(anna, 3, paraph.Value{Text: "true"})
	st.enter(anna, 4, paraph.Value{Text: "2027-05-01"})
	st.enter(anna, 5, paraph.Value{Text: "monthly"})
	st.enter(anna, 6, paraph.Value{Text: "+49 30 1234567"})
	st.enter(anna, 8, paraph.Value{Image: strings.Repeat("4e5f", 16), Method: "draw"})
}

func (st *story) finished(who int64) Snapshot {
	return st.take(paraph.RecipientFinished)(st.s.Envelope.Finish(who, "I agree.", st.by(who), st.later()))
}

func (st *story) declined(who int64) Snapshot {
	return st.take(paraph.RecipientRefused)(st.s.Envelope.Decline(who, "Zu teuer, <leider> \"nein\"", st.by(who), st.later()))
}

func (st *story) cancelled() Snapshot {
	return st.take(paraph.EnvelopeCancelled)(st.s.Envelope.Cancel("", paraph.Actor{Kind: paraph.ByUser}, st.later()))
}

func (st *story) expired() Snapshot {
	return st.take(paraph.EnvelopeExpired)(st.s.Envelope.Expire(st.s.Envelope.ExpireAt.Add(time.Second)))
}

func (st *story) archived() Snapshot {
	return st.take(paraph.EnvelopeArchived)(st.s.Envelope.Archive(true, paraph.Actor{Kind: paraph.ByUser}, st.later()))
}

func (st *story) sealed() Snapshot {
	return st.take(paraph.EnvelopeSealed)(st.s.Envelope.Seal(paraph.Artefacts{
		Documents: map[int64]string{61: strings.Repeat("6071", 16), 62: strings.Repeat("8293", 16)}, AuditLog: strings.Repeat("a4b5", 16),
	}, st.later()))
}

// throughCompletion goes the whole way up to the last recipient's finish.
func (st *story) throughCompletion() Snapshot {
	st.created()
	st.sent()
	st.opened(anna)
	st.started(anna, 1, "Gärtnerin")
	st.fillAnna()
	st.finished(anna)
	st.opened(basho)
	st.started(basho, 9, "俳句")
	return st.finished(basho)
}

// snapshots has the moment of every event, told by a story of its own where the ends of stories differ.
func snapshots(t testing.TB) map[string]Snapshot {
	at := map[string]Snapshot{}
	main := newStory(t)
	at["document.created"] = main.created()
	at["submission.created"] = main.s
	at["document.sent"] = main.sent()
	at["document.reminder.sent"] = main.reminded(anna)
	at["document.opened"] = main.opened(anna)
	at["form.viewed"] = main.s
	at["form.started"] = main.started(anna, 1, "Gärtnerin")
	main.fillAnna()
	at["form.completed"] = main.finished(anna)

	whole := newStory(t)
	at["document.signed"] = whole.throughCompletion()
	at["document.recipient.completed"] = whole.s
	at["document.completed"] = whole.sealed()
	at["submission.completed"] = whole.s
	at["submission.archived"] = whole.archived()

	for name, end := range map[string]func(*story) Snapshot{
		"document.rejected":  func(st *story) Snapshot { return st.declined(anna) },
		"form.declined":      func(st *story) Snapshot { return st.declined(anna) },
		"document.cancelled": (*story).cancelled,
		"recipient.expired":  (*story).expired,
		"submission.expired": (*story).expired,
	} {
		st := newStory(t)
		st.created()
		st.sent()
		st.opened(anna)
		at[name] = end(st)
	}
	return at
}
