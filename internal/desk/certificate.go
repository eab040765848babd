package desk

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
)

// renewAhead is how long before its end a certificate that was made here gets
// a successor. Nobody has to be told, so it is later than the first warning.
const renewAhead = 60 * 24 * time.Hour

// keyring remembers what was decrypted of the database's certificates.
type keyring struct {
	mu      sync.Mutex
	used    int64
	of      seal.Identity
	count   int // of the certificates when anchors were read
	anchors []*x509.Certificate
}

// identity is what seals now. Which one that is is asked anew each time, so that
// all nodes seal with the same from the moment that it was changed.
func (d *Desk) identity(ctx context.Context) (seal.Identity, error) {
	if d.operated() {
		return d.Identity, nil
	}
	return d.used(ctx)
}

// operated tells whether the operator gave the identity that seals.
func (d *Desk) operated() bool { return d.Identity.Key != nil }

// used is the database's identity that seals.
func (d *Desk) used(ctx context.Context) (seal.Identity, error) {
	id, err := d.Store.UsedSealCertificate(ctx)
	if err != nil {
		return seal.Identity{}, err
	}
	if id == 0 {
		return seal.Identity{}, errors.New("there is no certificate to seal with")
	}
	k := &d.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.used == id {
		return k.of, nil
	}
	c, err := d.Store.SealCertificate(ctx, id)
	if err != nil {
		return seal.Identity{}, err
	}
	of, err := identityOf(ctx, d.Store.Reader, c)
	if err == nil {
		k.used, k.of = id, of
	}
	return of, err
}

func identityOf(ctx context.Context, r store.Reader, c store.SealCertificate) (seal.Identity, error) {
	keys, err := r.SealKeys(ctx, c)
	if err != nil {
		return seal.Identity{}, err
	}
	id, err := seal.ParseIdentity([]byte(c.Certificates), keys)
	return id, wrap(err, "read seal certificate", c.ID)
}

// sealer is what seals now, if it may: a signature by a certificate that has
// run out is worth nothing to those who verify.
func (d *Desk) sealer(ctx context.Context) (seal.Identity, error) {
	id, err := d.identity(ctx)
	if err == nil {
		err = id.Check(d.Store.Now())
	}
	if err != nil {
		return id, fmt.Errorf("sealing waits for a valid certificate: %w", err)
	}
	return id, nil
}

// anchors are the certificates that seals of this instance lead to, present
// and earlier ones.
func (d *Desk) anchors(ctx context.Context) ([]*x509.Certificate, error) {
	n, err := d.Store.CountSealCertificates(ctx)
	if err != nil {
		return nil, err
	}
	k := &d.keys
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.anchors != nil && k.count == n {
		return k.anchors, nil
	}
	all, err := d.Store.SealCertificates(ctx)
	if err != nil {
		return nil, err
	}
	anchors := []*x509.Certificate{}
	add := func(c *x509.Certificate) {
		for _, has := range anchors {
			if has.Equal(c) {
				return
			}
		}
		anchors = append(anchors, c)
	}
	if d.operated() {
		add(d.Identity.Anchor())
	}
	for _, c := range all {
		block, _ := pem.Decode([]byte(c.Anchor))
		if block == nil {
			return nil, fmt.Errorf("seal certificate %d: what it leads to is no PEM", c.ID)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, wrap(err, "read what it leads to of seal certificate", c.ID)
		}
		add(cert)
	}
	k.anchors, k.count = anchors, n
	if d.Trusted != nil {
		if err := d.Trusted(anchors); err != nil {
			d.Log.Error("write down the certificates that seals lead to", "error", err)
		}
	}
	return anchors, nil
}

