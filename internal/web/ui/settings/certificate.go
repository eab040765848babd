package settings

import (
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Certificate is what the instance seals with, and has.
type Certificate struct {
	Used     *Sealer // nil when there is none
	Trouble  string  // why nothing is sealed; "" when things are
	Notice   string  // that it ends soon
	Urgent   bool
	Warnings []string
	Operator string // where the operator's is from; then nothing can be changed here
	Waiting  int    // finished envelopes that are not sealed
	Earlier  []Sealer
	Now      time.Time
	Open     string // the dialog that is shown from the start

	Upload, Generate kit.Wrong // what is wrong with a form
	Name             string    // that was entered
	NewAuthority     bool
}

// Sealer is a certificate that seals or has sealed.
type Sealer struct {
	ID                          int64
	Subject, Issuer, Serial     string
	Fingerprint, Key, From      string
	Start, End                  time.Time
	Added, UsedFrom, UsedUntil  time.Time
	By                          string // who added it; "" the server
	Usable                      bool   // it can seal again
	Why                         string // why it can't
	Authority, AuthorityEnd     string // the last of its chain, when that is another certificate
	AuthorityPrint, AuthorityBy string
}

func (s Sealer) path() string { return "/settings/certificate/" + strconv.FormatInt(s.ID, 10) }

func (s Sealer) dialog() string { return "use-" + strconv.FormatInt(s.ID, 10) }

func (v Certificate) confirm(s Sealer) kit.Confirm {
	return kit.Confirm{
		ID: s.dialog(), Title: "Seal with “" + s.Subject + "” again?", Text: "Documents that are finished from now on are sealed with it, on every node. What was sealed before stays as it is.",
		Action: s.path() + "/use", Label: "Seal with it", KeepText: "Leave it", Open: v.Open == s.dialog(), Close: "/settings/certificate",
	}
}

// grouped is hex in groups of four, which people can compare.
func grouped(hex string) string {
	var b strings.Builder
	for i := 0; i < len(hex); i += 4 {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(strings.ToUpper(hex[i:min(i+4, len(hex))]))
	}
	return b.String()
}

// left is how long a certificate lasts, in words.
func (s Sealer) left(now time.Time) string {
	days := int(s.End.Sub(now) / (24 * time.Hour))
	switch {
	case now.Before(s.Start):
		return "not valid yet"
	case now.After(s.End):
		return "ended"
	case days == 0:
		return "less than a day left"
	case days == 1:
		return "1 day left"
	}
	return strconv.Itoa(days) + " days left"
}

func (v Certificate) status() kit.Status {
	switch {
	case v.Trouble != "":
		return kit.Status{Label: "Does not seal", Tone: kit.Error, Icon: "x"}
	case v.Notice != "":
		return kit.Status{Label: "Ends soon", Tone: kit.Warning, Icon: "hourglass"}
	}
	return kit.Status{Label: "Seals", Tone: kit.Success, Icon: "check"}
}

func (v Certificate) waiting() string {
	if v.Waiting == 1 {
		return "1 finished envelope waits and is sealed by itself as soon as there is a valid certificate."
	}
	return strconv.Itoa(v.Waiting) + " finished envelopes wait and are sealed by themselves as soon as there is a valid certificate."
}

// sealed is when it did.
func (s Sealer) sealed() string {
	from, until := day(s.UsedFrom), "today"
	if !s.UsedUntil.IsZero() {
		until = day(s.UsedUntil)
	}
	if from == until {
		return from
	}
	return from + " – " + until
}

func day(t time.Time) string { return t.UTC().Format("2 January 2006") }
