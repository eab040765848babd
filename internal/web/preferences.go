package web

import (
	"context"
	"net/http"

	"github.com/a-h/templ"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/settings"
)

// preferencesPage is what holds for all documents of the space.
func (s *server) preferencesPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.Store.Preferences(r.Context(), s.signed(r).Space.ID)
	if err != nil {
		return err
	}
	v := s.preferencesView(r, p, kit.Wrong{})
	authorities, err := s.Store.Authorities(r.Context())
	if err != nil {
		return err
	}
	v.Authority = len(authorities) > 0
	return s.page(w, r, http.StatusOK, settings.PreferencesPage(v), kit.Page{Title: "Documents"})
}

func (s *server) preferencesView(r *http.Request, p paraph.Preferences, wrong kit.Wrong) settings.Preferences {
	signed := s.signed(r)
	return settings.Preferences{
		Owner: signed.User.Owner, Admin: signed.Space.Role == paraph.RoleAdmin, Space: signed.Space.Name,
		Audit: string(p.Audit), Language: p.Language, TimeZone: p.TimeZone, FileNames: p.FileNames, OwnSignatures: p.OwnSignatures,
		Places: auditPlaces(), Languages: seal.Languages(), Parts: paraph.FileNameParts(), Wrong: wrong,
	}
}

func auditPlaces() [][2]string {
	words := map[paraph.AuditPlace]string{
		paraph.AuditBoth: "In each document and as a PDF", paraph.AuditAppended: "In each document", paraph.AuditSeparate: "As a PDF of their own",
	}
	var out [][2]string
	for _, p := range paraph.AuditPlaces() {
		out = append(out, [2]string{string(p), words[p]})
	}
	return out
}

func (s *server) preferences(w http.ResponseWriter, r *http.Request) error {
	read := func(f form) paraph.Preferences {
		return paraph.Preferences{Audit: paraph.AuditPlace(f.Get("audit")), Language: f.Get("language"), TimeZone: f.Get("time_zone"), FileNames: f.Get("file_names"), OwnSignatures: f.Get("own_signatures") != ""}
	}
	return s.setting(w, r, "/settings/documents", "Saved. It holds for what is sealed from now on.", func(ctx context.Context, f form) error {
		return s.Desk.SetPreferences(ctx, s.who(r), read(f))
	}, func(f form, wrong kit.Wrong) templ.Component {
		return settings.PreferencesPage(s.preferencesView(r, read(f), wrong))
	})
}

// recipientsAuthority hands out the certificates of the authority that issues
// recipients' own, and of those before it.
func (s *server) recipientsAuthority(w http.ResponseWriter, r *http.Request) error {
	pem, err := s.Store.Authorities(r.Context())
	if err != nil {
		return err
	}
	if len(pem) == 0 {
		return paraph.Errorf(paraph.NotFound, "No certificate was issued to a recipient yet.")
	}
	w.Header().Set("Content-Type", "application/x-pem-file")
	w.Header().Set("Content-Disposition", `attachment; filename="recipients-ca.pem"`)
	_, err = w.Write(pem)
	return err
}
