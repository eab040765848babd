package webhook

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/paraph-sign/paraph"
	"golang.org/x/net/idna"
)

const (
	maxURLLength   = 2048
	maxHostLength  = 253
	maxLabelLength = 63
)

// CheckURL reads the URL of an endpoint and says in a sentence what is wrong with it: it must be http or https, without user name
// or password, with a host that is a name or an ordinary IP address. Spellings of an address that programs read in different ways
// (decimal, octal, hex, shortened, IPv4 inside IPv6, zones) are refused. The host of the returned URL is in ASCII. Whether its
// address may be called is decided when the call is made.
func CheckURL(raw string) (*url.URL, error) {
	switch {
	case raw == "":
		return nil, badURL("The URL is missing.")
	case len(raw) > maxURLLength:
		return nil, badURL("The URL is longer than " + strconv.Itoa(maxURLLength) + " characters.")
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, badURL("This is not a URL. It looks like https://example.com/webhook.")
	}
	if err := checkParts(u); err != nil {
		return nil, err
	}
	host, err := canonicalHost(u.Hostname())
	if err != nil {
		return nil, err
	}
	u.Host = joinHost(host, u.Port())
	u.Fragment, u.RawFragment = "", ""
	u.RawQuery = escapeQuery(u.RawQuery)
	return u, nil
}

// escapeQuery escapes what url.Parse lets through in a query but a request line can't carry.
func escapeQuery(query string) string {
	var b strings.Builder
	for _, c := range []byte(query) {
		if c <= ' ' || c >= 0x7f {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func badURL(sentence string) error { return paraph.FieldErrorf(fieldURL, "%s", sentence) }

func checkParts(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return badURL("The URL must begin with https:// or http://.")
	case u.User != nil:
		return badURL("The URL may not have a user name or password. Put them into a header.")
	case u.Opaque != "" || u.Hostname() == "":
		return badURL("The URL has no host.")
	case strings.HasSuffix(u.Host, ":"):
		return badURL("The URL has a colon but no port.")
	}
	return checkPort(u.Port())
}

func checkPort(port string) error {
	if port == "" {
		return nil
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return badURL("The port must be a number between 1 and 65535.")
	}
	return nil
}

// canonicalHost maps a host to the ASCII spelling that will be looked up, and refuses what is neither a name nor a plain address.
// The mapping comes first, because it turns full-width and circled digits into plain ones.
func canonicalHost(host string) (string, error) {
	if strings.Contains(host, ":") {
		return canonicalIPv6(host)
	}
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil {
		if ascii, err = plainName(host); err != nil {
			return "", err
		}
	}
	ascii = strings.ToLower(ascii)
	if addr, err := netip.ParseAddr(ascii); err == nil {
		return addr.String(), nil
	}
	return ascii, checkName(ascii)
}

// plainName lets names through that IDNA refuses though DNS serves them, those with an underscore above all.
func plainName(host string) (string, error) {
	for _, c := range []byte(host) {
		if c >= 0x80 {
			return "", badURL("The host has characters that no host name can have.")
		}
	}
	return host, nil
}

func canonicalIPv6(host string) (string, error) {
	addr, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return "", badURL("The address in brackets is not an IPv6 address.")
	case addr.Zone() != "":
		return "", badURL("The address may not have a zone.")
	case addr.Is4In6():
		return "", badURL("Write an IPv4 address as such, not inside an IPv6 address.")
	}
	return addr.String(), nil
}

// checkName wants letters, digits, hyphens and underscores between dots. A name whose last label is a number is an address in
// disguise to many programs (WHATWG URL, "ends in a number"), so it is none.
func checkName(host string) error {
	name := strings.TrimSuffix(host, ".")
	if len(name) > maxHostLength {
		return badURL("The host name is too long.")
	}
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if !validLabel(label) {
			return badURL("The host is neither a name nor an IP address.")
		}
	}
	if isNumber(labels[len(labels)-1]) {
		return badURL("Write an IPv4 address as four decimal numbers, such as 192.0.2.10.")
	}
	return nil
}

func validLabel(label string) bool {
	if label == "" || len(label) > maxLabelLength {
		return false
	}
	for _, c := range []byte(label) {
		if !isAlphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return label[0] != '-' && label[len(label)-1] != '-'
}

func isAlphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

func isNumber(label string) bool {
	if strings.Trim(label, "0123456789") == "" {
		return true
	}
	return strings.HasPrefix(label, "0x") && strings.Trim(label[2:], "0123456789abcdef") == ""
}

func joinHost(host, port string) string {
	if port != "" {
		return net.JoinHostPort(host, port)
	}
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
