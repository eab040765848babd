package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
	"github.com/paraph-sign/paraph/internal/web/ui/sign"
)

type failed struct {
	Error string `json:"error"`
}

type stored struct {
	Version int               `json:"version"`
	Fields  []json.RawMessage `json:"fields"`
}

type uploaded struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Pages int    `json:"pages"`
	Size  int64  `json:"size"`
}

type layout struct {
	Version    int               `json:"version"`
	Pages      []pageJSON        `json:"pages"`
	Recipients []recipientJSON   `json:"recipients"`
	Fields     []json.RawMessage `json:"fields"`
}

type pageJSON struct {
	DocumentID   string `json:"document_id"`
	DocumentName string `json:"document_name"`
	Page         int    `json:"page"`
	Width        int    `json:"width"`
	Height       int    `json:"height"`
	Image        string `json:"image"`
	Text         []line `json:"text,omitempty"`
	TextURL      string `json:"text_url,omitempty"`
}

type line struct {
	T string  `json:"t"`
	X float64 `json:"x"`
	Y float64 `json:"y"`
	W float64 `json:"w"`
	H float64 `json:"h"`
}

type recipientJSON struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Role  string `json:"role"`
	Color int    `json:"color"`
}

type fieldJSON struct {
	ID             string   `json:"id"`
	DocumentID     string   `json:"document_id"`
	Page           int      `json:"page"`
	X              float64  `json:"x"`
	Y              float64  `json:"y"`
	W              float64  `json:"w"`
	H              float64  `json:"h"`
	Type           string   `json:"type"`
	RecipientID    string   `json:"recipient_id,omitempty"`
	Label          string   `json:"label"`
	Required       bool     `json:"required"`
	ReadOnly       bool     `json:"readonly"`
	Placeholder    string   `json:"placeholder"`
	Options        []string `json:"options"`
	Value          string   `json:"value"`
	SignatureImage string   `json:"signature_image"`
	Min            *float64 `json:"min"`
	Max            *float64 `json:"max"`
	Option         string   `json:"option,omitempty"`
	Also           []spot   `json:"also,omitempty"`
}

type spot struct {
	DocumentID string  `json:"document_id"`
	Page       int     `json:"page"`
	X          float64 `json:"x"`
	Y          float64 `json:"y"`
	W          float64 `json:"w"`
	H          float64 `json:"h"`
	Option     string  `json:"option,omitempty"`
}

type taskJSON struct {
	Envelope   envelopeJSON `json:"envelope"`
	Recipient  signerJSON   `json:"recipient"`
	Pages      []pageJSON   `json:"pages"`
	Fields     []fieldJSON  `json:"fields"`
	ValuesURL  string       `json:"values_url"`
	FinishURL  string       `json:"finish_url"`
	DeclineURL string       `json:"decline_url"`
}

type envelopeJSON struct {
	Name    string `json:"name"`
	Message string `json:"message"`
	Sender  string `json:"sender"`
}

type signerJSON struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	Kind  string `json:"kind"`
}

// paragraph is the text of every canned page.
func paragraph() []string {
	return []string{
		"LEASE OF THE MILL", "", "between Ada Lovelace, Lessor, and Charles Babbage, Lessee.", "",
		"1. The Lessor lets to the Lessee the mill at Ockham, with its wheels,", "its store and its barrel, for the reckoning of numbers.",
		"2. The rent is forty pounds a year, due on Lady Day.", "3. The Lessee keeps the mill dry, oiled and free of errors.",
		"4. Neither party transfers this lease without the other’s leave.", "5. Any change needs the signature of both.",
	}
}

func lineBox(i int, text string) line {
	size, x := 0.0165, 0.12
	if i == 0 {
		size = 0.024
	}
	return line{text, x, 0.09 + float64(i)*0.032, float64(len([]rune(text))) * size * 0.707 * 0.98, size}
}

