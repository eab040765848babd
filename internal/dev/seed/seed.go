// Package seed fills an empty instance with what a small firm has after some
// weeks: people, a team, envelopes in every state, webhooks that work and that
// fail. It uses the desk's verbs as people would, and must never run where
// there is data already.
package seed

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/mail"
)

// The owner signs in with these.
const (
	Email    = "ada@example.com"
	Password = "correct horse battery"
)

// Config is what the data is made with.
type Config struct {
	Desk    *desk.Desk
	Catcher *mail.Catcher // invitations to the team are read there
	Base    string        // address of the server, whose inbox the webhooks go to
	PDF     []byte        // a contract of three pages, with lines to sign on the last
}

// seeder makes the data in one space.
type seeder struct {
	Config
	who      desk.Who
	contract desk.Prepared
}

// Fill makes the data, unless somebody has signed up already; done says
// whether it did. The desk's jobs must be running.
func Fill(ctx context.Context, cfg Config) (done bool, err error) {
	if cfg.Desk == nil || cfg.Catcher == nil || cfg.Base == "" || len(cfg.PDF) == 0 {
		return false, errors.New("seed: the config is incomplete")
	}
	if some, err := cfg.Desk.Store.HasUsers(ctx); some || err != nil {
		return false, err
	}
	s := &seeder{Config: cfg}
	for _, step := range []func(context.Context) error{s.owner, s.webhooks, s.envelopes, s.team} {
		if err := step(ctx); err != nil {
			return false, fmt.Errorf("seed: %w", err)
		}
	}
	return true, nil
}

// owner makes Ada with her own space.
func (s *seeder) owner(ctx context.Context) (err error) {
	s.who, err = s.user(ctx, "Ada Marsh", Email)
	if err != nil {
		return err
	}
	s.contract, err = s.Desk.Prepare(ctx, "Consulting agreement.pdf", s.PDF)
	return err
}

func (s *seeder) user(ctx context.Context, name, email string) (desk.Who, error) {
	u, err := s.Desk.SignUp(ctx, desk.NewUser{Email: email, Name: name, Password: Password}, true)
	if err != nil {
		return desk.Who{}, err
	}
	spaces, err := s.Desk.Store.Spaces(ctx, u.ID)
	if err != nil {
		return desk.Who{}, err
	}
	return desk.Who{AccountID: spaces[0].ID, UserID: u.ID, Actor: paraph.Actor{Kind: paraph.ByUser, UserID: u.ID, Name: u.Name, Email: u.Email, IP: "127.0.0.1", UserAgent: browser}}, nil
}

// webhooks makes one that hears all, one that always fails and is tried again
// soon, and one that is switched off.
func (s *seeder) webhooks(ctx context.Context) error {
	for _, e := range []paraph.Endpoint{
		{URL: s.Base + "/dev/inbox/crm", Description: "Customer records", Events: []string{"*"}, Secret: "sesame", Enabled: true},
		{URL: s.Base + "/dev/inbox/billing?status=503", Description: "Billing, which is down", Events: []string{"document.completed", "form.*"}, Schedule: "5,30,300,1800", Enabled: true},
		{URL: s.Base + "/dev/inbox/archive", Description: "Archive, switched off", Events: []string{"document.completed"}},
	} {
		if _, err := s.Desk.CreateEndpoint(ctx, s.who, e); err != nil {
			return err
		}
	}
	return nil
}

const browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"

// story is an envelope and how far it gets.
type story struct {
	name    string
	people  [2]string
	expires time.Duration // from now; 0: never
	end     func(ctx context.Context, s *seeder, e paraph.Envelope) error
}

