package seal

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	stdcolor "image/color"
	"image/draw"
	"math"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"github.com/paraph-sign/paraph"
)

// kinds are the kinds of notes, in their order.
func kinds(notes []paraph.Note) (out []paraph.NoteKind) {
	for _, n := range notes {
		out = append(out, n.Kind)
	}
	return out
}

// inputPDF is a page of 400 × 600 with what is said in the catalog, on the page, and in objects from 5 on.
func inputPDF(catalog, page string, objects ...string) []byte {
	return buildPDF(append([]string{
		"<< /Type /Catalog /Pages 2 0 R " + catalog + " >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 /MediaBox [0 0 400 600] >>",
		"<< /Type /Page /Parent 2 0 R /Contents 4 0 R /Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> " + page + " >>",
		streamObject("", "BT /F 12 Tf 20 500 Td (Hello) Tj ET"),
	}, objects...)...)
}

func TestPreparePasswords(t *testing.T) {
	t.Parallel()
	locked := qpdfWrite(t, threePages(t), "--encrypt", "s3cret é", "owner", "256", "--modify=none", "--")
	for _, tc := range []struct{ password, kind string }{{"", KindPassword}, {"wrong", KindWrongPassword}} {
		if _, _, err := pdfEngine().PrepareWith(t.Context(), locked, PrepareOptions{Password: tc.password}); kindOf(err) != tc.kind {
			t.Errorf("%q: %v, want %s", tc.password, err, tc.kind)
		} else if tc.password != "" && strings.Contains(err.Error(), tc.password+"”") {
			t.Errorf("the password stands in the error: %v", err)
		}
	}
	for password, want := range map[string][]paraph.NoteKind{
		"s3cret é": {paraph.NoteUnlocked, paraph.NoteLifted},
		"owner":    {paraph.NoteUnlocked},
	} {
		pdf, info, err := pdfEngine().PrepareWith(t.Context(), locked, PrepareOptions{Password: password})
		if err != nil {
			t.Fatalf("%s: %v", password, err)
		}
		if got := kinds(info.Notes); !slices.Equal(got, want) {
			t.Errorf("%s: notes %v, want %v", password, got, want)
		}
		if said := toolSays(t, pdf, "qpdf", "--check"); !strings.Contains(said, "not encrypted") || bytes.Contains(pdf, []byte("s3cret")) {
			t.Error(said)
		}
	}
	// A password that isn't needed is no reason to refuse.
	if _, info, err := pdfEngine().PrepareWith(t.Context(), threePages(t), PrepareOptions{Password: "x"}); err != nil || len(info.Notes) != 0 {
		t.Errorf("%v %v", info.Notes, err)
	}
}

