package seal

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"
)

// VerifyOptions says whom to trust.
type VerifyOptions struct {
	// Roots are the instance's own, such as Identity.Roots; nil trusts nobody.
	Roots *x509.CertPool
	// TimestampRoots, with all the others, make a timestamp trusted.
	TimestampRoots *x509.CertPool
	// Given are certificates that who asks has named. A seal by one of them counts as the instance's own.
	Given *x509.CertPool
	// System are those that the operating system trusts, such as x509.SystemCertPool. They only lend a name to a signature:
	// anybody can have a certificate by them, so what they sign does not make up for changes after an earlier signature.
	System *x509.CertPool
	// Stop is asked between signatures, revisions and pieces of what is hashed; its error ends Verify with that error.
	// nil never stops. context.Context.Err is one.
	Stop func() error
}

// Verify judges the signatures of a PDF, offline and on its own; it believes no library about what a signature covers.
//
// A report is valid when the last signature or document timestamp covers the whole file but for its own Contents
// string, every signature is intact and was made while its certificate was valid, and what was added after each
// earlier one is nothing but invisible signatures, timestamps and validation data – or only timestamps and
// validation data after one that closes the file, as every seal made here does – and fields that later signers of the
// same authority filled in and closed, as SignPart does. One thing is let through: with a
// trusted last signature, an earlier one that does not restrict what follows (somebody's approval in a file that was
// signed before it came here) may have had the document change after it; its own entry says so.
//
// A file without signatures, or one too damaged to have any, is a report and no error. The only errors are *InputError
// with KindEmpty or KindNotPDF, and that of Stop. Time and memory are bounded by the file's size.
func Verify(pdf []byte, opt VerifyOptions) (rep Report, err error) {
	if len(pdf) == 0 {
		return rep, refuse(KindEmpty, "The file is empty.", nil)
	}
	if !bytes.Contains(pdf[:min(len(pdf), maxHeaderShift+5)], []byte("%PDF-")) {
		return rep, refuse(KindNotPDF, "This file is not a PDF.", nil)
	}
	sum := sha256.Sum256(pdf)
	rep = Report{Digest: hex.EncodeToString(sum[:]), Size: len(pdf), Signatures: []SignatureReport{}, Changes: []string{}}
	defer func() {
		if p := recover(); p != nil { // the last resort: a file that breaks the reader is not a valid one
			rep.Valid, rep.Reason = false, "The file is built in a way that can't be read safely, so nothing about it can be verified."
		}
	}()
	v := verification{opt: opt, rep: &rep}
	v.run(pdf)
	if v.over() {
		return Report{}, fmt.Errorf("verify PDF: %w", v.stopped)
	}
	if v.file != nil {
		rep.Trail = v.trail()
	}
	return rep, nil
}

// verification is one run of Verify.
type verification struct {
	opt    VerifyOptions
	rep    *Report
	file   *pdfFile
	checks []*signatureCheck

	stopped  error // what Stop said first
	prefixes map[crypto.Hash]prefixHash
}

// over tells whether to stop. What was found by then is no verdict.
func (v *verification) over() bool {
	if v.stopped == nil && v.opt.Stop != nil {
		v.stopped = v.opt.Stop()
	}
	return v.stopped != nil
}

// signatureCheck is one signature while it is judged.
type signatureCheck struct {
	field     sigField
	rng       signedRange
	rep       SignatureReport
	cms       *cmsMessage
	timestamp bool            // a document timestamp
	stamp     *timestampToken // within the signature; nil when there is none, or it is no good
	closes    bool
	restricts bool
	signedAt  time.Time // the best known time of signing
	err       error     // what Problem says

	issuer      *x509.Certificate // see authority
	issuerKnown bool
}

