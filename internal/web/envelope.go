package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/web/ui/envelope"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// owned is the envelope in the path, if it belongs to the space of who asks.
func (s *server) owned(r *http.Request) (paraph.Envelope, error) {
	id, err := pathID(r, "id")
	if err != nil {
		return paraph.Envelope{}, err
	}
	return s.Store.Envelope(r.Context(), s.who(r).AccountID, id)
}

func envelopePath(id int64) string { return "/envelopes/" + strconv.FormatInt(id, 10) }

func (s *server) envelopePage(w http.ResponseWriter, r *http.Request) error {
	e, err := s.owned(r)
	if err != nil {
		return err
	}
	v, err := s.envelopeView(r.Context(), &e)
	if err != nil {
		return err
	}
	v.Open = r.URL.Query().Get("do")
	if e.Status == paraph.Completed && e.SealedAt.IsZero() {
		refreshSoon(w, s.Store.Now().Sub(e.EndedAt), "")
	}
	return s.page(w, r, http.StatusOK, envelope.Page(v), kit.Page{Title: e.Name})
}

func (s *server) envelopeView(ctx context.Context, e *paraph.Envelope) (v envelope.View, err error) {
	events, err := s.Store.Events(ctx, e.AccountID, e.ID)
	if err != nil {
		return v, err
	}
	now := s.Store.Now()
	v = envelope.View{
		ID: e.ID, Name: e.Name, State: stateOf(e), Note: noteOf(e, events), Sequential: e.Sequential, Message: e.Message,
		Times: times(e), Timeline: timeline(e, events, now), Trail: trail(events), Draft: e.Status == paraph.Draft,
		CanCancel: e.Status == paraph.Pending, Archived: !e.ArchivedAt.IsZero(), Facts: detailFacts(e), Now: now,
	}
	if v.State == "sealing" {
		if waits := s.Desk.SealingWaits(ctx); waits != "" {
			v.Note = &kit.Notice{Tone: kit.Warning, Text: waits, Stays: true}
		}
	}
	v.Done, v.All = e.Progress()
	for _, d := range e.Documents {
		v.Documents = append(v.Documents, ownDocument(e, d))
	}
	if e.AuditLog != "" {
		v.AuditLog = envelopePath(e.ID) + "/audit-log"
	}
	if len(e.Documents) > 0 {
		v.Archive = envelopePath(e.ID) + "/files.zip"
	}
	if !e.SealedAt.IsZero() {
		v.Combined = envelopePath(e.ID) + "/combined.pdf"
	}
	if !v.Draft {
		v.Preview = s.Desk.Links.Preview(e.Slug)
	}
	for i, r := range e.Recipients {
		v.Recipients = append(v.Recipients, s.ownRecipient(e, r, i))
	}
	if v.Troubles, err = s.troubles(ctx, e); err != nil {
		return v, err
	}
	if v.Sealing, err = s.sealing(ctx, e); err != nil {
		return v, err
	}
	v.Deliveries, err = s.deliveriesOf(ctx, e)
	return v, err
}

// stateOf is the envelope's state as a badge: a completed one that is not
// sealed yet says so.
func stateOf(e *paraph.Envelope) string {
	if e.Status == paraph.Completed && e.SealedAt.IsZero() {
		return "sealing"
	}
	return string(e.Status)
}

func noteOf(e *paraph.Envelope, events []paraph.Event) *kit.Notice {
	switch {
	case e.Status == paraph.Completed && e.SealedAt.IsZero():
		return &kit.Notice{Tone: kit.Info, Text: "Everybody has finished. The sealed PDF is being made; this page shows it in a moment.", Stays: true}
	case e.Status == paraph.Rejected:
		for _, r := range e.Recipients {
			if !r.DeclinedAt.IsZero() {
				return &kit.Notice{Tone: kit.Error, Text: r.DisplayName() + " declined: " + r.DeclineReason, Stays: true}
			}
		}
	case e.Status == paraph.Cancelled:
		return &kit.Notice{Tone: kit.Neutral, Text: "This envelope was cancelled" + reasonOf(events, paraph.EnvelopeCancelled) + ". Nobody can sign it any more.", Stays: true}
	case e.Status == paraph.Expired:
		return &kit.Notice{Tone: kit.Warning, Text: "The time to sign ran out. To go on, send the documents in a new envelope.", Stays: true}
	}
	return nil
}

