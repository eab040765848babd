// Package account is the pages before anybody is signed in: the first visit, signing in and up, a forgotten password, an
// invitation. Each is one card with one form.
package account

import "github.com/paraph-sign/paraph/internal/web/ui/kit"

// SignUp is the form of somebody new.
type SignUp struct {
	Action string
	Email  string
	Fixed  bool // the address is the invitation's and can't be changed
	Name   string
	Next   string
	Wrong  kit.Wrong
}

// SignIn is the form of somebody known.
type SignIn struct {
	Email string
	Next  string
	Open  bool // strangers may sign up
	Wrong kit.Wrong
}

// Forgot asks for the address that a link is mailed to.
type Forgot struct {
	Email string
	Wrong kit.Wrong
}

// Reset sets a new password by a mailed link.
type Reset struct {
	Token string
	Email string // whose password it is
	Wrong kit.Wrong
}

// Join answers an invitation.
type Join struct {
	Token  string
	Team   string
	By     string // who invited
	Email  string // who was
	Here   string // who is signed in, "" for nobody
	Known  bool   // the address has an account
	SignUp SignUp
}

func (j Join) path() string { return "/join/" + j.Token }

// other reports whether somebody else is signed in than was invited.
func (j Join) other() bool { return j.Here != j.Email }

func passwordHint() string {
	return "At least 10 characters. A few words together are easy to remember and hard to guess."
}
