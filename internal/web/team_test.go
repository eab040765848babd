package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// newTeam is the admin of a fresh team, working in it.
func (s *site) newTeam(t *testing.T, name string) (admin *visitor, p desktest.Person) {
	t.Helper()
	p = s.Person(t, "Ada Admin")
	admin = s.as(t, p)
	admin.post("/teams", "name", name).goes("/team")
	return admin, p
}

// invites asks somebody to join and returns the link that they are mailed.
func (v *visitor) invites(email string) (link string) {
	v.t.Helper()
	v.post("/team/invitations", "email", email).goes("/team")
	return v.linkIn(v.t, email, "/join/")
}

func TestTeam(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		s := siteOf(t, w)
		ben := w.Person(t, "Ben")
		v := s.visitor(t)
		v.signIn(ben.User.Email, desktest.Password)
		v.get("/team").is(http.StatusOK).says("This is your personal space")
		if a := v.post("/teams", "name", "").is(http.StatusUnprocessableEntity); a.errorAt("name") == "" {
			t.Error("nothing stands beside the name")
		}
		admin, _ := s.newTeam(t, "Engines")
		admin.get("/team").is(http.StatusOK).says("Engines").says("Ada Admin").says("Nobody is invited")
		if a := admin.post("/team", "name", " ").is(http.StatusUnprocessableEntity); a.errorAt("name") == "" {
			t.Error("nothing stands beside the new name")
		}
		admin.post("/team", "name", "Analytical Engines").goes("/team")
		if a := admin.post("/team/invitations", "email", "what").is(http.StatusUnprocessableEntity); a.errorAt("email") == "" || a.value("email") != "what" {
			t.Error("what is no address came back without a word")
		}

		link := admin.invites(ben.User.Email)
		admin.get("/team").says(ben.User.Email)
		stranger := s.visitor(t)
		stranger.get(link).is(http.StatusOK).says("Join Analytical Engines").says("Sign in to join")
		v.get(link).is(http.StatusOK).says("Join as " + ben.User.Email)
		v.post(link).goes("/envelopes")
		v.get("/team").is(http.StatusOK).says("Analytical Engines").silent("Send invitation")
		stranger.get(link).is(http.StatusNotFound)
		stranger.post(link, "name", "Eve", "password", desktest.Password).is(http.StatusNotFound)
		if a := admin.post("/team/invitations", "email", ben.User.Email).is(http.StatusUnprocessableEntity); a.errorAt("email") == "" {
			t.Error("a member can be invited")
		}
	})
}

func TestJoinAsSomebodyNew(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		s := siteOf(t, w)
		admin, p := s.newTeam(t, "Engines")
		if err := w.Desk.SetSignups(t.Context(), p.Who, false); err != nil {
			t.Fatal(err)
		}
		link := admin.invites("grace@example.com")
		v := s.visitor(t)
		if a := v.get(link).is(http.StatusOK); a.value("email") != "grace@example.com" {
			t.Errorf("the form is for %q", a.value("email"))
		}
		a := v.post(link, "name", "Grace Hopper", "password", "short", "email", "eve@example.com").is(http.StatusUnprocessableEntity)
		if a.errorAt("password") == "" || a.value("name") != "Grace Hopper" || a.value("email") != "grace@example.com" {
			t.Error("the form did not come back as it was")
		}
		v.post(link, "name", "Grace Hopper", "password", desktest.Password, "email", "eve@example.com").goes("/envelopes")
		v.get("/team").is(http.StatusOK).says("Engines").says("grace@example.com")
		if _, err := w.Store.UserByEmail(t.Context(), "eve@example.com"); paraph.KindOf(err) != paraph.NotFound {
			t.Errorf("the form chose another address: %v", err)
		}
	})
}

func TestInvitationsEnd(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	admin, _ := s.newTeam(t, "Engines")
	back := admin.invites("back@example.com")
	form := admin.get("/team").Find("form[action^='/team/invitations/']").AttrOr("action", "")
	admin.post(form).goes("/team")
	late := admin.invites("late@example.com")
	w.Clock.Advance(desk.InvitationAge)
	for _, link := range []string{back, late} {
		v := s.visitor(t)
		v.get(link).is(http.StatusNotFound).says("no longer valid")
		v.post(link, "name", "Eve", "password", desktest.Password).is(http.StatusNotFound)
	}
	admin.get("/team").says("ran out")
}

// TestMembers is what a member may do beside an admin, and what is left to
// whoever has to go.
func TestMembers(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		s := siteOf(t, w)
		admin, ada := s.newTeam(t, "Engines")
		join := func(name string) (*visitor, desktest.Person) {
			p := w.Person(t, name)
			v := s.as(t, p)
			v.post(admin.invites(p.User.Email)).goes("/envelopes")
			return v, p
		}
		ben, benWho := join("Ben")
		cleo, cleoWho := join("Cleo")
		admin.invites("dora@example.com")
		takeBack := admin.get("/team").Find("form[action^='/team/invitations/']").AttrOr("action", "")

		for path, pairs := range map[string][]string{
			"/team": {"name", "Ben's"}, "/team/invitations": {"email", "friend@example.com"}, takeBack: nil,
			removal(cleoWho): nil, removal(ada): nil,
		} {
			ben.post(path, pairs...).is(http.StatusForbidden)
		}
		if got := admin.get("/team").says("dora@example.com"); got.Find("td a[data-dialog]").Length() != 3 {
			t.Errorf("the admin sees %q", got.text())
		}
		admin.post(removal(ada)).goes("/team")
		admin.get("/team").says("The last admin can't leave")

		admin.post(removal(benWho)).goes("/team")
		ben.get("/team").goes("/signin?next=%2Fteam")
		ben.signIn(benWho.User.Email, desktest.Password)
		ben.get("/team").says("personal space")

		cleo.post(removal(cleoWho)).goes("/envelopes")
		cleo.get("/envelopes").is(http.StatusOK).says("You left Engines.")
		cleo.get("/team").says("personal space")
		admin.get("/team").silent(cleoWho.User.Email).silent(benWho.User.Email)
	})
}

func removal(p desktest.Person) string { return "/team/members/" + id(p.User.ID) + "/delete" }

func TestSwitchSpace(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	s := siteOf(t, w)
	admin, ada := s.newTeam(t, "Engines")
	spaces, err := w.Store.Spaces(t.Context(), ada.User.ID)
	if err != nil || len(spaces) != 2 {
		t.Fatal(spaces, err)
	}
	team := spaces[1]
	eve := s.as(t, w.Person(t, "Eve"))
	eve.post("/space", "space", id(team.ID)).is(http.StatusNotFound)
	eve.get("/team").silent("Engines")
	admin.post("/space", "space", id(spaces[0].ID)).goes("/envelopes")
	admin.get("/team").says("personal space")
	admin.post("/space", "space", id(team.ID)).goes("/envelopes")
	admin.get("/team").says("Engines")
	admin.post("/space", "space", "what").is(http.StatusNotFound)
	if n := strings.Count(admin.get("/envelopes").body, `name="space"`); n != 2 {
		t.Errorf("%d spaces can be switched to", n)
	}
}