// reasonOf is the reason that an event gives, with a colon before it.
func reasonOf(events []paraph.Event, t paraph.EventType) string {
	for _, ev := range events {
		if ev.Type == t && ev.Data["reason"] != "" {
			return ": “" + strings.TrimRight(ev.Data["reason"], ". ") + "”"
		}
	}
	return ""
}

func times(e *paraph.Envelope) []envelope.Moment {
	out := []envelope.Moment{{Label: "Created", At: e.CreatedAt}}
	if !e.SentAt.IsZero() {
		out = append(out, envelope.Moment{Label: "Sent", At: e.SentAt})
	}
	switch {
	case !e.EndedAt.IsZero():
		out = append(out, envelope.Moment{Label: "Ended", At: e.EndedAt})
	case !e.ExpireAt.IsZero():
		out = append(out, envelope.Moment{Label: "Runs out", At: e.ExpireAt})
	}
	return out
}

func detailFacts(e *paraph.Envelope) []kit.Pair {
	var out []kit.Pair
	add := func(name, value string) {
		if value != "" {
			out = append(out, kit.Pair{Name: name, Value: value})
		}
	}
	add("Subject", e.Subject)
	if e.SealLevel != "" {
		add("Seal", "PAdES "+e.SealLevel)
	}
	add("External id", e.ExternalID)
	add("Id", e.PublicID)
	if e.Source == paraph.FromAPI {
		add("Made by", "the API")
	}
	return out
}

func ownDocument(e *paraph.Envelope, d paraph.Document) envelope.Document {
	base := documentPath(e, d)
	out := envelope.Document{
		Name: d.Name, Facts: pageCount(len(d.Pages)) + ", " + kit.Bytes(d.Size), View: base + "/current?view=1", Original: base + "/original",
		Thumbnail: pictureURL(base, e, d, 0, thumbnailWidth),
	}
	out.Width, out.Height = pictureSize(d.Pages[0], thumbnailWidth)
	done, _ := e.Progress()
	switch {
	case d.Sealed != "":
		out.Sealed = base + "/sealed"
	case done > 0:
		out.Current = base + "/current"
	}
	return out
}

func documentPath(e *paraph.Envelope, d paraph.Document) string {
	return envelopePath(e.ID) + "/documents/" + strconv.FormatInt(d.ID, 10)
}

func pageCount(n int) string {
	if n == 1 {
		return "1 page"
	}
	return strconv.Itoa(n) + " pages"
}

// does is what a kind of recipient does, in a word or few.
func does(k paraph.RecipientKind) string {
	switch k {
	case paraph.Signer:
		return "signs"
	case paraph.Approver:
		return "approves"
	case paraph.Viewer:
		return "reads"
	case paraph.Assistant:
		return "fills in"
	}
	return "gets a copy"
}

// recipientStatus is where a recipient stands, as a badge.
func recipientStatus(e *paraph.Envelope, r paraph.Recipient) (st kit.Status) {
	switch {
	case !r.DeclinedAt.IsZero():
		return kit.StatusOf("declined")
	case !r.CompletedAt.IsZero():
		return finishedStatus(r.Kind)
	case !r.Kind.Acts():
		return kit.Status{Label: "Copy", Tone: kit.Neutral, Icon: "mail"}
	case e.Status == paraph.Draft:
		return kit.Status{Label: "Not sent", Tone: kit.Neutral, Icon: "pencil"}
	case e.Status.Ended():
		return kit.Status{Label: "Did not finish", Tone: kit.Neutral, Icon: "ban"}
	case !r.OpenedAt.IsZero():
		return kit.StatusOf("opened")
	case e.InTurn(r):
		return kit.StatusOf("sent")
	}
	return kit.StatusOf("waiting")
}