// envelopes makes one in every state, the draft last so that it stands first.
func (s *seeder) envelopes(ctx context.Context) error {
	for _, t := range []story{
		{"Consulting agreement Vogel", [2]string{"Clara Vogel", "Idris Okafor"}, 0, both},
		{"Lease of 12 Hill Road", [2]string{"Noor Haddad", "Søren Kjær"}, 0, both},
		{"Mutual non-disclosure", [2]string{"Wen Li", "Zoë Brontë"}, 0, declined},
		{"Offer of employment", [2]string{"Jonas Weiß", "Ama Mensah"}, 0, cancelled},
		{"Quotation 2211", [2]string{"Petra Novák", "Óscar Ruiz"}, 2 * time.Second, untouched},
		{"Statement of work, phase two", [2]string{"Hana Sato", "Liam Byrne"}, 0, firstOnly},
		{"Supplier terms", [2]string{"Mira Kovač", "Tom Archer"}, 14 * 24 * time.Hour, opened},
		{"Data processing agreement", [2]string{"Elif Demir", "Ravi Nair"}, 0, untouched},
	} {
		if err := s.tell(ctx, t); err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	_, err := s.Desk.Create(ctx, s.who, "Renewal for next year", []desk.Prepared{s.contract})
	return err
}

func (s *seeder) tell(ctx context.Context, t story) error {
	o := desk.Order{
		Name: t.name, Source: paraph.FromWeb, Documents: []desk.Prepared{s.contract},
		Details: paraph.Details{Sequential: true, Message: "Please read and sign; call me if anything is unclear."},
	}
	if t.expires > 0 {
		o.Details.ExpireAt = s.Desk.Store.Now().Add(t.expires)
	}
	for i, name := range t.people {
		id := -int64(i) - 1
		o.Recipients = append(o.Recipients, paraph.Recipient{
			ID: id, Kind: paraph.Signer, Role: [2]string{"Client", "Consultant"}[i], Name: name, Order: i + 1, SendEmail: true,
			Email: fmt.Sprintf("%s.%d@example.com", [2]string{"client", "consultant"}[i], len(t.name)),
		})
		o.Fields = append(o.Fields, line(id, paraph.NameField, "Name", i, 0.333, 0.032), line(id, paraph.SignatureField, "Signature", i, 0.382, 0.072))
	}
	e, err := s.Desk.CreateAndSend(ctx, s.who, o)
	if err != nil {
		return err
	}
	return t.end(ctx, s, e)
}

// line is a field on the last page, in the column of the i-th recipient.
func line(recipient int64, kind paraph.FieldType, name string, i int, y, h float64) paraph.Field {
	return paraph.Field{
		RecipientID: recipient, Type: kind, Name: name, Required: true,
		Areas: []paraph.Area{{DocumentID: -1, Page: 2, X: 0.115 + 0.414*float64(i), Y: y, W: 0.35, H: h}},
	}
}

// visit is what the signing page hears of a recipient's browser.
var visit = paraph.Actor{IP: "203.0.113.7", UserAgent: browser}

func untouched(context.Context, *seeder, paraph.Envelope) error { return nil }

func opened(ctx context.Context, s *seeder, e paraph.Envelope) error {
	_, err := s.Desk.Open(ctx, e.Recipients[0].Token, visit)
	return err
}

func declined(ctx context.Context, s *seeder, e paraph.Envelope) error {
	if err := opened(ctx, s, e); err != nil {
		return err
	}
	_, err := s.Desk.Decline(ctx, e.Recipients[0].Token, "The term in section 4 is too long for us.", visit)
	return err
}

func cancelled(ctx context.Context, s *seeder, e paraph.Envelope) error {
	_, err := s.Desk.Cancel(ctx, s.who, e.ID, "The position was filled.")
	return err
}

func firstOnly(ctx context.Context, s *seeder, e paraph.Envelope) error { return s.sign(ctx, e, 0) }

func both(ctx context.Context, s *seeder, e paraph.Envelope) error {
	return errors.Join(s.sign(ctx, e, 0), s.sign(ctx, e, 1))
}

// sign opens, fills and finishes as the i-th recipient.
func (s *seeder) sign(ctx context.Context, e paraph.Envelope, i int) error {
	r := e.Recipients[i]
	e, err := s.Desk.Open(ctx, r.Token, visit)
	if err != nil {
		return err
	}
	for _, f := range e.FieldsOf(r.ID) {
		in := desk.Input{Text: r.Name}
		if f.Type.IsImage() {
			in.Method = "type"
		}
		if _, err := s.Desk.Enter(ctx, r.Token, f.ID, in, visit); err != nil {
			return err
		}
	}
	_, err = s.Desk.Finish(ctx, r.Token, visit)
	return err
}

var joinLink = regexp.MustCompile(`/join/([\w-]+)`)

// team makes a team with Ben in it, and with Cleo invited.
func (s *seeder) team(ctx context.Context) error {
	a, err := s.Desk.CreateTeam(ctx, s.who.UserID, "Marsh & Partners")
	if err != nil {
		return err
	}
	ben, err := s.user(ctx, "Ben Ito", "ben@example.com")
	if err != nil {
		return err
	}
	who := s.who
	who.AccountID = a.ID
	if err := s.Desk.Invite(ctx, who, ben.Actor.Email); err != nil {
		return err
	}
	token, err := s.invitation(ctx, ben.Actor.Email)
	if err != nil {
		return err
	}
	if _, err := s.Desk.Join(ctx, ben.UserID, token); err != nil {
		return err
	}
	if err := s.Desk.Invite(ctx, who, "cleo@example.com"); err != nil {
		return err
	}
	_, err = s.Desk.Create(ctx, who, "Partnership agreement", []desk.Prepared{s.contract})
	return err
}

// invitation waits for the mail that invites somebody, and reads the token in
// its link.
func (s *seeder) invitation(ctx context.Context, email string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for after := int64(0); ; {
		m, err := s.Catcher.Next(ctx, after)
		if err != nil {
			return "", fmt.Errorf("wait for the invitation of %s: %w", email, err)
		}
		if found := joinLink.FindStringSubmatch(m.Text); found != nil && m.To.Email == email {
			return found[1], nil
		}
		after = m.ID
	}
}
