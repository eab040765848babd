package paraph

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The rules of an envelope's life:
//
//	draft ──Send──▶ pending ──the last Finish──▶ completed ──Seal──▶ (sealed)
//	                  ├──Decline──▶ rejected
//	                  ├──Cancel───▶ cancelled
//	                  └──Expire───▶ expired
//
// Each takes the envelope and an input and returns the changed envelope and
// the events that tell the change, or the envelope as it was and an error.
// None reads a clock or changes its argument.

// ordinals are the roles that recipients get when nobody names one, as
// DocuSeal calls them.
var ordinals = [...]string{"First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth", "Ninth", "Tenth"}

func defaultRole(i int) string {
	if i < len(ordinals) {
		return ordinals[i] + " Party"
	}
	return "Party " + strconv.Itoa(i+1)
}

// New returns a draft with the names that it will keep. Rows that have no id
// yet carry negative ones, by which fields refer to them until they are
// stored.
func New(accountID, ownerID int64, name string, source Source, by Actor, now time.Time) (Envelope, []Event, error) {
	name, err := ParseName("name", name)
	if err != nil {
		return Envelope{}, nil, err
	}
	e := Envelope{
		AccountID: accountID, OwnerID: ownerID, Name: name, Status: Draft, Source: source,
		PublicID: "envelope_" + NewLetters(16), Slug: NewToken(14),
		CreatedAt: now, UpdatedAt: now,
	}
	return e, []Event{{Type: EnvelopeCreated, At: now, Actor: by}}, nil
}

// Details are what a draft's sender can say about it.
type Details struct {
	Name       string
	Subject    string
	Message    string
	Sequential bool
	ExpireAt   time.Time
	ExternalID string
	RedirectTo string
	ReplyTo    string
	Language   string // of the audit pages; "": the account's
	TimeZone   string // of times in them; "": the account's
}

// SetDetails changes a draft's details.
func (e Envelope) SetDetails(d Details, now time.Time) (Envelope, error) {
	if err := e.mustBe(Draft); err != nil {
		return e, err
	}
	name, err := ParseName("name", d.Name)
	if err != nil {
		return e, err
	}
	if utf8.RuneCountInString(d.Message) > 5000 || utf8.RuneCountInString(d.Subject) > MaxNameLength {
		return e, FieldErrorf("message", "The message has at most 5000 characters and its subject %d.", MaxNameLength)
	}
	if err := notLong("external_id", d.ExternalID); err != nil {
		return e, err
	}
	if err := notLong("redirect_to", d.RedirectTo); err != nil {
		return e, err
	}
	if !d.ExpireAt.IsZero() && !d.ExpireAt.After(now) {
		return e, FieldErrorf("expire_at", "The expiry must lie in the future.")
	}
	if d.ReplyTo != "" {
		if d.ReplyTo, err = ParseEmail("reply_to", d.ReplyTo); err != nil {
			return e, err
		}
	}
	if d.TimeZone != "" {
		if _, err := ZoneOf("timezone", d.TimeZone); err != nil {
			return e, err
		}
	}
	if len(d.Language) > 2 {
		return e, FieldErrorf("language", "A language has two letters, such as en.")
	}
	c := e.clone()
	c.Name, c.Subject, c.Message = name, strings.TrimSpace(CleanLine(d.Subject)), strings.TrimSpace(CleanText(d.Message))
	c.Sequential, c.ExpireAt = d.Sequential, d.ExpireAt
	c.ExternalID, c.RedirectTo, c.ReplyTo = CleanLine(d.ExternalID), CleanLine(d.RedirectTo), d.ReplyTo
	c.Language, c.TimeZone = d.Language, d.TimeZone
	return c.touched(now), nil
}

// notLong refuses what programs keep with an envelope or a recipient when it is
// longer than anything of use: it is told again with every event.
func notLong(field, s string) error {
	if utf8.RuneCountInString(s) > MaxNoteLength {
		return FieldErrorf(field, "This has at most %d characters.", MaxNoteLength)
	}
	return nil
}

