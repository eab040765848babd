package seal

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/dev/tsatest"
)

// stampWorld is a CA, an authority and a stamper that asks it, in a time that stands still until it is moved.
type stampWorld struct {
	mu  sync.Mutex
	now time.Time
	ca  *tsatest.CA
	tsa *tsatest.TSA
	id  Identity
}

func newStampWorld(t *testing.T) *stampWorld {
	t.Helper()
	w := &stampWorld{now: signedAt}
	w.ca = tsatest.NewCA(t, w.clock)
	w.tsa = tsatest.NewTSA(t, w.ca, "Timely", nil)
	w.id = w.issue(t, tsatest.Services{OCSP: true})
	return w
}

func (w *stampWorld) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *stampWorld) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *stampWorld) issue(t *testing.T, s tsatest.Services) Identity {
	t.Helper()
	key, cert := w.ca.Issue(t, "Sealer", s, nil)
	return Identity{Key: key, Chain: []*x509.Certificate{cert, w.ca.Cert}}
}

func (w *stampWorld) stamper(t *testing.T, level string, urls ...string) *Stamper {
	t.Helper()
	if len(urls) == 0 {
		urls = []string{w.tsa.URL}
	}
	s, err := NewStamper(StamperConfig{URLs: urls, Level: level, Ask: http.DefaultTransport.RoundTrip, Fetch: http.DefaultTransport.RoundTrip, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (w *stampWorld) trust() VerifyOptions { return VerifyOptions{Roots: w.id.Roots()} }

func (w *stampWorld) verify(t *testing.T, pdf []byte) Report {
	t.Helper()
	rep, err := Verify(pdf, w.trust())
	if err != nil {
		t.Fatal(err)
	}
	return rep
}

func (w *stampWorld) upgrade(t *testing.T, s *Stamper, pdf []byte) Stamped {
	t.Helper()
	st, err := s.Upgrade(t.Context(), pdf, w.trust())
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// TestUpgrade brings seals to each level, over every layout of a file, signed before or not, stamped at once or not; the structure is
// what PAdES says, and poppler finds every signature valid.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	files := layouts(t)
	files["signed by somebody else"] = signUnlocked(t, contractPDF("", ""), testKeys()["RSA"])
	for name, pdf := range files {
		for _, stamped := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stamped %v", name, stamped), func(t *testing.T) {
				t.Parallel()
				s := w.stamper(t, LevelLTA)
				opt := SignOptions{At: signedAt}
				if stamped {
					opt.Stamp = s.Stamp(t.Context())
				}
				sealed, err := Sign(pdf, w.id, opt)
				if err != nil {
					t.Fatal(err)
				}
				st := w.upgrade(t, s, sealed)
				stamps := 2
				if stamped {
					stamps = 1
				}
				w.checkLTA(t, st, stamps)
				if !strings.HasPrefix(string(st.PDF), string(sealed)) {
					t.Error("the bytes of the sealed file changed")
				}
				if again := w.upgrade(t, s, st.PDF); string(again.PDF) != string(st.PDF) || again.Level != LevelLTA {
					t.Error("upgrading twice adds something")
				}
			})
		}
	}
}

func (w *stampWorld) checkLTA(t *testing.T, st Stamped, stamps int) {
	t.Helper()
	rep := w.verify(t, st.PDF)
	i := slices.IndexFunc(rep.Signatures, func(s SignatureReport) bool { return s.Signer == "Sealer" })
	if !rep.Valid || i < 0 || rep.Signatures[i].Level != LevelLTA || st.Level != LevelLTA || len(rep.Changes) > 0 {
		t.Fatalf("%s, %s", st.Level, rep.Text())
	}
	if n := len(rep.Signatures) - i - 1; n != stamps {
		t.Errorf("%d timestamps follow the seal", n)
	}
	for _, s := range rep.Signatures[i+1:] {
		if s.Kind != "timestamp" || s.Format != "ETSI.RFC3161" || !s.Trusted || s.TimestampedBy != "Timely" {
			t.Errorf("%+v", s)
		}
	}
	if st.By != "Timely" || !st.At.Equal(signedAt) || !st.Renew.After(w.clock()) || !st.Renew.Before(w.tsa.Cert.NotAfter) {
		t.Errorf("by %s at %s, renewed at %s", st.By, st.At, st.Renew)
	}
	w.checkStore(t, st.PDF)
	said := toolSays(t, st.PDF, "pdfsig", "-nocert") // which knows of document timestamps only that they are there
	if got := strings.Count(said, "Signature is Valid"); got != len(rep.Signatures)-stamps || strings.Count(said, "Total document signed") != 1 {
		t.Errorf("pdfsig finds %d valid of %d:\n%s", got, len(rep.Signatures), said)
	}
	toolSays(t, st.PDF, "qpdf", "--check")
}

