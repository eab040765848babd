package seal

import (
	"encoding/json"
	"fmt"
	"image"
	"math"

	"golang.org/x/image/vector"
)

// Limits of a drawn signature.
const (
	maxStrokesBytes = 2 << 20
	maxStrokes      = 1000
	maxPenPoints    = 30_000
	maxPenPlace     = 20_000     // from the pad's corner, in its pixels
	maxPenTime      = 86_400_000 // ms, one day
)

// inkColor is the colour of every signature that is drawn or typed: blue-black. The pad shows the same.
var inkColor = color{0x16, 0x24, 0x5C}

// Strokes is a drawn signature as the pen went: for each stroke its points, each x and y in the pad's pixels with y
// down, pressure 0…1, and milliseconds since the first point.
type Strokes struct {
	Strokes [][][4]float64 `json:"strokes"`
}

// ReadStrokes checks a drawn signature, as JSON {"strokes": [[[x, y, pressure, ms], …], …]}, and gives it back with nothing
// else in it, rounded to hundredths, and as a PNG with a transparent ground. No stroke at all is refused as KindBlank.
func ReadStrokes(data []byte) (kept, png []byte, err error) {
	s, err := parseStrokes(data)
	if err != nil {
		return nil, nil, fmt.Errorf("read strokes: %w", err)
	}
	if kept, err = json.Marshal(s); err != nil {
		return nil, nil, fmt.Errorf("read strokes: %w", err)
	}
	png, err = inkPNG(s.pixels())
	return kept, png, err
}

func parseStrokes(data []byte) (Strokes, error) {
	var s Strokes
	if len(data) > maxStrokesBytes {
		return s, refuse(KindTooLarge, "This signature has too many strokes.", nil)
	}
	var raw struct {
		Strokes [][][]float64 `json:"strokes"` // an array of Go would take any number of values
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return s, refuse(KindBadImage, "The signature's strokes can't be read.", err)
	}
	if len(raw.Strokes) > maxStrokes {
		return s, refuse(KindTooLarge, "This signature has too many strokes.", nil)
	}
	points := 0
	for _, stroke := range raw.Strokes {
		if points += len(stroke); points > maxPenPoints {
			return s, refuse(KindTooLarge, "This signature has too many strokes.", nil)
		}
		if len(stroke) == 0 {
			continue
		}
		kept := make([][4]float64, len(stroke))
		for i, p := range stroke {
			if !penPoint(p) {
				return s, refuse(KindBadImage, "The signature's strokes can't be read.", fmt.Errorf("point %d is %v", i, p))
			}
			for j, v := range p {
				kept[i][j] = math.Round(v*100) / 100
			}
		}
		s.Strokes = append(s.Strokes, kept)
	}
	if len(s.Strokes) == 0 {
		return s, refuse(KindBlank, "The signature is blank.", nil)
	}
	return s, nil
}

// penPoint tells whether values are those of a point; JSON knows no infinities.
func penPoint(p []float64) bool {
	return len(p) == 4 && math.Abs(p[0]) <= maxPenPlace && math.Abs(p[1]) <= maxPenPlace && p[2] >= 0 && p[2] <= 1 && p[3] >= 0 && p[3] <= maxPenTime
}

// pixels draws the strokes, up to 1200 × 480 pixels, four times their size at most.
func (s Strokes) pixels() *image.NRGBA {
	p, scale := s.fitted(1200, 480, 1)
	scale = min(4, scale)
	b := p.bounds()
	const pad = 4
	w, h := int(math.Ceil(b.w*scale))+2*pad, int(math.Ceil(b.h*scale))+2*pad
	r := vector.NewRasterizer(w, h)
	p.scaled(vec{b.x, b.y}, scale, vec{pad, pad}).rasterize(r)
	mask := image.NewAlpha(image.Rect(0, 0, w, h))
	r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
	return inked(mask)
}

// fitted gives the outline and by how much it is scaled to fit a width and height, its lines then no thinner than a width.
func (s Strokes) fitted(w, h, thinnest float64) (path, float64) {
	scaleOf := func(p path) float64 { b := p.bounds(); return min(w/b.w, h/b.h) }
	p := s.outline(0)
	scale := scaleOf(p)
	if 2*penThin*scale < thinnest {
		p = s.outline(thinnest / 2 / scale)
		scale = scaleOf(p)
	}
	return p, scale
}

// inked is a mask in the colour of ink.
func inked(mask *image.Alpha) *image.NRGBA {
	out := image.NewNRGBA(mask.Rect)
	for i, a := range mask.Pix {
		if a > 0 {
			copy(out.Pix[4*i:], []byte{byte(inkColor.r), byte(inkColor.g), byte(inkColor.b), a})
		}
	}
	return out
}

// The pen, as the pad in the browser has it (signature_pad's options minWidth, maxWidth and velocityFilterWeight): radii in the pad's
// pixels, and how much of a point's speed, in pixels a millisecond, counts against that of the points before it.
const (
	penThin   = 0.8
	penThick  = 2.8
	penFilter = 0.7
)

// outline is what the strokes look like, by the pad's own rules: a smooth curve through the points, thinner where the pen
// is faster, and no thinner than a radius.
func (s Strokes) outline(thinnest float64) path {
	var out path
	for _, stroke := range s.Strokes {
		pen := pen{out: &out, thinnest: thinnest, radius: (penThin + penThick) / 2}
		pen.draw(stroke)
	}
	return out
}

type pen struct {
	out      *path
	thinnest float64
	radius   float64 // at the end of the last curve
	speed    float64
}

