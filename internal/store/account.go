package store

import (
	"context"
	"time"

	"github.com/paraph-sign/paraph"
)

const userColumns = "users.id, users.email, users.name, users.password_hash, users.owner, users.created_at, users.updated_at"

func userFields(u *paraph.User) []any {
	return []any{&u.ID, &u.Email, &u.Name, &u.PasswordHash, &u.Owner, at{&u.CreatedAt}, at{&u.UpdatedAt}}
}

func scanUser(scan func(...any) error) (u paraph.User, err error) {
	err = scan(userFields(&u)...)
	return u, err
}

// HasUsers reports whether anybody has ever signed up.
func (r Reader) HasUsers(ctx context.Context) (bool, error) {
	ids, err := all(ctx, r.q, scanInt, "SELECT id FROM users LIMIT 1")
	return len(ids) > 0, err
}

// User answers a user by id.
func (r Reader) User(ctx context.Context, id int64) (paraph.User, error) {
	return one(ctx, r.q, "This user is gone.", scanUser, "SELECT "+userColumns+" FROM users WHERE id = $1", id)
}

// UserByEmail answers a user by their address in lower case.
func (r Reader) UserByEmail(ctx context.Context, email string) (paraph.User, error) {
	return one(ctx, r.q, "Nobody has this address.", scanUser, "SELECT "+userColumns+" FROM users WHERE email = $1", email)
}

// InsertUser adds a user and sets their id. A second of one address is
// Invalid.
func (tx *Tx) InsertUser(ctx context.Context, u *paraph.User) (err error) {
	u.ID, err = tx.insert(ctx, `INSERT INTO users (email, name, password_hash, owner, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`, u.Email, u.Name, u.PasswordHash, u.Owner, micros(u.CreatedAt), micros(u.UpdatedAt))
	if tx.d.unique(err) {
		return paraph.FieldErrorf("email", "Somebody has signed up with this address already.")
	}
	return err
}

// UpdateUser writes a user's name, address and password.
func (tx *Tx) UpdateUser(ctx context.Context, u paraph.User) error {
	_, err := tx.exec(ctx, "UPDATE users SET email = $1, name = $2, password_hash = $3, updated_at = $4 WHERE id = $5",
		u.Email, u.Name, u.PasswordHash, micros(u.UpdatedAt), u.ID)
	if tx.d.unique(err) {
		return paraph.FieldErrorf("email", "Somebody has signed up with this address already.")
	}
	return err
}

const accountColumns = "accounts.id, accounts.kind, accounts.name, accounts.created_at"

func accountFields(a *paraph.Account) []any {
	return []any{&a.ID, &a.Kind, &a.Name, at{&a.CreatedAt}}
}

func scanAccount(scan func(...any) error) (a paraph.Account, err error) {
	err = scan(accountFields(&a)...)
	return a, err
}

// Account answers an account by id.
func (r Reader) Account(ctx context.Context, id int64) (paraph.Account, error) {
	return one(ctx, r.q, "This space is gone.", scanAccount, "SELECT "+accountColumns+" FROM accounts WHERE id = $1", id)
}

// InsertAccount adds an account and sets its id.
func (tx *Tx) InsertAccount(ctx context.Context, a *paraph.Account) (err error) {
	a.ID, err = tx.insert(ctx, "INSERT INTO accounts (kind, name, created_at) VALUES ($1, $2, $3) RETURNING id", a.Kind, a.Name, micros(a.CreatedAt))
	return err
}

// RenameAccount writes an account's name.
func (tx *Tx) RenameAccount(ctx context.Context, id int64, name string) error {
	_, err := tx.exec(ctx, "UPDATE accounts SET name = $1 WHERE id = $2", name, id)
	return err
}

func scanSpace(scan func(...any) error) (s paraph.Space, err error) {
	err = scan(append(accountFields(&s.Account), &s.Role)...)
	return s, err
}

// Spaces answers the accounts that a user is a member of, their own first.
func (r Reader) Spaces(ctx context.Context, userID int64) ([]paraph.Space, error) {
	return all(ctx, r.q, scanSpace, "SELECT "+accountColumns+`, memberships.role FROM accounts
		JOIN memberships ON memberships.account_id = accounts.id
		WHERE memberships.user_id = $1 ORDER BY accounts.kind, accounts.name, accounts.id LIMIT 500`, userID)
}

// Space answers an account that the user is a member of.
func (r Reader) Space(ctx context.Context, accountID, userID int64) (paraph.Space, error) {
	return one(ctx, r.q, "You are not a member of this space.", scanSpace, "SELECT "+accountColumns+`, memberships.role FROM accounts
		JOIN memberships ON memberships.account_id = accounts.id
		WHERE accounts.id = $1 AND memberships.user_id = $2`, accountID, userID)
}

