package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/job"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/store"
)

// mailKind is which mail it is.
type mailKind string

const (
	mailInvitation mailKind = "invitation"
	mailReminder   mailKind = "reminder"
	mailDeclined   mailKind = "declined"
	mailCancelled  mailKind = "cancelled"
	mailCompleted  mailKind = "completed"
	mailReset      mailKind = "password_reset"
	mailTeam       mailKind = "team_invitation"
	mailDisabled   mailKind = "webhook_disabled"
	mailFailing    mailKind = "webhook_failing"
	mailGivenUp    mailKind = "webhook_given_up"

	mailCertificate mailKind = "seal_certificate"
)

// letter is a mail to be written: the payload of a mail's job. The message
// itself is made when it is sent, from what holds then.
type letter struct {
	Kind        mailKind  `json:"kind"`
	RecipientID int64     `json:"recipient,omitempty"` // to whom, or
	UserID      int64     `json:"user,omitempty"`      // to whom; for a team invitation, by whom
	About       int64     `json:"about,omitempty"`     // the recipient who declined; the endpoint
	DeliveryID  int64     `json:"delivery,omitempty"`  // that was given up
	Email       string    `json:"email,omitempty"`
	Token       string    `json:"token,omitempty"`
	IP          string    `json:"ip,omitempty"`
	Expires     time.Time `json:"expires,omitzero"`
}

func (d *Desk) queueMail(ctx context.Context, tx *store.Tx, accountID, envelopeID int64, l letter) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return d.queue(ctx, tx, store.Job{Kind: jobMail, AccountID: accountID, EnvelopeID: envelopeID, Payload: string(b), DueAt: tx.Now()})
}

// errMoot says that a mail has nothing to say any more.
var errMoot = errors.New("the mail is moot")

// sendMail is the job: it writes the message, sends it, and notes on the
// envelope's trail that it went out. If we stop after the server took it and
// before the job is closed, it is sent once more, under the same Message-ID.
func (d *Desk) sendMail(ctx context.Context, j store.Job) error {
	var l letter
	if err := json.Unmarshal([]byte(j.Payload), &l); err != nil {
		return job.Stop(fmt.Errorf("read mail %d: %w", j.ID, err))
	}
	m, e, err := d.write(ctx, j, l)
	switch {
	case errors.Is(err, errMoot) || paraph.KindOf(err) == paraph.NotFound:
		return nil
	case err != nil:
		return fmt.Errorf("write mail %d: %w", j.ID, err)
	}
	m.ID = "mail-" + strconv.FormatInt(j.ID, 10) + "-" + strconv.FormatInt(j.CreatedAt.UnixMicro(), 36)
	if err := d.Mailer.Send(ctx, m); err != nil {
		if mail.Permanent(err) {
			return job.Stop(err)
		}
		return err
	}
	if e == nil {
		return nil
	}
	return d.noteMail(ctx, j, l, m.To.Email)
}

// mailGaveUp puts a mail that never went out on its envelope's timeline.
func (d *Desk) mailGaveUp(ctx context.Context, tx *store.Tx, j store.Job, why error) error {
	var l letter
	if err := json.Unmarshal([]byte(j.Payload), &l); err != nil || j.EnvelopeID == 0 {
		return nil
	}
	e, err := tx.AnyEnvelope(ctx, j.EnvelopeID)
	if err != nil {
		return err
	}
	to := ""
	if r, ok := e.Recipient(l.RecipientID); ok {
		to = r.Email
	} else if u, err := tx.User(ctx, l.UserID); err == nil {
		to = u.Email
	}
	return tx.AppendEvents(ctx, &e, []paraph.Event{{
		Type: paraph.MailFailed, At: tx.Now(), RecipientID: l.RecipientID, Actor: paraph.Actor{Kind: paraph.BySystem},
		Data: map[string]string{"mail": string(l.Kind), "to": to, "error": paraph.Shorten(paraph.CleanLine(why.Error()), 300)},
	}})
}

// noteMail puts a mail that went out on its envelope's timeline.
func (d *Desk) noteMail(ctx context.Context, j store.Job, l letter, to string) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.AnyEnvelope(ctx, j.EnvelopeID)
		if err != nil {
			return err
		}
		return d.append(ctx, tx, &e, []paraph.Event{{
			Type: paraph.MailSent, At: tx.Now(), RecipientID: l.RecipientID, Actor: paraph.Actor{Kind: paraph.BySystem},
			Data: map[string]string{"mail": string(l.Kind), "to": to},
		}})
	})
}

// write makes the message. The envelope is nil for a mail about none.
func (d *Desk) write(ctx context.Context, j store.Job, l letter) (mail.Message, *paraph.Envelope, error) {
	switch l.Kind {
	case mailReset:
		m, err := d.writeReset(ctx, l)
		return m, nil, err
	case mailTeam:
		m, err := d.writeTeam(ctx, j, l)
		return m, nil, err
	case mailCertificate:
		m, err := d.writeExpiry(ctx, l)
		return m, nil, err
	case mailDisabled:
		m, err := d.writeDisabled(ctx, j, l)
		return m, nil, err
	case mailFailing:
		m, err := d.writeFailing(ctx, j, l)
		return m, nil, err
	case mailGivenUp:
		m, err := d.writeGivenUp(ctx, j, l)
		return m, nil, err
	}
	e, err := d.Store.AnyEnvelope(ctx, j.EnvelopeID)
	if err != nil {
		return mail.Message{}, nil, err
	}
	m, err := d.writeEnvelope(ctx, &e, l)
	return m, &e, err
}

