package seal

import (
	"fmt"
	"math"
	"sort"
)

// MarkKind says what a mark is drawn as.
type MarkKind string

// The kinds of marks.
const (
	MarkText  MarkKind = "text"
	MarkCheck MarkKind = "check" // a tick
	MarkDot   MarkKind = "dot"   // a chosen radio button
	MarkImage MarkKind = "image" // an uploaded signature or initials, a stamp

	MarkStrokes MarkKind = "strokes" // a drawn signature or initials
	MarkTyped   MarkKind = "typed"   // a typed signature or initials
)

// Align says where text stands in its box.
type Align string

// The alignments. AlignStart is left, or right for text in a right-to-left script.
const (
	AlignStart  Align = ""
	AlignLeft   Align = "left"
	AlignCenter Align = "center"
	AlignRight  Align = "right"
)

// Mark is one thing to draw on a page, in a box.
//
// Text is never cut: it starts at its size, shrinks on one line to 70 % of that when it is too wide, then wraps
// at that size, then shrinks further until it fits the box. Text that would stand in more than two and a half
// lines' height is set from the top, otherwise it is centred vertically.
type Mark struct {
	Page       int     // from 0
	X, Y, W, H float64 // fractions 0…1 of the displayed page, origin top left
	Kind       MarkKind
	Text       string
	FontSize   float64 // points; 0 fits the box, at most 12
	Align      Align
	Image      []byte // PNG, scaled into the box with its proportions kept
	Strokes    []byte // as ReadStrokes gave them; drawn as outlines, scaled like an image
	Face       string // of typed text: one of paraph.SignatureFaces; drawn as text, scaled like an image
	Caption    string // small lines below an image, strokes or typed text: who, when, id; left out of a box lower than 24 points
}

// check refuses a mark that can't be where it says it is.
func (m Mark) check(pages int) error {
	if m.Page < 0 || m.Page >= pages {
		return refuse(KindBadMark, fmt.Sprintf("A field is on page %d, but the document has %d.", m.Page+1, pages), nil)
	}
	const slack = 1e-3 // rounding in the editor
	for _, v := range []float64{m.X, m.Y, m.W, m.H, m.FontSize} {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < -slack {
			return refuse(KindBadMark, fmt.Sprintf("A field on page %d has no proper place.", m.Page+1), nil)
		}
	}
	if m.W <= 0 || m.H <= 0 || m.X+m.W > 1+slack || m.Y+m.H > 1+slack {
		return refuse(KindBadMark, fmt.Sprintf("A field on page %d is off the page.", m.Page+1), nil)
	}
	return nil
}

// frame is a mark's box in points of the displayed page.
type frame struct{ x, y, w, h float64 }

// draw puts a mark on a sheet.
func (m Mark) draw(t *typesetter, sh *sheet, width, height float64, pictures pictureSet) error {
	f := frame{m.X * width, m.Y * height, m.W * width, m.H * height}
	switch m.Kind {
	case MarkText:
		t.box(sh, f, m.Text, m.FontSize, m.Align)
	case MarkCheck:
		tick(sh, f)
	case MarkDot:
		sh.disc(f.x+f.w/2, f.y+f.h/2, min(f.w, f.h)*0.3, black)
	case MarkImage, MarkStrokes, MarkTyped:
		return m.sign(t, sh, f, pictures)
	default:
		return refuse(KindBadMark, fmt.Sprintf("There is no kind of mark called %q.", m.Kind), nil)
	}
	return nil
}

func tick(sh *sheet, f frame) {
	side := min(f.w, f.h) * 0.8
	x, y := f.x+(f.w-side)/2, f.y+(f.h-side)/2
	sh.stroke([][2]float64{{x + 0.08*side, y + 0.55*side}, {x + 0.38*side, y + 0.85*side}, {x + 0.92*side, y + 0.15*side}}, side*0.13, black)
}

// sign fits a signature into the box, above its caption.
func (m Mark) sign(t *typesetter, sh *sheet, f frame, pictures pictureSet) error {
	f.h -= t.caption(sh, f, m.Caption)
	switch m.Kind {
	case MarkStrokes:
		return m.drawStrokes(sh, f)
	case MarkTyped:
		return m.drawTyped(t, sh, f)
	}
	pic, err := pictures.get(m.Image, f.w)
	if err != nil {
		return err
	}
	at := f.fit(float64(pic.pixels.Rect.Dx()), float64(pic.pixels.Rect.Dy()))
	sh.image(pic, at.x, at.y, at.w, at.h)
	return nil
}

