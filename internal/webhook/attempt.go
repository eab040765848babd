package webhook

import (
	"strconv"
	"time"

	"github.com/paraph-sign/paraph"
)

// The codes of an Outcome. They are stored, shown and filtered by, so they never change their meaning. A response outside 200 to
// 299 has the code "http_" and its status.
const (
	CodeOK             = "ok"
	CodeDNSFailed      = "dns_failed"      // the name has no address, or looking it up took too long
	CodeConnectRefused = "connect_refused" // nothing listens there
	CodeConnectTimeout = "connect_timeout" // no connection within the connect deadline
	CodeConnectFailed  = "connect_failed"  // any other failure to connect, such as no route
	CodeTLSFailed      = "tls_failed"      // bad certificate, no common protocol, handshake not finished in time
	CodeTimeout        = "timeout"         // the exchange, body included, took too long
	CodeReset          = "reset"           // the receiver closed the connection in the middle
	CodeBlockedAddress = "blocked_address" // not a public address and not allowed by the operator
	CodeTooLarge       = "too_large"       // the response's headers exceed 32 KiB
	CodeBadResponse    = "bad_response"    // what came back is not HTTP
	CodeBadURL         = "bad_url"
	CodeBadHeader      = "bad_header" // a header of the user's own can't be sent
	CodeBadSecret      = "bad_secret" // a signing secret can't be read
	CodeShutdown       = "shutdown"   // this server is stopping; the receiver is not to blame
	CodeInternal       = "internal"   // this machine ran out of sockets or memory; the receiver is not to blame
)

// The limits of one attempt.
const (
	MaxRetryAfter  = 10 * time.Hour
	maxReadBody    = 64 << 10 // decompressed bytes of the response that are read
	maxKeptBody    = 8 << 10  // and of these, what is kept for the log
	maxHeaderBytes = 32 << 10
	defaultResolve = 5 * time.Second
	defaultConnect = 5 * time.Second
)

// Request is one attempt to be made: frozen bytes for one URL.
type Request struct {
	URL     string
	Body    []byte
	ID      string // webhook-id, the same on every attempt and replay
	Event   string // X-Paraph-Event, such as "document.signed"
	Attempt int    // X-Paraph-Attempt, from 1

	// Secrets sign the request, one signature each; more than one while a rotation is going on, the newest first.
	Secrets []string
	// Documenso adds X-Documenso-Secret with the bytes of DocumensoSecret, which may be empty.
	Documenso       bool
	DocumensoSecret string
	// DocuSeal adds X-Docuseal-Signature, made with the first of Secrets.
	DocuSeal bool

	Headers [][2]string   // the user's own, see CheckHeaders
	Timeout time.Duration // for the whole exchange; 0 means paraph.DefaultTimeout, more than paraph.MaxTimeout is cut
	Test    bool          // adds X-Paraph-Test: 1
}

// NewRequest is the next attempt of a delivery: the endpoint's settings as they are now, the delivery's bytes as they always were.
// It is signed with what is valid at a time.
func NewRequest(to paraph.Endpoint, d paraph.Delivery, now time.Time) Request {
	r := Request{
		URL: to.URL, Body: d.Body, ID: d.MessageID, Event: d.EventName, Attempt: d.Attempts + 1,
		Headers: to.Headers, Timeout: to.Timeout, Test: d.Test, Secrets: to.SigningSecrets(now),
	}
	if n, ok := Lookup(d.EventName); ok && n.Dialect == Documenso {
		r.Documenso, r.DocumensoSecret = true, to.Secret
	} else if ok {
		r.DocuSeal = true
	}
	return r
}

// Outcome is what came of an attempt.
type Outcome struct {
	Code       string
	Status     int           // 0 when no response came
	Error      string        // a sentence for people; empty on success
	RetryAfter time.Duration // what the receiver asked for, at most MaxRetryAfter; 0 when it did not, or on success
	At         time.Time     // when the attempt began, by the client's clock

	RequestHeaders  [][2]string // as sent, the values of secrets and of the user's own headers masked
	ResponseHeaders [][2]string // sorted by name, in valid UTF-8
	ResponseBody    []byte      // the first 8 KiB, decompressed
	Truncated       bool        // the response had more body than was kept
	Timings         paraph.Timings
	RemoteAddress   string // IP and port that answered, also on a connection used before
}

// Succeeded tells whether the receiver took it: 200 to 299, and the exchange came to its end.
func (o Outcome) Succeeded() bool { return o.Code == CodeOK }

// Ours tells whether the failure is this server's own. Such an attempt is made again and spends none of the endpoint's.
func (o Outcome) Ours() bool { return o.Code == CodeShutdown || o.Code == CodeInternal }

// Gone tells whether the receiver asked never to be called again (410).
func (o Outcome) Gone() bool { return o.Status == 410 }

// Attempt is the outcome as the log keeps it, as the number-th attempt of a delivery.
func (o Outcome) Attempt(deliveryID int64, number int) paraph.Attempt {
	return paraph.Attempt{
		DeliveryID: deliveryID, Number: number, At: o.At, Status: o.Status, Code: o.Code, Error: o.Error,
		Duration: o.Timings.Total, Timings: o.Timings, RemoteAddress: o.RemoteAddress,
		RequestHeaders: o.RequestHeaders, ResponseHeaders: o.ResponseHeaders, ResponseBody: o.ResponseBody, Truncated: o.Truncated,
	}
}

func statusCode(status int) string {
	if 200 <= status && status <= 299 {
		return CodeOK
	}
	return "http_" + strconv.Itoa(status)
}
