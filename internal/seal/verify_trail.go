package seal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/paraph-sign/paraph"
)

// TrailReport is what Verify says of the audit trail that is attached to a file. That its chain holds says that it is whole in
// itself; that nobody wrote another one says the seal that covers it.
type TrailReport struct {
	Holds    bool       `json:"holds"`             // every hash and every link is right
	Problem  string     `json:"problem,omitempty"` // why it doesn't, in a sentence for a person
	Sealed   bool       `json:"sealed"`            // the file is valid, so the trail is the one that was sealed
	Envelope string     `json:"envelope,omitempty"`
	Name     string     `json:"name,omitempty"` // of the envelope
	Instance string     `json:"instance,omitempty"`
	Events   int        `json:"events"`
	First    *time.Time `json:"first,omitempty"`
	Last     *time.Time `json:"last,omitempty"`
	Hash     string     `json:"last_hash,omitempty"`
	// Document is the name of the trail's document whose original, by its digest, this file begins with; empty when it is none
	// of them, as an audit log, whose trail tells the digests of what was sealed.
	Document string `json:"document,omitempty"`
	Original string `json:"original_sha256,omitempty"` // that digest
}

// maxTrail bounds the trail that is read, in bytes.
const maxTrail = 32 << 20

// trail judges the trail within the file; nil when there is none.
func (v *verification) trail() *TrailReport {
	data, err := v.file.attachedTrail(maxTrail)
	if err != nil {
		return &TrailReport{Problem: "The audit trail in the file can't be read."}
	}
	if data == nil {
		return nil
	}
	f, err := paraph.ReadTrailFile(data)
	r := &TrailReport{
		Holds: err == nil, Sealed: v.rep.Valid, Envelope: f.Envelope.PublicID, Name: f.Envelope.Name, Instance: f.Instance,
		Events: len(f.Events), Hash: f.LastHash,
	}
	if err != nil {
		r.Problem = "The audit trail in the file can't be read."
		if known, ok := errors.AsType[*paraph.Error](err); ok {
			r.Problem = known.Message
		}
		return r
	}
	first, last := f.Events[0].When, f.Events[len(f.Events)-1].When
	r.First, r.Last = &first, &last
	v.findOriginal(r, f.Documents)
	return r
}

// findOriginal looks for the document that this file was before anything was added: its bytes are still there.
func (v *verification) findOriginal(r *TrailReport, docs []paraph.TrailDocument) {
	names := map[string]string{}
	for _, d := range docs {
		names[d.Original] = d.Name
	}
	sum, buf := sha256.New(), v.file.buf
	for done, at, n := 0, 0, 0; n < maxSections; n++ {
		i := bytes.Index(buf[at:], []byte("%%EOF"))
		if i < 0 {
			return
		}
		at += i + len("%%EOF")
		for end := at; end <= min(at+2, len(buf)); end++ { // with any of the ends that a line can have
			sum.Write(buf[done:end])
			done = end
			digest := hex.EncodeToString(sum.Sum(nil))
			if name, ok := names[digest]; ok {
				r.Document, r.Original = name, digest
				return
			}
			if end < len(buf) && buf[end] != '\r' && buf[end] != '\n' {
				break
			}
		}
	}
}