func scanMember(scan func(...any) error) (m paraph.Member, err error) {
	err = scan(append(userFields(&m.User), &m.Role, at{&m.JoinedAt})...)
	return m, err
}

// Members answers who works in an account, in the order they came.
func (r Reader) Members(ctx context.Context, accountID int64) ([]paraph.Member, error) {
	return all(ctx, r.q, scanMember, "SELECT "+userColumns+`, memberships.role, memberships.created_at FROM users
		JOIN memberships ON memberships.user_id = users.id
		WHERE memberships.account_id = $1 ORDER BY memberships.created_at, users.id LIMIT 1000`, accountID)
}

// InsertMembership lets a user into an account; again changes nothing.
func (tx *Tx) InsertMembership(ctx context.Context, m paraph.Membership) error {
	_, err := tx.exec(ctx, `INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account_id, user_id) DO NOTHING`, m.AccountID, m.UserID, m.Role, micros(m.CreatedAt))
	return err
}

// DeleteMembership takes a user out of an account, with their sessions and
// tokens there.
func (tx *Tx) DeleteMembership(ctx context.Context, accountID, userID int64) error {
	for _, q := range []string{
		"DELETE FROM sessions WHERE account_id = $1 AND user_id = $2",
		"DELETE FROM api_tokens WHERE account_id = $1 AND user_id = $2",
		"DELETE FROM memberships WHERE account_id = $1 AND user_id = $2",
	} {
		if _, err := tx.exec(ctx, q, accountID, userID); err != nil {
			return err
		}
	}
	return nil
}

func scanInvitation(scan func(...any) error) (i paraph.Invitation, err error) {
	err = scan(&i.ID, &i.AccountID, &i.Email, &i.InvitedBy, at{&i.CreatedAt}, at{&i.ExpiresAt}, at{&i.AcceptedAt})
	return i, err
}

const invitationColumns = "id, account_id, email, invited_by, created_at, expires_at, accepted_at"

// Invitations answers the open invitations of an account, newest first.
func (r Reader) Invitations(ctx context.Context, accountID int64) ([]paraph.Invitation, error) {
	return all(ctx, r.q, scanInvitation, "SELECT "+invitationColumns+` FROM invitations
		WHERE account_id = $1 AND accepted_at = 0 ORDER BY id DESC LIMIT 200`, accountID)
}

// InvitationByToken answers an open invitation that has not run out.
func (r Reader) InvitationByToken(ctx context.Context, token string, now time.Time) (paraph.Invitation, error) {
	return one(ctx, r.q, "This invitation is no longer valid; ask for a new one.", scanInvitation, "SELECT "+invitationColumns+` FROM invitations
		WHERE token_hash = $1 AND accepted_at = 0 AND expires_at > $2`, paraph.TokenHash(token), micros(now))
}

// InsertInvitation adds an invitation and sets its id; the token's hash is kept.
func (tx *Tx) InsertInvitation(ctx context.Context, i *paraph.Invitation, token string) (err error) {
	i.ID, err = tx.insert(ctx, `INSERT INTO invitations (account_id, email, token_hash, invited_by, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`, i.AccountID, i.Email, paraph.TokenHash(token), i.InvitedBy, micros(i.CreatedAt), micros(i.ExpiresAt))
	return err
}

// AcceptInvitation closes an invitation.
func (tx *Tx) AcceptInvitation(ctx context.Context, id int64) error {
	_, err := tx.exec(ctx, "UPDATE invitations SET accepted_at = $1 WHERE id = $2", micros(tx.now), id)
	return err
}

// DeleteInvitation takes an invitation back.
func (tx *Tx) DeleteInvitation(ctx context.Context, accountID, id int64) error {
	_, err := tx.exec(ctx, "DELETE FROM invitations WHERE account_id = $1 AND id = $2", accountID, id)
	return err
}

// Signed is who a browser or a program is signed in as.
type Signed struct {
	Session paraph.Session  // of a browser; zero for a program
	Token   paraph.APIToken // of a program; zero for a browser
	User    paraph.User
	Space   paraph.Space
}

const sessionColumns = "sessions.id, sessions.user_id, sessions.account_id, sessions.created_at, sessions.expires_at, sessions.ip, sessions.user_agent"

func sessionFields(s *paraph.Session) []any {
	return []any{&s.ID, &s.UserID, &s.AccountID, at{&s.CreatedAt}, at{&s.ExpiresAt}, &s.IP, &s.UserAgent}
}

