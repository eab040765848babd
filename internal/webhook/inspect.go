package webhook

import (
	"bytes"
	"crypto/hmac"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// DefaultTolerance is how far a webhook's time may be from the receiver's clock; the specification's recommendation.
const DefaultTolerance = 5 * time.Minute

// The two ways in which a webhook is signed.
const (
	SchemeStandard = "Standard Webhooks"
	SchemeDocuSeal = "X-Docuseal-Signature"
)

const headerDocuSeal = "X-Docuseal-Signature"

// maxSignatures bounds how many signatures of one header are looked at.
const maxSignatures = 20

// Received is a webhook as it came, and when.
type Received struct {
	Header    http.Header
	Body      []byte
	At        time.Time
	Tolerance time.Duration // 0: its time is not looked at
}

// Inspection is what can be said of a webhook's signatures.
type Inspection struct {
	Valid    bool    // some signature was made with one of the secrets, its time is right, and there are no Problems
	Checks   []Check // one for each signature; none when there is no signature
	Problems []string
	Hints    []string // what was probably done wrong, when nothing matched
}

// Check is one signature.
type Check struct {
	Scheme    string
	Signature string
	Secret    int    // which of the secrets made it, from 0; -1 for none
	Why       string // why it can't be used, when that lies in the signature itself
}

// Inspect checks a received webhook against the secrets that its receiver knows, and says precisely what is wrong with it: every
// signature of Standard Webhooks by the official library, and DocuSeal's. It reports a secret that can't be read as a problem.
func Inspect(secrets []string, r Received) Inspection {
	var in Inspection
	for i, s := range secrets {
		if _, err := signer(s); err != nil || s == "" {
			in.problem("Secret %d can't be used: what follows “whsec_” is not base64, or nothing does.", i+1)
		}
	}
	standard, docuseal := in.standard(secrets, r), in.docuseal(secrets, r)
	in.Valid = (standard || docuseal) && len(in.Problems) == 0
	if len(in.Checks) == 0 && len(in.Problems) == 0 {
		in.problem("It is not signed: there is neither webhook-signature nor %s.", headerDocuSeal)
	}
	if !slices.ContainsFunc(in.Checks, func(c Check) bool { return c.Secret >= 0 }) && len(in.Checks) > 0 {
		in.hint(secrets, r)
	}
	return in
}

func (in *Inspection) problem(format string, args ...any) {
	in.Problems = append(in.Problems, fmt.Sprintf(format, args...))
}

// standard checks the headers of Standard Webhooks.
func (in *Inspection) standard(secrets []string, r Received) bool {
	names := []string{standardwebhooks.HeaderWebhookID, standardwebhooks.HeaderWebhookTimestamp, standardwebhooks.HeaderWebhookSignature}
	missing := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return r.Header.Get(n) != "" })
	if len(missing) == len(names) {
		return false
	}
	if len(missing) > 0 {
		in.problem("The header %s is missing.", strings.Join(missing, " and the header "))
		return false
	}
	timely := in.timely(standardwebhooks.HeaderWebhookTimestamp, r.Header.Get(names[1]), r)
	matched := false
	for i, signature := range strings.Fields(r.Header.Get(names[2])) {
		if i == maxSignatures {
			in.problem("There are more than %d signatures; the rest was not looked at.", maxSignatures)
			break
		}
		c := checkStandard(secrets, signature, r)
		matched = matched || c.Secret >= 0
		in.Checks = append(in.Checks, c)
	}
	return matched && timely
}

func checkStandard(secrets []string, signature string, r Received) Check {
	c := Check{Scheme: SchemeStandard, Signature: signature, Secret: -1}
	version, text, ok := strings.Cut(signature, ",")
	switch {
	case !ok:
		c.Why = "it has no version: it should be “v1,” and base64"
	case version == "v1a":
		c.Why = "it is an asymmetric signature (v1a), which is not checked here"
	case version != "v1":
		c.Why = fmt.Sprintf("the version %q is unknown", version)
	default:
		if b, err := base64.StdEncoding.DecodeString(text); err != nil || len(b) != 32 {
			c.Why = "it is not the base64 of 32 bytes"
		}
	}
	if c.Why == "" {
		c.Secret = slices.IndexFunc(secrets, func(s string) bool { return signedBy(s, signature, r.Header, r.Body) })
	}
	return c
}

// signedBy asks the official library whether one signature fits.
func signedBy(secret, signature string, h http.Header, body []byte) bool {
	w, err := signer(secret)
	if err != nil || secret == "" {
		return false
	}
	return fits(w, signature, h, body)
}

func fits(w *standardwebhooks.Webhook, signature string, h http.Header, body []byte) bool {
	one := http.Header{}
	one.Set(standardwebhooks.HeaderWebhookID, h.Get(standardwebhooks.HeaderWebhookID))
	one.Set(standardwebhooks.HeaderWebhookTimestamp, h.Get(standardwebhooks.HeaderWebhookTimestamp))
	one.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return w.VerifyIgnoringTimestamp(body, one) == nil
}

// timely checks a time in unix seconds.
func (in *Inspection) timely(name, text string, r Received) bool {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		in.problem("%s is %q, which is not a number of seconds since 1970.", name, text)
		return false
	}
	if r.Tolerance == 0 {
		return true
	}
	switch age := r.At.Sub(time.Unix(seconds, 0)); {
	case seconds > 100_000_000_000:
		in.problem("%s is %d: that looks like milliseconds; seconds are wanted.", name, seconds)
	case age > r.Tolerance:
		in.problem("It is too old by %s: %s says %s, which is %s before %s; %s are tolerated.", span(age-r.Tolerance), name, clockTime(time.Unix(seconds, 0)), span(age), clockTime(r.At), span(r.Tolerance))
	case -age > r.Tolerance:
		in.problem("It is from the future by %s: %s says %s; check the clocks.", span(-age), name, clockTime(time.Unix(seconds, 0)))
	default:
		return true
	}
	return false
}

func clockTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// span is a duration for people: its two largest units.
func span(d time.Duration) string {
	d = d.Round(time.Second)
	var parts []string
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}} {
		if n := d / u.of; n > 0 && len(parts) < 2 {
			parts = append(parts, fmt.Sprintf("%d %s", n, u.name))
			d -= n * u.of
		}
	}
	if len(parts) == 0 {
		return "0 s"
	}
	return strings.Join(parts, " ")
}

// docuseal checks DocuSeal's header: seconds, a dot, and the HMAC-SHA256 in hex of seconds, dot and body, its key the whole secret.
func (in *Inspection) docuseal(secrets []string, r Received) bool {
	text := r.Header.Get(headerDocuSeal)
	if text == "" {
		return false
	}
	c := Check{Scheme: SchemeDocuSeal, Signature: text, Secret: -1}
	seconds, mac, ok := strings.Cut(text, ".")
	if b, err := hex.DecodeString(mac); !ok || err != nil || len(b) != 32 {
		c.Why = "it is not seconds, a dot and 64 hex digits"
		in.Checks = append(in.Checks, c)
		return false
	}
	timely := in.timely("the time in "+headerDocuSeal, seconds, r)
	c.Secret = slices.IndexFunc(secrets, func(s string) bool { return docusealSignedBy(s, text, r.Body) })
	in.Checks = append(in.Checks, c)
	return c.Secret >= 0 && timely
}

func docusealSignedBy(secret, signature string, body []byte) bool {
	text, _, _ := strings.Cut(signature, ".")
	seconds, err := strconv.ParseInt(text, 10, 64)
	return err == nil && secret != "" && hmac.Equal([]byte(docusealSignature(secret, time.Unix(seconds, 0), body)), []byte(strings.ToLower(signature)))
}

// hint tries what is often done wrong, one thing at a time.
func (in *Inspection) hint(secrets []string, r Received) {
	matches := func(secret string, body []byte) bool {
		return slices.ContainsFunc(in.Checks, func(c Check) bool {
			switch {
			case c.Why != "":
				return false
			case c.Scheme == SchemeDocuSeal:
				return docusealSignedBy(secret, c.Signature, body)
			}
			return signedBy(secret, c.Signature, r.Header, body)
		})
	}
	for _, s := range secrets {
		for _, v := range otherBodies(r.Body) {
			if !bytes.Equal(v.body, r.Body) && matches(s, v.body) {
				in.Hints = append(in.Hints, v.hint)
			}
		}
		for _, v := range otherSecrets(s) {
			if v.secret != s && matches(v.secret, r.Body) {
				in.Hints = append(in.Hints, v.hint)
			}
		}
		if strings.HasPrefix(s, secretPrefix) && slices.ContainsFunc(in.Checks, func(c Check) bool { return c.Why == "" && c.Scheme == SchemeStandard && rawKey(s, c.Signature, r) }) {
			in.Hints = append(in.Hints, "The sender used the text of the secret as the key; the key is the base64 behind “whsec_”, decoded.")
		}
	}
	if len(in.Hints) == 0 {
		in.Hints = append(in.Hints, "Either it was signed with another secret, or the body, webhook-id or the time is not as it was sent, to the byte.")
	}
}

func rawKey(secret, signature string, r Received) bool {
	w, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	return err == nil && fits(w, signature, r.Header, r.Body)
}

type otherBody struct {
	body []byte
	hint string
}

func otherBodies(b []byte) []otherBody {
	out := []otherBody{
		{bytes.TrimSuffix(b, []byte("\n")), "It fits without the line end at the end of the body, which an editor or echo added."},
		{bytes.TrimSuffix(b, []byte("\r\n")), "It fits without the line end at the end of the body, which an editor or echo added."},
		{append(slices.Clone(b), '\n'), "It fits with a line end at the end of the body, which was cut off."},
		{bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), "It fits with Unix line ends; the body's were changed to CRLF."},
		{bytes.TrimPrefix(b, []byte("\uFEFF")), "It fits without the byte order mark at the start of the body."},
	}
	var compact bytes.Buffer
	if json.Compact(&compact, b) == nil {
		out = append(out, otherBody{compact.Bytes(), "It fits once the JSON's white space is taken out: the body was parsed and written again, or formatted. Keep it as it came."})
	}
	return out
}

type otherSecret struct{ secret, hint string }

func otherSecrets(s string) []otherSecret {
	trimmed := strings.TrimSpace(s)
	out := []otherSecret{{trimmed, "It fits without the white space around the secret."}}
	if bare, ok := strings.CutPrefix(trimmed, secretPrefix); ok {
		return append(out,
			otherSecret{secretPrefix + strings.NewReplacer("-", "+", "_", "/").Replace(bare), "It fits when the secret is written in plain base64, with + and / in place of - and _."},
			otherSecret{secretPrefix + bare + strings.Repeat("=", (4-len(bare)%4)%4), "It fits with the = at the end of the secret, which were cut off."},
			otherSecret{bare, "The sender used the text behind “whsec_” as the key; the key is that base64, decoded."})
	}
	return append(out, otherSecret{secretPrefix + trimmed, "It fits with “whsec_” before the secret; give it whole."})
}
