package desk_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/digitorus/timestamp"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/dev/pgtest"
	"github.com/paraph-sign/paraph/internal/dev/tsatest"
	"github.com/paraph-sign/paraph/internal/seal"
	"github.com/paraph-sign/paraph/internal/store"
)

// stamped is a world whose seals are timestamped.
type stamped struct {
	*desktest.World
	desktest.Person
	t   *testing.T
	ca  *tsatest.CA
	tsa *tsatest.TSA
}

// eachStamped runs a test on every database engine, in a world with a timestamp authority.
func eachStamped(t *testing.T, level string, f func(t *testing.T, w *stamped)) {
	t.Helper()
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			s := &stamped{t: t}
			o := desktest.Options{Stamper: func(clock func() time.Time) *seal.Stamper {
				s.ca = tsatest.NewCA(t, clock)
				s.tsa = tsatest.NewTSA(t, s.ca, "Timely", nil)
				st, err := seal.NewStamper(seal.StamperConfig{
					URLs: []string{s.tsa.URL}, Level: level, Ask: http.DefaultTransport.RoundTrip, Fetch: http.DefaultTransport.RoundTrip,
					Clock: clock, Timeout: 3 * time.Second,
				})
				ok(t, err)
				return st
			}}
			if engine == "postgres" {
				o.Database = pgtest.New(t)
			}
			s.World = desktest.New(t, o)
			s.Person = s.World.Person(t, "Ann Admin")
			f(t, s)
		})
	}
}

// signed is an envelope that everybody has signed, before anything else was done.
func (s *stamped) signed() paraph.Envelope {
	s.t.Helper()
	return signs(s.t, s.World, signs(s.t, s.World, contract(s.t, s.World, s.Person), 0), 1)
}

// look is the envelope as it is now, whose files are valid and of a level.
func (s *stamped) look(id int64, level string) paraph.Envelope {
	s.t.Helper()
	e, err := s.Store.AnyEnvelope(s.t.Context(), id)
	ok(s.t, err)
	if e.SealedAt.IsZero() || e.SealLevel != level {
		s.t.Fatalf("sealed %s, level %q and not %q", e.SealedAt, e.SealLevel, level)
	}
	for _, digest := range []string{e.Documents[0].Sealed, e.AuditLog} {
		pdf, err := s.Blobs.Get(s.t.Context(), digest)
		ok(s.t, err)
		rep, err := s.Desk.Verify(s.t.Context(), pdf)
		ok(s.t, err)
		if !rep.Valid || rep.Signatures[0].Level != level {
			s.t.Errorf("%s", rep.Text())
		}
	}
	return e
}

func (s *stamped) stampings(id int64) (out []paraph.Event) {
	s.t.Helper()
	for _, ev := range trail(s.t, s.World, s.Person, id) {
		if ev.Type == paraph.EnvelopeTimestamped {
			out = append(out, ev)
		}
	}
	return out
}

// TestTimestamps: with an authority that answers, a seal has its timestamp at once and all the rest with the job; downloads
// give the newest file and the trail says what became of which.
func TestTimestamps(t *testing.T) {
	t.Parallel()
	eachStamped(t, seal.LevelLTA, func(t *testing.T, s *stamped) {
		e := s.signed()
		s.RunDue(t)
		e = s.look(e.ID, seal.LevelLTA)
		events := trail(t, s.World, s.Person, e.ID)
		sealed := events[slices.IndexFunc(events, func(ev paraph.Event) bool { return ev.Type == paraph.EnvelopeSealed })]
		stampings := s.stampings(e.ID)
		if len(stampings) != 1 || sealed.Data["level"] != seal.LevelT {
			t.Fatalf("%d stampings after a seal of level %s", len(stampings), sealed.Data["level"])
		}
		data := stampings[0].Data
		if data["level"] != seal.LevelLTA || data["by"] != "Timely" || data["document_1_sha256"] != e.Documents[0].Sealed ||
			data["document_1_sha256_before"] != sealed.Data["document_1_sha256"] || data["audit_log_sha256"] != e.AuditLog {
			t.Errorf("%v after %v", data, sealed.Data)
		}
		if got := stampings[0].Sentence(&e); got != "The sealed documents were timestamped by Timely (B-LTA)" {
			t.Error(got)
		}
		f, err := s.Desk.SealedFile(t.Context(), &e, e.Documents[0])
		ok(t, err)
		ok(t, f.Close())
		if f.Tag != data["document_1_sha256"] {
			t.Error("another file is handed out")
		}
		if s.tsa.Asked() != 4 || !e.StampAt.After(s.Clock.Now().AddDate(0, 6, 0)) {
			t.Errorf("the authority was asked %d times; the next time is %s", s.tsa.Asked(), e.StampAt)
		}
	})
}

