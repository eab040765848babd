//go:build unix

package webhook

import (
	"net"
	"syscall"
)

// isQuiet tells whether a kept connection is open and has nothing to read. A receiver that closed it, or that wrote something though
// it was asked nothing (408 is a habit of some), must not have that taken for the answer to the next request.
func isQuiet(c net.Conn) bool {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return false
	}
	quiet := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		quiet = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && quiet
}
