package paraph

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
)

const tokenAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

// NewToken returns n random characters of a 64-letter URL-safe alphabet: 6
// bits each.
func NewToken(n int) string {
	b := make([]byte, n)
	rand.Read(b) // never fails: crypto/rand ends the program instead
	for i, c := range b {
		b[i] = tokenAlphabet[c&63]
	}
	return string(b)
}

// NewLetters returns n random letters a to z, for names such as an envelope's.
// A letter carries 4.7 bits.
func NewLetters(n int) string {
	out := make([]byte, 0, n)
	buf := make([]byte, 2*n)
	for len(out) < n {
		rand.Read(buf)
		for _, c := range buf {
			if c < 234 && len(out) < n { // 234 = 9·26, so that no letter is likelier
				out = append(out, 'a'+c%26)
			}
		}
	}
	return string(out)
}

// NewUUID returns a random UUID (RFC 9562 version 4).
func NewUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// TokenHash is what is stored or looked up in a token's place: SHA-256 in
// lower-case hex. Tokens are random, so no salt is needed.
func TokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// isDigest reports whether s could be a SHA-256 in lower-case hex.
func isDigest(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == sha256.Size && s == strings.ToLower(s)
}

// SameToken compares two tokens in a time that tells nothing of either.
func SameToken(a, b string) bool {
	return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
