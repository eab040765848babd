package webhook

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"golang.org/x/net/http/httpguts"
)

const (
	maxHeaderValue = 4096
	masked         = "********"

	headerDocumenso = "X-Documenso-Secret"
)

// CheckHeaders says whether a user's own header pairs can be sent: at most 20, real header names, values without line breaks, and
// none that the protocol or this sender owns.
func CheckHeaders(pairs [][2]string) error {
	if len(pairs) > paraph.MaxHeaders {
		return badHeader("There may be at most %d headers.", paraph.MaxHeaders)
	}
	for _, p := range pairs {
		if err := checkHeader(p[0], p[1]); err != nil {
			return err
		}
	}
	return nil
}

func checkHeader(name, value string) error {
	switch {
	case !httpguts.ValidHeaderFieldName(name) || len(name) > 200:
		return badHeader("“%s” is not a header name: letters, digits and hyphens only.", paraph.Shorten(paraph.CleanLine(name), 60))
	case isReserved(name):
		return badHeader("The header %s is set by the sender and can't be changed.", name)
	case !httpguts.ValidHeaderFieldValue(value):
		return badHeader("The value of the header %s has a character that headers can't carry.", name)
	case len(value) > maxHeaderValue:
		return badHeader("The value of the header %s is longer than %d characters.", name, maxHeaderValue)
	}
	return nil
}

func badHeader(format string, args ...any) error {
	return paraph.FieldErrorf(fieldHeaders, format, args...)
}

// isReserved tells the names that belong to the connection (RFC 9110, section 7.6.1), to the message's framing, or to this sender.
func isReserved(name string) bool {
	switch strings.ToLower(name) {
	case "host", "content-length", "content-type", "content-encoding", "transfer-encoding", "connection", "keep-alive", "te",
		"trailer", "upgrade", "expect", "user-agent", "accept-encoding", "x-docuseal-signature", "x-documenso-secret":
		return true
	}
	return hasPrefixFold(name, "webhook-") || hasPrefixFold(name, "x-paraph-") || hasPrefixFold(name, "proxy-")
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// requestHeaders builds the headers in the order in which the log shows them. Names are written as their specifications write them.
func (c *Client) requestHeaders(r Request, at time.Time) ([][2]string, error) {
	h := make([][2]string, 0, 10+len(r.Headers))
	h = append(h, [2]string{"Content-Type", "application/json"}, [2]string{"User-Agent", c.userAgent},
		[2]string{"webhook-id", r.ID}, [2]string{"webhook-timestamp", strconv.FormatInt(at.Unix(), 10)})
	h, err := appendSignatures(h, r, at)
	if err != nil {
		return nil, err
	}
	h = append(h, [2]string{"X-Paraph-Event", r.Event}, [2]string{"X-Paraph-Attempt", strconv.Itoa(r.Attempt)})
	if r.Test {
		h = append(h, [2]string{"X-Paraph-Test", "1"})
	}
	if err := CheckHeaders(r.Headers); err != nil {
		return nil, err
	}
	for _, p := range h {
		if !httpguts.ValidHeaderFieldValue(p[1]) {
			return nil, badHeader("The value of the header %s has a character that headers can't carry.", p[0])
		}
	}
	return append(h, r.Headers...), nil
}

func appendSignatures(h [][2]string, r Request, at time.Time) ([][2]string, error) {
	if len(r.Secrets) > 0 {
		signature, err := standardSignature(r.Secrets, r.ID, at, r.Body)
		if err != nil {
			return nil, err
		}
		h = append(h, [2]string{"webhook-signature", signature})
	}
	if r.DocuSeal && len(r.Secrets) > 0 {
		h = append(h, [2]string{"X-Docuseal-Signature", docusealSignature(r.Secrets[0], at, r.Body)})
	}
	if r.Documenso {
		h = append(h, [2]string{headerDocumenso, r.DocumensoSecret})
	}
	return h, nil
}

// maskHeaders hides, in place, what must not be in the log: the shared secret, and all values that the user chose.
func maskHeaders(pairs [][2]string, own int) [][2]string {
	for i := range pairs {
		if (i >= own || pairs[i][0] == headerDocumenso) && pairs[i][1] != "" {
			pairs[i][1] = masked
		}
	}
	return pairs
}

// keptHeaders turns a response's headers into sorted pairs that any database can store.
func keptHeaders(h http.Header) [][2]string {
	pairs := make([][2]string, 0, len(h))
	for name, values := range h {
		for _, v := range values {
			pairs = append(pairs, [2]string{name, strings.ToValidUTF8(v, "\uFFFD")})
		}
	}
	slices.SortStableFunc(pairs, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return pairs
}

// parseRetryAfter reads a Retry-After header in both its forms (RFC 9110, section 10.2.3). What can't be read, or has passed, is 0;
// the most is MaxRetryAfter.
func parseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if value != "" && strings.Trim(value, "0123456789") == "" {
		seconds, err := strconv.ParseInt(value, 10, 64)
		if err != nil || seconds > int64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), MaxRetryAfter)
}
