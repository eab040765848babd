package seal

import (
	"bytes"
	"fmt"
	"image"
	stdcolor "image/color"
)

// drawing adds what is drawn on a document to one revision of it: each page's sheet, and once for all of them the font with
// the glyphs that are used and the pictures.
type drawing struct {
	rev      *pdfRevision
	font     pdfRef // num 0 without glyphs
	pictures map[*picture]pdfRef
}

// newDrawing takes the glyphs of all sheets that will be drawn.
func newDrawing(rev *pdfRevision, g *glyphSet) *drawing {
	d := &drawing{rev: rev, pictures: map[*picture]pdfRef{}}
	if len(g.glyphs) > 1 {
		d.font = d.putFont(g)
	}
	return d
}

func dictOf(pairs ...any) *pdfDict {
	d := newPDFDict()
	for i := 0; i+1 < len(pairs); i += 2 {
		d.set(pdfName(pairs[i].(string)), pairs[i+1])
	}
	return d
}

// putFont writes the glyphs as a composite font whose codes are their numbers (ISO 32000-2, 9.7).
func (d *drawing) putFont(g *glyphSet) pdfRef {
	const name = pdfName("PARAPH+Paraph") // six letters and a plus mark a subset (9.9.2)
	file, descriptor, cid, unicode, font := d.rev.alloc(), d.rev.alloc(), d.rev.alloc(), d.rev.alloc(), d.rev.alloc()
	program := g.trueType()
	d.rev.put(file, d.rev.packed(dictOf("Length1", pdfInt(len(program))), program))
	b, _ := g.bounds()
	d.rev.put(descriptor, dictOf("Type", pdfName("FontDescriptor"), "FontName", name, "Flags", pdfInt(4),
		"FontBBox", pdfArray{thousandth(b.x0), thousandth(b.y0), thousandth(b.x1), thousandth(b.y1)}, "ItalicAngle", pdfInt(0),
		"Ascent", thousandth(ascent), "Descent", thousandth(-descent), "CapHeight", thousandth(em*7/10), "StemV", pdfInt(80), "FontFile2", file))
	widths := make(pdfArray, len(g.glyphs))
	for i, gl := range g.glyphs {
		widths[i] = thousandth(gl.advance)
	}
	system := dictOf("Registry", pdfText("Adobe"), "Ordering", pdfText("Identity"), "Supplement", pdfInt(0))
	d.rev.put(cid, dictOf("Type", pdfName("Font"), "Subtype", pdfName("CIDFontType2"), "BaseFont", name, "CIDSystemInfo", system,
		"FontDescriptor", descriptor, "CIDToGIDMap", pdfName("Identity"), "DW", pdfInt(0), "W", pdfArray{pdfInt(0), widths}))
	d.rev.put(unicode, d.rev.packed(newPDFDict(), []byte(g.toUnicode())))
	d.rev.put(font, dictOf("Type", pdfName("Font"), "Subtype", pdfName("Type0"), "BaseFont", name, "Encoding", pdfName("Identity-H"),
		"DescendantFonts", pdfArray{cid}, "ToUnicode", unicode))
	return font
}

// thousandth turns em units into thousandths of the size, in which PDF measures glyphs.
func thousandth(units int) pdfReal { return pdfReal(decimal(float64(units) * 1000 / em)) }

func (d *drawing) picture(p *picture) (pdfRef, error) {
	if ref, ok := d.pictures[p]; ok {
		return ref, nil
	}
	ref := d.rev.alloc()
	d.pictures[p] = ref
	if p.few != nil {
		d.putPalette(ref, p.few)
		return ref, nil
	}
	if p.jpeg != nil {
		return ref, d.putJPEG(ref, p.jpeg)
	}
	d.putPixels(ref, p.pixels)
	return ref, nil
}

func imageDict(w, h int, space string) *pdfDict {
	return dictOf("Type", pdfName("XObject"), "Subtype", pdfName("Image"), "Width", pdfInt(w), "Height", pdfInt(h),
		"ColorSpace", pdfName(space), "BitsPerComponent", pdfInt(8))
}

func (d *drawing) putJPEG(ref pdfRef, data []byte) error {
	cfg, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return refuse(KindBadImage, "This picture is damaged.", err)
	}
	space := "DeviceRGB"
	if cfg.ColorModel == stdcolor.GrayModel {
		space = "DeviceGray"
	}
	dict := imageDict(cfg.Width, cfg.Height, space)
	dict.set("Filter", pdfName("DCTDecode"))
	d.rev.put(ref, &pdfStream{dict: dict, raw: data})
	return nil
}

// putPixels writes colours and, when not all is opaque, how opaque they are (11.6.5.2).
func (d *drawing) putPixels(ref pdfRef, src *image.NRGBA) {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	colours, opacity := make([]byte, 0, 3*w*h), make([]byte, 0, w*h)
	opaque := true
	for y := range h {
		row := src.Pix[y*src.Stride : y*src.Stride+4*w]
		for i := 0; i < len(row); i += 4 {
			colours = append(colours, row[i], row[i+1], row[i+2])
			opacity = append(opacity, row[i+3])
			opaque = opaque && row[i+3] == 255
		}
	}
	dict := imageDict(w, h, "DeviceRGB")
	if !opaque {
		mask := d.rev.alloc()
		d.rev.put(mask, d.rev.packed(imageDict(w, h, "DeviceGray"), opacity))
		dict.set("SMask", mask)
	}
	d.rev.put(ref, d.rev.packed(dict, colours))
}

