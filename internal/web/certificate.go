package web

import (
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net/http"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/settings"
)

const certificatePath = "/settings/certificate"

func (s *server) certificatePage(w http.ResponseWriter, r *http.Request) error {
	return s.showCertificate(w, r, http.StatusOK, func(*settings.Certificate) {})
}

func (s *server) showCertificate(w http.ResponseWriter, r *http.Request, status int, edit func(*settings.Certificate)) error {
	v, err := s.certificateView(r)
	if err != nil {
		return err
	}
	edit(&v)
	return s.page(w, r, status, settings.CertificatePage(v), kit.Page{Title: "Certificate"})
}

func (s *server) certificateView(r *http.Request) (v settings.Certificate, err error) {
	ctx := r.Context()
	all, err := s.Desk.Certificates(ctx, s.who(r))
	if err != nil {
		return v, err
	}
	v = settings.Certificate{
		Trouble: all.Trouble, Warnings: all.Warnings, Operator: all.Operator, Waiting: all.Waiting, Now: s.Store.Now(), Open: r.URL.Query().Get("do"),
		Name: all.Used.Subject,
	}
	if v.Notice, v.Urgent, err = s.Desk.ExpiryNotice(ctx); err != nil {
		return v, err
	}
	names, err := s.namesOf(ctx, all.All)
	if err != nil {
		return v, err
	}
	for _, c := range all.All {
		x, err := sealer(c, v.Now)
		if err != nil {
			return v, err
		}
		x.By = names[c.CreatedBy]
		if c.ID == all.Used.ID {
			v.Used = &x
		} else {
			v.Earlier = append(v.Earlier, x)
		}
	}
	return v, nil
}

// namesOf are the names of those who added certificates.
func (s *server) namesOf(ctx context.Context, all []store.SealCertificate) (map[int64]string, error) {
	names := map[int64]string{0: ""}
	for _, c := range all {
		if _, has := names[c.CreatedBy]; has {
			continue
		}
		u, err := s.Store.User(ctx, c.CreatedBy)
		if err != nil && paraph.KindOf(err) != paraph.NotFound {
			return nil, err
		}
		names[c.CreatedBy] = u.Name
	}
	return names, nil
}

// sealer is a certificate as people read it.
func sealer(c store.SealCertificate, now time.Time) (settings.Sealer, error) {
	chain, err := seal.ReadCertificates([]byte(c.Certificates))
	if err != nil {
		return settings.Sealer{}, fmt.Errorf("seal certificate %d: %w", c.ID, err)
	}
	leaf, last := chain[0], chain[len(chain)-1]
	v := settings.Sealer{
		ID: c.ID, Subject: c.Subject, Issuer: certifiedName(leaf, leaf.Issuer.CommonName, leaf.Issuer.String()), Serial: hex.EncodeToString(leaf.SerialNumber.Bytes()),
		Fingerprint: c.Fingerprint, Key: keyKind(leaf), From: sourceWord(c.Source), Start: c.NotBefore, End: c.NotAfter,
		Added: c.CreatedAt, UsedFrom: c.UsedFrom, UsedUntil: c.UsedUntil,
	}
	if last != leaf {
		v.Authority, v.AuthorityEnd, v.AuthorityPrint = certifiedName(nil, last.Subject.CommonName, last.Subject.String()), last.NotAfter.UTC().Format("2 January 2006"), seal.Fingerprint(last)
	}
	switch {
	case c.Source == store.SealOperator || !c.HasKeys:
		v.Why = "Its key is not here"
	case now.After(c.NotAfter):
		v.Why = "It has ended"
	default:
		v.Usable = true
	}
	return v, nil
}

// certifiedName is a common name, or all of the name when there is none. A
// certificate that nobody else issued says so.
func certifiedName(c *x509.Certificate, common, whole string) string {
	if c != nil && string(c.RawIssuer) == string(c.RawSubject) {
		return "itself"
	}
	if common != "" {
		return common
	}
	return whole
}

func keyKind(c *x509.Certificate) string {
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA, %d bits", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA, " + k.Curve.Params().Name
	}
	return c.PublicKeyAlgorithm.String()
}

func sourceWord(source string) string {
	switch source {
	case store.SealGenerated:
		return "Made by this server"
	case store.SealUploaded:
		return "Uploaded"
	}
	return "Given by the operator"
}

