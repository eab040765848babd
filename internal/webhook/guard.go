package webhook

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
)

// Resolver answers with the addresses of a name; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// guard connects to public addresses and to nothing else. A name is resolved once per connection; when any of its answers is not
// public, none is used. What was checked is what is dialled, and the kernel's side of the call is checked again.
type guard struct {
	guardian       *ssrf.Guardian
	resolver       Resolver
	resolveTimeout time.Duration
	connectTimeout time.Duration
}

// alsoDenied are addresses that are public by registry but reach into a cloud provider's inside from its machines: Azure's
// WireServer answers with secrets of the virtual machine at 168.63.129.16.
func alsoDenied() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("168.63.129.16/32")}
}

func newGuardian(allow []netip.Prefix) *ssrf.Guardian {
	var v4, v6 []netip.Prefix
	for _, p := range allow {
		if p.Addr().Is4() {
			v4 = append(v4, p)
		} else {
			v6 = append(v6, p)
		}
	}
	return ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(alsoDenied()...),
		ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
}

// check says why an address may not be called, or nil.
func (g *guard) check(addr netip.Addr) error {
	if err := g.guardian.SafeAddr(addr); err != nil {
		return &dialError{CodeBlockedAddress, fmt.Sprintf("The address %s is not public, and calls to it are not allowed.", addr), err}
	}
	return nil
}

// dialError is a connection that was not made, with the code and sentence for the log.
type dialError struct {
	code     string
	sentence string
	err      error
}

func (e *dialError) Error() string { return e.sentence }
func (e *dialError) Unwrap() error { return e.err }

// resolve returns the addresses of host, every one of them checked.
func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, g.check(addr)
	}
	addrs, err := g.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	for i, addr := range addrs {
		// Resolvers hand out IPv4 in its 16-byte form; the address that will be dialled is the plain one.
		addrs[i] = addr.Unmap()
		if err := g.check(addrs[i]); err != nil {
			return nil, err
		}
	}
	return addrs, nil
}

func (g *guard) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	ctx, cancel := context.WithTimeout(ctx, g.resolveTimeout)
	defer cancel()
	addrs, err := g.resolver.LookupNetIP(ctx, "ip", host)
	switch {
	case ctx.Err() != nil:
		return nil, &dialError{CodeDNSFailed, fmt.Sprintf("Looking up %s took too long.", host), errors.Join(ctx.Err(), err)}
	case err != nil:
		return nil, &dialError{CodeDNSFailed, lookupSentence(host, err), err}
	case len(addrs) == 0:
		return nil, &dialError{CodeDNSFailed, fmt.Sprintf("The name %s has no address.", host), nil}
	}
	return slices.Clone(addrs), nil
}

func lookupSentence(host string, err error) string {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return fmt.Sprintf("The name %s does not exist in DNS.", host)
	}
	return fmt.Sprintf("The name %s could not be looked up.", host)
}

// dialAny tries the addresses in turn within one connect deadline, and gives each a fair part of what is left of it, so that a
// first address that swallows packets does not keep the second from being tried.
func (g *guard) dialAny(ctx context.Context, addrs []netip.Addr, port uint16) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, g.connectTimeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	var first error
	for i, addr := range addrs {
		part := time.Until(deadline) / time.Duration(len(addrs)-i)
		conn, err := g.dialOne(ctx, netip.AddrPortFrom(addr, port), part)
		if err == nil {
			return conn, nil
		}
		first = cmpOr(first, err)
	}
	return nil, connectError(first)
}

func cmpOr(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func (g *guard) dialOne(ctx context.Context, target netip.AddrPort, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d := net.Dialer{KeepAlive: 30 * time.Second, Control: func(network, address string, _ syscall.RawConn) error {
		return g.control(target, address)
	}}
	return d.DialContext(ctx, "tcp", target.String())
}

// control runs between socket and connect, with the address that the kernel is about to call.
func (g *guard) control(target netip.AddrPort, address string) error {
	called, err := netip.ParseAddrPort(address)
	if err != nil || called != target {
		return &dialError{CodeBlockedAddress, "The address changed between the check and the call.", err}
	}
	return g.check(called.Addr())
}

func connectError(err error) error {
	var dial *dialError
	var timeout net.Error
	switch {
	case errors.As(err, &dial):
		return dial
	case errors.Is(err, syscall.ECONNREFUSED):
		return &dialError{CodeConnectRefused, "The receiver refused the connection.", err}
	case errors.Is(err, syscall.ECONNRESET):
		return &dialError{CodeReset, "The receiver reset the connection while it was being made.", err}
	case isOurFault(err):
		return &dialError{CodeInternal, "This server could not open a connection.", err}
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return &dialError{CodeConnectTimeout, "The receiver did not accept a connection in time.", err}
	}
	return &dialError{CodeConnectFailed, "The receiver could not be reached.", err}
}

// isOurFault tells when this machine ran out of something, which says nothing about the receiver.
func isOurFault(err error) bool {
	for _, own := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EADDRNOTAVAIL} {
		if errors.Is(err, own) {
			return true
		}
	}
	return false
}