// rowOf is an identity as the store keeps it.
func rowOf(id seal.Identity, source string, by int64) (store.SealCertificate, []byte, error) {
	leaf := id.Chain[0]
	c := store.SealCertificate{
		Source: source, Fingerprint: seal.Fingerprint(leaf), Subject: leaf.Subject.CommonName, Certificates: string(id.PEM()),
		Anchor:    string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.Anchor().Raw})),
		NotBefore: leaf.NotBefore, NotAfter: leaf.NotAfter, CreatedBy: by,
	}
	if c.Subject == "" {
		c.Subject = leaf.Subject.String()
	}
	if source == store.SealOperator {
		return c, nil, nil
	}
	keys, err := id.Keys()
	return c, keys, err
}

// keep stores an identity and answers its row. One that was there without its
// keys has them then.
func (d *Desk) keep(ctx context.Context, tx *store.Tx, id seal.Identity, source string, by int64) (store.SealCertificate, error) {
	c, keys, err := rowOf(id, source, by)
	if err != nil {
		return c, err
	}
	has, err := tx.SealCertificateBy(ctx, c.Fingerprint)
	switch {
	case paraph.KindOf(err) == paraph.NotFound:
		return c, tx.InsertSealCertificate(ctx, &c, keys)
	case err != nil || has.HasKeys || len(keys) == 0:
		return has, err
	}
	return has, tx.GiveSealKeys(ctx, has, source, keys)
}

// PrepareCertificate sees to it that there is something to seal with, at every
// start, on every node. What the operator gave is written down; without, the
// first start makes a certificate, or takes found, the one that lies in the
// data folder of an earlier version.
func (d *Desk) PrepareCertificate(ctx context.Context, found *seal.Identity) error {
	err := d.Store.Update(ctx, func(tx *store.Tx) error {
		if d.operated() {
			c, err := d.keep(ctx, tx, d.Identity, store.SealOperator, 0)
			if err != nil {
				return err
			}
			return tx.NoteOperator(ctx, c.ID)
		}
		if err := tx.NoteOperator(ctx, 0); err != nil {
			return err
		}
		return d.prepareOwn(ctx, tx, found)
	})
	if err != nil {
		return fmt.Errorf("prepare the certificate to seal with: %w", err)
	}
	if err := d.tendCertificate(ctx); err != nil {
		return err
	}
	if _, err := d.anchors(ctx); err != nil {
		return err
	}
	if _, err := d.sealer(ctx); err != nil {
		d.Log.Error("nothing is sealed", "error", err)
		return nil
	}
	return d.Store.Update(ctx, func(tx *store.Tx) error { return d.hurrySeals(ctx, tx) })
}

// prepareOwn keeps what was found, and lets it seal when nothing does.
func (d *Desk) prepareOwn(ctx context.Context, tx *store.Tx, found *seal.Identity) error {
	var c store.SealCertificate
	var err error
	if found != nil {
		if c, err = d.keep(ctx, tx, *found, store.SealGenerated, 0); err != nil {
			return err
		}
	}
	used, err := tx.UsedSealCertificate(ctx)
	if err != nil || used != 0 {
		return err
	}
	if found == nil {
		id, err := seal.NewIdentity(d.Instance, tx.Now())
		if err != nil {
			return err
		}
		if c, err = d.keep(ctx, tx, id, store.SealGenerated, 0); err != nil {
			return err
		}
	}
	return tx.UseSealCertificate(ctx, c.ID)
}

// hurrySeals lets what waited for a certificate be tried at once.
func (d *Desk) hurrySeals(ctx context.Context, tx *store.Tx) error {
	n, err := tx.HurryJobs(ctx, jobSeal)
	if n > 0 {
		tx.After(func() { d.jobs.Wake(jobSeal) })
	}
	return err
}

// switchTo lets a certificate seal from now on.
func (d *Desk) switchTo(ctx context.Context, tx *store.Tx, c store.SealCertificate) error {
	if err := tx.UseSealCertificate(ctx, c.ID); err != nil {
		return err
	}
	return d.hurrySeals(ctx, tx)
}

// Certificates are all that the instance has sealed with.
type Certificates struct {
	All      []store.SealCertificate // newest first
	Used     store.SealCertificate   // seals now
	Trouble  string                  // why it doesn't
	Warnings []string                // what those who verify will stumble over
	Operator string                  // where the operator's is from, which can't be changed here; "" when it is not theirs
	Waiting  int                     // envelopes that are finished and not sealed
}