// checkStore looks at the document security store as a validator does.
func (w *stampWorld) checkStore(t *testing.T, pdf []byte) {
	t.Helper()
	f, err := openPDF(pdf)
	if err != nil {
		t.Fatal(err)
	}
	_, root, err := f.catalog()
	if err != nil {
		t.Fatal(err)
	}
	dss := f.dict(root.vals["DSS"])
	data := f.validationData()
	if dss == nil || len(data.certs) < 3 || len(data.ocsps) < 1 || len(data.crls) < 1 {
		t.Fatalf("the store has %d certificates, %d answers, %d lists", len(data.certs), len(data.ocsps), len(data.crls))
	}
	fields, err := f.signatureFields()
	if err != nil {
		t.Fatal(err)
	}
	vri, found := f.dict(dss.vals["VRI"]), 0
	for _, fd := range fields {
		_, contents, err := f.rangeOf(fd.value)
		if err != nil {
			t.Fatal(err)
		}
		entry := f.dict(vri.vals[vriKey(contents)])
		if entry == nil {
			continue
		}
		found++
		for _, v := range f.array(entry.vals["Cert"]) {
			if !slices.Contains(f.array(dss.vals["Certs"]), v) {
				t.Error("a certificate of an entry is not in the store")
			}
		}
	}
	if want := len(fields) - 1; found != want { // the last timestamp has none yet
		t.Errorf("%d of %d signatures have an entry", found, want)
	}
	if !strings.Contains(string(pdf), "/ESIC") {
		t.Error("the file does not say that it uses extensions")
	}
}

// TestDocumentTimestampByOpenSSL has another program judge the token of a document timestamp.
func TestDocumentTimestampByOpenSSL(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	st := w.upgrade(t, w.stamper(t, LevelT), mustSign(t, contractPDF("", ""), w.id))
	f, fields, err := openSigned(st.PDF)
	if err != nil {
		t.Fatal(err)
	}
	rng, contents, err := f.rangeOf(fields[1].value)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	files := map[string][]byte{
		"token": contents, "data": slices.Concat(st.PDF[:rng.gapStart], st.PDF[rng.gapEnd:rng.end]),
		"ca.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: w.ca.Cert.Raw}),
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(needTool(t, "openssl"), "ts", "-verify", "-data", "data", "-in", "token", "-token_in", "-CAfile", "ca.pem", "-attime", strconv.FormatInt(signedAt.Unix(), 10))
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verification: OK") {
		t.Errorf("%v: %s", err, out)
	}
}

// TestUpgradeToT stops at a timestamp when that is what is wanted.
func TestUpgradeToT(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	s := w.stamper(t, LevelT)
	st := w.upgrade(t, s, mustSign(t, contractPDF("", ""), w.id))
	if rep := w.verify(t, st.PDF); !rep.Valid || rep.Signatures[0].Level != LevelT || st.Level != LevelT || len(rep.Signatures) != 2 || !st.Renew.IsZero() {
		t.Errorf("%+v\n%s", st.Level, rep.Text())
	}
	inside, err := Sign(contractPDF("", ""), w.id, SignOptions{At: signedAt, Stamp: s.Stamp(t.Context())})
	if err != nil {
		t.Fatal(err)
	}
	rep := w.verify(t, inside)
	if g := rep.Signatures[0]; !rep.Valid || g.Level != LevelT || g.TimestampedBy != "Timely" || !g.TimestampTrusted {
		t.Error(rep.Text())
	}
	if st := w.upgrade(t, s, inside); string(st.PDF) != string(inside) || st.Level != LevelT || st.By != "Timely" {
		t.Error("a timestamped seal was timestamped again")
	}
}

