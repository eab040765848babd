package api

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxLimiters bounds how many tokens are remembered.
const maxLimiters = 10000

// limits bounds how many requests a token makes in a minute: a bucket for each
// token that holds a minute's worth and refills steadily.
type limits struct {
	perMinute int

	mu      sync.Mutex
	buckets map[int64]*rate.Limiter
}

func newLimits(perMinute int) *limits {
	return &limits{perMinute: perMinute, buckets: map[int64]*rate.Limiter{}}
}

// take takes one request from a token's bucket; when it is empty, it returns
// how long to wait.
func (l *limits) take(tokenID int64, now time.Time) (wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[tokenID]
	if b == nil {
		l.makeRoom(now)
		b = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), l.perMinute)
		l.buckets[tokenID] = b
	}
	reserved := b.ReserveN(now, 1)
	if wait = reserved.DelayFrom(now); wait > 0 {
		reserved.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// makeRoom forgets tokens whose bucket is full again, which changes nothing
// for them, or any one when there is none.
func (l *limits) makeRoom(now time.Time) {
	if len(l.buckets) < maxLimiters {
		return
	}
	for id, b := range l.buckets {
		if b.TokensAt(now) >= float64(l.perMinute) {
			delete(l.buckets, id)
		}
	}
	for id := range l.buckets {
		if len(l.buckets) < maxLimiters {
			return
		}
		delete(l.buckets, id)
	}
}

// limited refuses more requests than a token may make.
func (a *api) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wait, ok := a.limit.take(callOf(r.Context()).signed.Token.ID, a.cfg.Store.Now())
		if !ok {
			a.write(w, &failure{Problem{
				Error:  fmt.Sprintf("Too many requests: a token makes at most %d in a minute.", a.cfg.RequestsPerMinute),
				status: http.StatusTooManyRequests, retryAfter: wait,
			}})
			return
		}
		next.ServeHTTP(w, r)
	})
}
