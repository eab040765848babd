package web

import (
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

type signedKey struct{}

// signedOf is who the request comes from, if they are signed in.
func signedOf(r *http.Request) (store.Signed, bool) {
	s, ok := r.Context().Value(signedKey{}).(store.Signed)
	return s, ok
}

// cookie is the name of a cookie; the prefix makes browsers refuse one that was
// set without TLS or for another path (RFC 6265bis §4.1.3.2).
func (s *server) cookie(name string) string {
	if s.secure {
		return "__Host-" + name
	}
	return name
}

// known looks up who is signed in, for whatever answers: also an error's page
// is in the frame of who asked.
func (s *server) known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie(s.cookie("session"))
		if err != nil || c.Value == "" {
			next.ServeHTTP(w, r)
			return
		}
		signed, err := s.Store.SessionByToken(r.Context(), c.Value, s.Store.Now())
		switch {
		case err == nil:
			r = r.WithContext(context.WithValue(r.Context(), signedKey{}, signed))
		case paraph.KindOf(err) != paraph.NotFound:
			s.answer(func(http.ResponseWriter, *http.Request) error { return err }).ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// admit sends strangers of a route to the page where they sign in.
func (s *server) admit(rt route) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if _, ok := signedOf(r); !ok && rt.access == signedIn {
			return s.turnAway(w, r)
		}
		return rt.handler(w, r)
	}
}

