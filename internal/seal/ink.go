package seal

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"slices"
	"strings"

	"golang.org/x/image/draw"
	"golang.org/x/image/vector"
)

// ReadSignatureImage checks a drawn or uploaded signature and gives it as a PNG with a transparent ground, trimmed
// to its ink. It takes PNG and JPEG up to 2 MB and 4000 × 2000 pixels; on a picture without transparency the paper,
// white or photographed, is taken away. Nothing visible is refused as KindBlank.
func ReadSignatureImage(data []byte) ([]byte, error) {
	pixels, err := readSignature(data)
	if err != nil {
		return nil, fmt.Errorf("read signature image: %w", err)
	}
	return inkPNG(pixels)
}

func readSignature(data []byte) (*image.NRGBA, error) {
	switch {
	case len(data) == 0:
		return nil, refuse(KindEmpty, "The signature is empty.", nil)
	case len(data) > maxSignatureBytes:
		return nil, refuse(KindTooLarge, "A signature's picture can have up to 2 MB.", nil)
	case looksLikeSVG(data):
		return nil, refuse(KindUnsupported, "SVG pictures can't be used as a signature. Use a PNG or JPEG.", nil)
	}
	decode, config := png.Decode, png.DecodeConfig
	if bytes.HasPrefix(data, []byte{0xFF, 0xD8}) {
		decode, config = jpeg.Decode, jpeg.DecodeConfig
	}
	cfg, err := config(bytes.NewReader(data))
	if err != nil {
		return nil, refuse(KindBadImage, "This is not a PNG or JPEG picture.", err)
	}
	if cfg.Width > maxSignatureWidth || cfg.Height > maxSignatureHeight {
		return nil, refuse(KindTooLarge, fmt.Sprintf("A signature's picture can have up to %d × %d pixels; this one has %d × %d.", maxSignatureWidth, maxSignatureHeight, cfg.Width, cfg.Height), nil)
	}
	decoded, err := decode(bytes.NewReader(data))
	if err != nil {
		return nil, refuse(KindBadImage, "This picture is damaged.", err)
	}
	pixels := upright(straight(decoded), exifOrientation(data))
	if pixels.Opaque() {
		liftInk(pixels)
	}
	return pixels, nil
}

// upright turns pixels as EXIF says.
func upright(src *image.NRGBA, turn orientation) *image.NRGBA {
	if turn == 1 {
		return src
	}
	w, h := src.Rect.Dx(), src.Rect.Dy()
	size := image.Pt(w, h)
	if turn.swaps() {
		size = image.Pt(h, w)
	}
	out := image.NewNRGBA(image.Rectangle{Max: size})
	m := turn.matrix()
	for y := range h {
		for x := range w {
			u, v := m.apply((float64(x)+0.5)/float64(w), 1-(float64(y)+0.5)/float64(h))
			out.SetNRGBA(int(u*float64(size.X)), int((1-v)*float64(size.Y)), src.NRGBAAt(x, y))
		}
	}
	return out
}

// liftInk makes paper transparent: what is nearly as light as the light parts of the picture is paper, and what is
// darker is ink, the more opaque the darker it is.
func liftInk(pic *image.NRGBA) {
	white := max(paper(pic), 64)
	for i := 0; i < len(pic.Pix); i += 4 {
		darkest := min(pic.Pix[i], pic.Pix[i+1], pic.Pix[i+2])
		light := min(255, int(darkest)*255/white)
		alpha := 255 - light
		if alpha < 24 {
			alpha = 0
		}
		for c := i; c < i+3 && alpha > 0; c++ {
			v := min(255, int(pic.Pix[c])*255/white)
			pic.Pix[c] = byte(max(0, min(255, (v-(255-alpha))*255/alpha)))
		}
		pic.Pix[i+3] = byte(alpha)
	}
}

// paper is how light a picture's ground is: its brightness's upper quartile.
func paper(pic *image.NRGBA) int {
	var count [256]int
	for i := 0; i < len(pic.Pix); i += 4 {
		count[min(pic.Pix[i], pic.Pix[i+1], pic.Pix[i+2])]++
	}
	rest := len(pic.Pix) / 4 / 4
	for v := 255; v > 0; v-- {
		if rest -= count[v]; rest <= 0 {
			return v
		}
	}
	return 0
}

// inkPNG trims to what is visible on white paper and encodes.
func inkPNG(pic *image.NRGBA) ([]byte, error) {
	ink := inkBounds(pic)
	if ink.Empty() {
		return nil, refuse(KindBlank, "The signature is blank.", nil)
	}
	margin := max(2, ink.Dy()/40)
	cut := ink.Inset(-margin).Intersect(pic.Rect)
	out := image.NewNRGBA(image.Rect(0, 0, cut.Dx(), cut.Dy()))
	draw.Draw(out, out.Rect, pic, cut.Min, draw.Src)
	var buf bytes.Buffer
	if err := png.Encode(&buf, out); err != nil {
		return nil, fmt.Errorf("encode signature: %w", err)
	}
	return buf.Bytes(), nil
}

