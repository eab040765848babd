package desk_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// emptyPages is a PDF of empty pages, each with these entries.
func emptyPages(pages []string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	var offsets []int
	object := func(body string) {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", len(offsets), body)
	}
	kids := ""
	for i := range pages {
		kids += fmt.Sprintf("%d 0 R ", i+3)
	}
	object("<< /Type /Catalog /Pages 2 0 R >>")
	object(fmt.Sprintf("<< /Type /Pages /Kids [%s] /Count %d >>", kids, len(pages)))
	for _, p := range pages {
		object("<< /Type /Page /Parent 2 0 R " + p + " >>")
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(offsets)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(offsets)+1, start)
	return b.Bytes()
}

// pagesOf draws a PDF by poppler, one pixel to the point.
func pagesOf(t *testing.T, pdf []byte) []image.Image {
	t.Helper()
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pdf")
	if err := os.WriteFile(in, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	if msg, err := exec.Command("pdftoppm", "-r", "72", "-cropbox", "-png", in, filepath.Join(dir, "page")).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm is needed by this test (Debian: poppler-utils): %v\n%s", err, msg)
	}
	files, err := filepath.Glob(filepath.Join(dir, "page*.png"))
	if err != nil {
		t.Fatal(err)
	}
	var out []image.Image
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		img, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, img)
	}
	return out
}

// drawing is one thing to draw: a field with its value.
type drawing struct {
	name   string
	field  paraph.FieldType
	input  desk.Input
	option string // of the place
}

const penWave = `{"strokes":[[[0,40,0.5,0],[20,10,0.5,20],[40,60,0.5,45],[60,15,0.5,60],[80,50,0.5,90],[110,30,0.5,130]],[[50,0,0.5,300]]]}`

func drawings(t *testing.T) []drawing {
	return []drawing{
		{"signature, drawn", paraph.SignatureField, desk.Input{Method: "draw", Strokes: []byte(penWave)}, ""},
		{"signature, drawn without strokes", paraph.SignatureField, desk.Input{Method: "draw", Image: desktest.Signature(t)}, ""},
		{"signature, typed", paraph.SignatureField, desk.Input{Method: "type", Text: "Ada Lovelace", Face: paraph.FaceGreatVibes}, ""},
		{"signature, uploaded", paraph.SignatureField, desk.Input{Method: "upload", Image: desktest.Signature(t)}, ""},
		{"initials, drawn", paraph.InitialsField, desk.Input{Method: "draw", Strokes: []byte(penWave)}, ""},
		{"initials, typed", paraph.InitialsField, desk.Input{Method: "type", Text: "AL"}, ""},
		{"name", paraph.NameField, desk.Input{Text: "Ada Lovelace"}, ""},
		{"email", paraph.EmailField, desk.Input{Text: "ada@lovelace.example"}, ""},
		{"date", paraph.DateField, desk.Input{Text: "2026-03-14"}, ""},
		{"text", paraph.TextField, desk.Input{Text: "two lines\nof text"}, ""},
		{"long text", paraph.TextField, desk.Input{Text: strings.Repeat("much more than fits into this box ", 30)}, ""},
		{"number", paraph.NumberField, desk.Input{Text: "1234.5"}, ""},
		{"phone", paraph.PhoneField, desk.Input{Text: "+44 20 7946 0007"}, ""},
		{"checkbox", paraph.CheckboxField, desk.Input{Text: "true"}, ""},
		{"radio, the chosen place", paraph.RadioField, desk.Input{Text: "Red"}, "Red"},
		{"radio, one place for all", paraph.RadioField, desk.Input{Text: "Blue"}, ""},
		{"select", paraph.SelectField, desk.Input{Text: "Red"}, ""},
	}
}

// grid is the n-th box on a page, three in a row.
func grid(page, n int) paraph.Area {
	return paraph.Area{DocumentID: 1, Page: page, X: 0.05 + 0.32*float64(n%3), Y: 0.04 + 0.155*float64(n/3), W: 0.27, H: 0.12}
}