func TestPrepareActiveContent(t *testing.T) {
	t.Parallel()
	const script = "<< /S /JavaScript /JS (app.alert\\(1\\)) >>"
	for name, tc := range map[string]struct {
		pdf  []byte
		what string
	}{
		"open action":     {inputPDF("/OpenAction "+script, ""), "JavaScript"},
		"launch":          {inputPDF("/OpenAction << /S /Launch /F (calc.exe) >>", ""), "starting programs"},
		"names":           {inputPDF("/Names << /JavaScript << /Names [(a) "+script+"] >> >>", ""), "JavaScript"},
		"page":            {inputPDF("", "/AA << /O "+script+" >>"), "JavaScript"},
		"link":            {inputPDF("", "/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /SubmitForm /F (http://evil.example) >> >>]"), "sending the form"},
		"link, elsewhere": {inputPDF("", "/Annots 5 0 R", "[6 0 R]", "<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A 7 0 R >>", "<< /S /ImportData /F (x.fdf) >>"), "importing data"},
		"after a link":    {inputPDF("", "/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (http://a.example) /Next ["+script+"] >> >>]"), "JavaScript"},
		"media":           {inputPDF("", "/Annots [<< /Type /Annot /Subtype /RichMedia /Rect [0 0 9 9] /RichMediaContent << >> >>]"), "media"},
		"3D":              {inputPDF("", "/Annots [<< /Type /Annot /Subtype /3D /Rect [0 0 9 9] /3DD 4 0 R >>]"), "3D"},
		"a field":         {inputPDF("/AcroForm << /Fields [5 0 R] /CO [5 0 R] >>", "/Annots [5 0 R]", "<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [9 9 90 30] /AA << /K "+script+" >> >>"), "JavaScript"},
		"XFA":             {inputPDF("/AcroForm << /Fields [5 0 R] /XFA 4 0 R >>", "/Annots [5 0 R]", "<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /Rect [9 9 90 30] >>"), "XFA"},
	} {
		pdf, info, err := pdfEngine().Prepare(t.Context(), tc.pdf)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(info.Notes) == 0 || info.Notes[0].Kind != paraph.NoteActionsRemoved || !slices.Contains(info.Notes[0].What, tc.what) {
			t.Errorf("%s: notes %v", name, info.Notes)
		}
		// What nothing refers to is not in qpdf's own copy.
		left := toolSays(t, qpdfWrite(t, pdf, "--qdf", "--object-streams=disable"), "qpdf", "--json")
		for _, bad := range []string{"/JavaScript", "/Launch", "/SubmitForm", "/ImportData", "/RichMedia", "/3D\"", "/XFA", "app.alert", "calc.exe"} {
			if strings.Contains(left, bad) {
				t.Errorf("%s: %s is left", name, bad)
			}
		}
		// Done twice, there is nothing left to do.
		if again, info, err := pdfEngine().Prepare(t.Context(), pdf); err != nil || !bytes.Equal(again, pdf) || slices.Contains(kinds(info.Notes), paraph.NoteActionsRemoved) {
			t.Errorf("%s: the second time: %v %v", name, info.Notes, err)
		}
	}
}

func TestPrepareKeepsHarmlessActions(t *testing.T) {
	t.Parallel()
	pdf := inputPDF("/OpenAction [3 0 R /Fit]", "/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /URI /URI (https://a.example) >> >> << /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /GoTo /D [3 0 R /Fit] >> >>]")
	out, info, err := pdfEngine().Prepare(t.Context(), pdf)
	if err != nil || !bytes.Equal(out, pdf) || len(info.Notes) != 0 {
		t.Errorf("%v %v", info.Notes, err)
	}
}

func TestPrepareDynamicXFA(t *testing.T) {
	t.Parallel()
	_, _, err := pdfEngine().Prepare(t.Context(), inputPDF("/NeedsRendering true /AcroForm << /Fields [] /XFA 4 0 R >>", ""))
	if kindOf(err) != KindUnsupported || !strings.Contains(err.Error(), "Adobe") {
		t.Error(err)
	}
}

func TestPrepareAttachments(t *testing.T) {
	t.Parallel()
	pdf := inputPDF("/Collection << >> /Names << /EmbeddedFiles << /Names [(a.txt) 5 0 R] >> >>", "/Annots [<< /Type /Annot /Subtype /FileAttachment /Rect [0 0 9 9] /FS 5 0 R >>]",
		"<< /Type /Filespec /F (a.txt) /EF << /F 6 0 R >> >>", streamObject("/Type /EmbeddedFile", "attached words"))
	out, info, err := pdfEngine().Prepare(t.Context(), pdf)
	if err != nil || !slices.EqualFunc(info.Notes, []paraph.Note{{Kind: paraph.NoteAttachments, Count: 2}}, func(a, b paraph.Note) bool { return a.Kind == b.Kind && a.Count == b.Count }) {
		t.Fatalf("%v %v", info.Notes, err)
	}
	if said := toolSays(t, out, "pdfdetach", "-list"); !strings.Contains(said, "a.txt") {
		t.Errorf("the attachment is gone: %s", said)
	}
	if strings.Contains(toolSays(t, out, "qpdf", "--json", "--json-key=qpdf"), `"/Collection": {`) {
		t.Error("it is still a portfolio")
	}
}