// placeholder is an id for something new, below all ids that are in use.
func placeholder[T any](vs []T, id func(T) int64) int64 {
	low := int64(0)
	for _, v := range vs {
		low = min(low, id(v))
	}
	return low - 1
}

// AddDocument adds a document to a draft, last. Its id may be negative; one
// that has none, or a taken one, gets a new negative one.
func (e Envelope) AddDocument(d Document, now time.Time) (Envelope, error) {
	if err := e.mustBe(Draft); err != nil {
		return e, err
	}
	if len(e.Documents) >= MaxDocuments {
		return e, FieldErrorf("documents", "An envelope holds at most %d documents.", MaxDocuments)
	}
	if n := e.Pages() + len(d.Pages); n > MaxPages {
		return e, &Error{Kind: TooLarge, Field: "documents", Message: "The documents would have " + strconv.Itoa(n) + " pages; at most " + strconv.Itoa(MaxPages) + " are possible."}
	}
	if len(d.Pages) == 0 {
		return e, FieldErrorf("documents", "The document has no pages.")
	}
	if slices.ContainsFunc(d.Pages, func(p Page) bool { return !p.valid() }) {
		return e, FieldErrorf("documents", "A page of the document has no size.")
	}
	name, err := ParseName("documents", d.Name)
	if err != nil {
		return e, err
	}
	if _, taken := e.Document(d.ID); taken || d.ID == 0 {
		d.ID = placeholder(e.Documents, func(d Document) int64 { return d.ID })
	}
	c := e.clone()
	d.Name, d.Position = name, len(c.Documents)
	d.UUID, d.DataID = NewUUID(), NewLetters(25)
	d.CreatedAt, d.UpdatedAt = now, now
	c.Documents = append(c.Documents, d)
	return c.touched(now), nil
}

// RemoveDocument takes a document out of a draft, with the fields on it.
func (e Envelope) RemoveDocument(id int64, now time.Time) (Envelope, error) {
	if err := e.mustBe(Draft); err != nil {
		return e, err
	}
	if _, ok := e.Document(id); !ok {
		return e, Errorf(NotFound, "This document is not in the envelope.")
	}
	c := e.clone()
	c.Documents = slices.DeleteFunc(c.Documents, func(d Document) bool { return d.ID == id })
	for i := range c.Documents {
		c.Documents[i].Position = i
	}
	for i, f := range c.Fields {
		c.Fields[i].Areas = slices.DeleteFunc(slices.Clone(f.Areas), func(a Area) bool { return a.DocumentID == id })
	}
	c.Fields = slices.DeleteFunc(c.Fields, func(f Field) bool { return len(f.Areas) == 0 })
	return c.touched(now), nil
}

// SetRecipients replaces a draft's recipients. One whose id is already in the
// envelope keeps its token and dates; one without an id gets a negative one;
// fields of those who are gone go too. A missing address is no error in a
// draft: Send asks for it.
func (e Envelope) SetRecipients(rs []Recipient, now time.Time) (Envelope, error) {
	if err := e.mustBe(Draft); err != nil {
		return e, err
	}
	if len(rs) > MaxRecipients {
		return e, FieldErrorf("recipients", "An envelope has at most %d recipients.", MaxRecipients)
	}
	c := e.clone()
	c.Recipients = make([]Recipient, 0, len(rs))
	id := func(r Recipient) int64 { return r.ID }
	next := min(placeholder(rs, id), placeholder(e.Recipients, id))
	for i, r := range rs {
		r, err := e.draftRecipient(i, r, now)
		if err != nil {
			return e, err
		}
		if _, twice := c.Recipient(r.ID); twice {
			return e, FieldErrorf("recipients."+strconv.Itoa(i)+".id", "Two recipients have the id %d.", r.ID)
		}
		if r.ID == 0 {
			r.ID = next
			next--
		}
		c.Recipients = append(c.Recipients, r)
	}
	if err := c.uniqueRoles(); err != nil {
		return e, err
	}
	slices.SortStableFunc(c.Recipients, func(a, b Recipient) int { return a.Order - b.Order })
	c.Fields = slices.DeleteFunc(c.Fields, func(f Field) bool {
		r, ok := c.Recipient(f.RecipientID)
		return !ok || !r.Kind.HasFields()
	})
	return c.touched(now), nil
}

