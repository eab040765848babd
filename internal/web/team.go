package web

import (
	"context"
	"net/http"
	"strconv"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/web/ui/account"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/team"
)

func (s *server) switchSpace(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(f.Get("space"), 10, 64)
	if err != nil {
		return errNoPage
	}
	if err := s.Desk.SwitchSpace(r.Context(), s.signed(r).Session, id); err != nil {
		return err
	}
	return redirect(w, r, start)
}

func (s *server) newTeamPage(w http.ResponseWriter, r *http.Request) error {
	return s.page(w, r, http.StatusOK, team.NewPage(team.New{}), kit.Page{Title: "New team"})
}

func (s *server) newTeam(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	session := s.signed(r).Session
	a, err := s.Desk.CreateTeam(r.Context(), session.UserID, f.Get("name"))
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil:
		return s.page(w, r, statusOf(shown), team.NewPage(team.New{Name: f.Get("name"), Wrong: wrong(shown)}), kit.Page{Title: "New team"})
	}
	if err := s.Desk.SwitchSpace(r.Context(), session, a.ID); err != nil {
		return err
	}
	s.flash(w, kit.Success, "The team is there, and you are working in it. Invite the others.")
	return redirect(w, r, "/team")
}

func (s *server) teamPage(w http.ResponseWriter, r *http.Request) error {
	if s.signed(r).Space.Kind != paraph.Team {
		return s.page(w, r, http.StatusOK, team.NonePage(), kit.Page{Title: "Team"})
	}
	v, err := s.teamView(r)
	if err != nil {
		return err
	}
	v.Open = r.URL.Query().Get("do")
	return s.page(w, r, http.StatusOK, team.Page(v), kit.Page{Title: "Team"})
}

func (s *server) teamView(r *http.Request) (v team.View, err error) {
	signed := s.signed(r)
	members, err := s.Store.Members(r.Context(), signed.Space.ID)
	if err != nil {
		return v, err
	}
	v = team.View{Name: signed.Space.Name, Rename: signed.Space.Name, Admin: signed.Space.Role == paraph.RoleAdmin, Now: s.Store.Now()}
	by := map[int64]string{}
	for _, m := range members {
		by[m.ID] = m.Name
		v.Members = append(v.Members, team.Member{
			ID: m.ID, Name: m.Name, Email: m.Email, Admin: m.Role == paraph.RoleAdmin, Self: m.ID == signed.User.ID, Joined: m.JoinedAt,
		})
	}
	if !v.Admin {
		return v, nil
	}
	invitations, err := s.Store.Invitations(r.Context(), signed.Space.ID)
	for _, i := range invitations {
		who := by[i.InvitedBy]
		if who == "" {
			who = "somebody who left"
		}
		v.Invitations = append(v.Invitations, team.Invitation{ID: i.ID, Email: i.Email, By: who, Expires: i.ExpiresAt, Over: !i.ExpiresAt.After(v.Now)})
	}
	return v, err
}

// changeTeam runs a verb on the team with a form; what is wrong with the form
// is shown on the team's page by again.
func (s *server) changeTeam(w http.ResponseWriter, r *http.Request, verb func(ctx context.Context, f form) (done string, err error), again func(v *team.View, f form, wrong kit.Wrong)) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	done, err := verb(r.Context(), f)
	shown, rest := oops(err)
	switch {
	case rest != nil:
		return rest
	case shown != nil && s.signed(r).Space.Kind == paraph.Team:
		v, err := s.teamView(r)
		if err != nil {
			return err
		}
		again(&v, f, wrong(shown))
		return s.page(w, r, statusOf(shown), team.Page(v), kit.Page{Title: "Team"})
	}
	return s.settle(w, r, "/team", done, err)
}

func (s *server) renameTeam(w http.ResponseWriter, r *http.Request) error {
	return s.changeTeam(w, r, func(ctx context.Context, f form) (string, error) {
		return "The team has its new name.", s.Desk.RenameTeam(ctx, s.who(r), f.Get("name"))
	}, func(v *team.View, f form, wrong kit.Wrong) { v.Rename, v.RenameWrong = f.Get("name"), wrong })
}

func (s *server) invite(w http.ResponseWriter, r *http.Request) error {
	return s.changeTeam(w, r, func(ctx context.Context, f form) (string, error) {
		if err := s.tries.check(s.Store.Now(), "invite "+strconv.FormatInt(s.who(r).UserID, 10)); err != nil {
			return "", err
		}
		return "The invitation to " + f.Get("email") + " is on its way.", s.Desk.Invite(ctx, s.who(r), f.Get("email"))
	}, func(v *team.View, f form, wrong kit.Wrong) { v.Invite, v.InviteWrong = f.Get("email"), wrong })
}

func (s *server) uninvite(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	return s.settle(w, r, "/team", "The invitation was taken back; its link leads nowhere now.", s.Desk.Uninvite(r.Context(), s.who(r), id))
}

