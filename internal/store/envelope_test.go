package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

var sender = paraph.Actor{Kind: paraph.ByUser, UserID: 1, Name: "Sam", IP: "192.0.2.1", UserAgent: "T"}

func names(es []paraph.Envelope) string {
	var out []string
	for _, e := range es {
		out = append(out, e.Name)
	}
	return strings.Join(out, " ")
}

func ids[T any](vs []T, id func(T) int64) []int64 {
	out := make([]int64, len(vs))
	for i, v := range vs {
		out[i] = id(v)
	}
	return out
}

func TestEnvelopeRoundTrip(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		storetest.Envelope(t, s, a.ID, u.ID, "another one, so that ids of tables differ")
		e := storetest.Draft(t, a.ID, u.ID, "Größe 日本 🖋 \u202e", s.Now())
		e.ExpireAt, e.Subject, e.Message, e.ExternalID = s.Now().Add(time.Hour).In(time.FixedZone("x", 3600)), "S", "a\nb", "ext"
		e.RedirectTo, e.ReplyTo, e.Sequential = "https://x", "r@x.org", true
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertEnvelope(ctx, &e) })
		if e.ID <= 0 || e.Version != 1 || slices.Min(ids(e.Documents, docID)) <= 0 || slices.Min(ids(e.Recipients, recID)) <= 0 || slices.Min(ids(e.Fields, fieldID)) <= 0 {
			t.Fatalf("ids are missing: %+v", e)
		}
		if e.Fields[0].RecipientID != e.Recipients[0].ID || e.Fields[1].RecipientID != e.Recipients[1].ID ||
			e.Fields[0].Areas[0].DocumentID != e.Documents[1].ID || e.Fields[0].Areas[1].DocumentID != e.Documents[0].ID {
			t.Fatalf("references are wrong: %+v", e.Fields)
		}
		got, err := s.Envelope(ctx, a.ID, e.ID)
		check(t, err)
		if got.ExpireAt.Location() != time.UTC {
			t.Errorf("expiry is in %v", got.ExpireAt.Location())
		}
		e.ExpireAt = e.ExpireAt.UTC()
		same(t, "envelope", got, e)
	})
}

func docID(d paraph.Document) int64  { return d.ID }
func recID(r paraph.Recipient) int64 { return r.ID }
func fieldID(f paraph.Field) int64   { return f.ID }
func deliID(d paraph.Delivery) int64 { return d.ID }

