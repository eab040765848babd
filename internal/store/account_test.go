package store_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

func same(t testing.TB, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestUsers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		if has, err := s.HasUsers(ctx); has || err != nil {
			t.Errorf("a new store has users: %v, %v", has, err)
		}
		u := paraph.User{Email: "ada@example.com", Name: "Ada Łovelace 🖋", PasswordHash: "h", Owner: true, CreatedAt: s.Now(), UpdatedAt: s.Now()}
		other := paraph.User{Email: "bob@example.com", CreatedAt: s.Now(), UpdatedAt: s.Now()}
		storetest.Update(t, s, func(tx *store.Tx) error {
			if err := tx.InsertUser(ctx, &other); err != nil {
				return err
			}
			return tx.InsertUser(ctx, &u)
		})
		if has, err := s.HasUsers(ctx); !has || err != nil {
			t.Errorf("HasUsers: %v, %v", has, err)
		}
		u.Name, u.Email, u.PasswordHash, u.UpdatedAt = "Ada", "ada@x.org", "h2", clock.Advance(time.Minute)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.UpdateUser(ctx, u) })
		got, err := s.User(ctx, u.ID)
		check(t, err)
		same(t, "user", got, u)
		got, err = s.UserByEmail(ctx, "ada@x.org")
		check(t, err)
		same(t, "user by address", got, u)
		_, err = s.UserByEmail(ctx, "ada@example.com")
		wantKind(t, "an old address", err, paraph.NotFound)
		_, err = s.User(ctx, 99)
		wantKind(t, "no user", err, paraph.NotFound)
		for what, write := range map[string]func(tx *store.Tx) error{
			"insert": func(tx *store.Tx) error { return tx.InsertUser(ctx, &paraph.User{Email: u.Email}) },
			"update": func(tx *store.Tx) error { o := other; o.Email = u.Email; return tx.UpdateUser(ctx, o) },
		} {
			wantKind(t, what+" of a taken address", s.Update(ctx, write), paraph.Invalid)
		}
	})
}

func TestSpaces(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		own, ada := storetest.Space(t, s, "ada")
		_, bob := storetest.Space(t, s, "bob")
		team := paraph.Account{Kind: paraph.Team, Name: "Acme", CreatedAt: s.Now()}
		joined := clock.Advance(time.Minute)
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.InsertAccount(ctx, &team))
			check(t, tx.InsertMembership(ctx, paraph.Membership{AccountID: team.ID, UserID: bob.ID, Role: paraph.RoleAdmin, CreatedAt: joined.Add(-1e9)}))
			check(t, tx.InsertMembership(ctx, paraph.Membership{AccountID: team.ID, UserID: ada.ID, Role: paraph.RoleMember, CreatedAt: joined}))
			check(t, tx.InsertMembership(ctx, paraph.Membership{AccountID: team.ID, UserID: ada.ID, Role: paraph.RoleAdmin, CreatedAt: joined}))
			return tx.RenameAccount(ctx, team.ID, "Acme & Söhne")
		})
		team.Name = "Acme & Söhne"
		got, err := s.Account(ctx, team.ID)
		check(t, err)
		same(t, "account", got, team)
		_, err = s.Account(ctx, 99)
		wantKind(t, "no account", err, paraph.NotFound)
		spaces, err := s.Spaces(ctx, ada.ID)
		check(t, err)
		same(t, "spaces", spaces, []paraph.Space{{Account: own, Role: paraph.RoleAdmin}, {Account: team, Role: paraph.RoleMember}})
		space, err := s.Space(ctx, team.ID, ada.ID)
		check(t, err)
		same(t, "space", space, spaces[1])
		_, err = s.Space(ctx, own.ID, bob.ID)
		wantKind(t, "somebody else's space", err, paraph.NotFound)
		members, err := s.Members(ctx, team.ID)
		check(t, err)
		same(t, "members", members, []paraph.Member{
			{User: bob, Role: paraph.RoleAdmin, JoinedAt: joined.Add(-1e9)}, {User: ada, Role: paraph.RoleMember, JoinedAt: joined},
		})
	})
}