func (v *verification) run(pdf []byte) {
	rep := v.rep
	mentions := bytes.Contains(pdf, []byte("/ByteRange"))
	f, err := openPDF(pdf)
	if err != nil {
		rep.Sealed = mentions
		rep.Reason = damagedSentence(mentions, err)
		return
	}
	v.file = f
	fields, err := f.signatureFields()
	if err == nil {
		fields, err = signed(fields)
	}
	if err != nil {
		rep.Sealed = mentions
		rep.Reason = damagedSentence(mentions, err)
		return
	}
	if len(fields) == 0 {
		rep.Sealed, rep.Reason = f.unsealed(mentions)
		return
	}
	rep.Sealed = true
	if _, encrypted := f.trailer().get("Encrypt"); encrypted {
		rep.Reason = "The file is encrypted, so its signatures can't be verified."
		return
	}
	for _, fd := range fields {
		if v.over() {
			return
		}
		v.checks = append(v.checks, v.check(fd))
	}
	slices.SortStableFunc(v.checks, func(a, b *signatureCheck) int { return cmp.Compare(a.rng.end, b.rng.end) })
	v.compareRevisions()
	v.setLevels()
	if !v.over() {
		v.conclude()
	}
}

// unsealed tells what a file without signatures is: one that never had any, lost its end, or was relieved of them.
func (f *pdfFile) unsealed(mentions bool) (sealed bool, reason string) {
	if !mentions || f.hasUsageRights() {
		return false, "The file is not sealed: it has no signature."
	}
	end := f.buf[bytes.LastIndex(f.buf, []byte("startxref")):]
	if i := bytes.Index(end, []byte("%%EOF")); i < 0 || len(bytes.TrimSpace(end[i+len("%%EOF"):])) > 0 {
		return true, damagedSentence(true, errors.New("it does not end where a revision of it ends"))
	}
	return false, "The file is not sealed: something like a signature lies in it, but the document's form does not refer to it. A seal that was taken off looks like this."
}

// hasUsageRights tells whether the file carries a signature by which its maker unlocks features of a viewer; it says nothing
// about the document (ISO 32000-1, 12.8.2.3).
func (f *pdfFile) hasUsageRights() bool {
	_, root, err := f.catalog()
	if err != nil {
		return false
	}
	perms := f.dict(root.vals["Perms"])
	return perms != nil && (perms.vals["UR3"] != nil || perms.vals["UR"] != nil)
}

func damagedSentence(mentions bool, cause error) string {
	s := "The file is damaged, so nothing about it can be verified: " + cause.Error() + "."
	if mentions {
		s += " A sealed file that was changed or cut off looks like this."
	}
	return s
}

// check judges one signature by itself: its range, its cryptography, its certificate.
func (v *verification) check(fd sigField) *signatureCheck {
	f := v.file
	c := &signatureCheck{field: fd, closes: f.closes(fd), restricts: f.restricts(fd)}
	sub, _ := f.resolve(fd.value.vals["SubFilter"]).(pdfName)
	c.timestamp = sub == "ETSI.RFC3161"
	c.rep = SignatureReport{
		Kind: "signature", Field: fd.name, Format: string(sub),
		Reason: textOf(f.resolve(fd.value.vals["Reason"])), Location: textOf(f.resolve(fd.value.vals["Location"])),
	}
	if c.timestamp {
		c.rep.Kind = "timestamp"
	}
	if at, ok := parsePDFDate(textOf(f.resolve(fd.value.vals["M"]))); ok {
		c.rep.SignedAt, c.signedAt = &at, at
	}
	if c.err = v.checkCryptography(c, sub); c.err != nil {
		c.rep.Problem = c.err.Error()
	}
	return c
}

func (v *verification) checkCryptography(c *signatureCheck, sub pdfName) error {
	rng, contents, err := v.file.rangeOf(c.field.value)
	if err != nil {
		return err
	}
	c.rng = rng
	c.rep.CoversFile = rng.end == len(v.file.buf)
	if c.cms, err = parseCMS(contents); err != nil {
		return err
	}
	c.describe()
	if err := v.checkContent(c, sub); err != nil {
		return err
	}
	c.rep.Intact = true
	return v.checkCertificate(c)
}