func (e *Envelope) draftRecipient(i int, r Recipient, now time.Time) (Recipient, error) {
	at := "recipients." + strconv.Itoa(i)
	old, ok := e.Recipient(r.ID)
	if !ok || r.ID == 0 {
		old = Recipient{ID: r.ID, EnvelopeID: e.ID, UUID: NewUUID(), Token: NewToken(21), CreatedAt: now, UpdatedAt: now}
	}
	was := old
	old.Kind, old.Role, old.Name, old.Email, old.Phone, old.Order = r.Kind, r.Role, r.Name, r.Email, CleanLine(r.Phone), r.Order
	old.ExternalID, old.Metadata, old.SendEmail, old.RedirectTo = CleanLine(r.ExternalID), r.Metadata, r.SendEmail, CleanLine(r.RedirectTo)
	r = old // so that nobody brings a life of theirs along
	if !r.Kind.Valid() {
		return r, FieldErrorf(at+".kind", "“%s” is not a kind of recipient.", Shorten(string(r.Kind), 40))
	}
	if r.Email = strings.TrimSpace(r.Email); r.Email != "" {
		email, err := ParseEmail(at+".email", r.Email)
		if err != nil {
			return r, err
		}
		r.Email = email
	}
	r.Name, r.Role = strings.TrimSpace(CleanLine(r.Name)), strings.TrimSpace(CleanLine(r.Role))
	if utf8.RuneCountInString(r.Name) > MaxNameLength || utf8.RuneCountInString(r.Role) > MaxNameLength {
		return r, FieldErrorf(at+".name", "Names and roles have at most %d characters.", MaxNameLength)
	}
	if err := r.notesFit(at + "."); err != nil {
		return r, err
	}
	r.Order = min(max(r.Order, 1), MaxRecipients)
	if r != was {
		r.UpdatedAt = now
	}
	return r, nil
}

// uniqueRoles refuses two recipients of one role, and gives those who have
// none a free one.
func (e *Envelope) uniqueRoles() error {
	taken := map[string]bool{}
	for i, r := range e.Recipients {
		key := strings.ToLower(r.Role)
		if key != "" && taken[key] {
			return FieldErrorf("recipients."+strconv.Itoa(i)+".role", "Two recipients have the role “%s”; roles must be different.", Shorten(r.Role, 60))
		}
		taken[key] = true
	}
	n := 0
	for i := range e.Recipients {
		for e.Recipients[i].Role == "" {
			if role := defaultRole(n); !taken[strings.ToLower(role)] {
				e.Recipients[i].Role = role
			}
			n++
		}
	}
	return nil
}

// SetFields replaces a draft's fields. Each is checked; the error stands at
// the first that is wrong. Ids of fields that are in the envelope are kept,
// others become new fields with negative ids.
func (e Envelope) SetFields(fs []Field, now time.Time) (Envelope, error) {
	if err := e.mustBe(Draft); err != nil {
		return e, err
	}
	if len(fs) > MaxFields {
		return e, FieldErrorf("fields", "An envelope has at most %d fields.", MaxFields)
	}
	if fieldBytes(fs) > maxFieldBytes {
		return e, &Error{Kind: TooLarge, Field: "fields", Message: "The places, choices and texts of the fields are too many to be stored."}
	}
	c := e.clone()
	c.Fields = make([]Field, 0, len(fs))
	next := placeholder(e.Fields, func(f Field) int64 { return f.ID })
	for i, f := range fs {
		r, ok := e.Recipient(f.RecipientID)
		if !ok || !r.Kind.HasFields() {
			return e, FieldErrorf(f.InputName(), "The field “%s” belongs to nobody who can fill it in.", f.Title())
		}
		f.Name = strings.TrimSpace(CleanLine(f.Name))
		if err := f.Check(e.pagesOf); err != nil {
			return e, err
		}
		old, ok := e.Field(f.ID)
		if _, twice := c.Field(f.ID); !ok || twice {
			old = Field{ID: next, UUID: NewUUID()}
			next--
		}
		f.ID, f.EnvelopeID, f.UUID = old.ID, e.ID, old.UUID
		f.Position, f.Value, f.EnteredAt = i, Value{}, time.Time{}
		c.Fields = append(c.Fields, f)
	}
	return c.touched(now), nil
}

