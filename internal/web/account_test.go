package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

func TestFirstVisit(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		v := siteOf(t, w).visitor(t)
		for _, path := range []string{"/", "/signin", "/signup"} {
			v.get(path).goes("/setup")
		}
		v.get("/setup").is(http.StatusOK)
		a := v.post("/setup", "name", "Ada Lovelace", "email", "ada@example", "password", "short").is(http.StatusUnprocessableEntity)
		if a.value("name") != "Ada Lovelace" || a.value("email") != "ada@example" || a.errorAt("password") == "" {
			t.Errorf("the form came back as %q, %q with %q at the password", a.value("name"), a.value("email"), a.errorAt("password"))
		}
		a.silent("short")
		a = v.post("/setup", "name", "Ada Lovelace", "email", "Ada@Example.com", "password", desktest.Password).goes("/envelopes")
		checkSessionCookie(t, a)
		v.get("/").goes("/envelopes")
		u, err := w.Store.UserByEmail(t.Context(), "ada@example.com")
		if err != nil || !u.Owner {
			t.Errorf("the first user is %+v, %v", u, err)
		}
		v.post("/setup", "name", "Eve", "email", "eve@example.com", "password", desktest.Password).is(http.StatusConflict)
		v.get("/setup").goes("/signin")
	})
}

func checkSessionCookie(t *testing.T, a shown) {
	t.Helper()
	for _, c := range a.set {
		if c.Name == "__Host-session" {
			if !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(c.Value) < 40 || c.MaxAge <= 0 {
				t.Errorf("the session's cookie is %+v", c)
			}
			return
		}
	}
	t.Errorf("no session's cookie among %v", a.set)
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	p := w.Person(t, "Ada Lovelace")
	v := s.visitor(t)
	wrong := v.post("/signin", "email", p.User.Email, "password", "wrong wrong wrong", "next", "/settings/tokens").is(http.StatusUnauthorized)
	if wrong.value("email") != p.User.Email || wrong.value("next") != "/settings/tokens" {
		t.Errorf("the form came back with %q and %q", wrong.value("email"), wrong.value("next"))
	}
	wrong.silent("wrong wrong wrong")
	unknown := v.post("/signin", "email", "nobody@example.com", "password", "wrong wrong wrong").is(http.StatusUnauthorized)
	if got, want := unknown.Find("[role=alert]").Text(), wrong.Find("[role=alert]").Text(); got != want || want == "" {
		t.Errorf("an unknown address is told %q, a wrong password %q", got, want)
	}
	v.get("/settings/webhooks?x=1").goes("/signin?next=%2Fsettings%2Fwebhooks%3Fx%3D1")
	a := v.post("/signin", "email", strings.ToUpper(p.User.Email), "password", desktest.Password, "next", "/settings/webhooks?x=1").goes("/settings/webhooks?x=1")
	checkSessionCookie(t, a)
	v.get("/signin?next=/team").goes("/team")
}

// TestSessionFixation lets a victim sign in in a browser that somebody else
// had signed in before.
func TestSessionFixation(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	eve := s.as(t, w.Person(t, "Eve"))
	planted := eve.cookies["__Host-session"]
	victim := w.Person(t, "Ada")
	v := s.visitor(t)
	v.cookies["__Host-session"] = planted
	v.signIn(victim.User.Email, desktest.Password)
	if v.cookies["__Host-session"].Value == planted.Value {
		t.Error("the session kept its token")
	}
	eve.get("/settings/profile").goes("/signin?next=%2Fsettings%2Fprofile")
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	v := s.as(t, w.Person(t, "Ada"))
	stolen := v.cookies["__Host-session"]
	v.post("/signout").goes("/signin")
	if _, ok := v.cookies["__Host-session"]; ok {
		t.Error("the cookie is still there")
	}
	v.cookies["__Host-session"] = stolen
	v.get("/envelopes").goes("/signin?next=%2Fenvelopes")
}

func TestSafePath(t *testing.T) {
	t.Parallel()
	for _, to := range []string{"/envelopes", "/settings/webhooks?x=1&y=//z", "/a/b", "/join/abc#x"} {
		if got := safePath(to); got != to {
			t.Errorf("safePath(%q) = %q", to, got)
		}
	}
	for _, to := range []string{
		"", "envelopes", "//evil.example", `/\evil.example`, `\/evil.example`, "/\t/evil.example", "/\n/evil.example", "https://evil.example", "https:evil.example",
		"javascript:alert(1)", " /envelopes", "/%5cevil.example", "/%2f/evil.example", "///evil.example", "http://sign.example.com/envelopes", "/a\x00b",
	} {
		if got := safePath(to); got != "" {
			t.Errorf("safePath(%q) = %q", to, got)
		}
	}
}

