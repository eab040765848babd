package seal

import (
	"image"
	stdcolor "image/color"
)

// fewColors gives the picture with a palette of at most 256 colours when its colours, rounded to five bits
// each, are that few (as with text and drawings, whatever their smooth edges), and nil when they are more.
func fewColors(pic *image.RGBA) *image.Paletted {
	var index [1 << 15]uint16 // 0: not seen yet; otherwise 1 + the place in the palette
	var palette stdcolor.Palette
	out := &image.Paletted{Pix: make([]byte, pic.Rect.Dx()*pic.Rect.Dy()), Stride: pic.Rect.Dx(), Rect: pic.Rect}
	for i, j := 0, 0; i+3 < len(pic.Pix); i, j = i+4, j+1 {
		r, g, b := pic.Pix[i], pic.Pix[i+1], pic.Pix[i+2]
		key := int(r>>3)<<10 | int(g>>3)<<5 | int(b>>3)
		if index[key] == 0 {
			if len(palette) == 256 {
				return nil
			}
			palette = append(palette, stdcolor.RGBA{widen(r), widen(g), widen(b), 255})
			index[key] = uint16(len(palette))
		}
		out.Pix[j] = byte(index[key] - 1)
	}
	out.Palette = palette
	return out
}

// widen rounds to five bits and spreads them over eight, so that white stays white and black black.
func widen(v byte) byte { return v>>3<<3 | v>>5 }