func pictures(n int) []pageJSON {
	var out []pageJSON
	for i := range n {
		p := pageJSON{DocumentID: "d1", DocumentName: longName, Page: i, Width: 1190, Height: 1684, Image: "/picture/" + strconv.Itoa(i)}
		if i == n-1 {
			p = pageJSON{DocumentID: "d2", DocumentName: "ملحق – appendix, wide.pdf", Page: 0, Width: 1684, Height: 1190, Image: "/picture/wide"}
		}
		for j, text := range paragraph() {
			if text != "" && i < n-1 {
				p.Text = append(p.Text, lineBox(j, text))
			}
		}
		out = append(out, p)
	}
	return out
}

// picture draws a page as SVG; the real server sends PNGs.
func picture(w http.ResponseWriter, r *http.Request) {
	width, height := 1190, 1684
	if r.PathValue("n") == "wide" {
		width, height = height, width
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d"><rect width="100%%" height="100%%" fill="#fff"/>`, width, height, width, height)
	for i, text := range paragraph() {
		l := lineBox(i, text)
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" font-family="Liberation Serif, serif" font-size="%.1f" textLength="%.1f" fill="#222">%s</text>`,
			l.X*float64(width), (l.Y+l.H*0.8)*float64(height), l.H*float64(height), max(l.W*float64(width), 1), text)
	}
	fmt.Fprintf(&b, `<path d="M%d %dh420M%d %dh420" stroke="#222"/></svg>`, width/10, height*82/100, width*55/100, height*82/100)
	w.Header().Set("Content-Type", "image/svg+xml")
	_, _ = w.Write([]byte(b.String()))
}

func recipients() []recipientJSON {
	out := []recipientJSON{
		{"r1", "Ada Lovelace", "ada@lovelace.example", "Lessor", 0},
		{"r2", "Charles Babbage", "charles@babbage.example", "Lessee", 1},
	}
	for i, name := range []string{"Rear Admiral Donaudampfschifffahrtsgesellschaftskapitän a. D.", "ابن الهيثم", "", "李善蘭", "Sophie Germain", "Évariste Galois"} {
		out = append(out, recipientJSON{"r" + strconv.Itoa(i+3), name, "person" + strconv.Itoa(i) + "@a-very-long-host-name.example", "Witness", i + 2})
	}
	return out
}

// uglyFields are sixty fields of all types, some with labels that don't fit.
func uglyFields() []json.RawMessage {
	types := []string{"signature", "initials", "name", "email", "date", "text", "number", "checkbox", "radio", "select"}
	var out []json.RawMessage
	for i := range 60 {
		f := fieldJSON{
			ID: "f" + strconv.Itoa(i), DocumentID: "d1", Page: i / 30, X: 0.04 + float64(i%5)*0.19, Y: 0.42 + float64(i%30/5)*0.09,
			W: 0.17, H: 0.035, Type: types[i%10], RecipientID: "r" + strconv.Itoa(i%8+1), Required: i%3 != 0,
		}
		switch f.Type {
		case "signature", "radio":
			f.H = 0.06
			f.Options = []string{"One", "Two"}
		case "checkbox":
			f.W, f.H = 0.03, 0.021
		case "text":
			f.Label = "The lessee’s mother’s maiden name as written in the parish register"
		case "name":
			f.Label = "الاسم الكامل"
		}
		raw, _ := json.Marshal(f)
		out = append(out, raw)
	}
	return out
}

func taskFor(name string) taskJSON {
	t := taskJSON{
		Envelope:  envelopeJSON{longName, "Dear Ada,\nplease sign by Friday. The mill turns on Monday.", "Charles Babbage (charles@babbage.example)"},
		Recipient: signerJSON{"r1", "Ada Lovelace", "ada@lovelace.example", "signer"}, Pages: pictures(3), Fields: taskFields(),
		ValuesURL: "/api/" + name + "/values", FinishURL: "/api/" + name + "/post/finish", DeclineURL: "/api/" + name + "/post/decline",
	}
	if strings.HasPrefix(name, "viewer") {
		t.Recipient.Kind, t.Fields = "viewer", []fieldJSON{}
	}
	if strings.HasPrefix(name, "places") {
		t.Fields = placesFields()
		for i := range t.Pages {
			t.Pages[i].Text, t.Pages[i].TextURL = nil, "/text/"+strconv.Itoa(i)
		}
	}
	return t
}

