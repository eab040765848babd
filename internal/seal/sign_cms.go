package seal

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
)

// Object identifiers of CMS (RFC 5652), its algorithms (RFC 5754, RFC 8017) and its attributes (RFC 5035, RFC 3161).
var (
	oidData              = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData        = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidTSTInfo           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType       = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCertV1     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidTimestampToken    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}
	oidSHA1              = asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}
	oidSHA256            = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384            = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512            = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidRSA               = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidRSAPSS            = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10}
	oidECDSAWithSHA256   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidEd25519           = asn1.ObjectIdentifier{1, 3, 101, 112}
	oidDocumentSigning   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36} // RFC 9336
	oidAdobeDocumentSign = asn1.ObjectIdentifier{1, 2, 840, 113583, 1, 1, 5}
)

type cmsContentInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue `asn1:"explicit,optional,tag:0"`
}

type cmsSignedData struct {
	Version      int
	Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
	Encapsulated cmsContentInfo
	Certificates asn1.RawValue   `asn1:"optional,tag:0"`
	CRLs         asn1.RawValue   `asn1:"optional,tag:1"`
	Signers      []cmsSignerInfo `asn1:"set"`
}

type cmsSignerInfo struct {
	Version       int
	Issuer        cmsIssuerSerial
	Digest        pkix.AlgorithmIdentifier
	SignedAttrs   asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm     pkix.AlgorithmIdentifier
	Signature     []byte
	UnsignedAttrs asn1.RawValue `asn1:"optional,tag:1"`
}

type cmsIssuerSerial struct {
	Issuer asn1.RawValue
	Serial *big.Int
}

type cmsAttribute struct {
	Type   asn1.ObjectIdentifier
	Values asn1.RawValue // the SET
}

// essCertIDv2 names a certificate by its hash (RFC 5035, section 4); SHA-256 is the default and left out.
type essCertIDv2 struct {
	Algorithm    pkix.AlgorithmIdentifier `asn1:"optional"`
	Hash         []byte
	IssuerSerial essIssuerSerial `asn1:"optional"`
}

type essIssuerSerial struct {
	Issuer []asn1.RawValue // GeneralNames
	Serial *big.Int
}

type essSigningCertV2 struct {
	Certs    []essCertIDv2
	Policies asn1.RawValue `asn1:"optional"`
}

// cmsSign makes the detached SignedData of a PAdES B-B signature over content with this digest: content-type,
// message-digest and signing-certificate-v2 are signed, the time is not, for PAdES has it in the signature dictionary
// (EN 319 142-1, 6.3). The chain goes in, leaf first.
func cmsSign(id Identity, hash crypto.Hash, digest []byte) ([]byte, error) {
	attrs, err := signedAttributes(id.Chain[0], digest)
	if err != nil {
		return nil, err
	}
	set, err := asn1.MarshalWithParams(attrs, "set")
	if err != nil {
		return nil, err
	}
	h := hash.New()
	h.Write(set)
	sig, err := id.Key.Sign(rand.Reader, h.Sum(nil), hash)
	if err != nil {
		return nil, fmt.Errorf("sign with the sealing key: %w", err)
	}
	alg, err := signatureAlgorithm(id.Key.Public())
	if err != nil {
		return nil, err
	}
	leaf, digestAlg := id.Chain[0], pkix.AlgorithmIdentifier{Algorithm: hashOID(hash)}
	signer := cmsSignerInfo{
		Version:     1,
		Issuer:      cmsIssuerSerial{asn1.RawValue{FullBytes: leaf.RawIssuer}, leaf.SerialNumber},
		Digest:      digestAlg,
		SignedAttrs: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: tlvBody(set)},
		Algorithm:   alg,
		Signature:   sig,
	}
	return marshalSignedData(cmsSignedData{
		Version:      1,
		Digests:      []pkix.AlgorithmIdentifier{digestAlg},
		Encapsulated: cmsContentInfo{Type: oidData},
		Certificates: certificateSet(id.Chain),
		Signers:      []cmsSignerInfo{signer},
	})
}

func marshalSignedData(sd cmsSignedData) ([]byte, error) {
	inner, err := asn1.Marshal(sd)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(cmsContentInfo{
		Type:    oidSignedData,
		Content: asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner},
	})
}

func hashOID(h crypto.Hash) asn1.ObjectIdentifier {
	switch h {
	case crypto.SHA1:
		return oidSHA1
	case crypto.SHA384:
		return oidSHA384
	case crypto.SHA512:
		return oidSHA512
	}
	return oidSHA256
}

func signatureAlgorithm(pub crypto.PublicKey) (pkix.AlgorithmIdentifier, error) {
	switch pub.(type) {
	case *rsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidRSA, Parameters: asn1.NullRawValue}, nil
	case *ecdsa.PublicKey:
		return pkix.AlgorithmIdentifier{Algorithm: oidECDSAWithSHA256}, nil
	}
	return pkix.AlgorithmIdentifier{}, fmt.Errorf("a key of type %T can't seal: RSA or ECDSA is needed", pub)
}

// signedAttributes are in DER's order for a SET OF, which encoding/asn1 leaves to us.
func signedAttributes(leaf *x509.Certificate, digest []byte) ([]cmsAttribute, error) {
	sum := crypto.SHA256.New()
	sum.Write(leaf.Raw)
	issuer := asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: leaf.RawIssuer}
	cert := essSigningCertV2{Certs: []essCertIDv2{{
		Hash:         sum.Sum(nil),
		IssuerSerial: essIssuerSerial{[]asn1.RawValue{issuer}, leaf.SerialNumber},
	}}}
	values := []struct {
		oid asn1.ObjectIdentifier
		val any
	}{{oidContentType, oidData}, {oidMessageDigest, digest}, {oidSigningCertV2, cert}}
	encoded := make([][]byte, 0, len(values))
	for _, v := range values {
		val, err := asn1.Marshal(v.val)
		if err != nil {
			return nil, err
		}
		attr, err := asn1.Marshal(cmsAttribute{v.oid, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: val}})
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, attr)
	}
	slices.SortFunc(encoded, bytes.Compare)
	attrs := make([]cmsAttribute, len(encoded))
	for i, e := range encoded {
		if _, err := asn1.Unmarshal(e, &attrs[i]); err != nil {
			return nil, err
		}
	}
	return attrs, nil
}

func certificateSet(chain []*x509.Certificate) asn1.RawValue {
	var raw []byte
	for _, c := range chain {
		raw = append(raw, c.Raw...)
	}
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: raw}
}

func tlvBody(der []byte) []byte {
	var v asn1.RawValue
	if _, err := asn1.Unmarshal(der, &v); err != nil {
		return nil
	}
	return v.Bytes
}
