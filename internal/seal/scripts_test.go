package seal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scripts are what people write in. Right-to-left text has no commas here, which poppler puts to where they are seen.
func scripts() [][2]string {
	return [][2]string{
		{"Latin", "Grüße, Łódź, Việt Nam, e\u0301te\u0301"},
		{"Greek", "Ελληνικά: Γεια σου, κόσμε"},
		{"Cyrillic", "Привет, мир; Україна"},
		{"Arabic", "مرحبا بالعالم كيف حالك"},
		{"Hebrew", "שלום עולם מה שלומך"},
		{"Devanagari", "नमस्ते दुनिया, क्षत्रिय"},
		{"Thai", "สวัสดีชาวโลก ที่นี่"},
		{"Chinese", "你好,世界。合同已签署"},
		{"Japanese", "こんにちは世界、署名します"},
		{"Korean", "안녕하세요 세계, 서명"},
		{"Emoji", "Signed 👍 with 🎉 joy 😀"},
	}
}

// TestMixedDirections reads runs of both directions from left to right.
func TestMixedDirections(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Rent (דירה 5) a month":  "Rent (5 הריד) a month",
		"at דירה 5 אבג 12 now":   "at 12 גבא 5 הריד now",
		"דירה 5 at Main St. אבג": "גבא .at Main St 5 הריד",
		"שלום, 1.250 €":          "€ 1.250 ,םולש",
		"plain 1 and 2":          "plain 1 and 2",
		"אבג":                    "גבא",
		"אבג 2026-03-14":         "2026-03-14 גבא",
	} {
		ts := newTypesetter(pdfEngine().fonts)
		got := ""
		for _, code := range ts.lines(text, faceRegular, 0)[0].codes {
			got += ts.glyphs.glyphs[code].text
		}
		if got != want {
			t.Errorf("%q is set as %q, want %q", text, got, want)
		}
	}
}

// TestEmojiKeepTheirSpaces sets pictures in colours, and the space after one no wider than others.
func TestEmojiKeepTheirSpaces(t *testing.T) {
	t.Parallel()
	ts := newTypesetter(pdfEngine().fonts)
	l := ts.lines("a 👍 b 🎉 c", faceRegular, 0)[0]
	if len(l.emojis) != 2 {
		t.Errorf("%d of 2 emoji are pictures", len(l.emojis))
	}
	for _, code := range l.codes {
		if g := ts.glyphs.glyphs[code]; g.text == " " && (g.advance < em/5 || g.advance > em/2) {
			t.Errorf("a space is %d units wide", g.advance)
		}
	}
}

// plainText takes away what pdftotext adds for directions.
func plainText(s string) string {
	return strings.NewReplacer("\u202a", "", "\u202b", "", "\u202c", "", "\u200e", "", "\u200f", "", "\u2066", "", "\u2067", "", "\u2069", "").Replace(s)
}

// specimen is a sealed page with a line, a wrapped box and a typed signature in each script.
func specimen(t testing.TB, rotate int) []byte {
	var marks []Mark
	for i, s := range scripts() {
		y := 0.04 + 0.077*float64(i)
		marks = append(marks,
			Mark{X: 0.05, Y: y, W: 0.12, H: 0.03, Kind: MarkText, Text: s[0], FontSize: 9},
			Mark{X: 0.18, Y: y, W: 0.42, H: 0.03, Kind: MarkText, Text: s[1], FontSize: 13},
			Mark{X: 0.18, Y: y + 0.033, W: 0.1, H: 0.033, Kind: MarkText, Text: s[1]},
			Mark{X: 0.64, Y: y, W: 0.31, H: 0.06, Kind: MarkTyped, Text: s[1][:strings.IndexAny(s[1]+" ", " 、。")], Face: "dancing-script", Caption: s[0] + "\n2026-03-14 15:09 +01:00 · 5a3b1e00"})
	}
	out, err := pdfEngine().Seal(t.Context(), Job{PDF: bombPage("", "", fmt.Sprintf("[0 0 595 842] /Rotate %d", rotate)), Marks: marks, Identity: testKeys()["RSA"], Sign: SignOptions{At: time.Date(2026, 3, 14, 15, 9, 0, 0, time.UTC)}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestScripts finds each script's text again on a sealed page, upright and turned. With PARAPH_SPECIMEN set, the page is also
// written to that file as a picture, for people to look at.
func TestScripts(t *testing.T) {
	t.Parallel()
	out := specimen(t, 0)
	toolSays(t, out, "qpdf", "--check")
	found := plainText(foundText(t, out))
	for _, s := range scripts() {
		want := s[1]
		if s[0] == "Latin" {
			found = strings.ReplaceAll(found, "é", "e\u0301") // however the accents are put
		}
		if !strings.Contains(found, want) {
			t.Errorf("%s: %q is not found in %q", s[0], want, found)
		}
	}
	if strings.Contains(found, "\uFFFD") {
		t.Errorf("letters are missing: %q", found)
	}
	if file := os.Getenv("PARAPH_SPECIMEN"); file != "" {
		in := filepath.Join(t.TempDir(), "in.pdf")
		if err := os.WriteFile(in, out, 0o600); err != nil {
			t.Fatal(err)
		}
		if msg, err := exec.Command(needTool(t, "pdftoppm"), "-r", "110", "-png", "-singlefile", in, strings.TrimSuffix(file, ".png")).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, msg)
		}
	}
}
