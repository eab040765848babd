package paraph_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	. "github.com/paraph-sign/paraph"
)

// TestStates runs each rule from each state and says which it allows.
func TestStates(t *testing.T) {
	t.Parallel()
	cancelled, _, _ := pending(t, true).Cancel("", sender, at(2))
	rejected, _, _ := pending(t, true).Decline(1, "No.", signer, at(2))
	expired, _, _ := pending(t, true).Expire(at(10000))
	deleted, _, _ := draft(t, true).Delete(sender, at(2))
	completedDeleted, _, _ := completed(t).Delete(sender, at(6))
	states := []struct {
		name string
		e    Envelope
	}{
		{"draft", draft(t, true)},
		{"pending", pending(t, true)},
		{"completed", completed(t)},
		{"cancelled", cancelled},
		{"rejected", rejected},
		{"expired", expired},
		{"deleted draft", deleted},
		{"deleted completed", completedDeleted},
	}
	artefacts := Artefacts{Documents: map[int64]string{7: digest("c")}, AuditLog: digest("d")}
	late := at(10001)
	ev := func(_ Envelope, _ []Event, err error) error { return err }
	no := func(_ Envelope, err error) error { return err }
	rules := []struct {
		name string
		call func(e Envelope) error
		want [8]Kind // by state
	}{
		{"SetDetails", func(e Envelope) error { return no(e.SetDetails(Details{Name: "x"}, at(6))) }, [8]Kind{"", Conflict, Ended, Ended, Ended, Ended, Ended, Ended}},
		{"AddDocument", func(e Envelope) error {
			return no(e.AddDocument(Document{Name: "x", Pages: []Page{{1, 1}}}, at(6)))
		}, [8]Kind{"", Conflict, Ended, Ended, Ended, Ended, Ended, Ended}},
		{"RemoveDocument", func(e Envelope) error { return no(e.RemoveDocument(7, at(6))) }, [8]Kind{"", Conflict, Ended, Ended, Ended, Ended, Ended, Ended}},
		{"SetRecipients", func(e Envelope) error { return no(e.SetRecipients(nil, at(6))) }, [8]Kind{"", Conflict, Ended, Ended, Ended, Ended, Ended, Ended}},
		{"SetFields", func(e Envelope) error { return no(e.SetFields(nil, at(6))) }, [8]Kind{"", Conflict, Ended, Ended, Ended, Ended, Ended, Ended}},
		{"Send", func(e Envelope) error { return ev(e.Send(sender, at(6))) }, [8]Kind{"", Conflict, Ended, Ended, Ended, Ended, Ended, Ended}},
		{"Open", func(e Envelope) error { return ev(e.Open(1, signer, at(6))) }, [8]Kind{NotYourTurn, "", Ended, Ended, Ended, Ended, Ended, Ended}},
		{"Enter", func(e Envelope) error { return ev(e.Enter(1, 12, Value{Text: "x"}, signer, at(6))) }, [8]Kind{NotYourTurn, "", Ended, Ended, Ended, Ended, Ended, Ended}},
		{"Finish", func(e Envelope) error { return ev(e.Finish(1, "", signer, at(6))) }, [8]Kind{NotYourTurn, Invalid, Ended, Ended, Ended, Ended, Ended, Ended}},
		{"Decline", func(e Envelope) error { return ev(e.Decline(1, "No.", signer, at(6))) }, [8]Kind{NotYourTurn, "", Ended, Ended, Ended, Ended, Ended, Ended}},
		{"Remind", func(e Envelope) error { return ev(e.Remind(1, sender, at(6))) }, [8]Kind{NotYourTurn, "", Ended, Ended, Ended, Ended, Ended, Ended}},
		{"Open too late", func(e Envelope) error { return ev(e.Open(1, signer, late)) }, [8]Kind{NotYourTurn, Ended, Ended, Ended, Ended, Ended, Ended, Ended}},
		{"SetContact", func(e Envelope) error { return ev(e.SetContact(1, Contact{Email: "a@b.c"}, sender, at(6))) }, [8]Kind{"", "", Ended, Ended, Ended, Ended, Ended, Ended}},
		{"Cancel", func(e Envelope) error { return ev(e.Cancel("x", sender, at(6))) }, [8]Kind{Conflict, "", Ended, Ended, Ended, Ended, Ended, Ended}},
		{"Seal", func(e Envelope) error { return ev(e.Seal(artefacts, at(6))) }, [8]Kind{Conflict, Conflict, "", Ended, Ended, Ended, Ended, Ended}},
		{"Archive", func(e Envelope) error { return ev(e.Archive(true, sender, at(6))) }, [8]Kind{"", "", "", "", "", "", Ended, Ended}},
		{"Delete", func(e Envelope) error { return ev(e.Delete(sender, at(6))) }, [8]Kind{}},
		{"Expire", func(e Envelope) error { return ev(e.Expire(late)) }, [8]Kind{}},
	}
	for _, r := range rules {
		for i, s := range states {
			err := r.call(s.e)
			if got := KindOf(err); got != r.want[i] {
				t.Errorf("%s of a %s envelope: %q (%v), want %q", r.name, s.name, got, err, r.want[i])
			}
		}
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	e, events, err := New(1, 3, "  Lease\n2 ", FromAPI, sender, start)
	must(t, e, events, err)
	if e.Name != "Lease 2" || e.Status != Draft || e.Source != FromAPI || len(e.PublicID) != len("envelope_")+16 || len(e.Slug) != 14 {
		t.Errorf("new envelope is %+v", e)
	}
	if types(events) != "envelope.created" || events[0].Actor != sender || !events[0].At.Equal(start) {
		t.Errorf("events are %+v", events)
	}
	for _, name := range []string{"", " \t", strings.Repeat("ä", MaxNameLength+1)} {
		_, _, err := New(1, 3, name, FromWeb, sender, start)
		refused(t, err, Invalid, "name")
	}
}

func TestSetDetails(t *testing.T) {
	t.Parallel()
	e := plain(t, of(draft(t, false).SetDetails(Details{
		Name: " A ", Subject: " Hi\nthere ", Message: " a\r\nb\x00 ", Sequential: true, ExpireAt: at(9), ExternalID: "x\x00", RedirectTo: "https://x/\x00", ReplyTo: "ME@X.org",
		Language: "de", TimeZone: "Europe/Berlin",
	}, at(1))))
	got := Details{e.Name, e.Subject, e.Message, e.Sequential, e.ExpireAt, e.ExternalID, e.RedirectTo, e.ReplyTo, e.Language, e.TimeZone}
	want := Details{"A", "Hi there", "a\nb", true, at(9), "x", "https://x/", "me@x.org", "de", "Europe/Berlin"}
	if got != want || !e.UpdatedAt.Equal(at(1)) {
		t.Errorf("details are %+v, want %+v", got, want)
	}
	for field, d := range map[string]Details{
		"name":      {},
		"message":   {Name: "x", Message: strings.Repeat("m", 5001)},
		"expire_at": {Name: "x", ExpireAt: at(1)},
		"reply_to":  {Name: "x", ReplyTo: "nobody"},
	} {
		_, err := draft(t, false).SetDetails(d, at(1))
		refused(t, err, Invalid, field)
	}
	_, err := draft(t, false).SetDetails(Details{Name: "x", Subject: strings.Repeat("s", MaxNameLength+1)}, at(1))
	refused(t, err, Invalid, "message")
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	e := empty(t)
	page := []Page{{595, 842}}
	for range 3 {
		e = plain(t, of(e.AddDocument(Document{Name: "more", Pages: page}, at(1))))
	}
	if e.Documents[1].ID != -1 || e.Documents[2].ID != -2 || e.Documents[3].Position != 3 || e.Documents[1].UUID == e.Documents[2].UUID {
		t.Errorf("documents are %+v", e.Documents)
	}
	e = plain(t, of(e.AddDocument(Document{ID: 7, Name: "taken", Pages: page}, at(1))))
	if e.Documents[4].ID != -4 {
		t.Errorf("a taken id was given again: %d", e.Documents[4].ID)
	}
	for name, pages := range map[string][]Page{"none": nil, "flat": {{595, 0}}, "negative": {{-1, 5}}, "NaN": {{nan, 5}}, "endless": {{5, inf}}} {
		_, err := e.AddDocument(Document{Name: name, Pages: pages}, at(1))
		refused(t, err, Invalid, "documents")
	}
	_, err := e.AddDocument(Document{Name: " ", Pages: page}, at(1))
	refused(t, err, Invalid, "documents")
	many := make([]Page, MaxPages)
	for i := range many {
		many[i] = page[0]
	}
	_, err = e.AddDocument(Document{Name: "x", Pages: many}, at(1))
	refused(t, err, TooLarge, "documents")
	for len(e.Documents) < MaxDocuments {
		e = plain(t, of(e.AddDocument(Document{Name: "x", Pages: page}, at(1))))
	}
	_, err = e.AddDocument(Document{Name: "x", Pages: page}, at(1))
	refused(t, err, Invalid, "documents")
}

func TestRemoveDocument(t *testing.T) {
	t.Parallel()
	e := draft(t, false)
	e = plain(t, of(e.AddDocument(Document{ID: 8, Name: "annex", Pages: []Page{{595, 842}}}, at(1))))
	fs := e.Fields
	fs[1].Areas = append(box(7), box(8)...)
	e = plain(t, of(e.SetFields(fs, at(1))))
	got := plain(t, of(e.RemoveDocument(7, at(2))))
	if len(got.Documents) != 1 || got.Documents[0].Position != 0 || len(got.Fields) != 1 || len(got.Fields[0].Areas) != 1 || got.Fields[0].Areas[0].DocumentID != 8 {
		t.Errorf("left are %+v %+v", got.Documents, got.Fields)
	}
	if len(e.Fields[1].Areas) != 2 {
		t.Error("the envelope it was called on has changed")
	}
	_, err := e.RemoveDocument(99, at(2))
	refused(t, err, NotFound, "")
}

func TestSetRecipients(t *testing.T) {
	t.Parallel()
	e := draft(t, true)
	was := e.Recipients[0]
	got := plain(t, of(e.SetRecipients([]Recipient{
		{ID: 1, Kind: Signer, Name: " Ada\nL ", Email: " ADA@Example.com ", Order: 5, Token: "mine", CompletedAt: at(1), IP: "x"},
		{Kind: Viewer, Email: "  ", Order: -3},
		{Kind: Viewer, Role: "first party", Order: 1000},
	}, at(1))))
	rs := got.Recipients
	if rs[0].ID >= 0 || rs[2].ID >= 0 || rs[0].ID == rs[2].ID || rs[0].Order != 1 || rs[2].Order != MaxRecipients || rs[0].Email != "" {
		t.Errorf("new recipients are %+v", rs)
	}
	ada := rs[1]
	if ada.ID != 1 || ada.Token != was.Token || ada.UUID != was.UUID || !ada.CompletedAt.IsZero() || ada.IP != "" || ada.Name != "Ada L" || ada.Email != "ada@example.com" || !ada.UpdatedAt.Equal(at(1)) {
		t.Errorf("Ada is %+v", ada)
	}
	if rs[0].Role != "Third Party" || rs[1].Role != "Second Party" || rs[2].Role != "first party" {
		t.Errorf("roles are %q, %q and %q", rs[0].Role, rs[1].Role, rs[2].Role)
	}
	if len(got.Fields) != 2 {
		t.Errorf("Bob's field is still there: %+v", got.Fields)
	}
	same := plain(t, of(e.SetRecipients(e.Recipients, at(9))))
	if diff := cmp.Diff(e.Recipients, same.Recipients); diff != "" {
		t.Errorf("the same recipients again make a difference:\n%s", diff)
	}
	bad := map[string][]Recipient{
		"recipients":         make([]Recipient, MaxRecipients+1),
		"recipients.0.kind":  {{Kind: "boss"}},
		"recipients.1.email": {{Kind: Signer}, {Kind: Signer, Email: "nobody"}},
		"recipients.0.name":  {{Kind: Signer, Name: strings.Repeat("n", MaxNameLength+1)}},
		"recipients.1.role":  {{Kind: Signer, Role: "Buyer"}, {Kind: Signer, Role: "buyer"}},
		"recipients.1.id":    {{ID: 1, Kind: Signer}, {ID: 1, Kind: Signer}},
	}
	for field, rs := range bad {
		_, err := e.SetRecipients(rs, at(1))
		refused(t, err, Invalid, field)
	}
}

func TestSetFields(t *testing.T) {
	t.Parallel()
	e := draft(t, false)
	dirty := e.Fields[0]
	dirty.Value, dirty.EnteredAt, dirty.UUID = Value{Text: "x"}, at(1), "mine"
	fresh := Field{RecipientID: 2, Type: TextField, Name: " N\n ", Areas: box(7)}
	got := plain(t, of(e.SetFields([]Field{fresh, dirty, dirty, {ID: 99, RecipientID: 1, Type: TextField, Areas: box(7)}}, at(1))))
	again := plain(t, of(got.SetFields(append([]Field{fresh}, got.Fields...), at(2))))
	for _, e := range []Envelope{got, again} {
		seen, uuids := map[int64]bool{}, map[string]bool{}
		for i, f := range e.Fields {
			if seen[f.ID] || uuids[f.UUID] || f.ID == 0 || f.Position != i || !f.Value.IsZero() || !f.EnteredAt.IsZero() || f.EnvelopeID != 5 {
				t.Errorf("field %d of %d is %+v", i, len(e.Fields), f)
			}
			seen[f.ID], uuids[f.UUID] = true, true
		}
	}
	if got.Fields[1].ID != 11 || got.Fields[1].UUID != e.Fields[0].UUID || got.Fields[0].Name != "N" || got.Fields[3].ID > 0 {
		t.Errorf("fields are %+v", got.Fields)
	}
	for field, fs := range map[string][]Field{
		"fields":   make([]Field, MaxFields+1),
		"field_12": {{ID: 12, RecipientID: 3, Type: TextField, Areas: box(7)}},
		"field_13": {{ID: 13, RecipientID: 99, Type: TextField, Areas: box(7)}},
		"field_14": {{ID: 14, RecipientID: 1, Type: "stamp", Areas: box(7)}},
		"field_15": {{ID: 15, RecipientID: 1, Type: TextField, Areas: box(8)}},
	} {
		_, err := e.SetFields(fs, at(1))
		refused(t, err, Invalid, field)
	}
}

// What is told with every event can't be megabytes.
func TestNotesAndFieldsAreBounded(t *testing.T) {
	t.Parallel()
	long, fits := strings.Repeat("x", MaxNoteLength+1), strings.Repeat("ü", MaxNoteLength)
	if _, err := empty(t).SetDetails(Details{Name: "Lease", ExternalID: fits, RedirectTo: fits}, start); err != nil {
		t.Error(err)
	}
	people := func(r Recipient) error {
		r.Kind, r.Name = Signer, "Ada"
		_, err := empty(t).SetRecipients([]Recipient{r}, start)
		return err
	}
	if err := people(Recipient{Phone: fits, ExternalID: fits, RedirectTo: fits}); err != nil {
		t.Error(err)
	}
	contact := func(k Contact) error {
		_, _, err := pending(t, false).SetContact(2, k, sender, start)
		return err
	}
	details := func(d Details) error {
		d.Name = "Lease"
		_, err := empty(t).SetDetails(d, start)
		return err
	}
	for name, err := range map[string]error{
		"external_id":              details(Details{ExternalID: long}),
		"redirect_to":              details(Details{RedirectTo: long}),
		"recipients.0.phone":       people(Recipient{Phone: long}),
		"recipients.0.external_id": people(Recipient{ExternalID: long}),
		"recipients.0.redirect_to": people(Recipient{RedirectTo: long}),
		"phone":                    contact(Contact{Name: "Bob", Email: "bob@example.com", Phone: long}),
	} {
		var e *Error
		if !errors.As(err, &e) || e.Kind != Invalid || e.Field != name {
			t.Errorf("%s: %v", name, err)
		}
	}
	settings := func(s FieldSettings, areas int) error {
		f := Field{RecipientID: 1, Type: SignatureField, Settings: s}
		for range areas {
			f.Areas = append(f.Areas, box(7)...)
		}
		_, err := draft(t, false).SetFields([]Field{f}, start)
		return err
	}
	if err := settings(FieldSettings{Description: long}, 1000); err != nil {
		t.Error(err)
	}
	huge := strings.Repeat("x", 5<<20)
	for name, err := range map[string]error{
		"a description": settings(FieldSettings{Description: huge}, 1), "a default": settings(FieldSettings{Default: huge}, 1),
		"choices": settings(FieldSettings{Options: []string{huge}}, 1), "places": settings(FieldSettings{}, 50000),
	} {
		if KindOf(err) != TooLarge {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSendNeeds(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, field string
		change      func(e *Envelope)
	}{
		{"no document", "documents", func(e *Envelope) { e.Documents = nil }},
		{"nobody", "recipients", func(e *Envelope) { e.Recipients = nil }},
		{"only copies", "recipients", func(e *Envelope) { e.Recipients, e.Fields = e.Recipients[2:], nil; e.Recipients[0].Kind = CC }},
		{"no address", "recipients.0.email", func(e *Envelope) { e.Recipients[0].Email = "" }},
		{"no address nor name", "recipients.0.email", func(e *Envelope) {
			e.Recipients[0].Email, e.Recipients[0].Name, e.Recipients[0].SendEmail = "", "", false
		}},
		{"nothing to sign", "fields", func(e *Envelope) { e.Fields = e.Fields[2:] }},
		{"a field off the page", "field_11", func(e *Envelope) { e.Fields[0].Areas = []Area{{DocumentID: 7, Page: 2, W: .1, H: .1}} }},
		{"expired", "expire_at", func(e *Envelope) { e.ExpireAt = at(1) }},
		{"read-only without a default", "field_12", func(e *Envelope) { e.Fields[1].ReadOnly, e.Fields[1].Required = true, true }},
		{"read-only blank", "field_12", func(e *Envelope) {
			e.Fields[1].ReadOnly, e.Fields[1].Required, e.Fields[1].Settings.Default = true, true, "  "
		}},
		{"read-only unticked", "field_21", func(e *Envelope) { e.Fields[2].ReadOnly, e.Fields[2].Settings.Default = true, "false" }},
		{"read-only signature", "field_11", func(e *Envelope) { e.Fields[0].ReadOnly, e.Fields[0].Settings.Default = true, "Ada" }},
		{"read-only name of somebody without", "field_12", func(e *Envelope) {
			e.Fields[1].ReadOnly, e.Fields[1].Required, e.Fields[1].Type, e.Recipients[0].Name = true, true, NameField, ""
		}},
	}
	for _, tt := range tests {
		e := draft(t, false)
		for i, r := range e.Recipients { // by id, whatever their order
			e.Recipients[i].Order = int(r.ID)
		}
		e.Recipients[1], e.Recipients[2] = byID(e, 2), byID(e, 3)
		tt.change(&e)
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := e.Send(sender, at(1))
			refused(t, err, Invalid, tt.field)
		})
	}
}

func byID(e Envelope, id int64) Recipient {
	r, _ := e.Recipient(id)
	return r
}

func TestSendInvites(t *testing.T) {
	t.Parallel()
	for sequential, want := range map[bool]string{
		true:  "envelope.sent recipient.invited",
		false: "envelope.sent recipient.invited recipient.invited",
	} {
		e, events, err := draft(t, sequential).Send(sender, at(1))
		must(t, e, events, err)
		if types(events) != want || e.Status != Pending || !e.SentAt.Equal(at(1)) || events[0].Data["document_1_sha256"] != digest("a") {
			t.Errorf("sequential %v: %s, %+v", sequential, types(events), e)
		}
		for _, r := range e.Recipients {
			if invited := r.ID == 1 || r.ID == 2 && !sequential; invited == r.SentAt.IsZero() {
				t.Errorf("sequential %v: recipient %d invited at %v", sequential, r.ID, r.SentAt)
			}
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	e, events, err := pending(t, true).Open(1, Actor{Kind: ByRecipient, IP: "192.0.2.7", UserAgent: "B\xff\x00" + strings.Repeat("x", 600)}, at(2))
	must(t, e, events, err)
	r := byID(e, 1)
	if types(events) != "recipient.opened" || !r.OpenedAt.Equal(at(2)) || r.IP != "192.0.2.7" || !strings.HasPrefix(r.UserAgent, "Bx") || len([]rune(r.UserAgent)) != 500 {
		t.Errorf("%s, %+v", types(events), r)
	}
	again, events, err := e.Open(1, signer, at(3))
	if err != nil || events != nil || !cmp.Equal(e, again) {
		t.Errorf("opened twice: %v, %v", events, err)
	}
	_, _, err = e.Open(2, signer, at(3))
	refused(t, err, NotYourTurn, "")
	_, _, err = e.Open(3, signer, at(3))
	refused(t, err, Ended, "")
	_, _, err = e.Open(99, signer, at(3))
	refused(t, err, NotFound, "")
}

func TestEnter(t *testing.T) {
	t.Parallel()
	e := pending(t, false)
	got, events, err := e.Enter(1, 12, Value{Text: "a\r\nb"}, signer, at(2))
	must(t, got, events, err)
	f, _ := got.Field(12)
	if f.Value.Text != "a\nb" || !f.EnteredAt.Equal(at(2)) || types(events) != "recipient.started" || !byID(got, 1).StartedAt.Equal(at(2)) {
		t.Errorf("%+v, %s", f, types(events))
	}
	_, events, err = got.Enter(1, 12, Value{Text: "c"}, signer, at(3))
	if err != nil || len(events) != 0 {
		t.Errorf("a second value: %s, %v", types(events), err)
	}
	_, _, err = e.Enter(1, 21, Value{Text: "true"}, signer, at(2))
	refused(t, err, NotFound, "")
	_, _, err = e.Enter(1, 99, Value{}, signer, at(2))
	refused(t, err, NotFound, "")
	_, _, err = e.Enter(2, 21, Value{Text: "maybe"}, signer, at(2))
	refused(t, err, Invalid, "field_21")
	e.Fields[1].ReadOnly = true
	_, _, err = e.Enter(1, 12, Value{Text: "x"}, signer, at(2))
	refused(t, err, Invalid, "field_12")
}

func TestFinish(t *testing.T) {
	t.Parallel()
	e := pending(t, true)
	_, _, err := e.Finish(1, "", signer, at(2))
	refused(t, err, Invalid, "field_11")
	e, _, err = e.Enter(1, 11, Value{Image: digest("b")}, signer, at(2))
	must(t, e, nil, err)
	e, events, err := e.Finish(1, "I agree.", signer, at(3))
	must(t, e, events, err)
	if types(events) != "recipient.completed recipient.invited" || events[0].Data["consent"] != "I agree." || len(events[0].Data["values_sha256"]) != 64 || events[1].RecipientID != 2 {
		t.Errorf("events are %+v", events)
	}
	_, _, err = e.Finish(1, "", signer, at(4))
	refused(t, err, Ended, "")
	_, _, err = e.Enter(1, 12, Value{Text: "x"}, signer, at(4))
	refused(t, err, Ended, "")
	e, _, err = e.Enter(2, 21, Value{Text: "false"}, signer, at(4))
	must(t, e, nil, err)
	_, _, err = e.Finish(2, "", signer, at(4))
	refused(t, err, Invalid, "field_21")
	e, _, err = e.Enter(2, 21, Value{Text: "on"}, signer, at(4))
	must(t, e, nil, err)
	e, events, err = e.Finish(2, "", signer, at(5))
	must(t, e, events, err)
	if types(events) != "recipient.completed envelope.completed" || e.Status != Completed || !e.EndedAt.Equal(at(5)) || len(e.WaitingFor()) != 0 {
		t.Errorf("%s, %+v", types(events), e)
	}
	if done, all := e.Progress(); done != 2 || all != 2 {
		t.Errorf("progress is %d of %d", done, all)
	}
}

func TestPrefill(t *testing.T) {
	t.Parallel()
	ada := Recipient{Name: "Ada", Email: "ada@example.com"}
	tests := []struct {
		f    Field
		want string
	}{
		{Field{Type: NameField}, "Ada"},
		{Field{Type: EmailField}, "ada@example.com"},
		{Field{Type: EmailField, Settings: FieldSettings{Default: "B@x.org"}}, "b@x.org"},
		{Field{Type: DateField}, ""},
		{Field{Type: DateField, ReadOnly: true}, "2026-03-01"},
		{Field{Type: DateField, ReadOnly: true, Settings: FieldSettings{Default: "2020-01-02"}}, "2020-01-02"},
		{Field{Type: TextField, Settings: FieldSettings{Default: "x"}}, "x"},
		{Field{Type: CheckboxField, Settings: FieldSettings{Default: "1"}}, "true"},
		{Field{Type: SignatureField, Settings: FieldSettings{Default: "Ada"}}, ""},
	}
	for _, tt := range tests {
		if got := tt.f.Prefill(ada, start.In(time.FixedZone("", 11*3600))); got != (Value{Text: tt.want}) {
			t.Errorf("%s, read only %v: %+v, want %q", tt.f.Type, tt.f.ReadOnly, got, tt.want)
		}
	}
}

func TestFinishKeepsWhatWasShown(t *testing.T) {
	t.Parallel()
	e := draft(t, false)
	fs := append(e.Fields,
		Field{RecipientID: 1, Type: NameField, Required: true, Areas: box(7)},
		Field{RecipientID: 1, Type: TextField, Settings: FieldSettings{Default: "said"}, Areas: box(7)})
	e = plain(t, of(e.SetFields(fs, start)))
	e.Fields[3].ID, e.Fields[4].ID = 13, 14
	e, _, err := e.Send(sender, at(1))
	must(t, e, nil, err)
	e, _, err = e.Enter(1, 14, Value{}, signer, at(2)) // taken out on purpose
	e = signed(t, must(t, e, nil, err))
	name, _ := e.Field(13)
	text, _ := e.Field(14)
	if name.Value.Text != "Ada" || name.EnteredAt.IsZero() || !text.Value.IsZero() {
		t.Errorf("the name is %+v, the text %+v", name.Value, text.Value)
	}
}

func TestDecline(t *testing.T) {
	t.Parallel()
	e, events, err := pending(t, false).Decline(2, " Too\r\ndear. ", signer, at(2))
	must(t, e, events, err)
	r := byID(e, 2)
	if types(events) != "recipient.declined" || events[0].Data["reason"] != "Too\ndear." || e.Status != Rejected || r.DeclineReason != "Too\ndear." || r.Status() != RecipientDeclined || !e.EndedAt.Equal(at(2)) {
		t.Errorf("%+v, %+v", events, r)
	}
	for _, reason := range []string{"", " \n", strings.Repeat("x", MaxDeclineReason+1)} {
		_, _, err := pending(t, false).Decline(2, reason, signer, at(2))
		refused(t, err, Invalid, "reason")
	}
	_, _, err = pending(t, true).Decline(2, "No.", signer, at(2))
	refused(t, err, NotYourTurn, "")
}

func TestEnds(t *testing.T) {
	t.Parallel()
	e, events, err := pending(t, false).Cancel(" why ", sender, at(2))
	must(t, e, events, err)
	if types(events) != "envelope.cancelled" || events[0].Data["reason"] != "why" || e.Status != Cancelled || !e.EndedAt.Equal(at(2)) {
		t.Errorf("cancelled: %+v", events)
	}
	for _, now := range []time.Time{at(2), at(10000).Add(-1)} {
		if e, events, err := pending(t, false).Expire(now); err != nil || events != nil || e.Status != Pending {
			t.Errorf("expired at %v: %v, %v", now, events, err)
		}
	}
	e, events, err = pending(t, false).Expire(at(10000))
	must(t, e, events, err)
	if types(events) != "envelope.expired" || e.Status != Expired || events[0].Actor.Kind != BySystem {
		t.Errorf("expired: %+v", events)
	}
	never := pending(t, false)
	never.ExpireAt = time.Time{}
	if _, events, _ := never.Expire(at(1e6)); events != nil {
		t.Error("an envelope without an end expired")
	}
	e, events, err = pending(t, false).Delete(sender, at(2))
	must(t, e, events, err)
	if types(events) != "envelope.cancelled envelope.deleted" || !e.DeletedAt.Equal(at(2)) || e.Status != Cancelled {
		t.Errorf("deleted: %s, %+v", types(events), e)
	}
	if _, events, err = e.Delete(sender, at(3)); err != nil || events != nil {
		t.Errorf("deleted twice: %v, %v", events, err)
	}
}

func TestRemind(t *testing.T) {
	t.Parallel()
	e, events, err := pending(t, true).Remind(1, sender, at(2))
	must(t, e, events, err)
	if types(events) != "recipient.reminded" || events[0].RecipientID != 1 || !byID(e, 1).RemindedAt.Equal(at(2)) {
		t.Errorf("reminded: %+v", events)
	}
	_, _, err = e.Remind(1, sender, at(3).Add(-time.Second))
	refused(t, err, TooMany, "")
	if _, _, err = e.Remind(1, sender, at(3)); err != nil {
		t.Errorf("after a minute: %v", err)
	}
	_, _, err = e.Remind(2, sender, at(3))
	refused(t, err, NotYourTurn, "")
	e.Recipients[0].Email = ""
	_, _, err = e.Remind(e.Recipients[0].ID, sender, at(9))
	refused(t, err, Invalid, "")
}

func TestSetContact(t *testing.T) {
	t.Parallel()
	e := pending(t, true)
	got, events, err := e.SetContact(2, Contact{Name: " Bo ", Email: "BO@x.org", Phone: "+1\x00", ExternalID: "9", Metadata: `{"a":1}`}, sender, at(2))
	must(t, got, events, err)
	want := map[string]string{"old_email": "bob@example.com", "email": "bo@x.org", "old_name": "Bob", "name": "Bo"}
	if types(events) != "recipient.changed" || !cmp.Equal(events[0].Data, want) || byID(got, 2).Phone != "+1" {
		t.Errorf("changed: %+v", events)
	}
	if _, events, err := e.SetContact(2, Contact{Name: "Bob", Email: "bob@example.com"}, sender, at(2)); err != nil || events != nil {
		t.Errorf("the same contact: %v, %v", events, err)
	}
	for field, k := range map[string]Contact{
		"email":              {Name: "Bob", Email: "bob"},
		"name":               {Name: strings.Repeat("x", MaxNameLength+1), Email: "b@x.org"},
		"recipients.2.email": {Name: "Bob"}, // their mails have to go somewhere
	} {
		_, _, err := e.SetContact(2, k, sender, at(2))
		refused(t, err, Invalid, field)
	}
	_, _, err = e.SetContact(99, Contact{}, sender, at(2))
	refused(t, err, NotFound, "")
	_, _, err = signed(t, e).SetContact(1, Contact{Name: "Eve", Email: "eve@x.org"}, sender, at(9))
	refused(t, err, Ended, "")
	if strings.Contains(err.Error(), "pending") {
		t.Errorf("the error speaks of the envelope: %v", err)
	}
	named := e
	named.Fields = append([]Field{}, e.Fields...)
	named.Fields[2].Type, named.Fields[2].ReadOnly = NameField, true
	_, _, err = named.SetContact(2, Contact{Email: "b@x.org"}, sender, at(2))
	refused(t, err, Invalid, "field_21")
}

func TestSeal(t *testing.T) {
	t.Parallel()
	a := Artefacts{Documents: map[int64]string{7: digest("c")}, AuditLog: digest("d")}
	e, events, err := completed(t).Seal(a, at(6))
	must(t, e, events, err)
	want := map[string]string{"audit_log_sha256": digest("d"), "document_1_sha256": digest("c")}
	if types(events) != "envelope.sealed" || !cmp.Equal(events[0].Data, want) || e.Documents[0].Current() != digest("c") || e.AuditLog != digest("d") || !e.SealedAt.Equal(at(6)) {
		t.Errorf("sealed: %+v", events)
	}
	if again, events, err := e.Seal(Artefacts{}, at(7)); err != nil || events != nil || !cmp.Equal(e, again) {
		t.Errorf("sealed twice: %v, %v", events, err)
	}
	e, events, err = completed(t).Seal(Artefacts{Documents: a.Documents}, at(6)) // the audit pages stand behind the document
	must(t, e, events, err)
	if _, named := events[0].Data["audit_log_sha256"]; named || e.AuditLog != "" {
		t.Errorf("an audit log that isn't there is named: %+v", events)
	}
	for _, a := range []Artefacts{{}, {AuditLog: digest("d")}} {
		_, _, err := completed(t).Seal(a, at(6))
		refused(t, err, Internal, "")
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	e, events, err := draft(t, false).Archive(true, sender, at(2))
	must(t, e, events, err)
	if types(events) != "envelope.archived" || !e.ArchivedAt.Equal(at(2)) {
		t.Errorf("archived: %+v", events)
	}
	if _, events, _ := e.Archive(true, sender, at(3)); events != nil {
		t.Error("archived twice")
	}
	e, events, err = e.Archive(false, sender, at(3))
	must(t, e, events, err)
	if types(events) != "envelope.unarchived" || !e.ArchivedAt.IsZero() {
		t.Errorf("unarchived: %+v", events)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	if KindOf(nil) != "" || KindOf(errPlain) != Internal || KindOf(wrap(Errorf(Full, "x"))) != Full {
		t.Error("KindOf is wrong")
	}
	err := &Error{Kind: Invalid, Field: "f", Message: "Bad.", Err: errPlain}
	if err.Error() != "f: Bad.: plain" || err.Unwrap() != errPlain {
		t.Errorf("the error reads %q", err)
	}
}