func (d *Desk) writeReset(ctx context.Context, l letter) (mail.Message, error) {
	u, err := d.Store.UserByReset(ctx, l.Token, d.Store.Now())
	if err != nil {
		return mail.Message{}, err
	}
	return mail.NewPasswordReset(mail.PasswordReset{
		To: mail.Address{Name: u.Name, Email: u.Email}, URL: d.Links.Base + "/reset/" + l.Token, ValidFor: ResetAge, IP: l.IP,
	}), nil
}

func (d *Desk) writeTeam(ctx context.Context, j store.Job, l letter) (mail.Message, error) {
	if _, err := d.Store.InvitationByToken(ctx, l.Token, d.Store.Now()); err != nil {
		return mail.Message{}, err
	}
	a, err := d.Store.Account(ctx, j.AccountID)
	if err != nil {
		return mail.Message{}, err
	}
	u, err := d.Store.User(ctx, l.UserID)
	return mail.NewTeamInvitation(mail.TeamInvitation{
		To: mail.Address{Email: l.Email}, Inviter: mail.Address{Name: u.Name, Email: u.Email}, Team: a.Name,
		URL: d.Links.Base + "/join/" + l.Token, Expires: l.Expires,
	}), err
}

// parties are whom a mail about an envelope goes to and comes from.
type parties struct {
	to     mail.Address
	sender mail.Address
	team   string
	url    string // of the page that the reader has
	kind   paraph.RecipientKind
}

func (d *Desk) parties(ctx context.Context, e *paraph.Envelope, l letter) (p parties, r paraph.Recipient, err error) {
	owner, err := d.Store.User(ctx, e.OwnerID)
	if err != nil {
		return p, r, err
	}
	account, err := d.Store.Account(ctx, e.AccountID)
	if err != nil {
		return p, r, err
	}
	p.sender = mail.Address{Name: owner.Name, Email: owner.Email}
	if e.ReplyTo != "" {
		p.sender.Email = e.ReplyTo
	}
	if account.Kind == paraph.Team {
		p.team = account.Name
	}
	if l.RecipientID == 0 {
		p.to, p.url = mail.Address{Name: owner.Name, Email: owner.Email}, d.Links.Envelope(e.ID)
		return p, r, nil
	}
	r, ok := e.Recipient(l.RecipientID)
	if !ok || r.Email == "" {
		return p, r, errMoot
	}
	p.to, p.url, p.kind = mail.Address{Name: r.Name, Email: r.Email}, d.Links.Sign(r.Token), r.Kind
	return p, r, nil
}

func (d *Desk) writeEnvelope(ctx context.Context, e *paraph.Envelope, l letter) (mail.Message, error) {
	p, r, err := d.parties(ctx, e, l)
	if err != nil {
		return mail.Message{}, err
	}
	switch l.Kind {
	case mailInvitation, mailReminder:
		if !e.InTurn(r) {
			return mail.Message{}, errMoot
		}
		in := mail.Invitation{
			To: p.to, Kind: p.kind, Sender: p.sender, Team: p.team, Envelope: e.Name, Subject: e.Subject, Message: e.Message,
			URL: p.url, Expires: e.ExpireAt,
		}
		if l.Kind == mailReminder {
			return mail.NewReminder(in), nil
		}
		return mail.NewInvitation(in), nil
	case mailDeclined:
		who, _ := e.Recipient(l.About)
		in := mail.Declined{To: p.to, Who: mail.Address{Name: who.DisplayName(), Email: who.Email}, Envelope: e.Name, Reason: who.DeclineReason}
		if l.RecipientID == 0 {
			in.URL = p.url
		}
		return mail.NewDeclined(in), nil
	case mailCancelled:
		return mail.NewCancelled(mail.Cancelled{To: p.to, Sender: p.sender, Envelope: e.Name}), nil
	case mailCompleted:
		return d.writeCompleted(ctx, e, p)
	}
	return mail.Message{}, job.Stop(fmt.Errorf("no mail is called %q", l.Kind))
}

// writeCompleted attaches the sealed PDFs when they are small enough; else they
// are fetched from the page.
func (d *Desk) writeCompleted(ctx context.Context, e *paraph.Envelope, p parties) (mail.Message, error) {
	in := mail.Completed{To: p.to, Sender: p.sender, Envelope: e.Name, URL: p.url}
	var size int64
	for _, r := range e.Recipients {
		if !r.CompletedAt.IsZero() {
			in.SignedBy = append(in.SignedBy, r.DisplayName())
		}
	}
	for _, doc := range e.Documents {
		size += doc.Size
	}
	if size >= mail.MaxAttached { // not worth reading: what is sealed is larger still
		return mail.NewCompleted(in), nil
	}
	n, err := d.namer(ctx, e)
	if err != nil {
		return mail.Message{}, err
	}
	for _, doc := range e.Documents {
		pdf, err := d.Blobs.Get(ctx, doc.Current())
		if err != nil {
			return mail.Message{}, err
		}
		in.Files = append(in.Files, mail.Attachment{Name: n.file(doc.Name, statusSealed, ".pdf"), ContentType: "application/pdf", Data: pdf})
	}
	return mail.NewCompleted(in), nil
}
