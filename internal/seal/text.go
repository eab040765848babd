package seal

import (
	"slices"
	"strings"
	"unicode"

	"github.com/go-text/typesetting/di"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/language"
	"github.com/go-text/typesetting/shaping"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"

	"github.com/paraph-sign/paraph"
)

// em is the resolution that text is shaped in and that glyphs are kept in.
const em = 2048

type face int

const (
	faceRegular face = iota
	faceBold
	faceSerif
	faceDancing
	faceCaveat
	faceGreatVibes
)

// scriptFace is the face of a typed signature by the name that a value has it by; the first for names that it does not know.
func scriptFace(name string) face {
	switch name {
	case paraph.FaceCaveat:
		return faceCaveat
	case paraph.FaceGreatVibes:
		return faceGreatVibes
	}
	return faceDancing
}

// line is one line of shaped text.
type line struct {
	codes  []uint32 // glyphs of the typesetter's font, left to right
	width  int      // advance, in em units
	rtl    bool     // of a right-to-left paragraph
	emojis []emoji
}

// emoji is a glyph that is a picture.
type emoji struct {
	x   int // from the line's start, in em units
	adv int
	png []byte
}

// typesetter shapes text for one document and collects the glyphs it used. It is not safe for concurrent use.
type typesetter struct {
	book   *fontBook
	faces  map[*font.Font]*font.Face
	shaper shaping.HarfbuzzShaper
	seg    shaping.Segmenter
	wrap   shaping.LineWrapper
	glyphs glyphSet
}

func newTypesetter(book *fontBook) *typesetter {
	return &typesetter{book: book, faces: map[*font.Font]*font.Face{}, glyphs: newGlyphSet()}
}

func (t *typesetter) face(f *font.Font) *font.Face {
	if have, ok := t.faces[f]; ok {
		return have
	}
	made := font.NewFace(f)
	t.faces[f] = made
	return made
}

// chooser picks a face per letter for one text.
type chooser struct {
	t    *typesetter
	want face
	han  string
}

// ResolveFace gives the preferred bundled face when it has the letter, another bundled one, one of the
// system, and at last the bundled one, whose box says that the letter is missing.
func (c chooser) ResolveFace(r rune) *font.Face {
	b := c.t.book
	order := []*font.Font{b.regular}
	switch c.want {
	case faceBold:
		order = []*font.Font{b.bold}
	case faceSerif:
		order = []*font.Font{b.serif, b.regular}
	case faceDancing:
		order = []*font.Font{b.dancing, b.caveat, b.regular} // Caveat has Cyrillic too
	case faceCaveat:
		order = []*font.Font{b.caveat, b.regular}
	case faceGreatVibes:
		order = []*font.Font{b.greatVibes, b.caveat, b.regular}
	}
	for _, f := range order {
		if _, ok := c.t.face(f).NominalGlyph(r); ok {
			return c.t.face(f)
		}
	}
	if !unicode.IsControl(r) {
		if f := b.find(wanted{letter: r, bold: c.want == faceBold, han: c.han}); f != nil {
			return c.t.face(f)
		}
	}
	return c.t.face(order[0])
}

// clean leaves what can be drawn: no control characters, line ends as \n, tabs as spaces.
func clean(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\t", "    ").Replace(strings.ToValidUTF8(text, "\uFFFD"))
	return strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, text)
}

// lines shapes text and breaks it at line ends and, when width (in em units) is not 0, wherever it gets wider.
func (t *typesetter) lines(text string, f face, width int) []line {
	var out []line
	for _, paragraph := range strings.Split(clean(text), "\n") {
		out = append(out, t.paragraph([]rune(paragraph), f, width)...)
	}
	return out
}

func (t *typesetter) paragraph(text []rune, f face, width int) []line {
	if len(text) == 0 {
		return []line{{}}
	}
	if width <= 0 {
		width = 1 << 24
	}
	dir := direction(text)
	input := shaping.Input{Text: text, RunEnd: len(text), Direction: dir, Size: fixed.I(em), Language: language.NewLanguage("en")}
	var runs []shaping.Output
	for _, in := range t.seg.Split(input, chooser{t, f, hanStyle(text)}) {
		run := t.shaper.Shape(in)
		tameSpaces(&run, text)
		runs = append(runs, run)
	}
	wrapped, _ := t.wrap.WrapParagraph(shaping.WrapConfig{Direction: dir}, width, text, shaping.NewSliceIterator(runs))
	out := make([]line, len(wrapped))
	for i, l := range wrapped {
		out[i] = t.line(l, text, dir)
		out[i].rtl = dir == di.DirectionRTL
	}
	return out
}