func (v *verification) checkContent(c *signatureCheck, sub pdfName) error {
	switch sub {
	case "ETSI.RFC3161":
		t, err := checkTimestamp(c.cms, func(h crypto.Hash) []byte { return v.digest(c.rng, h) })
		if err == nil {
			c.signedAt, c.rep.SignedAt, c.rep.TimestampedAt = t.at, &t.at, &t.at
			c.rep.TimestampedBy, c.rep.TimestampTrusted = commonName(t.cms.signer), v.opt.trustsTime(t.cms, t.at)
		}
		return err
	case "ETSI.CAdES.detached", "adbe.pkcs7.detached":
	default:
		return fmt.Errorf("it is in a format that is not checked (%s)", sub)
	}
	if c.cms.content != nil {
		return errors.New("it carries content of its own beside the document's")
	}
	if err := c.cms.check(oidData, v.digest(c.rng, c.cms.hash)); err != nil {
		return err
	}
	if sub == "ETSI.CAdES.detached" && !c.cms.bindsCertificate() {
		return errors.New("it does not bind its certificate, as PAdES demands (signing-certificate-v2)")
	}
	if t, ok := c.cms.timestamp(); ok {
		c.stamp, c.rep.TimestampedAt, c.rep.TimestampedBy = &t, &t.at, commonName(t.cms.signer)
		// Anybody can add a timestamp by an authority of their own, without the signer's key: it must not move the signature in time.
		if c.rep.TimestampTrusted = v.opt.trustsTime(t.cms, t.at); c.rep.TimestampTrusted || c.signedAt.IsZero() {
			c.signedAt = t.at
		}
	}
	return nil
}

func commonName(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return c.Subject.CommonName
	}
	return c.Subject.String()
}

// messages are the signature and the timestamp within it.
func (c *signatureCheck) messages() []*cmsMessage {
	if c.stamp == nil {
		return []*cmsMessage{c.cms}
	}
	return []*cmsMessage{c.cms, c.stamp.cms}
}

// describe tells who signed, whatever the cryptography will say.
func (c *signatureCheck) describe() {
	s := c.cms.signer
	sum := sha256.Sum256(s.Raw)
	r := &c.rep
	r.Signer, r.Subject, r.Issuer = s.Subject.CommonName, s.Subject.String(), s.Issuer.String()
	if r.Signer == "" {
		r.Signer = r.Subject
	}
	if len(s.EmailAddresses) > 0 {
		r.Email = s.EmailAddresses[0]
	}
	r.Serial, r.Fingerprint = hex.EncodeToString(s.SerialNumber.Bytes()), hex.EncodeToString(sum[:])
	r.SelfSigned = bytes.Equal(s.RawIssuer, s.RawSubject)
	r.NotBefore, r.NotAfter = &s.NotBefore, &s.NotAfter
}

func (v *verification) checkCertificate(c *signatureCheck) error {
	s := c.cms.signer
	if c.signedAt.IsZero() {
		return errors.New("it does not say when it was made")
	}
	c.rep.CertificateValid = !c.signedAt.Before(s.NotBefore) && !c.signedAt.After(s.NotAfter)
	c.rep.TrustedBy = v.opt.trustedBy(c.cms, c.signedAt)
	c.rep.Trusted = c.rep.TrustedBy != ""
	if c.timestamp {
		c.rep.Trusted = c.rep.TimestampTrusted
	}
	if !c.rep.CertificateValid {
		return errors.New("its certificate was not valid at the time of signing")
	}
	return nil
}

// compareRevisions finds what was added after each signature that does not cover the whole file.
func (v *verification) compareRevisions() {
	for i, c := range v.checks {
		if c.rep.CoversFile || c.rng.end == 0 {
			continue
		}
		if v.over() {
			return
		}
		changes, err := v.file.changesAfter(c, v.mayFill(i))
		if err != nil {
			changes = append(changes, err.Error())
		}
		c.rep.ChangedAfter = changes
		for _, ch := range changes {
			if !slices.Contains(v.rep.Changes, ch) {
				v.rep.Changes = append(v.rep.Changes, ch)
			}
		}
	}
}

