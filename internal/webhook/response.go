package webhook

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// receive reads the response into the outcome. The error is one of the connection: what the receiver said, however bad, is none.
func (c *Client) receive(from *conn, resp *http.Response, o *Outcome) error {
	o.Status, o.Code = resp.StatusCode, statusCode(resp.StatusCode)
	o.ResponseHeaders = keptHeaders(resp.Header)
	if !o.Succeeded() {
		o.Error = statusSentence(resp.StatusCode)
		o.RetryAfter = parseRetryAfter(resp.Header.Get("Retry-After"), c.clock())
	}
	ended, err := c.readBody(resp, o)
	from.reusable = ended && err == nil && !resp.Close && from.br.Buffered() == 0
	return err
}

func statusSentence(status int) string {
	switch {
	case 300 <= status && status <= 399:
		return fmt.Sprintf("The receiver answered with a redirect (%d), which is never followed.", status)
	case status == http.StatusGone:
		return "The receiver answered 410: it does not want to be called any more."
	}
	return strings.TrimSpace(fmt.Sprintf("The receiver answered %d %s", status, http.StatusText(status))) + "."
}

// readBody reads up to 64 KiB and keeps the first 8 KiB of them; more is not read at all. ended tells that the response is over, so
// that the connection can be used again. We never ask for gzip, but some send it anyway. The body is not closed, because that
// would read an endless one to its end.
func (c *Client) readBody(resp *http.Response, o *Outcome) (ended bool, err error) {
	if resp.Body == http.NoBody {
		return true, nil
	}
	buf := c.buffers.Get().(*[]byte)
	defer c.buffers.Put(buf)
	b := (*buf)[:maxReadBody]
	var n int
	if e := resp.Header.Get("Content-Encoding"); strings.EqualFold(e, "gzip") || strings.EqualFold(e, "x-gzip") {
		n, err = readGzip(resp.Body, b)
	} else {
		n, ended, err = readUpTo(resp.Body, b)
	}
	o.Truncated = n > maxKeptBody
	o.ResponseBody = bytes.Clone(b[:min(n, maxKeptBody)])
	return ended, err
}

// readUpTo fills buf as far as r goes, and tells whether r came to its end. Unlike io.ReadFull it returns an io.ErrUnexpectedEOF only
// when it came from r: a body that broke off.
func readUpTo(r io.Reader, buf []byte) (n int, ended bool, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	if err == io.EOF {
		return n, true, nil
	}
	return n, false, err
}

// readGzip bounds both sides: an archive may also be endless without ever giving a byte. The error is the connection's; nonsense
// instead of gzip is none, and ends the body where it begins.
func readGzip(body io.Reader, buf []byte) (int, error) {
	packed := &watchedReader{r: io.LimitReader(body, 2*maxReadBody)}
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return 0, packed.err
	}
	n, _, _ := readUpTo(unpacked, buf)
	return n, packed.err
}

// watchedReader remembers how reading failed.
type watchedReader struct {
	r   io.Reader
	err error
}

func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}
