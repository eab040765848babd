package webhook

import (
	"errors"
	"strings"
)

// CodeHTTP2Only: the receiver speaks HTTP/2 and not HTTP/1.1, which is what is sent.
const CodeHTTP2Only = "http2_only"

var errHTTP2 = errors.New("the receiver speaks HTTP/2")

// frameHead is the length of what every HTTP/2 frame begins with (RFC 9113, section 4.1).
const frameHead = 9

// isHTTP2 tells what an HTTP/2 server says first, whatever it was asked: a frame SETTINGS, or GOAWAY, of the connection itself.
func isHTTP2(said [frameHead]byte) bool {
	const settings, goaway = 4, 7
	return said[0] == 0 && (said[3] == settings || said[3] == goaway) && said[5]|said[6]|said[7]|said[8] == 0
}

// isHTTP2Refusal tells a TLS handshake that failed because the receiver wants another protocol than ours (RFC 7301, section 3.2):
// crypto/tls has no value for the alert.
func isHTTP2Refusal(err error) bool {
	text := err.Error()
	return strings.Contains(text, "no application protocol") || strings.Contains(text, "unadvertised ALPN")
}
