package desk_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
)

// ownSignatures sets whether recipients sign each for themselves.
func ownSignatures(t *testing.T, w *desktest.World, p desktest.Person, on bool, audit paraph.AuditPlace) {
	t.Helper()
	set := paraph.DefaultPreferences()
	set.OwnSignatures, set.Audit = on, audit
	ok(t, w.Desk.SetPreferences(t.Context(), p.Who, set))
}

// deed sends two documents to three people at once.
func deed(t *testing.T, w *desktest.World, p desktest.Person, change ...func(*desk.Order)) paraph.Envelope {
	t.Helper()
	order := desk.Order{Name: "Deed", Source: paraph.FromAPI, Recipients: []paraph.Recipient{
		{ID: -1, Kind: paraph.Signer, Name: "Ann Lee", Email: "ann@example.com", Order: 1},
		{ID: -2, Kind: paraph.Approver, Name: "Bjørn Ł", Email: "bjorn@example.com", Order: 1},
		{ID: -3, Kind: paraph.Viewer, Name: "Vic", Email: "vic@example.com", Order: 1},
	}}
	for i, name := range []string{"deed.pdf", "map.pdf"} {
		doc, err := w.Desk.Prepare(t.Context(), name, desktest.PDF(2))
		ok(t, err)
		order.Documents = append(order.Documents, doc)
		at := func(y float64) []paraph.Area {
			return []paraph.Area{{DocumentID: -int64(i) - 1, Page: 1, X: 0.1, Y: y, W: 0.4, H: 0.06}}
		}
		order.Fields = append(order.Fields,
			paraph.Field{RecipientID: -1, Type: paraph.TextField, Name: "Town", Required: true, Areas: at(0.4)},
			paraph.Field{RecipientID: -1, Type: paraph.CheckboxField, Name: "Agreed", Areas: at(0.5)},
			paraph.Field{RecipientID: -1, Type: paraph.SignatureField, Name: "Signature", Required: true, Areas: at(0.6)},
			paraph.Field{RecipientID: -2, Type: paraph.TextField, Name: "Remark", Areas: at(0.8)})
	}
	for _, f := range change {
		f(&order)
	}
	e, err := w.Desk.CreateAndSend(t.Context(), p.Who, order)
	ok(t, err)
	return e
}

// finishes enters values of every kind and finishes.
func finishes(t *testing.T, w *desktest.World, e paraph.Envelope, i int) paraph.Envelope {
	t.Helper()
	r, from := e.Recipients[i], paraph.Actor{IP: "203.0.113.7", UserAgent: "test"}
	for _, f := range e.FieldsOf(r.ID) {
		in := desk.Input{Text: "Århus of " + r.Name}
		switch f.Type {
		case paraph.SignatureField:
			in = desk.Input{Method: "type", Text: r.Name}
		case paraph.CheckboxField:
			in.Text = "true"
		}
		_, err := w.Desk.Enter(t.Context(), r.Token, f.ID, in, from)
		ok(t, err)
	}
	e, err := w.Desk.Finish(t.Context(), r.Token, from)
	ok(t, err)
	return e
}

// current is a document as one who downloads it now gets it, and what
// verification says.
func current(t *testing.T, w *desktest.World, p desktest.Person, id int64, doc int) ([]byte, seal.Report) {
	t.Helper()
	e, err := w.Store.Envelope(t.Context(), p.Who.AccountID, id)
	ok(t, err)
	file, err := w.Desk.CurrentFile(t.Context(), &e, e.Documents[doc])
	ok(t, err)
	pdf, err := io.ReadAll(file)
	ok(t, err)
	ok(t, file.Close())
	rep, err := w.Desk.Verify(t.Context(), pdf)
	ok(t, err)
	return pdf, rep
}

func signers(rep seal.Report) string {
	var names []string
	for _, s := range rep.Signatures {
		names = append(names, s.Signer)
	}
	return strings.Join(names, ", ")
}