// Send lets a complete draft go out: it becomes pending and the first
// recipients are invited. Who calls has set OwnSignatures.
func (e Envelope) Send(by Actor, now time.Time) (Envelope, []Event, error) {
	if err := e.mustBe(Draft); err != nil {
		return e, nil, err
	}
	if err := e.Ready(now); err != nil {
		return e, nil, err
	}
	c := e.clone().touched(now)
	c.Status, c.SentAt = Pending, now
	data := c.digests()
	if c.OwnSignatures {
		data["own_signatures"] = "true"
	}
	events := []Event{{Type: EnvelopeSent, At: now, Actor: by, Data: data}}
	return c, append(events, c.inviteNext(now)...), nil
}

// digests names each document's bytes, for the evidence.
func (e *Envelope) digests() map[string]string {
	m := map[string]string{}
	for i, d := range e.Documents {
		m["document_"+strconv.Itoa(i+1)+"_sha256"] = d.Original
	}
	return m
}

// Ready says what a draft lacks before it can be sent; nil when nothing.
func (e *Envelope) Ready(now time.Time) error {
	if len(e.Documents) == 0 {
		return FieldErrorf("documents", "Add a document first.")
	}
	if !slices.ContainsFunc(e.Recipients, func(r Recipient) bool { return r.Kind.Acts() }) {
		return FieldErrorf("recipients", "Add somebody who signs, approves or views.")
	}
	for _, f := range e.Fields {
		if err := f.Check(e.pagesOf); err != nil {
			return err
		}
	}
	for i, r := range e.Recipients {
		if err := e.ready(i, r, now); err != nil {
			return err
		}
	}
	if !e.ExpireAt.IsZero() && !e.ExpireAt.After(now) {
		return FieldErrorf("expire_at", "The expiry must lie in the future.")
	}
	return nil
}

func (e *Envelope) ready(i int, r Recipient, now time.Time) error {
	at := "recipients." + strconv.Itoa(i)
	if r.Email == "" && (r.SendEmail || r.Name == "") {
		return FieldErrorf(at+".email", "Enter the e-mail address of %s.", r.DisplayName())
	}
	if r.Kind == Signer && len(e.FieldsOf(r.ID)) == 0 {
		return FieldErrorf("fields", "Place at least one field for %s, or make them a viewer.", r.DisplayName())
	}
	return e.fillable(r, now)
}

// fillable refuses a required field that its recipient may not change and
// that would be empty: they could never finish.
func (e *Envelope) fillable(r Recipient, now time.Time) error {
	for _, f := range e.FieldsOf(r.ID) {
		if f.EnteredAt.IsZero() {
			f.Value = f.Prefill(r, now)
		}
		if f.ReadOnly && f.Required && !f.Filled() {
			return FieldErrorf(f.InputName(), "“%s” is required and read only, so it needs a default value.", f.Title())
		}
	}
	return nil
}

// inviteNext invites everybody whose turn it is and who was not yet invited.
func (e *Envelope) inviteNext(now time.Time) []Event {
	var events []Event
	for i, r := range e.Recipients {
		if e.InTurn(r) && r.SentAt.IsZero() {
			e.Recipients[i].SentAt = now
			e.Recipients[i].UpdatedAt = now
			events = append(events, Event{Type: RecipientInvited, At: now, RecipientID: r.ID, Actor: Actor{Kind: BySystem}})
		}
	}
	return events
}