// TestPrepareSignatures: what can be kept is kept to the byte, what can't is told.
func TestPrepareSignatures(t *testing.T) {
	t.Parallel()
	key := testKeys()["RSA"]
	active := inputPDF("/OpenAction << /S /JavaScript /JS (1) >>", "")
	approved := signUnlocked(t, active, key)
	broken := bytes.Replace(approved, []byte("startxref\n"), []byte("startxref\n9"), -1)
	for name, tc := range map[string]struct {
		pdf  []byte
		want []paraph.NoteKind
		why  string
	}{
		"approved":  {approved, []paraph.NoteKind{paraph.NoteSignaturesKept, paraph.NoteActionsKept}, ""},
		"certified": {mustSign(t, threePages(t), key), []paraph.NoteKind{paraph.NoteSignaturesDropped}, paraph.DroppedCertified},
		"damaged":   {broken, []paraph.NoteKind{paraph.NoteRepaired, paraph.NoteSignaturesDropped, paraph.NoteActionsRemoved}, paraph.DroppedRepaired},
		"encrypted": {qpdfWrite(t, approved, "--encrypt", "", "owner", "256", "--"), []paraph.NoteKind{paraph.NoteDecrypted, paraph.NoteSignaturesDropped, paraph.NoteActionsRemoved}, paraph.DroppedEncrypted},
	} {
		out, info, err := pdfEngine().Prepare(t.Context(), tc.pdf)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := kinds(info.Notes); !slices.Equal(got, tc.want) {
			t.Errorf("%s: notes %v, want %v", name, got, tc.want)
			continue
		}
		if i := slices.Index(tc.want, paraph.NoteSignaturesDropped); i >= 0 && !slices.Equal(info.Notes[i].What, []string{tc.why}) {
			t.Errorf("%s: dropped because %v", name, info.Notes[i].What)
		}
		if kept := name == "approved"; bytes.Equal(out, tc.pdf) != kept || info.Signed != kept {
			t.Errorf("%s: kept %v", name, info.Signed)
		}
		st, err := Signatures(out)
		if want := map[bool]int{true: 1}[name == "approved"]; err != nil || st.Count != want {
			t.Errorf("%s: %d signatures are left, want %d (%v)", name, st.Count, want, err)
		}
	}
}

// TestTruncated: a file that only lost its table is whole, one that lost more is refused.
func TestTruncated(t *testing.T) {
	t.Parallel()
	whole := inputPDF("", "")
	table := bytes.LastIndex(whole, []byte("xref\n0"))
	pdf, info, err := pdfEngine().Prepare(t.Context(), append(bytes.Clone(whole[:table]), "trailer << /Root 1 0 R >>\n"...))
	if err != nil || !info.Repaired || !strings.Contains(foundText(t, pdf), "Hello") {
		t.Errorf("only the table: %v %v", info, err)
	}
	content := bytes.LastIndex(whole, []byte("4 0 obj"))
	for name, cut := range map[string]int{"the content": content, "half of the content": content + 40} {
		if _, _, err := pdfEngine().Prepare(t.Context(), whole[:cut]); kindOf(err) != KindTruncated {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPageSizes measures odd pages, draws on them, and finds what was drawn where it should be, by poppler.
func TestPageSizes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		page string
		w, h float64
		note bool
	}{
		"3 cm":                   {"/MediaBox [0 0 85 85]", 85, 85, false},
		"5 m":                    {"/MediaBox [0 0 14174 14174]", 14174, 14174, false},
		"unit 10":                {"/MediaBox [0 0 595 842] /UserUnit 10", 5950, 8420, false},
		"unit 0.5, turned":       {"/MediaBox [0 0 1000 600] /UserUnit 0.5 /Rotate 90", 300, 500, false},
		"negative":               {"/MediaBox [-100 -200 300 400]", 400, 600, false},
		"backwards":              {"/MediaBox [400 600 0 0]", 400, 600, false},
		"inherited":              {"", 400, 600, false},
		"crop beyond the media":  {"/CropBox [-50 -50 200 700]", 200, 600, false},
		"crop beside the media":  {"/CropBox [1000 1000 1200 1200]", 400, 600, true},
		"crop without area":      {"/CropBox [100 100 100 100]", 400, 600, false},
		"crop inside and turned": {"/CropBox [100 100 300 200] /Rotate 270", 100, 200, false},
		"indirect":               {"/MediaBox 5 0 R /UserUnit 6 0 R", 200, 200, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pdf, info, err := pdfEngine().Prepare(t.Context(), inputPDF("", tc.page, "[0 0 100 100]", "2"))
			if err != nil {
				t.Fatal(err)
			}
			if p := info.Pages[0]; math.Abs(p.Width-tc.w) > 0.01 || math.Abs(p.Height-tc.h) > 0.01 {
				t.Errorf("%v × %v, want %v × %v", p.Width, p.Height, tc.w, tc.h)
			}
			if noted := slices.Contains(kinds(info.Notes), paraph.NoteBoxes); noted != tc.note {
				t.Errorf("notes: %v", info.Notes)
			}
			again, err := pdfEngine().Inspect(t.Context(), pdf)
			if err != nil || math.Abs(again.Pages[0].Width-tc.w) > 0.01 || math.Abs(again.Pages[0].Height-tc.h) > 0.01 {
				t.Errorf("PDFium finds %v, %v", again.Pages, err)
			}
			out, err := pdfEngine().Stamp(t.Context(), pdf, []Mark{{X: 0.5, Y: 0.25, W: 0.4, H: 0.1, Kind: MarkImage, Image: testPNG(400, 100)}})
			if err != nil {
				t.Fatal(err)
			}
			img := pixelsOf(t, out, 400)
			red, b := redBox(img), img.Bounds()
			middle := image.Pt((red.Min.X+red.Max.X)/2, (red.Min.Y+red.Max.Y)/2)
			if math.Abs(float64(middle.X)-0.7*float64(b.Dx())) > 4 || math.Abs(float64(middle.Y)-0.3*float64(b.Dy())) > 4 {
				t.Errorf("drawn at %v of %v", red, b)
			}
		})
	}
}

