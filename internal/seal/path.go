package seal

import (
	"math"

	"golang.org/x/image/vector"
)

// vec is a place or a direction.
type vec struct{ x, y float64 }

func (a vec) plus(b vec) vec      { return vec{a.x + b.x, a.y + b.y} }
func (a vec) minus(b vec) vec     { return vec{a.x - b.x, a.y - b.y} }
func (a vec) times(f float64) vec { return vec{a.x * f, a.y * f} }
func (a vec) length() float64     { return math.Hypot(a.x, a.y) }
func (a vec) left() vec           { return vec{-a.y, a.x} }
func (a vec) dot(b vec) float64   { return a.x*b.x + a.y*b.y }
func mix(a, b vec, t float64) vec { return a.times(1 - t).plus(b.times(t)) }
func (a vec) unit() (vec, bool) {
	l := a.length()
	if l < 1e-9 {
		return vec{}, false
	}
	return a.times(1 / l), true
}

// path is outlines to be filled where they wind around at all: 1 point moves, 1 draws a line, 3 draw a Bézier curve.
type path []pathStep

type pathStep struct {
	move   bool
	points []vec
}

func (p *path) moveTo(a vec)        { *p = append(*p, pathStep{move: true, points: []vec{a}}) }
func (p *path) lineTo(a vec)        { *p = append(*p, pathStep{points: []vec{a}}) }
func (p *path) curveTo(a, b, c vec) { *p = append(*p, pathStep{points: []vec{a, b, c}}) }

// bow is how far a control point of a quarter circle is from its end, in radii.
const bow = 0.5522847498

// disc adds a circle, in the direction in which ribbon goes round.
func (p *path) disc(c vec, r float64) {
	p.moveTo(c.plus(vec{r, 0}))
	p.curveTo(c.plus(vec{r, -bow * r}), c.plus(vec{bow * r, -r}), c.plus(vec{0, -r}))
	p.curveTo(c.plus(vec{-bow * r, -r}), c.plus(vec{-r, -bow * r}), c.plus(vec{-r, 0}))
	p.curveTo(c.plus(vec{-r, bow * r}), c.plus(vec{-bow * r, r}), c.plus(vec{0, r}))
	p.curveTo(c.plus(vec{bow * r, r}), c.plus(vec{r, bow * r}), c.plus(vec{r, 0}))
}

// bounds is a frame around all points, those of curves' controls too.
func (p path) bounds() frame {
	x0, y0, x1, y1 := math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)
	for _, s := range p {
		for _, v := range s.points {
			x0, y0, x1, y1 = min(x0, v.x), min(y0, v.y), max(x1, v.x), max(y1, v.y)
		}
	}
	if x0 > x1 {
		return frame{}
	}
	return frame{x0, y0, x1 - x0, y1 - y0}
}

// scaled moves a path by -origin, then scales it, then moves it to at.
func (p path) scaled(origin vec, by float64, at vec) path {
	out := make(path, len(p))
	for i, s := range p {
		out[i] = pathStep{s.move, make([]vec, len(s.points))}
		for j, v := range s.points {
			out[i].points[j] = v.minus(origin).times(by).plus(at)
		}
	}
	return out
}

// rasterize adds the path to what is to be filled.
func (p path) rasterize(r *vector.Rasterizer) {
	at := func(v vec) (float32, float32) { return float32(v.x), float32(v.y) }
	open := false
	for _, s := range p {
		x, y := at(s.points[0])
		switch {
		case s.move:
			if open {
				r.ClosePath()
			}
			open = true
			r.MoveTo(x, y)
		case len(s.points) == 1:
			r.LineTo(x, y)
		default:
			bx, by := at(s.points[1])
			cx, cy := at(s.points[2])
			r.CubeTo(x, y, bx, by, cx, cy)
		}
	}
	if open {
		r.ClosePath()
	}
}

// path draws filled outlines, whose space is that of the sheet.
func (s *sheet) path(p path, k color) {
	s.add(func(c *canvas) {
		c.fill(k)
		for _, step := range p {
			operands := make([]float64, 0, 6)
			for _, v := range step.points {
				operands = append(operands, v.x, c.height-v.y)
			}
			switch {
			case step.move:
				c.op("m", operands...)
			case len(step.points) == 1:
				c.op("l", operands...)
			default:
				c.op("c", operands...)
			}
		}
		c.op("f")
	})
}