// Open notes that a recipient looks at the envelope. Only the first time is
// an event; later it changes nothing.
func (e Envelope) Open(recipientID int64, by Actor, now time.Time) (Envelope, []Event, error) {
	i, err := e.acting(recipientID, now)
	if err != nil {
		return e, nil, err
	}
	if !e.Recipients[i].OpenedAt.IsZero() {
		return e, nil, nil
	}
	c := e.clone().touched(now)
	c.Recipients[i].OpenedAt = now
	c.seen(i, by, now)
	return c, []Event{{Type: RecipientViewed, At: now, RecipientID: recipientID, Actor: by}}, nil
}

// Enter stores the value of one field. The first one that a recipient enters
// is an event.
func (e Envelope) Enter(recipientID, fieldID int64, v Value, by Actor, now time.Time) (Envelope, []Event, error) {
	i, err := e.acting(recipientID, now)
	if err != nil {
		return e, nil, err
	}
	at := slices.IndexFunc(e.Fields, func(f Field) bool { return f.ID == fieldID && f.RecipientID == recipientID })
	if at < 0 {
		return e, nil, Errorf(NotFound, "This field is not one of yours.")
	}
	f := e.Fields[at]
	if f.ReadOnly {
		return e, nil, FieldErrorf(f.InputName(), "“%s” is read only.", f.Title())
	}
	if v, err = f.CheckValue(v); err != nil {
		return e, nil, err
	}
	c := e.clone().touched(now)
	c.Fields[at].Value, c.Fields[at].EnteredAt = v, now
	var events []Event
	if c.Recipients[i].StartedAt.IsZero() {
		c.Recipients[i].StartedAt = now
		events = append(events, Event{Type: RecipientStarted, At: now, RecipientID: recipientID, Actor: by})
	}
	c.seen(i, by, now)
	return c, events, nil
}

// Finish ends a recipient's part: every required field of theirs must be
// filled. consent is the sentence that they agreed to. The last one to act
// completes the envelope; otherwise the next are invited.
func (e Envelope) Finish(recipientID int64, consent string, by Actor, now time.Time) (Envelope, []Event, error) {
	i, err := e.acting(recipientID, now)
	if err != nil {
		return e, nil, err
	}
	c := e.clone().touched(now)
	c.prefill(i, now)
	for _, f := range c.FieldsOf(recipientID) {
		if f.Required && !f.Filled() {
			return e, nil, FieldErrorf(f.InputName(), "“%s” is still empty.", f.Title())
		}
	}
	var events []Event
	if len(c.FieldsOf(recipientID)) > 0 && c.Recipients[i].StartedAt.IsZero() {
		c.Recipients[i].StartedAt = now
		events = append(events, Event{Type: RecipientStarted, At: now, RecipientID: recipientID, Actor: by})
	}
	c.Recipients[i].CompletedAt = now
	c.seen(i, by, now)
	data := map[string]string{"values_sha256": c.valuesDigest(recipientID)}
	if consent != "" {
		data["consent"] = consent
	}
	events = append(events, Event{Type: RecipientFinished, At: now, RecipientID: recipientID, Actor: by, Data: data})
	if slices.ContainsFunc(c.Recipients, func(r Recipient) bool { return !r.Done() }) {
		return c, append(events, c.inviteNext(now)...), nil
	}
	c.Status, c.EndedAt = Completed, now
	return c, append(events, Event{Type: EnvelopeCompleted, At: now, Actor: Actor{Kind: BySystem}}), nil
}

// Prefill is the value that a field shows before its recipient enters one,
// and keeps if they don't: its default, or what is known of the recipient. A
// read-only date is the day of now.
func (f Field) Prefill(r Recipient, now time.Time) Value {
	switch {
	case f.Settings.Default != "" && !f.Type.IsImage():
		v, _ := f.CheckValue(Value{Text: f.Settings.Default})
		return v
	case f.Type == NameField:
		return Value{Text: r.Name}
	case f.Type == EmailField:
		return Value{Text: r.Email}
	case f.Type == DateField && f.ReadOnly:
		return Value{Text: now.UTC().Format(time.DateOnly)}
	}
	return Value{}
}

