package desk

import (
	"context"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
)

// How long things hold that are given to people.
const (
	SessionAge    = 30 * 24 * time.Hour
	InvitationAge = 7 * 24 * time.Hour
	ResetAge      = time.Hour
)

// maxResets is how many links to set a password a user has at once: who asks
// for more fills somebody else's mailbox.
const maxResets = 3

// signupsOff is the instance's setting that closes the sign-up page.
const signupsOff = "signups_off"

// SignupsOpen reports whether strangers may make an account.
func (d *Desk) SignupsOpen(ctx context.Context) (bool, error) {
	v, err := d.Store.Setting(ctx, signupsOff)
	return v != "true", err
}

// SetSignups opens or closes the sign-up page. Only the instance's owner may.
func (d *Desk) SetSignups(ctx context.Context, who Who, open bool) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, who.UserID)
		if err != nil {
			return err
		}
		if !u.Owner {
			return paraph.Errorf(paraph.Forbidden, "Only the owner of this server can change this.")
		}
		value := "true"
		if open {
			value = "false"
		}
		return tx.SetSetting(ctx, signupsOff, value)
	})
}

// NewUser is what somebody who signs up enters.
type NewUser struct {
	Email, Name, Password string
}

func (n NewUser) check() (paraph.User, error) {
	name, err := paraph.ParseName("name", n.Name)
	if err != nil {
		return paraph.User{}, err
	}
	email, err := paraph.ParseEmail("email", n.Email)
	if err != nil {
		return paraph.User{}, err
	}
	return paraph.User{Email: email, Name: name}, checkPassword("password", n.Password)
}

// SignUp makes a user with their personal space. The first one owns the
// instance. trusted is for the command line, which may add users while
// sign-up is closed.
func (d *Desk) SignUp(ctx context.Context, n NewUser, trusted bool) (paraph.User, error) {
	u, err := n.check()
	if err != nil {
		return u, err
	}
	u.PasswordHash = d.hasher.hash(n.Password)
	err = d.Store.Update(ctx, func(tx *store.Tx) error { return d.insertUser(ctx, tx, &u, trusted) })
	return u, err
}

func (d *Desk) insertUser(ctx context.Context, tx *store.Tx, u *paraph.User, trusted bool) error {
	some, err := tx.HasUsers(ctx)
	if err != nil {
		return err
	}
	closed, err := tx.Setting(ctx, signupsOff)
	if err != nil {
		return err
	}
	if some && closed == "true" && !trusted {
		return paraph.Errorf(paraph.Forbidden, "Sign-up is closed on this server; ask for an invitation.")
	}
	u.Owner, u.CreatedAt, u.UpdatedAt = !some, tx.Now(), tx.Now()
	if err := tx.InsertUser(ctx, u); err != nil {
		return err
	}
	_, err = d.insertAccount(ctx, tx, paraph.Personal, u.Name, u.ID)
	return err
}

func (d *Desk) insertAccount(ctx context.Context, tx *store.Tx, kind paraph.AccountKind, name string, userID int64) (paraph.Account, error) {
	a := paraph.Account{Kind: kind, Name: name, CreatedAt: tx.Now()}
	if err := tx.InsertAccount(ctx, &a); err != nil {
		return a, err
	}
	return a, tx.InsertMembership(ctx, paraph.Membership{AccountID: a.ID, UserID: userID, Role: paraph.RoleAdmin, CreatedAt: tx.Now()})
}

// SignIn checks a password and opens a session in the user's own space. The
// answer to a wrong password and to an unknown address is the same, and takes
// as long.
func (d *Desk) SignIn(ctx context.Context, email, password, ip, userAgent string) (token string, err error) {
	u, err := d.Store.UserByEmail(ctx, strings.ToLower(strings.TrimSpace(email)))
	if err != nil && paraph.KindOf(err) != paraph.NotFound {
		return "", err
	}
	if !d.hasher.matches(u.PasswordHash, password) {
		return "", paraph.Errorf(paraph.Unauthenticated, "The address or the password is wrong.")
	}
	return d.OpenSession(ctx, u, ip, userAgent)
}

