package seal

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/image/draw"
)

// matrix maps (x, y) to (a·x + c·y + e, b·x + d·y + f), as in PDF.
type matrix struct{ a, b, c, d, e, f float64 }

// after gives the matrix that does first n, then m.
func (m matrix) after(n matrix) matrix {
	return matrix{
		a: m.a*n.a + m.c*n.b, b: m.b*n.a + m.d*n.b,
		c: m.a*n.c + m.c*n.d, d: m.b*n.c + m.d*n.d,
		e: m.a*n.e + m.c*n.f + m.e, f: m.b*n.e + m.d*n.f + m.f,
	}
}

// inverse undoes m; what flattens everything can't be undone and gives the zero matrix.
func (m matrix) inverse() matrix {
	det := m.a*m.d - m.b*m.c
	if det == 0 {
		return matrix{}
	}
	a, b, c, d := m.d/det, -m.b/det, -m.c/det, m.a/det
	return matrix{a: a, b: b, c: c, d: d, e: -(a*m.e + c*m.f), f: -(b*m.e + d*m.f)}
}

func (m matrix) apply(x, y float64) (float64, float64) {
	return m.a*x + m.c*y + m.e, m.b*x + m.d*y + m.f
}

type color struct{ r, g, b uint }

var (
	black = color{0, 0, 0}
	grey  = color{0x55, 0x5B, 0x66}
)

// picture is an image in a drawing, shared by all places that show it.
type picture struct {
	pixels *image.NRGBA
	jpeg   []byte          // drawn as it is, instead of pixels
	few    *image.Paletted // a picture of few colours, instead of both
}

// sheet collects what is to be drawn on one page. Coordinates are points of the displayed page, the origin top
// left, y down. Nothing is written before all text of a document is shaped, because the font is made of it.
type sheet struct{ ops []func(*canvas) }

func (s *sheet) add(op func(*canvas)) { s.ops = append(s.ops, op) }

// text draws a line with its baseline starting at (x, y).
func (s *sheet) text(l line, x, y, size float64, k color) {
	if len(l.codes) == 0 {
		return
	}
	s.add(func(c *canvas) { c.text(l.codes, x, y, size, k) })
	for _, e := range l.emojis {
		s.emoji(e, x, y, size)
	}
}

// emoji stands on the baseline with its feet a fifth below, as colour fonts draw it.
func (s *sheet) emoji(e emoji, x, y, size float64) {
	pixels, err := decodePNG(e.png, 1<<20)
	if err != nil {
		return // the text layer still says what it is
	}
	w := float64(e.adv) / em * size
	h := w * float64(pixels.Rect.Dy()) / float64(pixels.Rect.Dx())
	s.image(&picture{pixels: pixels}, x+float64(e.x)/em*size, y+0.2*size-h, w, h)
}

func (s *sheet) image(pic *picture, x, y, w, h float64) {
	s.add(func(c *canvas) { c.image(pic, matrix{w, 0, 0, h, x, c.height - y - h}) })
}

func (s *sheet) rect(x, y, w, h float64, fill color) { s.rects([]frame{{x, y, w, h}}, fill) }

// rects draws many filled rectangles as one path.
func (s *sheet) rects(frames []frame, k color) {
	if len(frames) == 0 {
		return
	}
	s.add(func(c *canvas) {
		c.fill(k)
		for _, f := range frames {
			c.op("re", f.x, c.height-f.y-f.h, f.w, f.h)
		}
		c.op("f")
	})
}

// stroke draws a line through points.
func (s *sheet) stroke(points [][2]float64, width float64, k color) {
	s.add(func(c *canvas) {
		c.stroke(k)
		c.op("w", width)
		c.op("J", 1) // round ends
		c.op("j", 1) // and corners
		c.lines(points)
		c.op("S")
	})
}

// disc draws a filled circle, of four Bézier curves.
func (s *sheet) disc(x, y, r float64, k color) {
	var p path
	p.disc(vec{x, y}, r)
	s.path(p, k)
}

// canvas writes a sheet's drawing operators (ISO 32000-2, 8 and 9). What it refers to is named in resources: the font as /F,
// pictures as /I1 and on.
type canvas struct {
	ops      bytes.Buffer
	height   float64 // of the sheet
	pictures []*picture
}

// render gives the content stream of a sheet and the pictures that it names, in the order of their names. Its space is
// that of the displayed page: points, the origin bottom left.
func (s *sheet) render(height float64) ([]byte, []*picture) {
	c := &canvas{height: height}
	for _, op := range s.ops {
		op(c)
	}
	return c.ops.Bytes(), c.pictures
}

// op writes an operator after its operands.
func (c *canvas) op(name string, operands ...float64) {
	for _, v := range operands {
		c.ops.WriteString(decimal(v))
		c.ops.WriteByte(' ')
	}
	c.ops.WriteString(name)
	c.ops.WriteByte('\n')
}

// decimal writes a number with four places at most; PDF knows no exponents (ISO 32000-2, 7.3.3).
func decimal(v float64) string {
	s := strconv.FormatFloat(v, 'f', 4, 64)
	s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	if s == "-0" || s == "" {
		return "0"
	}
	return s
}

func (c *canvas) fill(k color)   { c.op("rg", k.parts()...) }
func (c *canvas) stroke(k color) { c.op("RG", k.parts()...) }

func (k color) parts() []float64 {
	return []float64{float64(k.r) / 255, float64(k.g) / 255, float64(k.b) / 255}
}

func (c *canvas) text(codes []uint32, x, y, size float64, k color) {
	c.fill(k)
	c.ops.WriteString("BT\n/F ")
	c.op("Tf", size)
	c.op("Td", x, c.height-y)
	c.ops.WriteByte('<')
	for _, code := range codes {
		fmt.Fprintf(&c.ops, "%04X", code)
	}
	c.ops.WriteString("> Tj\nET\n")
}

// lines draws straight lines through points, without painting them.
func (c *canvas) lines(points [][2]float64) {
	for i, p := range points {
		name := "l"
		if i == 0 {
			name = "m"
		}
		c.op(name, p[0], c.height-p[1])
	}
}

// image draws a picture in the unit square transformed by m, which maps to the displayed page, y up.
func (c *canvas) image(pic *picture, m matrix) {
	i := slices.Index(c.pictures, pic)
	if i < 0 {
		i = len(c.pictures)
		c.pictures = append(c.pictures, pic)
	}
	c.op("q")
	c.op("cm", m.a, m.b, m.c, m.d, m.e, m.f)
	c.ops.WriteString("/" + string(pictureName(i)) + " Do\nQ\n")
}

func pictureName(i int) pdfName { return pdfName("I" + strconv.Itoa(i+1)) }

// shrink gives the picture with no more pixels than 400 to the inch when shown w points wide.
func shrink(src *image.NRGBA, w float64) *image.NRGBA {
	width := int(math.Ceil(w / 72 * 400))
	if width < 1 || src.Rect.Dx() <= width*5/4 {
		return src
	}
	height := max(1, src.Rect.Dy()*width/src.Rect.Dx())
	out := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.CatmullRom.Scale(out, out.Rect, src, src.Rect, draw.Src, nil)
	return out
}