func TestSaveEnvelope(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		was := storetest.Envelope(t, s, a.ID, u.ID, "Lease")
		now := clock.Advance(time.Minute)
		e, err := was.RemoveDocument(was.Documents[1].ID, now)
		check(t, err)
		e, err = e.AddDocument(paraph.Document{ID: -7, Name: "new", Original: "o", Pages: []paraph.Page{{Width: 1, Height: 2}}}, now)
		check(t, err)
		e, err = e.SetRecipients([]paraph.Recipient{e.Recipients[0], {ID: -9, Kind: paraph.Signer, Email: "new@x.org", Order: 1}}, now)
		check(t, err)
		e, err = e.SetFields(append(e.Fields, paraph.Field{
			RecipientID: -9, Type: paraph.TextField, Areas: []paraph.Area{{DocumentID: -7, X: .1, Y: .1, W: .1, H: .1}},
		}), now)
		check(t, err)
		var queries []string
		save := func(was paraph.Envelope, e *paraph.Envelope) {
			t.Helper()
			queries = nil
			storetest.Update(t, s, func(tx *store.Tx) error {
				tx.SpyTx(func(q string, _ []any) { queries = append(queries, strings.Join(strings.Fields(q)[:3], " ")) })
				return tx.SaveEnvelope(ctx, was, e)
			})
		}
		save(was, &e)
		got, err := s.Envelope(ctx, a.ID, e.ID)
		check(t, err)
		same(t, "after adding and removing", got, e)
		if e.Version != 2 || len(got.Documents) != 2 || len(got.Recipients) != 2 || len(got.Fields) != 2 || got.Fields[1].RecipientID != got.Recipients[1].ID || got.Fields[1].Areas[0].DocumentID != got.Documents[1].ID {
			t.Errorf("envelope is %+v", got)
		}
		sent, _, err := got.Send(sender, clock.Advance(time.Minute))
		check(t, err)
		save(got, &sent)
		if want := []string{"UPDATE envelopes SET", "UPDATE recipients SET", "UPDATE recipients SET"}; !slices.Equal(queries, want) {
			t.Errorf("sending ran %q", queries)
		}
		filled, _, err := sent.Enter(sent.Recipients[1].ID, sent.Fields[1].ID, paraph.Value{Text: "日\n本"}, sender, clock.Advance(time.Minute))
		check(t, err)
		save(sent, &filled)
		if want := []string{"UPDATE envelopes SET", "UPDATE recipients SET", "UPDATE fields SET"}; !slices.Equal(queries, want) {
			t.Errorf("entering ran %q", queries)
		}
		sealed := filled // as if all was done, to write every column
		sealed.Documents = slices.Clone(filled.Documents)
		sealed.Documents[0].Sealed, sealed.Documents[0].UpdatedAt = "sealed", now
		sealed.Status, sealed.EndedAt, sealed.SealedAt, sealed.ArchivedAt, sealed.AuditLog = paraph.Completed, now, now, now, "log"
		r := &sealed.Recipients[0]
		r.OpenedAt, r.CompletedAt, r.DeclinedAt, r.RemindedAt, r.DeclineReason, r.Phone, r.Metadata, r.ExternalID, r.RedirectTo = now, now, now, now, "no", "+1", "{}", "x", "https://x"
		sealed.Recipients = slices.Clone(sealed.Recipients)
		filled, err = s.Envelope(ctx, a.ID, e.ID)
		check(t, err)
		save(filled, &sealed)
		got, err = s.Envelope(ctx, a.ID, e.ID)
		check(t, err)
		same(t, "after everything", got, sealed)
		stale := was
		wantKind(t, "saving what somebody else changed", s.Update(ctx, func(tx *store.Tx) error { return tx.SaveEnvelope(ctx, was, &stale) }), paraph.Conflict)
	})
}

// TestBigEnvelope writes as many parts as the rules allow.
func TestBigEnvelope(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		e := storetest.Draft(t, a.ID, u.ID, "big", s.Now())
		rs := make([]paraph.Recipient, paraph.MaxRecipients)
		for i := range rs {
			rs[i] = paraph.Recipient{ID: -int64(i) - 1, Kind: paraph.Signer, Name: strings.Repeat("ü", 200), Order: i + 1}
		}
		e, err := e.SetRecipients(rs, s.Now())
		check(t, err)
		fs := make([]paraph.Field, paraph.MaxFields)
		for i := range fs {
			fs[i] = paraph.Field{RecipientID: -int64(i%100) - 1, Type: paraph.TextField, Areas: []paraph.Area{{DocumentID: -1, W: .1, H: .1}}}
		}
		e, err = e.SetFields(fs, s.Now())
		check(t, err)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertEnvelope(ctx, &e) })
		got, err := s.Envelope(ctx, a.ID, e.ID)
		check(t, err)
		same(t, "envelope", got, e)
		none, err := got.SetRecipients(nil, s.Now())
		check(t, err)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SaveEnvelope(ctx, got, &none) })
		got, err = s.Envelope(ctx, a.ID, e.ID)
		if err != nil || len(got.Fields) != 0 || len(got.Recipients) != 0 {
			t.Errorf("%d fields and %d recipients are left, %v", len(got.Fields), len(got.Recipients), err)
		}
	})
}

