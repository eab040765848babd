// Package settings is the pages behind “User settings”: profile, password, API tokens, and for its owner the instance. The
// webhooks are the last tab; their pages are in ui/webhooks.
package settings

import (
	"strconv"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// The tabs.
const (
	TabProfile   = "Profile"
	TabPassword  = "Password"
	TabTokens    = "API tokens"
	TabWebhooks  = "Webhooks"
	TabDocuments = "Documents"
	TabInstance  = "Instance"

	TabCertificate = "Certificate"
)

// Tabs are the settings' parts; the instance's belongs to its owner.
func Tabs(current string, owner bool) []kit.Tab {
	all := []kit.Tab{
		{Label: TabProfile, Href: "/settings/profile"},
		{Label: TabPassword, Href: "/settings/password"},
		{Label: TabTokens, Href: "/settings/tokens"},
		{Label: TabDocuments, Href: "/settings/documents"},
		{Label: TabWebhooks, Href: "/settings/webhooks"},
	}
	if owner {
		all = append(all, kit.Tab{Label: TabInstance, Href: "/settings/instance"}, kit.Tab{Label: TabCertificate, Href: "/settings/certificate"})
	}
	for i := range all {
		all[i].Current, all[i].Count = all[i].Label == current, -1
	}
	return all
}

// Profile is the form of a user's name and address.
type Profile struct {
	Owner       bool // of the instance
	Name, Email string
	Wrong       kit.Wrong
}

// Password is the form of a new password.
type Password struct {
	Owner bool
	Email string // for password managers
	Wrong kit.Wrong
}

// Tokens are a user's API tokens in a space.
type Tokens struct {
	Owner bool
	Space string
	All   []Token
	New   string // the token that was just made, shown this once
	Name  string // of it, or what was entered
	Base  string // the server's address, for the example
	Open  string // the dialog that is shown from the start
	Now   time.Time
	Wrong kit.Wrong
}

// Token is one of them.
type Token struct {
	ID            int64
	Name, Hint    string
	Created, Used time.Time
}

func (t Token) id() string { return strconv.FormatInt(t.ID, 10) }

func (t Token) dialog() string { return "revoke-" + t.id() }

func (v Tokens) confirm(t Token) kit.Confirm {
	return kit.Confirm{
		ID: t.dialog(), Title: "Revoke “" + t.Name + "”?", Text: "Programs that use it are refused from then on. This can’t be undone.",
		Action: "/settings/tokens/" + t.id() + "/delete", Label: "Revoke", Danger: true, Open: v.Open == t.dialog(), Close: "/settings/tokens",
	}
}

// Instance is what the owner can set for the whole server.
type Instance struct {
	Owner   bool
	SignUps bool
}
