//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package store

import (
	"errors"
	"os"
	"syscall"
)

type flock struct{ *os.File }

// lockBeside takes the lock of a file, alone if that can be had at once, and
// tells whether it could. If not, it is shared: it waits for others that are
// just starting.
func lockBeside(path string) (openLock, bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the database's own path
	if err != nil {
		return nil, false, err
	}
	l := flock{f}
	switch err := l.flock(syscall.LOCK_EX | syscall.LOCK_NB); {
	case err == nil:
		return l, true, nil
	case !errors.Is(err, syscall.EWOULDBLOCK):
		return nil, false, errors.Join(err, f.Close())
	}
	if err := l.share(); err != nil {
		return nil, false, errors.Join(err, f.Close())
	}
	return l, false, nil
}

func (l flock) share() error { return l.flock(syscall.LOCK_SH) }

func (l flock) flock(how int) error {
	for {
		if err := syscall.Flock(int(l.Fd()), how); !errors.Is(err, syscall.EINTR) {
			return err
		}
	}
}