// content gives a sheet's operators and what they refer to.
func (d *drawing) content(sh *sheet, height float64) ([]byte, *pdfDict, error) {
	ops, pictures := sh.render(height)
	resources := newPDFDict()
	if d.font.num != 0 {
		resources.set("Font", dictOf("F", d.font))
	}
	if len(pictures) > 0 {
		objects := newPDFDict()
		for i, p := range pictures {
			ref, err := d.picture(p)
			if err != nil {
				return nil, nil, err
			}
			objects.set(pictureName(i), ref)
		}
		resources.set("XObject", objects)
	}
	return ops, resources, nil
}

// over draws a sheet over what a page shows, and appearances of form fields below it. The page's own content stays byte for byte; it is put between
// q and Q, and what its page shares with others is not touched.
func (d *drawing) over(l leaf, shape pageShape, sh *sheet, below []appearance, annots pdfArray) error {
	ops, resources, err := d.content(sh, shape.height)
	if err != nil {
		return err
	}
	form := d.rev.alloc()
	dict := dictOf("Type", pdfName("XObject"), "Subtype", pdfName("Form"),
		"BBox", pdfArray{pdfInt(0), pdfInt(0), pdfReal(decimal(shape.width)), pdfReal(decimal(shape.height))}, "Resources", resources)
	d.rev.put(form, d.rev.packed(dict, ops))

	page := l.dict.clone()
	names := d.rev.named(l)
	var ours bytes.Buffer
	for _, a := range below {
		use(&ours, a.place, names.add(a.ref))
	}
	use(&ours, shape.toUser, names.add(form))
	page.set("Resources", names.resources())
	page.set("Contents", d.rev.enclosed(l.dict, ours.Bytes()))
	if annots != nil {
		page.set("Annots", annots)
	}
	d.rev.put(l.ref, page)
	return nil
}

// use writes the operators that draw a form XObject.
func use(b *bytes.Buffer, m matrix, name pdfName) {
	fmt.Fprintf(b, "q %s %s %s %s %s %s cm /%s Do Q\n", decimal(m.a), decimal(m.b), decimal(m.c), decimal(m.d), decimal(m.e), decimal(m.f), name)
}

// newPage adds a page object of a size in points with a sheet on it; who calls puts it into the page tree below parent.
func (d *drawing) newPage(parent pdfRef, w, h float64, sh *sheet) (pdfRef, error) {
	ops, resources, err := d.content(sh, h)
	if err != nil {
		return pdfRef{}, err
	}
	content, page := d.rev.alloc(), d.rev.alloc()
	d.rev.put(content, d.rev.packed(newPDFDict(), ops))
	box := pdfArray{pdfInt(0), pdfInt(0), pdfReal(decimal(w)), pdfReal(decimal(h))}
	// Everything that could be inherited is said.
	d.rev.put(page, dictOf("Type", pdfName("Page"), "Parent", parent, "MediaBox", box, "CropBox", box, "Rotate", pdfInt(0),
		"Resources", resources, "Contents", content))
	return page, nil
}

// xobjects are the named external objects of a page's resources, some of them new.
type xobjects struct {
	resource *pdfDict
	named    *pdfDict
}

// named copies a page's resources, so that other pages with the same keep theirs.
func (r *pdfRevision) named(l leaf) xobjects {
	x := xobjects{newPDFDict(), newPDFDict()}
	if have := r.file.dict(l.attribute("Resources")); have != nil {
		x.resource = have.clone()
	}
	if have := r.file.dict(x.resource.vals["XObject"]); have != nil {
		x.named = have.clone()
	}
	return x
}

// add names an object and gives the name.
func (x xobjects) add(ref pdfRef) pdfName {
	for i := len(x.named.keys) + 1; ; i++ {
		name := pdfName(fmt.Sprintf("Paraph%d", i))
		if _, taken := x.named.vals[name]; !taken {
			x.named.set(name, ref)
			return name
		}
	}
}

func (x xobjects) resources() *pdfDict {
	x.resource.set("XObject", x.named)
	return x.resource
}

// enclosed gives a page's content with ours drawn after it in the page's own space, whatever graphics state the page's own
// content leaves behind.
func (r *pdfRevision) enclosed(page *pdfDict, ours []byte) pdfArray {
	parts, content := r.file.contents(page)
	left := leftovers(content)
	before, after := r.alloc(), r.alloc()
	r.put(before, &pdfStream{dict: newPDFDict(), raw: bytes.Repeat([]byte("q\n"), left.missing+1)})
	end := bytes.Repeat([]byte("\nQ"), left.open+1)
	if left.text {
		end = append([]byte("\nET"), end...)
	}
	r.put(after, r.packed(newPDFDict(), append(append(end, '\n'), ours...)))
	return append(append(pdfArray{before}, parts...), after)
}

// documentWith adds pages of one size in points to a file that begins, and gives its catalog, which who calls puts.
func documentWith(rev *pdfRevision, t *typesetter, sheets []*sheet, w, h float64) (*pdfDict, error) {
	d := newDrawing(rev, &t.glyphs)
	tree := rev.alloc()
	var kids pdfArray
	for _, sh := range sheets {
		page, err := d.newPage(tree, w, h, sh)
		if err != nil {
			return nil, err
		}
		kids = append(kids, page)
	}
	rev.put(tree, dictOf("Type", pdfName("Pages"), "Kids", kids, "Count", pdfInt(len(kids))))
	return dictOf("Type", pdfName("Catalog"), "Pages", tree), nil
}
