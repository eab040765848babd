package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// identityFile holds, in PEM, the sealing key, its certificate, the instance's authority and the authority's key. One
// file, so that key and certificate can never be of two minds.
const identityFile = "seal-identity.pem"

const (
	leafYears = 10
	caYears   = 30
	clockSlip = time.Hour // certificates are valid a little before they are made, for clocks that run behind
)

// Identity is a key that seals and its certificates, the key's own first and its issuers after it.
type Identity struct {
	Key   crypto.Signer
	Chain []*x509.Certificate
	// Authority is the key of the last certificate when that is this instance's own authority, which issues the next one;
	// nil for an identity from somewhere else.
	Authority crypto.Signer
}

// Roots is a pool of the last certificate of the chain: what someone who trusts this identity trusts.
func (id Identity) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	if n := len(id.Chain); n > 0 {
		pool.AddCert(id.Chain[n-1])
	}
	return pool
}

// Check says, in a sentence, why the identity can't seal at a time; nil when it can.
func (id Identity) Check(now time.Time) error {
	if err := id.Suits(); err != nil {
		return err
	}
	return id.checkTime(now)
}

// Suits says, in a sentence, why the identity could not seal at any time: key and certificate don't belong together, the
// key is too weak or of a kind that does not sign, the certificate is for something else.
func (id Identity) Suits() error {
	if err := id.usable(); err != nil {
		return err
	}
	return checkUsage(id.Chain[0])
}

func (id Identity) checkTime(now time.Time) error {
	leaf := id.Chain[0]
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate of %q expired on %s", commonName(leaf), leaf.NotAfter.UTC().Format(time.DateOnly))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate of %q is not valid before %s", commonName(leaf), leaf.NotBefore.UTC().Format(time.DateOnly))
	}
	return nil
}

// Warnings are sentences about what does not keep the identity from sealing, but those who verify will stumble over.
func (id Identity) Warnings() []string {
	var out []string
	if last := id.Chain[len(id.Chain)-1]; !bytes.Equal(last.RawIssuer, last.RawSubject) {
		out = append(out, fmt.Sprintf("The certificate of the issuer %q is missing. Viewers that don't know it can't follow the chain: "+
			"export the file again with all certificates.", last.Issuer.String()))
	}
	if leaf := id.Chain[0]; leaf.IsCA {
		out = append(out, "The certificate is an authority's. Some viewers refuse signatures of those: use one that was issued for signing documents.")
	}
	return out
}

// usable checks what does not depend on time: that there is a key of a kind that seals, and that it is the certificate's.
func (id Identity) usable() error {
	if id.Key == nil {
		return errors.New("there is no private key to seal with")
	}
	if len(id.Chain) == 0 || id.Chain[0] == nil {
		return errors.New("there is no certificate to seal with")
	}
	switch pub := id.Key.Public().(type) {
	case *rsa.PublicKey:
		if pub.N.BitLen() < 2048 {
			return fmt.Errorf("the RSA key has %d bits; at least 2048 are needed", pub.N.BitLen())
		}
	case *ecdsa.PublicKey:
		if pub.Curve.Params().BitSize < 256 {
			return fmt.Errorf("the ECDSA key is on %s; at least P-256 is needed", pub.Curve.Params().Name)
		}
	case ed25519.PublicKey:
		return errors.New("the key is an Ed25519 key, which few PDF viewers can check: RSA or ECDSA is needed")
	default:
		return fmt.Errorf("a key of type %T can't seal: RSA or ECDSA is needed", pub)
	}
	if !sameKey(id.Chain[0].PublicKey, id.Key.Public()) {
		return errors.New("the private key does not belong to the certificate")
	}
	return nil
}

func sameKey(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// checkUsage refuses a certificate whose key usage (RFC 5280, 4.2.1.3 and 4.2.1.12) leaves out signing documents.
func checkUsage(c *x509.Certificate) error {
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		return fmt.Errorf("the certificate of %q may not be used to sign documents (key usage)", commonName(c))
	}
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 {
		return nil
	}
	for _, u := range c.ExtKeyUsage {
		if u == x509.ExtKeyUsageAny || u == x509.ExtKeyUsageEmailProtection || u == x509.ExtKeyUsageCodeSigning {
			return nil
		}
	}
	for _, u := range c.UnknownExtKeyUsage {
		if u.Equal(oidDocumentSigning) || u.Equal(oidAdobeDocumentSign) || u.Equal(oidMicrosoftDocumentSign) {
			return nil
		}
	}
	return fmt.Errorf("the certificate of %q is for something else than documents, like TLS (extended key usage)", commonName(c))
}

var oidMicrosoftDocumentSign = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 10, 3, 12}