// Certificates answers them to an owner of the instance.
func (d *Desk) Certificates(ctx context.Context, who Who) (out Certificates, err error) {
	if err := owns(ctx, d.Store.Reader, who); err != nil {
		return out, err
	}
	if out.All, err = d.Store.SealCertificates(ctx); err != nil {
		return out, err
	}
	if out.Used, err = d.usedRow(ctx, d.Store.Reader); err != nil && paraph.KindOf(err) != paraph.NotFound {
		return out, err
	}
	if d.operated() {
		out.Operator = d.IdentityFrom
	}
	if id, err := d.identity(ctx); err != nil {
		out.Trouble = "Its key can’t be read: " + err.Error()
	} else {
		out.Warnings = id.Warnings()
		if err := id.Check(d.Store.Now()); err != nil {
			out.Trouble = asSentence(err.Error())
		}
	}
	out.Waiting, err = d.Store.CountUnsealed(ctx)
	return out, err
}

// usedRow is the row of what seals now; NotFound when there is none.
func (d *Desk) usedRow(ctx context.Context, r store.Reader) (store.SealCertificate, error) {
	if d.operated() {
		return r.SealCertificateBy(ctx, seal.Fingerprint(d.Identity.Chain[0]))
	}
	id, err := r.UsedSealCertificate(ctx)
	if err != nil {
		return store.SealCertificate{}, err
	}
	return r.SealCertificate(ctx, id)
}

// owns refuses whoever does not own the instance.
func owns(ctx context.Context, r store.Reader, who Who) error {
	u, err := r.User(ctx, who.UserID)
	if err == nil && !u.Owner {
		err = paraph.Errorf(paraph.Forbidden, "Only the owner of this server can see and change this.")
	}
	return err
}

// Certificate answers one of the certificates to an owner of the instance.
func (d *Desk) Certificate(ctx context.Context, who Who, id int64) (store.SealCertificate, error) {
	if err := owns(ctx, d.Store.Reader, who); err != nil {
		return store.SealCertificate{}, err
	}
	return d.Store.SealCertificate(ctx, id)
}

// UploadCertificate lets a key seal that comes in a PKCS#12 file or as PEM.
// What is wrong with it is beside “file” or “password”, which is not kept.
func (d *Desk) UploadCertificate(ctx context.Context, who Who, file []byte, password string) (store.SealCertificate, error) {
	id, err := seal.ReadIdentity(file, password)
	if err == nil {
		err = id.Check(d.Store.Now())
	}
	if err != nil {
		if e := owns(ctx, d.Store.Reader, who); e != nil {
			return store.SealCertificate{}, e
		}
		field := "file"
		if errors.Is(err, seal.ErrPassword) {
			field = "password"
		}
		return store.SealCertificate{}, paraph.FieldErrorf(field, "%s", asSentence(err.Error()))
	}
	return d.changeCertificate(ctx, who, func(tx *store.Tx) (store.SealCertificate, error) {
		has, err := tx.SealCertificateBy(ctx, seal.Fingerprint(id.Chain[0]))
		if err == nil && has.HasKeys {
			return has, paraph.FieldErrorf("file", "This certificate is here already; it can be chosen from the list below.")
		}
		return d.keep(ctx, tx, id, store.SealUploaded, who.UserID)
	})
}

// maxCommonName is the most characters of a certificate's name (RFC 5280,
// appendix A.1, ub-common-name).
const maxCommonName = 64