func (s *server) uploadCertificate(w http.ResponseWriter, r *http.Request) error {
	if !s.signed(r).User.Owner {
		return errNotOwner
	}
	f, err := readForm(w, r, limits{values: 8 << 10, file: seal.MaxIdentityFile, files: 1, total: 2 * seal.MaxIdentityFile, room: s.Desk.Uploads})
	if err != nil {
		return err
	}
	c, err := s.receiveCertificate(r, f)
	return s.changed(w, r, c, err, func(v *settings.Certificate, wrong kit.Wrong) { v.Upload = wrong })
}

func (s *server) receiveCertificate(r *http.Request, f form) (store.SealCertificate, error) {
	switch {
	case len(f.files) == 0:
		return store.SealCertificate{}, paraph.FieldErrorf("file", "Choose a file first.")
	case f.files[0].refused != nil:
		return store.SealCertificate{}, paraph.FieldErrorf("file", "The file is larger than 1 MB, which no key with its certificates is.")
	}
	return s.Desk.UploadCertificate(r.Context(), s.who(r), f.files[0].data, f.Get("password"))
}

func (s *server) generateCertificate(w http.ResponseWriter, r *http.Request) error {
	f, err := readForm(w, r, smallForm)
	if err != nil {
		return err
	}
	c, err := s.Desk.GenerateCertificate(r.Context(), s.who(r), f.Get("name"), f.Get("authority") != "")
	return s.changed(w, r, c, err, func(v *settings.Certificate, wrong kit.Wrong) {
		v.Generate, v.Name, v.NewAuthority = wrong, f.Get("name"), f.Get("authority") != ""
	})
}

func (s *server) useCertificate(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	c, err := s.Desk.UseCertificate(r.Context(), s.who(r), id)
	return s.settle(w, r, certificatePath, sealsNow(c), err)
}

func sealsNow(c store.SealCertificate) string {
	return "“" + c.Subject + "” seals from now on. To go back, choose an earlier certificate below."
}

// changed shows the page after a change, or the form with what is wrong in it.
func (s *server) changed(w http.ResponseWriter, r *http.Request, c store.SealCertificate, err error, again func(*settings.Certificate, kit.Wrong)) error {
	shown, rest := oops(err)
	if rest != nil {
		return rest
	}
	if shown != nil && shown.Field != "" && !wantsJSON(r) {
		return s.showCertificate(w, r, statusOf(shown), func(v *settings.Certificate) { again(v, wrong(shown)) })
	}
	return s.settle(w, r, certificatePath, sealsNow(c), err)
}

// certificateFile hands out a certificate, or the authority's at the end of its
// chain: PEM, or DER for viewers that want .cer.
func (s *server) certificateFile(w http.ResponseWriter, r *http.Request) error {
	id, err := pathID(r, "id")
	if err != nil {
		return err
	}
	c, err := s.Desk.Certificate(r.Context(), s.who(r), id)
	if err != nil {
		return err
	}
	chain, err := seal.ReadCertificates([]byte(c.Certificates))
	if err != nil {
		return err
	}
	name := r.PathValue("file")
	data, kind := publicFile(chain, name)
	if data == nil {
		return errNoPage
	}
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s"`, name)) // one of four
	_, err = w.Write(data)
	return err
}

func publicFile(chain []*x509.Certificate, name string) (data []byte, kind string) {
	leaf, last := chain[0], chain[len(chain)-1]
	asPEM := func(c *x509.Certificate) []byte {
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
	}
	switch {
	case name == "certificate.pem":
		return asPEM(leaf), "application/x-pem-file"
	case name == "certificate.cer":
		return leaf.Raw, "application/pkix-cert"
	case name == "authority.pem" && last != leaf:
		return asPEM(last), "application/x-pem-file"
	case name == "authority.cer" && last != leaf:
		return last.Raw, "application/pkix-cert"
	}
	return nil, ""
}

// ownersNotice tells the owner, in the settings, that the certificate ends
// soon or has.
func (s *server) ownersNotice(r *http.Request) ([]kit.Notice, error) {
	if !s.signed(r).User.Owner {
		return nil, nil
	}
	text, urgent, err := s.Desk.ExpiryNotice(r.Context())
	if err != nil || text == "" {
		return nil, err
	}
	tone := kit.Warning
	if urgent {
		tone = kit.Error
	}
	return []kit.Notice{{Tone: tone, Text: text + " See “Certificate”.", Stays: true}}, nil
}
