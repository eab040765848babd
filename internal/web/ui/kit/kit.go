// Package kit is what every page is made of: the frames around a page and the parts inside. A part takes a struct and
// renders markup that works without scripts; the scripts of ui/app make some of it nicer. Nothing here reads a request, asks
// the store, or writes a style attribute or inline script, which the content security policy would refuse.
package kit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/paraph-sign/paraph/internal/web/ui/assets"
)

// Page is what the head of every page needs.
type Page struct {
	Assets  *assets.Assets
	Title   string   // without the product's name
	Lang    string   // BCP 47; "" is "en"
	Dir     string   // "ltr", "rtl"; "" is "ltr"
	Theme   string   // "paper", "ink"; "" follows the system
	Scripts []string // bundles beside "app.js", by name: "envelope_editor.js"
	Flash   []Notice
	// NoIndex keeps the page out of search engines and its address out of Referer headers: for every page behind a secret link.
	NoIndex bool
	// Refresh is after how many seconds the page is asked for again where scripts, which do it better, don't run; 0: never.
	Refresh int
}

func (p Page) lang() string {
	if p.Lang == "" {
		return "en"
	}
	return p.Lang
}

func (p Page) dir() string {
	if p.Dir == "" {
		return "ltr"
	}
	return p.Dir
}

func (p Page) fullTitle() string {
	if p.Title == "" {
		return "Paraph"
	}
	return p.Title + " · Paraph"
}

// Shell is a page of a signed-in user.
type Shell struct {
	Page
	User   User
	Spaces []Space
	Nav    []NavItem
	Crumbs []Crumb
	Links  Links
	Wide   bool // the main part uses the whole window
}

// Links are the places the frame leads to. An empty one leaves its entry out.
type Links struct {
	Home        string // the envelope list
	Settings    string // "User settings"
	Team        string // the current team's members
	NewTeam     string
	SwitchSpace string // receives POST space=ID
	SignOut     string // receives POST
}

// User is who is signed in.
type User struct{ Name, Email string }

// Space is an account the user can work in.
type Space struct {
	ID, Name string
	Personal bool
	Current  bool
}

// NavItem is one entry of the top bar.
type NavItem struct {
	Label, Href string
	Current     bool
}

// Crumb is one step of a breadcrumb; the last has no Href.
type Crumb struct{ Label, Href string }

// Tone colours a part; a word always says the same.
type Tone string

// The tones.
const (
	Neutral Tone = "neutral"
	Info    Tone = "info"
	Success Tone = "success"
	Warning Tone = "warning"
	Error   Tone = "error"
	Primary Tone = "primary"
)

func (t Tone) class() string {
	if t == "" {
		return "tone-neutral"
	}
	return "tone-" + string(t)
}

// Notice is a message at the top of a page after something was done.
type Notice struct {
	Tone  Tone
	Text  string
	Stays bool // is not dismissed by itself; errors never are
}

// Kind says how much a button matters.
type Kind string

// The kinds of buttons.
const (
	Plain  Kind = ""
	Main   Kind = "main"
	Danger Kind = "danger"
	Quiet  Kind = "quiet"
)

func (k Kind) class() string {
	switch k {
	case Main:
		return "btn btn-primary"
	case Danger:
		return "btn btn-error"
	case Quiet:
		return "btn btn-ghost"
	}
	return "btn"
}

// Button is a button, or a link that looks like one when Href is set.
type Button struct {
	Label    string
	Kind     Kind
	Icon     string // see Icon
	Href     string
	Dialog   string // id of the Modal it opens; Href is where it leads without scripts
	Type     string // "submit" when empty; "button", "reset"
	Name     string
	Value    string
	Form     string // id of the form it belongs to
	Action   string // formaction
	Small    bool
	IconOnly bool // the label is spoken only
	Disabled bool
	Wide     bool // the width of its container
	Download bool
}

func (b Button) class() string {
	c := b.Kind.class()
	if b.Small {
		c += " btn-sm"
	}
	if b.IconOnly {
		c += " btn-square"
	}
	if b.Wide {
		c += " w-full"
	}
	return c
}

func (b Button) kind() string {
	if b.Type == "" {
		return "submit"
	}
	return b.Type
}

