package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha1"
	_ "crypto/sha512" // SHA-384 and SHA-512 in other people's signatures
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxCMSCerts bounds the certificates that one signature may carry.
const maxCMSCerts = 64

// cmsMessage is a SignedData with one signer, taken apart but not yet believed.
type cmsMessage struct {
	contentType asn1.ObjectIdentifier
	content     []byte // nil when detached
	certs       []*x509.Certificate
	signer      *x509.Certificate
	hash        crypto.Hash
	algorithm   asn1.ObjectIdentifier
	attrs       []byte // the signed attributes as they are signed, that is, as a SET
	signed      map[string]cryptobyte.String
	unsigned    map[string]cryptobyte.String
	signature   []byte
	whole       []byte // the Contents that it was read from, with its padding; nil for a token
}

var errNotDER = errors.New("the signature is not in the form that PDF demands (CMS in DER)")

// parseCMS reads a signature out of a Contents string: DER, and nothing but zeros behind it.
func parseCMS(contents []byte) (*cmsMessage, error) {
	in := cryptobyte.String(contents)
	var outer cryptobyte.String
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) {
		return nil, errNotDER
	}
	if len(bytes.Trim(in, "\x00")) > 0 {
		return nil, errors.New("there is something behind the signature, in its padding")
	}
	m, err := parseContentInfo(outer)
	if err == nil {
		m.whole = contents
	}
	return m, err
}

func parseContentInfo(outer cryptobyte.String) (*cmsMessage, error) {
	var kind asn1.ObjectIdentifier
	var wrapped, sd cryptobyte.String
	explicit := cbasn1.Tag(0).ContextSpecific().Constructed()
	if !outer.ReadASN1ObjectIdentifier(&kind) || !outer.ReadASN1(&wrapped, explicit) || !outer.Empty() ||
		!wrapped.ReadASN1(&sd, cbasn1.SEQUENCE) || !wrapped.Empty() {
		return nil, errNotDER
	}
	if !kind.Equal(oidSignedData) {
		return nil, errors.New("what stands in place of the signature is no signature")
	}
	return parseSignedData(sd)
}

