package seal

import (
	"encoding/binary"
	"sort"
	"unicode/utf16"
)

// trueType writes the glyphs as a TrueType font (OpenType 1.9, "glyf" flavour) with the tables that a PDF needs.
func (s *glyphSet) trueType() []byte {
	glyf, loca := s.glyfAndLoca()
	box, longest := s.bounds()
	return fontFile(map[string][]byte{
		"head": headTable(box),
		"hhea": hheaTable(s.widest(), len(s.glyphs)),
		"hmtx": s.hmtxTable(),
		"maxp": maxpTable(len(s.glyphs), longest.points, longest.contours),
		"loca": loca,
		"glyf": glyf,
		"cmap": cmapTable(),
		"name": nameTable(),
		"post": postTable(),
		"OS/2": os2Table(),
	})
}

type be struct{ b []byte }

func (w *be) u8(v ...int) {
	for _, x := range v {
		w.b = append(w.b, byte(x))
	}
}

func (w *be) u16(v ...int) {
	for _, x := range v {
		w.b = binary.BigEndian.AppendUint16(w.b, uint16(x))
	}
}

func (w *be) u32(v ...int) {
	for _, x := range v {
		w.b = binary.BigEndian.AppendUint32(w.b, uint32(x))
	}
}

func (w *be) pad(n int) {
	for len(w.b)%n != 0 {
		w.b = append(w.b, 0)
	}
}

func (s *glyphSet) glyfAndLoca() (glyf, loca []byte) {
	var g, l be
	for _, gl := range s.glyphs {
		l.u32(len(g.b))
		writeGlyph(&g, gl.contours)
		g.pad(4)
	}
	l.u32(len(g.b))
	return g.b, l.b
}

func writeGlyph(w *be, contours []contour) {
	if len(contours) == 0 {
		return
	}
	b := boxOf(contours)
	w.u16(len(contours), b.x0, b.y0, b.x1, b.y1)
	end := -1
	for _, c := range contours {
		end += len(c)
		w.u16(end)
	}
	w.u16(0) // no instructions
	writeFlags(w, contours)
	writeDeltas(w, contours, func(p point) int { return p.x })
	writeDeltas(w, contours, func(p point) int { return p.y })
}

// writeFlags marks points on the curve; coordinates are all written in two bytes, which deflate makes small.
func writeFlags(w *be, contours []contour) {
	const onCurve, overlap = 0x01, 0x40
	flag := overlap
	for _, c := range contours {
		for _, p := range c {
			if p.on {
				flag |= onCurve
			}
			w.u8(flag)
			flag = 0
		}
	}
}

func writeDeltas(w *be, contours []contour, of func(point) int) {
	last := 0
	for _, c := range contours {
		for _, p := range c {
			w.u16(of(p) - last)
			last = of(p)
		}
	}
}

type box struct{ x0, y0, x1, y1 int }

func boxOf(contours []contour) box {
	first := contours[0][0]
	b := box{first.x, first.y, first.x, first.y}
	for _, c := range contours {
		for _, p := range c {
			b = box{min(b.x0, p.x), min(b.y0, p.y), max(b.x1, p.x), max(b.y1, p.y)}
		}
	}
	return b
}

type extent struct{ points, contours int }

func (s *glyphSet) bounds() (all box, longest extent) {
	for _, g := range s.glyphs {
		if len(g.contours) == 0 {
			continue
		}
		b := boxOf(g.contours)
		all = box{min(all.x0, b.x0), min(all.y0, b.y0), max(all.x1, b.x1), max(all.y1, b.y1)}
		n := 0
		for _, c := range g.contours {
			n += len(c)
		}
		longest = extent{max(longest.points, n), max(longest.contours, len(g.contours))}
	}
	return all, longest
}

func (s *glyphSet) widest() int {
	w := 0
	for _, g := range s.glyphs {
		w = max(w, g.advance)
	}
	return w
}

func (s *glyphSet) hmtxTable() []byte {
	var w be
	for _, g := range s.glyphs {
		left := 0
		if len(g.contours) > 0 {
			left = boxOf(g.contours).x0
		}
		w.u16(g.advance, left)
	}
	return w.b
}

