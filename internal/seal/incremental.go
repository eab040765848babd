package seal

import (
	"bytes"
	"strconv"
)

// mendIncremental completes what PDFium leaves out when it saves incrementally with a cross-reference stream: the
// stream's Type and its endobj (ISO 32000-2, 7.5.8.2), without which other readers don't take it for one. The
// stream is the last object in the file, so nothing that has an offset moves. Other files are given back as they are.
func mendIncremental(pdf []byte) []byte {
	tail := bytes.LastIndex(pdf, []byte("startxref"))
	if tail < 0 {
		return pdf
	}
	number, _, _ := bytes.Cut(bytes.TrimSpace(pdf[tail+len("startxref"):]), []byte("%%EOF"))
	at, err := strconv.Atoi(string(bytes.TrimSpace(number)))
	if err != nil || at <= 0 || at >= tail {
		return pdf
	}
	object := pdf[at:tail]
	dict := bytes.Index(object, []byte("<<"))
	stream := bytes.Index(object, []byte("stream"))
	if dict < 0 || stream < dict || !bytes.Contains(object[:dict], []byte("obj")) || bytes.Contains(object[:stream], []byte("/Type/XRef")) {
		return pdf
	}
	out := make([]byte, 0, len(pdf)+32)
	out = append(out, pdf[:at+dict+2]...)
	out = append(out, "/Type/XRef"...)
	out = append(out, object[dict+2:]...)
	if !bytes.HasSuffix(bytes.TrimSpace(object), []byte("endobj")) {
		out = append(out, "endobj\r\n"...)
	}
	return append(out, pdf[tail:]...)
}