func parseSignedData(sd cryptobyte.String) (*cmsMessage, error) {
	m := &cmsMessage{}
	var version int
	var digests, encap, certs, signers cryptobyte.String
	var hasCerts bool
	if !sd.ReadASN1Integer(&version) || !sd.ReadASN1(&digests, cbasn1.SET) || !sd.ReadASN1(&encap, cbasn1.SEQUENCE) ||
		!sd.ReadOptionalASN1(&certs, &hasCerts, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!sd.SkipOptionalASN1(cbasn1.Tag(1).ContextSpecific().Constructed()) || !sd.ReadASN1(&signers, cbasn1.SET) || !sd.Empty() {
		return nil, errNotDER
	}
	if err := m.readContent(encap); err != nil {
		return nil, err
	}
	if err := m.readCerts(certs); err != nil {
		return nil, err
	}
	var signer cryptobyte.String
	if !signers.ReadASN1(&signer, cbasn1.SEQUENCE) {
		return nil, errors.New("the signature has no signer")
	}
	if !signers.Empty() {
		return nil, errors.New("the signature has more than one signer")
	}
	return m, m.readSigner(signer)
}

func (m *cmsMessage) readContent(encap cryptobyte.String) error {
	var wrapped, content cryptobyte.String
	var has bool
	if !encap.ReadASN1ObjectIdentifier(&m.contentType) ||
		!encap.ReadOptionalASN1(&wrapped, &has, cbasn1.Tag(0).ContextSpecific().Constructed()) || !encap.Empty() {
		return errNotDER
	}
	if !has {
		return nil
	}
	if !wrapped.ReadASN1(&content, cbasn1.OCTET_STRING) || !wrapped.Empty() {
		return errNotDER
	}
	m.content = append([]byte{}, content...)
	return nil
}

func (m *cmsMessage) readCerts(certs cryptobyte.String) error {
	for !certs.Empty() {
		var raw cryptobyte.String
		var tag cbasn1.Tag
		if !certs.ReadAnyASN1Element(&raw, &tag) || len(m.certs) >= maxCMSCerts {
			return errNotDER
		}
		if tag != cbasn1.SEQUENCE {
			continue // attribute certificates
		}
		if c, err := x509.ParseCertificate(raw); err == nil {
			m.certs = append(m.certs, c)
		}
	}
	return nil
}

func (m *cmsMessage) readSigner(si cryptobyte.String) error {
	var version int
	var digest, alg, attrs, unsigned cryptobyte.String
	var digestOID asn1.ObjectIdentifier
	var hasAttrs, hasUnsigned bool
	if !si.ReadASN1Integer(&version) {
		return errNotDER
	}
	if err := m.readSignerID(&si); err != nil {
		return err
	}
	if !si.ReadASN1(&digest, cbasn1.SEQUENCE) || !digest.ReadASN1ObjectIdentifier(&digestOID) ||
		!si.ReadOptionalASN1(&attrs, &hasAttrs, cbasn1.Tag(0).ContextSpecific().Constructed()) ||
		!si.ReadASN1(&alg, cbasn1.SEQUENCE) || !alg.ReadASN1ObjectIdentifier(&m.algorithm) ||
		!si.ReadASN1Bytes(&m.signature, cbasn1.OCTET_STRING) ||
		!si.ReadOptionalASN1(&unsigned, &hasUnsigned, cbasn1.Tag(1).ContextSpecific().Constructed()) || !si.Empty() {
		return errNotDER
	}
	if !hasAttrs {
		return errors.New("the signature has no signed attributes, so it can be moved to other content")
	}
	var err error
	if m.hash, err = strongHash(digestOID); err != nil {
		return err
	}
	if m.signed, err = readAttributes(attrs); err != nil {
		return err
	}
	if m.unsigned, err = readAttributes(unsigned); err != nil {
		return err
	}
	m.attrs, err = asn1.Marshal(asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: attrs})
	return err
}

func (m *cmsMessage) readSignerID(si *cryptobyte.String) error {
	var issuerSerial, issuer, keyID cryptobyte.String
	serial := new(big.Int)
	byKey := cbasn1.Tag(0).ContextSpecific()
	switch {
	case si.PeekASN1Tag(byKey):
		if !si.ReadASN1(&keyID, byKey) {
			return errNotDER
		}
	case !si.ReadASN1(&issuerSerial, cbasn1.SEQUENCE) || !issuerSerial.ReadASN1Element(&issuer, cbasn1.SEQUENCE) ||
		!issuerSerial.ReadASN1Integer(serial):
		return errNotDER
	}
	for _, c := range m.certs {
		if keyID != nil && bytes.Equal(c.SubjectKeyId, keyID) ||
			keyID == nil && bytes.Equal(c.RawIssuer, issuer) && c.SerialNumber.Cmp(serial) == 0 {
			m.signer = c
			return nil
		}
	}
	return errors.New("the signer's certificate is not in the signature")
}

// strongHash refuses digests whose collisions are known.
func strongHash(oid asn1.ObjectIdentifier) (crypto.Hash, error) {
	switch {
	case oid.Equal(oidSHA256):
		return crypto.SHA256, nil
	case oid.Equal(oidSHA384):
		return crypto.SHA384, nil
	case oid.Equal(oidSHA512):
		return crypto.SHA512, nil
	case oid.Equal(oidSHA1):
		return 0, errors.New("the signature uses the digest SHA-1, which is too weak to prove anything")
	}
	return 0, fmt.Errorf("the signature uses a digest that is weak or unknown (%s)", oid)
}