func TestInvitations(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		i1 := paraph.Invitation{AccountID: a.ID, Email: "1@x.org", InvitedBy: u.ID, CreatedAt: s.Now(), ExpiresAt: s.Now().Add(time.Hour)}
		i2, i3 := i1, i1
		i2.Email, i3.Email = "2@x.org", "3@x.org"
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.InsertInvitation(ctx, &i1, "t1"))
			check(t, tx.InsertInvitation(ctx, &i2, "t2"))
			return tx.InsertInvitation(ctx, &i3, "t3")
		})
		open, err := s.Invitations(ctx, a.ID)
		check(t, err)
		same(t, "invitations", open, []paraph.Invitation{i3, i2, i1})
		if strangers, err := s.Invitations(ctx, b.ID); err != nil || len(strangers) != 0 {
			t.Errorf("another account sees %v, %v", strangers, err)
		}
		got, err := s.InvitationByToken(ctx, "t2", s.Now())
		check(t, err)
		same(t, "invitation", got, i2)
		_, err = s.InvitationByToken(ctx, "t2", i2.ExpiresAt)
		wantKind(t, "an invitation that ran out", err, paraph.NotFound)
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.DeleteInvitation(ctx, b.ID, i1.ID)) // a stranger's wish
			check(t, tx.DeleteInvitation(ctx, a.ID, i3.ID))
			return tx.AcceptInvitation(ctx, i2.ID)
		})
		_, err = s.InvitationByToken(ctx, "t2", s.Now())
		wantKind(t, "an accepted invitation", err, paraph.NotFound)
		open, err = s.Invitations(ctx, a.ID)
		check(t, err)
		same(t, "invitations that are left", open, []paraph.Invitation{i1})
	})
}

func TestSessions(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		own, ada := storetest.Space(t, s, "ada")
		team, bob := storetest.Space(t, s, "team")
		m := paraph.Membership{AccountID: team.ID, UserID: ada.ID, Role: paraph.RoleMember, CreatedAt: s.Now()}
		sessions := make([]paraph.Session, 4)
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.InsertMembership(ctx, m))
			for i := range sessions {
				sessions[i] = paraph.Session{UserID: ada.ID, AccountID: own.ID, CreatedAt: s.Now(), ExpiresAt: s.Now().Add(time.Hour), IP: "::1", UserAgent: "ü\xff"}
				if i == 3 {
					sessions[i].UserID, sessions[i].AccountID = bob.ID, team.ID
				}
				check(t, tx.InsertSession(ctx, &sessions[i], fmt.Sprint("s", i)))
			}
			return tx.SetSessionAccount(ctx, sessions[1].ID, team.ID)
		})
		sessions[0].UserAgent = "ü\uFFFD"
		got, err := s.SessionByToken(ctx, "s0", s.Now())
		check(t, err)
		same(t, "session", got, store.Signed{Session: sessions[0], User: ada, Space: paraph.Space{Account: own, Role: paraph.RoleAdmin}})
		got, err = s.SessionByToken(ctx, "s1", s.Now())
		check(t, err)
		same(t, "space of a session", got.Space, paraph.Space{Account: team, Role: paraph.RoleMember})
		_, err = s.SessionByToken(ctx, "s0", s.Now().Add(time.Hour))
		wantKind(t, "a session that ran out", err, paraph.NotFound)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteMembership(ctx, team.ID, ada.ID) })
		_, err = s.SessionByToken(ctx, "s1", s.Now())
		wantKind(t, "a session of no member", err, paraph.NotFound)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteSessionsOf(ctx, ada.ID, sessions[2].ID) })
		for token, kind := range map[string]paraph.Kind{"s0": paraph.NotFound, "s2": "", "s3": "", "": paraph.NotFound} {
			_, err = s.SessionByToken(ctx, token, s.Now())
			wantKind(t, "session "+token, err, kind)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteSession(ctx, sessions[2].ID) })
		_, err = s.SessionByToken(ctx, "s2", s.Now())
		wantKind(t, "a session that was signed out", err, paraph.NotFound)
	})
}