func TestOpenRedirect(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	p := w.Person(t, "Ada")
	for _, to := range []string{"//evil.example", "https://evil.example/", "/\t/evil.example", `/\evil.example`} {
		s.visitor(t).post("/signin", "email", p.User.Email, "password", desktest.Password, "next", to).goes("/envelopes")
	}
}

func TestTries(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	p := w.Person(t, "Ada")
	guess := func(ip, email, password string) int {
		v := s.visitor(t)
		v.ip = ip
		return v.post("/signin", "email", email, "password", password).status
	}
	for i := range 10 { // from ten places at one address
		if got := guess("198.51.100."+string(rune('0'+i)), p.User.Email, "a wrong password"); got != http.StatusUnauthorized {
			t.Fatalf("try %d: status %d", i+1, got)
		}
	}
	if got := guess("198.51.100.99", p.User.Email, desktest.Password); got != http.StatusTooManyRequests {
		t.Errorf("the eleventh try at an address: status %d", got)
	}
	for i := range 10 { // from one place at ten addresses
		guess("203.0.113.77", "nobody"+string(rune('0'+i))+"@example.com", "a wrong password")
	}
	if got := guess("203.0.113.77", "somebody@example.com", "a wrong password"); got != http.StatusTooManyRequests {
		t.Errorf("the eleventh try from a place: status %d", got)
	}
	w.Clock.Advance(time.Minute)
	if got := guess("203.0.113.77", p.User.Email, desktest.Password); got != http.StatusSeeOther {
		t.Errorf("a minute later: status %d", got)
	}
}

func TestSignUp(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	owner, other := s.as(t, w.Person(t, "Ada")), s.as(t, w.Person(t, "Ben"))
	v := s.visitor(t)
	v.get("/signup").is(http.StatusOK)
	a := v.post("/signup", "name", "Cleo", "email", "person1@example.com", "password", desktest.Password).is(http.StatusUnprocessableEntity)
	if a.errorAt("email") == "" {
		t.Error("nothing stands beside an address that is taken")
	}
	v.post("/signup", "name", "Cleo", "email", "cleo@example.com", "password", desktest.Password, "next", "/settings/tokens").goes("/settings/tokens")

	other.get("/settings/instance").is(http.StatusForbidden)
	other.post("/settings/instance").is(http.StatusForbidden)
	if other.get("/settings/profile").Find("a[href='/settings/instance']").Length() != 0 {
		t.Error("a user who is not the owner is shown the instance's settings")
	}
	owner.get("/settings/instance").is(http.StatusOK)
	owner.post("/settings/instance").goes("/settings/instance")
	v = s.visitor(t)
	v.get("/signup").is(http.StatusForbidden)
	v.post("/signup", "name", "Dora", "email", "dora@example.com", "password", desktest.Password).is(http.StatusForbidden)
	if v.get("/signin").Find("a[href^='/signup']").Length() != 0 {
		t.Error("the page still leads to signing up")
	}
	if _, err := w.Store.UserByEmail(t.Context(), "dora@example.com"); paraph.KindOf(err) != paraph.NotFound {
		t.Errorf("a user was made while sign-up is closed: %v", err)
	}
	owner.post("/settings/instance", "signups", "on").goes("/settings/instance")
	v.get("/signup").is(http.StatusOK)
}

