package web

import (
	"net/http"
	"strconv"
	"time"

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
			out.Text += " It was not sealed by this server, so compare the fingerprint with the signer’s."
		}
	case rep.Sealed:
		out.Tone, out.Title = kit.Error, "Not valid"
	}
	out.Facts = []kit.Pair{{Name: "File", Value: paraph.Shorten(paraph.CleanLine(name), 200)}, {Name: "Size", Value: strconv.Itoa(rep.Size) + " bytes"}, {Name: "SHA-256", Value: rep.Digest}}
	for i, g := range rep.Signatures {
		out.Signatures = append(out.Signatures, signatureView(i, g))
	}
	return out
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
	if g.Problem != "" || !g.Intact {
		v.Status = kit.Status{Label: "Not intact", Tone: kit.Error, Icon: "x"}
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
	case g.Trusted:
		v.Notes = append(v.Notes, "Sealed by this server.")
	}
	return v
}

func signedAt(g seal.SignatureReport) string {
	show := func(t *time.Time, how string) string { return kit.Exact(*t) + how }
	switch {
	case g.TimestampedAt != nil:
		if g.Kind == "timestamp" {
			return show(g.TimestampedAt, "")
		}
		return show(g.TimestampedAt, " (timestamped by "+g.TimestampedBy+")")
	case g.SignedAt != nil:
		return show(g.SignedAt, " (by the signer’s clock)")
	}
	return ""
}
