package hostiletest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"time"
)

func (r *Receivers) timing() {
	for _, x := range []struct {
		name   string
		status int
		script func(net.Conn)
	}{
		{"hangs before the headers", 0, hang},
		{"hangs within the status line", 0, sayAndHang("HTTP/1.1 20")},
		{"hangs within the headers", 0, sayAndHang(head)},
		{"hangs after the headers", 200, sayAndHang(head + "Content-Length: 5\r\n\r\n")},
		{"hangs within the body", 200, sayAndHang(head + "Content-Length: 5\r\n\r\nab")},
		{"hangs before the last chunk", 200, sayAndHang(head + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")},
		{"hangs within the trailers", 200, sayAndHang(head + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-More: ")},
		{"hangs after 100 Continue", 0, sayAndHang("HTTP/1.1 100 Continue\r\n\r\n")},
		{"claims more than it sends, and waits", 200, sayAndHang(head + "Content-Length: 1000\r\n\r\nhello")},
		{"drips its status line", 0, drip("", "H")},
		{"drips its headers", 0, drip(head, "X-A: b\r\n")},
		{"drips its body", 200, drip(head+"\r\n", "H")},
		{"drips its chunks", 200, drip(head+"Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n")},
	} {
		r.add(Receiver{Name: x.name, Code: "timeout", Status: x.status, Says: "was not complete within", Slow: true}, x.script)
	}
}

func (r *Receivers) endings() {
	const says = "closed the connection before its response was complete"
	for _, x := range []struct {
		name   string
		status int
		script func(net.Conn)
	}{
		{"closes at once", 0, func(net.Conn) {}},
		{"closes within the headers", 0, say(head)},
		{"closes within the body", 200, say(head + "Content-Length: 5\r\n\r\nab")},
		{"closes within a chunk", 200, say(head + "Transfer-Encoding: chunked\r\n\r\n5\r\nab")},
		{"closes before the last chunk", 200, say(head + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")},
		{"closes within its gzip", 200, say(head + "Content-Encoding: gzip\r\nContent-Length: 99\r\n\r\n\x1f\x8b\x08")},
		{"resets at once", 0, sayAndReset("")},
		{"closes after 100 Continue", 0, say("HTTP/1.1 100 Continue\r\n\r\n")},
	} {
		r.add(Receiver{Name: x.name, Code: "reset", Status: x.status, Says: says}, x.script)
	}
}

func (r *Receivers) statuses() {
	for _, status := range []int{200, 201, 202, 204, 205, 206, 226, 299} {
		r.add(Receiver{Name: fmt.Sprint("answers ", status), Code: "ok", Status: status}, answer(fmt.Sprint(status, " Yes"), ""))
	}
	for _, status := range []int{300, 301, 302, 303, 304, 305, 307, 308, 399} {
		r.add(Receiver{Name: fmt.Sprintf("answers %d, pointing inside", status), Code: fmt.Sprint("http_", status), Status: status, Says: "never followed"},
			answer(fmt.Sprint(status, " There"), "Location: "+r.trap+"\r\n"))
	}
	for _, status := range []int{400, 401, 402, 403, 404, 405, 407, 408, 409, 413, 415, 418, 421, 422, 425, 426, 431, 451, 500, 501, 502, 504, 511, 600, 999} {
		r.add(Receiver{Name: fmt.Sprint("answers ", status), Code: fmt.Sprint("http_", status), Status: status, Says: fmt.Sprint(status)}, answer(fmt.Sprint(status, " No"), ""))
	}
	r.add(Receiver{Name: "is gone", Code: "http_410", Status: 410, Says: "does not want to be called"}, answer("410 Gone", ""))
	r.add(Receiver{Name: "has no reason", Code: "ok", Status: 200}, answer("200", ""))
	r.add(Receiver{Name: "speaks HTTP/1.0", Code: "ok", Status: 200}, say("HTTP/1.0 200 OK\r\n\r\nhello"))
	r.add(Receiver{Name: "gives hints first", Code: "ok", Status: 200}, say("HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"+head+"Content-Length: 2\r\n\r\nok"))
	r.add(Receiver{Name: "says 100 Continue unasked", Code: "ok", Status: 204}, say("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"))
	r.add(Receiver{Name: "sends a body with 204", Code: "ok", Status: 204}, say("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\nhello"))
}

// waits ask for time before the next attempt (RFC 9110, section 10.2.3).
func (r *Receivers) waits() {
	date := func(at time.Time) string { return at.Format("Mon, 02 Jan 2006 15:04:05 GMT") }
	for _, x := range []struct {
		name, value string
		status      int
		wait        time.Duration
	}{
		{"in seconds", "90", 429, 90 * time.Second},
		{"in seconds, with 503", "120", 503, 2 * time.Minute},
		{"in seconds, with 404", "7", 404, 7 * time.Second},
		{"not at all: 0", "0", 429, 0},
		{"by a date", date(Now().Add(5 * time.Minute)), 429, 5 * time.Minute},
		{"by a date, with 503", date(Now().Add(time.Hour)), 503, time.Hour},
		{"by a date in RFC 850", Now().Add(5 * time.Minute).Format("Monday, 02-Jan-06 15:04:05 GMT"), 429, 5 * time.Minute},
		{"by a date of asctime", Now().Add(5 * time.Minute).Format(time.ANSIC), 429, 5 * time.Minute},
		{"by a date that has passed", date(Now().Add(-time.Hour)), 429, 0},
		{"for years", "99999999", 500, 10 * time.Hour},
		{"for longer than numbers go", "99999999999999999999999", 429, 10 * time.Hour},
		{"until next century", date(Now().AddDate(100, 0, 0)), 429, 10 * time.Hour},
		{"less than nothing", "-5", 429, 0},
		{"half a second", "0.5", 429, 0},
		{"in hexadecimal", "0x10", 429, 0},
		{"in words", "soon", 429, 0},
		{"in nothing", "", 429, 0},
	} {
		r.add(Receiver{Name: "asks to wait " + x.name, Code: fmt.Sprint("http_", x.status), Status: x.status, RetryAfter: x.wait},
			answer(fmt.Sprint(x.status, " Later"), "Retry-After: "+x.value+"\r\n"))
	}
	r.add(Receiver{Name: "asks to wait after a success", Code: "ok", Status: 200}, answer("200 OK", "Retry-After: 90\r\n"))
}

func (r *Receivers) bodies() {
	bomb, nothing := gzipBomb(), gzipOfNothing()
	ok := func(name string, truncated bool, script func(net.Conn)) {
		r.add(Receiver{Name: name, Code: "ok", Status: 200, Truncated: truncated}, script)
	}
	bad := func(name string, status int, script func(net.Conn)) {
		r.add(Receiver{Name: name, Code: "bad_response", Status: status, Says: "not an HTTP response"}, script)
	}
	ok("never ends its body", true, forever(head+"\r\n", repeat("x", 4096)))
	ok("never ends its chunks", true, forever(head+"Transfer-Encoding: chunked\r\n\r\n", "1000\r\n"+repeat("x", 4096)+"\r\n"))
	ok("claims a terabyte and sends on", true, forever(head+"Content-Length: 1099511627776\r\n\r\n", repeat("x", 4096)))
	ok("says one byte more than is kept", true, say(head+"Content-Length: 8193\r\n\r\n"+repeat("x", 8193)))
	ok("says exactly what is kept", false, say(head+"Content-Length: 8192\r\n\r\n"+repeat("x", 8192)))
	ok("says more than it claims", false, say(head+"Content-Length: 2\r\n\r\nhello"))
	ok("sends a gzip bomb", true, say(head+"Content-Encoding: gzip\r\nContent-Length: "+fmt.Sprint(len(bomb))+"\r\n\r\n"+bomb))
	ok("sends gzip of nothing without end", false, forever(head+"Content-Encoding: gzip\r\n\r\n", nothing))
	ok("calls plain text gzip", false, say(head+"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello"))
	ok("compresses in a way nobody knows", false, say(head+"Content-Encoding: br\r\nContent-Length: 3\r\n\r\n\x0b\x01\x80"))
	ok("has trailers", false, say(head+"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"))
	ok("has chunk extensions", false, say(head+"Transfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\n\r\n"))
	ok("gives two lengths that agree", false, say(head+"Content-Length: 2\r\nContent-Length: 2\r\n\r\nok"))
	ok("gives a length and chunks", false, say(head+"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"))
	bad("gives two lengths that differ", 0, say(head+"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok"))
	bad("has a negative length", 0, say(head+"Content-Length: -1\r\n\r\n"))
	bad("has a length in words", 0, say(head+"Content-Length: two\r\n\r\nok"))
	bad("has a length beyond numbers", 0, say(head+"Content-Length: 99999999999999999999\r\n\r\n"))
	bad("has an unknown transfer coding", 0, say(head+"Transfer-Encoding: gzip, chunked\r\n\r\n"))
	bad("has a chunk length in words", 200, say(head+"Transfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n"))
	bad("has a chunk longer than numbers go", 200, say(head+"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nok\r\n"))
	bad("never ends its trailers", 200, forever(head+"Transfer-Encoding: chunked\r\n\r\n0\r\n", "X-More: "+repeat("x", 1000)+"\r\n"))
	bad("never ends a chunk's extension", 200, forever(head+"Transfer-Encoding: chunked\r\n\r\n1;", repeat("x", 4096)))
}

func (r *Receivers) headers() {
	large := func(name string, script func(net.Conn)) {
		r.add(Receiver{Name: name, Code: "too_large", Says: "larger than 32 KiB"}, script)
	}
	bad := func(name, text string) {
		r.add(Receiver{Name: name, Code: "bad_response", Says: "not an HTTP response"}, say(text))
	}
	large("never ends its headers", forever(head, "X-More: "+repeat("x", 1000)+"\r\n"))
	large("has one huge header", forever(head+"X-Huge: ", repeat("x", 4096)))
	large("has a huge header and then ends", say(head+"X-Huge: "+repeat("x", 40<<10)+"\r\nContent-Length: 0\r\n\r\n"))
	large("never ends its status line", forever("HTTP/1.1 200 ", repeat("x", 4096)))
	large("never ends its 1xx", forever("", "HTTP/1.1 102 Wait\r\n\r\n"))
	large("says one line without end", forever("", repeat("x", 4096)))
	r.add(Receiver{Name: "has large headers", Code: "ok", Status: 200}, say(head+"X-Large: "+repeat("x", 30<<10)+"\r\nContent-Length: 0\r\n\r\n"))
	bad("has a header without a colon", head+"nonsense\r\n\r\n")
	bad("has a header without a name", head+": x\r\n\r\n")
	bad("closes within the status line", "HTTP/1.1 2")
	bad("begins its headers with a space", "HTTP/1.1 200 OK\r\n X-A: b\r\n\r\n")
	r.add(Receiver{Name: "has a space before the colon", Code: "ok", Status: 200}, say(head+"X-A : b\r\nContent-Length: 0\r\n\r\n"))
	r.add(Receiver{Name: "has bytes that are no UTF-8", Code: "ok", Status: 200}, say(head+"X-Raw: \xff\xfe\r\nContent-Length: 2\r\n\r\n\xff\xfe"))
}

// gzipBomb unpacks to 64 MiB.
func gzipBomb() string {
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	for zeros, i := make([]byte, 1<<20), 0; i < 64; i++ {
		_, _ = z.Write(zeros) // into memory
	}
	_ = z.Close()
	return packed.String()
}

// gzipOfNothing is an archive of no byte; many of them are an archive of no byte too.
func gzipOfNothing() string {
	var packed bytes.Buffer
	_ = gzip.NewWriter(&packed).Close() // into memory
	return packed.String()
}