// SessionByToken answers who is signed in by a cookie's token, if the session
// still holds and its user is still a member of its account.
func (r Reader) SessionByToken(ctx context.Context, token string, now time.Time) (Signed, error) {
	scan := func(scan func(...any) error) (s Signed, err error) {
		f := append(sessionFields(&s.Session), userFields(&s.User)...)
		err = scan(append(append(f, accountFields(&s.Space.Account)...), &s.Space.Role)...)
		return s, err
	}
	return one(ctx, r.q, "Sign in first.", scan, "SELECT "+sessionColumns+", "+userColumns+", "+accountColumns+`, memberships.role FROM sessions
		JOIN users ON users.id = sessions.user_id
		JOIN accounts ON accounts.id = sessions.account_id
		JOIN memberships ON memberships.account_id = sessions.account_id AND memberships.user_id = sessions.user_id
		WHERE sessions.token_hash = $1 AND sessions.expires_at > $2`, paraph.TokenHash(token), micros(now))
}

// InsertSession signs a browser in and sets the session's id.
func (tx *Tx) InsertSession(ctx context.Context, s *paraph.Session, token string) (err error) {
	s.ID, err = tx.insert(ctx, `INSERT INTO sessions (token_hash, user_id, account_id, created_at, expires_at, ip, user_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		paraph.TokenHash(token), s.UserID, s.AccountID, micros(s.CreatedAt), micros(s.ExpiresAt), s.IP, s.UserAgent)
	return err
}

// SetSessionAccount switches a session to another space.
func (tx *Tx) SetSessionAccount(ctx context.Context, sessionID, accountID int64) error {
	_, err := tx.exec(ctx, "UPDATE sessions SET account_id = $1 WHERE id = $2", accountID, sessionID)
	return err
}

// DeleteSession signs a browser out.
func (tx *Tx) DeleteSession(ctx context.Context, id int64) error {
	_, err := tx.exec(ctx, "DELETE FROM sessions WHERE id = $1", id)
	return err
}

// DeleteSessionsOf signs a user out everywhere but in the session keep (0:
// everywhere).
func (tx *Tx) DeleteSessionsOf(ctx context.Context, userID, keep int64) error {
	_, err := tx.exec(ctx, "DELETE FROM sessions WHERE user_id = $1 AND id <> $2", userID, keep)
	return err
}

// InsertPasswordReset keeps the hash of a token that lets a user set a new
// password.
func (tx *Tx) InsertPasswordReset(ctx context.Context, userID int64, token string, expires time.Time) error {
	_, err := tx.exec(ctx, "INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)",
		paraph.TokenHash(token), userID, micros(tx.now), micros(expires))
	return err
}

// CountPasswordResets counts the tokens that may set a user's password now.
func (tx *Tx) CountPasswordResets(ctx context.Context, userID int64) (int, error) {
	n, err := one(ctx, tx.q, "", scanInt, "SELECT COUNT(*) FROM password_resets WHERE user_id = $1 AND expires_at > $2", userID, micros(tx.now))
	return int(n), err
}

// UserByReset answers whose password a token may set.
func (r Reader) UserByReset(ctx context.Context, token string, now time.Time) (paraph.User, error) {
	return one(ctx, r.q, "This link is no longer valid; ask for a new one.", scanUser, "SELECT "+userColumns+` FROM users
		JOIN password_resets ON password_resets.user_id = users.id
		WHERE password_resets.token_hash = $1 AND password_resets.expires_at > $2`, paraph.TokenHash(token), micros(now))
}

// DeletePasswordResets makes all reset links of a user useless.
func (tx *Tx) DeletePasswordResets(ctx context.Context, userID int64) error {
	_, err := tx.exec(ctx, "DELETE FROM password_resets WHERE user_id = $1", userID)
	return err
}

const tokenColumns = "api_tokens.id, api_tokens.account_id, api_tokens.user_id, api_tokens.name, api_tokens.hint, api_tokens.created_at, api_tokens.last_used_at, api_tokens.expires_at"

func tokenFields(t *paraph.APIToken) []any {
	return []any{&t.ID, &t.AccountID, &t.UserID, &t.Name, &t.Hint, at{&t.CreatedAt}, at{&t.LastUsedAt}, at{&t.ExpiresAt}}
}

// APITokens answers the tokens of a user in an account, newest first.
func (r Reader) APITokens(ctx context.Context, accountID, userID int64) ([]paraph.APIToken, error) {
	scan := func(scan func(...any) error) (t paraph.APIToken, err error) {
		err = scan(tokenFields(&t)...)
		return t, err
	}
	return all(ctx, r.q, scan, "SELECT "+tokenColumns+` FROM api_tokens WHERE account_id = $1 AND user_id = $2
		ORDER BY id DESC LIMIT 500`, accountID, userID)
}

// APITokenByToken answers who a program acts for, if the token has not run out
// and its user is still a member of its account.
func (r Reader) APITokenByToken(ctx context.Context, token string, now time.Time) (Signed, error) {
	scan := func(scan func(...any) error) (s Signed, err error) {
		f := append(tokenFields(&s.Token), userFields(&s.User)...)
		err = scan(append(append(f, accountFields(&s.Space.Account)...), &s.Space.Role)...)
		return s, err
	}
	return one(ctx, r.q, "The API token is unknown.", scan, "SELECT "+tokenColumns+", "+userColumns+", "+accountColumns+`, memberships.role FROM api_tokens
		JOIN users ON users.id = api_tokens.user_id
		JOIN accounts ON accounts.id = api_tokens.account_id
		JOIN memberships ON memberships.account_id = api_tokens.account_id AND memberships.user_id = api_tokens.user_id
		WHERE api_tokens.token_hash = $1 AND (api_tokens.expires_at = 0 OR api_tokens.expires_at > $2)`, paraph.TokenHash(token), micros(now))
}

// InsertAPIToken adds a token and sets its id; its hash is kept.
func (tx *Tx) InsertAPIToken(ctx context.Context, t *paraph.APIToken, token string) (err error) {
	t.ID, err = tx.insert(ctx, `INSERT INTO api_tokens (account_id, user_id, name, hint, token_hash, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
		t.AccountID, t.UserID, t.Name, t.Hint, paraph.TokenHash(token), micros(t.CreatedAt), micros(t.ExpiresAt))
	return err
}

// TouchAPIToken notes that a token was used.
func (tx *Tx) TouchAPIToken(ctx context.Context, id int64) error {
	_, err := tx.exec(ctx, "UPDATE api_tokens SET last_used_at = $1 WHERE id = $2", micros(tx.now), id)
	return err
}

// DeleteAPIToken revokes a token of the user's.
func (tx *Tx) DeleteAPIToken(ctx context.Context, accountID, userID, id int64) error {
	n, err := tx.exec(ctx, "DELETE FROM api_tokens WHERE account_id = $1 AND user_id = $2 AND id = $3", accountID, userID, id)
	if err == nil && n == 0 {
		return paraph.Errorf(paraph.NotFound, "This token is gone already.")
	}
	return err
}

// Setting answers a setting of the instance, "" when it was never set.
func (r Reader) Setting(ctx context.Context, name string) (string, error) {
	scan := func(scan func(...any) error) (s string, err error) { err = scan(&s); return s, err }
	vs, err := all(ctx, r.q, scan, "SELECT value FROM settings WHERE name = $1", name)
	if err != nil || len(vs) == 0 {
		return "", err
	}
	return vs[0], nil
}

// SetSetting writes a setting of the instance.
func (tx *Tx) SetSetting(ctx context.Context, name, value string) error {
	_, err := tx.exec(ctx, "INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value", name, value)
	return err
}

// Answered is what a request with an idempotency key was answered.
type Answered struct {
	RequestHash string
	Status      int // 0 while the request is still being worked on
	Body        []byte
	CreatedAt   time.Time
}

// Answer answers what an earlier request with this key was answered. found is
// false when there was none.
func (r Reader) Answer(ctx context.Context, accountID int64, key string) (a Answered, found bool, err error) {
	scan := func(scan func(...any) error) (a Answered, err error) {
		err = scan(&a.RequestHash, &a.Status, &a.Body, at{&a.CreatedAt})
		return a, err
	}
	as, err := all(ctx, r.q, scan, "SELECT request_hash, status, body, created_at FROM idempotency_keys WHERE account_id = $1 AND idempotency_key = $2", accountID, key)
	if err != nil || len(as) == 0 {
		return Answered{}, false, err
	}
	return as[0], true, nil
}

// ReserveAnswer takes an idempotency key; false when it is taken.
func (tx *Tx) ReserveAnswer(ctx context.Context, accountID int64, key, requestHash string) (bool, error) {
	n, err := tx.exec(ctx, `INSERT INTO idempotency_keys (account_id, idempotency_key, request_hash, status, body, created_at)
		VALUES ($1, $2, $3, 0, $4, $5) ON CONFLICT (account_id, idempotency_key) DO NOTHING`, accountID, key, requestHash, []byte{}, micros(tx.now))
	return n == 1, err
}

// SaveAnswer keeps what a request was answered; status 0 frees the key.
func (tx *Tx) SaveAnswer(ctx context.Context, accountID int64, key string, status int, body []byte) error {
	if status == 0 {
		_, err := tx.exec(ctx, "DELETE FROM idempotency_keys WHERE account_id = $1 AND idempotency_key = $2", accountID, key)
		return err
	}
	_, err := tx.exec(ctx, "UPDATE idempotency_keys SET status = $1, body = $2 WHERE account_id = $3 AND idempotency_key = $4", status, body, accountID, key)
	return err
}