func readAttributes(in cryptobyte.String) (map[string]cryptobyte.String, error) {
	all := map[string]cryptobyte.String{}
	for !in.Empty() {
		var attr, values cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !in.ReadASN1(&attr, cbasn1.SEQUENCE) || !attr.ReadASN1ObjectIdentifier(&oid) ||
			!attr.ReadASN1(&values, cbasn1.SET) || !attr.Empty() {
			return nil, errNotDER
		}
		if _, again := all[oid.String()]; again {
			return nil, errors.New("the signature has an attribute twice")
		}
		all[oid.String()] = values
	}
	return all, nil
}

// check proves that the signer signed content with this type and this digest.
func (m *cmsMessage) check(contentType asn1.ObjectIdentifier, digest []byte) error {
	var kind asn1.ObjectIdentifier
	var stated cryptobyte.String
	kinds, digests := m.signed[oidContentType.String()], m.signed[oidMessageDigest.String()]
	if !kinds.ReadASN1ObjectIdentifier(&kind) || !kinds.Empty() || !kind.Equal(contentType) || !m.contentType.Equal(contentType) {
		return errors.New("the signature is over another kind of content")
	}
	if !digests.ReadASN1(&stated, cbasn1.OCTET_STRING) || !digests.Empty() {
		return errors.New("the signature has no digest of what it signs")
	}
	if !bytes.Equal(stated, digest) {
		return errContentChanged
	}
	if err := m.checkCertificateID(); err != nil {
		return err
	}
	return m.checkSignature()
}

var errContentChanged = errors.New("the content is not what was signed: it was changed, or the signature is another file's")

func (m *cmsMessage) checkSignature() error {
	h := m.hash.New()
	h.Write(m.attrs)
	sum := h.Sum(nil)
	ok := false
	switch pub := m.signer.PublicKey.(type) {
	case *rsa.PublicKey:
		if pub.N.BitLen() < 2048 {
			return fmt.Errorf("the signature is by an RSA key of %d bits, which is too weak", pub.N.BitLen())
		}
		if m.algorithm.Equal(oidRSAPSS) {
			ok = rsa.VerifyPSS(pub, m.hash, sum, m.signature, nil) == nil
		} else {
			ok = rsa.VerifyPKCS1v15(pub, m.hash, sum, m.signature) == nil
		}
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(pub, sum, m.signature)
	case ed25519.PublicKey:
		ok = m.algorithm.Equal(oidEd25519) && ed25519.Verify(pub, m.attrs, m.signature)
	default:
		return fmt.Errorf("the signature is by a kind of key that is not known (%T)", pub)
	}
	if !ok {
		return errors.New("the signature does not fit the certificate's key: it was changed or is a forgery")
	}
	return nil
}

// bindsCertificate tells whether a signing-certificate attribute is there; checkCertificateID whether it is right.
func (m *cmsMessage) bindsCertificate() bool { return m.signed[oidSigningCertV2.String()] != nil }

func (m *cmsMessage) checkCertificateID() error {
	if v1 := m.signed[oidSigningCertV1.String()]; v1 != nil {
		// RFC 2634: by definition SHA-1, and not what protects here
		if err := checkESS(v1, sha1.New(), m.signer); err != nil {
			return err
		}
	}
	v2 := m.signed[oidSigningCertV2.String()]
	if v2 == nil {
		return nil
	}
	return checkESS(v2, crypto.SHA256.New(), m.signer)
}

func checkESS(values cryptobyte.String, h hash.Hash, signer *x509.Certificate) error {
	var attr, certs, first, sum, alg cryptobyte.String
	var hasAlg bool
	if !values.ReadASN1(&attr, cbasn1.SEQUENCE) || !attr.ReadASN1(&certs, cbasn1.SEQUENCE) ||
		!certs.ReadASN1(&first, cbasn1.SEQUENCE) || !first.ReadOptionalASN1(&alg, &hasAlg, cbasn1.SEQUENCE) ||
		!first.ReadASN1(&sum, cbasn1.OCTET_STRING) {
		return errNotDER
	}
	if hasAlg {
		var oid asn1.ObjectIdentifier
		if !alg.ReadASN1ObjectIdentifier(&oid) {
			return errNotDER
		}
		strong, err := strongHash(oid)
		if err != nil {
			return err
		}
		h = strong.New()
	}
	h.Write(signer.Raw)
	if !bytes.Equal(sum, h.Sum(nil)) {
		return errors.New("the signature names another certificate than it carries")
	}
	return nil
}

