package paraph

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// A SignedPart tells that a recipient's part of all documents of an envelope
// was signed with a certificate of their own. Parts are signed one after the
// other, each on top of those before it.
type SignedPart struct {
	EnvelopeID  int64
	Position    int // from 1
	RecipientID int64
	Documents   map[int64]string // digest of each document with this part and all before it, by the document's id
	Serial      string           // of the certificate, in hexadecimal
	Fingerprint string           // SHA-256 of the certificate, in hexadecimal
	CreatedAt   time.Time
	Proof       Proof // how the recipient was authenticated; in the trail only
}

// UnsignedParts are the recipients who have finished and whose parts are not
// signed yet, in the order in which they finished.
func (e *Envelope) UnsignedParts(done []SignedPart) []Recipient {
	var out []Recipient
	for _, r := range e.Recipients {
		signed := slices.ContainsFunc(done, func(p SignedPart) bool { return p.RecipientID == r.ID })
		if r.Kind.Acts() && !r.CompletedAt.IsZero() && !signed {
			out = append(out, r)
		}
	}
	slices.SortStableFunc(out, func(a, b Recipient) int {
		return cmp.Or(a.CompletedAt.Compare(b.CompletedAt), cmp.Compare(a.ID, b.ID))
	})
	return out
}

// CertifyPart tells of a signed part in the trail.
func (e Envelope) CertifyPart(p SignedPart, now time.Time) (Envelope, []Event, error) {
	if !e.OwnSignatures || e.Status != Pending && e.Status != Completed || !e.SealedAt.IsZero() || !e.DeletedAt.IsZero() {
		return e, nil, Errorf(Ended, "Nothing is signed in this envelope any more.")
	}
	data := map[string]string{"certificate_serial": p.Serial, "certificate_sha256": p.Fingerprint, "proof": string(p.Proof)}
	for i, d := range e.Documents {
		data["document_"+strconv.Itoa(i+1)+"_sha256"] = p.Documents[d.ID]
	}
	return e, []Event{{Type: RecipientCertified, At: now, RecipientID: p.RecipientID, Actor: Actor{Kind: BySystem}, Data: data}}, nil
}
