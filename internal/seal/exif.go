package seal

import (
	"bytes"
	"encoding/binary"
)

// orientation is EXIF's tag 0x0112: 1 is upright, 2 to 8 are the other ways to turn and mirror a picture.
type orientation int

// swaps says whether upright width and height are the stored height and width.
func (o orientation) swaps() bool { return o >= 5 }

// matrix brings the stored picture, in the unit square with y up, upright (TIFF 6.0, page 36).
func (o orientation) matrix() matrix {
	switch o {
	case 2: // mirrored left to right
		return matrix{-1, 0, 0, 1, 1, 0}
	case 3: // upside down
		return matrix{-1, 0, 0, -1, 1, 1}
	case 4: // mirrored top to bottom
		return matrix{1, 0, 0, -1, 0, 1}
	case 5: // rows are columns
		return matrix{0, -1, -1, 0, 1, 1}
	case 6: // to be turned clockwise
		return matrix{0, -1, 1, 0, 0, 1}
	case 7: // rows are columns, from the other corner
		return matrix{0, 1, 1, 0, 0, 0}
	case 8: // to be turned counter-clockwise
		return matrix{0, 1, -1, 0, 1, 0}
	}
	return matrix{1, 0, 0, 1, 0, 0}
}

// exifOrientation reads how a picture is to be turned; anything unreadable is upright.
func exifOrientation(data []byte) orientation {
	if d, ok := firstIFD(exifSegment(data)); ok {
		return d.orientation()
	}
	return 1
}

// exifSegment finds the EXIF data, a TIFF structure, of a JPEG (Exif 2.32, 4.7.2), PNG or WebP.
func exifSegment(data []byte) []byte {
	switch ImageFormat(data) {
	case "JPEG":
		return jpegSegment(data, 0xE1, "Exif\x00\x00")
	case "PNG":
		return pngChunk(data, "eXIf")
	case "WebP":
		return bytes.TrimPrefix(webpChunk(data, "EXIF"), []byte("Exif\x00\x00"))
	}
	return nil
}

// jpegSegment is the content of a JPEG's first segment with a marker and a beginning, without the beginning; nil when there is none.
func jpegSegment(data []byte, marker byte, begins string) []byte {
	if len(data) < 4 || data[0] != 0xFF || data[1] != 0xD8 {
		return nil
	}
	for at := 2; at+4 <= len(data) && data[at] == 0xFF && data[at+1] != 0xDA; {
		size := int(binary.BigEndian.Uint16(data[at+2:]))
		end := at + 2 + size
		if size < 2 || end > len(data) {
			return nil
		}
		if body := data[at+4 : end]; data[at+1] == marker && bytes.HasPrefix(body, []byte(begins)) {
			return body[len(begins):]
		}
		at = end
	}
	return nil
}