func TestFindingEnvelopes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		e := storetest.Envelope(t, s, a.ID, u.ID, "Lease")
		other := storetest.Envelope(t, s, a.ID, u.ID, "Other")
		rec := e.Recipients[1]
		found, who, err := s.EnvelopeByToken(ctx, rec.Token)
		check(t, err)
		same(t, "by token", found, e)
		same(t, "the token's recipient", who, rec)
		bySlug, err := s.EnvelopeBySlug(ctx, e.Slug)
		check(t, err)
		same(t, "by slug", bySlug, e)
		id, err := s.EnvelopeOfRecipient(ctx, a.ID, rec.ID)
		if err != nil || id != e.ID {
			t.Errorf("by recipient: %d, %v", id, err)
		}
		_, err = s.Envelope(ctx, b.ID, e.ID)
		wantKind(t, "a stranger's envelope", err, paraph.NotFound)
		_, err = s.EnvelopeOfRecipient(ctx, b.ID, rec.ID)
		wantKind(t, "a stranger's recipient", err, paraph.NotFound)
		_, _, err = s.EnvelopeByToken(ctx, "x"+rec.Token)
		wantKind(t, "a wrong token", err, paraph.NotFound)
		_, err = s.EnvelopeBySlug(ctx, strings.ToLower(e.Slug)+"x")
		wantKind(t, "a wrong slug", err, paraph.NotFound)
		if es, err := s.Envelopes(ctx, b.ID, store.EnvelopeFilter{Limit: 9}); err != nil || len(es) != 0 {
			t.Errorf("another account lists %v, %v", names(es), err)
		}
		if n, err := s.CountEnvelopes(ctx, b.ID, store.EnvelopeFilter{}); err != nil || len(n) != 0 {
			t.Errorf("another account counts %v, %v", n, err)
		}
		gone, _, err := e.Delete(sender, s.Now())
		check(t, err)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SaveEnvelope(ctx, e, &gone) })
		_, err = s.Envelope(ctx, a.ID, e.ID)
		wantKind(t, "a deleted envelope", err, paraph.NotFound)
		_, err = s.EnvelopeBySlug(ctx, e.Slug)
		wantKind(t, "a deleted envelope by slug", err, paraph.NotFound)
		_, err = s.EnvelopeOfRecipient(ctx, a.ID, rec.ID)
		wantKind(t, "a deleted envelope by recipient", err, paraph.NotFound)
		found, _, err = s.EnvelopeByToken(ctx, rec.Token)
		check(t, err)
		same(t, "a deleted one by token", found, gone)
		found, err = s.AnyEnvelope(ctx, e.ID)
		check(t, err)
		same(t, "any envelope", found, gone)
		storetest.Update(t, s, func(tx *store.Tx) error {
			found, err := tx.AnyEnvelope(ctx, other.ID)
			same(t, "any envelope in a transaction", found, other)
			return err
		})
		_, err = s.AnyEnvelope(ctx, 99)
		wantKind(t, "no envelope", err, paraph.NotFound)
		if es, err := s.Envelopes(ctx, a.ID, store.EnvelopeFilter{Limit: 9}); err != nil || names(es) != "Other" {
			t.Errorf("left are %v, %v", names(es), err)
		}
	})
}

