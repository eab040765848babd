package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
)

const (
	fanWidth  = 500
	fanRounds = 9 // and one before them, which opens the connections
)

// fanout is one event that 500 endpoints hear of: from the call that makes it
// to the last POST, compared with 500 bare POSTs at once. The rounds take
// turns; the middle of the ratios counts.
func fanout(_ options, t tools, p place, f *figures) error {
	address, err := p.address("fanout")
	if err != nil {
		return err
	}
	b, err := t.bed(address, "bench@example.com")
	if err != nil {
		return err
	}
	defer b.close()
	ctx := context.Background()
	var urls []string
	for i := range fanWidth {
		urls = append(urls, fmt.Sprintf("%s%d", b.receiver.url, i))
		e := paraph.Endpoint{URL: urls[i], Events: []string{"submission.archived"}, Enabled: true}
		if _, err := b.desk.CreateEndpoint(ctx, b.who, e); err != nil {
			return err
		}
	}
	ids, err := b.envelopes(ctx, fanRounds+1)
	if err != nil {
		return err
	}
	stop, err := b.dispatch()
	if err != nil {
		return err
	}
	defer stop()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: fanWidth}}
	defer client.CloseIdleConnections()
	var ours, commits, bare, ratios []float64
	for i, id := range ids {
		commit, last, err := b.fan(ctx, id)
		if err != nil {
			return err
		}
		base := bareFan(client, b.receiver, urls)
		if i == 0 {
			continue
		}
		ours, commits, bare = append(ours, milliseconds(last)), append(commits, milliseconds(commit)), append(bare, milliseconds(base))
		ratios = append(ratios, float64(last)/float64(base))
	}
	f.FanoutMS, f.FanoutEvent, f.FanoutBare, f.FanoutRatio = median(ours), median(commits), median(bare), median(ratios)
	return nil
}

// fan is one event: how long until its commit, and until its last POST.
func (b *bed) fan(ctx context.Context, id int64) (commit, last time.Duration, err error) {
	b.receiver.expect(fanWidth)
	start := time.Now()
	if _, err := b.desk.Archive(ctx, b.who, id, true); err != nil {
		return 0, 0, err
	}
	commit = time.Since(start)
	select {
	case <-b.receiver.done:
		return commit, time.Since(start), nil
	case <-time.After(time.Minute):
		return 0, 0, errors.New("not all webhooks were sent within a minute")
	}
}

func bareFan(client *http.Client, to *receiver, urls []string) time.Duration {
	body := sampleBody()
	to.expect(len(urls))
	start := time.Now()
	var all sync.WaitGroup
	for _, url := range urls {
		all.Go(func() { post(client, url, body) })
	}
	<-to.done
	took := time.Since(start)
	all.Wait()
	return took
}