func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		s := siteOf(t, w)
		p := w.Person(t, "Ada")
		elsewhere, v := s.as(t, p), s.visitor(t)
		if a := v.post("/forgot", "email", "what").is(http.StatusUnprocessableEntity); a.errorAt("email") == "" {
			t.Error("nothing stands beside the address")
		}
		known := v.post("/forgot", "email", p.User.Email).is(http.StatusOK)
		unknown := v.post("/forgot", "email", "nobody@example.com").is(http.StatusOK)
		if a, b := strings.ReplaceAll(known.body, p.User.Email, "X"), strings.ReplaceAll(unknown.body, "nobody@example.com", "X"); a != b {
			t.Errorf("a known address is answered %q, an unknown one %q", a, b)
		}
		link := s.linkIn(t, p.User.Email, "/reset/")
		if n := len(w.Mail.List()); n != 1 {
			t.Errorf("%d mails were sent", n)
		}
		v.get(link).is(http.StatusOK).says("Set a new password")
		if a := v.post(link, "password", "short").is(http.StatusUnprocessableEntity); a.errorAt("password") == "" {
			t.Error("nothing stands beside the password")
		}
		v.post(link, "password", "another good password").goes("/envelopes")
		v.get("/envelopes").is(http.StatusOK)
		elsewhere.get("/envelopes").goes("/signin?next=%2Fenvelopes")
		v.get(link).is(http.StatusNotFound).says("no longer valid")
		v.post(link, "password", "a third good password").is(http.StatusNotFound)
		s.visitor(t).post("/signin", "email", p.User.Email, "password", desktest.Password).is(http.StatusUnauthorized)
		s.visitor(t).signIn(p.User.Email, "another good password")

		v.post("/forgot", "email", p.User.Email).is(http.StatusOK)
		link = s.linkIn(t, p.User.Email, "/reset/")
		w.Clock.Advance(time.Hour + time.Second)
		v.post(link, "password", "a third good password").is(http.StatusNotFound)
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		s := siteOf(t, w)
		p := w.Person(t, "Ada")
		here, there := s.as(t, p), s.as(t, p)
		here.get("/settings").goes("/settings/profile")
		for _, path := range []string{"profile", "password", "tokens", "webhooks", "instance"} {
			here.get("/settings/" + path).is(http.StatusOK)
		}
		a := here.post("/settings/profile", "name", "Ada King", "email", "ada.king@example.com").is(http.StatusUnprocessableEntity)
		if a.errorAt("password") == "" || a.value("email") != "ada.king@example.com" {
			t.Error("a new address asks for no password")
		}
		here.post("/settings/profile", "name", "Ada King", "email", "ada.king@example.com", "password", desktest.Password).goes("/settings/profile")
		here.get("/settings/profile").says("Your profile is saved.").says("Ada King")

		a = here.post("/settings/password", "old_password", "not this one", "password", "another good password").is(http.StatusUnprocessableEntity)
		if a.errorAt("old_password") == "" {
			t.Error("nothing stands beside the old password")
		}
		a.silent("not this one").silent("another good password")
		there.get("/settings/profile").is(http.StatusOK)
		here.post("/settings/password", "old_password", desktest.Password, "password", "another good password").goes("/settings/password")
		here.get("/settings/profile").is(http.StatusOK)
		there.get("/settings/profile").goes("/signin?next=%2Fsettings%2Fprofile")
		s.visitor(t).signIn("ada.king@example.com", "another good password")
	})
}

func TestTokens(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	p, q := w.Person(t, "Ada"), w.Person(t, "Eve")
	v, eve := s.as(t, p), s.as(t, q)
	if a := v.post("/settings/tokens", "name", " ").is(http.StatusUnprocessableEntity); a.errorAt("name") == "" {
		t.Error("nothing stands beside the name")
	}
	a := v.post("/settings/tokens", "name", "Topsecret token").is(http.StatusCreated)
	token := a.Find("copy-button").AttrOr("data-text", "")
	signed, err := w.Store.APITokenByToken(t.Context(), token, w.Store.Now())
	if err != nil || signed.User.ID != p.User.ID || signed.Token.Name != "Topsecret token" {
		t.Fatalf("the token %q is of %+v, %v", token, signed, err)
	}
	v.get("/settings/tokens").is(http.StatusOK).silent(token).says("Topsecret token").says(signed.Token.Hint)
	path := "/settings/tokens/" + id(signed.Token.ID) + "/delete"
	eve.get("/settings/tokens").is(http.StatusOK).silent("Topsecret")
	eve.post(path).is(http.StatusNotFound)
	v.post(path).goes("/settings/tokens")
	if _, err := w.Store.APITokenByToken(t.Context(), token, w.Store.Now()); paraph.KindOf(err) != paraph.NotFound {
		t.Errorf("the token still works: %v", err)
	}
}

func TestCrossOrigin(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	v := s.as(t, w.Person(t, "Ada"))
	for _, header := range [][2]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
		r := httptest.NewRequest(http.MethodPost, siteBase+"/settings/tokens", strings.NewReader("name=Evil"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set(header[0], header[1])
		v.do(r).is(http.StatusForbidden)
	}
	v.get("/settings/tokens").silent("Evil")
}

// TestErrorsInTheFrameOfWhoAsked keeps somebody who is signed in among their
// own things when something is refused.
func TestErrorsInTheFrameOfWhoAsked(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	w.Person(t, "The owner")
	v := s.as(t, w.Person(t, "Ada"))
	for path, status := range map[string]int{"/settings/instance": http.StatusForbidden, "/nothing/here": http.StatusNotFound, "/envelopes/7": http.StatusNotFound} {
		if v.get(path).is(status).Find("form[action='/signout']").Length() != 1 {
			t.Errorf("%s: a signed-in user is shown the page of strangers", path)
		}
		if s.visitor(t).get(path).Find("form[action='/signout']").Length() != 0 {
			t.Errorf("%s: a stranger is shown the page of users", path)
		}
	}
	s.visitor(t).post("/settings/profile").is(http.StatusUnauthorized).says("You are signed out")
}