// removeMember lets somebody go. Who leaves themselves goes on in their own
// space: the session that they worked in is over.
func (s *server) removeMember(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	signed := s.signed(r)
	err = s.Desk.RemoveMember(r.Context(), s.who(r), id)
	if err != nil || id != signed.User.ID {
		return s.settle(w, r, "/team", "They are no longer in the team.", err)
	}
	if _, err := s.openSession(w, r, signed.User); err != nil {
		return err
	}
	s.flash(w, kit.Success, "You left "+signed.Space.Name+".")
	return redirect(w, r, start)
}

// invitation is the invitation in the path as its page shows it.
func (s *server) invitation(r *http.Request) (v account.Join, err error) {
	ctx, token := r.Context(), r.PathValue("token")
	i, err := s.Store.InvitationByToken(ctx, token, s.Store.Now())
	if err != nil {
		return v, err
	}
	a, err := s.Store.Account(ctx, i.AccountID)
	if err != nil {
		return v, err
	}
	v = account.Join{Token: token, Team: a.Name, Email: i.Email, By: "Somebody", Here: s.signed(r).User.Email}
	v.SignUp = account.SignUp{Action: "/join/" + token, Email: i.Email, Fixed: true}
	if u, err := s.Store.User(ctx, i.InvitedBy); err == nil {
		v.By = u.Name
	} else if paraph.KindOf(err) != paraph.NotFound {
		return v, err
	}
	_, err = s.Store.UserByEmail(ctx, i.Email)
	v.Known = err == nil
	if paraph.KindOf(err) == paraph.NotFound {
		err = nil
	}
	return v, err
}

func (s *server) deadInvitation(w http.ResponseWriter, r *http.Request) error {
	return s.card(w, r, http.StatusNotFound, "This link is no longer valid", account.DeadPage(
		"The invitation was used, taken back, or is older than seven days. Ask for a new one.",
		kit.Button{Label: "To the start", Href: "/", Wide: true}))
}

func (s *server) joinPage(w http.ResponseWriter, r *http.Request) error {
	v, err := s.invitation(r)
	if paraph.KindOf(err) == paraph.NotFound {
		return s.deadInvitation(w, r)
	}
	if err != nil {
		return err
	}
	return s.card(w, r, http.StatusOK, "Join "+v.Team, account.JoinPage(v))
}

func (s *server) join(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	v, err := s.invitation(r)
	if paraph.KindOf(err) == paraph.NotFound {
		return s.deadInvitation(w, r)
	}
	if err != nil {
		return err
	}
	if _, ok := signedOf(r); ok {
		return s.joinAs(w, r, v)
	}
	return s.joinNew(w, r, v, f)
}

// joinAs lets who is signed in into the team.
func (s *server) joinAs(w http.ResponseWriter, r *http.Request, v account.Join) error {
	session := s.signed(r).Session
	id, err := s.Desk.Join(r.Context(), session.UserID, v.Token)
	if paraph.KindOf(err) == paraph.NotFound {
		return s.deadInvitation(w, r)
	}
	if err == nil {
		err = s.Desk.SwitchSpace(r.Context(), session, id)
	}
	return s.settle(w, r, start, "You are in "+v.Team+" now.", err)
}

// joinNew makes a user for the invitation's address and lets them in.
func (s *server) joinNew(w http.ResponseWriter, r *http.Request, v account.Join, f form) error {
	u, err := paraph.User{}, s.tries.check(s.Store.Now(), "signup "+s.caller(r))
	if err == nil {
		u, err = s.Desk.SignUpInvited(r.Context(), v.Token, desk.NewUser{Name: f.Get("name"), Password: f.Get("password")})
	}
	shown, rest := oops(err)
	switch {
	case paraph.KindOf(err) == paraph.NotFound:
		return s.deadInvitation(w, r)
	case rest != nil:
		return rest
	case shown != nil:
		v.SignUp.Name, v.SignUp.Wrong = f.Get("name"), wrong(shown)
		return s.card(w, r, statusOf(shown), "Join "+v.Team, account.JoinPage(v))
	}
	return s.enterTeam(w, r, u, v.Team)
}

// enterTeam signs a new member in, in the one team that they are in.
func (s *server) enterTeam(w http.ResponseWriter, r *http.Request, u paraph.User, name string) error {
	ctx := r.Context()
	token, err := s.openSession(w, r, u)
	if err != nil {
		return err
	}
	signed, err := s.Store.SessionByToken(ctx, token, s.Store.Now())
	if err != nil {
		return err
	}
	spaces, err := s.Store.Spaces(ctx, u.ID)
	for _, sp := range spaces {
		if err == nil && sp.Kind == paraph.Team {
			err = s.Desk.SwitchSpace(ctx, signed.Session, sp.ID)
		}
	}
	return s.settle(w, r, start, "Welcome to "+name+".", err)
}
