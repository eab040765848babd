package paraph_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	. "github.com/paraph-sign/paraph"
)

// A life is an envelope under random calls, with what must always hold of it.
type life struct {
	e       Envelope
	now     time.Time
	trail   []Event
	entered map[int64]Value // by field: the last value that was accepted
	next    int64           // id
}

// TestLives drives envelopes through random calls by random people at moving
// times.
func TestLives(t *testing.T) {
	t.Parallel()
	ends := map[Status]int{}
	rapid.Check(t, func(t *rapid.T) {
		l := &life{now: start, entered: map[int64]Value{}, next: 100}
		l.begin(t)
		if rapid.Bool().Draw(t, "send first") {
			l.apply(t, "Send", func(e Envelope) (Envelope, []Event, error) { return e.Send(sender, l.now) })
		}
		for range 60 - rapid.IntRange(0, 59).Draw(t, "calls left out") { // rapid prefers small numbers
			l.step(t)
		}
		ends[l.e.Status]++
	})
	if ends[Completed] == 0 || ends[Pending] == 0 || ends[Rejected]+ends[Cancelled]+ends[Expired] == 0 {
		t.Errorf("the lives were too much alike to prove anything: %v", ends)
	}
	t.Log("ended as", ends)
}

func (l *life) begin(t *rapid.T) {
	e, events, err := New(1, 3, "Lease", FromWeb, sender, l.now)
	if err != nil {
		t.Fatal(err)
	}
	e.ID = 5
	l.e = e
	l.append(events)
	l.e, err = e.AddDocument(Document{ID: 7, Name: "d", Original: digest("a"), Pages: []Page{{595, 842}}}, l.now)
	if err != nil {
		t.Fatal(err)
	}
	l.draftAgain(t)
}

// draftAgain gives the draft random recipients and fields, mostly good ones.
func (l *life) draftAgain(t *rapid.T) {
	rs := make([]Recipient, rapid.IntRange(1, 4).Draw(t, "recipients"))
	for i := range rs {
		rs[i] = Recipient{
			ID: int64(i + 1), Kind: rapid.SampledFrom([]RecipientKind{Signer, Signer, Approver, Viewer, CC, Assistant}).Draw(t, "kind"),
			Name: "N", Email: "n@example.com", SendEmail: true, Order: rapid.IntRange(1, 3).Draw(t, "order"),
		}
	}
	d := Details{Name: "Lease", Sequential: rapid.Bool().Draw(t, "sequential")}
	if rapid.Bool().Draw(t, "expires") {
		d.ExpireAt = l.now.Add(time.Duration(rapid.IntRange(1, 600).Draw(t, "minutes")) * time.Minute)
	}
	l.apply(t, "SetDetails", func(e Envelope) (Envelope, []Event, error) { e, err := e.SetDetails(d, l.now); return e, nil, err })
	l.apply(t, "SetRecipients", func(e Envelope) (Envelope, []Event, error) { e, err := e.SetRecipients(rs, l.now); return e, nil, err })
	var fs []Field
	for _, r := range l.e.Recipients {
		for range rapid.IntRange(0, 2).Draw(t, "fields") {
			if r.Kind.HasFields() {
				fs = append(fs, randomField(t, r.ID))
			}
		}
		if r.Kind == Signer {
			fs = append(fs, Field{RecipientID: r.ID, Type: TextField, Required: true, Areas: box(7)})
		}
	}
	l.apply(t, "SetFields", func(e Envelope) (Envelope, []Event, error) { e, err := e.SetFields(fs, l.now); return e, nil, err })
	for i := range l.e.Fields { // as the store would
		if l.e.Fields[i].ID < 0 {
			l.next++
			l.e.Fields[i].ID = l.next
		}
	}
}

func randomField(t *rapid.T, recipient int64) Field {
	f := Field{
		RecipientID: recipient, Areas: box(7),
		Type:     rapid.SampledFrom([]FieldType{TextField, CheckboxField, SignatureField, NameField, DateField}).Draw(t, "type"),
		Required: rapid.Bool().Draw(t, "required"),
	}
	f.ReadOnly = rapid.IntRange(0, 9).Draw(t, "read only") > 8-map[FieldType]int{NameField: 3, DateField: 3}[f.Type]
	if rapid.Bool().Draw(t, "default") && f.Type == CheckboxField {
		f.Settings.Default = rapid.SampledFrom([]string{"true", "false"}).Draw(t, "ticked")
	}
	return f
}