// TestUserUnitText: 12 points are 12 points, whatever a page's unit is.
func TestUserUnitText(t *testing.T) {
	t.Parallel()
	mark := Mark{X: 0.1, Y: 0.1, W: 0.8, H: 0.2, Kind: MarkText, Text: "Hxg", FontSize: 20}
	var heights [2]float64
	for i, page := range []string{"/MediaBox [0 0 400 600]", "/MediaBox [0 0 40 60] /UserUnit 10"} {
		pdf, _, err := pdfEngine().Prepare(t.Context(), buildPDF("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>", "<< /Type /Page /Parent 2 0 R "+page+" >>"))
		if err != nil {
			t.Fatal(err)
		}
		out, err := pdfEngine().Stamp(t.Context(), pdf, []Mark{mark})
		if err != nil {
			t.Fatal(err)
		}
		heights[i] = float64(inkBox(pixelsOf(t, out, 800)).Dy())
	}
	if heights[0] == 0 || math.Abs(heights[0]-heights[1]) > 2 {
		t.Errorf("heights %v", heights)
	}
}

const widget = "<< /Type /Annot /Subtype /Widget "

// richForm has one field of every kind.
func richForm() []byte {
	return inputPDF("/AcroForm << /DA (/Helv 0 Tf 0 g) /Fields [5 0 R 6 0 R 7 0 R 8 0 R 9 0 R 10 0 R 11 0 R 12 0 R 15 0 R 16 0 R 17 0 R] >>",
		"/Annots [5 0 R 6 0 R 7 0 R 8 0 R 9 0 R 10 0 R 11 0 R 13 0 R 14 0 R 15 0 R 16 0 R 17 0 R]",
		widget+"/FT /Tx /T (person.name) /TU (Your name) /V (Ada) /Ff 2 /DA (/Helv 14 Tf 0 g) /Rect [40 540 200 560] /MK << /BG [0 1 0] >> >>",
		widget+"/FT /Tx /T (born) /AA << /F << /S /JavaScript /JS (AFDate_FormatEx\\(\"dd.mm.yyyy\"\\);) >> >> /V (31.12.2001) /TU (dd.mm.yyyy) /Rect [40 500 200 520] >>",
		widget+"/FT /Tx /T (rent) /AA << /F << /S /JavaScript /JS (AFNumber_Format\\(2,0,0,0,\"\",true\\);) >> >> /V (1,250.50) /Rect [40 460 200 480] >>",
		widget+"/FT /Btn /T (agree) /V /Yes /AS /Yes /AP << /N << /Yes 18 0 R /Off 18 0 R >> >> /Rect [40 420 60 440] >>",
		widget+"/FT /Ch /Ff 131072 /T (city) /Opt [[(b) (Berlin)] [(p) (Paris)]] /V (p) /Rect [40 380 200 400] >>",
		widget+"/FT /Sig /T (sign) /Rect [40 340 200 360] >>",
		widget+"/FT /Sig /T (Initials2) /Rect [40 300 200 320] >>",
		"<< /FT /Btn /Ff 32768 /T (kind) /V /b /Kids [13 0 R 14 0 R] >>",
		widget+"/Parent 12 0 R /AS /Off /AP << /N << /a 18 0 R /Off 18 0 R >> >> /Rect [40 260 60 280] >>",
		widget+"/Parent 12 0 R /AS /b /AP << /N << /b 18 0 R /Off 18 0 R >> >> /Rect [80 260 100 280] >>",
		widget+"/FT /Btn /Ff 65536 /T (push) /Rect [40 220 60 240] >>",
		widget+"/FT /Tx /Ff 1 /T (fixed) /V (Static) /Rect [40 180 200 200] >>",
		widget+"/FT /Tx /F 2 /T (hidden) /V (Hidden) /Rect [40 140 200 160] >>",
		streamObject("/Type /XObject /Subtype /Form /BBox [0 0 20 20] /Resources << >>", "0 0 20 20 re S"),
	)
}

