package paraph

import (
	"net/mail"
	"strings"
	"time"
)

// An Account is the space that everything belongs to: a person's own, or a
// team's. Every question that the store answers names one.
type Account struct {
	ID        int64
	Kind      AccountKind
	Name      string
	CreatedAt time.Time
}

// AccountKind tells a personal space from a team.
type AccountKind string

// The kinds of account.
const (
	Personal AccountKind = "personal"
	Team     AccountKind = "team"
)

// TeamNumber is the id by which webhooks name the team, 0 for a personal
// space.
func (a Account) TeamNumber() int64 {
	if a.Kind == Team {
		return a.ID
	}
	return 0
}

// A User is a person who can sign in.
type User struct {
	ID           int64
	Email        string // lower case
	Name         string
	PasswordHash string // argon2id in PHC form
	Owner        bool   // the instance's first user, who may change its settings
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// FirstName is the name up to its first space; LastName is the rest.
func (u User) FirstName() string {
	first, _, _ := strings.Cut(strings.TrimSpace(u.Name), " ")
	return first
}

// LastName is what follows the first space of the name, perhaps nothing.
func (u User) LastName() string {
	_, last, _ := strings.Cut(strings.TrimSpace(u.Name), " ")
	return strings.TrimSpace(last)
}

// A Membership lets a user work in an account.
type Membership struct {
	AccountID int64
	UserID    int64
	Role      MemberRole
	CreatedAt time.Time
}

// MemberRole is what a member may do in an account.
type MemberRole string

// The roles of members.
const (
	RoleAdmin  MemberRole = "admin"
	RoleMember MemberRole = "member"
)

// A Space is an account as one of its members sees it.
type Space struct {
	Account
	Role MemberRole
}

// A Member is a user as the account's other members see them.
type Member struct {
	User
	Role     MemberRole
	JoinedAt time.Time
}

// An Invitation asks a person by mail to join a team.
type Invitation struct {
	ID         int64
	AccountID  int64
	Email      string
	InvitedBy  int64
	CreatedAt  time.Time
	ExpiresAt  time.Time
	AcceptedAt time.Time
}

// A Session is a signed-in browser. Only the hash of its token is stored.
type Session struct {
	ID        int64
	UserID    int64
	AccountID int64 // the space being worked in
	CreatedAt time.Time
	ExpiresAt time.Time
	IP        string
	UserAgent string
}

// An APIToken lets a program act in an account in a user's name. Only the
// hash of the token is stored; Hint is its first letters, to tell them apart.
type APIToken struct {
	ID         int64
	AccountID  int64
	UserID     int64
	Name       string
	Hint       string
	CreatedAt  time.Time
	LastUsedAt time.Time
	ExpiresAt  time.Time // zero: never
}

// Limits on what people may be called.
const (
	MaxNameLength  = 200 // runes
	MaxEmailLength = 254 // bytes, RFC 5321 §4.5.3.1.3 less the brackets
)

// ParseEmail checks an address and returns it trimmed and in lower case. The
// error is Invalid and stands at field.
func ParseEmail(field, s string) (string, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return "", FieldErrorf(field, "Enter an e-mail address.")
	}
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" || len(s) > MaxEmailLength || CleanLine(s) != s {
		return "", FieldErrorf(field, "“%s” is not an e-mail address.", Shorten(s, 60))
	}
	if s = strings.ToLower(s); len(s) > MaxEmailLength { // a few letters grow
		return "", FieldErrorf(field, "“%s” is not an e-mail address.", Shorten(s, 60))
	}
	return s, nil
}

// ParseName checks a name of a person or thing and returns it trimmed, with
// control characters taken out.
func ParseName(field, s string) (string, error) {
	s = strings.TrimSpace(CleanLine(s))
	if s == "" {
		return "", FieldErrorf(field, "Enter a name.")
	}
	if n := len([]rune(s)); n > MaxNameLength {
		return "", FieldErrorf(field, "This name has %d characters; at most %d are possible.", n, MaxNameLength)
	}
	return s, nil
}
