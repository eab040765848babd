package desk_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/pgtest"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
)

// foreign is somebody else's certificate with its key, in PEM.
func foreign(t *testing.T, name string, from, until time.Time) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ok(t, err)
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	ok(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	ok(t, err)
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})...)
}

// finished is an envelope on which everybody has acted.
func finished(t *testing.T, w *desktest.World, p desktest.Person) paraph.Envelope {
	t.Helper()
	return signs(t, w, signs(t, w, contract(t, w, p), 0), 1)
}

// sealedPDF works what is due and answers the envelope's first sealed file; nil when
// it is not sealed.
func sealedPDF(t *testing.T, w *desktest.World, p desktest.Person, id int64) []byte {
	t.Helper()
	w.RunDue(t)
	e, err := w.Store.Envelope(t.Context(), p.Who.AccountID, id)
	ok(t, err)
	if e.SealedAt.IsZero() {
		return nil
	}
	pdf, err := w.Blobs.Get(t.Context(), e.Documents[0].Sealed)
	ok(t, err)
	return pdf
}

// sealedBy checks that a file is valid, by whom it is sealed, and that it is
// trusted as this instance's.
func sealedBy(t *testing.T, d *desk.Desk, pdf []byte, name string) {
	t.Helper()
	rep, err := d.Verify(t.Context(), pdf)
	ok(t, err)
	s := rep.Signatures[len(rep.Signatures)-1]
	if !rep.Valid || s.TrustedBy != seal.TrustInstance || s.Signer != name {
		t.Errorf("valid %v, by %q and not %q, trusted by %q: %s", rep.Valid, s.Signer, name, s.TrustedBy, rep.Reason)
	}
}

// TestTheCertificateIsChanged: the new one seals from then on, what was sealed
// before is trusted still, and there is a way back.
func TestTheCertificateIsChanged(t *testing.T) {
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Own: true}, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Olive Owner")
		ctx, now := t.Context(), w.Clock.Now()
		first := sealedPDF(t, w, p, finished(t, w, p).ID)
		sealedBy(t, w.Desk, first, "Paraph test")
		one, err := w.Desk.Certificates(ctx, p.Who)
		if err != nil || len(one.All) != 1 || one.Used.ID != one.All[0].ID || one.Trouble != "" || len(one.Warnings) != 0 {
			t.Fatalf("at first: %+v, %v", one, err)
		}
		made, err := w.Desk.GenerateCertificate(ctx, p.Who, "Renamed Ltd", false)
		ok(t, err)
		if made.Anchor != one.Used.Anchor {
			t.Error("it is not under the instance's authority")
		}
		second := sealedPDF(t, w, p, finished(t, w, p).ID)
		sealedBy(t, w.Desk, second, "Renamed Ltd")
		other, err := w.Desk.GenerateCertificate(ctx, p.Who, "Renamed Ltd", true)
		ok(t, err)
		if other.Anchor == one.Used.Anchor {
			t.Error("it is not under an authority of its own")
		}
		file := foreign(t, "Notary", now.Add(-time.Hour), now.Add(1000*time.Hour))
		up, err := w.Desk.UploadCertificate(ctx, p.Who, file, "")
		ok(t, err)
		third := sealedPDF(t, w, p, finished(t, w, p).ID)
		sealedBy(t, w.Desk, third, "Notary")
		if _, err := w.Desk.UploadCertificate(ctx, p.Who, file, ""); paraph.KindOf(err) != paraph.Invalid {
			t.Errorf("once more: %v", err)
		}
		back, err := w.Desk.UseCertificate(ctx, p.Who, one.Used.ID)
		if err != nil || back.ID != one.Used.ID {
			t.Errorf("back: %+v, %v", back, err)
		}
		sealedBy(t, w.Desk, sealedPDF(t, w, p, finished(t, w, p).ID), "Paraph test")
		sealedBy(t, w.Desk, first, "Paraph test")
		sealedBy(t, w.Desk, second, "Renamed Ltd")
		sealedBy(t, w.Desk, third, "Notary")
		w.Clock.Advance(1001 * time.Hour)
		if _, err := w.Desk.UseCertificate(ctx, p.Who, up.ID); paraph.KindOf(err) != paraph.Conflict || !strings.Contains(err.Error(), "expired") {
			t.Errorf("one that has ended: %v", err)
		}
		sealedBy(t, w.Desk, third, "Notary")
	})
}

