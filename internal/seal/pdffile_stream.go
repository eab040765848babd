package seal

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
)

// decode undoes a stream's filter, as cross-reference and object streams need it: none, or Flate with PNG predictors. Of
// what comes out, at least the first enough bytes are there; it is an error when there are more than maxDecoded.
func (f *pdfFile) decode(st *pdfStream, enough int) ([]byte, error) {
	filter, parms := f.resolve(st.dict.vals["Filter"]), f.resolve(st.dict.vals["DecodeParms"])
	if a, ok := filter.(pdfArray); ok {
		if len(a) > 1 {
			return nil, errors.New("a stream has more than one filter")
		}
		filter = nil
		if len(a) == 1 {
			filter = f.resolve(a[0])
		}
	}
	if a, ok := parms.(pdfArray); ok && len(a) > 0 {
		parms = f.resolve(a[0])
	}
	if filter == nil {
		return st.raw, nil
	}
	if filter != pdfName("FlateDecode") {
		return nil, fmt.Errorf("a stream that holds objects is packed by %v", filter)
	}
	d, predicted := parms.(*pdfDict)
	if predicted {
		enough = 2*enough + 2*streamParm(d, "Columns", 1) // a row of prediction has one byte more than its columns
	}
	data, err := f.inflate(st.raw, enough)
	if err != nil || !predicted {
		return data, err
	}
	return unpredict(d, data)
}

func (f *pdfFile) inflate(raw []byte, enough int) ([]byte, error) {
	z, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("a stream can't be unpacked: %w", err)
	}
	limit := maxDecoded + 1
	if enough >= 0 && enough < limit {
		limit = enough
	}
	data, err := io.ReadAll(io.LimitReader(z, int64(limit)))
	f.decoded += len(data)
	if len(data) > maxDecoded || f.decoded > maxAllDecoded {
		return nil, errPDFBounds
	}
	if err != nil {
		return nil, fmt.Errorf("a stream can't be unpacked: %w", err)
	}
	return data, nil
}

func streamParm(d *pdfDict, k pdfName, or int) int {
	if n, ok := d.int(k); ok {
		return n
	}
	return or
}

// unpredict undoes PNG prediction (ISO 32000-1, 7.4.4.4).
func unpredict(d *pdfDict, data []byte) ([]byte, error) {
	if p := streamParm(d, "Predictor", 1); p == 1 {
		return data, nil
	} else if p < 10 {
		return nil, errors.New("a stream uses a predictor that object streams don't have")
	}
	colors, bits, columns := streamParm(d, "Colors", 1), streamParm(d, "BitsPerComponent", 8), streamParm(d, "Columns", 1)
	if colors < 1 || colors > 32 || bits < 1 || bits > 16 || columns < 1 || columns > 1<<20 {
		return nil, errPDFBounds
	}
	bpp := max(1, colors*bits/8)
	width := (colors*bits*columns + 7) / 8
	out := make([]byte, 0, len(data))
	prior := make([]byte, width)
	for len(data) > 1 {
		row := make([]byte, width)
		copy(row, data[1:])
		if !unfilter(data[0], row, prior, bpp) {
			return nil, errors.New("a stream's prediction is wrong")
		}
		out = append(out, row...)
		prior, data = row, data[min(len(data), width+1):]
	}
	return out, nil
}

func unfilter(kind byte, row, prior []byte, bpp int) bool {
	for i := range row {
		var left, upleft byte
		if i >= bpp {
			left, upleft = row[i-bpp], prior[i-bpp]
		}
		switch kind {
		case 0:
		case 1:
			row[i] += left
		case 2:
			row[i] += prior[i]
		case 3:
			row[i] += byte((int(left) + int(prior[i])) / 2)
		case 4:
			row[i] += paeth(left, prior[i], upleft)
		default:
			return false
		}
	}
	return true
}

func paeth(a, b, c byte) byte {
	distance := func(x byte) int {
		d := int(a) + int(b) - int(c) - int(x)
		return max(d, -d)
	}
	pa, pb, pc := distance(a), distance(b), distance(c)
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}