// OpenSession signs a user in whose identity has been checked. The error is
// Unauthenticated when their password has changed since.
func (d *Desk) OpenSession(ctx context.Context, u paraph.User, ip, userAgent string) (token string, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		now, err := tx.User(ctx, u.ID)
		if err != nil {
			return err
		}
		if now.PasswordHash != u.PasswordHash {
			return paraph.Errorf(paraph.Unauthenticated, "The password has just been changed; sign in with the new one.")
		}
		spaces, err := tx.Spaces(ctx, u.ID)
		if err != nil {
			return err
		}
		if len(spaces) == 0 {
			return paraph.Errorf(paraph.Forbidden, "You are not a member of any space.")
		}
		token = paraph.NewToken(43)
		s := paraph.Session{
			UserID: u.ID, AccountID: spaces[0].ID, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(SessionAge),
			IP: ip, UserAgent: paraph.Shorten(paraph.CleanLine(userAgent), 400),
		}
		return tx.InsertSession(ctx, &s, token)
	})
	return token, err
}

// SignOut ends a session.
func (d *Desk) SignOut(ctx context.Context, sessionID int64) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteSession(ctx, sessionID) })
}

// SwitchSpace lets a session go on in another space of its user's.
func (d *Desk) SwitchSpace(ctx context.Context, s paraph.Session, accountID int64) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Space(ctx, accountID, s.UserID); err != nil {
			return err
		}
		return tx.SetSessionAccount(ctx, s.ID, accountID)
	})
}

// SetProfile changes a user's name and address. A new address asks for the
// password.
func (d *Desk) SetProfile(ctx context.Context, userID int64, name, email, password string) (paraph.User, error) {
	name, err := paraph.ParseName("name", name)
	if err != nil {
		return paraph.User{}, err
	}
	if email, err = paraph.ParseEmail("email", email); err != nil {
		return paraph.User{}, err
	}
	u, err := d.Store.User(ctx, userID)
	if err != nil {
		return u, err
	}
	if email != u.Email && !d.hasher.matches(u.PasswordHash, password) {
		return u, paraph.FieldErrorf("password", "Enter your password to change the address.")
	}
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		if u, err = tx.User(ctx, userID); err != nil {
			return err
		}
		if email != u.Email { // links that were mailed to the old address end
			if err := tx.DeletePasswordResets(ctx, u.ID); err != nil {
				return err
			}
		}
		u.Name, u.Email, u.UpdatedAt = name, email, tx.Now()
		return tx.UpdateUser(ctx, u)
	})
	return u, err
}

// SetPassword changes a user's password and signs them out elsewhere.
func (d *Desk) SetPassword(ctx context.Context, s paraph.Session, old, password string) error {
	u, err := d.Store.User(ctx, s.UserID)
	if err != nil {
		return err
	}
	if !d.hasher.matches(u.PasswordHash, old) {
		return paraph.FieldErrorf("old_password", "This is not your present password.")
	}
	if err := checkPassword("password", password); err != nil {
		return err
	}
	return d.storePassword(ctx, u.ID, s.ID, d.hasher.hash(password))
}

func (d *Desk) storePassword(ctx context.Context, userID, keepSession int64, hash string) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.User(ctx, userID)
		if err != nil {
			return err
		}
		return setPassword(ctx, tx, u, keepSession, hash)
	})
}

// setPassword writes a password and ends what the old one, or a mailed link,
// has opened.
func setPassword(ctx context.Context, tx *store.Tx, u paraph.User, keepSession int64, hash string) error {
	u.PasswordHash, u.UpdatedAt = hash, tx.Now()
	if err := tx.UpdateUser(ctx, u); err != nil {
		return err
	}
	if err := tx.DeletePasswordResets(ctx, u.ID); err != nil {
		return err
	}
	return tx.DeleteSessionsOf(ctx, u.ID, keepSession)
}