// GenerateCertificate makes a key and a certificate in a name, under the
// instance's authority, or under a new one, and lets it seal.
func (d *Desk) GenerateCertificate(ctx context.Context, who Who, name string, newAuthority bool) (store.SealCertificate, error) {
	name, bad := paraph.ParseName("name", name)
	if n := len([]rune(name)); bad == nil && n > maxCommonName {
		bad = paraph.FieldErrorf("name", "This name has %d characters; a certificate takes %d.", n, maxCommonName)
	}
	return d.changeCertificate(ctx, who, func(tx *store.Tx) (store.SealCertificate, error) {
		if bad != nil {
			return store.SealCertificate{}, bad
		}
		make := func() (seal.Identity, error) { return seal.NewIdentity(name, tx.Now()) }
		if !newAuthority {
			last, err := d.lastOwn(ctx, tx.Reader)
			if err != nil {
				return store.SealCertificate{}, err
			}
			if last != nil {
				make = func() (seal.Identity, error) { return last.Next(name, tx.Now()) }
			}
		}
		id, err := make()
		if err != nil {
			return store.SealCertificate{}, err
		}
		return d.keep(ctx, tx, id, store.SealGenerated, who.UserID)
	})
}

// lastOwn is the newest identity whose authority is ours and here; nil when
// there is none.
func (d *Desk) lastOwn(ctx context.Context, r store.Reader) (*seal.Identity, error) {
	all, err := r.SealCertificates(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Source != store.SealGenerated || !c.HasKeys {
			continue
		}
		id, err := identityOf(ctx, r, c)
		if err != nil {
			return nil, err
		}
		if id.Authority != nil {
			return &id, nil
		}
	}
	return nil, nil
}

// UseCertificate lets one of the certificates seal again.
func (d *Desk) UseCertificate(ctx context.Context, who Who, id int64) (store.SealCertificate, error) {
	return d.changeCertificate(ctx, who, func(tx *store.Tx) (store.SealCertificate, error) {
		c, err := tx.SealCertificate(ctx, id)
		if err != nil {
			return c, err
		}
		of, err := identityOf(ctx, tx.Reader, c)
		if err != nil {
			return c, err
		}
		if err := of.Check(tx.Now()); err != nil {
			return c, paraph.Errorf(paraph.Conflict, "It can’t seal: %s.", err)
		}
		return c, nil
	})
}

// changeCertificate lets what choose answers seal from now on, for an owner of
// the instance whose operator leaves that to them.
func (d *Desk) changeCertificate(ctx context.Context, who Who, choose func(tx *store.Tx) (store.SealCertificate, error)) (out store.SealCertificate, err error) {
	err = d.Store.Update(ctx, func(tx *store.Tx) error {
		if err := owns(ctx, tx.Reader, who); err != nil {
			return err
		}
		if d.operated() {
			return paraph.Errorf(paraph.Conflict, "The certificate is given at the start of the server (%s), so it can’t be changed here.", d.IdentityFrom)
		}
		c, err := choose(tx)
		if err != nil {
			return err
		}
		out = c
		return d.switchTo(ctx, tx, c)
	})
	if err != nil {
		return out, wrap(err, "change the sealing certificate to", out.ID)
	}
	d.Log.Info("the sealing certificate was changed", "certificate", out.ID, "subject", out.Subject, "source", out.Source, "fingerprint", out.Fingerprint,
		"user", who.UserID, "ip", who.Actor.IP)
	_, err = d.anchors(ctx)
	return out, err
}

// asSentence is an error's text as people read it.
func asSentence(text string) string {
	r, n := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(r)) + strings.TrimSuffix(text[n:], ".") + "."
}

// CertificateEnd is when the certificate that seals runs out.
func (d *Desk) CertificateEnd(ctx context.Context) (time.Time, error) {
	id, err := d.identity(ctx)
	if err != nil {
		return time.Time{}, err
	}
	return id.Chain[0].NotAfter, nil
}

// SealingWaits tells, in a sentence, why nothing is sealed at the moment; ""
// when things are.
func (d *Desk) SealingWaits(ctx context.Context) string {
	if _, err := d.sealer(ctx); err != nil {
		return "Everybody has finished. The sealed PDF is made as soon as this server has a valid certificate to seal with; whoever runs it has been told."
	}
	return ""
}
