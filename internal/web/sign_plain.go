package web

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/sign"
)

func (s *server) signPlainPage(w http.ResponseWriter, r *http.Request) error {
	private(w)
	p, acts, err := s.opened(r)
	if err != nil {
		return err
	}
	if !acts {
		return s.showOutcome(w, r, &p)
	}
	return s.showForm(w, r, http.StatusOK, &p, form{}, nil)
}

// showPlain shows the plain form again, as it was sent, with what is wrong.
func (s *server) showPlain(w http.ResponseWriter, r *http.Request, status int, f form, wrong map[string]string) error {
	p, err := s.partOf(r) // anew: some values were stored
	if err != nil {
		return err
	}
	return s.showForm(w, r, status, &p, f, wrong)
}

func (s *server) showForm(w http.ResponseWriter, r *http.Request, status int, p *part, sent form, wrong map[string]string) error {
	v := s.signForm(r.Context(), p)
	s.describe(r.Context(), p, &v)
	v.ConsentError, v.Consented = wrong["consent"], sent.Get("consent") != ""
	for i := range v.Fields {
		f := &v.Fields[i]
		if f.Error = wrong["field_"+f.ID]; f.Error != "" && sent.Has("field-"+f.ID) {
			f.Value = sent.Get("field-" + f.ID)
		}
	}
	v.Error = wrong[""]
	if v.Error == "" && len(wrong) > 0 {
		v.Error = "Not finished yet. What is missing stands below, beside its field; everything else is saved."
	}
	return s.public(w, r, status, sign.SignerForm(v), kit.Page{Title: p.e.Name, NoIndex: true})
}

// describing bounds how long a page waits for the words of its pictures. What is
// not read by then is read from the PDF.
const describing = time.Second

// describe gives the pages' pictures their words.
func (s *server) describe(ctx context.Context, p *part, v *sign.Form) {
	ctx, stop := context.WithTimeout(ctx, describing)
	defer stop()
	n := 0
	for _, d := range p.e.Documents {
		for i := range d.Pages {
			if words, err := s.words(ctx, d, i); err == nil {
				v.Pages[n].Text = joined(words)
			}
			if n++; ctx.Err() != nil {
				return
			}
		}
	}
}

// signForm is the document and the recipient's fields as one plain form.
func (s *server) signForm(ctx context.Context, p *part) sign.Form {
	v := sign.Form{
		Envelope: p.e.Name, Sender: s.sender(ctx, &p.e), Message: p.e.Message, Action: p.path(), DeclineAction: p.path() + "/decline",
		Consent: consentOf(p.r.Kind), Finish: finishLabel(p.r.Kind),
	}
	first := map[int64]int{} // number of a document's first page
	for _, d := range p.e.Documents {
		first[d.ID] = len(v.Pages) + 1
		base := p.path() + "/documents/" + strconv.FormatInt(d.ID, 10)
		for i, size := range d.Pages {
			w, h := pictureSize(size, readingWidth)
			v.Pages = append(v.Pages, sign.Picture{Image: pictureURL(base, &p.e, d, i, readingWidth), Width: w, Height: h})
		}
		v.Documents = append(v.Documents, sign.Download{Label: d.Name, Href: base + "?view=1", Facts: pageCount(len(d.Pages))})
	}
	now := s.Store.Now()
	for _, f := range p.e.FieldsOf(p.r.ID) {
		a := f.Areas[0]
		field := sign.FormField{
			ID: strconv.FormatInt(f.ID, 10), Type: string(f.Type), Label: label(f), Page: first[a.DocumentID] + a.Page,
			Placeholder: f.Settings.Placeholder, Options: f.Settings.Options, Min: f.Settings.Min, Max: f.Settings.Max,
			Required: f.Required, ReadOnly: f.ReadOnly, SignatureImage: p.signatureURL(f),
		}
		if !f.Type.IsImage() {
			field.Value = shownValue(f, p.r, now).Text
		}
		v.Fields = append(v.Fields, field)
	}
	return v
}

// joined are a page's words in a row.
func joined(lines []lineJSON) string {
	words := make([]string, len(lines))
	for i, l := range lines {
		words[i] = l.T
	}
	return paraph.Shorten(strings.Join(words, " "), 4000)
}

// finishLabel is what the last button says.
func finishLabel(k paraph.RecipientKind) string {
	switch k {
	case paraph.Approver:
		return "Approve"
	case paraph.Viewer:
		return "I have read it"
	case paraph.Assistant:
		return "Done"
	}
	return "Sign and finish"
}