// Field is a labelled input with its hint and its error beside it.
type Field struct {
	ID           string // Name when empty
	Name         string
	Label        string
	Type         string // text (default), email, password, url, number, date, search, file, textarea, select, checkbox
	Value        string
	Hint         string
	Error        string
	Placeholder  string
	Autocomplete string
	InputMode    string
	Accept       string // for file
	Min, Max     string
	MaxLength    int
	Rows         int
	Options      []Option // for select
	Required     bool
	Optional     bool // says “optional” beside the label
	Checked      bool // for checkbox
	Multiple     bool // for file
	Autofocus    bool
	ReadOnly     bool
	Disabled     bool
}

func (f Field) id() string {
	if f.ID != "" {
		return f.ID
	}
	return f.Name
}

func (f Field) kind() string {
	if f.Type == "" {
		return "text"
	}
	return f.Type
}

func (f Field) describedBy() string {
	var ids []string
	if f.Error != "" {
		ids = append(ids, f.id()+"-error")
	}
	if f.Hint != "" {
		ids = append(ids, f.id()+"-hint")
	}
	return strings.Join(ids, " ")
}

// Option is one choice.
type Option struct {
	Value, Label, Hint string
	Selected           bool
	Disabled           bool
}

// Choices is a group of checkboxes or radio buttons.
type Choices struct {
	Name    string
	Legend  string
	Hint    string
	Error   string
	Single  bool // radio buttons
	Options []Option
}

func (c Choices) kind() string {
	if c.Single {
		return "radio"
	}
	return "checkbox"
}

func (c Choices) describedBy() string {
	var ids []string
	if c.Error != "" {
		ids = append(ids, c.Name+"-error")
	}
	if c.Hint != "" {
		ids = append(ids, c.Name+"-hint")
	}
	return strings.Join(ids, " ")
}

// Tab is one tab; Count is shown when not negative.
type Tab struct {
	Label, Href string
	Current     bool
	Count       int
}

// Pager leads through a list; an empty Previous or Next ends it.
type Pager struct {
	Previous, Next  string
	From, To, Total int
}

// Empty is what a list shows when there is nothing in it.
type Empty struct {
	Title, Text string
	Drawing     string // "paper" (default), "search", "hook", "people", "key"
	Action      *Button
}

// Modal is a dialog that its opener shows. Without scripts its opener leads to a page that renders it with Open.
type Modal struct {
	ID    string
	Title string
	Text  string
	Open  bool   // shown from the start
	Close string // where closing leads without scripts
	Wide  bool
}

// Confirm is a dialog that asks before a form is posted.
type Confirm struct {
	ID       string
	Title    string
	Text     string
	Action   string
	Label    string // of the button that does it
	Danger   bool
	Hidden   []Pair
	Fields   []Field // what it asks besides
	Open     bool
	Close    string
	KeepText string // of the button that does not; "Keep it" when empty
}

// Pair is a name and a value.
type Pair struct{ Name, Value string }

// Moment is one entry of a timeline.
type Moment struct {
	Icon   string
	Tone   Tone
	Title  string
	Detail string
	At     time.Time
	Now    time.Time
	Facts  []Pair // ip, user agent, hash
}

// Meter is how much of something is done.
type Meter struct {
	Label     string
	Value     int
	Max       int
	ShowValue bool
}

// Failure is a page for something that went wrong.
type Failure struct {
	Code   int
	Title  string
	Text   string
	Action *Button
	Ref    string // for the operator's log
}

// FailureFor is the sentence for a status code; the caller may replace any part.
func FailureFor(code int) Failure {
	home := &Button{Label: "Go to the start page", Href: "/", Kind: Main}
	switch code {
	case 400:
		return Failure{400, "This request can’t be understood", "Something in it is missing or has the wrong form. Go back and try again.", home, ""}
	case 401:
		return Failure{401, "You are signed out", "Sign in, then try again.", &Button{Label: "Sign in", Href: "/signin", Kind: Main}, ""}
	case 403:
		return Failure{403, "This is not yours to see", "You are signed in, but this belongs to another account. Switch space at the top left, or ask for an invitation.", home, ""}
	case 404:
		return Failure{404, "Page not found", "The link may be old or mistyped. If somebody sent it to you, ask them for a new one.", home, ""}
	case 409:
		return Failure{409, "Somebody was faster", "This was changed in the meantime. Reload to see how it is now.", home, ""}
	case 410:
		return Failure{410, "This has ended", "Nothing about it can change any more.", home, ""}
	case 413:
		return Failure{413, "That file is too large", "Compress it or split it in parts, then upload again. Whoever runs this server can raise the limit.", home, ""}
	case 422:
		return Failure{422, "This can’t be accepted", "Something that was sent is missing or wrong. Go back and try again.", home, ""}
	case 429:
		return Failure{429, "Too many tries", "Wait a minute, then try again.", home, ""}
	case 507:
		return Failure{507, "The server’s disk is full", "Nothing you did before is lost, but nothing new can be stored. Tell whoever runs this server, then try again.", home, ""}
	}
	return Failure{code, "Something broke on our side", "It was written to the log. Try again; if it stays, tell whoever runs this server.", home, ""}
}