// TestUpgradeOfOwnAuthority: the certificates that an instance issues itself name no place where revocation could be learned, so
// none is missing.
func TestUpgradeOfOwnAuthority(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	id, err := LoadOrCreateIdentity(t.TempDir(), "Own", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	w.id = id
	st := w.upgrade(t, w.stamper(t, LevelLTA), mustSign(t, contractPDF("", ""), id))
	if rep := w.verify(t, st.PDF); !rep.Valid || rep.Signatures[0].Level != LevelLTA || w.ca.Asked("/crl") != 1 {
		t.Error(rep.Text())
	}
}

// TestTimestampFaults: whatever an authority does, the seal is there at once without it, the second authority takes over, and once
// the cause is gone the file is raised.
func TestTimestampFaults(t *testing.T) {
	t.Parallel()
	for name, fault := range tsatest.Faults() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newStampWorld(t)
			w.tsa.Fail(fault)
			alone := w.stamper(t, LevelLTA)
			if name == "silent" || name == "slow" {
				alone.authorities.timeout = 50 * time.Millisecond
			}
			sealed, err := Sign(contractPDF("", ""), w.id, SignOptions{At: signedAt, Stamp: alone.Stamp(t.Context())})
			if err != nil {
				t.Fatal(err)
			}
			if rep := w.verify(t, sealed); !rep.Valid || rep.Signatures[0].Level != LevelB || w.tsa.Asked() != 1 {
				t.Fatalf("asked %d times: %s", w.tsa.Asked(), rep.Text())
			}
			if gap := gapOf(t, sealed); gap.gapEnd-gap.gapStart > 2*(tokenRoom+4096) {
				t.Error("the room for the timestamp was kept")
			}
			if alone.Ready() {
				t.Error("an authority that has just failed is ready")
			}
			if st, err := alone.Upgrade(t.Context(), sealed, w.trust()); err == nil || string(st.PDF) != string(sealed) || st.Level != LevelB {
				t.Errorf("upgraded to %s, %v", st.Level, err)
			}
			second := tsatest.NewTSA(t, w.ca, "Second", nil)
			both := w.stamper(t, LevelT, w.tsa.URL, second.URL)
			if name == "silent" || name == "slow" {
				both.authorities.timeout, alone.authorities.timeout = 3*time.Second, time.Minute // the second has to answer in it, after the first did not
			}
			if st := w.upgrade(t, both, sealed); st.Level != LevelT || st.By != "Second" {
				t.Errorf("%s by %s", st.Level, st.By)
			}
			w.tsa.Fail(nil)
			if st := w.upgrade(t, alone, sealed); st.Level != LevelLTA || !alone.Ready() {
				t.Errorf("after all %s", st.Level)
			}
		})
	}
}