// TestTimestampsAreLate: whatever is the matter with the authority, an envelope is sealed and everybody told at once; when it works
// again the files are raised, once.
func TestTimestampsAreLate(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"down", "500", "slow", "huge", "other content", "past"} { // the rest is in internal/seal
		fault := tsatest.Faults()[name]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStamped(t, seal.LevelLTA, func(t *testing.T, s *stamped) {
				_, err := s.Desk.CreateEndpoint(t.Context(), s.Who, paraph.Endpoint{URL: "https://example.com/hook", Events: []string{"document.completed"}, Enabled: true})
				ok(t, err)
				s.tsa.Fail(fault)
				e := s.signed()
				s.RunDue(t)
				s.look(e.ID, seal.LevelB)
				ds, err := s.Store.Deliveries(t.Context(), s.Who.AccountID, store.DeliveryFilter{Limit: 10})
				ok(t, err)
				if len(ds) != 1 {
					t.Errorf("%d deliveries tell that it is completed", len(ds))
				}
				s.Clock.Advance(10 * time.Second)
				s.RunDue(t)
				s.look(e.ID, seal.LevelB)
				s.tsa.Fail(nil)
				s.Clock.Advance(time.Minute)
				s.RunDue(t)
				s.look(e.ID, seal.LevelLTA)
				s.Clock.Advance(48 * time.Hour)
				s.RunDue(t)
				if n := len(s.stampings(e.ID)); n != 1 {
					t.Errorf("timestamped %d times", n)
				}
			})
		})
	}
}

// TestTimestampsInSteps: what was reached is kept when something fails further on, and nothing is asked for twice.
func TestTimestampsInSteps(t *testing.T) {
	t.Parallel()
	eachStamped(t, seal.LevelLTA, func(t *testing.T, s *stamped) {
		s.ca.Down(true)
		e := s.signed()
		s.RunDue(t)
		e = s.look(e.ID, seal.LevelT)
		asked := s.tsa.Asked()
		s.ca.Down(false)
		answers := 0
		s.tsa.Fail(func(w http.ResponseWriter, r *http.Request, answer func(func(*timestamp.Timestamp)) []byte) {
			if answers++; answers > 1 {
				http.Error(w, "down", http.StatusBadGateway)
				return
			}
			_, _ = w.Write(answer(nil))
		})
		s.Clock.Advance(10 * time.Second)
		s.RunDue(t)
		half, err := s.Store.AnyEnvelope(t.Context(), e.ID)
		ok(t, err)
		if half.SealLevel != seal.LevelT || half.Documents[0].Sealed == e.Documents[0].Sealed || half.AuditLog != e.AuditLog {
			t.Errorf("of two files one should have been raised; level %s", half.SealLevel)
		}
		s.tsa.Fail(nil)
		s.Clock.Advance(time.Minute)
		s.RunDue(t)
		s.look(e.ID, seal.LevelLTA)
		if n := s.tsa.Asked() - asked; n != 3 { // two good ones, one that failed
			t.Errorf("the authority was asked %d times more", n)
		}
	})
}

// TestTimestampingSurvivesEveryCrash plays the crash after each step of the job. Each time it ends at its level, once.
func TestTimestampingSurvivesEveryCrash(t *testing.T) {
	t.Parallel()
	claim := func(t *testing.T, s *stamped) (jobs []store.Job) {
		t.Helper()
		ok(t, s.Store.Update(t.Context(), func(tx *store.Tx) (err error) {
			jobs, err = tx.ClaimJobs(t.Context(), "timestamp", "a node that dies", tx.Now().Add(30*time.Second), 10)
			return err
		}))
		return jobs
	}
	crashes := map[string]func(t *testing.T, s *stamped, e paraph.Envelope){
		"before anything: the node died with its claim": func(t *testing.T, s *stamped, _ paraph.Envelope) {
			if jobs := claim(t, s); len(jobs) != 1 {
				t.Fatalf("%d jobs wait", len(jobs))
			}
			s.RunDue(t)
			s.Clock.Advance(time.Minute)
		},
		"after the commit, before the job was closed": func(t *testing.T, s *stamped, _ paraph.Envelope) {
			ok(t, s.Desk.Timestamp(t.Context(), claim(t, s)[0]))
			s.Clock.Advance(time.Minute)
		},
		"the job itself was lost": func(t *testing.T, s *stamped, _ paraph.Envelope) {
			jobs := claim(t, s)
			ok(t, s.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.FinishJob(t.Context(), jobs[0], "done", "") }))
			ok(t, s.Desk.PrepareSweep(t.Context()))
		},
		"two nodes work at it": func(t *testing.T, s *stamped, e paraph.Envelope) {
			j := claim(t, s)[0]
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() {
					if err := s.Desk.Timestamp(t.Context(), j); err != nil && paraph.KindOf(err) != paraph.Conflict {
						t.Error(err)
					}
				})
			}
			both.Wait()
			s.Clock.Advance(time.Minute)
		},
	}
	for name, crash := range crashes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStamped(t, seal.LevelLTA, func(t *testing.T, s *stamped) {
				s.tsa.Fail(tsatest.Faults()["500"])
				e := s.signed()
				s.RunDue(t)
				s.look(e.ID, seal.LevelB)
				s.tsa.Fail(nil)
				s.Clock.Advance(time.Minute)
				crash(t, s, e)
				s.RunDue(t)
				s.look(e.ID, seal.LevelLTA)
				if n := len(s.stampings(e.ID)); n != 1 {
					t.Errorf("timestamped %d times", n)
				}
			})
		})
	}
}

