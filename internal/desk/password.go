package desk

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/paraph-sign/paraph"
)

// Passwords are hashed by argon2id with the second recommended set of
// parameters of RFC 9106 §4 halved in memory and with one lane fewer than it
// could have: 19 MiB, 2 passes, 1 lane (OWASP's minimum), so that a small
// machine can serve several at once.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16

	minPassword = 10  // runes
	maxPassword = 256 // runes; more is only work for us
)

// hasher bounds how many passwords are hashed at once: each takes memory.
type hasher struct{ limiter }

func newHasher(n int) hasher { return hasher{newLimiter(n)} }

func checkPassword(field, password string) error {
	switch n := utf8.RuneCountInString(password); {
	case n < minPassword:
		return paraph.FieldErrorf(field, "Choose a password of at least %d characters.", minPassword)
	case n > maxPassword:
		return paraph.FieldErrorf(field, "Choose a password of at most %d characters.", maxPassword)
	}
	return nil
}

func (h hasher) hash(password string) string {
	defer h.enter()()
	salt := make([]byte, argonSalt)
	rand.Read(salt)
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64(salt), b64(key))
}

// matches takes as long for a hash that can't be read (of a user who does not
// exist, say) as for a wrong password.
func (h hasher) matches(phc, password string) bool {
	defer h.enter()()
	var version int
	var memory, time uint32
	var threads uint8
	parts := strings.Split(phc, "$")
	ok := len(parts) == 6 && parts[1] == "argon2id"
	salt, want := make([]byte, argonSalt), make([]byte, argonKey)
	memory, time, threads = argonMemory, argonTime, argonThreads
	if ok {
		_, err1 := fmt.Sscanf(parts[2], "v=%d", &version)
		_, err2 := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &threads)
		s, err3 := base64.RawStdEncoding.DecodeString(parts[4])
		k, err4 := base64.RawStdEncoding.DecodeString(parts[5])
		if ok = err1 == nil && err2 == nil && err3 == nil && err4 == nil && len(k) > 0; ok {
			salt, want = s, k
		}
	}
	if utf8.RuneCountInString(password) > maxPassword {
		password, ok = "", false
	}
	got := argon2.IDKey([]byte(password), salt, time, memory, threads, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1 && ok
}

// limiter lets n callers in at once.
type limiter struct{ places chan struct{} }

func newLimiter(n int) limiter { return limiter{make(chan struct{}, n)} }

// enter waits for a place and returns how to leave it.
func (l limiter) enter() (leave func()) {
	l.places <- struct{}{}
	return func() { <-l.places }
}

// enterWithin waits no longer than that for a place, nor than ctx lives; the error is TooMany when the time is over.
func (l limiter) enterWithin(ctx context.Context, wait time.Duration) (leave func(), err error) {
	over := time.NewTimer(wait)
	defer over.Stop()
	select {
	case l.places <- struct{}{}:
		return func() { <-l.places }, nil
	case <-over.C:
		return nil, errNoRoom
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
