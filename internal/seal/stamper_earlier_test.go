package seal

import (
	"crypto/x509"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/dev/tsatest"
)

// TestUpgradeWithSlowStrangers: all that signatures from before the seal have fetched shares one deadline, and when that is over
// nothing of theirs is asked for any more. The seal gets to its level all the same, and its own requests are not cut short.
func TestUpgradeWithSlowStrangers(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	pdf := contractPDF("", "")
	for _, name := range []string{"one.invalid", "two.invalid", "three.invalid"} {
		ca := tsatest.NewCA(t, w.clock)
		key, cert := ca.Issue(t, name, tsatest.Services{}, func(c *x509.Certificate) {
			c.OCSPServer = []string{"http://" + name + "/1", "http://" + name + "/2"}
			c.CRLDistributionPoints = []string{"http://" + name + "/list"}
		})
		pdf = signUnlocked(t, pdf, Identity{Key: key, Chain: []*x509.Certificate{cert, ca.Cert}})
	}
	sealed := mustSign(t, pdf, w.id)
	for name, c := range map[string]struct {
		budget time.Duration
		asked  int
	}{"within the time": {time.Minute, 9}, "when it is over": {time.Nanosecond, 0}} {
		t.Run(name, func(t *testing.T) {
			var shared time.Time
			asked := 0
			s := w.stamper(t, LevelLTA)
			s.earlier, s.gatherer.timeout = c.budget, time.Hour
			s.gatherer.fetch = func(r *http.Request) (*http.Response, error) {
				until, _ := r.Context().Deadline()
				if host := r.URL.Hostname(); host != "one.invalid" && host != "two.invalid" && host != "three.invalid" {
					if !shared.IsZero() || time.Until(until) < 30*time.Minute {
						t.Errorf("%s is asked after strangers, or in their time", r.URL)
					}
					return http.DefaultTransport.RoundTrip(r)
				}
				if asked++; asked == 1 {
					shared = until
				}
				if !until.Equal(shared) {
					t.Errorf("%s has until %s, the first one %s", r.URL, until, shared)
				}
				return nil, errors.New("it does not answer")
			}
			st := w.upgrade(t, s, sealed)
			if asked != c.asked {
				t.Errorf("strangers were asked %d times and not %d", asked, c.asked)
			}
			if rep := w.verify(t, st.PDF); !rep.Valid || st.Level != LevelLTA || rep.Signatures[3].Signer != "Sealer" || rep.Signatures[3].Level != LevelLTA {
				t.Errorf("%s: %s", st.Level, rep.Text())
			}
		})
	}
}
