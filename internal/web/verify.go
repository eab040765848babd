package web

import (
	"net/http"
	"strconv"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/verify"
)

func (s *server) verifyPage(w http.ResponseWriter, r *http.Request) error {
	return s.showVerify(w, r, http.StatusOK, verify.View{})
}

func (s *server) showVerify(w http.ResponseWriter, r *http.Request, status int, v verify.View) error {
	v.Limit = megabytes(s.MaxSize)
	return s.page(w, r, status, verify.Page(v), kit.Page{Title: "Verify a PDF"})
}

// verify says of a PDF what the command says. The file is not kept.
func (s *server) verify(w http.ResponseWriter, r *http.Request) error {
	if err := s.tries.check(s.Store.Now(), "verify "+s.caller(r)); err != nil {
		return err
	}
	f, err := readForm(w, r, limits{values: 64 << 10, file: s.MaxSize, files: 1, total: 2 * s.MaxSize, room: s.Desk.Visits})
	if err != nil {
		return err
	}
	if len(f.files) == 0 {
		return s.refuseVerify(w, r, paraph.FieldErrorf("file", "Choose a PDF first."))
	}
	u := f.files[0]
	if u.refused != nil {
		return s.refuseVerify(w, r, u.refused)
	}
	rep, err := s.Desk.Verify(r.Context(), u.data)
	if shown, rest := oops(err); rest != nil {
		return rest
	} else if shown != nil {
		return s.refuseVerify(w, r, shown)
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, rep)
		return nil
	}
	return s.showVerify(w, r, http.StatusOK, verify.View{Result: verdict(u.name, rep)})
}

func (s *server) refuseVerify(w http.ResponseWriter, r *http.Request, err error) error {
	shown, ok := asError(err)
	if wantsJSON(r) || !ok {
		return err
	}
	return s.showVerify(w, r, statusOf(err), verify.View{Error: shown.Message})
}

// verdict is a report as people read it.
func verdict(name string, rep seal.Report) *verify.Result {
	out := &verify.Result{File: name, Tone: kit.Warning, Icon: "warning", Title: "This file is not sealed", Text: rep.Reason}
	switch {
	case rep.Valid:
		out.Tone, out.Icon, out.Title, out.Text = kit.Success, "check", "Sealed, and unchanged since", "Not a byte of it was changed after it was sealed."
		if !trusted(rep) {
			out.Tone, out.Icon = kit.Warning, "warning"
			out.Text += " But nobody whom this server trusts has sealed it, so compare the fingerprint with the signer’s."
		}
	case rep.Sealed:
		out.Tone, out.Title = kit.Error, "Not valid"
	}
	if len(rep.Changes) > 0 && rep.Valid {
		out.Text = "Unchanged since the last seal. What was changed before, after an earlier signature, stands below."
	}
	out.Facts = []kit.Pair{{Name: "File", Value: paraph.Shorten(paraph.CleanLine(name), 200)}, {Name: "Size", Value: strconv.Itoa(rep.Size) + " bytes"}, {Name: "SHA-256", Value: rep.Digest}}
	if rep.SealedHere != nil && *rep.SealedHere {
		out.Facts = append(out.Facts, kit.Pair{Name: "Known here", Value: "Byte for byte a file that was sealed by this server"})
	}
	for i, g := range rep.Signatures {
		out.Signatures = append(out.Signatures, signatureView(i, g))
	}
	if rep.Trail != nil {
		out.Trail = trailView(*rep.Trail)
	}
	return out
}

func trailView(t seal.TrailReport) *verify.Signature {
	v := &verify.Signature{Title: "Audit trail inside", Status: kit.Status{Label: "Chain holds", Tone: kit.Success, Icon: "check"}}
	switch {
	case !t.Holds:
		v.Status = kit.Status{Label: "Broken", Tone: kit.Error, Icon: "x"}
	case !t.Sealed:
		v.Status = kit.Status{Label: "Not protected", Tone: kit.Warning, Icon: "warning"}
	}
	v.Notes = []string{capital(t.String()) + "."}
	if !t.Holds {
		v.Notes = []string{t.Problem}
	}
	for _, f := range []kit.Pair{{Name: "Envelope", Value: t.Name}, {Name: "Id", Value: t.Envelope}, {Name: "Kept by", Value: t.Instance}, {Name: "Document", Value: t.Document}, {Name: "Last hash", Value: t.Hash}} {
		if f.Value != "" {
			v.Facts = append(v.Facts, kit.Pair{Name: f.Name, Value: paraph.Shorten(paraph.CleanLine(f.Value), 200)})
		}
	}
	return v
}

func trusted(rep seal.Report) bool {
	for _, g := range rep.Signatures {
		if g.Trusted {
			return true
		}
	}
	return false
}

func signatureView(i int, g seal.SignatureReport) verify.Signature {
	v := verify.Signature{Title: capital(g.Kind) + " " + strconv.Itoa(i+1), Status: kit.Status{Label: "Intact", Tone: kit.Success, Icon: "check"}}
	switch {
	case g.Problem != "" || !g.Intact:
		v.Status = kit.Status{Label: "Not valid", Tone: kit.Error, Icon: "x"}
	case len(g.ChangedAfter) > 0:
		v.Status = kit.Status{Label: "Changed afterwards", Tone: kit.Error, Icon: "x"}
	case !g.Trusted:
		v.Status = kit.Status{Label: "Intact, by a stranger", Tone: kit.Warning, Icon: "warning"}
	}
	add := func(name, value string) {
		if value != "" {
			v.Facts = append(v.Facts, kit.Pair{Name: name, Value: value})
		}
	}
	add("By", g.Signer)
	issuer := g.Issuer
	if g.SelfSigned {
		issuer = "itself"
	}
	add("Issued by", issuer)
	add("Time", signedAt(g))
	add("Reason", g.Reason)
	add("Location", g.Location)
	add("Level", g.Level)
	add("Fingerprint", g.Fingerprint)
	add("Problem", g.Problem)
	for _, c := range g.ChangedAfter {
		add("Changed after", c)
	}
	switch {
	case g.Trusted && g.Kind == "timestamp":
		v.Notes = append(v.Notes, "By an authority that this server trusts.")
	case g.TrustedBy == seal.TrustInstance:
		v.Notes = append(v.Notes, "Sealed by this server.")
	case g.Intact:
		v.Notes = append(v.Notes, "Trust: "+g.Trust()+".")
	}
	return v
}

func signedAt(g seal.SignatureReport) string {
	switch {
	case g.TimestampedAt != nil && g.TimestampTrusted:
		return kit.Exact(*g.TimestampedAt) + " (timestamped by " + g.TimestampedBy + ")"
	case g.TimestampedAt != nil && g.SignedAt != nil && g.Kind == "signature":
		return kit.Exact(*g.SignedAt) + " (by the signer’s clock; " + g.TimestampedBy + ", which is not trusted here, says " + kit.Exact(*g.TimestampedAt) + ")"
	case g.TimestampedAt != nil:
		return kit.Exact(*g.TimestampedAt) + " (says " + g.TimestampedBy + ", which is not trusted here)"
	case g.SignedAt != nil:
		return kit.Exact(*g.SignedAt) + " (by the signer’s clock)"
	}
	return ""
}