func TestPasswordResets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		_, ada := storetest.Space(t, s, "ada")
		_, bob := storetest.Space(t, s, "bob")
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.InsertPasswordReset(ctx, ada.ID, "a1", tx.Now().Add(time.Hour)))
			check(t, tx.InsertPasswordReset(ctx, ada.ID, "a2", tx.Now().Add(time.Hour)))
			return tx.InsertPasswordReset(ctx, bob.ID, "b1", tx.Now().Add(time.Hour))
		})
		got, err := s.UserByReset(ctx, "a1", s.Now())
		check(t, err)
		same(t, "user", got, ada)
		_, err = s.UserByReset(ctx, "a1", s.Now().Add(time.Hour))
		wantKind(t, "a reset that ran out", err, paraph.NotFound)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeletePasswordResets(ctx, ada.ID) })
		for token, kind := range map[string]paraph.Kind{"a1": paraph.NotFound, "a2": paraph.NotFound, "b1": ""} {
			_, err := s.UserByReset(ctx, token, s.Now())
			wantKind(t, token, err, kind)
		}
	})
}

func TestAPITokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, u := storetest.Space(t, s, "ada")
		b, v := storetest.Space(t, s, "bob")
		t1 := paraph.APIToken{AccountID: a.ID, UserID: u.ID, Name: "one", Hint: "par_1", CreatedAt: s.Now()}
		t2 := t1
		t2.Name, t2.ExpiresAt = "two", s.Now().Add(time.Hour)
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.InsertAPIToken(ctx, &t1, "x1"))
			check(t, tx.InsertAPIToken(ctx, &t2, "x2"))
			return tx.TouchAPIToken(ctx, t1.ID)
		})
		t1.LastUsedAt = s.Now()
		list, err := s.APITokens(ctx, a.ID, u.ID)
		check(t, err)
		same(t, "tokens", list, []paraph.APIToken{t2, t1})
		for _, ids := range [][2]int64{{b.ID, u.ID}, {a.ID, v.ID}} {
			if list, err := s.APITokens(ctx, ids[0], ids[1]); err != nil || len(list) != 0 {
				t.Errorf("others see %v, %v", list, err)
			}
		}
		got, err := s.APITokenByToken(ctx, "x1", s.Now())
		check(t, err)
		same(t, "signed", got, store.Signed{Token: t1, User: u, Space: paraph.Space{Account: a, Role: paraph.RoleAdmin}})
		for token, kind := range map[string]paraph.Kind{"x1": "", "x2": paraph.NotFound, "x3": paraph.NotFound} {
			_, err := s.APITokenByToken(ctx, token, s.Now().Add(time.Hour))
			wantKind(t, token+" after an hour", err, kind)
		}
		wantKind(t, "a stranger revoking", s.Update(ctx, func(tx *store.Tx) error { return tx.DeleteAPIToken(ctx, b.ID, u.ID, t1.ID) }), paraph.NotFound)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteAPIToken(ctx, a.ID, u.ID, t1.ID) })
		_, err = s.APITokenByToken(ctx, "x1", s.Now())
		wantKind(t, "a revoked token", err, paraph.NotFound)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteMembership(ctx, a.ID, u.ID) })
		_, err = s.APITokenByToken(ctx, "x2", s.Now())
		wantKind(t, "a token of no member", err, paraph.NotFound)
	})
}

func TestSettings(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		for _, v := range []string{"1", "", "ü"} {
			storetest.Update(t, s, func(tx *store.Tx) error { return tx.SetSetting(ctx, "a", v) })
			if got, err := s.Setting(ctx, "a"); got != v || err != nil {
				t.Errorf("setting is %q, %v; want %q", got, err, v)
			}
		}
		if got, err := s.Setting(ctx, "b"); got != "" || err != nil {
			t.Errorf("a setting that was never set: %q, %v", got, err)
		}
	})
}

