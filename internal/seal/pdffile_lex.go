package seal

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
)

// maxObjectNumber is the largest object number of ISO 32000-1, annex C.
const maxObjectNumber = 8_388_607

// The values of a PDF: nil, bool, and these.
type (
	pdfInt   int64
	pdfReal  string // as written
	pdfName  string // decoded, without the slash
	pdfArray []any
	pdfRef   struct {
		num uint32
		gen uint16
	}
	// pdfString keeps where its token stands in the file, delimiters included; end is 0 for one in an object stream.
	pdfString struct {
		val        []byte
		hex        bool
		start, end int
	}
	// pdfDict keeps its keys in their order; the last of several equal keys counts, and dup says that there were some.
	pdfDict struct {
		keys []pdfName
		vals map[pdfName]any
		dup  bool
	}
	pdfStream struct {
		dict *pdfDict
		raw  []byte
	}
)

// dictNodes is how many values more a dictionary counts for, by the memory that it takes.
const dictNodes = 3

func newPDFDict() *pdfDict { return &pdfDict{vals: map[pdfName]any{}} }

func (d *pdfDict) get(k pdfName) (any, bool) { v, ok := d.vals[k]; return v, ok && v != nil }

func (d *pdfDict) set(k pdfName, v any) {
	if _, ok := d.vals[k]; !ok {
		d.keys = append(d.keys, k)
	}
	d.vals[k] = v
}

func (d *pdfDict) clone() *pdfDict {
	c := newPDFDict()
	for _, k := range d.keys {
		c.set(k, d.vals[k])
	}
	return c
}

func (d *pdfDict) name(k pdfName) pdfName    { n, _ := d.vals[k].(pdfName); return n }
func (d *pdfDict) array(k pdfName) pdfArray  { a, _ := d.vals[k].(pdfArray); return a }
func (d *pdfDict) int(k pdfName) (int, bool) { n, ok := d.vals[k].(pdfInt); return int(n), ok }

// pdfLexer reads values from buf. away marks bytes that are not the file's own, so that places in them mean nothing.
type pdfLexer struct {
	buf   []byte
	pos   int
	nodes *int
	away  bool
}