// TestTimestampCertificates: a timestamp is believed from a certificate that is for nothing else, is valid, and leads to the
// roots, when there are any.
func TestTimestampCertificates(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	stranger := tsatest.NewCA(t, w.clock)
	usage := func(change func(*x509.Certificate)) *tsatest.TSA { return tsatest.NewTSA(t, w.ca, "Odd", change) }
	for name, c := range map[string]struct {
		tsa  *tsatest.TSA
		says string
	}{
		"expired":      {usage(func(c *x509.Certificate) { c.NotAfter = signedAt.Add(-time.Hour) }), ""},
		"not yet":      {usage(func(c *x509.Certificate) { c.NotBefore = signedAt.Add(time.Hour) }), ""},
		"not critical": {usage(func(c *x509.Certificate) { c.ExtraExtensions[0].Critical = false }), "timestamps alone"},
		"for all": {usage(func(c *x509.Certificate) {
			c.ExtraExtensions, c.ExtKeyUsage = nil, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageServerAuth}
		}), "timestamps alone"},
		"for documents": {usage(func(c *x509.Certificate) { c.ExtraExtensions = nil }), "not one for timestamps"},
		"a stranger":    {tsatest.NewTSA(t, stranger, "Stranger", nil), "none of the given roots"},
	} {
		s, err := NewStamper(StamperConfig{
			URLs: []string{c.tsa.URL}, Level: LevelT, Roots: []*x509.Certificate{w.ca.Cert},
			Ask: http.DefaultTransport.RoundTrip, Fetch: http.DefaultTransport.RoundTrip, Clock: w.clock,
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.authorities.token(t.Context(), crypto.SHA256, make([]byte, 32))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestUpgradeWithoutRevocation: while nothing can be learned of revocation the file stays at B-T, and goes on from there.
func TestUpgradeWithoutRevocation(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	s := w.stamper(t, LevelLTA)
	sealed := mustSign(t, contractPDF("", ""), w.id)
	w.ca.Down(true)
	st, err := s.Upgrade(t.Context(), sealed, w.trust())
	if err == nil || st.Level != LevelT || !w.verify(t, st.PDF).Valid {
		t.Fatalf("%s, %v", st.Level, err)
	}
	asked := w.tsa.Asked()
	w.ca.Down(false)
	if st = w.upgrade(t, s, st.PDF); w.tsa.Asked() != asked+1 {
		t.Errorf("asked %d times more", w.tsa.Asked()-asked)
	}
	w.checkLTA(t, st, 2)
	other := w.upgrade(t, s, mustSign(t, formPDF(true), w.id))
	w.checkLTA(t, other, 2)
	if n := w.ca.Asked("/crl"); n > 2 { // once when it was down
		t.Errorf("the list was fetched %d times", n)
	}
	w.ca.Revoke(w.id.Chain[0])
	w.advance(2 * time.Hour)
	late := w.upgrade(t, w.stamper(t, LevelT), mustSign(t, formPDF(true), w.id))
	if st, err = s.Upgrade(t.Context(), late.PDF, w.trust()); !errors.Is(err, errRevoked) || st.Level != LevelT {
		t.Errorf("with a revoked certificate: %s, %v", st.Level, err)
	}
}

// TestRenew goes on for decades: a timestamp after the other, each before the one before it runs out.
func TestRenew(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	st := w.upgrade(t, w.stamper(t, LevelLTA), mustSign(t, formPDF(false), w.id))
	for range 5 {
		w.advance(st.Renew.Sub(w.clock()))
		w.tsa = tsatest.NewTSA(t, w.ca, "Timely", nil)
		var err error
		if st, err = w.stamper(t, LevelLTA).Upgrade(t.Context(), st.PDF, w.trust()); err != nil {
			t.Fatal(err)
		}
	}
	rep := w.verify(t, st.PDF)
	if !rep.Valid || len(rep.Signatures) != 8 || rep.Signatures[0].Level != LevelLTA {
		t.Error(rep.Text())
	}
}

// TestUpgradeRefusesWhatIsNotValid: nobody's change is made to look old.
func TestUpgradeRefusesWhatIsNotValid(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	s := w.stamper(t, LevelLTA)
	sealed := mustSign(t, formPDF(false), w.id)
	for name, pdf := range map[string][]byte{
		"unsealed": contractPDF("", ""), "changed": revise(t, sealed, map[uint32]string{7: valueField}), "cut": sealed[:len(sealed)-20],
	} {
		if st, err := s.Upgrade(t.Context(), pdf, w.trust()); err == nil || string(st.PDF) != string(pdf) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.tsa.Asked() != 0 {
		t.Error("the authority was asked")
	}
}

// TestLevelsAreTrue: validation data of others, or of another time, does not raise a level.
func TestLevelsAreTrue(t *testing.T) {
	t.Parallel()
	w := newStampWorld(t)
	s := w.stamper(t, LevelT)
	bt := w.upgrade(t, s, mustSign(t, contractPDF("", ""), w.id)).PDF
	f, err := openPDF(bt)
	if err != nil {
		t.Fatal(err)
	}
	other := w.issue(t, tsatest.Services{OCSP: true})
	ev, err := s.gatherer.about(t.Context(), other.Chain[0], other.Chain, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	forOther, err := addEvidence(f, []signatureEvidence{{[]byte("x"), ev}}, signedAt)
	if err != nil {
		t.Fatal(err)
	}
	if f, err = openPDF(forOther); err != nil {
		t.Fatal(err)
	}
	pdf, err := s.stampFile(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if rep := w.verify(t, pdf); !rep.Valid || rep.Signatures[0].Level != LevelT {
		t.Error(rep.Text())
	}
}

// TestStamperConfig refuses what can't work, and never repeats a password.
func TestStamperConfig(t *testing.T) {
	t.Parallel()
	good := StamperConfig{
		URLs: []string{"https://me:hush@tsa.example.com/tsr"}, Level: LevelT,
		Ask: http.DefaultTransport.RoundTrip, Fetch: http.DefaultTransport.RoundTrip, Clock: time.Now,
	}
	for name, change := range map[string]func(*StamperConfig){
		"no URL": func(c *StamperConfig) { c.URLs = nil }, "ftp": func(c *StamperConfig) { c.URLs = []string{"ftp://me:hush@x"} },
		"broken": func(c *StamperConfig) { c.URLs = []string{"http://me:hush@x:y z"} }, "no level": func(c *StamperConfig) { c.Level = "" },
		"B-B": func(c *StamperConfig) { c.Level = LevelB }, "no clock": func(c *StamperConfig) { c.Clock = nil },
	} {
		c := good
		change(&c)
		if _, err := NewStamper(c); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
	w := newStampWorld(t)
	s := w.stamper(t, LevelT, strings.Replace(w.tsa.URL, "http://", "http://me:hush@", 1))
	if _, err := s.authorities.token(t.Context(), crypto.SHA256, make([]byte, 32)); err != nil || w.tsa.Auth() != "Basic bWU6aHVzaA==" {
		t.Errorf("sent %q, %v", w.tsa.Auth(), err)
	}
	w.tsa.Fail(tsatest.Faults()["down"])
	if _, err := s.authorities.token(t.Context(), crypto.SHA256, make([]byte, 32)); err == nil || strings.Contains(err.Error(), "hush") {
		t.Errorf("%v", err)
	}
}

// FuzzTimestampReply: no answer of an authority breaks us, and none but a right one is taken.
func FuzzTimestampReply(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte("<html>"))
	if der, err := asn1.Marshal(cmsContentInfo{Type: oidSignedData}); err == nil {
		f.Add(der)
	}
	as := authorities{clock: func() time.Time { return signedAt }, trust: func(*cmsMessage, time.Time) error { return nil }}
	f.Fuzz(func(t *testing.T, reply []byte) {
		if _, err := as.judge(reply, crypto.SHA256, make([]byte, 32), nil); err == nil {
			t.Error("believed")
		}
	})
}
