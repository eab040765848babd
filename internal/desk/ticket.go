package desk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// Ticket is a word that lets its bearer do one thing until a time, to the
// second. It can be shown to that bearer only.
func (l Links) Ticket(what string, until time.Time) string {
	end := strconv.FormatInt(until.Unix(), 10)
	return end + "." + base64.RawURLEncoding.EncodeToString(l.ticketMAC(what, end))
}

// Admits tells whether a word is the ticket for a thing, and not over.
func (l Links) Admits(ticket, what string, now time.Time) bool {
	end, mac, ok := strings.Cut(ticket, ".")
	b, err := base64.RawURLEncoding.DecodeString(mac)
	if !ok || err != nil || !hmac.Equal(b, l.ticketMAC(what, end)) {
		return false
	}
	seconds, err := strconv.ParseInt(end, 10, 64)
	return err == nil && now.Unix() < seconds
}

func (l Links) ticketMAC(what, end string) []byte {
	m := hmac.New(sha256.New, l.Key)
	m.Write([]byte("ticket\x00" + end + "\x00" + what))
	return m.Sum(nil)
}