// LoadOrCreateIdentity reads the instance's sealing identity from dir, and makes it when there is none: an authority of
// its own, valid for 30 years, and an ECDSA P-256 document-signing certificate in the given name, valid for 10 and
// renewed under the same authority when it has run out. dir is made when missing; the file's mode is 0600.
//
// Processes that race agree: the file appears at once and whole, the first one wins and the others read it.
// A crash before that leaves nothing but a temporary file.
func LoadOrCreateIdentity(dir, name string, now time.Time) (Identity, error) {
	path := filepath.Join(dir, identityFile)
	id, err := loadOrCreate(path, name, now)
	if err != nil {
		return Identity{}, fmt.Errorf("sealing identity %s: %w", path, err)
	}
	return id, nil
}

func loadOrCreate(path, name string, now time.Time) (Identity, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = createIdentity(path, name, now)
	}
	if err != nil {
		return Identity{}, err
	}
	id, err := parseIdentity(data)
	if err != nil {
		return Identity{}, err
	}
	if now.After(id.Chain[0].NotAfter) {
		if id, err = renew(path, id, now); err != nil {
			return Identity{}, err
		}
	}
	return id, id.Check(now)
}

func createIdentity(path, name string, now time.Time) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	id, err := NewIdentity(name, now)
	if err != nil {
		return nil, err
	}
	data, err := encodeIdentity(id)
	if err != nil {
		return nil, err
	}
	if err := publish(path, data, linkOrCopy); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path)
}

// linkOrCopy gives a file its name unless the name is taken. File systems that can't link get a copy made under the name
// itself: a crash during that leaves a damaged file, which the next start says.
func linkOrCopy(tmp, path string) error {
	err := os.Link(tmp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	data, err := os.ReadFile(tmp)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// renew issues a new sealing certificate under the same authority. Two processes may both do it; either one is good.
func renew(path string, id Identity, now time.Time) (Identity, error) {
	if id.Authority == nil || now.After(id.Chain[len(id.Chain)-1].NotAfter) {
		return id, nil
	}
	next, err := id.issueNext(id.Chain[0].Subject, now)
	if err != nil {
		return id, err
	}
	data, err := encodeIdentity(next)
	if err != nil {
		return id, err
	}
	if err := publish(path, data, os.Rename); err != nil {
		return id, err
	}
	if data, err = os.ReadFile(path); err != nil {
		return id, err
	}
	return parseIdentity(data)
}

// publish writes a file beside path and gives it its name in one step, by linking (fails when there is one) or renaming.
func publish(path string, data []byte, name func(old, new string) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), identityFile+".*") // CreateTemp's mode is 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	if err := name(tmp.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// NewIdentity makes an authority of one's own, valid for 30 years, and under it an ECDSA P-256 document-signing certificate
// in the given name ("" is Paraph), valid for 10.
func NewIdentity(name string, now time.Time) (Identity, error) {
	if name == "" {
		name = "Paraph"
	}
	key, ca, err := newAuthority(name, now)
	if err != nil {
		return Identity{}, err
	}
	return Identity{Chain: []*x509.Certificate{ca}, Authority: key}.issueNext(pkix.Name{CommonName: name}, now)
}

// Next is a new key and certificate in a name ("": the present one's) under the identity's own authority. When that is not
// here or ends before the certificate would have lasted a year, it comes with a new authority.
func (id Identity) Next(name string, now time.Time) (Identity, error) {
	subject := id.Chain[0].Subject
	if name != "" {
		subject = pkix.Name{CommonName: name}
	}
	if id.Authority == nil || now.AddDate(1, 0, 0).After(id.Chain[len(id.Chain)-1].NotAfter) {
		return NewIdentity(subject.CommonName, now)
	}
	return id.issueNext(subject, now)
}

func newAuthority(name string, now time.Time) (crypto.Signer, *x509.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: name + " Authority"},
		NotBefore:             now.Add(-clockSlip),
		NotAfter:              now.AddDate(caYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	c, err := issue(t, t, key.Public(), key)
	return key, c, err
}

// issueNext issues a certificate for a new key under the authority of id.
func (id Identity) issueNext(subject pkix.Name, now time.Time) (Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Identity{}, err
	}
	ca := id.Chain[len(id.Chain)-1]
	end := now.AddDate(leafYears, 0, 0)
	if end.After(ca.NotAfter) {
		end = ca.NotAfter
	}
	leaf, err := issue(&x509.Certificate{
		Subject:               subject,
		NotBefore:             now.Add(-clockSlip),
		NotAfter:              end,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, // what older viewers look for
		UnknownExtKeyUsage:    []asn1.ObjectIdentifier{oidDocumentSigning},
		BasicConstraintsValid: true,
	}, ca, key.Public(), id.Authority)
	if err != nil {
		return Identity{}, err
	}
	return Identity{Key: key, Chain: []*x509.Certificate{leaf, ca}, Authority: id.Authority}, nil
}

func issue(t, parent *x509.Certificate, pub crypto.PublicKey, by crypto.Signer) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(spki)
	t.SerialNumber, t.SubjectKeyId = serial.Add(serial, big.NewInt(1)), sum[:20]
	der, err := x509.CreateCertificate(rand.Reader, t, parent, pub, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