func headTable(b box) []byte {
	var w be
	w.u32(0x00010000, 0x00010000, 0, 0x5F0F3CF5)
	w.u16(0x000B, em) // baseline at 0, left side bearing at x0, integer scaling
	w.u32(0, 0, 0, 0) // created and modified: no clock in here
	w.u16(b.x0, b.y0, b.x1, b.y1)
	w.u16(0, 8, 2, 1, 0) // style, smallest size, direction hint, long offsets, format
	return w.b
}

// The line metrics are the same for every font, so that lines in mixed scripts stand at even distances.
const (
	ascent  = em * 90 / 100
	descent = em * 22 / 100
)

func hheaTable(widest, glyphs int) []byte {
	var w be
	w.u32(0x00010000)
	w.u16(ascent, -descent, 0, widest, 0, 0, widest, 1, 0, 0, 0, 0, 0, 0, 0, glyphs)
	return w.b
}

func maxpTable(glyphs, points, contours int) []byte {
	var w be
	w.u32(0x00010000)
	w.u16(glyphs, points, contours, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
	return w.b
}

// cmapTable is an empty map: a CID font is not asked for characters.
func cmapTable() []byte {
	var w be
	w.u16(0, 1, 3, 1)
	w.u32(12)
	w.u16(4, 24, 0, 2, 2, 0, 0, 0xFFFF, 0, 0xFFFF, 1, 0)
	return w.b
}

func nameTable() []byte {
	names := []struct {
		id   int
		text string
	}{{1, "Paraph"}, {2, "Regular"}, {4, "Paraph"}, {6, "Paraph"}}
	var w, text be
	w.u16(0, len(names), 6+12*len(names))
	for _, n := range names {
		start := len(text.b)
		for _, u := range utf16.Encode([]rune(n.text)) {
			text.u16(int(u))
		}
		w.u16(3, 1, 0x0409, n.id, len(text.b)-start, start)
	}
	return append(w.b, text.b...)
}

func postTable() []byte {
	var w be
	w.u32(0x00030000, 0)
	w.u16(-em/10, em/20)
	w.u32(0, 0, 0, 0, 0)
	return w.b
}

func os2Table() []byte {
	var w be
	w.u16(4, em/2, 400, 5, 0) // version, width, weight, normal width, embedding allowed
	w.u16(em/2, em/2, 0, em/8, em/2, em/2, 0, em/3, em/20, em/4, 0)
	w.u8(2, 11, 6, 4, 2, 2, 2, 2, 2, 4) // panose: sans serif
	w.u32(0, 0, 0, 0)
	w.u32(0x20202020)
	w.u16(0x40, 0, 0xFFFF, ascent, -descent, 0, ascent, descent)
	w.u32(1, 0)
	w.u16(em/2, em*7/10, 0, 0x20, 2)
	return w.b
}

// fontFile puts tables together in the order of their tags, with checksums (OpenType, "Organization of an
// OpenType Font").
func fontFile(tables map[string][]byte) []byte {
	tags := make([]string, 0, len(tables))
	for tag := range tables {
		tags = append(tags, tag)
	}
	sort.Strings(tags)
	n, power, log := len(tags), 1, 0
	for power*2 <= n {
		power, log = power*2, log+1
	}
	var head, body be
	head.u32(0x00010000)
	head.u16(n, power*16, log, (n-power)*16)
	headAt := 0
	for _, tag := range tags {
		at := 12 + 16*n + len(body.b)
		if tag == "head" {
			headAt = at
		}
		head.b = append(head.b, tag...)
		head.u32(int(checksum(tables[tag])), at, len(tables[tag]))
		body.b = append(body.b, tables[tag]...)
		body.pad(4)
	}
	file := append(head.b, body.b...)
	binary.BigEndian.PutUint32(file[headAt+8:], 0xB1B0AFBA-checksum(file))
	return file
}

func checksum(table []byte) uint32 {
	var sum uint32
	for len(table) >= 4 {
		sum += binary.BigEndian.Uint32(table)
		table = table[4:]
	}
	if len(table) > 0 {
		var last [4]byte
		copy(last[:], table)
		sum += binary.BigEndian.Uint32(last[:])
	}
	return sum
}