func finishedStatus(k paraph.RecipientKind) kit.Status {
	switch k {
	case paraph.Approver:
		return kit.StatusOf("approved")
	case paraph.Viewer:
		return kit.Status{Label: "Read", Tone: kit.Success, Icon: "check"}
	case paraph.Assistant:
		return kit.Status{Label: "Done", Tone: kit.Success, Icon: "check"}
	}
	return kit.StatusOf("signed")
}

func (s *server) ownRecipient(e *paraph.Envelope, r paraph.Recipient, i int) envelope.Recipient {
	out := envelope.Recipient{
		ID: r.ID, Name: r.DisplayName(), Email: r.Email, Role: chosenRole(e, r), Does: capital(does(r.Kind)), State: recipientStatus(e, r), Order: r.Order, Number: i,
	}
	switch {
	case !r.DeclinedAt.IsZero():
		out.At, out.Detail = r.DeclinedAt, "“"+r.DeclineReason+"”"
	case !r.CompletedAt.IsZero():
		out.At = r.CompletedAt
	case !r.OpenedAt.IsZero():
		out.At = r.OpenedAt
	case !r.SentAt.IsZero():
		out.At = r.SentAt
	}
	if e.Status == paraph.Pending && !r.Done() {
		out.Link = s.Desk.Links.Sign(r.Token)
	}
	if e.InTurn(r) && r.Email != "" {
		out.Remind = envelopePath(e.ID) + "/recipients/" + strconv.FormatInt(r.ID, 10) + "/remind"
	}
	return out
}

// chosenRole is a recipient's role, unless it is only the name that the rules
// give to those who were given none on our pages.
func chosenRole(e *paraph.Envelope, r paraph.Recipient) string {
	if e.Source == paraph.FromWeb && (strings.HasSuffix(r.Role, " Party") || strings.HasPrefix(r.Role, "Party ")) {
		return ""
	}
	return r.Role
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// troubles are the mails that could not be sent so far, in sentences.
func (s *server) troubles(ctx context.Context, e *paraph.Envelope) ([]string, error) {
	all, err := s.Desk.MailTroubles(ctx, e)
	var out []string
	for _, t := range all {
		out = append(out, fmt.Sprintf("%s could not be sent yet: %s. Tried %s; the next try is %s.", capital(mailName(t.Mail)+" to "+nameOf(e, t.RecipientID)),
			mailError(t.Error), count(t.Tries, "time"), whenNext(t.NextAt, s.Store.Now())))
	}
	return out, err
}

// sealing is why an envelope could not be sealed so far, in a sentence.
func (s *server) sealing(ctx context.Context, e *paraph.Envelope) (v envelope.Sealing, err error) {
	t, failed, err := s.Desk.SealTrouble(ctx, e)
	if failed {
		v.Retry = envelopePath(e.ID) + "/seal"
		v.Text = fmt.Sprintf("Everybody has finished, and nothing is lost, but sealing did not work yet: %s. Tried %s; the next try is %s.",
			strings.TrimRight(t.Error, ". "), count(t.Tries, "time"), whenNext(t.NextAt, s.Store.Now()))
	}
	return v, err
}

func (s *server) retrySeal(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "", "It is being sealed.", s.Desk.RetrySeal)
}

// mailError is why a mail was not sent, without what only the log needs.
func mailError(s string) string {
	for _, sign := range []string{"dial tcp", "connection refused", "no such host", "i/o timeout", "deadline exceeded", "EOF"} {
		if strings.Contains(s, sign) {
			return "the mail server can’t be reached"
		}
	}
	if prefix, rest, ok := strings.Cut(s, ": "); ok && strings.HasPrefix(prefix, "send mail ") {
		s = rest
	}
	return "the mail server said: " + strings.TrimRight(s, ". ")
}

