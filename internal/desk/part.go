package desk

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
)

// jobSign signs the parts of those who have finished, each with a certificate
// of their own, in envelopes that were sent so.
const jobSign = "sign"

// partValid is how long a certificate for one signature is valid.
const partValid = 24 * time.Hour

// signFinished is the job that signs the parts of an envelope's recipients as
// they finish. The part of the last one is signed when the envelope is sealed,
// and so is what this job has left.
func (d *Desk) signFinished(ctx context.Context, j store.Job) error {
	e, err := d.Store.AnyEnvelope(ctx, j.EnvelopeID)
	if err != nil || !e.OwnSignatures || e.Status != paraph.Pending || !e.DeletedAt.IsZero() {
		return err
	}
	_, err = d.signParts(ctx, &e)
	return wrap(err, "sign the finished parts of envelope", e.ID)
}

// signParts signs what has finished and is not signed, one part after the
// other, and answers all that are signed then:
//
//  1. The part's revision of every document is made in memory on top of the
//     one before, verified, and stored under its digest.
//  2. One transaction notes the part at its position and tells of it in the
//     trail; it fails with a Conflict when another process took the position.
//
// If we stop in 1 or before the commit of 2, bytes are stored that nothing
// refers to, and the part is signed anew, with another key: the first one's is
// gone with the process. If we stop after the commit, the next part is next.
func (d *Desk) signParts(ctx context.Context, e *paraph.Envelope) ([]paraph.SignedPart, error) {
	done, err := d.Store.SignedParts(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	left := e.UnsignedParts(done)
	if len(left) == 0 {
		return done, nil
	}
	events, err := d.Store.Events(ctx, e.AccountID, e.ID)
	if err != nil {
		return nil, err
	}
	for _, r := range left {
		p, err := d.signPart(ctx, e, r, done, paraph.ProofOf(r, events))
		if err != nil {
			return nil, fmt.Errorf("recipient %d: %w", r.ID, err)
		}
		if err := d.keepPart(ctx, p); err != nil {
			return nil, err
		}
		done = append(done, p)
	}
	return done, nil
}

func (d *Desk) keepPart(ctx context.Context, p paraph.SignedPart) error {
	return d.Store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.AnyEnvelope(ctx, p.EnvelopeID)
		if err != nil {
			return err
		}
		e, events, err := e.CertifyPart(p, tx.Now())
		if err != nil {
			return err
		}
		if err := tx.InsertSignedPart(ctx, p); err != nil {
			return err
		}
		return d.append(ctx, tx, &e, events)
	})
}

// signPart signs a recipient's part of every document with one key and
// certificate, which says when they finished and not when the job ran.
func (d *Desk) signPart(ctx context.Context, e *paraph.Envelope, r paraph.Recipient, done []paraph.SignedPart, proof paraph.Proof) (paraph.SignedPart, error) {
	a, err := d.authority(ctx)
	if err != nil {
		return paraph.SignedPart{}, err
	}
	now := d.Store.Now()
	whose := d.signerOf(r, proof)
	id, err := a.Issue(whose, r.CompletedAt, latest(r.CompletedAt, now).Add(partValid))
	if err != nil {
		return paraph.SignedPart{}, err
	}
	sum := sha256.Sum256(id.Chain[0].Raw)
	p := paraph.SignedPart{
		EnvelopeID: e.ID, Position: len(done) + 1, RecipientID: r.ID, Documents: map[int64]string{},
		Serial: hex.EncodeToString(id.Chain[0].SerialNumber.Bytes()), Fingerprint: hex.EncodeToString(sum[:]), CreatedAt: now, Proof: proof,
	}
	opt := seal.SignOptions{
		Name: whose.Name, Reason: r.Kind.Word() + " “" + paraph.Shorten(e.Name, 80) + "”", ContactInfo: whose.Email,
		At: r.CompletedAt, Stamp: d.stampSeals().option(ctx),
	}
	if proof == paraph.ProofAPI {
		opt.Reason = "Filled in by the sender for " + paraph.Shorten(r.DisplayName(), 80) + ", who did not act"
	}
	e, err = d.zoned(ctx, e)
	if err != nil {
		return p, err
	}
	for _, doc := range e.Documents {
		if p.Documents[doc.ID], err = d.signPartOf(ctx, e, doc, r, done, id, opt); err != nil {
			return p, fmt.Errorf("document %d: %w", doc.ID, err)
		}
	}
	return p, nil
}