func TestFormFields(t *testing.T) {
	t.Parallel()
	pdf, info, err := pdfEngine().Prepare(t.Context(), richForm())
	if err != nil {
		t.Fatal(err)
	}
	fields, err := FormFields(pdf) // its scripts are gone, and what they said of formats is kept
	if err != nil {
		t.Fatal(err)
	}
	if last := info.Notes[len(info.Notes)-1]; last.Kind != paraph.NoteFormFields || last.Count != len(fields) {
		t.Errorf("notes %v for %d fields", info.Notes, len(fields))
	}
	var got []string
	for _, f := range fields {
		got = append(got, fmt.Sprintf("%s|%s|%s|%v|%s|%s|%v|%d", f.Name, f.Label, f.Type, f.Required, f.Default, strings.Join(f.Options, ","), f.FontSize, len(f.Places)))
	}
	want := []string{
		"person.name|Your name|text|true|Ada||14|1",
		"born||date|false|2001-12-31||0|1",
		"rent||number|false|1250.50||0|1",
		"agree||checkbox|false|true||0|1",
		"city||select|false|Paris|Berlin,Paris|0|1",
		"sign||signature|false|||0|1",
		"Initials2||initials|false|||0|1",
		"kind||radio|false|b|a,b|0|2",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p := fields[0].Places[0]; math.Abs(p.X-0.1) > 1e-6 || math.Abs(p.Y-40.0/600) > 1e-6 || math.Abs(p.W-0.4) > 1e-6 || math.Abs(p.H-20.0/600) > 1e-6 {
		t.Errorf("the first is at %+v", p)
	}
}

// TestFlatten: used fields leave their boxes, others what they show, and nothing can be filled in any more.
func TestFlatten(t *testing.T) {
	t.Parallel()
	pdf, _, err := pdfEngine().Prepare(t.Context(), richForm())
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		used        []string
		there, gone []string
		sigs        int
	}{
		"none used": {nil, []string{"Hello", "Ada", "Paris", "Static", "1,250.50"}, []string{"Hidden"}, 2},
		"some used": {[]string{"person.name", "city", "sign", "Initials2"}, []string{"Hello", "Static", "1,250.50"}, []string{"Ada", "Paris", "Hidden"}, 0},
	} {
		out, err := pdfEngine().Flatten(t.Context(), pdf, tc.used)
		if err != nil {
			t.Fatal(err)
		}
		text := foundText(t, out)
		for _, s := range tc.there {
			if !strings.Contains(text, s) {
				t.Errorf("%s: %q is gone: %q", name, s, text)
			}
		}
		for _, s := range tc.gone {
			if strings.Contains(text, s) {
				t.Errorf("%s: %q is left: %q", name, s, text)
			}
		}
		if n := annotations(t, out); n != tc.sigs {
			t.Errorf("%s: %d widgets are left, want %d", name, n, tc.sigs)
		}
		if c := pixelsOf(t, out, 400).At(190, 45); c != (stdcolor.RGBA{0, 255, 0, 255}) && tc.used != nil {
			t.Errorf("%s: the box of the used field is gone: %v", name, c)
		}
		toolSays(t, out, "qpdf", "--check")
	}
	if _, err := pdfEngine().Flatten(t.Context(), signUnlocked(t, richForm(), testKeys()["RSA"]), nil); kindOf(err) != KindBadSignatures {
		t.Errorf("signed: %v", err)
	}
}