// Status is an envelope's, recipient's or delivery's state as a word with a colour.
type Status struct {
	Label string
	Tone  Tone
	Icon  string
}

// StatusOf is how a state is shown. It knows the states of envelopes, recipients and deliveries; any other is shown as it is.
func StatusOf(state string) Status {
	switch state {
	case "draft":
		return Status{"Draft", Neutral, "pencil"}
	case "pending":
		return Status{"Pending", Info, "clock"}
	case "completed":
		return Status{"Completed", Success, "check"}
	case "rejected", "declined":
		return Status{"Rejected", Error, "x"}
	case "cancelled":
		return Status{"Cancelled", Neutral, "ban"}
	case "expired":
		return Status{"Expired", Warning, "hourglass"}
	case "waiting":
		return Status{"Waiting for turn", Neutral, "clock"}
	case "sent":
		return Status{"Sent", Info, "mail"}
	case "opened", "viewed":
		return Status{"Opened", Info, "eye"}
	case "signed":
		return Status{"Signed", Success, "pen"}
	case "approved":
		return Status{"Approved", Success, "check"}
	case "delivered":
		return Status{"Delivered", Success, "check"}
	case "retrying":
		return Status{"Retrying", Warning, "refresh"}
	case "failed":
		return Status{"Failed", Error, "x"}
	case "sealing":
		return Status{"Sealing", Info, "lock"}
	}
	return Status{capitalise(state), Neutral, "dot"}
}

func capitalise(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// Initials are one or two letters for a name or an address.
func Initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	var letters []rune
	for i, w := range words {
		if i == 0 || i == len(words)-1 {
			r, _ := utf8.DecodeRuneInString(w)
			letters = append(letters, unicode.ToUpper(r))
		}
	}
	if len(letters) == 0 {
		return "?"
	}
	if strings.ContainsRune(name, '@') {
		letters = letters[:1]
	}
	return string(letters)
}

// Humane is a moment as people say it: "3 minutes ago", "in 2 days", or a date when it is more than a week away.
func Humane(at, now time.Time) string {
	d := now.Sub(at)
	past := d >= 0
	if !past {
		d = -d
	}
	if d < 45*time.Second {
		return "just now"
	}
	if d > 7*24*time.Hour {
		return shortDate(at, now)
	}
	n, unit := roundUnit(d)
	if n != 1 {
		unit += "s"
	}
	if past {
		return fmt.Sprintf("%d %s ago", n, unit)
	}
	return fmt.Sprintf("in %d %s", n, unit)
}

func roundUnit(d time.Duration) (int, string) {
	switch {
	case d < time.Hour-30*time.Second:
		return max(1, int(d.Round(time.Minute)/time.Minute)), "minute"
	case d < 24*time.Hour-30*time.Minute:
		return int(d.Round(time.Hour) / time.Hour), "hour"
	}
	return int(d.Round(24*time.Hour) / (24 * time.Hour)), "day"
}

func shortDate(at, now time.Time) string {
	if at.Year() == now.Year() {
		return at.Format("2 January")
	}
	return at.Format("2 January 2006")
}

// Exact is a moment to the second with its zone, for titles and evidence.
func Exact(at time.Time) string { return at.UTC().Format("2 January 2006, 15:04:05 UTC") }

// Bytes is a size as people read it: "1.2 MB".
func Bytes(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " bytes"
	case n < 1_000_000:
		return strconv.FormatFloat(float64(n)/1000, 'f', 0, 64) + " kB"
	case n < 1_000_000_000:
		return strconv.FormatFloat(float64(n)/1_000_000, 'f', 1, 64) + " MB"
	}
	return strconv.FormatFloat(float64(n)/1_000_000_000, 'f', 1, 64) + " GB"
}
