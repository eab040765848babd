package webhook

import (
	"context"
	"crypto/tls"
	"net"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
)

// phase is how far an exchange has come.
type phase int

const (
	phaseDNS phase = iota
	phaseConnect
	phaseTLS
	phaseSent // a connection is there; all that follows is the receiver's time
	phases
)

// exchange takes the times of one attempt. It is locked, because net/http finishes a dial in the background after the request that
// asked for it has given up.
type exchange struct {
	start time.Time

	mu        sync.Mutex
	phase     phase
	over      [phases]time.Duration // when each phase was over, from the start
	firstByte time.Duration
	remote    net.Addr
}

type exchangeKey struct{}

// exchangeFrom never returns nil: a dial without an exchange takes its times for nobody.
func exchangeFrom(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return new(exchange)
}

func (x *exchange) context(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(context.WithValue(ctx, exchangeKey{}, x), &httptrace.ClientTrace{
		TLSHandshakeStart:    func() { x.begin(phaseTLS) },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { x.end(phaseTLS) },
		GotConn:              x.gotConn,
		GotFirstResponseByte: x.gotFirstByte,
	})
}

func (x *exchange) begin(p phase) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.phase = p
}

func (x *exchange) end(p phase) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.over[p] = time.Since(x.start)
}

func (x *exchange) gotConn(info httptrace.GotConnInfo) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.phase = phaseSent
	x.remote = info.Conn.RemoteAddr()
	if info.Reused {
		x.over = [phases]time.Duration{}
	}
}

func (x *exchange) gotFirstByte() {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.firstByte = time.Since(x.start)
}

// finish writes what was measured into the outcome.
func (x *exchange) finish(o *Outcome) {
	x.mu.Lock()
	defer x.mu.Unlock()
	o.Timings = paraph.Timings{
		DNS: x.over[phaseDNS], Connect: x.over[phaseConnect], TLS: x.over[phaseTLS], FirstByte: x.firstByte, Total: time.Since(x.start),
	}
	if x.remote != nil {
		o.RemoteAddress = x.remote.String()
	}
}

func (x *exchange) reached() phase {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.phase
}
