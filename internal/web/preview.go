package web

import (
	"net/http"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/preview"
)

// previewPage is an envelope's public page: its state, and names without
// addresses. Documents are for who signs and for who sent them.
func (s *server) previewPage(w http.ResponseWriter, r *http.Request) error {
	private(w)
	e, err := s.Store.EnvelopeBySlug(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	if e.Status == paraph.Draft {
		return paraph.Errorf(paraph.NotFound, "There is nothing to see here yet.")
	}
	v := preview.View{Name: e.Name, State: stateOf(&e), Now: s.Store.Now()}
	v.Text, v.At = "Last changed", e.UpdatedAt
	switch {
	case !e.EndedAt.IsZero():
		v.Text, v.At = "Ended", e.EndedAt
	case !e.SentAt.IsZero():
		v.Text, v.At = "Sent", e.SentAt
	}
	for _, rec := range e.Recipients {
		v.Recipients = append(v.Recipients, preview.Recipient{Name: or(rec.Name, rec.Role), Email: masked(rec), Does: does(rec.Kind), State: recipientStatus(&e, rec)})
	}
	for _, d := range e.Documents {
		if d.Sealed != "" {
			v.Sealed = append(v.Sealed, d.Sealed)
		}
	}
	if signed, ok := signedOf(r); ok && signed.Space.ID == e.AccountID {
		v.Own = envelopePath(e.ID)
	}
	return s.public(w, r, http.StatusOK, preview.Page(v), kit.Page{Title: e.Name, NoIndex: true})
}

func masked(r paraph.Recipient) string {
	if r.Email == "" {
		return ""
	}
	return maskEmail(r.Email)
}