func inkBounds(pic *image.NRGBA) image.Rectangle {
	var ink image.Rectangle
	const visible = 24 // of 255, on white
	for y := range pic.Rect.Dy() {
		for x := range pic.Rect.Dx() {
			p := pic.Pix[y*pic.Stride+4*x:]
			if int(p[3])*(255-int(min(p[0], p[1], p[2]))) > visible*255 {
				ink = ink.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return ink
}

const (
	typedHeight = 240 // pixels to the em
	maxTyped    = 120 // letters
)

// RenderTypedSignature writes a name in a script face, one of paraph.SignatureFaces, as a PNG with a transparent ground, 240
// pixels to the em, trimmed to its ink. Letters that the face lacks come from other fonts.
func (e *Engine) RenderTypedSignature(text, face string) ([]byte, error) {
	text = oneLine(text)
	if text == "" {
		return nil, fmt.Errorf("typed signature: %w", refuse(KindBlank, "The signature is blank.", nil))
	}
	if len([]rune(text)) > maxTyped {
		return nil, fmt.Errorf("typed signature: %w", refuse(KindTooLarge, fmt.Sprintf("A typed signature can have up to %d letters.", maxTyped), nil))
	}
	t := newTypesetter(e.fonts)
	lines := t.lines(text, scriptFace(face), 0)
	return inkPNG(rasterize(&t.glyphs, lines[0]))
}

func oneLine(text string) string { return strings.Join(strings.Fields(clean(text)), " ") }

// ink is where a line shows something, in em units, x from its start and y down from the baseline; of a line without
// outlines, its advance and the em above the baseline.
func (s *glyphSet) ink(l line) frame {
	var p path
	pen := 0
	for _, code := range l.codes {
		g := s.glyphs[code]
		if len(g.contours) > 0 {
			b := boxOf(g.contours)
			p.moveTo(vec{float64(pen + b.x0), float64(-b.y0)})
			p.lineTo(vec{float64(pen + b.x1), float64(-b.y1)})
		}
		pen += g.advance
	}
	for _, e := range l.emojis {
		p.moveTo(vec{float64(e.x), em * 0.2})
		p.lineTo(vec{float64(e.x + e.adv), -em * 0.9})
	}
	if b := p.bounds(); b.w > 0 && b.h > 0 {
		return b
	}
	return frame{0, -em, float64(max(pen, 1)), em}
}

// rasterize fills a line's glyphs with ink.
func rasterize(g *glyphSet, l line) *image.NRGBA {
	const scale = float64(typedHeight) / em
	const pad = 4
	b := g.ink(l)
	w, h := int(b.w*scale)+2*pad, int(b.h*scale)+2*pad
	mask := image.NewAlpha(image.Rect(0, 0, w, h))
	pen, baseline := pad-b.x*scale, pad-b.y*scale
	for _, code := range l.codes {
		glyph := g.glyphs[code]
		r := vector.NewRasterizer(w, h)
		for _, c := range glyph.contours {
			trace(r, c, pen, baseline, scale)
		}
		if len(glyph.contours) > 0 {
			r.DrawOp = draw.Over
			r.Draw(mask, mask.Rect, image.Opaque, image.Point{})
		}
		pen += float64(glyph.advance) * scale
	}
	return inked(mask)
}

// trace follows a TrueType contour, in which two control points in a row have a point on the curve between them.
func trace(r *vector.Rasterizer, c contour, x, y, scale float64) {
	at := func(px, py float64) (float32, float32) { return float32(x + px*scale), float32(y - py*scale) }
	start := slices.IndexFunc(c, func(p point) bool { return p.on })
	if start < 0 {
		return
	}
	sx, sy := at(float64(c[start].x), float64(c[start].y))
	r.MoveTo(sx, sy)
	var control *point
	for i := 1; i <= len(c); i++ {
		p := c[(start+i)%len(c)]
		px, py := at(float64(p.x), float64(p.y))
		switch {
		case p.on && control == nil:
			r.LineTo(px, py)
		case p.on:
			cx, cy := at(float64(control.x), float64(control.y))
			r.QuadTo(cx, cy, px, py)
			control = nil
		case control == nil:
			control = &p
		default:
			cx, cy := at(float64(control.x), float64(control.y))
			mx, my := at(float64(control.x+p.x)/2, float64(control.y+p.y)/2)
			r.QuadTo(cx, cy, mx, my)
			control = &p
		}
	}
	r.ClosePath()
}