// TestOwnSignatures: everybody's part is signed as they finish, the seal comes
// last, and what was set when the envelope was sent holds.
func TestOwnSignatures(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		ownSignatures(t, w, p, true, paraph.AuditAppended)
		e := deed(t, w, p)
		ownSignatures(t, w, p, false, paraph.AuditAppended)
		if pdf, _ := current(t, w, p, e.ID, 0); bytes.Contains(pdf, []byte("/ByteRange")) {
			t.Error("it is signed before anybody has finished")
		}
		var at []time.Time
		for i, want := range []string{"Bjørn Ł", "Bjørn Ł, Ann Lee"} {
			w.Clock.Advance(time.Hour)
			at = append(at, w.Clock.Now().UTC().Truncate(time.Second))
			e = finishes(t, w, e, 1-i)
			for doc := range e.Documents {
				if pdf, rep := current(t, w, p, e.ID, doc); rep.Valid && signers(rep) == want || len(pdf) == 0 {
					t.Errorf("document %d is signed before the job ran", doc)
				}
			}
			w.Clock.Advance(time.Minute) // the job is late
			w.RunDue(t)
			for doc := range e.Documents {
				if _, rep := current(t, w, p, e.ID, doc); !rep.Valid || signers(rep) != want {
					t.Fatalf("document %d: %s", doc, rep.Text())
				}
			}
		}
		w.Clock.Advance(time.Hour)
		at = append(at, w.Clock.Now().UTC().Truncate(time.Second))
		finishes(t, w, e, 2)
		w.RunDue(t)
		for doc := range e.Documents {
			pdf, rep := current(t, w, p, e.ID, doc)
			if dir := os.Getenv("PARAPH_KEEP"); dir != "" {
				ok(t, os.WriteFile(filepath.Join(dir, "deed.pdf"), pdf, 0o600))
			}
			if !rep.Valid || signers(rep) != "Bjørn Ł, Ann Lee, Vic, Paraph test" {
				t.Fatalf("sealed document %d: %s", doc, rep.Text())
			}
			for i, s := range rep.Signatures[:3] {
				if !s.Trusted || s.Issuer != "CN=Paraph test Recipients CA" || !s.SignedAt.Equal(at[i]) {
					t.Errorf("signature %d: trusted %v, by %s, at %v and not %v", i, s.Trusted, s.Issuer, s.SignedAt, at[i])
				}
			}
		}
		e, err := w.Store.Envelope(t.Context(), p.Who.AccountID, e.ID)
		ok(t, err)
		if e.AuditLog == "" {
			t.Error("there is no audit log, though nothing could be appended")
		}
		if n := count(trail(t, w, p, e.ID), paraph.RecipientCertified); n != 3 {
			t.Errorf("the trail tells of %d parts", n)
		}
	})
}

// TestOwnSignaturesProveWhatTheySay: an address is in the certificate of who came by a mailed link only, and what the sender's
// program completed is not signed in the recipient's name.
func TestOwnSignaturesProveWhatTheySay(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		ownSignatures(t, w, p, true, paraph.AuditSeparate)
		e := deed(t, w, p, func(o *desk.Order) { o.Recipients[0].SendEmail = true })
		finishes(t, w, e, 0)
		w.Clock.Advance(time.Minute)
		program := p.Who
		program.Actor.Kind = paraph.ByAPI
		bjorn := e.Recipients[1]
		inputs := map[int64]desk.Input{}
		for _, f := range e.FieldsOf(bjorn.ID) {
			inputs[f.ID] = desk.Input{Text: "entered by the program"}
		}
		_, err := w.Desk.UpdateRecipient(t.Context(), program, e.ID, bjorn.ID, desk.RecipientUpdate{Inputs: inputs, Complete: true})
		ok(t, err)
		w.Clock.Advance(time.Minute)
		finishes(t, w, e, 2)
		w.RunDue(t)
		pdf, rep := current(t, w, p, e.ID, 0)
		if !rep.Valid || signers(rep) != "Ann Lee, Paraph test, Vic, Paraph test" || rep.Signatures[1].Issuer != "CN=Paraph test Recipients CA" {
			t.Fatalf("%s", rep.Text())
		}
		for i, email := range []string{"ann@example.com", "", "", ""} {
			equal(t, fmt.Sprint("the address of signature ", i), rep.Signatures[i].Email, email)
		}
		equal(t, "the reason", rep.Signatures[1].Reason, "Filled in by the sender for Bjørn Ł, who did not act")
		if bytes.Contains(pdf, []byte("bjorn@example.com")) || bytes.Contains(pdf, []byte("vic@example.com")) {
			t.Error("the file has the address of somebody who did not prove it")
		}
		var proofs []string
		for _, ev := range trail(t, w, p, e.ID) {
			if ev.Type == paraph.RecipientCertified {
				proofs = append(proofs, ev.Data["proof"])
			}
		}
		equal(t, "the proofs in the trail", strings.Join(proofs, " "), "mail api link")
	})
}

// TestOwnSignaturesOff: nothing of it happens when it is not set.
func TestOwnSignaturesOff(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		e := deed(t, w, p)
		ownSignatures(t, w, p, true, paraph.AuditBoth)
		for i := range e.Recipients {
			e = finishes(t, w, e, i)
			w.RunDue(t)
		}
		_, rep := current(t, w, p, e.ID, 0)
		if !rep.Valid || signers(rep) != "Paraph test" || count(trail(t, w, p, e.ID), paraph.RecipientCertified) != 0 {
			t.Errorf("%s", rep.Text())
		}
	})
}

