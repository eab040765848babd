package seal

import (
	"cmp"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// StamperConfig says who proves when a seal was made. URLs, Level, Ask, Fetch and Clock are needed.
type StamperConfig struct {
	URLs  []string // of timestamp authorities (RFC 3161), asked in this order; a user and password may be in them
	Level string   // LevelT, LevelLT or LevelLTA
	// Roots are whom a timestamp has to lead to, and certificates on the way there; none lets any authority be believed
	// that answers at one of the URLs.
	Roots []*x509.Certificate
	Ask   Doer // sends requests to authorities
	Fetch Doer // fetches revocation data and certificates from the addresses that certificates name
	Clock func() time.Time
	// Timeout is for one request; 0 means 10 s.
	Timeout time.Duration
	// Observe hears how each request to an authority went. It may be nil.
	Observe func(authority string, err error)
}

// Stamper raises sealed files to higher PAdES levels. It is safe for concurrent use and keeps nothing but answers that
// are still good.
type Stamper struct {
	authorities authorities
	gatherer    gatherer
	level       string
	roots       *x509.CertPool
	earlier     time.Duration // for fetching all that belongs to what was signed before the seal
}

// earlierBudget bounds what the addresses in an upload's signatures can cost: there may be thousands of them, and none need
// ever answer.
const earlierBudget = time.Minute

// NewStamper refuses a config with an address or a level that can't be used. An error never holds a password.
func NewStamper(cfg StamperConfig) (*Stamper, error) {
	if len(cfg.URLs) == 0 || cfg.Ask == nil || cfg.Fetch == nil || cfg.Clock == nil {
		return nil, errors.New("seal: the config of timestamps is incomplete")
	}
	if r := levelRank(cfg.Level); r < levelRank(LevelT) {
		return nil, fmt.Errorf("the level of timestamped seals is %s, %s or %s, not %q", LevelT, LevelLT, LevelLTA, cfg.Level)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = tokenTimeout
	}
	s := &Stamper{level: cfg.Level, roots: poolOf(cfg.Roots), earlier: earlierBudget}
	s.gatherer = gatherer{fetch: cfg.Fetch, clock: cfg.Clock, timeout: min(cfg.Timeout, fetchTimeout), roots: cfg.Roots}
	s.authorities = authorities{ask: cfg.Ask, clock: cfg.Clock, timeout: cfg.Timeout, trust: s.believes, observe: cfg.Observe}
	for _, raw := range cfg.URLs {
		a, err := parseAuthority(raw)
		if err != nil {
			return nil, err
		}
		s.authorities.all = append(s.authorities.all, a)
	}
	return s, nil
}

func poolOf(certs []*x509.Certificate) *x509.CertPool {
	if len(certs) == 0 {
		return nil
	}
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool
}

// ReadCertificates reads certificates in PEM or DER, such as StamperConfig.Roots.
func ReadCertificates(data []byte) ([]*x509.Certificate, error) {
	certs := parseCerts(data)
	if len(certs) == 0 {
		return nil, errors.New("no certificate is in it: it should be PEM or DER")
	}
	return certs, nil
}

// Level is the level that Upgrade aims at.
func (s *Stamper) Level() string { return s.level }

// Roots are those of timestamps, for VerifyOptions; nil when none were given.
func (s *Stamper) Roots() *x509.CertPool { return s.roots }

// believes refuses tokens that don't lead to the roots, if there are any.
func (s *Stamper) believes(m *cmsMessage, at time.Time) error {
	if s.roots == nil {
		return nil
	}
	if err := leadsTo(s.roots, m, at, x509.ExtKeyUsageTimeStamping); err != nil {
		return fmt.Errorf("its certificate leads to none of the given roots: %w", err)
	}
	return nil
}

func leadsTo(roots *x509.CertPool, m *cmsMessage, at time.Time, usage x509.ExtKeyUsage) error {
	between := x509.NewCertPool()
	for _, c := range m.certs {
		between.AddCert(c)
	}
	_, err := m.signer.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{usage}})
	return err
}