// whenNext is a time to come in words.
func whenNext(at, now time.Time) string {
	if at.Sub(now) < 45*time.Second {
		return "in a moment"
	}
	return kit.Humane(at, now)
}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return strconv.Itoa(n) + " " + of + "s"
}

func (s *server) deliveriesOf(ctx context.Context, e *paraph.Envelope) ([]envelope.Delivery, error) {
	ds, err := s.Store.Deliveries(ctx, e.AccountID, store.DeliveryFilter{EnvelopeID: e.ID, Limit: 50})
	var out []envelope.Delivery
	for _, d := range ds {
		row := envelope.Delivery{
			Event: d.EventName, State: deliveryState(d), At: d.CreatedAt,
			Href: fmt.Sprintf("/settings/webhooks/%d/deliveries/%d", d.EndpointID, d.ID),
		}
		if d.LastStatus > 0 {
			row.Code = strconv.Itoa(d.LastStatus)
		} else if d.LastError != "" {
			row.Code = d.LastError
		}
		out = append(out, row)
	}
	return out, err
}

// deliveryState is a delivery's state as a badge.
func deliveryState(d paraph.Delivery) string {
	switch {
	case d.State == paraph.DeliverySucceeded:
		return "delivered"
	case d.State == paraph.DeliveryPending && d.Attempts > 0:
		return "retrying"
	}
	return string(d.State)
}

// refreshSoon lets the browser ask again in a while, the longer it has waited
// the later, and go to another address if there is one.
func refreshSoon(w http.ResponseWriter, waited interface{ Seconds() float64 }, to string) {
	wait := "2"
	if waited.Seconds() > 60 {
		wait = "20"
	}
	if to != "" {
		wait += "; url=" + to
	}
	w.Header().Set("Refresh", wait)
}

// act runs a verb on the envelope in the path and goes back to its page, or to
// another, with a sentence. What the rules refuse is said there too.
func (s *server) act(w http.ResponseWriter, r *http.Request, to, done string, verb func(ctx context.Context, who desk.Who, id int64) error) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	if to == "" {
		to = envelopePath(id)
	}
	err = verb(r.Context(), s.who(r), id)
	if k := paraph.KindOf(err); err != nil && (wantsJSON(r) || (k != paraph.Invalid && k != paraph.Conflict && k != paraph.Ended && k != paraph.TooMany && k != paraph.NotYourTurn)) {
		return err
	}
	if shown, ok := asError(err); ok {
		s.flash(w, kit.Error, shown.Message)
		return redirect(w, r, envelopePath(id))
	}
	s.flash(w, kit.Success, done)
	return redirect(w, r, to)
}

func (s *server) cancel(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	return s.act(w, r, "", "The envelope was cancelled.", func(ctx context.Context, who desk.Who, id int64) error {
		_, err := s.Desk.Cancel(ctx, who, id, f.Get("reason"))
		return err
	})
}

func (s *server) deleteEnvelope(w http.ResponseWriter, r *http.Request) error {
	return s.act(w, r, "/envelopes", "The envelope was deleted.", func(ctx context.Context, who desk.Who, id int64) error {
		_, err := s.Desk.Delete(ctx, who, id)
		return err
	})
}

func (s *server) archiveEnvelope(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	archived, to, said := f.Get("archived") != "no", "/envelopes", "The envelope is in the archive now."
	if !archived {
		said = "The envelope is back in the list."
	}
	if f.Get("from") == "envelope" {
		to = ""
	}
	return s.act(w, r, to, said, func(ctx context.Context, who desk.Who, id int64) error {
		_, err := s.Desk.Archive(ctx, who, id, archived)
		return err
	})
}

func (s *server) remind(w http.ResponseWriter, r *http.Request) error {
	recipient, err := pathID(r, "recipient")
	if err != nil {
		return err
	}
	return s.act(w, r, "", "A reminder is on its way.", func(ctx context.Context, who desk.Who, id int64) error {
		_, err := s.Desk.Remind(ctx, who, id, recipient)
		return err
	})
}

// query is an address with parameters; empty ones are left out.
func query(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