// signerOf is in whose name a part is signed. An address is in it only when
// the recipient came by a link that was sent there; and a part that a program of
// the sender completed is not signed in the recipient's name at all.
func (d *Desk) signerOf(r paraph.Recipient, proof paraph.Proof) seal.Person {
	switch proof {
	case paraph.ProofMail:
		return seal.Person{Name: r.DisplayName(), Email: r.Email}
	case paraph.ProofLink:
		return seal.Person{Name: cmp.Or(r.Name, r.Role, "Recipient")}
	}
	return seal.Person{Name: cmp.Or(d.Instance, "Paraph")}
}

// signPartOf signs a recipient's part of one document and answers the digest of
// what it is now.
func (d *Desk) signPartOf(ctx context.Context, e *paraph.Envelope, doc paraph.Document, r paraph.Recipient, done []paraph.SignedPart, id seal.Identity, opt seal.SignOptions) (string, error) {
	pdf, err := d.beforePart(ctx, e, doc, done)
	if err != nil {
		return "", err
	}
	part, err := d.fillPart(ctx, placesOf(e, doc, r))
	if err != nil {
		return "", err
	}
	signed, err := d.Engine.SignPart(pdf, part, id, opt)
	if err != nil {
		return "", err
	}
	rep, err := seal.Verify(signed, seal.VerifyOptions{Roots: id.Roots()})
	if err != nil {
		return "", err
	}
	if !rep.Valid {
		return "", fmt.Errorf("%w: %s", seal.ErrNotValid, rep.Reason)
	}
	return d.Blobs.Put(ctx, signed)
}

// beforePart is a document with all parts that are signed: at first, the
// original with a blank field wherever something will stand.
func (d *Desk) beforePart(ctx context.Context, e *paraph.Envelope, doc paraph.Document, done []paraph.SignedPart) ([]byte, error) {
	if n := len(done); n > 0 {
		return d.Blobs.Get(ctx, done[n-1].Documents[doc.ID])
	}
	pdf, err := d.Blobs.Get(ctx, doc.Original)
	if err != nil {
		return nil, err
	}
	var parts []seal.Part
	for _, r := range e.Recipients {
		if r.Kind.Acts() {
			parts = append(parts, placesOf(e, doc, r).Part)
		}
	}
	return d.Engine.PrepareParts(ctx, pdf, parts)
}

// placedPart is a recipient's part of a document, with the marks that show what
// they entered.
type placedPart struct {
	seal.Part
	values [][]mark // by place
	signed []mark
}

// placesOf finds the places of a recipient on a document, always in the same
// order: the signature is shown where their first signature stands.
func placesOf(e *paraph.Envelope, doc paraph.Document, r paraph.Recipient) placedPart {
	p := placedPart{Part: seal.Part{ID: r.UUID}}
	zone := zoneOf(e)
	for _, f := range e.FieldsOf(r.ID) {
		for _, a := range f.Areas {
			if a.DocumentID != doc.ID {
				continue
			}
			place := seal.Place{Page: a.Page, X: a.X, Y: a.Y, W: a.W, H: a.H, Title: f.Title(), Words: isWords(f, a)}
			var marks []mark
			if f.Filled() && !r.CompletedAt.IsZero() {
				marks = fieldMarks(f, a, r, zone)
			}
			if f.Type == paraph.SignatureField && p.Sign == nil {
				p.Sign, p.signed = &place, marks
				continue
			}
			p.Places, p.values = append(p.Places, place), append(p.values, marks)
		}
	}
	return p
}

// isWords tells whether words stand at a field's place.
func isWords(f paraph.Field, a paraph.Area) bool {
	return !f.Type.IsImage() && f.Type != paraph.CheckboxField && (f.Type != paraph.RadioField || a.Option == "")
}

