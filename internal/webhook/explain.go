package webhook

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"
)

// explain turns the error of an exchange into a code and a sentence. The order matters: our own stop comes before everything, and
// a deadline before whatever error it made the transport return.
func explain(parent, ctx context.Context, reached phase, limit time.Duration, err error) (code, sentence string) {
	var dial *dialError
	switch {
	case parent.Err() != nil:
		return CodeShutdown, "This server stopped during the attempt."
	case errors.As(err, &dial):
		return dial.code, dial.sentence
	case ctx.Err() != nil:
		return explainDeadline(reached, limit)
	case isOurFault(err):
		return CodeInternal, "This server could not open a connection."
	case reached == phaseTLS || isTLS(err):
		return CodeTLSFailed, tlsSentence(err)
	case isHeadersTooLarge(err):
		return CodeTooLarge, fmt.Sprintf("The headers of the response are larger than %d KiB.", maxHeaderBytes>>10)
	case isReset(err):
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

func isTLS(err error) bool {
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var cert *tls.CertificateVerificationError
	return errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &cert) ||
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client")
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
	return "The TLS handshake failed: the receiver does not speak TLS 1.2 or newer on this port."
}

// isHeadersTooLarge reads the text, because net/http has no type for it; a test watches that it stays so.
func isHeadersTooLarge(err error) bool {
	return strings.Contains(err.Error(), "server response headers exceeded")
}

func isReset(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED} {
		if errors.Is(err, end) {
			return true
		}
	}
	return strings.Contains(err.Error(), "server closed idle connection")
}