// placesFields are fields with more than one place.
func placesFields() []fieldJSON {
	var out []fieldJSON
	for _, f := range taskFields() {
		switch f.ID {
		case "town":
			f.Also = []spot{{"d1", 0, 0.12, 0.2, 0.3, 0.025, ""}, {"d1", 1, 0.12, 0.2, 0.3, 0.025, ""}}
		case "wheel":
			f.W, f.H, f.Option = 0.03, 0.021, "Undershot"
			f.Also = []spot{{"d1", 0, 0.2, 0.63, 0.03, 0.021, "Overshot"}}
		case "signature":
			f.Also = []spot{{"d1", 0, 0.1, 0.8, 0.3, 0.05, ""}}
		default:
			continue
		}
		out = append(out, f)
	}
	return out
}

// words answers the text of a page by itself.
func words(w http.ResponseWriter, r *http.Request) {
	answer(w, http.StatusOK, []line{lineBox(2, "The words of page "+r.PathValue("n"))})
}

func taskFields() []fieldJSON {
	low, high := 1.0, 100.0
	at := func(id, kind, label string, page int, x, y, w, h float64) fieldJSON {
		return fieldJSON{ID: id, DocumentID: "d1", Page: page, X: x, Y: y, W: w, H: h, Type: kind, Label: label, Required: true}
	}
	name := at("name", "name", "Full name", 0, 0.12, 0.48, 0.3, 0.025)
	mail := at("email", "email", "", 0, 0.5, 0.48, 0.35, 0.025)
	town := at("town", "text", "Town", 0, 0.12, 0.53, 0.3, 0.025)
	rent := at("rent", "number", "Rent in pounds", 0, 0.5, 0.53, 0.2, 0.025)
	rent.Min, rent.Max = &low, &high
	day := at("day", "date", "First day", 0, 0.12, 0.58, 0.22, 0.025)
	agree := at("agree", "checkbox", "I have seen the mill", 0, 0.5, 0.58, 0.03, 0.021)
	wheel := at("wheel", "radio", "Which wheel?", 0, 0.12, 0.63, 0.25, 0.06)
	wheel.Options = []string{"Undershot", "Overshot"}
	river := at("river", "select", "River", 0, 0.5, 0.63, 0.25, 0.025)
	river.Options = []string{"Tillingbourne", "Wey", "Mole, which has a name that is much too long for its place"}
	note := at("note", "text", "ملاحظة", 0, 0.5, 0.68, 0.35, 0.025)
	note.Required = false
	fixed := at("fixed", "text", "Contract number", 0, 0.7, 0.05, 0.2, 0.02)
	fixed.ReadOnly, fixed.Required, fixed.Value = true, false, "M-1843/7"
	initials := at("initials", "initials", "", 0, 0.82, 0.94, 0.1, 0.035)
	signature := at("signature", "signature", "", 1, 0.1, 0.76, 0.34, 0.055)
	again := at("again", "signature", "Signature on the appendix", 0, 0.1, 0.74, 0.25, 0.075)
	again.DocumentID = "d2"
	return []fieldJSON{signature, name, mail, town, rent, day, agree, wheel, river, note, fixed, initials, again}
}

func plainForm() sign.Form {
	f := sign.Form{
		Envelope: longName, Sender: "Charles Babbage", Message: "Please sign by Friday.", Action: "/api/plain/post/finish",
		DeclineAction: "/api/plain/post/decline", Error: "One field is still empty.",
	}
	for _, p := range pictures(3) {
		f.Pages = append(f.Pages, sign.Picture{Image: p.Image, Width: p.Width, Height: p.Height, Text: strings.Join(paragraph(), " ")})
	}
	for _, t := range taskFields() {
		f.Fields = append(f.Fields, sign.FormField{ID: t.ID, Type: t.Type, Label: t.Label, Value: t.Value, Page: t.Page + 1, Options: t.Options, Required: t.Required, ReadOnly: t.ReadOnly})
	}
	f.Fields[3].Error = "Enter the town."
	return f
}

func recipientOptions() []kit.Option {
	var out []kit.Option
	for _, r := range recipients() {
		out = append(out, kit.Option{Value: r.ID, Label: r.Name})
	}
	return out
}