func (s *server) turnAway(w http.ResponseWriter, r *http.Request) error {
	if wantsJSON(r) || r.Method != http.MethodGet {
		return paraph.Errorf(paraph.Unauthenticated, "You are signed out. Sign in in another tab, then try again; nothing is lost here.")
	}
	http.Redirect(w, r, "/signin?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
	return nil
}

// setSession gives the browser its session.
func (s *server) setSession(w http.ResponseWriter, token string) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookie("session"), Value: token, Path: "/", MaxAge: int(desk.SessionAge / time.Second),
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (s *server) dropSession(w http.ResponseWriter) {
	http.SetCookie(w, &http.Cookie{Name: s.cookie("session"), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure})
}

// who is the signed-in user as the desk knows them. Only for routes that are
// signedIn.
func (s *server) who(r *http.Request) desk.Who {
	signed, _ := signedOf(r)
	by := s.from(r)
	by.Kind, by.UserID, by.Name, by.Email = paraph.ByUser, signed.User.ID, signed.User.Name, signed.User.Email
	return desk.Who{AccountID: signed.Space.ID, UserID: signed.User.ID, Actor: by}
}

// from is where a request comes from.
func (s *server) from(r *http.Request) paraph.Actor {
	return paraph.Actor{IP: s.ip(r), UserAgent: paraph.Shorten(paraph.CleanLine(r.UserAgent()), 400)}
}

// ip is the caller's address.
func (s *server) ip(r *http.Request) string { return ClientIP(r, s.TrustProxy) }

// ClientIP is the caller's address. Behind a proxy that we were told to trust
// it is the last one in X-Forwarded-For, which the proxy itself wrote.
func ClientIP(r *http.Request, trustProxy bool) string {
	if trustProxy {
		all := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		if last := net.ParseIP(strings.TrimSpace(all[len(all)-1])); last != nil {
			return last.String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// pathID is a number in the path; anything else is no page.
func pathID(r *http.Request, name string) (int64, error) {
	id, err := strconv.ParseInt(r.PathValue(name), 10, 64)
	if err != nil || id <= 0 {
		return 0, errNoPage
	}
	return id, nil
}

// flash shows a sentence on the next page.
func (s *server) flash(w http.ResponseWriter, tone kit.Tone, text string) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookie("flash"), Value: base64.RawURLEncoding.EncodeToString([]byte(string(tone) + "\n" + paraph.Shorten(text, 500))),
		Path: "/", MaxAge: 60, HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
}

// takeFlash returns what flash left, once.
func (s *server) takeFlash(w http.ResponseWriter, r *http.Request) []kit.Notice {
	c, err := r.Cookie(s.cookie("flash"))
	if err != nil || c.Value == "" {
		return nil
	}
	http.SetCookie(w, &http.Cookie{Name: s.cookie("flash"), Path: "/", MaxAge: -1, HttpOnly: true, Secure: s.secure})
	b, err := base64.RawURLEncoding.DecodeString(c.Value)
	tone, text, ok := strings.Cut(string(b), "\n")
	if err != nil || !ok {
		return nil
	}
	return []kit.Notice{{Tone: kit.Tone(tone), Text: text}}
}

// head fills in what every page has.
func (s *server) head(w http.ResponseWriter, r *http.Request, p kit.Page) kit.Page {
	p.Assets = s.Assets
	p.Flash = append(s.takeFlash(w, r), p.Flash...)
	return p
}

// shell is the frame of a signed-in user's page.
func (s *server) shell(w http.ResponseWriter, r *http.Request, p kit.Page) kit.Shell {
	signed, _ := signedOf(r)
	out := kit.Shell{
		Page: s.head(w, r, p),
		User: kit.User{Name: signed.User.Name, Email: signed.User.Email},
		Nav: []kit.NavItem{
			{Label: "Envelopes", Href: "/envelopes", Current: strings.HasPrefix(r.URL.Path, "/envelopes")},
			{Label: "Verify", Href: "/verify", Current: r.URL.Path == "/verify"},
		},
		Links: kit.Links{Home: "/envelopes", Settings: "/settings", NewTeam: "/teams/new", SwitchSpace: "/space", SignOut: "/signout"},
	}
	if signed.Space.Kind == paraph.Team {
		out.Links.Team = "/team"
	}
	spaces, err := s.Store.Spaces(r.Context(), signed.User.ID)
	if err != nil {
		s.Log.Error("list spaces", "user", signed.User.ID, "error", err)
		spaces = []paraph.Space{signed.Space}
	}
	for _, sp := range spaces {
		out.Spaces = append(out.Spaces, kit.Space{ID: strconv.FormatInt(sp.ID, 10), Name: sp.Name, Personal: sp.Kind == paraph.Personal, Current: sp.ID == signed.Space.ID})
	}
	return out
}

// redirect answers a form that was accepted.
func redirect(w http.ResponseWriter, r *http.Request, to string) error {
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// caller names where a request comes from, to count tries. Who has one IPv6
// address has the 2^64 around it (RFC 6177), so those count as one.
func (s *server) caller(r *http.Request) string {
	ip := s.ip(r)
	addr, err := netip.ParseAddr(ip)
	if err != nil || addr.Unmap().Is4() {
		return ip
	}
	net, err := addr.WithZone("").Prefix(64)
	if err != nil {
		return ip
	}
	return net.String()
}

// tries bounds how often somebody may guess: a bucket for each address and each
// name that is tried.
type tries struct {
	mu     sync.Mutex
	burst  int
	every  time.Duration
	places map[string]*rate.Limiter
}

const maxTriers = 20000

func newTries(burst int, refill time.Duration) *tries {
	return &tries{burst: burst, every: refill, places: map[string]*rate.Limiter{}}
}

// check spends a try of each key, and refuses when one has none left.
func (t *tries) check(now time.Time, keys ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range keys {
		l, ok := t.places[k]
		if !ok {
			t.makeRoom(now)
			l = rate.NewLimiter(rate.Every(t.every/time.Duration(t.burst)), t.burst)
			t.places[k] = l
		}
		if !l.AllowN(now, 1) {
			return paraph.Errorf(paraph.TooMany, "Too many tries; wait a minute, then try again.")
		}
	}
	return nil
}

// makeRoom forgets keys that have all their tries again, which changes nothing
// for them, or any when there are none.
func (t *tries) makeRoom(now time.Time) {
	if len(t.places) < maxTriers {
		return
	}
	for k, l := range t.places {
		if l.TokensAt(now) >= float64(t.burst) {
			delete(t.places, k)
		}
	}
	for k := range t.places {
		if len(t.places) < maxTriers {
			return
		}
		delete(t.places, k)
	}
}
