package seal

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"unicode/utf16"

	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/shaping"
)

// glyphSet is a font in the making: one glyph for each distinct cluster of shaped glyphs, drawn with the
// outlines of whatever fonts they came from, with the text it stands for. So a document carries only what it
// uses, any source format will do, and each glyph has exactly one text that it is found by.
type glyphSet struct {
	codes  map[clusterKey]uint32
	glyphs []glyph // glyph 0 is .notdef
}

type glyph struct {
	contours []contour
	advance  int
	text     string
	picture  []byte
}

type contour []point

type point struct {
	x, y int
	on   bool
}

func newGlyphSet() glyphSet {
	return glyphSet{codes: map[clusterKey]uint32{}, glyphs: []glyph{{advance: em / 2}}}
}

// add gives the code and advance (in em units) of a cluster and, for a bitmap emoji, its PNG.
func (s *glyphSet) add(f *font.Face, cluster []shaping.Glyph, text string) (uint32, int, []byte) {
	key := keyOf(f, cluster, text)
	if code, ok := s.codes[key]; ok {
		g := s.glyphs[code]
		return code, g.advance, g.picture
	}
	if len(s.glyphs) == math.MaxUint16 {
		return 0, s.glyphs[0].advance, nil
	}
	g := compose(f, cluster)
	g.text = text
	code := uint32(len(s.glyphs))
	s.glyphs = append(s.glyphs, g)
	s.codes[key] = code
	return code, g.advance, g.picture
}

// clusterKey is what a cluster's look and text depend on.
type clusterKey struct {
	font  *font.Font
	text  string
	shape string // the glyphs and where they stand
}

func keyOf(f *font.Face, cluster []shaping.Glyph, text string) clusterKey {
	shape := make([]byte, 0, 16*len(cluster))
	for _, g := range cluster {
		for _, n := range [4]int{int(g.GlyphID), int(g.Advance), int(g.XOffset), int(g.YOffset)} {
			shape = binary.AppendVarint(shape, int64(n))
		}
	}
	return clusterKey{f.Font, text, string(shape)}
}

func compose(f *font.Face, cluster []shaping.Glyph) glyph {
	var out glyph
	pen := 0.0
	for _, g := range cluster {
		o := outliner{scale: em / float64(f.Upem()), dx: pen + float64(g.XOffset)/64, dy: float64(g.YOffset) / 64}
		switch data := f.GlyphData(g.GlyphID).(type) {
		case font.GlyphOutline:
			o.outline(data.Segments)
		case font.GlyphBitmap:
			if data.Format == font.PNG {
				out.picture = data.Data
			}
		case font.GlyphSVG:
			o.outline(data.Outline.Segments)
		case font.GlyphColor:
			if outline, ok := f.GlyphDataOutline(g.GlyphID); ok {
				o.outline(outline.Segments)
			}
		}
		out.contours = append(out.contours, o.done()...)
		pen += float64(g.Advance) / 64
	}
	out.advance = max(0, min(int(math.Round(pen)), math.MaxUint16))
	return out
}

// outliner turns a path into TrueType contours: cubic curves become quadratic ones.
type outliner struct {
	scale, dx, dy float64
	contours      []contour
	current       contour
	x, y          float64 // last point, in the source's units
}

func (o *outliner) outline(segments []opentype.Segment) {
	for _, s := range segments {
		a := s.ArgsSlice()
		switch s.Op {
		case opentype.SegmentOpMoveTo:
			o.closeContour()
			o.to(float64(a[0].X), float64(a[0].Y), true)
		case opentype.SegmentOpLineTo:
			o.to(float64(a[0].X), float64(a[0].Y), true)
		case opentype.SegmentOpQuadTo:
			o.to(float64(a[0].X), float64(a[0].Y), false)
			o.to(float64(a[1].X), float64(a[1].Y), true)
		case opentype.SegmentOpCubeTo:
			o.cubic(a)
		}
	}
}

// cubic splits the curve in four and replaces each part by the quadratic curve with the nearest control point;
// with glyph-sized curves the error is below one unit of em.
func (o *outliner) cubic(a []opentype.SegmentPoint) {
	p := [4][2]float64{{o.x, o.y}, {float64(a[0].X), float64(a[0].Y)}, {float64(a[1].X), float64(a[1].Y)}, {float64(a[2].X), float64(a[2].Y)}}
	const parts = 4
	for i := range parts {
		t0, t1 := float64(i)/parts, float64(i+1)/parts
		x0, y0, dx0, dy0 := cubicAt(p, t0)
		x1, y1, dx1, dy1 := cubicAt(p, t1)
		// Nearest quadratic control point for the sub-curve with these ends and tangents.
		h := (t1 - t0) / 4
		o.to((x0+x1)/2+h*(dx0-dx1), (y0+y1)/2+h*(dy0-dy1), false)
		o.to(x1, y1, true)
	}
}

// cubicAt gives the point and the derivative of a cubic Bézier curve.
func cubicAt(p [4][2]float64, t float64) (x, y, dx, dy float64) {
	u := 1 - t
	at := func(i int) float64 {
		return u*u*u*p[0][i] + 3*u*u*t*p[1][i] + 3*u*t*t*p[2][i] + t*t*t*p[3][i]
	}
	slope := func(i int) float64 {
		return 3*u*u*(p[1][i]-p[0][i]) + 6*u*t*(p[2][i]-p[1][i]) + 3*t*t*(p[3][i]-p[2][i])
	}
	return at(0), at(1), slope(0), slope(1)
}

func (o *outliner) to(x, y float64, on bool) {
	o.x, o.y = x, y
	o.current = append(o.current, point{unit(x*o.scale + o.dx), unit(y*o.scale + o.dy), on})
}

func unit(v float64) int {
	return int(math.Round(max(-16000, min(v, 16000))))
}

func (o *outliner) closeContour() {
	c := o.current
	if n := len(c); n > 1 && c[0].on && c[n-1].on && c[0].x == c[n-1].x && c[0].y == c[n-1].y {
		c = c[:n-1]
	}
	if len(c) > 1 {
		o.contours = append(o.contours, c)
	}
	o.current = nil
}

func (o *outliner) done() []contour {
	o.closeContour()
	return o.contours
}

// toUnicode is the CMap that says what text each code stands for (ISO 32000-2, 9.10.3).
func (s *glyphSet) toUnicode() string {
	var b strings.Builder
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n/CMapName /Adobe-Identity-UCS def\n" +
		"/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for start := 1; start < len(s.glyphs); start += 100 {
		end := min(start+100, len(s.glyphs))
		fmt.Fprintf(&b, "%d beginbfchar\n", end-start)
		for code := start; code < end; code++ {
			fmt.Fprintf(&b, "<%04X> <", code)
			for _, u := range utf16.Encode([]rune(s.glyphs[code].text)) {
				fmt.Fprintf(&b, "%04X", u)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.String()
}