// TestEveryFieldOnEveryPage draws each kind of field on pages of every shape and looks, by poppler, that its box has ink and that nothing
// else has.
func TestEveryFieldOnEveryPage(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	ada := w.Person(t, "Ada")
	var pages []string
	for _, boxes := range []string{
		"/MediaBox [0 0 595 842]", "/MediaBox [0 0 842 595]", "/MediaBox [0 0 612 792] /CropBox [100 150 500 700]",
		"/MediaBox [-200 -100 400 700]", "/MediaBox [0 0 300 400] /UserUnit 2",
	} {
		for _, rotate := range []int{0, 90, 180, 270} {
			pages = append(pages, fmt.Sprintf("%s /Rotate %d", boxes, rotate))
		}
	}
	all := drawings(t)
	e := paraph.Envelope{AccountID: ada.Who.AccountID, Recipients: []paraph.Recipient{{ID: 1, UUID: "5a3b1e00-0000-4000-8000-000000000011", Name: "Ada Lovelace", CompletedAt: w.Clock.Now()}}}
	for i, d := range all {
		f := paraph.Field{ID: int64(i + 1), RecipientID: 1, Type: d.field, Settings: paraph.FieldSettings{Options: []string{"Red", "Blue"}}}
		v, err := w.Desk.Value(t.Context(), d.input)
		if err == nil {
			f.Value, err = f.CheckValue(v)
		}
		if err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		for page := range pages {
			a := grid(page, i)
			a.Option = d.option
			f.Areas = append(f.Areas, a)
		}
		e.Fields = append(e.Fields, f)
	}
	original, err := w.Blobs.Put(t.Context(), emptyPages(pages))
	if err != nil {
		t.Fatal(err)
	}
	pdf, err := w.Desk.CurrentPDF(t.Context(), &e, paraph.Document{ID: 1, Original: original})
	if err != nil {
		t.Fatal(err)
	}
	pictures := pagesOf(t, pdf)
	if len(pictures) != len(pages) {
		t.Fatalf("%d pages of %d", len(pictures), len(pages))
	}
	for page, img := range pictures {
		ink, strays := darkPixels(img, page, len(all))
		if strays > 0 {
			t.Errorf("%s: %d dark pixels outside of all boxes", pages[page], strays)
		}
		for i, n := range ink {
			if n < 8 {
				t.Errorf("%s: %s does not show: %d dark pixels", pages[page], all[i].name, n)
			}
		}
	}
}

// darkPixels gives the dark pixels in each box of a page, and those outside of all.
func darkPixels(img image.Image, page, boxes int) (ink []int, strays int) {
	ink = make([]int, boxes)
	w, h := float64(img.Bounds().Dx()), float64(img.Bounds().Dy())
	const slack = 1.5 // pixels, of smoothing
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			if r, g, b, _ := img.At(x, y).RGBA(); min(r, g, b) > 0xB000 {
				continue
			}
			inside := false
			for i := range ink {
				a := grid(page, i)
				if float64(x) > a.X*w-slack && float64(x) < (a.X+a.W)*w+slack && float64(y) > a.Y*h-slack && float64(y) < (a.Y+a.H)*h+slack {
					ink[i]++
					inside = true
				}
			}
			if !inside {
				strays++
			}
		}
	}
	return ink, strays
}

// TestSignatureLine finds who, when and which below a signature, in the zone of the envelope or of the account.
func TestSignatureLine(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	ada := w.Person(t, "Ada")
	original, err := w.Blobs.Put(t.Context(), emptyPages([]string{"/MediaBox [0 0 595 842]"}))
	if err != nil {
		t.Fatal(err)
	}
	for zone, want := range map[string]string{
		"":              "2026-03-14 23:30 UTC · 5a3b1e00",
		"Europe/Berlin": "2026-03-15 00:30 +01:00 · 5a3b1e00",
		"Asia/Kolkata":  "2026-03-15 05:00 +05:30 · 5a3b1e00",
	} {
		v, err := w.Desk.Value(t.Context(), desk.Input{Method: "draw", Strokes: []byte(penWave)})
		if err != nil {
			t.Fatal(err)
		}
		e := paraph.Envelope{
			AccountID: ada.Who.AccountID, TimeZone: zone,
			Recipients: []paraph.Recipient{{ID: 1, UUID: "5a3b1e00-0000-4000-8000-000000000011", Name: "Ада Лавлейс", CompletedAt: time.Date(2026, 3, 14, 23, 30, 0, 0, time.UTC)}},
			Fields:     []paraph.Field{{ID: 1, RecipientID: 1, Type: paraph.SignatureField, Value: v, Areas: []paraph.Area{{DocumentID: 1, X: 0.1, Y: 0.1, W: 0.3, H: 0.1}}}},
		}
		pdf, err := w.Desk.CurrentPDF(t.Context(), &e, paraph.Document{ID: 1, Original: original})
		if err != nil {
			t.Fatal(err)
		}
		in := filepath.Join(t.TempDir(), "in.pdf")
		if err := os.WriteFile(in, pdf, 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := exec.Command("pdftotext", "-enc", "UTF-8", in, "-").Output()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(got), "Ада Лавлейс\n"+want) {
			t.Errorf("in %q the line is %q, want %q", zone, got, want)
		}
	}
}

// TestStrokesStay keeps what a signer drew as it was drawn, its picture made from it, and refuses what is no drawing.
func TestStrokesStay(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	v, err := w.Desk.Value(t.Context(), desk.Input{Method: "draw", Image: []byte("another picture"), Strokes: []byte(penWave)})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := w.Blobs.Get(t.Context(), v.Strokes)
	if err != nil || string(kept) != penWave {
		t.Errorf("kept: %s, %v", kept, err)
	}
	picture, err := w.Blobs.Get(t.Context(), v.Image)
	if err != nil || !bytes.HasPrefix(picture, []byte("\x89PNG")) {
		t.Errorf("the picture is %.20q, %v", picture, err)
	}
	for name, in := range map[string]desk.Input{
		"no strokes":      {Method: "draw", Strokes: []byte(`{"strokes":[]}`)},
		"broken":          {Method: "draw", Strokes: []byte(`{"strokes":[[[1,2]]]}`)},
		"an unknown face": {Method: "type", Text: "Ada", Face: "comic-sans"},
	} {
		if _, err := w.Desk.Value(t.Context(), in); paraph.KindOf(err) != paraph.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
