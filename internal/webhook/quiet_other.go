//go:build !unix

package webhook

import "net"

// isQuiet can't look here without reading, so no connection is used twice.
func isQuiet(net.Conn) bool { return false }