// setLevels names the PAdES baseline level of each signature (EN 319 142-1, clause 6).
func (v *verification) setLevels() {
	data := v.file.validationData()
	for i, c := range v.checks {
		if v.over() {
			return
		}
		switch {
		case !c.rep.Intact || c.timestamp:
		case c.rep.Format != "ETSI.CAdES.detached":
			c.rep.Level = "CMS"
		default:
			c.rep.Level = v.levelOf(c, v.checks[i+1:], &data)
		}
	}
}

// levelOf says how far a signature got, with what was added later and the validation data that the file has.
func (v *verification) levelOf(c *signatureCheck, later []*signatureCheck, data *validationData) string {
	proof, at, later := c.proof(later)
	if proof == nil {
		return LevelB
	}
	if !data.covers(c.cms, at) || !data.covers(proof, at) {
		return LevelT
	}
	for _, o := range slices.Backward(later) {
		if !o.proves() {
			continue
		}
		if then := v.dataAt(o, data); then.covers(c.cms, at) && then.covers(proof, at) {
			return LevelLTA
		}
		break
	}
	return LevelLT
}

// proof is the timestamp that says first when a signature was there: the one within it, or a document timestamp; rest is what
// comes after that. Without one the time is the signature's own.
func (c *signatureCheck) proof(later []*signatureCheck) (m *cmsMessage, at time.Time, rest []*signatureCheck) {
	if c.stamp != nil {
		return c.stamp.cms, c.stamp.at, later
	}
	i := slices.IndexFunc(later, (*signatureCheck).proves)
	if i < 0 {
		return nil, c.signedAt, nil
	}
	return later[i].cms, later[i].signedAt, later[i+1:]
}

// proves tells whether it is a document timestamp that is no less than that.
func (c *signatureCheck) proves() bool { return c.timestamp && c.rep.Problem == "" }

// dataAt is the validation data that a timestamp covers.
func (v *verification) dataAt(c *signatureCheck, now *validationData) *validationData {
	if c.rep.CoversFile {
		return now
	}
	f, err := openRevision(v.file.buf[:c.rng.end], v.file.nodes)
	if err != nil {
		return &validationData{}
	}
	then := f.validationData()
	return &then
}

// conclude turns the signatures into one verdict and its sentence.
func (v *verification) conclude() {
	last := v.checks[len(v.checks)-1]
	for _, c := range v.checks {
		v.rep.Signatures = append(v.rep.Signatures, c.rep)
	}
	v.rep.Reason = v.objection(last)
	v.rep.Valid = v.rep.Reason == ""
}

// trustedSeal is the place of the last signature that is no timestamp, when it is sound, is by somebody whom we trust, and
// nothing but signing data follows it; 0 when there is none.
func (v *verification) trustedSeal() int {
	for i, c := range slices.Backward(v.checks) {
		if c.timestamp {
			continue
		}
		if by := c.rep.TrustedBy; c.rep.Problem == "" && (by == TrustInstance || by == TrustGiven) && len(c.rep.ChangedAfter) == 0 {
			return i
		}
		break
	}
	return 0
}

func (v *verification) objection(last *signatureCheck) string {
	if last.rep.Problem == "" && !last.rep.CoversFile {
		return fmt.Sprintf("Changed after sealing: %d bytes follow what the last signature covers%s.",
			len(v.file.buf)-last.rng.end, listed(last.rep.ChangedAfter))
	}
	seal := v.trustedSeal()
	for i, c := range v.checks {
		if i < seal && !c.restricts {
			continue
		}
		who := c.rep.Signer
		if who == "" {
			who = "field " + c.field.name
		}
		switch {
		case errors.Is(c.err, errContentChanged):
			return fmt.Sprintf("Changed after sealing: the content is not what was signed (%s): it was changed, or the signature is another file's.", who)
		case c.rep.Problem != "":
			return fmt.Sprintf("The signature of %s is not valid: %s.", who, c.rep.Problem)
		case len(c.rep.ChangedAfter) > 0:
			return fmt.Sprintf("Changed after sealing: after the signature of %s%s.", who, listed(c.rep.ChangedAfter))
		}
	}
	return ""
}
