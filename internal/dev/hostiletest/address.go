package hostiletest

import "strings"

// What comes of a URL with the host of an Address.
const (
	Blocked = "blocked_address"
	Bad     = "bad_url"
)

// Address is a host as it may stand in a URL, and the code of an attempt at it. A URL with it is not accepted for an endpoint
// either.
type Address struct{ Host, Code string }

// URL has the address, and a port when it leaves room for one.
func (a Address) URL(port string) string {
	host := a.Host[strings.LastIndex(a.Host, "@")+1:]
	if host != "" && !strings.Contains(host[strings.LastIndex(host, "]")+1:], ":") {
		return "http://" + a.Host + ":" + port + "/hook"
	}
	return "http://" + a.Host + "/hook"
}

// Addresses are spellings of addresses that are not public, by a client that may call nothing else.
func Addresses() []Address {
	return []Address{
		// loopback, "this" network
		{"127.0.0.1", Blocked},
		{"127.255.255.254", Blocked},
		{"0.0.0.0", Blocked},
		{"0.1.2.3", Blocked},
		{"[::1]", Blocked},
		{"[::]", Blocked},
		{"[0:0:0:0:0:0:0:1]", Blocked},
		// private, shared, link-local, metadata
		{"10.0.0.1", Blocked},
		{"10.255.255.255", Blocked},
		{"172.16.0.1", Blocked},
		{"172.31.255.255", Blocked},
		{"192.168.0.1", Blocked},
		{"100.64.0.1", Blocked},
		{"100.127.255.255", Blocked},
		{"100.100.100.200", Blocked},
		{"169.254.0.1", Blocked},
		{"169.254.169.254", Blocked},
		{"168.63.129.16", Blocked},
		{"192.0.0.192", Blocked},
		// benchmarks, documentation, multicast, reserved, broadcast
		{"198.18.0.1", Blocked},
		{"198.19.255.255", Blocked},
		{"192.0.2.1", Blocked},
		{"198.51.100.1", Blocked},
		{"203.0.113.1", Blocked},
		{"224.0.0.1", Blocked},
		{"239.255.255.255", Blocked},
		{"240.0.0.1", Blocked},
		{"255.255.255.255", Blocked},
		{"192.88.99.1", Blocked},
		{"192.0.0.8", Blocked},
		// IPv6: unique local, link-local, site-local, multicast, documentation, discard, Teredo, ORCHID
		{"[fc00::1]", Blocked},
		{"[fd00:ec2::254]", Blocked},
		{"[fdff::1]", Blocked},
		{"[fe80::1]", Blocked},
		{"[fec0::1]", Blocked},
		{"[ff02::1]", Blocked},
		{"[2001:db8::1]", Blocked},
		{"[3fff::1]", Blocked},
		{"[100::1]", Blocked},
		{"[2001::1]", Blocked},
		{"[2001:20::1]", Blocked},
		{"[2001:10::1]", Blocked},
		{"[2001:2::1]", Blocked},
		{"[5f00::1]", Blocked},
		{"[4000::1]", Blocked},
		{"[::2]", Blocked},
		// IPv4 inside IPv6: 6to4, NAT64 in both prefixes, compatible, translated
		{"[2002:7f00:1::]", Blocked},
		{"[2002:a00:1::1]", Blocked},
		{"[2002:c0a8:101::1]", Blocked},
		{"[64:ff9b::7f00:1]", Blocked},
		{"[64:ff9b::127.0.0.1]", Blocked},
		{"[64:ff9b::808:808]", Blocked},
		{"[64:ff9b:1::7f00:1]", Blocked},
		{"[::127.0.0.1]", Blocked},
		{"[::7f00:1]", Blocked},
		{"[::ffff:0:127.0.0.1]", Blocked},
		// v4-mapped in every spelling
		{"[::ffff:127.0.0.1]", Bad},
		{"[::ffff:0.0.0.0]", Bad},
		{"[::ffff:7f00:1]", Bad},
		{"[0:0:0:0:0:ffff:7f00:1]", Bad},
		{"[::FFFF:10.0.0.1]", Bad},
		{"[::ffff:8.8.8.8]", Bad},
		{"[::ffff:a9fe:a9fe]", Bad},
		{"[0000:0000:0000:0000:0000:ffff:127.0.0.1]", Bad},
		// decimal, octal, hex, short
		{"2130706433", Bad},
		{"017700000001", Bad},
		{"0x7f000001", Bad},
		{"0X7F000001", Bad},
		{"0177.0.0.1", Bad},
		{"0x7f.0.0.1", Bad},
		{"0x7f.1", Bad},
		{"127.1", Bad},
		{"127.0.1", Bad},
		{"127.0.0.0x1", Bad},
		{"0", Bad},
		{"00000177.0.0.1", Bad},
		{"127.0.0.01", Bad},
		{"127.000.000.001", Bad},
		{"1.2.3.4.5", Bad},
		{"256.0.0.1", Bad},
		{"4294967296", Bad},
		{"169.254.43518", Bad},
		{"example.0x", Bad},
		{"example.1", Bad},
		{"08.8.8.8", Bad},
		// other digits and dots: full-width, circled, ideographic full stop
		{"１２７.０.０.１", Blocked},
		{"①②⑦.⓪.⓪.①", Blocked},
		{"127。0。0。1", Blocked},
		{"１２７。１", Bad},
		{"⑩.0.0.1", Blocked},
		{"0ｘ7f.1", Bad},
		// trailing dots, zones, brackets, escapes
		{"127.0.0.1.", Bad},
		{"2130706433.", Bad},
		{"[::1.]", Bad},
		{"localhost..", Bad},
		{".", Bad},
		{"[fe80::1%25eth0]", Bad},
		{"[::1%25lo]", Bad},
		{"[::1", Bad},
		{"::1", Bad},
		{"127.0.0.1%00.example.com", Bad},
		{"127%2e0.0.1", Bad},
		{"[127.0.0.1]", Bad},
		{"%31%32%37.0.0.1", Bad},
		{"[v1.fe80::1]", Bad},
		// user info, and what some parsers take for it
		{"user@127.0.0.1", Bad},
		{"user:pass@example.com", Bad},
		{"example.com@127.0.0.1", Bad},
		{":@example.com", Bad},
		{"@example.com", Bad},
		{`example.com\@127.0.0.1`, Bad},
		{`127.0.0.1\.example.com`, Bad},
		{"example.com:80@127.0.0.1", Bad},
		// ports and hosts that are none
		{"example.com:", Bad},
		{"example.com:0", Bad},
		{"example.com:65536", Bad},
		{"example.com:http", Bad},
		{"", Bad},
		{":80", Bad},
		{"exa mple.com", Bad},
		{"exa\tmple.com", Bad},
		{"-example.com", Bad},
		{"example-.com", Bad},
		{"exa$mple.com", Bad},
		{"a..b", Bad},
		{strings.Repeat("a", 64) + ".com", Bad},
		{strings.Repeat("a.", 127) + "com", Bad},
	}
}