func place(p [4]float64) vec { return vec{p[0], p[1]} }

func (p *pen) draw(points [][4]float64) {
	dot := max(p.radius, p.thinnest)
	switch len(points) {
	case 1:
		p.out.disc(place(points[0]), dot)
		return
	case 2:
		a, b := place(points[0]), place(points[1])
		p.out.disc(a, dot)
		p.ribbon([4]vec{a, mix(a, b, 1.0/3), mix(a, b, 2.0/3), b}, dot, dot)
		p.out.disc(b, dot)
		return
	}
	// The pad's curve ends at the last point but one: it waits for one more point, to know where to bend.
	for i := 0; i+2 < len(points); i++ {
		p.curve(place(points[max(i-1, 0)]), points[i], points[i+1], place(points[i+2]), i+3 == len(points))
	}
}

// curve draws from one point to the next, bent by their neighbours.
func (p *pen) curve(before vec, from, to [4]float64, after vec, last bool) {
	a, b := place(from), place(to)
	_, c1 := controls(before, a, b)
	c2, _ := controls(a, b, after)
	speed := 0.0
	if dt := to[3] - from[3]; dt > 0 {
		speed = b.minus(a).length() / dt
	}
	p.speed = penFilter*speed + (1-penFilter)*p.speed
	next := max(penThick/(p.speed+1), penThin)
	r0, r1 := max(p.radius, p.thinnest), max(next, p.thinnest)
	p.radius = next
	if before == a {
		p.out.disc(a, r0)
	}
	p.bent([4]vec{a, c1, c2, b}, r0, r1)
	if last || sharp(a, b, after) {
		p.out.disc(b, r1)
	}
}

// sharp tells whether the way over b turns so much that its outline shows it; smaller turns meet edge to edge.
func sharp(a, b, c vec) bool {
	from, ok0 := b.minus(a).unit()
	to, ok1 := c.minus(b).unit()
	return !ok0 || !ok1 || from.dot(to) < 0.9
}

// controls are the control points before and after the middle one of three points, on a line that is parallel to that
// between the middles of both sides.
func controls(a, b, c vec) (before, after vec) {
	m1, m2 := mix(a, b, 0.5), mix(b, c, 0.5)
	l1, l2 := a.minus(b).length(), b.minus(c).length()
	k := 0.0
	if l1+l2 > 0 {
		k = l2 / (l1 + l2)
	}
	shift := b.minus(mix(m2, m1, k))
	return m1.plus(shift), m2.plus(shift)
}

// bent draws a curve in as many parts as it bends in.
func (p *pen) bent(b [4]vec, r0, r1 float64) {
	start, ok0 := tangent(b[0], b[1], b[2], b[3])
	end, ok1 := tangent(b[3], b[2], b[1], b[0])
	if !ok0 || !ok1 {
		return // it goes nowhere, and the discs at its ends show that
	}
	turn := math.Acos(max(-1, min(1, start.dot(end.times(-1)))))
	parts := 1 + int(turn/0.5)
	for i := range parts {
		t0, t1 := float64(i)/float64(parts), float64(i+1)/float64(parts)
		p.ribbon(part(b, t0, t1), r0+t0*t0*t0*(r1-r0), r0+t1*t1*t1*(r1-r0))
		if i > 0 && turn > 1 {
			p.out.disc(part(b, t0, t1)[0], r0+t0*t0*t0*(r1-r0))
		}
	}
}

// tangent is the direction from a to the first of the others that is elsewhere.
func tangent(a vec, others ...vec) (vec, bool) {
	for _, o := range others {
		if d, ok := o.minus(a).unit(); ok {
			return d, true
		}
	}
	return vec{}, false
}

// part is a Bézier curve between two of its places.
func part(b [4]vec, t0, t1 float64) [4]vec {
	p := [4][2]float64{{b[0].x, b[0].y}, {b[1].x, b[1].y}, {b[2].x, b[2].y}, {b[3].x, b[3].y}}
	x0, y0, dx0, dy0 := cubicAt(p, t0)
	x1, y1, dx1, dy1 := cubicAt(p, t1)
	from, to, h := vec{x0, y0}, vec{x1, y1}, (t1-t0)/3
	return [4]vec{from, from.plus(vec{dx0, dy0}.times(h)), to.minus(vec{dx1, dy1}.times(h)), to}
}

// ribbon adds the outline of a curve that is drawn with a pen of one radius at its start and another at its end.
func (p *pen) ribbon(b [4]vec, r0, r1 float64) {
	start, ok0 := tangent(b[0], b[1], b[2], b[3])
	end, ok1 := tangent(b[3], b[2], b[1], b[0])
	if !ok0 || !ok1 {
		return
	}
	end = end.times(-1)
	side := func(sign float64) [4]vec {
		from, to := b[0].plus(start.left().times(sign*r0)), b[3].plus(end.left().times(sign*r1))
		stretch := 1.0
		if chord := b[3].minus(b[0]).length(); chord > 1e-9 {
			stretch = min(4, to.minus(from).length()/chord)
		}
		return [4]vec{
			from, from.plus(start.times(b[1].minus(b[0]).length() * stretch)),
			to.minus(end.times(b[3].minus(b[2]).length() * stretch)), to,
		}
	}
	l, r := side(1), side(-1)
	p.out.moveTo(l[0])
	p.out.curveTo(l[1], l[2], l[3])
	p.out.lineTo(r[3])
	p.out.curveTo(r[2], r[1], r[0])
}
