package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"time"
)

// Authority issues the certificates of those who sign with one of their own. It has nothing to do with the seal's identity and
// outlives its changes.
type Authority struct {
	key  crypto.Signer
	cert *x509.Certificate
}

// NewAuthority makes an authority called "<name> Recipients CA", valid for 30 years, that issues to people only.
func NewAuthority(name string, now time.Time) (Authority, error) {
	if name == "" {
		name = "Paraph"
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Authority{}, err
	}
	const suffix = " Recipients CA"
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: shortened(name, maxCommonName-len(suffix)) + suffix},
		NotBefore:             now.Add(-clockSlip),
		NotAfter:              now.AddDate(caYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	cert, err := issue(t, t, key.Public(), key)
	return Authority{key, cert}, err
}

// ParseAuthority reads what PEM gave.
func ParseAuthority(data []byte) (Authority, error) {
	id, err := parseIdentity(data)
	if err != nil {
		return Authority{}, err
	}
	if !id.Chain[0].IsCA {
		return Authority{}, errors.New("its certificate is not an authority's")
	}
	return Authority{id.Key, id.Chain[0]}, nil
}

// PEM is the authority with its key, which whoever stores it keeps secret.
func (a Authority) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(a.key)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = errors.Join(
		pem.Encode(&b, &pem.Block{Type: "PRIVATE KEY", Bytes: der}),
		pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
	return b.Bytes(), err
}

// CertificatePEM is the authority without its key.
func (a Authority) CertificatePEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

// Certificate is what someone who trusts the authority trusts.
func (a Authority) Certificate() *x509.Certificate { return a.cert }

// Person is whom a certificate is for. An address stands in it only when it was proved to be theirs.
type Person struct{ Name, Email string }

// maxCommonName is ub-common-name of RFC 5280, in characters.
const maxCommonName = 64

// Issue makes a key and a certificate for one signature of a person, valid from a little before one time to another. The
// key is nowhere but in the answer: whoever signed with it lets it go.
func (a Authority) Issue(p Person, from, until time.Time) (Identity, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Identity{}, err
	}
	name := oneLine(p.Name)
	if name == "" {
		name = p.Email
	}
	t := &x509.Certificate{
		Subject:               pkix.Name{CommonName: shortened(name, maxCommonName)},
		NotBefore:             from.Add(-clockSlip),
		NotAfter:              until,
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
		UnknownExtKeyUsage:    []asn1.ObjectIdentifier{oidDocumentSigning},
		BasicConstraintsValid: true,
	}
	if p.Email != "" {
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	}
	if p.Email != "" && isASCII(p.Email) { // others can't stand there (RFC 5280, 4.2.1.6)
		t.EmailAddresses = []string{p.Email}
	}
	cert, err := issue(t, a.cert, key.Public(), a.key)
	return Identity{Key: key, Chain: []*x509.Certificate{cert, a.cert}}, err
}

func isASCII(s string) bool {
	for _, c := range []byte(s) {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// shortened cuts a text to a number of characters.
func shortened(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