var errPDFSyntax = errors.New("it does not follow the format")

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func isDelim(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

func (lx *pdfLexer) skipSpace() {
	for lx.pos < len(lx.buf) {
		switch c := lx.buf[lx.pos]; {
		case isSpace(c):
			lx.pos++
		case c == '%':
			for lx.pos < len(lx.buf) && lx.buf[lx.pos] != '\n' && lx.buf[lx.pos] != '\r' {
				lx.pos++
			}
		default:
			return
		}
	}
}

// word reads a run of regular characters.
func (lx *pdfLexer) word() []byte {
	lx.skipSpace()
	start := lx.pos
	for lx.pos < len(lx.buf) && !isSpace(lx.buf[lx.pos]) && !isDelim(lx.buf[lx.pos]) {
		lx.pos++
	}
	return lx.buf[start:lx.pos]
}

// keyword steps over w when it comes next.
func (lx *pdfLexer) keyword(w string) bool {
	old := lx.pos
	lx.skipSpace()
	if end := lx.pos + len(w); bytes.HasPrefix(lx.buf[lx.pos:], []byte(w)) && (end == len(lx.buf) || isSpace(lx.buf[end]) || isDelim(lx.buf[end])) {
		lx.pos = end
		return true
	}
	lx.pos = old
	return false
}

func (lx *pdfLexer) integer() (int64, error) {
	w := lx.word()
	if len(w) > 19 {
		return 0, errPDFSyntax
	}
	n, err := strconv.ParseInt(string(w), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("no number at byte %d", lx.pos)
	}
	return n, nil
}

func (lx *pdfLexer) object(depth int) (any, error) {
	if *lx.nodes++; *lx.nodes > maxNodes || depth > maxPDFDepth {
		return nil, errPDFBounds
	}
	lx.skipSpace()
	if lx.pos >= len(lx.buf) {
		return nil, errPDFSyntax
	}
	switch c := lx.buf[lx.pos]; c {
	case '/':
		return lx.name()
	case '(':
		return lx.literal()
	case '[':
		return lx.array(depth)
	case '<':
		if lx.pos+1 < len(lx.buf) && lx.buf[lx.pos+1] == '<' {
			return lx.dict(depth)
		}
		return lx.hex()
	}
	return lx.scalar()
}

func (lx *pdfLexer) scalar() (any, error) {
	w := lx.word()
	switch string(w) {
	case "null":
		return nil, nil
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "":
		return nil, errPDFSyntax
	}
	n, err := strconv.ParseInt(string(w), 10, 64)
	if err == nil {
		return lx.reference(n), nil
	}
	if _, err := strconv.ParseFloat(string(w), 64); err != nil || bytes.ContainsAny(w, "xXpPnNiI_") {
		return nil, fmt.Errorf("%w: %.20q", errPDFSyntax, w)
	}
	return pdfReal(w), nil
}

// reference reads on after an integer: with "g R" behind it, it is a reference.
func (lx *pdfLexer) reference(n int64) any {
	if n < 0 || n > maxObjectNumber {
		return pdfInt(n)
	}
	old := lx.pos
	if gen, err := lx.integer(); err == nil && gen >= 0 && gen <= 65535 && lx.keyword("R") {
		return pdfRef{uint32(n), uint16(gen)}
	}
	lx.pos = old
	return pdfInt(n)
}

func (lx *pdfLexer) name() (any, error) {
	lx.pos++
	start := lx.pos
	for lx.pos < len(lx.buf) && !isSpace(lx.buf[lx.pos]) && !isDelim(lx.buf[lx.pos]) {
		lx.pos++
	}
	w := lx.buf[start:lx.pos]
	if bytes.IndexByte(w, '#') < 0 {
		return pdfName(w), nil
	}
	out := make([]byte, 0, len(w))
	for i := 0; i < len(w); i++ {
		if w[i] == '#' && i+2 < len(w) {
			if b, err := hex.DecodeString(string(w[i+1 : i+3])); err == nil {
				out = append(out, b[0])
				i += 2
				continue
			}
		}
		out = append(out, w[i])
	}
	return pdfName(out), nil
}

func (lx *pdfLexer) array(depth int) (any, error) {
	lx.pos++
	a := pdfArray{}
	for {
		lx.skipSpace()
		if lx.pos < len(lx.buf) && lx.buf[lx.pos] == ']' {
			lx.pos++
			return a, nil
		}
		v, err := lx.object(depth + 1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
}

func (lx *pdfLexer) dict(depth int) (any, error) {
	lx.pos += 2
	*lx.nodes += dictNodes
	d := newPDFDict()
	for {
		lx.skipSpace()
		if bytes.HasPrefix(lx.buf[lx.pos:], []byte(">>")) {
			lx.pos += 2
			return d, nil
		}
		if lx.pos >= len(lx.buf) || lx.buf[lx.pos] != '/' {
			return nil, errPDFSyntax
		}
		k, _ := lx.name()
		v, err := lx.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, again := d.vals[k.(pdfName)]; again {
			d.dup = true
		}
		d.set(k.(pdfName), v)
	}
}

func (lx *pdfLexer) hex() (any, error) {
	start := lx.pos
	end := bytes.IndexByte(lx.buf[start:], '>')
	if end < 0 {
		return nil, errPDFSyntax
	}
	lx.pos = start + end + 1
	digits := make([]byte, 0, end+1)
	for _, c := range lx.buf[start+1 : start+end] {
		if !isSpace(c) {
			digits = append(digits, c)
		}
	}
	if len(digits)%2 == 1 {
		digits = append(digits, '0')
	}
	val := make([]byte, len(digits)/2)
	if _, err := hex.Decode(val, digits); err != nil {
		return nil, errPDFSyntax
	}
	return lx.placed(pdfString{val: val, hex: true}, start), nil
}

func (lx *pdfLexer) placed(s pdfString, start int) pdfString {
	if !lx.away {
		s.start, s.end = start, lx.pos
	}
	return s
}

func (lx *pdfLexer) literal() (any, error) {
	start := lx.pos
	lx.pos++
	val := []byte{}
	for open := 1; lx.pos < len(lx.buf); {
		c := lx.buf[lx.pos]
		lx.pos++
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return lx.placed(pdfString{val: val}, start), nil
			}
		case '\\':
			val = lx.escape(val)
			continue
		case '\r':
			if lx.pos < len(lx.buf) && lx.buf[lx.pos] == '\n' {
				lx.pos++
			}
			c = '\n'
		}
		val = append(val, c)
	}
	return nil, errPDFSyntax
}

// escape reads what follows a backslash (ISO 32000-1, table 3).
func (lx *pdfLexer) escape(val []byte) []byte {
	if lx.pos >= len(lx.buf) {
		return val
	}
	c := lx.buf[lx.pos]
	lx.pos++
	if i := bytes.IndexByte([]byte("nrtbf"), c); i >= 0 {
		return append(val, "\n\r\t\b\f"[i])
	}
	switch {
	case c == '\n':
		return val
	case c == '\r':
		if lx.pos < len(lx.buf) && lx.buf[lx.pos] == '\n' {
			lx.pos++
		}
		return val
	case c >= '0' && c <= '7':
		n := int(c - '0')
		for i := 0; i < 2 && lx.pos < len(lx.buf) && lx.buf[lx.pos] >= '0' && lx.buf[lx.pos] <= '7'; i++ {
			n = n<<3 | int(lx.buf[lx.pos]-'0')
			lx.pos++
		}
		return append(val, byte(n))
	}
	return append(val, c)
}