func (l *life) step(t *rapid.T) {
	if rapid.IntRange(0, 7).Draw(t, "wait") == 0 {
		l.now = l.now.Add(time.Duration(rapid.IntRange(0, 90).Draw(t, "minutes")) * time.Minute)
	}
	who := int64(rapid.IntRange(1, 5).Draw(t, "who"))
	if w := l.e.WaitingFor(); len(w) > 0 && rapid.IntRange(0, 2).Draw(t, "in turn") > 0 {
		who = rapid.SampledFrom(w).Draw(t, "waiting").ID
	}
	// Finish and Enter come often, what ends an envelope seldom.
	calls := []string{
		"Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Enter", "Finish", "Finish", "Finish", "Finish",
		"Finish", "Finish", "Finish", "Finish", "Open", "Open", "Send", "Send", "Send", "Send", "Send", "Send",
		"SetContact", "Remind", "Expire", "Seal", "Archive", "draft", "Decline", "Cancel", "Delete",
	}
	switch call := rapid.SampledFrom(calls).Draw(t, "call"); call {
	case "draft":
		if l.e.Status == Draft && l.e.DeletedAt.IsZero() {
			l.draftAgain(t)
		}
	case "Enter":
		l.enter(t, who)
	default:
		l.apply(t, call, func(e Envelope) (Envelope, []Event, error) { return l.call(t, call, e, who) })
	}
}

func (l *life) call(t *rapid.T, call string, e Envelope, who int64) (Envelope, []Event, error) {
	switch call {
	case "Send":
		return e.Send(sender, l.now)
	case "Open":
		return e.Open(who, signer, l.now)
	case "Finish":
		return e.Finish(who, "I agree.", signer, l.now)
	case "Decline":
		return e.Decline(who, rapid.SampledFrom([]string{"", "No."}).Draw(t, "reason"), signer, l.now)
	case "Cancel":
		return e.Cancel("", sender, l.now)
	case "Expire":
		return e.Expire(l.now)
	case "Remind":
		return e.Remind(who, sender, l.now)
	case "SetContact":
		k := Contact{Name: rapid.SampledFrom([]string{"", "Ada", "Bob"}).Draw(t, "name"), Email: rapid.SampledFrom([]string{"", "a@b.c"}).Draw(t, "email")}
		return e.SetContact(who, k, sender, l.now)
	case "Archive":
		return e.Archive(rapid.Bool().Draw(t, "archived"), sender, l.now)
	case "Seal":
		return e.Seal(Artefacts{Documents: map[int64]string{7: digest("c")}, AuditLog: digest("d")}, l.now)
	}
	return e.Delete(sender, l.now)
}

func (l *life) enter(t *rapid.T, who int64) {
	if len(l.e.Fields) == 0 {
		return
	}
	f := rapid.SampledFrom(l.e.Fields).Draw(t, "field")
	if own := l.e.FieldsOf(who); len(own) > 0 && rapid.IntRange(0, 3).Draw(t, "own") > 0 {
		f = rapid.SampledFrom(own).Draw(t, "own field")
	}
	v := Value{Text: rapid.SampledFrom([]string{"true", "true", "true", "2026-01-02", "2026-01-02", "words", "", "false", " "}).Draw(t, "text")}
	if f.Type.IsImage() && rapid.IntRange(0, 3).Draw(t, "drawn") > 0 {
		v = Value{Image: digest(rapid.SampledFrom([]string{"1", "2"}).Draw(t, "image"))}
	}
	stored, invalid := f.CheckValue(v)
	l.apply(t, "Enter", func(e Envelope) (Envelope, []Event, error) {
		e, events, err := e.Enter(who, f.ID, v, signer, l.now)
		if err == nil {
			if invalid != nil || f.ReadOnly || who != f.RecipientID {
				t.Fatalf("%+v was accepted from %d for %+v", v, who, f)
			}
			l.entered[f.ID] = stored
		}
		return e, events, err
	})
}

