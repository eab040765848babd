// Package team is a team's page: who works in it, who is invited, and what it is called.
package team

import (
	"strconv"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// New is the form of a new team.
type New struct {
	Name  string
	Wrong kit.Wrong
}

// View is a team as one of its members sees it.
type View struct {
	Name        string
	Admin       bool // the reader may change things
	Members     []Member
	Invitations []Invitation
	Now         time.Time
	Open        string // the dialog that is shown from the start: "remove-7"

	Rename      string // what was entered
	RenameWrong kit.Wrong
	Invite      string
	InviteWrong kit.Wrong
}

// Member is somebody who works in the team.
type Member struct {
	ID          int64
	Name, Email string
	Admin       bool
	Self        bool
	Joined      time.Time
}

// Invitation is somebody who was asked.
type Invitation struct {
	ID      int64
	Email   string
	By      string
	Expires time.Time
	Over    bool
}

func (m Member) id() string { return strconv.FormatInt(m.ID, 10) }

func (m Member) dialog() string { return "remove-" + m.id() }

func (m Member) role() string {
	if m.Admin {
		return "Admin"
	}
	return "Member"
}

func (m Member) action() string { return "/team/members/" + m.id() + "/delete" }

func (i Invitation) action() string {
	return "/team/invitations/" + strconv.FormatInt(i.ID, 10) + "/delete"
}

// button opens the question whether somebody should go.
func (m Member) button() kit.Button {
	b := kit.Button{Label: "Remove", Icon: "x", Small: true, Href: "/team?do=" + m.dialog(), Dialog: m.dialog()}
	if m.Self {
		b.Label, b.Icon = "Leave", "exit"
	}
	return b
}

func (v View) confirm(m Member) kit.Confirm {
	c := kit.Confirm{
		ID: m.dialog(), Title: "Remove " + m.Name + "?", Action: m.action(), Label: "Remove", Danger: true, KeepText: "Keep them",
		Text: "They lose access to everything in " + v.Name + " at once, and their API tokens here stop. What they sent stays.",
		Open: v.Open == m.dialog(), Close: "/team",
	}
	if m.Self {
		c.Title, c.Label, c.KeepText = "Leave "+v.Name+"?", "Leave", "Stay"
		c.Text = "You lose access to everything in it at once, and your API tokens here stop. What you sent stays with the team."
	}
	return c
}

// may reports whether the reader can let this member go.
func (v View) may(m Member) bool { return v.Admin || m.Self }

func (i Invitation) verb() string {
	if i.Over {
		return "ran out "
	}
	return "runs out "
}
