package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/webhooks"
)

// mask stands for a secret in a form. Sent back, it leaves the secret as it is.
const mask = "********"

// freshFor is how long after its making a secret can be shown by itself, once.
const freshFor = time.Minute

func freshTicket(userID, hookID int64) string {
	return fmt.Sprintf("show user %d the new secret of webhook %d", userID, hookID)
}

// showSecret lets the next page show a webhook's signing secret to who made
// it, once. The cookie says whose, and that it is from here.
func (s *server) showSecret(w http.ResponseWriter, r *http.Request, id int64) {
	ticket := s.Desk.Links.Ticket(freshTicket(s.signed(r).User.ID, id), s.Store.Now().Add(freshFor))
	http.SetCookie(w, &http.Cookie{
		Name: s.cookie("fresh"), Value: strconv.FormatInt(id, 10) + "." + ticket, Path: "/", MaxAge: int(freshFor.Seconds()),
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteStrictMode,
	})
}

// freshHook is the webhook whose secret is to be shown, once; 0 for none.
func (s *server) freshHook(w http.ResponseWriter, r *http.Request) int64 {
	c, err := r.Cookie(s.cookie("fresh"))
	if err != nil {
		return 0
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookie("fresh"), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure})
	first, ticket, _ := strings.Cut(c.Value, ".")
	id := number(first)
	if !s.Desk.Links.Admits(ticket, freshTicket(s.signed(r).User.ID, id), s.Store.Now()) {
		return 0
	}
	return id
}

func secretsPath(id int64) string { return hookPath(id) + "/secrets" }

// manages tells whether who asks may see and change the secrets of a space.
func (s *server) manages(r *http.Request) bool { return s.signed(r).Space.Role == paraph.RoleAdmin }

// secretsView is a webhook's secrets, masked.
func (s *server) secretsView(r *http.Request, e paraph.Endpoint) webhooks.Secrets {
	v := webhooks.Secrets{ID: e.ID, URL: e.URL, Admin: s.manages(r), Grace: "24", Now: s.Store.Now(), Signing: mask}
	if len(e.SigningSecrets(v.Now)) > 1 {
		v.Previous, v.Until = mask, e.PreviousUntil
	}
	if e.Secret != "" {
		v.Documenso = mask
	}
	for _, h := range e.Headers {
		v.Headers = append(v.Headers, [2]string{h[0], mask})
	}
	return v
}

func (s *server) showSecrets(w http.ResponseWriter, r *http.Request, status int, v webhooks.Secrets) error {
	return s.page(w, r, status, webhooks.SecretsPage(v), s.hookPage("Secrets"))
}

func (s *server) secretsPage(w http.ResponseWriter, r *http.Request) error {
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	v := s.secretsView(r, e)
	if s.freshHook(w, r) == e.ID {
		v.Fresh = &webhooks.Secret{Title: "The webhook has a new signing secret", Value: e.SigningSecret}
	}
	return s.showSecrets(w, r, http.StatusOK, v)
}

// revealSecrets is the only page that shows all secrets. It answers a POST, so
// that no link, history or prefetch brings them up.
func (s *server) revealSecrets(w http.ResponseWriter, r *http.Request) error {
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	if e, err = s.Desk.Secrets(r.Context(), s.who(r), e.ID); err != nil {
		return err
	}
	v := s.secretsView(r, e)
	v.Shown, v.Signing, v.Headers = true, e.SigningSecret, e.Headers
	if v.Documenso != "" {
		v.Documenso = e.Secret
	}
	if v.Previous != "" {
		v.Previous = e.PreviousSecret
	}
	return s.showSecrets(w, r, http.StatusOK, v)
}

func (s *server) rotateSecret(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	grace, err := readGrace(f.Get("grace"))
	if err == nil {
		_, err = s.Desk.RotateSecret(r.Context(), s.who(r), e.ID, desk.Rotation{Secret: strings.TrimSpace(f.Get("secret")), Was: e.SigningSecret, Grace: grace})
	}
	shown, rest := oops(err)
	if rest != nil {
		return rest
	}
	if shown != nil && shown.Field != "" {
		v := s.secretsView(r, e)
		v.Wrong, v.Grace = kit.Wrong{Field: shown.Field, Text: shown.Message}, f.Get("grace")
		return s.showSecrets(w, r, statusOf(shown), v)
	}
	if shown != nil {
		return shown
	}
	s.showSecret(w, r, e.ID)
	return redirect(w, r, secretsPath(e.ID))
}

// readGrace reads hours; nothing is what is usual.
func readGrace(text string) (time.Duration, error) {
	if text == "" {
		return paraph.DefaultGrace, nil
	}
	hours, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || !(hours >= 0 && hours <= paraph.MaxGrace.Hours()) {
		return 0, paraph.FieldErrorf("grace", "The old secret can stay valid for 0 to %d hours.", int(paraph.MaxGrace.Hours()))
	}
	return time.Duration(hours * float64(time.Hour)).Truncate(time.Second), nil
}

func (s *server) endPreviousSecret(w http.ResponseWriter, r *http.Request) error {
	e, err := s.hook(r)
	if err != nil {
		return err
	}
	if _, err = s.Desk.EndPreviousSecret(r.Context(), s.who(r), e.ID); paraph.KindOf(err) == paraph.Forbidden {
		return err
	}
	return s.settle(w, r, secretsPath(e.ID), "The old secret has ended: requests have one signature.", err)
}

// missedPath is where what a webhook missed can be sent, with the filter filled in.
func missedPath(id int64, since time.Time) string {
	q := url.Values{"since": {since.UTC().Format(time.RFC3339)}, "state": {string(paraph.DeliverySkipped), string(paraph.DeliveryFailed)}}
	return hookPath(id) + "/replay?" + q.Encode()
}

// missed is what a webhook that was just switched on did not get meanwhile,
// while that has not been sent; since when stands in the address.
func (s *server) missed(r *http.Request, e paraph.Endpoint) (*webhooks.Missed, error) {
	since, err := time.Parse(time.RFC3339, r.URL.Query().Get("missed"))
	if err != nil || !e.Enabled {
		return nil, nil
	}
	n, _, err := s.Desk.CountReplay(r.Context(), s.who(r), e.ID, paraph.ReplayFilter{Since: since})
	if err != nil || n == 0 {
		return nil, err
	}
	return &webhooks.Missed{Since: since, Count: n, Href: missedPath(e.ID, since)}, nil
}

func troubleOf(e paraph.Endpoint) *webhooks.Trouble {
	if !e.Enabled || e.Failing.Since.IsZero() {
		return nil
	}
	return &webhooks.Trouble{Since: e.Failing.Since, OffAt: e.Failing.OffAt(), Last: e.Failing.Error}
}

// offWord is why a webhook is off, in two words; "" when somebody switched it
// off by hand.
func offWord(e paraph.Endpoint) string {
	switch {
	case e.Enabled:
		return ""
	case e.DisabledBy == paraph.OffByGone:
		return "Off: gone"
	case e.DisabledBy == paraph.OffByFailing:
		return "Off: failing"
	}
	return ""
}