// tameSpaces makes spaces narrow that a font for pictures or symbols has as wide as these: a space is shaped in the font of
// the letter before it.
func tameSpaces(run *shaping.Output, text []rune) {
	const widest = em * 64 * 4 / 10
	for i := range run.Glyphs {
		if g := &run.Glyphs[i]; text[g.TextIndex()] == ' ' && g.Advance > widest {
			g.Advance = em * 64 * 28 / 100
		}
	}
	run.RecomputeAdvance()
}

// piece is glyphs of one run that stand together.
type piece struct {
	face   *font.Face
	glyphs []shaping.Glyph
	level  int // 0, 1 or 2: embedded that often, odd ones from right to left (UAX #9)
}

// visual gives a line's pieces from left to right (UAX #9, rule L2). Runs know their direction and not their level; what is
// lost by that is told from the text: a number right after right-to-left text goes with it.
func visual(runs shaping.Line, text []rune, dir di.Direction) []piece {
	var out []piece
	for i := range runs {
		run := &runs[i]
		switch {
		case run.Direction == di.DirectionRTL:
			out = append(out, piece{run.Face, run.Glyphs, 1})
		case dir == di.DirectionRTL:
			out = append(out, piece{run.Face, run.Glyphs, 2})
		default:
			n := 0
			if len(out) > 0 && out[len(out)-1].level > 0 {
				n = leadingNumber(run.Glyphs, text)
			}
			out = append(out, piece{run.Face, run.Glyphs[:n], 2}, piece{run.Face, run.Glyphs[n:], 0})
			if n == len(run.Glyphs) {
				out = out[:len(out)-1]
			}
		}
	}
	for level := 2; level > 0; level-- {
		for i := 0; i < len(out); i++ {
			end := i
			for end < len(out) && out[end].level >= level {
				end++
			}
			slices.Reverse(out[i:end])
			i = max(i, end-1)
		}
	}
	return out
}

// leadingNumber is how many glyphs come before the first letter and end with a digit.
func leadingNumber(glyphs []shaping.Glyph, text []rune) int {
	n := 0
	for i, g := range glyphs {
		p, _ := bidi.LookupRune(text[g.TextIndex()])
		switch p.Class() {
		case bidi.L:
			return n
		case bidi.EN, bidi.AN:
			n = i + 1
		}
	}
	return n
}

func (t *typesetter) line(runs shaping.Line, text []rune, dir di.Direction) line {
	var l line
	for _, p := range visual(runs, text, dir) {
		for start := 0; start < len(p.glyphs); {
			end := start + 1
			for end < len(p.glyphs) && p.glyphs[end].TextIndex() == p.glyphs[start].TextIndex() {
				end++
			}
			t.cluster(&l, p.face, p.glyphs[start:end], text)
			start = end
		}
	}
	return l
}

// cluster adds the glyphs that stand for one piece of text as one glyph of our font.
func (t *typesetter) cluster(l *line, f *font.Face, glyphs []shaping.Glyph, text []rune) {
	from := glyphs[0].TextIndex()
	to := min(from+max(glyphs[0].RunesCount(), 1), len(text))
	code, adv, picture := t.glyphs.add(f, glyphs, string(text[from:to]))
	if picture != nil {
		l.emojis = append(l.emojis, emoji{x: l.width, adv: adv, png: picture})
	}
	l.codes = append(l.codes, code)
	l.width += adv
}

// direction is that of the first letter that has one (UAX #9, rules P2 and P3).
func direction(text []rune) di.Direction {
	for _, r := range text {
		p, _ := bidi.LookupRune(r)
		switch p.Class() {
		case bidi.L:
			return di.DirectionLTR
		case bidi.R, bidi.AL:
			return di.DirectionRTL
		}
	}
	return di.DirectionLTR
}

// hanStyle guesses whose shapes Han letters should have from the letters around them.
func hanStyle(text []rune) string {
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			return "jp"
		case unicode.Is(unicode.Hangul, r):
			return "kr"
		case unicode.Is(unicode.Bopomofo, r):
			return "tc"
		}
	}
	return "sc"
}
