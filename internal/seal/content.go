package seal

import "bytes"

// contents gives the references to a page's content streams, and what is in them as far as it can be read.
func (f *pdfFile) contents(page *pdfDict) (pdfArray, []byte) {
	v, _ := page.get("Contents")
	parts := f.array(v)
	if ref, ok := v.(pdfRef); ok && parts == nil {
		parts = pdfArray{ref}
	}
	var all bytes.Buffer
	for _, part := range parts {
		st, ok := f.resolve(part).(*pdfStream)
		if !ok {
			continue
		}
		data, err := f.decode(st, -1)
		if err != nil {
			return parts, nil // packed in a way that only viewers read: taken to be tidy
		}
		all.Write(data)
		all.WriteByte('\n')
	}
	return parts, all.Bytes()
}

// leftover is the graphics state that a content stream ends in.
type leftover struct {
	clip    bool // something is clipped
	text    bool // inside a text object
	open    int  // q without Q
	missing int  // Q without q
}

// leftovers follows the operators that matter through a content stream (ISO 32000-2, 8.4.2, 8.5.4).
func leftovers(content []byte) leftover {
	var l leftover
	var clips []bool // of the states that were put away
	scan := contentScanner{buf: content}
	for {
		switch op := scan.next(); op {
		case "":
			l.open = len(clips)
			return l
		case "q":
			clips = append(clips, l.clip)
		case "Q":
			if n := len(clips); n > 0 {
				l.clip, clips = clips[n-1], clips[:n-1]
			} else {
				l.missing++
			}
		case "W", "W*":
			l.clip = true
		case "BT":
			l.text = true
		case "ET":
			l.text = false
		case "ID":
			scan.skipImage()
		}
	}
}

// contentScanner finds the operators in a content stream.
type contentScanner struct {
	buf []byte
	pos int
}

// next is the next word that is no operand of another kind than a number; "" at the end.
func (s *contentScanner) next() string {
	for s.pos < len(s.buf) {
		switch c := s.buf[s.pos]; {
		case isSpace(c):
			s.pos++
		case c == '%':
			s.skipTo('\n', '\r')
		case c == '(':
			s.skipString()
		case c == '/':
			s.pos++
			s.word()
		case c == '<' && s.pos+1 < len(s.buf) && s.buf[s.pos+1] != '<':
			s.skipTo('>', '>')
		case isDelim(c):
			s.pos++
		default:
			return s.word()
		}
	}
	return ""
}

func (s *contentScanner) word() string {
	start := s.pos
	for s.pos < len(s.buf) && !isSpace(s.buf[s.pos]) && !isDelim(s.buf[s.pos]) {
		s.pos++
	}
	return string(s.buf[start:s.pos])
}

func (s *contentScanner) skipTo(a, b byte) {
	for s.pos < len(s.buf) && s.buf[s.pos] != a && s.buf[s.pos] != b {
		s.pos++
	}
	s.pos++
}

func (s *contentScanner) skipString() {
	depth := 0
	for ; s.pos < len(s.buf); s.pos++ {
		switch s.buf[s.pos] {
		case '\\':
			s.pos++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				s.pos++
				return
			}
		}
	}
}

// skipImage steps over the data of an inline image, to the EI that stands by itself.
func (s *contentScanner) skipImage() {
	for s.pos < len(s.buf) {
		at := bytes.Index(s.buf[s.pos:], []byte("EI"))
		if at < 0 {
			s.pos = len(s.buf)
			return
		}
		at += s.pos
		s.pos = at + 2
		if at > 0 && isSpace(s.buf[at-1]) && (s.pos == len(s.buf) || isSpace(s.buf[s.pos])) {
			return
		}
	}
}