// prefill stores what a recipient's untouched fields show.
func (e *Envelope) prefill(i int, now time.Time) {
	for j, f := range e.Fields {
		if f.RecipientID != e.Recipients[i].ID || !f.EnteredAt.IsZero() {
			continue
		}
		if v := f.Prefill(e.Recipients[i], now); !v.IsZero() {
			e.Fields[j].Value, e.Fields[j].EnteredAt = v, now
		}
	}
}

// valuesDigest is a SHA-256 over what a recipient entered: a JSON array of
// [field UUID, text, picture digest] in reading order, with the digest of the
// strokes or the face after them where a signature has one.
func (e *Envelope) valuesDigest(recipientID int64) string {
	rows := [][]string{}
	for _, f := range e.FieldsOf(recipientID) {
		row := []string{f.UUID, f.Value.Text, f.Value.Image}
		if drawn := f.Value.Strokes + f.Value.Face; drawn != "" { // never both
			row = append(row, drawn)
		}
		rows = append(rows, row)
	}
	b, err := json.Marshal(rows)
	if err != nil { // strings only: can't happen
		panic(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Decline ends the envelope by a recipient's refusal.
func (e Envelope) Decline(recipientID int64, reason string, by Actor, now time.Time) (Envelope, []Event, error) {
	i, err := e.acting(recipientID, now)
	if err != nil {
		return e, nil, err
	}
	reason = strings.TrimSpace(CleanText(reason))
	if reason == "" {
		return e, nil, FieldErrorf("reason", "Say in a few words why you decline; the sender will read it.")
	}
	if utf8.RuneCountInString(reason) > MaxDeclineReason {
		return e, nil, FieldErrorf("reason", "The reason has at most %d characters.", MaxDeclineReason)
	}
	c := e.clone().touched(now)
	c.Status, c.EndedAt = Rejected, now
	c.Recipients[i].DeclinedAt, c.Recipients[i].DeclineReason = now, reason
	c.seen(i, by, now)
	return c, []Event{{Type: RecipientRefused, At: now, RecipientID: recipientID, Actor: by, Data: map[string]string{"reason": reason}}}, nil
}

// Cancel ends a pending envelope by its sender's will.
func (e Envelope) Cancel(reason string, by Actor, now time.Time) (Envelope, []Event, error) {
	if err := e.mustBe(Pending); err != nil {
		return e, nil, err
	}
	c := e.clone().touched(now)
	c.Status, c.EndedAt = Cancelled, now
	ev := Event{Type: EnvelopeCancelled, At: now, Actor: by}
	if reason = strings.TrimSpace(CleanText(reason)); reason != "" {
		ev.Data = map[string]string{"reason": Shorten(reason, MaxDeclineReason)}
	}
	return c, []Event{ev}, nil
}

// Expire ends a pending envelope whose time is over. Before that it changes
// nothing.
func (e Envelope) Expire(now time.Time) (Envelope, []Event, error) {
	if e.Status != Pending || e.ExpireAt.IsZero() || now.Before(e.ExpireAt) {
		return e, nil, nil
	}
	c := e.clone().touched(now)
	c.Status, c.EndedAt = Expired, now
	return c, []Event{{Type: EnvelopeExpired, At: now, Actor: Actor{Kind: BySystem}}}, nil
}

// remindPause is the least time between two reminders to one recipient.
const remindPause = time.Minute

// Remind sends somebody whose turn it is their link once more.
func (e Envelope) Remind(recipientID int64, by Actor, now time.Time) (Envelope, []Event, error) {
	i, err := e.acting(recipientID, now)
	if err != nil {
		return e, nil, err
	}
	r := e.Recipients[i]
	if r.Email == "" {
		return e, nil, Errorf(Invalid, "%s has no e-mail address; copy the signing link instead.", r.DisplayName())
	}
	if now.Sub(r.RemindedAt) < remindPause {
		return e, nil, Errorf(TooMany, "A reminder went to %s just now; wait a minute.", r.DisplayName())
	}
	c := e.clone().touched(now)
	c.Recipients[i].RemindedAt, c.Recipients[i].UpdatedAt = now, now
	return c, []Event{{Type: RecipientReminded, At: now, RecipientID: recipientID, Actor: by}}, nil
}

// Contact is how a recipient is reached.
type Contact struct{ Name, Email, Phone, ExternalID, Metadata string }

// SetContact changes how a recipient who has not acted yet is reached. Once
// the envelope is out, what it needs of them can't be taken away.
func (e Envelope) SetContact(recipientID int64, k Contact, by Actor, now time.Time) (Envelope, []Event, error) {
	i := slices.IndexFunc(e.Recipients, func(r Recipient) bool { return r.ID == recipientID })
	switch {
	case i < 0:
		return e, nil, Errorf(NotFound, "This recipient is not in the envelope.")
	case e.Status.Ended() || !e.DeletedAt.IsZero():
		return e, nil, e.endedError()
	case !e.Recipients[i].CompletedAt.IsZero():
		return e, nil, Errorf(Ended, "%s has finished already.", e.Recipients[i].DisplayName())
	}
	if k.Email != "" {
		email, err := ParseEmail("email", k.Email)
		if err != nil {
			return e, nil, err
		}
		k.Email = email
	}
	c := e.clone()
	r := &c.Recipients[i]
	r.Name, r.Email, r.Phone = strings.TrimSpace(CleanLine(k.Name)), k.Email, CleanLine(k.Phone)
	r.ExternalID, r.Metadata = CleanLine(k.ExternalID), k.Metadata
	if utf8.RuneCountInString(r.Name) > MaxNameLength {
		return e, nil, FieldErrorf("name", "A name has at most %d characters.", MaxNameLength)
	}
	if err := r.notesFit(""); err != nil {
		return e, nil, err
	}
	if *r == e.Recipients[i] {
		return e, nil, nil
	}
	if e.Status == Pending {
		if err := c.ready(i, *r, now); err != nil {
			return e, nil, err
		}
	}
	r.UpdatedAt = now
	data := map[string]string{}
	if r.Email != e.Recipients[i].Email {
		data["old_email"], data["email"] = e.Recipients[i].Email, r.Email
	}
	if r.Name != e.Recipients[i].Name {
		data["old_name"], data["name"] = e.Recipients[i].Name, r.Name
	}
	return c.touched(now), []Event{{Type: RecipientChanged, At: now, RecipientID: recipientID, Actor: by, Data: data}}, nil
}

// Artefacts are the digests of what sealing made.
type Artefacts struct {
	Documents map[int64]string // sealed PDF by document id
	AuditLog  string           // "" when the audit pages are no file of their own
	Level     string           // of PAdES, that all have
	Wants     bool             // timestamps are to follow
}

// Seal notes that the artefacts of a completed envelope are stored. A second
// call changes nothing.
func (e Envelope) Seal(a Artefacts, now time.Time) (Envelope, []Event, error) {
	if err := e.mustBe(Completed); err != nil {
		return e, nil, err
	}
	if !e.SealedAt.IsZero() {
		return e, nil, nil
	}
	c := e.clone().touched(now)
	data := map[string]string{}
	if a.AuditLog != "" {
		data["audit_log_sha256"] = a.AuditLog
	}
	for i, d := range c.Documents {
		sealed, ok := a.Documents[d.ID]
		if !ok || sealed == "" {
			return e, nil, Errorf(Internal, "document %d was not sealed", d.ID)
		}
		c.Documents[i].Sealed, c.Documents[i].UpdatedAt = sealed, now
		data["document_"+strconv.Itoa(i+1)+"_sha256"] = sealed
	}
	c.SealedAt, c.AuditLog, c.SealLevel = now, a.AuditLog, a.Level
	if a.Level != "" {
		data["level"] = a.Level
	}
	if a.Wants {
		c.StampAt = now
	}
	return c, []Event{{Type: EnvelopeSealed, At: now, Actor: Actor{Kind: BySystem}, Data: data}}, nil
}

// Delete takes an envelope away from its account. One that is out for signing
// is cancelled first.
func (e Envelope) Delete(by Actor, now time.Time) (Envelope, []Event, error) {
	if !e.DeletedAt.IsZero() {
		return e, nil, nil
	}
	c, events := e, []Event(nil)
	if e.Status == Pending {
		var err error
		if c, events, err = e.Cancel("", by, now); err != nil {
			return e, nil, err
		}
	}
	c = c.clone().touched(now)
	c.DeletedAt = now
	return c, append(events, Event{Type: EnvelopeDeleted, At: now, Actor: by}), nil
}

// Archive hides an envelope from the list, or with archived false shows it
// again.
func (e Envelope) Archive(archived bool, by Actor, now time.Time) (Envelope, []Event, error) {
	if !e.DeletedAt.IsZero() {
		return e, nil, e.endedError()
	}
	if archived == !e.ArchivedAt.IsZero() {
		return e, nil, nil
	}
	c := e.clone().touched(now)
	if !archived {
		c.ArchivedAt = time.Time{}
		return c, []Event{{Type: EnvelopeUnarchived, At: now, Actor: by}}, nil
	}
	c.ArchivedAt = now
	return c, []Event{{Type: EnvelopeArchived, At: now, Actor: by}}, nil
}

// acting returns the index of a recipient who may act now, or says why they
// may not.
func (e *Envelope) acting(recipientID int64, now time.Time) (int, error) {
	i := slices.IndexFunc(e.Recipients, func(r Recipient) bool { return r.ID == recipientID })
	switch {
	case i < 0:
		return 0, Errorf(NotFound, "This recipient is not in the envelope.")
	case !e.DeletedAt.IsZero():
		return 0, e.endedError()
	case e.Status == Draft:
		return 0, Errorf(NotYourTurn, "This envelope has not been sent yet.")
	case e.Status.Ended():
		return 0, e.endedError()
	case !e.ExpireAt.IsZero() && !now.Before(e.ExpireAt):
		return 0, Errorf(Ended, "The time to sign this envelope is over.")
	case e.Recipients[i].Done():
		return 0, Errorf(Ended, "You have finished your part of this envelope.")
	case !e.InTurn(e.Recipients[i]):
		return 0, Errorf(NotYourTurn, "Others act before you; you will get a mail when it is your turn.")
	}
	return i, nil
}

// seen keeps from where a recipient acted last.
func (e *Envelope) seen(i int, by Actor, now time.Time) {
	e.Recipients[i].UpdatedAt = now
	if by = by.clean(); by.IP != "" {
		e.Recipients[i].IP, e.Recipients[i].UserAgent = by.IP, by.UserAgent
	}
}

func (e *Envelope) mustBe(s Status) error {
	if e.Status == s && e.DeletedAt.IsZero() {
		return nil
	}
	if e.Status.Ended() || !e.DeletedAt.IsZero() {
		return e.endedError()
	}
	if s == Draft {
		return Errorf(Conflict, "This envelope has been sent and can't be changed any more.")
	}
	return Errorf(Conflict, "This envelope is still a draft.")
}

func (e *Envelope) endedError() error {
	switch {
	case !e.DeletedAt.IsZero():
		return Errorf(Ended, "This envelope has been deleted.")
	case e.Status == Completed:
		return Errorf(Ended, "Everybody has signed this envelope; nothing can change any more.")
	}
	return Errorf(Ended, "This envelope was %s; nothing can change any more.", e.Status)
}

// touched is the envelope with a new time of change.
func (e Envelope) touched(now time.Time) Envelope {
	e.UpdatedAt = now
	return e
}