// TestOwnSignaturesAfterCrashes: whatever becomes of the job that signs, and
// however many sign at once, each part is signed once and the envelope is sealed.
func TestOwnSignaturesAfterCrashes(t *testing.T) {
	t.Parallel()
	crashes := map[string]func(t *testing.T, w *desktest.World, e paraph.Envelope){
		"it is claimed by a node that dies": func(t *testing.T, w *desktest.World, _ paraph.Envelope) {
			claimSign(t, w, "a node that dies")
			w.Clock.Advance(time.Minute)
		},
		"it is lost": func(t *testing.T, w *desktest.World, _ paraph.Envelope) {
			for _, j := range claimSign(t, w, "lost") {
				ok(t, w.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.FinishJob(t.Context(), j, "done", "") }))
			}
		},
		"it is never given back": func(t *testing.T, w *desktest.World, _ paraph.Envelope) { claimSign(t, w, "hangs") },
		"after the commit": func(t *testing.T, w *desktest.World, e paraph.Envelope) {
			jobs := claimSign(t, w, "dies late")
			ok(t, w.Desk.SignFinished(t.Context(), jobs[0]))
			w.Clock.Advance(time.Minute)
		},
		"two at once": func(t *testing.T, w *desktest.World, e paraph.Envelope) {
			var both sync.WaitGroup
			for _, j := range claimSign(t, w, "twice") {
				for range 2 {
					both.Go(func() {
						if err := w.Desk.SignFinished(t.Context(), j); err != nil && paraph.KindOf(err) != paraph.Conflict {
							t.Error(err)
						}
					})
				}
			}
			both.Wait()
		},
	}
	for name, crash := range crashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			desktest.Each(t, func(t *testing.T, w *desktest.World) {
				p := w.Person(t, "Ann Admin")
				ownSignatures(t, w, p, true, paraph.AuditBoth)
				e := deed(t, w, p)
				e = finishes(t, w, e, 0)
				e = finishes(t, w, e, 1)
				crash(t, w, e)
				w.RunDue(t)
				finishes(t, w, e, 2)
				w.RunDue(t)
				w.Clock.Advance(time.Minute)
				w.RunDue(t)
				sealedOnce(t, w, p, e.ID)
				if _, rep := current(t, w, p, e.ID, 1); signers(rep) != "Ann Lee, Bjørn Ł, Vic, Paraph test" {
					t.Errorf("%s", rep.Text())
				}
				if n := count(trail(t, w, p, e.ID), paraph.RecipientCertified); n != 3 {
					t.Errorf("the trail tells of %d parts", n)
				}
			})
		})
	}
}

func claimSign(t *testing.T, w *desktest.World, by string) (jobs []store.Job) {
	t.Helper()
	ok(t, w.Store.Update(t.Context(), func(tx *store.Tx) (err error) {
		jobs, err = tx.ClaimJobs(t.Context(), "sign", by, tx.Now().Add(30*time.Second), 10)
		return err
	}))
	if len(jobs) != 2 {
		t.Fatalf("%d jobs sign", len(jobs))
	}
	return jobs
}

// TestOwnSignaturesEnd: once somebody has declined nothing more is signed.
func TestOwnSignaturesEnd(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		ownSignatures(t, w, p, true, paraph.AuditBoth)
		e := finishes(t, w, deed(t, w, p), 0)
		_, err := w.Desk.Decline(t.Context(), e.Recipients[1].Token, "No.", paraph.Actor{})
		ok(t, err)
		w.RunDue(t)
		if n := count(trail(t, w, p, e.ID), paraph.RecipientCertified); n != 0 {
			t.Errorf("%d parts were signed", n)
		}
		if pdf, _ := current(t, w, p, e.ID, 0); len(pdf) == 0 {
			t.Error("what was filled in can't be had")
		}
	})
}

// TestOwnSignaturesOfTwoAuthorities: when the authority's key is lost halfway,
// the envelope is sealed all the same.
func TestOwnSignaturesOfTwoAuthorities(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		ownSignatures(t, w, p, true, paraph.AuditBoth)
		e := finishes(t, w, deed(t, w, p), 0)
		w.RunDue(t)
		_, err := w.Store.ForgetSecrets(t.Context(), "lost")
		ok(t, err)
		w.Desk.ForgetIssuer()
		finishes(t, w, finishes(t, w, e, 1), 2)
		w.RunDue(t)
		sealedOnce(t, w, p, e.ID)
		if _, rep := current(t, w, p, e.ID, 0); !rep.Valid || signers(rep) != "Paraph test" {
			t.Errorf("%s", rep.Text())
		}
	})
}