// apply calls a rule and checks what must hold of every call.
func (l *life) apply(t *rapid.T, call string, rule func(e Envelope) (Envelope, []Event, error)) {
	t.Helper()
	was, copied := l.e, deepCopy(l.e)
	got, events, err := rule(l.e)
	if diff := cmp.Diff(copied, was); diff != "" {
		t.Fatalf("%s changed the envelope that it was called on:\n%s", call, diff)
	}
	if err != nil {
		if diff := cmp.Diff(copied, got); diff != "" || events != nil {
			t.Fatalf("%s failed (%v) and yet changed:\n%s%v", call, err, diff, events)
		}
		if k := KindOf(err); k == Internal {
			t.Fatalf("%s: %v", call, err)
		}
		return
	}
	l.checkTurn(t, call, was, got)
	l.checkEvents(t, call, was, got, events)
	l.e = got
	l.append(events)
	l.checkValues(t, call)
	if err := VerifyTrail(l.trail); err != nil {
		t.Fatalf("after %s: %v", call, err)
	}
}

func (l *life) append(events []Event) {
	for i := range events {
		events[i].EnvelopeID, events[i].AccountID = l.e.ID, l.e.AccountID
	}
	var last Event
	if len(l.trail) > 0 {
		last = l.trail[len(l.trail)-1]
	}
	l.trail = append(l.trail, Chain(last, events)...)
}

// checkTurn: whoever's dates or values changed had the turn, and what has
// ended stays ended.
func (l *life) checkTurn(t *rapid.T, call string, was, got Envelope) {
	t.Helper()
	if was.Status.Ended() && got.Status != was.Status || was.Status == Pending && got.Status == Draft {
		t.Fatalf("%s made a %s envelope %s", call, was.Status, got.Status)
	}
	if was.Status == Draft {
		return
	}
	for i, r := range got.Recipients {
		o := was.Recipients[i]
		acted := r.OpenedAt != o.OpenedAt || r.StartedAt != o.StartedAt || r.CompletedAt != o.CompletedAt || r.DeclinedAt != o.DeclinedAt || r.RemindedAt != o.RemindedAt
		for _, f := range got.FieldsOf(r.ID) {
			old, _ := was.Field(f.ID)
			acted = acted || f.Value != old.Value || f.EnteredAt != old.EnteredAt
		}
		over := !was.ExpireAt.IsZero() && !l.now.Before(was.ExpireAt)
		if acted && (!l.mayAct(was, o) || over) {
			t.Fatalf("%s: recipient %d acted out of turn or too late on\n%+v", call, r.ID, was)
		}
		if !r.SentAt.Equal(o.SentAt) && !l.mayAct(got, r) {
			t.Fatalf("%s invited recipient %d, whose turn it is not", call, r.ID)
		}
	}
	for _, r := range got.Recipients {
		if got.Status.Ended() && got.InTurn(r) {
			t.Fatalf("after %s it is still recipient %d's turn", call, r.ID)
		}
		if l.mayAct(got, r) && (r.SentAt.IsZero() || !got.InTurn(r)) {
			t.Fatalf("after %s nobody told recipient %d of their turn", call, r.ID)
		}
	}
}

// mayAct is InTurn in other words.
func (l *life) mayAct(e Envelope, r Recipient) bool {
	if e.Status != Pending || r.Kind == CC || !r.CompletedAt.IsZero() || !r.DeclinedAt.IsZero() {
		return false
	}
	for _, o := range e.Recipients {
		if e.Sequential && o.Order < r.Order && o.Kind != CC && o.CompletedAt.IsZero() {
			return false
		}
	}
	return true
}