func TestIdempotencyKeys(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		var won atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				mine := false
				err := s.Update(ctx, func(tx *store.Tx) (err error) { mine, err = tx.ReserveAnswer(ctx, a.ID, "k", "hash"); return err })
				if err != nil {
					wantKind(t, "reserve", err, paraph.Conflict)
				} else if mine {
					won.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			t.Errorf("%d requests got the key", won.Load())
		}
		got, found, err := s.Answer(ctx, a.ID, "k")
		check(t, err)
		same(t, "reserved", got, store.Answered{RequestHash: "hash", Body: []byte{}, CreatedAt: s.Now()})
		if _, other, err := s.Answer(ctx, b.ID, "k"); !found || other || err != nil {
			t.Errorf("found %v, by another account %v, %v", found, other, err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.SaveAnswer(ctx, b.ID, "k", 500, []byte("theirs")))
			return tx.SaveAnswer(ctx, a.ID, "k", 201, []byte{0, 0xff})
		})
		got, _, err = s.Answer(ctx, a.ID, "k")
		check(t, err)
		same(t, "answered", got, store.Answered{RequestHash: "hash", Status: 201, Body: []byte{0, 0xff}, CreatedAt: s.Now()})
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.SaveAnswer(ctx, a.ID, "k", 0, nil) })
		if _, found, err := s.Answer(ctx, a.ID, "k"); found || err != nil {
			t.Errorf("a freed key is found: %v", err)
		}
	})
}

func TestEndpoints(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		b, _ := storetest.Space(t, s, "bob")
		p, q := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		got, err := s.Endpoint(ctx, a.ID, p.ID)
		check(t, err)
		same(t, "endpoint", got, p)
		_, err = s.Endpoint(ctx, b.ID, p.ID)
		wantKind(t, "a stranger's endpoint", err, paraph.NotFound)
		if list, err := s.Endpoints(ctx, b.ID); err != nil || len(list) != 0 {
			t.Errorf("another account sees %v, %v", list, err)
		}
		p.URL, p.Events, p.Secret, p.SigningSecret, p.Headers = "http://x", nil, "s2", "w2", nil
		p.Description, p.Enabled, p.DisabledAt, p.DisabledWhy, p.Schedule = "d2", false, s.Now(), "dead", "1,2"
		p.Timeout, p.Concurrency, p.Rate, p.Ordered, p.OmitTokens, p.UpdatedAt = time.Second, 1, 0, true, false, clock.Advance(time.Second)
		stranger := p
		stranger.AccountID, stranger.URL = b.ID, "http://theirs"
		storetest.Update(t, s, func(tx *store.Tx) error {
			check(t, tx.UpdateEndpoint(ctx, stranger))
			return tx.UpdateEndpoint(ctx, p)
		})
		list, err := s.Endpoints(ctx, a.ID)
		check(t, err)
		same(t, "endpoints", list, []paraph.Endpoint{p, q})
		wantKind(t, "a stranger deleting", s.Update(ctx, func(tx *store.Tx) error { return tx.DeleteEndpoint(ctx, b.ID, p.ID) }), paraph.NotFound)
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteEndpoint(ctx, a.ID, p.ID) })
		wantKind(t, "deleting twice", s.Update(ctx, func(tx *store.Tx) error { return tx.DeleteEndpoint(ctx, a.ID, p.ID) }), paraph.NotFound)
		_, err = s.Endpoint(ctx, a.ID, p.ID)
		wantKind(t, "a deleted endpoint", err, paraph.NotFound)
		_, err = s.AnyEndpoint(ctx, p.ID)
		wantKind(t, "a deleted endpoint, to the sender", err, paraph.NotFound)
		any, err := s.AnyEndpoint(ctx, q.ID)
		check(t, err)
		same(t, "any endpoint", any, q)
		storetest.Update(t, s, func(tx *store.Tx) error {
			one, err := tx.AnyEndpoint(ctx, q.ID)
			check(t, err)
			same(t, "any endpoint in a transaction", one, q)
			many, err := tx.EndpointsByID(ctx, []int64{p.ID, q.ID, 99})
			same(t, "endpoints by id", many, map[int64]paraph.Endpoint{q.ID: q})
			return err
		})
		list, err = s.Endpoints(ctx, a.ID)
		check(t, err)
		if !slices.EqualFunc(list, []paraph.Endpoint{q}, func(x, y paraph.Endpoint) bool { return x.ID == y.ID }) {
			t.Errorf("left are %+v", list)
		}
	})
}
