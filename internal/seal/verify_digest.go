package seal

import (
	"crypto"
	"hash"
)

// hashPiece is what is hashed between two looks at whether to stop, in bytes.
const hashPiece = 4 << 20

// prefixHash has hashed the first n bytes of the file.
type prefixHash struct {
	sum hash.Cloner
	n   int
}

// digest hashes what a signature covers. What precedes its Contents is hashed on from where that of the signature before it
// ends, so that a file whose signatures follow each other is read about twice, however many there are. When it is stopped the
// answer means nothing.
func (v *verification) digest(r signedRange, h crypto.Hash) []byte {
	p := v.prefixes[h]
	if p.sum == nil || p.n > r.gapStart {
		fresh, ok := h.New().(hash.Cloner)
		if !ok {
			sum := h.New()
			v.write(sum, v.file.buf[:r.gapStart])
			v.write(sum, v.file.buf[r.gapEnd:r.end])
			return sum.Sum(nil)
		}
		p = prefixHash{sum: fresh}
	}
	v.write(p.sum, v.file.buf[p.n:r.gapStart])
	if v.prefixes == nil {
		v.prefixes = map[crypto.Hash]prefixHash{}
	}
	p.n = r.gapStart
	v.prefixes[h] = p
	sum, err := p.sum.Clone()
	if err != nil {
		return nil // no digest, which no signature has
	}
	v.write(sum, v.file.buf[r.gapEnd:r.end])
	return sum.Sum(nil)
}

// write hashes in pieces, until it is stopped.
func (v *verification) write(sum hash.Hash, data []byte) {
	for len(data) > 0 && !v.over() {
		n := min(len(data), hashPiece)
		sum.Write(data[:n])
		data = data[n:]
	}
}