// checkEvents: each change of state is told once, and nothing else is.
func (l *life) checkEvents(t *rapid.T, call string, was, got Envelope, events []Event) {
	t.Helper()
	var want []EventType
	told := func(typ EventType, before, after time.Time) {
		if !before.Equal(after) && !after.IsZero() {
			want = append(want, typ)
		}
	}
	if was.Status != got.Status {
		if typ, ok := map[Status]EventType{Pending: EnvelopeSent, Completed: EnvelopeCompleted, Cancelled: EnvelopeCancelled, Expired: EnvelopeExpired}[got.Status]; ok {
			want = append(want, typ)
		}
	}
	told(EnvelopeSealed, was.SealedAt, got.SealedAt)
	told(EnvelopeDeleted, was.DeletedAt, got.DeletedAt)
	told(EnvelopeArchived, was.ArchivedAt, got.ArchivedAt)
	if !was.ArchivedAt.IsZero() && got.ArchivedAt.IsZero() {
		want = append(want, EnvelopeUnarchived)
	}
	for _, r := range got.Recipients {
		o, ok := was.Recipient(r.ID)
		if !ok {
			continue
		}
		told(RecipientInvited, o.SentAt, r.SentAt)
		told(RecipientReminded, o.RemindedAt, r.RemindedAt)
		told(RecipientViewed, o.OpenedAt, r.OpenedAt)
		told(RecipientStarted, o.StartedAt, r.StartedAt)
		told(RecipientFinished, o.CompletedAt, r.CompletedAt)
		told(RecipientRefused, o.DeclinedAt, r.DeclinedAt)
		if call == "SetContact" && (o.Name != r.Name || o.Email != r.Email) {
			want = append(want, RecipientChanged)
		}
	}
	var have []EventType
	for _, ev := range events {
		have = append(have, ev.Type)
		if !ev.At.Equal(l.now) {
			t.Fatalf("%s: %s is told of %v, but it is %v", call, ev.Type, ev.At, l.now)
		}
	}
	slices.Sort(want)
	slices.Sort(have)
	if !slices.Equal(want, have) {
		t.Fatalf("%s: events %v, want %v", call, have, want)
	}
	if len(events) > 0 && !got.UpdatedAt.Equal(l.now) {
		t.Fatalf("%s: something happened, but nothing was touched", call)
	}
}

// checkValues: what somebody entered is what the envelope has, and a
// recipient who has finished left no required field empty.
func (l *life) checkValues(t *rapid.T, call string) {
	t.Helper()
	for id, v := range l.entered {
		f, ok := l.e.Field(id)
		if !ok || f.Value != v || f.EnteredAt.IsZero() {
			t.Fatalf("after %s the value %+v is lost: %+v", call, v, f)
		}
	}
	complete := 0
	for _, ev := range l.trail {
		if ev.Type == EnvelopeCompleted {
			complete++
		}
	}
	if complete > 1 || (complete == 1) != (l.e.Status == Completed) {
		t.Fatalf("after %s the envelope is %s and completed %d times", call, l.e.Status, complete)
	}
	for _, r := range l.e.Recipients {
		if l.e.Status == Completed && r.Kind.Acts() && r.CompletedAt.IsZero() {
			t.Fatalf("after %s the envelope is completed without recipient %d", call, r.ID)
		}
		for _, f := range l.e.FieldsOf(r.ID) {
			if !r.CompletedAt.IsZero() && f.Required && !f.Filled() {
				t.Fatalf("after %s recipient %d has finished, but %+v is empty", call, r.ID, f)
			}
		}
		l.checkNotStuck(t, call, r)
	}
}

// checkNotStuck: whoever has the turn can finish, once they fill what they
// can fill.
func (l *life) checkNotStuck(t *rapid.T, call string, r Recipient) {
	t.Helper()
	if !l.mayAct(l.e, r) || !l.e.ExpireAt.IsZero() && !l.now.Before(l.e.ExpireAt) {
		return
	}
	e := deepCopy(l.e)
	for i, f := range e.Fields {
		if f.RecipientID == r.ID && !f.ReadOnly {
			e.Fields[i].Value, e.Fields[i].EnteredAt = Value{Text: "true", Image: digest("1")}, l.now
		}
	}
	if _, _, err := e.Finish(r.ID, "", signer, l.now); err != nil {
		t.Fatalf("after %s recipient %d can never finish: %v", call, r.ID, err)
	}
}

// deepCopy shares nothing with e.
func deepCopy(e Envelope) Envelope {
	e.Documents = slices.Clone(e.Documents)
	for i := range e.Documents {
		e.Documents[i].Pages = slices.Clone(e.Documents[i].Pages)
	}
	e.Recipients = slices.Clone(e.Recipients)
	e.Fields = slices.Clone(e.Fields)
	for i := range e.Fields {
		e.Fields[i].Areas = slices.Clone(e.Fields[i].Areas)
		e.Fields[i].Settings.Options = slices.Clone(e.Fields[i].Settings.Options)
	}
	return e
}
