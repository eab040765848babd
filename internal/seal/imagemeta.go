package seal

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
)

// ifd is one directory of a TIFF structure, which EXIF data are too (TIFF 6.0, section 2).
type ifd struct {
	data  []byte
	order binary.ByteOrder
	at    int
	n     int
}

// Tags of a directory.
const (
	tagSubfile     = 254
	tagOrientation = 274
	tagXResolution = 282
	tagYResolution = 283
	tagUnit        = 296
)

// firstIFD is the directory that a TIFF structure's header names.
func firstIFD(data []byte) (ifd, bool) {
	if len(data) < 8 {
		return ifd{}, false
	}
	var order binary.ByteOrder = binary.BigEndian
	if data[0] == 'I' {
		order = binary.LittleEndian
	}
	return ifdAt(data, order, order.Uint32(data[4:]))
}

func ifdAt(data []byte, order binary.ByteOrder, offset uint32) (ifd, bool) {
	at := int64(offset)
	if at < 8 || at+2 > int64(len(data)) {
		return ifd{}, false
	}
	n := int(order.Uint16(data[at:]))
	return ifd{data, order, int(at), n}, true
}

// next is the place of the next directory; 0 when there is none.
func (d ifd) next() uint32 {
	at := d.at + 2 + 12*d.n
	if at+4 > len(d.data) {
		return 0
	}
	return d.order.Uint32(d.data[at:])
}

// entry is an entry's type and the four bytes of its value or of the value's place.
func (d ifd) entry(tag uint16) (kind uint16, value []byte, ok bool) {
	for i := range d.n {
		at := d.at + 2 + 12*i
		if at+12 > len(d.data) {
			return 0, nil, false
		}
		if e := d.data[at : at+12]; d.order.Uint16(e) == tag {
			return d.order.Uint16(e[2:]), e[8:], true
		}
	}
	return 0, nil, false
}

// whole is a number that stands in the entry itself; 0 when there is none.
func (d ifd) whole(tag uint16) uint32 {
	kind, v, ok := d.entry(tag)
	switch {
	case ok && kind == 3:
		return uint32(d.order.Uint16(v))
	case ok && kind == 4:
		return d.order.Uint32(v)
	}
	return 0
}

// ratio is a number that is stored as numerator and denominator; 0 when there is none.
func (d ifd) ratio(tag uint16) float64 {
	kind, v, ok := d.entry(tag)
	if !ok || kind != 5 {
		return 0
	}
	at := int64(d.order.Uint32(v))
	if at+8 > int64(len(d.data)) {
		return 0
	}
	over, under := d.order.Uint32(d.data[at:]), d.order.Uint32(d.data[at+4:])
	if under == 0 {
		return 0
	}
	return float64(over) / float64(under)
}

func (d ifd) orientation() orientation {
	if o := d.whole(tagOrientation); o >= 1 && o <= 8 {
		return orientation(o)
	}
	return 1
}

// resolution is in dots to the inch; 0, 0 when it is not said.
func (d ifd) resolution() (x, y float64) {
	per := 1.0
	switch d.whole(tagUnit) {
	case 1: // no unit
		return 0, 0
	case 3:
		per = 2.54
	}
	return dots(d.ratio(tagXResolution)*per, d.ratio(tagYResolution)*per)
}

// dots leaves out what no scanner or camera means.
func dots(x, y float64) (float64, float64) {
	if !(x >= 10 && x <= 10_000 && y >= 10 && y <= 10_000) || math.Max(x, y) > 4*math.Min(x, y) {
		return 0, 0
	}
	return x, y
}

// resolution is what a JPEG or PNG says of its size on paper, in dots to the inch; 0, 0 when it says nothing.
func resolution(data []byte) (x, y float64) {
	switch ImageFormat(data) {
	case "PNG":
		p := pngChunk(data, "pHYs")
		if len(p) == 9 && p[8] == 1 { // dots to the metre (PNG, 11.3.4.3)
			return dots(float64(binary.BigEndian.Uint32(p))*0.0254, float64(binary.BigEndian.Uint32(p[4:]))*0.0254)
		}
	case "JPEG":
		if j := jpegSegment(data, 0xE0, "JFIF\x00"); len(j) >= 7 { // version, unit, two densities (JFIF 1.02)
			per := map[byte]float64{1: 1, 2: 2.54}[j[2]]
			if x, y := dots(float64(binary.BigEndian.Uint16(j[3:]))*per, float64(binary.BigEndian.Uint16(j[5:]))*per); x > 0 {
				return x, y
			}
		}
		if d, ok := firstIFD(exifSegment(data)); ok {
			return d.resolution()
		}
	}
	return 0, 0
}

// pngChunk is the content of a PNG's first chunk of a kind, nil when there is none.
func pngChunk(data []byte, kind string) []byte {
	for at := 8; at+12 <= len(data); {
		n := int64(binary.BigEndian.Uint32(data[at:]))
		if int64(at)+12+n > int64(len(data)) {
			return nil
		}
		if string(data[at+4:at+8]) == kind {
			return data[at+8 : at+8+int(n)]
		}
		at += 12 + int(n)
	}
	return nil
}

// webpChunk is the content of a WebP's first chunk of a kind, nil when there is none (RFC 9649, 2.3).
func webpChunk(data []byte, kind string) []byte {
	for at := 12; at+8 <= len(data); {
		n := int64(binary.LittleEndian.Uint32(data[at+4:]))
		if int64(at)+8+n > int64(len(data)) {
			return nil
		}
		if string(data[at:at+4]) == kind {
			return data[at+8 : at+8+int(n)]
		}
		at += 8 + int(n+n&1)
	}
	return nil
}

// readTIFF adds a page for each page of a TIFF; reduced copies and masks are none. A page is decoded by telling the decoder, which
// reads the first directory, that it is the first; that is written into a copy of the file.
func (b *pictureBook) readTIFF(ctx context.Context, data []byte) error {
	d, ok := firstIFD(data)
	if !ok {
		return refuse(KindBadImage, "This picture is damaged.", nil)
	}
	data = bytes.Clone(data)
	d.data = data
	seen := map[int]bool{}
	for ok && !seen[d.at] {
		seen[d.at] = true
		if err := context.Cause(ctx); err != nil {
			return refuse(KindTooComplex, "This picture has too many pages to be read in time.", err)
		}
		if len(seen) > maxPicturePages {
			return refuse(KindTooManyPages, "This TIFF has more than 500 pages.", nil)
		}
		if d.whole(tagSubfile)&5 == 0 {
			if err := b.addTIFF(data, d); err != nil {
				return err
			}
		}
		d, ok = ifdAt(data, d.order, d.next())
	}
	return nil
}

func (b *pictureBook) addTIFF(data []byte, d ifd) error {
	d.order.PutUint32(data[4:], uint32(d.at))
	cfg, err := openPicture(data)
	if err != nil {
		return err
	}
	if b.pixels += cfg.Width * cfg.Height; b.pixels > maxAllPixels {
		return refuse(KindTooLarge, "The pages of this picture have too many pixels together.", nil)
	}
	pic, size, err := readPicture(data)
	if err != nil {
		return err
	}
	x, y := d.resolution()
	return b.add(pic, size, d.orientation(), x, y)
}
