package paraph

import (
	"strings"
	"time"
	_ "time/tzdata" // a container may have no time zones of its own
	"unicode/utf8"
)

// Preferences are what an account sets for all its envelopes.
type Preferences struct {
	Audit     AuditPlace
	Language  string // of the audit pages; see seal.Languages
	TimeZone  string // of times in the audit pages, as the IANA database names it
	FileNames string // the pattern of the names of files; see FileNamePattern
	// OwnSignatures: each recipient's part is signed with a certificate of their
	// own. It holds for what is sent from then on.
	OwnSignatures bool
}

// DefaultPreferences hold until an account sets others.
func DefaultPreferences() Preferences {
	return Preferences{Audit: AuditBoth, Language: "en", TimeZone: "UTC"}
}

// AuditPlace is where the audit pages go.
type AuditPlace string

// The places of the audit pages.
const (
	AuditBoth     AuditPlace = "both"     // behind each document, and a file of their own
	AuditAppended AuditPlace = "appended" // behind each document
	AuditSeparate AuditPlace = "separate" // a file of their own
)

// AuditPlaces are all of them, in the order in which a form offers them.
func AuditPlaces() []AuditPlace { return []AuditPlace{AuditBoth, AuditAppended, AuditSeparate} }

// Appended reports whether the pages are put behind each document.
func (p AuditPlace) Appended() bool { return p != AuditSeparate }

// Separate reports whether they are a file of their own.
func (p AuditPlace) Separate() bool { return p != AuditAppended }

// Check trims the preferences and refuses what is none of those that there
// are. speaks says whether the audit pages are written in a language.
func (p Preferences) Check(speaks func(language string) bool) (Preferences, error) {
	switch p.Audit {
	case AuditBoth, AuditAppended, AuditSeparate:
	default:
		return p, FieldErrorf("audit", "Choose where the audit pages go.")
	}
	if !speaks(p.Language) {
		return p, FieldErrorf("language", "The audit pages are not written in the language “%s”.", Shorten(CleanLine(p.Language), 20))
	}
	if _, err := ZoneOf("time_zone", p.TimeZone); err != nil {
		return p, err
	}
	p.FileNames = strings.TrimSpace(CleanLine(p.FileNames))
	return p, CheckFileNames(p.FileNames)
}

// ZoneOf is the time zone that the IANA database has under a name. The error is
// Invalid and stands at field.
func ZoneOf(field, name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return time.UTC, FieldErrorf(field, "“%s” is no time zone; one is called like Europe/Berlin.", Shorten(CleanLine(name), 60))
	}
	return zone, nil
}

// maxPattern bounds a pattern of names, in runes.
const maxPattern = 120

// FileNameParts are what a pattern of names can hold, and what for.
func FileNameParts() [][2]string {
	return [][2]string{
		{"{name}", "the document"},
		{"{envelope}", "the envelope"},
		{"{status}", "signed, draft, original, audit log …"},
		{"{date}", "the day on which it was completed, sent or made"},
		{"{id}", "the envelope’s number"},
	}
}

// CheckFileNames refuses a pattern that can't name files. "" is the names that
// there are without a pattern. The error stands at "file_names".
func CheckFileNames(pattern string) error {
	if utf8.RuneCountInString(pattern) > maxPattern {
		return FieldErrorf("file_names", "The pattern has at most %d characters.", maxPattern)
	}
	rest := pattern
	for _, p := range FileNameParts() {
		rest = strings.ReplaceAll(rest, p[0], "")
	}
	if i := strings.IndexAny(rest, "{}"); i >= 0 {
		return FieldErrorf("file_names", "“%s” is none of the parts that there are.", Shorten(rest[i:], 30))
	}
	if pattern != "" && !strings.Contains(pattern, "{name}") && !strings.Contains(pattern, "{envelope}") && !strings.Contains(pattern, "{id}") {
		return FieldErrorf("file_names", "The pattern needs {name}, {envelope} or {id}, or all files would be called the same.")
	}
	return nil
}

// FileName is what a file of an envelope is called, without its extension.
// Signs that no file system minds are the caller's care.
type FileName struct {
	Name     string // of the document
	Envelope string
	Status   string // a word
	Date     string
	ID       string
}

// By fills a pattern in.
func (n FileName) By(pattern string) string {
	return strings.NewReplacer("{name}", n.Name, "{envelope}", n.Envelope, "{status}", n.Status, "{date}", n.Date, "{id}", n.ID).Replace(pattern)
}
