package webhook

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// explain turns the error of an exchange into a code and a sentence. The order matters: our own stop comes before everything, and
// a deadline before whatever error it caused.
func (x *exchange) explain(err error) (code, sentence string) {
	var dial *dialError
	switch {
	case x.parent.Err() != nil:
		return CodeShutdown, "This server stopped during the attempt."
	case errors.As(err, &dial):
		return dial.code, dial.sentence
	case errors.Is(err, errHTTP2), x.phase == phaseTLS && isHTTP2Refusal(err):
		return CodeHTTP2Only, "The receiver speaks HTTP/2 only. Webhooks are sent by HTTP/1.1."
	case errors.Is(err, os.ErrDeadlineExceeded) || !time.Now().Before(x.deadline):
		return explainDeadline(x.phase, x.limit)
	case isOurFault(err):
		return CodeInternal, "This server could not open a connection."
	case x.phase == phaseTLS || isAlert(err):
		return CodeTLSFailed, tlsSentence(err)
	case errors.Is(err, errHeadersTooLarge):
		return CodeTooLarge, fmt.Sprintf("The headers of the response are larger than %d KiB.", maxHeaderBytes>>10)
	case errors.Is(err, errStale), isReset(err):
		return CodeReset, "The receiver closed the connection before its response was complete."
	}
	return CodeBadResponse, "What the receiver sent back is not an HTTP response."
}

func explainDeadline(reached phase, limit time.Duration) (code, sentence string) {
	switch reached {
	case phaseDNS:
		return CodeDNSFailed, fmt.Sprintf("The name was not found within %s.", limit)
	case phaseConnect:
		return CodeConnectTimeout, fmt.Sprintf("The receiver did not accept a connection within %s.", limit)
	case phaseTLS:
		return CodeTLSFailed, fmt.Sprintf("The TLS handshake was not finished within %s.", limit)
	}
	return CodeTimeout, fmt.Sprintf("The response was not complete within %s.", limit)
}

// isAlert tells a TLS alert that came after the handshake, as for a missing client certificate in TLS 1.3.
func isAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "remote error" || op.Op == "local error")
}

func tlsSentence(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var timeout net.Error
	switch {
	case errors.As(err, &unknown):
		return "The receiver's certificate was signed by an authority that is not trusted."
	case errors.As(err, &name):
		return "The receiver's certificate is for another host name."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "The receiver's certificate has expired or is not valid yet."
	case errors.As(err, &invalid):
		return "The receiver's certificate is not valid."
	case errors.As(err, &timeout) && timeout.Timeout():
		return "The TLS handshake was not finished in time."
	}
	if isAlert(err) {
		return "The receiver refused the TLS connection."
	}
	return "The TLS handshake failed: the receiver does not speak TLS 1.2 or newer on this port."
}
