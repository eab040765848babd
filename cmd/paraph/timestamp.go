package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/webhook"
)

// checkTimestamps refuses a level that can't be had, and flags that mean nothing without others.
func (c *serveCmd) checkTimestamps() error {
	if len(c.TSAURL) == 0 {
		switch {
		case c.PAdESLevel != "" && c.PAdESLevel != seal.LevelB:
			return fmt.Errorf("--pades-level %s needs a timestamp authority: set --tsa-url", c.PAdESLevel)
		case c.TSARoots != "":
			return errors.New("--tsa-roots means nothing without --tsa-url")
		}
		return nil
	}
	switch c.PAdESLevel {
	case "":
		c.PAdESLevel = seal.LevelLTA
	case seal.LevelT, seal.LevelLT, seal.LevelLTA:
	case seal.LevelB:
		return errors.New("--pades-level B-B has no timestamps: leave out --tsa-url")
	default:
		return fmt.Errorf("--pades-level is %s, %s or %s", seal.LevelT, seal.LevelLT, seal.LevelLTA)
	}
	return nil
}

// stamper timestamps what is sealed; nil when no authority is set. The authorities are the operator's choice and asked wherever
// they are; what certificates name is fetched from public addresses, and from those that the operator allows.
func (c *serveCmd) stamper(in *instance, m *meter) (*seal.Stamper, error) {
	if len(c.TSAURL) == 0 {
		return nil, nil
	}
	var roots []*x509.Certificate
	if c.TSARoots != "" {
		var err error
		if roots, err = readRoots(c.TSARoots); err != nil {
			return nil, err
		}
	}
	ask := &http.Client{
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 5 * time.Second, MaxConnsPerHost: 4, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	fetch := webhook.NewFetcher(webhook.ClientConfig{Allow: c.TSAAllowNet})
	in.atClose(func() error {
		ask.CloseIdleConnections()
		fetch.CloseIdleConnections()
		return nil
	})
	stamper, err := seal.NewStamper(seal.StamperConfig{
		URLs: c.TSAURL, Level: c.PAdESLevel, Roots: roots, Ask: ask.Do, Fetch: fetch.Do, Clock: time.Now, Observe: m.timestamp(in),
	})
	if err != nil {
		return nil, fmt.Errorf("--tsa-url: %w", err)
	}
	return stamper, nil
}

func readRoots(file string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("--tsa-roots: %w", err)
	}
	roots, err := seal.ReadCertificates(data)
	if err != nil {
		return nil, fmt.Errorf("--tsa-roots %s: %w", file, err)
	}
	return roots, nil
}

// timestamp counts requests to timestamp authorities and logs those that failed.
func (m *meter) timestamp(in *instance) func(authority string, err error) {
	count := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "paraph_timestamp_requests_total", Help: "Requests of this node to timestamp authorities, by authority and whether they gave a good timestamp (ok, failed).",
	}, []string{"authority", "result"})
	m.registry.MustRegister(count)
	return func(authority string, err error) {
		if err != nil {
			in.log.Warn("a timestamp authority failed", "authority", authority, "error", err)
			count.WithLabelValues(authority, "failed").Inc()
			return
		}
		count.WithLabelValues(authority, "ok").Inc()
	}
}

// timestampCmd has older seals timestamped, and those for which no timestamp could be had for a month.
type timestampCmd struct {
	world
	Level string `help:"Those whose seals are not at this level." default:"B-LTA" enum:"B-T,B-LT,B-LTA"`
}

// Run marks the envelopes; a server that has --tsa-url does the work.
func (c *timestampCmd) Run(s *streams) error {
	ctx := context.Background()
	st, _, err := c.open(ctx, newLog(s.err, false), nil)
	if err != nil {
		return err
	}
	n, err := desk.WantTimestamps(ctx, st, strings.TrimSpace(c.Level))
	if err = errors.Join(err, st.Close()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%d envelopes will be timestamped; a server that runs with --tsa-url begins within ten minutes\n", n)
	return nil
}