// fit is the largest frame of some proportions in the middle of f.
func (f frame) fit(w, h float64) frame {
	scale := min(f.w/w, f.h/h)
	w, h = w*scale, h*scale
	return frame{f.x + (f.w-w)/2, f.y + (f.h-h)/2, w, h}
}

// thinnestLine is how thin a drawn signature's lines may become in a small box, in points.
const thinnestLine = 0.4

func (m Mark) drawStrokes(sh *sheet, f frame) error {
	s, err := parseStrokes(m.Strokes)
	if err != nil {
		return err
	}
	p, _ := s.fitted(f.w, f.h, thinnestLine)
	b := p.bounds()
	at := f.fit(b.w, b.h)
	sh.path(p.scaled(vec{b.x, b.y}, at.w/b.w, vec{at.x, at.y}), inkColor)
	return nil
}

// drawTyped sets a name in a script face so that its ink fits the box, its letters not higher than the box.
func (m Mark) drawTyped(t *typesetter, sh *sheet, f frame) error {
	text := oneLine(m.Text)
	if text == "" {
		return refuse(KindBlank, "The signature is blank.", nil)
	}
	l := t.lines(text, scriptFace(m.Face), 0)[0]
	b := t.glyphs.ink(l)
	size := min(f.w/b.w, f.h/b.h, f.h) * em
	w, h := b.w*size/em, b.h*size/em
	sh.text(l, f.x+(f.w-w)/2-b.x*size/em, f.y+(f.h-h)/2-b.y*size/em, size, inkColor)
	return nil
}

// captionless is the height of a box, in points, below which a signature has it for itself.
const captionless = 24

// caption sets small lines at the bottom of a box and gives the height they take, at most two fifths of it: a seventh of the
// box's height each, 3 to 6.5 points, and smaller when they are too wide.
func (t *typesetter) caption(sh *sheet, f frame, text string) float64 {
	if text == "" || f.h < captionless {
		return 0
	}
	lines := t.lines(text, faceRegular, 0)
	widest := 1
	for _, l := range lines {
		widest = max(widest, l.width)
	}
	size := min(max(3, min(6.5, f.h/7)), f.w/points(widest, 1), 0.4*f.h/(linePitch*float64(len(lines))))
	pitch := size * linePitch
	y := f.y + f.h - pitch*float64(len(lines))
	for i, l := range lines {
		sh.text(l, f.x+(f.w-points(l.width, size))/2, y+pitch*float64(i)+size*0.9, size, grey)
	}
	return pitch*float64(len(lines)) + size*0.3
}

// points turns a width in em units into points at a size.
func points(width int, size float64) float64 { return float64(width) / em * size }

const linePitch = 1.2 // of the size

// box sets text into a frame by the rule that Mark documents.
func (t *typesetter) box(sh *sheet, f frame, text string, size float64, align Align) {
	const pad = 1.5
	inner := max(f.w-2*pad, f.w*0.8)
	if size <= 0 {
		size = max(min(f.h*0.72, 12), 1)
	}
	lines, size := t.fit(text, size, inner, f.h)
	pitch := size * linePitch
	y := f.y + (f.h-pitch*float64(len(lines)))/2
	if f.h > 2.5*pitch {
		y = f.y + pad
	}
	for i, l := range lines {
		x := f.x + (f.w-inner)/2
		free := inner - points(l.width, size)
		switch {
		case align == AlignCenter:
			x += free / 2
		case align == AlignRight, align == AlignStart && l.rtl:
			x += free
		}
		sh.text(l, x, y+pitch*float64(i)+size*0.93, size, black)
	}
}

// fit finds the lines and the size at which text fits a width and height.
func (t *typesetter) fit(text string, size, w, h float64) ([]line, float64) {
	lines := t.lines(text, faceRegular, 0)
	widest := 1
	for _, l := range lines {
		widest = max(widest, l.width)
	}
	whole := min(size, w/points(widest, 1), h/(linePitch*float64(len(lines))))
	if whole >= 0.7*size {
		return lines, whole
	}
	// Sizes to try are six hundredths apart; the largest that fits is searched for, because a long text takes time to shape.
	sizeOf := func(step int) float64 { return max(0.7*size*math.Pow(0.94, float64(step)), whole) }
	steps := int(math.Ceil(math.Log(whole/(0.7*size)) / math.Log(0.94)))
	step := sort.Search(steps, func(step int) bool {
		s := sizeOf(step)
		return float64(len(t.lines(text, faceRegular, int(w/s*em))))*s*linePitch <= h
	})
	s := sizeOf(step)
	return t.lines(text, faceRegular, int(w/s*em)), s
}