// TestOnlyTheOwnerChangesTheCertificate: neither a stranger nor the admin of a
// team, and nobody when the operator gives it.
func TestOnlyTheOwnerChangesTheCertificate(t *testing.T) {
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Own: true}, func(t *testing.T, w *desktest.World) {
		owner, admin, member := w.Person(t, "Olive Owner"), w.Person(t, "Adam Admin"), w.Person(t, "Mia Member")
		asAdmin, asMember := w.Team(t, admin, member)
		all, err := w.Desk.Certificates(t.Context(), owner.Who)
		ok(t, err)
		for _, p := range []desktest.Person{admin, asAdmin, asMember} {
			for name, err := range tryAll(t.Context(), t, w.Desk, p.Who, all.Used.ID) {
				if paraph.KindOf(err) != paraph.Forbidden {
					t.Errorf("%s %s: %v", p.User.Name, name, err)
				}
			}
		}
		if after, err := w.Desk.Certificates(t.Context(), owner.Who); err != nil || len(after.All) != 1 {
			t.Errorf("after that: %+v, %v", after, err)
		}
	})
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		owner := w.Person(t, "Olive Owner")
		ok(t, w.Desk.PrepareCertificate(t.Context(), nil))
		all, err := w.Desk.Certificates(t.Context(), owner.Who)
		if err != nil || all.Operator != "a test" || all.Used.Source != store.SealOperator || all.Used.HasKeys {
			t.Fatalf("the operator's: %+v, %v", all, err)
		}
		errs := tryAll(t.Context(), t, w.Desk, owner.Who, all.Used.ID)
		for _, name := range []string{"upload", "generate", "use"} {
			if paraph.KindOf(errs[name]) != paraph.Conflict || !strings.Contains(errs[name].Error(), "a test") {
				t.Errorf("%s: %v", name, errs[name])
			}
		}
	})
}

func tryAll(ctx context.Context, t *testing.T, d *desk.Desk, who desk.Who, id int64) map[string]error {
	t.Helper()
	now := time.Date(2026, 9, 14, 0, 0, 0, 0, time.UTC)
	_, look := d.Certificates(ctx, who)
	_, one := d.Certificate(ctx, who, id)
	_, upload := d.UploadCertificate(ctx, who, foreign(t, "Notary", now, now.AddDate(1, 0, 0)), "")
	_, generate := d.GenerateCertificate(ctx, who, "Mine", false)
	_, use := d.UseCertificate(ctx, who, id)
	return map[string]error{"look": look, "one": one, "upload": upload, "generate": generate, "use": use}
}

// TestWhatIsWrongWithAnUpload stands beside what can mend it.
func TestWhatIsWrongWithAnUpload(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{Own: true})
	p, now := w.Person(t, "Olive Owner"), w.Clock.Now()
	for name, c := range map[string]struct {
		file        []byte
		field, want string
	}{
		"nothing":   {nil, "file", "The file is empty."},
		"nonsense":  {[]byte("hello"), "file", "not a PKCS#12 file"},
		"ended":     {foreign(t, "Old", now.Add(-48*time.Hour), now.Add(-24*time.Hour)), "file", "The certificate of \"Old\" expired on 2026-09-13."},
		"to come":   {foreign(t, "New", now.Add(24*time.Hour), now.Add(48*time.Hour)), "file", "not valid before 2026-09-15"},
		"too large": {make([]byte, seal.MaxIdentityFile+1), "file", "at most 1024"},
	} {
		_, err := w.Desk.UploadCertificate(t.Context(), p.Who, c.file, "")
		e, is := err.(*paraph.Error)
		if !is || e.Field != c.field || !strings.Contains(e.Message, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"", strings.Repeat("x", 65)} {
		if _, err := w.Desk.GenerateCertificate(t.Context(), p.Who, name, false); paraph.KindOf(err) != paraph.Invalid {
			t.Errorf("a certificate called %q: %v", name, err)
		}
	}
}

// nodes are several on one database.
func nodes(t *testing.T, n int, o desktest.Options) []*desktest.World {
	t.Helper()
	o.Database = pgtest.New(t)
	all := make([]*desktest.World, n)
	for i := range all {
		all[i] = desktest.New(t, o)
	}
	return all
}

