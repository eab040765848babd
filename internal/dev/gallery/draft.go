package main

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/paraph-sign/paraph/internal/web/ui/draft"
	envelopenew "github.com/paraph-sign/paraph/internal/web/ui/envelope_new"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/preview"
	"github.com/paraph-sign/paraph/internal/web/ui/sign"
	"github.com/paraph-sign/paraph/internal/web/ui/verify"
)

// draftRoutes are the pages from a file to an envelope, and those at its end.
func (g gallery) draftRoutes(mux *http.ServeMux) {
	mux.Handle("GET /draft", g.page(func(*http.Request) templ.Component { return g.framed("Draft", draft.Page(uglyDraft())) }))
	mux.Handle("GET /review", g.page(func(*http.Request) templ.Component { return g.framed("Review", draft.ReviewPage(uglyReview())) }))
	mux.Handle("GET /outcome", g.page(func(*http.Request) templ.Component { return g.framed("Signed", sign.OutcomePage(uglyOutcome())) }))
	mux.Handle("GET /preview", g.page(func(*http.Request) templ.Component { return g.framed("Preview", preview.Page(uglyPreview())) }))
	mux.Handle("GET /verify", g.page(func(*http.Request) templ.Component { return g.framed("Verify", verify.Page(uglyVerdict())) }))
	mux.HandleFunc("POST /envelopes/7/details", g.saveDraft)
	mux.HandleFunc("POST /envelopes/7/documents", upload)
}

func (g gallery) framed(title string, content templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return kit.Layout(g.shell(title, envelopenew.Script)).Render(templ.WithChildren(ctx, content), w)
	})
}

// saveDraft remembers what a draft's form said and names its rows by their place.
func (g gallery) saveDraft(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseMultipartForm(1 << 20); err != nil {
		answer(w, http.StatusBadRequest, failed{err.Error()})
		return
	}
	ids := []string{}
	for i, id := range r.Form["recipient_id"] {
		if id == "" {
			id = "r" + strconv.Itoa(i+1)
		}
		ids = append(ids, id)
	}
	wrong := map[string]string{}
	if strings.Contains(r.Form.Get("message"), "wrong") {
		wrong["message"] = "The message is wrong."
	}
	g.desk.in("draft", func(k *world) { k.Posts = append(k.Posts, r.Form.Encode()) })
	answer(w, http.StatusOK, savedDraft{ids, wrong})
}

type savedDraft struct {
	IDs   []string          `json:"ids"`
	Wrong map[string]string `json:"wrong"`
}

func uglyDraft() draft.View {
	return draft.View{
		ID: 7, Name: longName, Documents: []draft.Document{{ID: 1, Name: longName, Facts: "1,204 pages, 98.7 MB"}, {ID: 2, Name: "ملحق", Facts: "1 page, 3 kB"}},
		Drop: envelopenew.Drop{Upload: "/envelopes/7/documents"}, Sequential: true, Message: "Dear all,\nplease sign.",
		Recipients: envelopenew.Recipients{Rows: []envelopenew.Row{{ID: "r1", Name: "Aurelia Featherstonehaugh-Cholmondeley", Email: "aurelia@@nowhere", Kind: "signer", Order: 1, EmailError: "“aurelia@@nowhere” is not an e-mail address."}}},
		Wrong:      map[string]string{"expire_at": "The expiry must lie in the future."}, Errors: []string{"“" + longName + "”: This file is protected by a password. Remove it and upload the file again."},
	}
}

func uglyReview() draft.Review {
	return draft.Review{
		ID: 7, Name: longName, Missing: "Place at least one field for Charles Babbage, or make them a viewer.", Fix: "/editor", Sequential: true,
		Documents:  []draft.Document{{Name: longName, Facts: "1,204 pages, 98.7 MB", Thumbnail: "/picture/0", Width: 240, Height: 339}},
		Recipients: []draft.Person{{Name: "Aurelia Featherstonehaugh-Cholmondeley", Email: "someone.with.a.very.long.address.indeed@subdomain.of-a-company-with-a-long-name.example", Does: "signs", Fields: 17, Order: 1}, {Name: "أحمد", Email: "ahmad@example.com", Does: "gets a copy", Role: "Witness", Order: 2, Number: 1}},
		Subject:    longName, Message: "Dear all,\nplease sign.", ExpireAt: now().AddDate(0, 1, 0), Now: now(),
	}
}

func uglyOutcome() sign.Outcome {
	return sign.Outcome{
		Envelope: longName, Sender: "Aurelia Featherstonehaugh-Cholmondeley", Title: "You have signed", Status: kit.StatusOf("signed"), Sealing: true, Now: now(),
		Text:      "Everybody has finished. The documents are being sealed; you get them by mail, and can download them here.",
		Waiting:   []sign.Waiting{{Name: "Maximilian-Alexander von und zu Donaudampfschifffahrtsgesellschaftskapitän", Does: "approves", State: kit.StatusOf("waiting")}, {Name: "أحمد", Does: "signs", State: kit.StatusOf("signed")}},
		Downloads: []sign.Download{{Label: longName, Href: "/outcome", Facts: "1,204 pages, as it stands now"}}, Next: "https://subdomain.of-a-company-with-a-long-name.example/thanks", NextHost: "subdomain.of-a-company-with-a-long-name.example", Verify: "/verify",
	}
}

func uglyPreview() preview.View {
	return preview.View{
		Name: longName, State: "sealing", Text: "Ended", At: now(), Now: now(), Own: "/envelope", Sealed: []string{strings.Repeat("0123456789abcdef", 4)},
		Recipients: []preview.Recipient{{Name: "Maximilian-Alexander von und zu Donaudampfschifffahrtsgesellschaftskapitän", Email: "m•••@s•••.example", Does: "approves", State: kit.StatusOf("approved")}},
	}
}

func uglyVerdict() verify.View {
	hash := strings.Repeat("0123456789abcdef", 4)
	return verify.View{Limit: "100 MB", Error: "This file is not a PDF.", Result: &verify.Result{
		File: longName, Tone: kit.Error, Icon: "warning", Title: "Not valid", Text: "The file was changed after it was sealed: a page was added.",
		Facts: []kit.Pair{{Name: "File", Value: longName}, {Name: "SHA-256", Value: hash}},
		Signatures: []verify.Signature{{
			Title: "Signature 1", Status: kit.Status{Label: "Not intact", Tone: kit.Error, Icon: "x"},
			Facts: []kit.Pair{{Name: "By", Value: "Donaudampfschifffahrtsgesellschaft m. b. H."}, {Name: "Fingerprint", Value: hash}, {Name: "Problem", Value: "It does not cover the whole file."}},
		}},
	}}
}