// ForgotPassword mails a link to set a new password. Whether the address is
// known shows to nobody but its owner: a mail is queued in any case, and one
// whose token opens nothing is not sent.
func (d *Desk) ForgotPassword(ctx context.Context, email, ip string) error {
	email, err := paraph.ParseEmail("email", email)
	if err != nil {
		return err
	}
	token := paraph.NewToken(43)
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		u, err := tx.UserByEmail(ctx, email)
		if err == nil {
			err = grantReset(ctx, tx, u, token)
		}
		if err != nil && paraph.KindOf(err) != paraph.NotFound {
			return err
		}
		return d.queueMail(ctx, tx, 0, 0, letter{Kind: mailReset, UserID: u.ID, Token: token, IP: ip})
	})
}

// grantReset lets a token set a user's password, unless they have enough of
// such tokens.
func grantReset(ctx context.Context, tx *store.Tx, u paraph.User, token string) error {
	n, err := tx.CountPasswordResets(ctx, u.ID)
	if err != nil || n >= maxResets {
		return err
	}
	return tx.InsertPasswordReset(ctx, u.ID, token, tx.Now().Add(ResetAge))
}

// ResetPassword sets the password of whom a mailed link belongs to, ends their
// sessions and returns them, to be signed in.
func (d *Desk) ResetPassword(ctx context.Context, token, password string) (paraph.User, error) {
	u, err := d.Store.UserByReset(ctx, token, d.Store.Now())
	if err != nil {
		return u, err
	}
	if err := checkPassword("password", password); err != nil {
		return u, err
	}
	hash := d.hasher.hash(password)
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		if u, err = tx.UserByReset(ctx, token, tx.Now()); err != nil { // somebody may have used it meanwhile
			return err
		}
		u.PasswordHash = hash
		return setPassword(ctx, tx, u, 0, hash)
	})
	return u, err
}

// CreateTeam makes a team of which the user is the first admin.
func (d *Desk) CreateTeam(ctx context.Context, userID int64, name string) (a paraph.Account, err error) {
	if name, err = paraph.ParseName("name", name); err != nil {
		return a, err
	}
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		a, err = d.insertAccount(ctx, tx, paraph.Team, name, userID)
		return err
	})
	return a, err
}

// admin loads the space if the user may manage it.
func admin(ctx context.Context, tx *store.Tx, who Who) (paraph.Space, error) {
	s, err := tx.Space(ctx, who.AccountID, who.UserID)
	switch {
	case err != nil:
		return s, err
	case s.Kind != paraph.Team:
		return s, paraph.Errorf(paraph.Invalid, "A personal space has no other members; create a team.")
	case s.Role != paraph.RoleAdmin:
		return s, paraph.Errorf(paraph.Forbidden, "Only an admin of the team can do this.")
	}
	return s, nil
}

// RenameTeam changes a team's name.
func (d *Desk) RenameTeam(ctx context.Context, who Who, name string) error {
	name, err := paraph.ParseName("name", name)
	if err != nil {
		return err
	}
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := admin(ctx, tx, who); err != nil {
			return err
		}
		return tx.RenameAccount(ctx, who.AccountID, name)
	})
}

// Invite asks somebody by mail to join the team.
func (d *Desk) Invite(ctx context.Context, who Who, email string) error {
	email, err := paraph.ParseEmail("email", email)
	if err != nil {
		return err
	}
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := admin(ctx, tx, who); err != nil {
			return err
		}
		members, err := tx.Members(ctx, who.AccountID)
		if err != nil {
			return err
		}
		for _, m := range members {
			if m.Email == email {
				return paraph.FieldErrorf("email", "%s is a member already.", m.Name)
			}
		}
		token := paraph.NewToken(43)
		i := paraph.Invitation{AccountID: who.AccountID, Email: email, InvitedBy: who.UserID, CreatedAt: tx.Now(), ExpiresAt: tx.Now().Add(InvitationAge)}
		if err := tx.InsertInvitation(ctx, &i, token); err != nil {
			return err
		}
		return d.queueMail(ctx, tx, who.AccountID, 0, letter{Kind: mailTeam, UserID: who.UserID, Token: token, Email: email, Expires: i.ExpiresAt})
	})
}