// TestTimestampingWhileTheEnvelopeChanges: one that was archived meanwhile is raised all the same, one that was deleted is left
// alone.
func TestTimestampingWhileTheEnvelopeChanges(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(s *stamped, id int64) error
		want   int
	}{
		"archived": {func(s *stamped, id int64) error {
			_, err := s.Desk.Archive(s.t.Context(), s.Who, id, true)
			return err
		}, 1},
		"deleted": {func(s *stamped, id int64) error {
			_, err := s.Desk.Delete(s.t.Context(), s.Who, id)
			return err
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStamped(t, seal.LevelLTA, func(t *testing.T, s *stamped) {
				e := s.signed()
				s.tsa.Fail(tsatest.Faults()["500"])
				s.RunDue(t)
				var once sync.Once
				s.tsa.Fail(func(w http.ResponseWriter, _ *http.Request, answer func(func(*timestamp.Timestamp)) []byte) {
					once.Do(func() {
						if err := c.change(s, e.ID); err != nil {
							t.Error(err)
						}
					})
					_, _ = w.Write(answer(nil))
				})
				s.Clock.Advance(time.Minute)
				s.RunDue(t)
				if n := len(s.stampings(e.ID)); n != c.want {
					t.Errorf("timestamped %d times", n)
				}
			})
		})
	}
}

// TestTimestampGivesUp after a month, with a note; an operator can have it tried again.
func TestTimestampGivesUp(t *testing.T) {
	t.Parallel()
	eachStamped(t, seal.LevelT, func(t *testing.T, s *stamped) {
		s.tsa.Fail(tsatest.Faults()["500"])
		e := s.signed()
		s.RunDue(t)
		kind := s.Desk.TimestampKind()
		n, spent := 1, time.Duration(0)
		for ; ; n++ {
			pause, again := kind.Pause(n)
			if !again {
				break
			}
			spent += pause
		}
		if spent < 29*24*time.Hour || spent > 30*24*time.Hour {
			t.Errorf("it is tried for %s", spent)
		}
		jobs, err := s.Store.JobsOf(t.Context(), s.Who.AccountID, e.ID, "timestamp")
		ok(t, err)
		s.Clock.Advance(spent)
		ok(t, s.Store.Update(t.Context(), func(tx *store.Tx) error {
			claimed, err := tx.ClaimJobs(t.Context(), "timestamp", "us", tx.Now().Add(time.Minute), 1)
			ok(t, err)
			ok(t, kind.GaveUp(t.Context(), tx, jobs[0], errors.New("down")))
			return tx.FinishJob(t.Context(), claimed[0], "failed", "down")
		}))
		events := trail(t, s.World, s.Person, e.ID)
		if last := events[len(events)-1]; last.Type != paraph.TimestampFailed || !strings.Contains(last.Sentence(&e), "No timestamp") {
			t.Errorf("the trail ends with %s", last.Type)
		}
		s.tsa.Fail(nil)
		ok(t, s.Desk.PrepareSweep(t.Context()))
		s.RunDue(t)
		s.look(e.ID, seal.LevelB)
		if n, err := desk.WantTimestamps(t.Context(), s.Store, seal.LevelT); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		s.Clock.Advance(time.Hour)
		s.RunDue(t)
		s.look(e.ID, seal.LevelT)
	})
}

// TestTimestampsAreRenewed before the newest can't be judged any more, year after year.
func TestTimestampsAreRenewed(t *testing.T) {
	t.Parallel()
	eachStamped(t, seal.LevelLTA, func(t *testing.T, s *stamped) {
		e := s.signed()
		s.RunDue(t)
		e = s.look(e.ID, seal.LevelLTA)
		first := e
		ok(t, s.Desk.PrepareSweep(t.Context()))
		s.Clock.Advance(e.StampAt.Sub(s.Clock.Now()))
		s.RunDue(t)
		e = s.look(e.ID, seal.LevelLTA)
		if n := len(s.stampings(e.ID)); n != 2 || e.Documents[0].Sealed == first.Documents[0].Sealed || !e.StampAt.After(first.StampAt) {
			t.Errorf("timestamped %d times, next at %s", n, e.StampAt)
		}
	})
}