func TestListingEnvelopes(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		var all []paraph.Envelope
		storetest.Update(t, s, func(tx *store.Tx) error {
			for i := range 9 {
				e := storetest.Draft(t, a.ID, u.ID, fmt.Sprint("e", i), s.Now())
				e.Status = []paraph.Status{paraph.Draft, paraph.Pending, paraph.Completed}[i%3]
				if i >= 7 {
					e.ArchivedAt = s.Now()
				}
				check(t, tx.InsertEnvelope(ctx, &e))
				all = append(all, e)
			}
			return nil
		})
		list := func(f store.EnvelopeFilter) string {
			t.Helper()
			es, err := s.Envelopes(ctx, a.ID, f)
			check(t, err)
			for _, e := range es {
				want := all[e.ID-all[0].ID]
				want.Fields = nil
				same(t, "envelope of a list", e, want)
			}
			return names(es)
		}
		for _, tt := range []struct {
			f    store.EnvelopeFilter
			want string
		}{
			{store.EnvelopeFilter{Limit: 100}, "e6 e5 e4 e3 e2 e1 e0"},
			{store.EnvelopeFilter{}, "e6"},
			{store.EnvelopeFilter{Limit: 3}, "e6 e5 e4"},
			{store.EnvelopeFilter{Limit: 3, Before: all[4].ID}, "e3 e2 e1"},
			{store.EnvelopeFilter{Limit: 3, Before: all[1].ID}, "e0"},
			{store.EnvelopeFilter{Limit: 3, After: all[1].ID}, "e4 e3 e2"},
			{store.EnvelopeFilter{Limit: 9, After: all[4].ID}, "e6 e5"},
			{store.EnvelopeFilter{Limit: 9, After: all[1].ID, Before: all[5].ID}, "e4 e3 e2"},
			{store.EnvelopeFilter{Limit: 9, Status: paraph.Pending}, "e4 e1"},
			{store.EnvelopeFilter{Limit: 9, Archived: true}, "e8 e7"},
			{store.EnvelopeFilter{Limit: 9, Archived: true, Status: paraph.Pending}, "e7"},
			{store.EnvelopeFilter{Limit: 9, Slug: all[2].Slug}, "e2"},
			{store.EnvelopeFilter{Limit: 9, Slug: all[8].Slug}, ""},
			{store.EnvelopeFilter{Limit: 9, Query: "E3", Status: paraph.Draft}, "e3"},
		} {
			if got := list(tt.f); got != tt.want {
				t.Errorf("%+v lists %q, want %q", tt.f, got, tt.want)
			}
		}
		n, err := s.CountEnvelopes(ctx, a.ID, store.EnvelopeFilter{Status: paraph.Draft, Before: 1, After: 99, Limit: 1})
		check(t, err)
		same(t, "counts", n, map[paraph.Status]int{paraph.Draft: 3, paraph.Pending: 2, paraph.Completed: 2})
		n, err = s.CountEnvelopes(ctx, a.ID, store.EnvelopeFilter{Archived: true})
		check(t, err)
		same(t, "counts of archived ones", n, map[paraph.Status]int{paraph.Pending: 1, paraph.Completed: 1})
	})
}