// fillPart fetches the pictures of a part.
func (d *Desk) fillPart(ctx context.Context, p placedPart) (out seal.SignedPart, err error) {
	out.Part = p.Part
	if out.Signed, err = d.draw(ctx, p.signed); err != nil {
		return out, err
	}
	for i, marks := range p.values {
		var v seal.PartValue
		if v.Marks, err = d.draw(ctx, marks); err != nil {
			return out, err
		}
		if p.Places[i].Words && len(marks) > 0 {
			v.Text = marks[0].Text
		}
		out.Values = append(out.Values, v)
	}
	return out, nil
}

// ownParts signs what is left when an envelope is sealed, and answers the
// digests of its documents as they then are; nil when it was not sent so. A
// document that can't be signed in this way is sealed in the other: that must
// not keep an envelope from being sealed.
func (d *Desk) ownParts(ctx context.Context, e *paraph.Envelope) (map[int64]string, error) {
	if !e.OwnSignatures {
		return nil, nil
	}
	done, err := d.signParts(ctx, e)
	if isInput(err) || errors.Is(err, seal.ErrNotValid) {
		d.Log.Warn("recipients' own signatures can't be made; only the seal will be", "envelope", e.ID, "error", err)
		return nil, nil
	}
	if err != nil || len(done) == 0 {
		return nil, err
	}
	return done[len(done)-1].Documents, nil
}

// ownState is the digest of a document with the parts of everybody who has
// finished; "" when one is not signed yet, or they are not signed by themselves.
func (d *Desk) ownState(ctx context.Context, e *paraph.Envelope, doc paraph.Document) (string, error) {
	if !e.OwnSignatures || doc.Sealed != "" {
		return "", nil
	}
	done, err := d.Store.SignedParts(ctx, e.ID)
	if err != nil || len(done) == 0 || len(e.UnsignedParts(done)) > 0 {
		return "", err
	}
	return done[len(done)-1].Documents[doc.ID], nil
}

// issuer is the authority of recipients' certificates once it is known.
type issuer struct {
	mu    sync.Mutex
	known *seal.Authority
}

// authority is the instance's, which all nodes share; it is made when it is
// needed for the first time.
func (d *Desk) authority(ctx context.Context) (seal.Authority, error) {
	a, ok, err := d.knownAuthority(ctx)
	if err != nil || ok {
		return a, err
	}
	if a, err = seal.NewAuthority(d.Instance, d.Store.Now()); err != nil {
		return a, err
	}
	pem, err := a.PEM()
	if err != nil {
		return a, err
	}
	if err := d.Store.Update(ctx, func(tx *store.Tx) error { return tx.SetAuthority(ctx, pem, a.CertificatePEM()) }); err != nil {
		return a, err
	}
	a, ok, err = d.knownAuthority(ctx) // perhaps another node's
	if err == nil && !ok {
		err = errors.New("the recipients' authority was stored and is not there")
	}
	return a, err
}

// knownAuthority is the authority if there is one.
func (d *Desk) knownAuthority(ctx context.Context) (a seal.Authority, ok bool, err error) {
	d.issuer.mu.Lock()
	defer d.issuer.mu.Unlock()
	if d.issuer.known != nil {
		return *d.issuer.known, true, nil
	}
	pem, err := d.Store.Authority(ctx)
	if err != nil || pem == nil {
		return a, false, err
	}
	if a, err = seal.ParseAuthority(pem); err != nil {
		return a, false, fmt.Errorf("the recipients' authority: %w", err)
	}
	d.issuer.known = &a
	return a, true, nil
}

// sealOwn seals a document whose parts are all signed; nil when there is none.
func (d *Desk) sealOwn(ctx context.Context, digest string, by seal.Identity, sign seal.SignOptions) ([]byte, error) {
	if digest == "" {
		return nil, nil
	}
	pdf, err := d.Blobs.Get(ctx, digest)
	if err != nil {
		return nil, err
	}
	sealed, err := d.Engine.Seal(ctx, seal.Job{PDF: pdf, Signed: true, Identity: by, Sign: sign})
	if isInput(err) || errors.Is(err, seal.ErrNotValid) {
		d.Log.Warn("what recipients have signed can't be sealed; the document is sealed without their own signatures", "error", err)
		return nil, nil
	}
	return sealed, err
}