// tiffPages joins TIFFs of one page each into one, as scanners write them.
func tiffPages(t testing.TB, pics ...image.Image) []byte {
	t.Helper()
	var out []byte
	link := 4 // where the place of the next directory is written
	for i, pic := range pics {
		var b bytes.Buffer
		if err := tiff.Encode(&b, pic, &tiff.Options{Compression: tiff.Uncompressed}); err != nil {
			t.Fatal(err)
		}
		one := b.Bytes()
		base := uint32(len(out))
		if i == 0 {
			out = append(out, one...)
		} else {
			out = append(out, moved(one, base)...)
			binary.LittleEndian.PutUint32(out[link:], base+binary.LittleEndian.Uint32(one[4:]))
		}
		at := int(base + binary.LittleEndian.Uint32(one[4:]))
		link = at + 2 + 12*int(binary.LittleEndian.Uint16(out[at:]))
	}
	return out
}

// moved is a TIFF of one page whose places count from elsewhere.
func moved(one []byte, base uint32) []byte {
	out := bytes.Clone(one)
	at := int(binary.LittleEndian.Uint32(out[4:]))
	for i := range int(binary.LittleEndian.Uint16(out[at:])) {
		e := out[at+2+12*i:]
		size := map[uint16]uint32{1: 1, 2: 1, 3: 2, 4: 4, 5: 8}[binary.LittleEndian.Uint16(e[2:])]
		if size*binary.LittleEndian.Uint32(e[4:]) > 4 || binary.LittleEndian.Uint16(e) == 273 {
			binary.LittleEndian.PutUint32(e[8:], binary.LittleEndian.Uint32(e[8:])+base)
		}
	}
	return out
}

func TestTIFFPages(t *testing.T) {
	t.Parallel()
	data := tiffPages(t, corners(120, 60), filled(60, 120, stdcolor.NRGBA{255, 0, 0, 255}), corners(80, 80))
	pdf, pages, err := pdfEngine().PicturesToPDF(t.Context(), data)
	if err != nil || pages != 3 {
		t.Fatalf("%d pages, %v", pages, err)
	}
	toolSays(t, pdf, "qpdf", "--check")
	info, err := pdfEngine().Inspect(t.Context(), pdf)
	if err != nil || len(info.Pages) != 3 || info.Pages[0].Width < info.Pages[0].Height || info.Pages[1].Width > info.Pages[1].Height {
		t.Errorf("%+v %v", info.Pages, err)
	}
	// A directory that names itself as the next ends there.
	at := int(binary.LittleEndian.Uint32(data[4:]))
	binary.LittleEndian.PutUint32(data[at+2+12*int(binary.LittleEndian.Uint16(data[at:])):], uint32(at))
	if _, pages, err := pdfEngine().PicturesToPDF(t.Context(), data); err != nil || pages != 1 {
		t.Errorf("a ring: %d pages, %v", pages, err)
	}
}

// withDensity puts a PNG's size on paper into it, in dots to the metre.
func withDensity(data []byte, perMetre uint32) []byte {
	chunk := append([]byte("pHYs"), make([]byte, 9)...)
	binary.BigEndian.PutUint32(chunk[4:], perMetre)
	binary.BigEndian.PutUint32(chunk[8:], perMetre)
	chunk[12] = 1
	out := append(bytes.Clone(data[:33]), 0, 0, 0, 9)
	out = binary.BigEndian.AppendUint32(append(out, chunk...), crc32.ChecksumIEEE(chunk))
	return append(out, data[33:]...)
}

