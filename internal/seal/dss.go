package seal

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
)

// maxEvidence bounds the certificates, answers and lists of each kind that are read from one file.
const maxEvidence = 512

// validationData is what a file's document security store holds (ISO 32000-2, 12.8.4.3), as far as it can be read.
type validationData struct {
	certs []*x509.Certificate
	ocsps [][]byte
	crls  []*x509.RevocationList
}

func (f *pdfFile) validationData() (d validationData) {
	_, root, err := f.catalog()
	if err != nil {
		return d
	}
	dss := f.dict(root.vals["DSS"])
	if dss == nil {
		return d
	}
	for _, der := range f.evidenceList(dss.vals["Certs"]) {
		if c, err := x509.ParseCertificate(der); err == nil {
			d.certs = append(d.certs, c)
		}
	}
	d.ocsps = f.evidenceList(dss.vals["OCSPs"])
	for _, der := range f.evidenceList(dss.vals["CRLs"]) {
		if l, err := x509.ParseRevocationList(der); err == nil {
			d.crls = append(d.crls, l)
		}
	}
	return d
}

func (f *pdfFile) evidenceList(v any) (out [][]byte) {
	for _, ref := range firstOf(f.array(v), maxEvidence) {
		st, ok := f.resolve(ref).(*pdfStream)
		if !ok {
			continue
		}
		if der, err := f.decode(st, maxCRL+1); err == nil && len(der) <= maxCRL {
			out = append(out, der)
		}
	}
	return out
}

func (d *validationData) empty() bool { return len(d.certs)+len(d.ocsps)+len(d.crls) == 0 }

// covers tells whether all is there that it takes to judge a signer offline who signed at a time: the chain to its end, and for
// each certificate whose revocation could be learned somewhere, that it was good.
func (d *validationData) covers(m *cmsMessage, at time.Time) bool {
	if d.empty() {
		return false
	}
	pool := append(append([]*x509.Certificate{}, m.certs...), d.certs...)
	cert := m.signer
	for range maxChain {
		if selfIssued(cert) {
			return true
		}
		issuer := findIssuer(cert, pool)
		if issuer == nil {
			return !hasService(cert)
		}
		if hasService(cert) && !d.good(cert, issuer, at) {
			return false
		}
		cert = issuer
	}
	return false
}

func (d *validationData) good(cert, issuer *x509.Certificate, at time.Time) bool {
	for _, der := range d.ocsps {
		if _, err := readOCSP(der, cert, issuer, at, time.Time{}); err == nil {
			return true
		}
	}
	for _, l := range d.crls {
		if readCRL(l, cert, issuer, at, time.Time{}) == nil {
			return true
		}
	}
	return false
}

// signatureEvidence is evidence and the signature that it is for, by its Contents.
type signatureEvidence struct {
	contents []byte
	evidence
}

// vriKey names a signature in the store: SHA-1 over its Contents, in capital hexadecimal (ISO 32000-2, 12.8.4.4).
func vriKey(contents []byte) pdfName {
	sum := sha1.Sum(contents)
	return pdfName(strings.ToUpper(hex.EncodeToString(sum[:])))
}

// evidenceRevision writes one revision of validation data.
type evidenceRevision struct {
	file  *pdfFile
	rev   *pdfRevision
	dss   *pdfDict
	known map[[32]byte]pdfRef // streams of the store by digest
}

// addEvidence appends a revision that adds to the file's store what it does not have yet, and says which signature takes what.
func addEvidence(f *pdfFile, all []signatureEvidence, at time.Time) ([]byte, error) {
	rootRef, root, err := f.catalog()
	if err != nil {
		return nil, fmt.Errorf("add validation data: %w", err)
	}
	w := evidenceRevision{file: f, rev: newRevision(f), dss: dictOf("Type", pdfName("DSS")), known: map[[32]byte]pdfRef{}}
	if old := f.dict(root.vals["DSS"]); old != nil {
		w.dss = old.clone()
	}
	for _, k := range []pdfName{"Certs", "OCSPs", "CRLs"} {
		w.learn(k)
	}
	vri := newPDFDict()
	if old := f.dict(w.dss.vals["VRI"]); old != nil {
		vri = old.clone()
	}
	for _, e := range all {
		d := dictOf("Type", pdfName("VRI"))
		w.list(d, "Cert", "Certs", e.certs)
		w.list(d, "OCSP", "OCSPs", e.ocsps)
		w.list(d, "CRL", "CRLs", e.crls)
		d.set("TU", pdfString{val: []byte(at.UTC().Format("D:20060102150405Z"))})
		vri.set(vriKey(e.contents), d)
	}
	w.dss.set("VRI", vri)
	ref, ok := root.vals["DSS"].(pdfRef)
	if !ok {
		ref = w.rev.alloc()
	}
	w.rev.put(ref, w.dss)
	root = root.clone()
	root.set("DSS", ref)
	root.set("Extensions", f.withExtension(root))
	w.rev.put(rootRef, root)
	return w.rev.finish(), nil
}

// learn finds out what the store has already.
func (w *evidenceRevision) learn(kind pdfName) {
	for _, v := range firstOf(w.file.array(w.dss.vals[kind]), maxEvidence) {
		ref, ok := v.(pdfRef)
		st, isStream := w.file.resolve(v).(*pdfStream)
		if !ok || !isStream {
			continue
		}
		if der, err := w.file.decode(st, maxCRL+1); err == nil {
			w.known[sha256.Sum256(der)] = ref
		}
	}
}

// list names evidence in a signature's entry and in the store, and writes what is new.
func (w *evidenceRevision) list(d *pdfDict, short, kind pdfName, all [][]byte) {
	if len(all) == 0 {
		return
	}
	refs := pdfArray{}
	for _, der := range all {
		sum := sha256.Sum256(der)
		ref, ok := w.known[sum]
		if !ok {
			ref = w.rev.alloc()
			w.rev.put(ref, &pdfStream{dict: newPDFDict(), raw: der})
			w.known[sum] = ref
			w.dss.set(kind, append(append(pdfArray{}, w.file.array(w.dss.vals[kind])...), ref))
		}
		refs = append(refs, ref)
	}
	d.set(short, refs)
}

// withExtension says that the file uses what PAdES adds to PDF 1.7 (EN 319 142-1, 5.4.1).
func (f *pdfFile) withExtension(root *pdfDict) *pdfDict {
	ext := newPDFDict()
	if old := f.dict(root.vals["Extensions"]); old != nil {
		ext = old.clone()
	}
	if ext.vals["ESIC"] == nil {
		ext.set("ESIC", dictOf("BaseVersion", pdfName("1.7"), "ExtensionLevel", pdfInt(5)))
	}
	return ext
}
