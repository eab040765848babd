package seal

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"
)

// By whom a certificate is trusted: what SignatureReport.TrustedBy says.
const (
	TrustInstance = "instance" // it leads to VerifyOptions.Roots: the instance that was asked
	TrustGiven    = "given"    // to VerifyOptions.Given: certificates that who asks has named
	TrustSystem   = "system"   // to VerifyOptions.System: those that the operating system trusts
)

// trustedBy says whom a message's signer leads to, "" when it is nobody. Of the system's certificates only those for documents
// and mail count: that somebody has a web server does not let them sign.
func (o VerifyOptions) trustedBy(m *cmsMessage, at time.Time) string {
	switch {
	case o.Roots != nil && leadsTo(o.Roots, m, at, x509.ExtKeyUsageAny) == nil:
		return TrustInstance
	case o.Given != nil && leadsTo(o.Given, m, at, x509.ExtKeyUsageAny) == nil:
		return TrustGiven
	case o.System != nil && forDocuments(m.signer) && leadsTo(o.System, m, at, x509.ExtKeyUsageAny) == nil:
		return TrustSystem
	}
	return ""
}

// trustsTime tells whether a timestamp leads to a certificate that is trusted for it.
func (o VerifyOptions) trustsTime(m *cmsMessage, at time.Time) bool {
	return slices.ContainsFunc([]*x509.CertPool{o.TimestampRoots, o.Roots, o.Given, o.System}, func(roots *x509.CertPool) bool {
		return roots != nil && leadsTo(roots, m, at, x509.ExtKeyUsageTimeStamping) == nil
	})
}

// documentUsages are the extended key usages for signing documents: RFC 9336, Adobe's and Microsoft's.
func documentUsages() []asn1.ObjectIdentifier {
	return []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 36}, {1, 2, 840, 113583, 1, 1, 5}, {1, 3, 6, 1, 4, 1, 311, 10, 3, 12}}
}

func forDocuments(c *x509.Certificate) bool {
	if len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 {
		return true
	}
	good := []x509.ExtKeyUsage{x509.ExtKeyUsageAny, x509.ExtKeyUsageEmailProtection}
	return slices.ContainsFunc(c.ExtKeyUsage, func(u x509.ExtKeyUsage) bool { return slices.Contains(good, u) }) ||
		slices.ContainsFunc(c.UnknownExtKeyUsage, func(oid asn1.ObjectIdentifier) bool {
			return slices.ContainsFunc(documentUsages(), oid.Equal)
		})
}