func TestSearch(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		for _, name := range []string{"100%", "1000", "a_b", "aXb", `c\d`, "cd", "ÄRGER", "ΣΊΣΥΦΟΣ", "Straße", "x'); DROP TABLE users; --"} {
			e := storetest.Draft(t, a.ID, u.ID, name, s.Now())
			e.Recipients = nil
			e.Fields = nil
			e.ExternalID = "EXT-" + name[:1]
			if name == "cd" {
				e, _ = e.SetRecipients([]paraph.Recipient{{ID: -1, Kind: paraph.Signer, Name: "Zoë ÖZ", Email: "zoe@öz.example"}}, s.Now())
			}
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertEnvelope(ctx, &e) })
		}
		for query, want := range map[string]string{
			"%": "100%", "0%": "100%", "_": "a_b", "a_b": "a_b", `\`: `c\d`, "C": `cd c\d`, "ärger": "ÄRGER", " ÄRG ": "ÄRGER",
			"σίσυ": "ΣΊΣΥΦΟΣ", "STRASSE": "", "straße": "Straße", "'); drop": "x'); DROP TABLE users; --", "zoë ö": "cd", "ZOE@": "cd", "ext-1": "1000 100%", `\%`: "", "nothing": "",
		} {
			es, err := s.Envelopes(ctx, a.ID, store.EnvelopeFilter{Query: query, Limit: 99})
			if err != nil || names(es) != want {
				t.Errorf("%q finds %q, %v; want %q", query, names(es), err, want)
			}
			n, err := s.CountEnvelopes(ctx, a.ID, store.EnvelopeFilter{Query: query})
			if err != nil || n[paraph.Draft] != len(es) {
				t.Errorf("%q counts %v, %v", query, n, err)
			}
		}
		for _, query := range []string{strings.Repeat("a", 60000), strings.Repeat("%", 60000), strings.Repeat("😀", 60000)} {
			if es, err := s.Envelopes(ctx, a.ID, store.EnvelopeFilter{Query: query, Limit: 9}); err != nil || len(es) > 0 {
				t.Errorf("a very long query finds %q, %v", names(es), err)
			}
			if rs, err := s.Recipients(ctx, a.ID, store.RecipientFilter{Query: query, Limit: 9}); err != nil || len(rs) > 0 {
				t.Errorf("a very long query finds %d recipients, %v", len(rs), err)
			}
		}
		e, err := s.Envelopes(ctx, a.ID, store.EnvelopeFilter{Query: "zoë", Limit: 1})
		check(t, err)
		changed, _, err := e[0].SetContact(e[0].Recipients[0].ID, paraph.Contact{Name: "Yann"}, sender, s.Now())
		check(t, err)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SaveEnvelope(ctx, e[0], &changed) })
		for query, want := range map[string]string{"zoë": "", "YANN": "cd"} {
			if es, err := s.Envelopes(ctx, a.ID, store.EnvelopeFilter{Query: query, Limit: 9}); err != nil || names(es) != want {
				t.Errorf("after a change %q finds %q, %v", query, names(es), err)
			}
		}
	})
}

func TestEvents(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		e, other := storetest.Envelope(t, s, a.ID, u.ID, "Lease"), storetest.Envelope(t, s, a.ID, u.ID, "Other")
		events := []paraph.Event{
			{Type: paraph.EnvelopeCreated, At: s.Now().In(time.FixedZone("x", 60)), Actor: sender},
			{Type: paraph.RecipientRefused, At: s.Now(), RecipientID: 7, Actor: paraph.Actor{Kind: paraph.ByRecipient, UserAgent: "\xff\x00x"}, Data: map[string]string{"reason": "日 \u2028 \x00 <b>", "a": ""}},
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.AppendEvents(ctx, &e, nil))
			check(t, tx.AppendEvents(ctx, &e, events))
			return tx.AppendEvents(ctx, &other, []paraph.Event{{Type: paraph.EnvelopeCreated, At: s.Now(), Actor: sender}})
		})
		more := []paraph.Event{{Type: paraph.EnvelopeDeleted, At: s.Now(), Actor: sender}}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.AppendEvents(ctx, &e, more) })
		events[0].At = events[0].At.UTC()
		got, err := s.Events(ctx, a.ID, e.ID)
		check(t, err)
		same(t, "trail", got, append(events, more...))
		if err := paraph.VerifyTrail(got); err != nil || got[2].Seq != 3 || got[2].ID <= got[1].ID || got[0].AccountID != a.ID {
			t.Errorf("the trail: %v, %+v", err, got)
		}
		if evs, err := s.Events(ctx, b.ID, e.ID); err != nil || len(evs) != 0 {
			t.Errorf("another account reads %v, %v", evs, err)
		}
	})
}

// TestTrailUnderConcurrency lets many append to one trail at once.
func TestTrailUnderConcurrency(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		e := storetest.Envelope(t, s, a.ID, u.ID, "Lease")
		const writers, each = 6, 5
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					for { // a Conflict is for the caller to try again
						err := s.Update(ctx, func(tx *store.Tx) error {
							return tx.AppendEvents(ctx, &e, []paraph.Event{
								{Type: paraph.MailSent, At: tx.Now(), RecipientID: int64(w), Data: map[string]string{"i": fmt.Sprint(i)}},
								{Type: paraph.MailFailed, At: tx.Now()},
							})
						})
						if err == nil {
							break
						}
						if paraph.KindOf(err) != paraph.Conflict {
							t.Errorf("append: %v", err)
							return
						}
					}
				}
			})
		}
		wg.Wait()
		got, err := s.Events(ctx, a.ID, e.ID)
		check(t, err)
		if err := paraph.VerifyTrail(got); err != nil || len(got) != 2*writers*each {
			t.Errorf("%d events, %v", len(got), err)
		}
		seen := map[string]bool{}
		for _, ev := range got {
			seen[fmt.Sprint(ev.RecipientID, ev.Data["i"], ev.Type)] = true
		}
		if len(seen) != writers*each+1 {
			t.Errorf("%d different events", len(seen))
		}
	})
}

// TestSavingUnderConcurrency: of many who change one version of an envelope
// exactly one comes through.
func TestSavingUnderConcurrency(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		e := storetest.Envelope(t, s, a.ID, u.ID, "Lease")
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			wg.Go(func() {
				mine, err := e.SetDetails(paraph.Details{Name: fmt.Sprint("by ", i)}, s.Now())
				if err == nil {
					err = s.Update(ctx, func(tx *store.Tx) error { return tx.SaveEnvelope(ctx, e, &mine) })
				}
				errs[i] = err
			})
		}
		wg.Wait()
		winner := ""
		for i, err := range errs {
			if err == nil {
				winner += fmt.Sprint("by ", i)
			} else {
				wantKind(t, "a loser", err, paraph.Conflict)
			}
		}
		got, err := s.Envelope(ctx, a.ID, e.ID)
		if err != nil || got.Name != winner || got.Version != 2 {
			t.Errorf("envelope is %q in version %d, the winner is %q, %v", got.Name, got.Version, winner, err)
		}
	})
}

func TestRecipients(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		var all []paraph.Recipient
		var es []paraph.Envelope
		for i := range 3 {
			e := storetest.Draft(t, a.ID, u.ID, fmt.Sprint("e", i), s.Now())
			e.Recipients[0].Name, e.Recipients[0].ExternalID = fmt.Sprint("ÄÖ_", i), fmt.Sprint("X", i)
			e.Recipients[1].Phone = fmt.Sprint("+49 30 ", i)
			e.Recipients[1].CompletedAt = s.Now().Add(time.Duration(i) * time.Hour)
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertEnvelope(ctx, &e) })
			all, es = append(all, e.Recipients[:2]...), append(es, e)
		}
		gone, _, err := es[2].Delete(sender, s.Now())
		check(t, err)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SaveEnvelope(ctx, es[2], &gone) })
		for _, tt := range []struct {
			f    store.RecipientFilter
			want string
		}{
			{store.RecipientFilter{Limit: 99}, "3210"},
			{store.RecipientFilter{}, "3"},
			{store.RecipientFilter{Limit: 2, Before: all[2].ID}, "10"},
			{store.RecipientFilter{Limit: 2, After: all[0].ID}, "21"},
			{store.RecipientFilter{Limit: 9, EnvelopeID: es[1].ID}, "32"},
			{store.RecipientFilter{Limit: 9, EnvelopeID: es[2].ID}, ""},
			{store.RecipientFilter{Limit: 9, Query: "äö"}, "20"},
			{store.RecipientFilter{Limit: 9, Query: " ÄÖ_1"}, "2"},
			{store.RecipientFilter{Limit: 9, Query: "%"}, ""},
			{store.RecipientFilter{Limit: 9, Query: "30 1"}, "3"},
			{store.RecipientFilter{Limit: 9, Query: "ADA@"}, "20"},
			{store.RecipientFilter{Limit: 9, Token: all[1].Token}, "1"},
			{store.RecipientFilter{Limit: 9, Token: "x"}, ""},
			{store.RecipientFilter{Limit: 9, ExternalID: "X1"}, "2"},
			{store.RecipientFilter{Limit: 9, CompletedAfter: s.Now().Add(time.Minute)}, "3"},
			{store.RecipientFilter{Limit: 9, CompletedBefore: s.Now().Add(time.Minute)}, "1"},
		} {
			got, err := s.Recipients(ctx, a.ID, tt.f)
			check(t, err)
			out := ""
			for _, r := range got {
				i := slices.IndexFunc(all, func(x paraph.Recipient) bool { return x.ID == r.ID })
				same(t, "recipient of a list", r, all[i])
				out += fmt.Sprint(i)
			}
			if out != tt.want {
				t.Errorf("%+v lists %q, want %q", tt.f, out, tt.want)
			}
			if got, err := s.Recipients(ctx, b.ID, tt.f); err != nil || len(got) != 0 {
				t.Errorf("%+v shows another account %v, %v", tt.f, got, err)
			}
		}
	})
}
