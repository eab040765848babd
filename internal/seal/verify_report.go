package seal

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Report is what Verify found. The JSON is public: the command's --json and the API give it as it is.
type Report struct {
	Sealed     bool              `json:"sealed"`           // there is at least one signature, sound or not
	Valid      bool              `json:"valid"`            // sealed, and unchanged since
	Reason     string            `json:"reason,omitempty"` // when not valid: why, in a sentence for a person
	Digest     string            `json:"sha256"`           // of the whole file, in hexadecimal
	Size       int               `json:"size"`             // of the file, in bytes
	Signatures []SignatureReport `json:"signatures"`       // oldest first
	Changes    []string          `json:"changes"`          // what was changed after a signature and is not signing data
	Trail      *TrailReport      `json:"trail,omitempty"`  // the audit trail that is attached, when there is one

	// SealedHere says whether the very bytes are those of a file that this instance has sealed. It is left out where there is no
	// instance to ask; Verify itself never sets it.
	SealedHere *bool `json:"sealed_here,omitempty"`
}

// SignatureReport is one signature or document timestamp. Who and when is what the signature claims until Intact; that the
// claim is the truth needs Trusted, and for the time a timestamp.
type SignatureReport struct {
	Kind        string `json:"kind"`  // signature, or timestamp for a document timestamp
	Field       string `json:"field"` // the form field that holds it
	Format      string `json:"format"`
	Level       string `json:"level,omitempty"` // B-B, B-T, B-LT, B-LTA of PAdES; CMS for an older format
	Signer      string `json:"signer,omitempty"`
	Subject     string `json:"subject,omitempty"`
	Email       string `json:"email,omitempty"` // that the certificate is for
	Issuer      string `json:"issuer,omitempty"`
	Serial      string `json:"serial,omitempty"`      // hexadecimal
	Fingerprint string `json:"fingerprint,omitempty"` // SHA-256 of the certificate, hexadecimal

	SignedAt         *time.Time `json:"signed_at,omitempty"`      // as claimed; of a timestamp, as proved
	TimestampedAt    *time.Time `json:"timestamped_at,omitempty"` // as proved by a timestamp authority
	TimestampedBy    string     `json:"timestamped_by,omitempty"` // that authority
	TimestampTrusted bool       `json:"timestamp_trusted"`        // it leads to one of VerifyOptions' roots
	NotBefore        *time.Time `json:"not_before,omitempty"`
	NotAfter         *time.Time `json:"not_after,omitempty"`
	CertificateValid bool       `json:"certificate_valid"` // at the time of signing
	SelfSigned       bool       `json:"self_signed"`
	Trusted          bool       `json:"trusted"`              // TrustedBy is not empty; of a timestamp, TimestampTrusted
	TrustedBy        string     `json:"trusted_by,omitempty"` // instance, given, system: whose certificate it leads to
	Reason           string     `json:"reason,omitempty"`
	Location         string     `json:"location,omitempty"`

	CoversFile   bool     `json:"covers_file"`             // the whole file but for the signature itself
	Intact       bool     `json:"intact"`                  // what it covers is what was signed, by the certificate's key
	Problem      string   `json:"problem,omitempty"`       // why it is not good
	ChangedAfter []string `json:"changed_after,omitempty"` // what later revisions changed
	FilledAfter  int      `json:"filled_after,omitempty"`  // form fields that later signers filled in as they may
}

// Text is the report for a terminal. Nothing of the file's own words can move the cursor.
func (r Report) Text() string {
	var b strings.Builder
	switch {
	case r.Valid:
		b.WriteString("VALID: sealed and unchanged since.\n")
	case r.Sealed:
		fmt.Fprintf(&b, "NOT VALID: %s\n", plain(r.Reason))
	default:
		fmt.Fprintf(&b, "NOT SEALED: %s\n", plain(r.Reason))
	}
	for i, s := range r.Signatures {
		fmt.Fprintf(&b, "\n%s %d%s\n", strings.ToUpper(s.Kind[:1])+s.Kind[1:], i+1, optional(" (", s.Level, ")"))
		s.lines(func(label, value string) {
			if value != "" {
				fmt.Fprintf(&b, "  %-13s %s\n", label, plain(value))
			}
		})
	}
	if r.Trail != nil {
		fmt.Fprintf(&b, "\nAudit trail\n  %-13s %s\n", "chain", plain(r.Trail.String()))
		for _, l := range [][2]string{{"of", r.Trail.Name}, {"envelope", r.Trail.Envelope}, {"document", r.Trail.Document}, {"last hash", r.Trail.Hash}} {
			if l[1] != "" {
				fmt.Fprintf(&b, "  %-13s %s\n", l[0], plain(l[1]))
			}
		}
	}
	fmt.Fprintf(&b, "\nSHA-256 %s, %d bytes\n", r.Digest, r.Size)
	return b.String()
}

