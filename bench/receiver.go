package main

import (
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// receiver answers 204 to every POST and tells when each came.
type receiver struct {
	url    string
	server *http.Server
	count  atomic.Int64
	target atomic.Int64
	done   chan struct{}
	seen   atomic.Pointer[func()]
}

func newReceiver() *receiver {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	r := &receiver{url: "http://" + l.Addr().String() + "/", done: make(chan struct{}, 1)}
	r.server = &http.Server{Handler: r}
	go func() { _ = r.server.Serve(l) }() // ends with close
	return r
}

func (r *receiver) close() { _ = r.server.Close() }

// expect makes done tell when n more have come.
func (r *receiver) expect(n int) {
	r.count.Store(0)
	r.target.Store(int64(n))
}

// onSeen calls f at each POST whose body has been read.
func (r *receiver) onSeen(f func()) { r.seen.Store(&f) }

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	_, _ = io.Copy(io.Discard, req.Body) // the sender notices itself when it breaks
	if f := r.seen.Load(); f != nil {
		(*f)()
	}
	w.WriteHeader(http.StatusNoContent)
	if r.count.Add(1) == r.target.Load() {
		r.done <- struct{}{}
	}
}

// newHole accepts every connection and never answers. It answers its address.
func newHole() (url string, closeIt func()) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c); _ = c.Close() }() // until the sender has had enough
		}
	}()
	return "http://" + l.Addr().String() + "/", func() { _ = l.Close() }
}