// timestampToken is a checked RFC 3161 token: at is the time it proves.
type timestampToken struct {
	cms    *cmsMessage
	at     time.Time
	policy asn1.ObjectIdentifier
	nonce  *big.Int // nil when there is none
}

// checkTimestamp proves that a token stamps data, whose digest sum computes.
func checkTimestamp(m *cmsMessage, sum func(crypto.Hash) []byte) (timestampToken, error) {
	t := timestampToken{cms: m}
	if !m.contentType.Equal(oidTSTInfo) || m.content == nil {
		return t, errors.New("the timestamp is not a timestamp")
	}
	in := cryptobyte.String(m.content)
	var info, imprint, alg, stamped, at cryptobyte.String
	var version int
	var hashOID asn1.ObjectIdentifier
	serial := new(big.Int)
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Integer(&version) || !info.ReadASN1ObjectIdentifier(&t.policy) ||
		!info.ReadASN1(&imprint, cbasn1.SEQUENCE) || !imprint.ReadASN1(&alg, cbasn1.SEQUENCE) ||
		!alg.ReadASN1ObjectIdentifier(&hashOID) || !imprint.ReadASN1(&stamped, cbasn1.OCTET_STRING) ||
		!info.ReadASN1Integer(serial) || !info.ReadASN1(&at, cbasn1.GeneralizedTime) {
		return t, errors.New("the timestamp can't be read")
	}
	if !info.SkipOptionalASN1(cbasn1.SEQUENCE) || !info.SkipOptionalASN1(cbasn1.BOOLEAN) { // accuracy, ordering
		return t, errors.New("the timestamp can't be read")
	}
	if info.PeekASN1Tag(cbasn1.INTEGER) {
		t.nonce = new(big.Int)
		if !info.ReadASN1Integer(t.nonce) {
			return t, errors.New("the timestamp can't be read")
		}
	}
	var err error
	if t.at, err = time.Parse("20060102150405Z0700", string(at)); err != nil { // fractions are read too
		return t, errors.New("the timestamp's time can't be read")
	}
	h, err := strongHash(hashOID)
	if err != nil {
		return t, err
	}
	if !bytes.Equal(stamped, sum(h)) {
		return t, errContentChanged
	}
	for _, u := range m.signer.ExtKeyUsage {
		if u == x509.ExtKeyUsageTimeStamping {
			own := m.hash.New()
			own.Write(m.content)
			return t, m.check(oidTSTInfo, own.Sum(nil))
		}
	}
	return t, errors.New("the timestamp's certificate is not one for timestamps")
}

// timestamp reads the signature timestamp among the unsigned attributes; ok is false when there is none or it is wrong.
func (m *cmsMessage) timestamp() (t timestampToken, ok bool) {
	var token, outer cryptobyte.String
	values := m.unsigned[oidTimestampToken.String()]
	if values == nil || !values.ReadASN1Element(&token, cbasn1.SEQUENCE) || !token.ReadASN1(&outer, cbasn1.SEQUENCE) {
		return t, false
	}
	inner, err := parseContentInfo(outer)
	if err != nil {
		return t, false
	}
	t, err = checkTimestamp(inner, func(h crypto.Hash) []byte {
		sum := h.New()
		sum.Write(m.signature)
		return sum.Sum(nil)
	})
	if err != nil || t.at.Before(inner.signer.NotBefore) || t.at.After(inner.signer.NotAfter) {
		return t, false
	}
	return t, true
}