// Ready tells whether an authority is there that has not failed within the last minute.
func (s *Stamper) Ready() bool { return s.authorities.rested() }

// Stamp is SignOptions.Stamp: timestamps within the signature, for as long as ctx lives.
func (s *Stamper) Stamp(ctx context.Context) func(hash crypto.Hash, digest []byte) ([]byte, error) {
	return func(hash crypto.Hash, digest []byte) ([]byte, error) { return s.authorities.token(ctx, hash, digest) }
}

// Stamped is a file and the level of its seal.
type Stamped struct {
	PDF   []byte
	Level string
	By    string    // the authority of the newest timestamp
	At    time.Time // which says this
	// Renew is when the file wants a further timestamp, before the certificate of the newest one ends; zero when the aim is
	// below LevelLTA.
	Renew time.Time
}

// Upgrade brings a sealed file as near to the stamper's level as it goes, by further revisions:
//
//  1. A document timestamp, when nothing proves the time of the seal.
//  2. The certificates and revocation data of seal and timestamp, and a document timestamp over them. The two come
//     together, because a file has to end with a signature or timestamp to be valid (decision 15).
//  3. The same again when Stamped.Renew has come, so that the newest timestamp can be judged when its certificate has run out.
//
// With an error, what was reached is returned all the same, so that it can be kept and gone on from; a file that is at its
// level already comes back as it is. Everything returned was found valid by Verify, with trust. A file that is not valid is refused.
func (s *Stamper) Upgrade(ctx context.Context, pdf []byte, trust VerifyOptions) (Stamped, error) {
	st, err := s.look(pdf, trust)
	if err != nil {
		return st.Stamped, err
	}
	if levelRank(st.Level) < levelRank(LevelT) {
		if st, err = s.step(ctx, st, trust, s.stamp); err != nil {
			return st.Stamped, err
		}
	}
	if s.level != LevelT && levelRank(st.Level) < levelRank(LevelLTA) {
		st, err = s.step(ctx, st, trust, s.extend)
	} else if !st.Renew.IsZero() && !st.Renew.After(s.gatherer.clock()) {
		st, err = s.step(ctx, st, trust, s.extend)
	}
	return st.Stamped, err
}

// Look tells the level of a sealed file. A file that is not valid is an error.
func (s *Stamper) Look(pdf []byte, trust VerifyOptions) (string, error) {
	st, err := s.look(pdf, trust)
	return st.Level, err
}

// state is a sealed file, taken apart.
type state struct {
	Stamped
	v    *verification
	seal *signatureCheck
	data validationData
}

func (s *Stamper) look(pdf []byte, trust VerifyOptions) (*state, error) {
	st := &state{Stamped: Stamped{PDF: pdf}}
	st.v = &verification{opt: trust, rep: &Report{}}
	st.v.run(pdf)
	if st.v.over() {
		return st, fmt.Errorf("seal: look at a sealed file: %w", st.v.stopped)
	}
	if !st.v.rep.Valid {
		return st, fmt.Errorf("seal: it is not to be timestamped: %s", st.v.rep.Reason)
	}
	var newest *signatureCheck
	for _, c := range st.v.checks {
		if !c.timestamp {
			st.seal = c
		} else {
			newest = c
		}
	}
	if st.seal == nil {
		return st, errors.New("seal: there are timestamps in it and no seal")
	}
	st.Level, st.data = st.seal.rep.Level, st.v.file.validationData()
	if newest != nil {
		st.By, st.At = newest.rep.Signer, newest.signedAt
		if s.level == LevelLTA && st.Level == LevelLTA {
			st.Renew = renewal(newest.cms.signer, newest.signedAt)
		}
	} else if t := st.seal.stamp; t != nil {
		st.By, st.At = t.cms.signer.Subject.CommonName, t.at
	}
	return st, nil
}

