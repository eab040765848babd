package paraph

import (
	"strconv"
	"time"
)

// Stamps is what timestamping made of an envelope's sealed files.
type Stamps struct {
	Files map[string]string // digest of every file before and after; the same where nothing was added
	Level string            // of PAdES, that all of them now have
	By    string            // the authority of the newest timestamp
	Next  time.Time         // when they want timestamps again; zero: never
}

// Timestamp puts further revisions of the sealed files in their place. When
// the files are others than those that were timestamped, the error is a
// Conflict; of a deleted envelope nothing is changed.
func (e Envelope) Timestamp(s Stamps, now time.Time) (Envelope, []Event, error) {
	if e.SealedAt.IsZero() || !e.DeletedAt.IsZero() {
		return e, nil, nil
	}
	c := e.clone().touched(now)
	data, changed := map[string]string{"level": s.Level, "by": s.By}, false
	replace := func(name string, digest *string) bool {
		after, ok := s.Files[*digest]
		if ok && after != *digest {
			data[name+"_sha256_before"], data[name+"_sha256"] = *digest, after
			*digest, changed = after, true
		}
		return ok
	}
	for i := range c.Documents {
		was := c.Documents[i].Sealed
		if !replace("document_"+strconv.Itoa(i+1), &c.Documents[i].Sealed) {
			return e, nil, Errorf(Conflict, "The sealed documents changed while they were being timestamped.")
		}
		if c.Documents[i].Sealed != was {
			c.Documents[i].UpdatedAt = now
		}
	}
	if c.AuditLog != "" && !replace("audit_log", &c.AuditLog) {
		return e, nil, Errorf(Conflict, "The audit log changed while it was being timestamped.")
	}
	c.SealLevel, c.StampAt = s.Level, s.Next
	if !changed {
		if c.SealLevel == e.SealLevel && c.StampAt.Equal(e.StampAt) {
			return e, nil, nil
		}
		return c, nil, nil
	}
	return c, []Event{{Type: EnvelopeTimestamped, At: now, Actor: Actor{Kind: BySystem}, Data: data}}, nil
}

// GiveUpTimestamp notes that the files stay at the level that they have.
func (e Envelope) GiveUpTimestamp(now time.Time) (Envelope, []Event, error) {
	if e.StampAt.IsZero() || !e.DeletedAt.IsZero() {
		return e, nil, nil
	}
	c := e.clone().touched(now)
	c.StampAt = time.Time{}
	return c, []Event{{Type: TimestampFailed, At: now, Actor: Actor{Kind: BySystem}, Data: map[string]string{"level": e.SealLevel}}}, nil
}