// Uninvite takes an invitation back.
func (d *Desk) Uninvite(ctx context.Context, who Who, id int64) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := admin(ctx, tx, who); err != nil {
			return err
		}
		return tx.DeleteInvitation(ctx, who.AccountID, id)
	})
}

// Join lets the user into the team that an invitation's link is for.
func (d *Desk) Join(ctx context.Context, userID int64, token string) (accountID int64, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		i, err := tx.InvitationByToken(ctx, token, tx.Now())
		if err != nil {
			return err
		}
		accountID = i.AccountID
		if err := tx.InsertMembership(ctx, paraph.Membership{AccountID: i.AccountID, UserID: userID, Role: paraph.RoleMember, CreatedAt: tx.Now()}); err != nil {
			return err
		}
		return tx.AcceptInvitation(ctx, i.ID)
	})
	return accountID, err
}

// SignUpInvited makes a user for an invitation's address, even where sign-up
// is closed, and lets them into the team.
func (d *Desk) SignUpInvited(ctx context.Context, token string, n NewUser) (paraph.User, error) {
	i, err := d.Store.InvitationByToken(ctx, token, d.Store.Now())
	if err != nil {
		return paraph.User{}, err
	}
	n.Email = i.Email
	u, err := n.check()
	if err != nil {
		return u, err
	}
	u.PasswordHash = d.hasher.hash(n.Password)
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		if i, err = tx.InvitationByToken(ctx, token, tx.Now()); err != nil { // it may have been taken back meanwhile
			return err
		}
		if err := d.insertUser(ctx, tx, &u, true); err != nil {
			return err
		}
		if err := tx.InsertMembership(ctx, paraph.Membership{AccountID: i.AccountID, UserID: u.ID, Role: paraph.RoleMember, CreatedAt: tx.Now()}); err != nil {
			return err
		}
		return tx.AcceptInvitation(ctx, i.ID)
	})
	return u, err
}

// RemoveMember takes somebody out of the team: an admin anybody, anybody
// themselves. The last admin stays.
func (d *Desk) RemoveMember(ctx context.Context, who Who, userID int64) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		if userID != who.UserID {
			if _, err := admin(ctx, tx, who); err != nil {
				return err
			}
		}
		members, err := tx.Members(ctx, who.AccountID)
		if err != nil {
			return err
		}
		admins := 0
		for _, m := range members {
			if m.Role == paraph.RoleAdmin && m.ID != userID {
				admins++
			}
		}
		if admins == 0 {
			return paraph.Errorf(paraph.Invalid, "The last admin can't leave; the team would belong to nobody.")
		}
		return tx.DeleteMembership(ctx, who.AccountID, userID)
	})
}

// CreateToken makes an API token for the user in an account and returns it:
// the only time that it can be read.
func (d *Desk) CreateToken(ctx context.Context, who Who, name string) (token string, t paraph.APIToken, err error) {
	if name, err = paraph.ParseName("name", name); err != nil {
		return "", t, err
	}
	token = "api_" + paraph.NewToken(40)
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := tx.Space(ctx, who.AccountID, who.UserID); err != nil {
			return err
		}
		t = paraph.APIToken{AccountID: who.AccountID, UserID: who.UserID, Name: name, Hint: token[:8], CreatedAt: tx.Now()}
		return tx.InsertAPIToken(ctx, &t, token)
	})
	return token, t, err
}

// DeleteToken revokes an API token.
func (d *Desk) DeleteToken(ctx context.Context, who Who, id int64) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error { return tx.DeleteAPIToken(ctx, who.AccountID, who.UserID, id) })
}

// tokenTouch is how exact the time of a token's last use is kept, so that not
// every request writes.
const tokenTouch = time.Minute

// TokenUsed notes that a token was used.
func (d *Desk) TokenUsed(ctx context.Context, t paraph.APIToken) error {
	if d.Store.Now().Sub(t.LastUsedAt) < tokenTouch {
		return nil
	}
	return d.Store.Update(ctx, func(tx *store.Tx) error { return tx.TouchAPIToken(ctx, t.ID) })
}