func (s SignatureReport) lines(line func(label, value string)) {
	line("by", s.Signer+optional(" <", s.Email, ">"))
	line("issued by", s.issuer())
	line("fingerprint", s.Fingerprint)
	line("time", s.when())
	line("reason", s.Reason)
	line("location", s.Location)
	switch {
	case s.Problem != "":
		line("problem", s.Problem)
	case s.CoversFile:
		line("covers", "the whole file")
	case len(s.ChangedAfter) == 0 && s.FilledAfter > 0:
		line("covers", fmt.Sprintf("an earlier revision; since then later signers filled in fields of theirs (%d), and signing data was added", s.FilledAfter))
	case len(s.ChangedAfter) == 0:
		line("covers", "an earlier revision; only signing data was added since")
	default:
		line("covers", "an earlier revision")
	}
	for _, c := range s.ChangedAfter {
		line("changed after", c)
	}
	if s.Intact {
		line("trust", s.Trust())
	}
}

// Trust says in words by whom the certificate is trusted.
func (s SignatureReport) Trust() string {
	switch s.TrustedBy {
	case TrustInstance:
		return "the certificate leads to the one that this instance seals with"
	case TrustGiven:
		return "the certificate leads to one of those that were named"
	case TrustSystem:
		return "the certificate leads to one that this machine's operating system trusts"
	}
	if s.Trusted {
		return "the authority is one of those that this instance takes timestamps from, or that are trusted here"
	}
	return "the certificate is none of those trusted here; compare the fingerprint with the signer's"
}

// String is the trail for a terminal or a page.
func (t TrailReport) String() string {
	switch {
	case !t.Holds:
		return t.Problem
	case !t.Sealed:
		return fmt.Sprintf("%d events, and its chain holds; but no sound seal covers it, so anybody may have written it", t.Events)
	}
	return fmt.Sprintf("%d events, and its chain holds", t.Events)
}

func (s SignatureReport) issuer() string {
	if s.SelfSigned {
		return "itself"
	}
	return s.Issuer
}

func (s SignatureReport) when() string {
	switch {
	case s.TimestampedAt != nil && s.TimestampTrusted:
		return s.TimestampedAt.UTC().Format("2006-01-02 15:04:05 UTC") + " (timestamped" + optional(" by ", s.TimestampedBy, "") + ")"
	case s.SignedAt != nil:
		return s.SignedAt.UTC().Format("2006-01-02 15:04:05 UTC") + " (" + s.clock() + ")"
	}
	return ""
}

// clock tells whose word a time is that no trusted authority has proved.
func (s SignatureReport) clock() string {
	switch {
	case s.TimestampedAt == nil:
		return "by the signer's clock"
	case s.Kind == "timestamp":
		return "says " + s.TimestampedBy + ", which is not trusted here"
	}
	return fmt.Sprintf("by the signer's clock; %s, which is not trusted here, says %s", s.TimestampedBy, s.TimestampedAt.UTC().Format("2006-01-02 15:04:05 UTC"))
}

func optional(before, s, after string) string {
	if s == "" {
		return ""
	}
	return before + s + after
}

// plain takes out what would control a terminal.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// listed joins changes into the tail of a sentence.
func listed(changes []string) string {
	switch n := len(changes); {
	case n == 0:
		return ""
	case n > 4:
		return fmt.Sprintf(": %s and %d more", strings.Join(changes[:3], "; "), n-3)
	}
	return ": " + strings.Join(changes, "; ")
}

// parsePDFDate reads a date like D:20260102150405+01'00' (ISO 32000-1, 7.9.4).
func parsePDFDate(s string) (time.Time, bool) {
	s = strings.ReplaceAll(strings.TrimPrefix(s, "D:"), "'", "")
	s = strings.Replace(s, "Z0000", "Z", 1) // some write Z00'00'
	for _, layout := range []string{"20060102150405Z0700", "20060102150405Z07", "20060102150405", "200601021504", "2006010215", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