// TestNodesShareACertificate: those that start together agree on one, and a
// change at one is one at all.
func TestNodesShareACertificate(t *testing.T) {
	t.Parallel()
	identity, err := seal.NewIdentity("operator", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	ok(t, err)
	all := nodes(t, 4, desktest.Options{Identity: identity})
	owner := all[0].Person(t, "Olive Owner")
	for _, w := range all { // as if each was started without the operator's
		w.Desk.Identity = seal.Identity{}
	}
	var wg sync.WaitGroup
	for _, w := range all {
		wg.Go(func() {
			if err := w.Desk.PrepareCertificate(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	used := func() (names []string) {
		for _, w := range all {
			c, err := w.Desk.Certificates(t.Context(), owner.Who)
			ok(t, err)
			if len(c.All) != 1+len(names)/len(all) && c.Trouble != "" {
				t.Errorf("%d certificates, %s", len(c.All), c.Trouble)
			}
			names = append(names, c.Used.Fingerprint)
		}
		return names
	}
	first := used()
	if len(slices.Compact(slices.Clone(first))) != 1 {
		t.Fatalf("the nodes seal with %q", first)
	}
	made, err := all[2].Desk.GenerateCertificate(t.Context(), owner.Who, "Second", true)
	ok(t, err)
	if names := slices.Compact(used()); len(names) != 1 || names[0] != made.Fingerprint {
		t.Errorf("after the change the nodes seal with %q", names)
	}
	sealedBy(t, all[0].Desk, sealedPDF(t, all[3], owner, finished(t, all[3], owner).ID), "Second")
}

// TestSealingWaitsForACertificate: with one that has ended nothing is sealed,
// and everything as soon as there is another.
func TestSealingWaitsForACertificate(t *testing.T) {
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Own: true}, func(t *testing.T, w *desktest.World) {
		p, now := w.Person(t, "Olive Owner"), w.Clock.Now()
		before, err := w.Desk.Certificates(t.Context(), p.Who)
		ok(t, err)
		_, err = w.Desk.UploadCertificate(t.Context(), p.Who, foreign(t, "Short", now.Add(-time.Hour), now.Add(24*time.Hour)), "")
		ok(t, err)
		w.Clock.Advance(25 * time.Hour)
		e := finished(t, w, p)
		if pdf := sealedPDF(t, w, p, e.ID); pdf != nil {
			t.Fatal("it was sealed with a certificate that has ended")
		}
		jobs, err := w.Store.JobsOf(t.Context(), p.Who.AccountID, e.ID, "seal")
		if err != nil || len(jobs) != 1 || !strings.Contains(jobs[0].LastError, "waits for a valid certificate") {
			t.Errorf("the jobs are %+v, %v", jobs, err)
		}
		c, err := w.Desk.Certificates(t.Context(), p.Who)
		if err != nil || c.Waiting != 1 || !strings.Contains(c.Trouble, "expired on 2026-09-15") || w.Desk.SealingWaits(t.Context()) == "" {
			t.Errorf("meanwhile: %+v, %v", c, err)
		}
		w.Clock.Advance(20 * time.Minute)
		w.RunDue(t) // the pauses grow
		_, err = w.Desk.UseCertificate(t.Context(), p.Who, before.Used.ID)
		ok(t, err)
		pdf := sealedPDF(t, w, p, e.ID) // with the clock as it is
		if pdf == nil || w.Desk.SealingWaits(t.Context()) != "" {
			t.Fatal("it waits with a valid certificate")
		}
		sealedBy(t, w.Desk, pdf, "Paraph test")
	})
}

// TestTheOperatorsCertificateEnds: the server starts all the same, and seals when it
// is started with a valid one. What the old one sealed is trusted then.
func TestTheOperatorsCertificateEnds(t *testing.T) {
	t.Parallel()
	address := pgtest.New(t)
	start := func(at time.Time, name string, until time.Time) *desktest.World {
		t.Helper()
		id, err := seal.ReadIdentity(foreign(t, name, at.Add(-time.Hour), until), "")
		ok(t, err)
		w := desktest.New(t, desktest.Options{Database: address, Start: at, Identity: id})
		ok(t, w.Desk.PrepareCertificate(t.Context(), nil))
		return w
	}
	now := time.Date(2026, 9, 14, 10, 0, 0, 0, time.UTC)
	w := start(now, "First", now.Add(time.Hour))
	p := w.Person(t, "Olive Owner")
	first := sealedPDF(t, w, p, finished(t, w, p).ID)
	w.Clock.Advance(2 * time.Hour)
	e := finished(t, w, p)
	if sealedPDF(t, w, p, e.ID) != nil {
		t.Fatal("it was sealed with a certificate that has ended")
	}
	next := start(w.Clock.Now().Add(time.Second), "Second", now.AddDate(1, 0, 0))
	next.Blobs = w.Blobs
	next.Desk.Blobs = w.Blobs
	sealedBy(t, next.Desk, sealedPDF(t, next, p, e.ID), "Second")
	sealedBy(t, next.Desk, first, "First")
	own := desktest.New(t, desktest.Options{Database: address, Start: next.Clock.Now().Add(time.Second), Own: true})
	sealedBy(t, own.Desk, first, "First")
	c, err := own.Desk.Certificates(t.Context(), p.Who)
	if err != nil || len(c.All) != 3 || c.Used.Source != store.SealGenerated || slices.ContainsFunc(c.All[1:], func(c store.SealCertificate) bool { return c.UsedUntil.IsZero() }) {
		t.Errorf("without an operator's: %+v, %v", c, err)
	}
	if _, err := own.Desk.UseCertificate(t.Context(), p.Who, c.All[1].ID); paraph.KindOf(err) != paraph.Conflict {
		t.Errorf("one whose key is not here: %v", err)
	}
}

// TestOwnersAreToldOfTheEnd once each at 60, 30, 7 and 1 days and at the end, by
// one of several nodes.
func TestOwnersAreToldOfTheEnd(t *testing.T) {
	t.Parallel()
	all := nodes(t, 2, desktest.Options{Own: true})
	w, p := all[0], all[0].Person(t, "Olive Owner")
	w.Person(t, "Stan Stranger")
	now := w.Clock.Now()
	_, err := w.Desk.UploadCertificate(t.Context(), p.Who, foreign(t, "Notary", now.Add(-time.Hour), now.Add(70*24*time.Hour)), "")
	ok(t, err)
	var seen, seenThere int64
	told := []string{}
	for day := range 73 {
		for _, n := range all {
			ok(t, n.Desk.PrepareSweep(t.Context()))
			n.RunDue(t)
		}
		for _, m := range append(mails(w, &seen), mails(all[1], &seenThere)...) {
			told = append(told, strings.Replace(m, p.User.Email+": The certificate that seals ", strings.Repeat(" ", 0), 1)+" at "+time.Duration(day*24*int(time.Hour)).String())
		}
		for _, n := range all {
			n.Clock.Advance(24 * time.Hour)
		}
	}
	want := []string{"ends in 60 days at 240h0m0s", "ends in 30 days at 960h0m0s", "ends in 7 days at 1512h0m0s", "ends tomorrow at 1656h0m0s", "has ended at 1704h0m0s"}
	if len(told) != len(want) {
		t.Fatalf("told: %q", told)
	}
	for i := range want {
		if told[i] != want[i] && !(i == 4 && strings.HasPrefix(told[i], "has ended at ")) {
			t.Errorf("mail %d is %q and not %q", i, told[i], want[i])
		}
	}
}

// TestACertificateIsRenewed: one that was made here gets its successor under the
// same authority, and nobody is bothered.
func TestACertificateIsRenewed(t *testing.T) {
	t.Parallel()
	desktest.EachWith(t, desktest.Options{Own: true}, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Olive Owner")
		first, err := w.Desk.Certificates(t.Context(), p.Who)
		ok(t, err)
		pdf := sealedPDF(t, w, p, finished(t, w, p).ID)
		var seen int64
		mails(w, &seen)
		w.Clock.Advance(first.Used.NotAfter.Sub(w.Clock.Now()) - 59*24*time.Hour)
		ok(t, w.Desk.PrepareSweep(t.Context()))
		w.RunDue(t)
		c, err := w.Desk.Certificates(t.Context(), p.Who)
		if err != nil || len(c.All) != 2 || c.Used.ID == first.Used.ID || c.Used.Anchor != first.Used.Anchor || c.Used.Subject != "Paraph test" || c.Used.CreatedBy != 0 {
			t.Errorf("renewed: %+v, %v", c, err)
		}
		if text, _, err := w.Desk.ExpiryNotice(t.Context()); text != "" || err != nil {
			t.Errorf("a notice: %q, %v", text, err)
		}
		if got := mails(w, &seen); len(got) != 0 {
			t.Errorf("mails: %q", got)
		}
		sealedBy(t, w.Desk, pdf, "Paraph test")
	})
}

// TestAnEarlierVersionsKeyIsTaken from the data folder, once.
func TestAnEarlierVersionsKeyIsTaken(t *testing.T) {
	t.Parallel()
	found, err := seal.NewIdentity("From before", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	ok(t, err)
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Olive Owner")
		w.Desk.Identity = seal.Identity{}
		for range 2 {
			ok(t, w.Desk.PrepareCertificate(t.Context(), &found))
		}
		sealedBy(t, w.Desk, sealedPDF(t, w, p, finished(t, w, p).ID), "From before")
		_, err := w.Desk.GenerateCertificate(t.Context(), p.Who, "New", false)
		ok(t, err)
		ok(t, w.Desk.PrepareCertificate(t.Context(), &found))
		if c, err := w.Desk.Certificates(t.Context(), p.Who); err != nil || len(c.All) != 2 || c.Used.Subject != "New" || c.Used.Anchor != c.All[1].Anchor {
			t.Errorf("after a restart: %+v, %v", c, err)
		}
	})
}
