package seal

import (
	"fmt"
	"image"
	"math"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/structs"
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

// inverse undoes a rotation and a shift.
func (m matrix) inverse() matrix {
	return matrix{a: m.a, b: m.c, c: m.b, d: m.d, e: -(m.a*m.e + m.b*m.f), f: -(m.c*m.e + m.d*m.f)}
}

func (m matrix) pdfium() structs.FPDF_FS_MATRIX {
	return structs.FPDF_FS_MATRIX{A: float32(m.a), B: float32(m.b), C: float32(m.c), D: float32(m.d), E: float32(m.e), F: float32(m.f)}
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
	jpeg   []byte // drawn as it is, instead of pixels
}

// sheet collects what is to be drawn on one page. Coordinates are points of the displayed page, the origin top
// left, y down. Nothing is drawn before all text of a document is shaped, because the font is made of it.
type sheet struct{ ops []func(*painter) error }

func (s *sheet) add(op func(*painter) error) { s.ops = append(s.ops, op) }

// text draws a line with its baseline starting at (x, y).
func (s *sheet) text(l line, x, y, size float64, c color) {
	if len(l.codes) == 0 {
		return
	}
	s.add(func(p *painter) error { return p.text(l.codes, x, y, size, c) })
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
	s.add(func(p *painter) error { return p.image(pic, matrix{w, 0, 0, h, x, p.height - y - h}) })
}

func (s *sheet) rect(x, y, w, h float64, fill color) {
	s.add(func(p *painter) error {
		return p.path([][2]float64{{x, y}, {x + w, y}, {x + w, y + h}, {x, y + h}, {x, y}}, true, 0, fill)
	})
}

// rects draws many filled rectangles as one path.
func (s *sheet) rects(frames []frame, c color) {
	if len(frames) == 0 {
		return
	}
	s.add(func(p *painter) error { return p.rects(frames, c) })
}

// stroke draws a line through points.
func (s *sheet) stroke(points [][2]float64, width float64, c color) {
	s.add(func(p *painter) error { return p.path(points, false, width, c) })
}

// disc draws a filled circle.
func (s *sheet) disc(x, y, radius float64, c color) {
	s.add(func(p *painter) error {
		var points [][2]float64
		const corners = 48
		for i := range corners + 1 {
			angle := 2 * math.Pi * float64(i) / corners
			points = append(points, [2]float64{x + radius*math.Cos(angle), y + radius*math.Sin(angle)})
		}
		return p.path(points, true, 0, c)
	})
}

// painter draws on one page of an open document.
type painter struct {
	s      *session
	doc    references.FPDF_DOCUMENT
	page   references.FPDF_PAGE
	font   references.FPDF_FONT
	toUser matrix // from points of the displayed page, y up, to the page's user space
	height float64
}

// loadFont puts the glyphs that were used into a document. Without glyphs there is no font.
func (s *session) loadFont(doc references.FPDF_DOCUMENT, g *glyphSet) (references.FPDF_FONT, error) {
	if len(g.glyphs) == 1 {
		return "", nil
	}
	resp, err := s.pdfium.FPDFText_LoadCidType2Font(&requests.FPDFText_LoadCidType2Font{
		Document: doc, FontData: g.trueType(), ToUnicodeCmap: g.toUnicode(), CIDToGIDMapData: g.identity(),
	})
	if err != nil {
		return "", fmt.Errorf("load font: %w", err)
	}
	return resp.Font, nil
}

// paint draws a sheet over what a page already shows.
func (s *session) paint(doc references.FPDF_DOCUMENT, page references.FPDF_PAGE, font references.FPDF_FONT, sh *sheet) error {
	shape, err := s.pageShape(page)
	if err != nil {
		return err
	}
	p := &painter{s: s, doc: doc, page: page, font: font, toUser: shape.toUser, height: shape.height}
	for _, op := range sh.ops {
		if err := op(p); err != nil {
			return fmt.Errorf("draw: %w", err)
		}
	}
	if _, err := s.pdfium.FPDFPage_GenerateContent(&requests.FPDFPage_GenerateContent{Page: byRef(page)}); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}

func (p *painter) insert(obj references.FPDF_PAGEOBJECT) error {
	_, err := p.s.pdfium.FPDFPage_InsertObject(&requests.FPDFPage_InsertObject{Page: byRef(p.page), PageObject: obj})
	return err
}

func (p *painter) place(obj references.FPDF_PAGEOBJECT, m matrix) error {
	_, err := p.s.pdfium.FPDFPageObj_SetMatrix(&requests.FPDFPageObj_SetMatrix{PageObject: obj, Transform: p.toUser.after(m).pdfium()})
	return err
}

func (p *painter) fill(obj references.FPDF_PAGEOBJECT, c color) error {
	_, err := p.s.pdfium.FPDFPageObj_SetFillColor(&requests.FPDFPageObj_SetFillColor{PageObject: obj, FillColor: structs.FPDF_COLOR{R: c.r, G: c.g, B: c.b, A: 255}})
	return err
}

func (p *painter) text(codes []uint32, x, y, size float64, c color) error {
	made, err := p.s.pdfium.FPDFPageObj_CreateTextObj(&requests.FPDFPageObj_CreateTextObj{Document: p.doc, Font: p.font, FontSize: float32(size)})
	if err != nil {
		return err
	}
	obj := made.PageObject
	if _, err := p.s.pdfium.FPDFText_SetCharcodes(&requests.FPDFText_SetCharcodes{PageObject: obj, CharCodes: codes}); err != nil {
		return err
	}
	if err := p.fill(obj, c); err != nil {
		return err
	}
	if err := p.place(obj, matrix{1, 0, 0, 1, x, p.height - y}); err != nil {
		return err
	}
	return p.insert(obj)
}

// path draws straight lines through points: filled, or stroked with a width.
func (p *painter) path(points [][2]float64, filled bool, width float64, c color) error {
	at := func(q [2]float64) (float32, float32) {
		x, y := p.toUser.apply(q[0], p.height-q[1])
		return float32(x), float32(y)
	}
	x, y := at(points[0])
	made, err := p.s.pdfium.FPDFPageObj_CreateNewPath(&requests.FPDFPageObj_CreateNewPath{X: x, Y: y})
	if err != nil {
		return err
	}
	obj := made.PageObject
	for _, q := range points[1:] {
		x, y := at(q)
		if _, err := p.s.pdfium.FPDFPath_LineTo(&requests.FPDFPath_LineTo{PageObject: obj, X: x, Y: y}); err != nil {
			return err
		}
	}
	if err := p.pathStyle(obj, filled, width, c); err != nil {
		return err
	}
	return p.insert(obj)
}

func (p *painter) rects(frames []frame, c color) error {
	var obj references.FPDF_PAGEOBJECT
	for _, f := range frames {
		corners := [4][2]float64{{f.x, f.y}, {f.x + f.w, f.y}, {f.x + f.w, f.y + f.h}, {f.x, f.y + f.h}}
		for i, q := range corners {
			x, y := p.toUser.apply(q[0], p.height-q[1])
			if err := p.step(&obj, i == 0, float32(x), float32(y)); err != nil {
				return err
			}
		}
		if _, err := p.s.pdfium.FPDFPath_Close(&requests.FPDFPath_Close{PageObject: obj}); err != nil {
			return err
		}
	}
	if err := p.pathStyle(obj, true, 0, c); err != nil {
		return err
	}
	return p.insert(obj)
}

// step moves to or draws to a point of a path, which is made when there is none yet.
func (p *painter) step(obj *references.FPDF_PAGEOBJECT, move bool, x, y float32) error {
	if *obj == "" {
		made, err := p.s.pdfium.FPDFPageObj_CreateNewPath(&requests.FPDFPageObj_CreateNewPath{X: x, Y: y})
		if err == nil {
			*obj = made.PageObject
		}
		return err
	}
	if move {
		_, err := p.s.pdfium.FPDFPath_MoveTo(&requests.FPDFPath_MoveTo{PageObject: *obj, X: x, Y: y})
		return err
	}
	_, err := p.s.pdfium.FPDFPath_LineTo(&requests.FPDFPath_LineTo{PageObject: *obj, X: x, Y: y})
	return err
}

func (p *painter) pathStyle(obj references.FPDF_PAGEOBJECT, filled bool, width float64, c color) error {
	mode := enums.FPDF_FILLMODE_NONE
	if filled {
		mode = enums.FPDF_FILLMODE_WINDING
		if err := p.fill(obj, c); err != nil {
			return err
		}
	} else {
		if _, err := p.s.pdfium.FPDFPageObj_SetStrokeColor(&requests.FPDFPageObj_SetStrokeColor{PageObject: obj, StrokeColor: structs.FPDF_COLOR{R: c.r, G: c.g, B: c.b, A: 255}}); err != nil {
			return err
		}
		if _, err := p.s.pdfium.FPDFPageObj_SetStrokeWidth(&requests.FPDFPageObj_SetStrokeWidth{PageObject: obj, StrokeWidth: float32(width)}); err != nil {
			return err
		}
		if _, err := p.s.pdfium.FPDFPageObj_SetLineCap(&requests.FPDFPageObj_SetLineCap{PageObject: obj, LineCap: enums.FPDF_LINECAP_ROUND}); err != nil {
			return err
		}
	}
	_, err := p.s.pdfium.FPDFPath_SetDrawMode(&requests.FPDFPath_SetDrawMode{PageObject: obj, FillMode: mode, Stroke: !filled})
	return err
}

// image draws a picture in the unit square transformed by m, which maps to the displayed page, y up.
func (p *painter) image(pic *picture, m matrix) error {
	made, err := p.s.pdfium.FPDFPageObj_NewImageObj(&requests.FPDFPageObj_NewImageObj{Document: p.doc})
	if err != nil {
		return err
	}
	obj := made.PageObject
	if pic.jpeg != nil {
		_, err = p.s.pdfium.FPDFImageObj_LoadJpegFileInline(&requests.FPDFImageObj_LoadJpegFileInline{ImageObject: obj, FileData: pic.jpeg})
	} else {
		err = p.bitmap(obj, pic.pixels)
	}
	if err != nil {
		return err
	}
	if err := p.place(obj, m); err != nil {
		return err
	}
	return p.insert(obj)
}

func (p *painter) bitmap(obj references.FPDF_PAGEOBJECT, src *image.NRGBA) error {
	alpha := 1
	if src.Opaque() {
		alpha = 0
	}
	made, err := p.s.pdfium.FPDFBitmap_Create(&requests.FPDFBitmap_Create{Width: src.Rect.Dx(), Height: src.Rect.Dy(), Alpha: alpha})
	if err != nil {
		return err
	}
	defer func() {
		_, _ = p.s.pdfium.FPDFBitmap_Destroy(&requests.FPDFBitmap_Destroy{Bitmap: made.Bitmap})
	}()
	buf, err := p.s.pdfium.FPDFBitmap_GetBuffer(&requests.FPDFBitmap_GetBuffer{Bitmap: made.Bitmap})
	if err != nil {
		return err
	}
	for y := range src.Rect.Dy() {
		row := src.Pix[y*src.Stride : y*src.Stride+4*src.Rect.Dx()]
		to := buf.Buffer[y*4*src.Rect.Dx():]
		for i := 0; i < len(row); i += 4 {
			to[i], to[i+1], to[i+2], to[i+3] = row[i+2], row[i+1], row[i], row[i+3]
		}
	}
	_, err = p.s.pdfium.FPDFImageObj_SetBitmap(&requests.FPDFImageObj_SetBitmap{ImageObject: obj, Bitmap: made.Bitmap})
	return err
}

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
