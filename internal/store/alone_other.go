//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package store

import "errors"

func lockBeside(string) (openLock, bool, error) {
	return nil, false, errors.New("this system has no such locks")
}