func TestPicturesOnPaper(t *testing.T) {
	t.Parallel()
	clear := image.NewNRGBA(image.Rect(0, 0, 400, 200))
	draw.Draw(clear, image.Rect(0, 0, 100, 100), image.NewUniform(stdcolor.NRGBA{255, 0, 0, 255}), image.Point{}, draw.Src)
	deep := image.NewNRGBA64(image.Rect(0, 0, 120, 60))
	draw.Draw(deep, deep.Rect, image.NewUniform(stdcolor.NRGBA64{0xffff, 0, 0, 0xffff}), image.Point{}, draw.Src)
	for name, tc := range map[string]struct {
		data []byte
		w, h float64
	}{
		"100 dpi":      {withDensity(encodePNG(clear), 3937), 288, 144},
		"too small":    {withDensity(encodePNG(clear), 39370), a4Height, a4Width},
		"not said":     {encodePNG(clear), a4Height, a4Width},
		"16 bits deep": {encodePNG(deep), a4Height, a4Width},
	} {
		pdf, err := pdfEngine().ImageToPDF(t.Context(), tc.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		info, err := pdfEngine().Inspect(t.Context(), pdf)
		if err != nil || math.Abs(info.Pages[0].Width-tc.w) > 0.5 || math.Abs(info.Pages[0].Height-tc.h) > 0.5 {
			t.Errorf("%s: %v %v", name, info.Pages, err)
		}
		if redBox(pixelsOf(t, pdf, 400)).Empty() {
			t.Errorf("%s: the red is gone", name)
		}
		if r, g, b, _ := pixelsOf(t, pdf, 400).At(395, 195).RGBA(); min(r, g, b) < 0xf000 {
			t.Errorf("%s: what is transparent is not white", name)
		}
	}
}

func TestUnreadablePictures(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"HEIC": "\x00\x00\x00\x18ftypheic", "AVIF": "\x00\x00\x00\x18ftypavif", "JPEG XL": "\xff\x0a", "Photoshop": "8BPS", "SVG": "<svg xmlns='x'>",
	} {
		_, err := pdfEngine().ImageToPDF(t.Context(), []byte(head+strings.Repeat("\x00", 64)))
		if ImageFormat([]byte(head)) != name || kindOf(err) != KindUnsupported || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "JPEG") {
			t.Errorf("%s: %q, %v", name, ImageFormat([]byte(head)), err)
		}
	}
}

func FuzzPictureMetadata(f *testing.F) {
	f.Add(withOrientation(encodeJPEG(corners(8, 8)), 6))
	f.Add(withDensity(encodePNG(corners(8, 8)), 3937))
	f.Add([]byte("II*\x00\x08\x00\x00\x00\x01\x00\x1a\x01\x05\x00\x01\x00\x00\x00\xff\xff\xff\xff\x08\x00\x00\x00"))
	f.Add([]byte("RIFF\xff\xff\xff\xffWEBPEXIF\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if x, y := resolution(data); (x > 0) != (y > 0) || x > 10_000 || y > 10_000 {
			t.Errorf("resolution %v × %v", x, y)
		}
		if o := exifOrientation(data); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
		if d, ok := firstIFD(data); ok {
			d.resolution()
			d.next()
		}
	})
}

func FuzzFormFields(f *testing.F) {
	f.Add(richForm())
	f.Add(formPDF(true))
	f.Fuzz(func(t *testing.T, data []byte) {
		fields, err := FormFields(data)
		if err != nil {
			return
		}
		for _, field := range fields {
			for _, p := range field.Places {
				if !(p.X >= 0 && p.Y >= 0 && p.X+p.W <= 1+1e-6 && p.Y+p.H <= 1+1e-6) {
					t.Errorf("%q is at %+v", field.Name, p)
				}
			}
		}
	})
}

// FuzzTidy cleans what can be read; the result can be read again and has nothing left to clean.
func FuzzTidy(f *testing.F) {
	f.Add(richForm())
	f.Add(inputPDF("/OpenAction << /S /JavaScript /JS (1) >>", "/AA << /O << /S /Launch /F (x) >> >>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 1<<20 {
			return
		}
		p := prepared{pdf: data}
		if p.tidy() != nil {
			return
		}
		again := prepared{pdf: p.pdf}
		if err := again.tidy(); err != nil {
			t.Fatalf("the result can't be read: %v", err)
		}
		if !p.info.Signed && !bytes.Equal(again.pdf, p.pdf) {
			t.Errorf("something was left: %v", again.info.Notes)
		}
	})
}