// renewal is 90 days before the certificate of a timestamp ends, or half the way there when that is later; within 5 years in
// any case, for algorithms age too.
func renewal(c *x509.Certificate, at time.Time) time.Time {
	left := c.NotAfter.Sub(at)
	return at.Add(min(max(left-90*24*time.Hour, left/2), 5*365*24*time.Hour))
}

// step takes one step and looks at what came of it; if that is no good, the file stays as it was.
func (s *Stamper) step(ctx context.Context, st *state, trust VerifyOptions, do func(context.Context, *state) ([]byte, error)) (*state, error) {
	pdf, err := do(ctx, st)
	if err != nil {
		return st, err
	}
	next, err := s.look(pdf, trust)
	if err != nil {
		return st, err
	}
	if levelRank(next.Level) < levelRank(st.Level) || next.Level == st.Level && st.Level != LevelLTA {
		return st, fmt.Errorf("seal: with what was added it is still at level %s", next.Level)
	}
	return next, nil
}

// stamp appends a document timestamp.
func (s *Stamper) stamp(ctx context.Context, st *state) ([]byte, error) {
	return s.stampFile(ctx, st.v.file)
}

func (s *Stamper) stampFile(ctx context.Context, f *pdfFile) ([]byte, error) {
	sg, err := newSigning(f, Identity{}, SignOptions{})
	if err != nil {
		return nil, err
	}
	fields, err := f.signatureFields()
	if err != nil {
		return nil, err
	}
	sg.lock, sg.kind, sg.format, sg.room = false, "DocTimeStamp", "ETSI.RFC3161", tokenRoom
	sg.fieldName = f.freeFieldName("Timestamp", fields)
	sg.make = s.Stamp(ctx)
	return sg.run()
}

// extend appends validation data for every signature and timestamp, and a document timestamp. What others signed before the
// seal is helped where it can be, within a time that all of it shares; the seal does not wait for that.
func (s *Stamper) extend(ctx context.Context, st *state) ([]byte, error) {
	own := slices.Index(st.v.checks, st.seal)
	ours, err := s.evidenceOf(ctx, st, own, len(st.v.checks))
	if err != nil {
		return nil, err
	}
	short, cancel := context.WithTimeout(ctx, s.earlier)
	defer cancel()
	all, _ := s.evidenceOf(short, st, 0, own) // the error is an earlier signature's
	all = append(all, ours...)
	pdf, err := addEvidence(st.v.file, all, s.gatherer.clock())
	if err != nil {
		return nil, err
	}
	f, err := openPDF(pdf)
	if err != nil {
		return nil, err
	}
	return s.stampFile(ctx, f)
}

// evidenceOf gathers for the signatures and timestamps from one place to another, until ctx is over; what was found comes with
// the first error.
func (s *Stamper) evidenceOf(ctx context.Context, st *state, from, to int) (all []signatureEvidence, first error) {
	for i := from; i < to && ctx.Err() == nil; i++ {
		c := st.v.checks[i]
		if c.cms == nil {
			continue
		}
		at := c.signedAt
		if !c.timestamp {
			_, at, _ = c.proof(st.v.checks[i+1:])
		}
		ev, err := s.evidenceFor(ctx, st, c, at)
		first = cmp.Or(first, err)
		if c.rep.Intact && len(ev.certs) > 0 {
			all = append(all, signatureEvidence{c.cms.whole, ev})
		}
	}
	return all, cmp.Or(first, ctx.Err())
}

// evidenceFor gathers what one signature takes, and its timestamp, which are from a time; nothing when the file has it.
func (s *Stamper) evidenceFor(ctx context.Context, st *state, c *signatureCheck, at time.Time) (evidence, error) {
	var ev evidence
	for _, m := range c.messages() {
		if st.data.covers(m, at) {
			continue
		}
		pool := append(append([]*x509.Certificate{}, m.certs...), st.data.certs...)
		more, err := s.gatherer.about(ctx, m.signer, pool, at)
		ev.add(more)
		if err != nil {
			return ev, err
		}
	}
	return ev, nil
}
