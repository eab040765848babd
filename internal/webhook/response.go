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
func (c *Client) receive(resp *http.Response, o *Outcome) error {
	defer resp.Body.Close()
	o.Status, o.Code = resp.StatusCode, statusCode(resp.StatusCode)
	o.ResponseHeaders = keptHeaders(resp.Header)
	if !o.Succeeded() {
		o.Error = statusSentence(resp.StatusCode)
		o.RetryAfter = parseRetryAfter(resp.Header.Get("Retry-After"), c.clock())
	}
	if resp.ContentLength == 0 {
		return nil
	}
	return c.readBody(resp, o)
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

// readBody reads up to 64 KiB, so that ordinary answers leave a connection that can be used again, and keeps the first 8 KiB of
// them. More is not read at all. We never ask for gzip, but some send it anyway.
func (c *Client) readBody(resp *http.Response, o *Outcome) error {
	buf := c.buffers.Get().(*readBuffer)
	defer c.buffers.Put(buf)
	var n int
	var err error
	if e := resp.Header.Get("Content-Encoding"); strings.EqualFold(e, "gzip") || strings.EqualFold(e, "x-gzip") {
		n, err = readGzip(resp.Body, buf[:])
	} else {
		n, err = readUpTo(resp.Body, buf[:])
	}
	o.Truncated = n > maxKeptBody
	o.ResponseBody = bytes.Clone(buf[:min(n, maxKeptBody)])
	return err
}

type readBuffer [maxReadBody]byte

// readUpTo fills buf as far as r goes. Unlike io.ReadFull it passes on an io.ErrUnexpectedEOF only when it came from r: a body that
// broke off.
func readUpTo(r io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = r.Read(buf[n:])
		n += m
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// readGzip bounds both sides: an archive may also be endless without ever giving a byte. The error is the connection's; nonsense
// instead of gzip is none, and ends the body where it begins.
func readGzip(body io.Reader, buf []byte) (int, error) {
	packed := &watchedReader{r: io.LimitReader(body, 2*maxReadBody)}
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		return 0, packed.err
	}
	n, _ := readUpTo(unpacked, buf)
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
