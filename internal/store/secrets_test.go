package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
	"github.com/paraph-sign/paraph/internal/vault"
)

func vaultOf(t *testing.T, key byte, previous ...byte) *vault.Vault {
	t.Helper()
	cfg := vault.Config{Key: bytes.Repeat([]byte{key}, vault.KeySize)}
	for _, p := range previous {
		cfg.Previous = append(cfg.Previous, bytes.Repeat([]byte{p}, vault.KeySize))
	}
	v, err := vault.New(cfg)
	check(t, err)
	return v
}

// opened is a store that is closed by the test itself.
func opened(t *testing.T, address string, v *vault.Vault) (*store.Store, error) {
	t.Helper()
	return store.Open(ctx, store.Config{Address: address, Clock: storetest.NewClock().Now, Logger: slog.New(slog.NewTextHandler(t.Output(), nil)), Vault: v})
}

func reopened(t *testing.T, address string, v *vault.Vault) *store.Store {
	t.Helper()
	s, err := opened(t, address, v)
	check(t, err)
	t.Cleanup(func() { check(t, s.Close()) })
	return s
}

// eachEngine runs a test with the address of an empty database.
func eachEngine(t *testing.T, test func(t *testing.T, address string)) {
	t.Helper()
	t.Parallel()
	for _, engine := range storetest.Engines() {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			test(t, storetest.Address(t, engine))
		})
	}
}

// secretEndpoint stores an endpoint full of secrets, which all have the word
// in them.
func secretEndpoint(t *testing.T, s *store.Store, accountID int64, word string) paraph.Endpoint {
	t.Helper()
	e := paraph.Endpoint{
		AccountID: accountID, URL: "https://example.com/", Events: []string{"*"}, Enabled: true, Schedule: paraph.DefaultSchedule,
		Timeout: paraph.DefaultTimeout, Concurrency: 8, CreatedAt: s.Now(), UpdatedAt: s.Now(),
		Secret: word + "-own", SigningSecret: "whsec_" + word, PreviousSecret: word + "-previous", PreviousUntil: s.Now().Add(time.Hour),
		Headers: [][2]string{{"Authorization", "Bearer " + word}, {"X-Team", word}},
	}
	storetest.Update(t, s, func(tx *store.Tx) error { return tx.InsertEndpoint(ctx, &e) })
	return e
}

// kept is all that the database keeps on disk of a word: SQLite's files, and
// Postgres' rows.
func kept(t *testing.T, s *store.Store, address, word string) (where []string) {
	t.Helper()
	if strings.Contains(address, "://") {
		rows, err := s.Query(ctx, "SELECT CAST(endpoints AS TEXT) FROM endpoints")
		check(t, err)
		if len(rows) == 0 {
			t.Fatal("there is no endpoint to look at")
		}
		for _, row := range rows {
			if strings.Contains(fmt.Sprint(row[0]), word) {
				where = append(where, "a row")
			}
		}
		return where
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(address), "*"))
	check(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		check(t, err)
		if bytes.Contains(b, []byte(word)) {
			where = append(where, filepath.Base(f))
		}
	}
	return where
}

func TestSecretsAreEncrypted(t *testing.T) {
	eachEngine(t, func(t *testing.T, address string) {
		s := reopened(t, address, vaultOf(t, 1))
		a, _ := storetest.Space(t, s, "ada")
		e := secretEndpoint(t, s, a.ID, "SAFEWORD")
		for i := range 3 { // the second and third time from memory
			got, err := s.Endpoint(ctx, a.ID, e.ID)
			check(t, err)
			same(t, fmt.Sprint("endpoint, read ", i), got, e)
			got.Headers[0][1] = "changed by the reader"
		}
		e.Secret, e.PreviousSecret, e.PreviousUntil, e.Headers = "SAFEWORD2", "", time.Time{}, nil
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.UpdateEndpoint(ctx, e) })
		got, err := s.Endpoint(ctx, a.ID, e.ID)
		check(t, err)
		same(t, "changed endpoint", got, e)
		if where := kept(t, s, address, "SAFEWORD"); where != nil {
			t.Errorf("the secrets stand in %v", where)
		}
	})
}

// plainEndpoint stores an endpoint as it was before there was a vault.
func plainEndpoint(t *testing.T, s *store.Store, accountID int64, word string, deleted bool) {
	t.Helper()
	deletedAt := 0
	if deleted {
		deletedAt = 1
	}
	_, err := s.Writer().ExecContext(ctx, `INSERT INTO endpoints (account_id, url, events, secret, signing_secret, headers, description, enabled,
		disabled_at, disabled_why, schedule, timeout, concurrency, rate, ordered, omit_tokens, created_at, updated_at, deleted_at)
		VALUES ($1, 'https://example.com/', '["*"]', $2, $3, $4, '', TRUE, 0, '', 'seed', 15000000, 8, 0, FALSE, FALSE, 0, 0, $5)`,
		accountID, word+"-own", "whsec_"+word, `[["Authorization","Bearer `+word+`"]]`, deletedAt)
	check(t, err)
}

func TestPlainSecretsAreEncryptedAtTheStart(t *testing.T) {
	eachEngine(t, func(t *testing.T, address string) {
		old, err := opened(t, address, nil)
		check(t, err)
		a, _ := storetest.Space(t, old, "ada")
		const n = 450 // more than two batches
		for i := range n {
			plainEndpoint(t, old, a.ID, fmt.Sprintf("PLAINWORD%d", i), false)
		}
		plainEndpoint(t, old, a.ID, "PLAINWORD-deleted", true)
		if where := kept(t, old, address, "PLAINWORD"); where == nil {
			t.Error("the test sees no plain secret where one is")
		}
		check(t, old.Close())

		s := reopened(t, address, vaultOf(t, 1))
		es, err := s.Endpoints(ctx, a.ID)
		check(t, err)
		if len(es) != n {
			t.Fatalf("%d endpoints are left of %d", len(es), n)
		}
		for i, e := range es {
			word := fmt.Sprintf("PLAINWORD%d", i)
			if e.Secret != word+"-own" || e.SigningSecret != "whsec_"+word || len(e.Headers) != 1 || e.Headers[0] != [2]string{"Authorization", "Bearer " + word} {
				t.Fatalf("endpoint %d came out as %+v", i, e)
			}
		}
		if where := kept(t, s, address, "PLAINWORD"); where != nil {
			t.Errorf("the secrets still stand in %v", where)
		}
	})
}

func TestAPlainEndpointThatCameLaterIsReadAndEncryptedWhenWritten(t *testing.T) {
	eachEngine(t, func(t *testing.T, address string) {
		s := reopened(t, address, vaultOf(t, 1))
		a, _ := storetest.Space(t, s, "ada")
		plainEndpoint(t, s, a.ID, "PLAINWORD", false) // by a node of the version before
		es, err := s.Endpoints(ctx, a.ID)
		check(t, err)
		if len(es) != 1 || es[0].SigningSecret != "whsec_PLAINWORD" || es[0].Headers[0][1] != "Bearer PLAINWORD" {
			t.Fatalf("read as %+v", es)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.UpdateEndpoint(ctx, es[0]) })
		rows, err := s.Query(ctx, "SELECT secret || signing_secret || headers FROM endpoints")
		check(t, err)
		if got := fmt.Sprint(rows[0][0]); got != "[]" {
			t.Errorf("left in the plain columns: %s", got)
		}
	})
}

func TestAWrongKeyIsToldAtTheStart(t *testing.T) {
	eachEngine(t, func(t *testing.T, address string) {
		s, err := opened(t, address, vaultOf(t, 1))
		check(t, err)
		a, _ := storetest.Space(t, s, "ada")
		e := secretEndpoint(t, s, a.ID, "WORD")
		check(t, s.Close())

		if s, err := opened(t, address, vaultOf(t, 2)); !errors.Is(err, store.ErrWrongKey) {
			t.Errorf("another key opens it: %v, %v", s, err)
		}
		s, err = opened(t, address, nil) // as commands do that manage users
		check(t, err)
		if _, err := s.Endpoint(ctx, a.ID, e.ID); err == nil {
			t.Error("secrets are read without a key")
		}
		if err := s.Update(ctx, func(tx *store.Tx) error { return tx.UpdateEndpoint(ctx, e) }); err == nil {
			t.Error("secrets are written without a key")
		}
		check(t, s.Close())

		s, err = opened(t, address, vaultOf(t, 2, 1)) // the key is changed
		check(t, err)
		got, err := s.Endpoint(ctx, a.ID, e.ID)
		check(t, err)
		same(t, "endpoint under the new key", got, e)
		check(t, s.Close())
		if _, err := opened(t, address, vaultOf(t, 1)); !errors.Is(err, store.ErrWrongKey) {
			t.Errorf("the old key still opens it: %v", err)
		}
		got, err = reopened(t, address, vaultOf(t, 2)).Endpoint(ctx, a.ID, e.ID)
		check(t, err)
		same(t, "endpoint under the new key alone", got, e)
	})
}

func TestSecretsOfAnotherEndpointAreRefused(t *testing.T) {
	eachEngine(t, func(t *testing.T, address string) {
		s := reopened(t, address, vaultOf(t, 1))
		a, _ := storetest.Space(t, s, "ada")
		e, other := secretEndpoint(t, s, a.ID, "ONE"), secretEndpoint(t, s, a.ID, "TWO")
		_, err := s.Endpoint(ctx, a.ID, other.ID) // remembered from here on
		check(t, err)
		_, err = s.Writer().ExecContext(ctx, "UPDATE endpoints SET sealed = (SELECT sealed FROM endpoints WHERE id = $1) WHERE id = $2", other.ID, e.ID)
		check(t, err)
		if got, err := s.Endpoint(ctx, a.ID, e.ID); !errors.Is(err, vault.ErrDamaged) {
			t.Errorf("it reads the other's secrets: %q, %v", got.SigningSecret, err)
		}
	})
}

func TestADeletedEndpointLeavesNoSecrets(t *testing.T) {
	eachEngine(t, func(t *testing.T, address string) {
		s := reopened(t, address, vaultOf(t, 1))
		a, _ := storetest.Space(t, s, "ada")
		e := secretEndpoint(t, s, a.ID, "WORD")
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteEndpoint(ctx, a.ID, e.ID) })
		rows, err := s.Query(ctx, "SELECT sealed || secret || signing_secret || headers FROM endpoints")
		check(t, err)
		if got := fmt.Sprint(rows[0][0]); got != "[]" {
			t.Errorf("left: %s", got)
		}
	})
}

// What is remembered is bounded, and what was forgotten is decrypted again.
func TestManySecrets(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, _ *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		long := strings.Repeat("x", 4000)
		var es []paraph.Endpoint
		for i := range 60 { // some 14 MB in memory, of 8
			e := paraph.Endpoint{AccountID: a.ID, Events: []string{"*"}, SigningSecret: fmt.Sprint("whsec_", i), Enabled: true, CreatedAt: s.Now(), UpdatedAt: s.Now()}
			for j := range 20 {
				e.Headers = append(e.Headers, [2]string{fmt.Sprint("X-", j), long + fmt.Sprint(i)})
			}
			es = append(es, e)
		}
		storetest.Update(t, s, func(tx *store.Tx) error {
			for i := range es {
				if err := tx.InsertEndpoint(ctx, &es[i]); err != nil {
					return err
				}
			}
			return nil
		})
		for range 3 {
			got, err := s.Endpoints(ctx, a.ID)
			check(t, err)
			same(t, "endpoints", got, es)
		}
		if young, old := s.Remembered(); young+old == 0 || young > 30 || old > 30 {
			t.Errorf("%d and %d are remembered", young, old)
		}
	})
}

func TestFailingIsWrittenOnChangeOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		e, other := storetest.Endpoint(t, s, a.ID), storetest.Endpoint(t, s, a.ID)
		fail := func(code string) paraph.Failing {
			t.Helper()
			storetest.Update(t, s, func(tx *store.Tx) error {
				return tx.NoteFailure(ctx, e.ID, paraph.Failing{Last: tx.Now(), Code: code, Error: "It said " + code + "."})
			})
			got, err := s.AnyEndpoint(ctx, e.ID)
			check(t, err)
			return got.Failing
		}
		first := paraph.Failing{Since: s.Now(), Last: s.Now(), Code: "http_500", Error: "It said http_500."}
		same(t, "the first failure", fail("http_500"), first)
		clock.Advance(time.Hour - time.Microsecond)
		same(t, "another within the hour", fail("timeout"), first)
		now := clock.Advance(time.Microsecond)
		same(t, "one after it", fail("timeout"), paraph.Failing{Since: first.Since, Last: now.Truncate(time.Microsecond), Code: "timeout", Error: "It said timeout."})

		told := func(f func(tx *store.Tx) (bool, error)) (ok bool) {
			t.Helper()
			storetest.Update(t, s, func(tx *store.Tx) (err error) { ok, err = f(tx); return err })
			return ok
		}
		warn := func(step int) bool {
			return told(func(tx *store.Tx) (bool, error) { return tx.NoteWarning(ctx, e.ID, step) })
		}
		exhausted := func() bool {
			return told(func(tx *store.Tx) (bool, error) { return tx.NoteExhausted(ctx, e.ID, 24*time.Hour) })
		}
		if !warn(1) || warn(1) || !warn(3) || warn(2) {
			t.Error("a step is told twice, or not at all")
		}
		if !exhausted() || exhausted() {
			t.Error("what was given up is told twice, or not at all")
		}
		clock.Advance(48 * time.Hour)
		if exhausted() {
			t.Error("what was given up is told twice while the endpoint fails")
		}
		list, err := s.FailingEndpoints(ctx, first.Since, 0, 10)
		check(t, err)
		if len(list) != 1 || list[0].ID != e.ID {
			t.Errorf("failing are %+v", list)
		}
		if list, err := s.FailingEndpoints(ctx, first.Since.Add(-1000), 0, 10); err != nil || len(list) != 0 {
			t.Errorf("failing before are %+v, %v", list, err)
		}
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.EndFailing(ctx, other.ID, e.ID) })
		got, err := s.AnyEndpoint(ctx, e.ID)
		check(t, err)
		same(t, "after a success", got.Failing, paraph.Failing{ExhaustedAt: got.Failing.ExhaustedAt})
		if !exhausted() {
			t.Error("what is given up later is not told")
		}
		if warn(4) {
			t.Error("an endpoint that recovered is warned of")
		}
		got.Enabled = false
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.UpdateEndpoint(ctx, got) })
		same(t, "a failure while it is off", fail("late").Since, time.Time{})
	})
}

func TestALostKeyIsNotTheEnd(t *testing.T) {
	eachEngine(t, func(t *testing.T, address string) {
		s, err := opened(t, address, vaultOf(t, 1))
		check(t, err)
		a, _ := storetest.Space(t, s, "ada")
		e, gone := secretEndpoint(t, s, a.ID, "WORD"), secretEndpoint(t, s, a.ID, "GONE")
		storetest.Update(t, s, func(tx *store.Tx) error { return tx.DeleteEndpoint(ctx, a.ID, gone.ID) })
		check(t, s.Close())
		s, err = opened(t, address, nil)
		check(t, err)
		if n, err := s.ForgetSecrets(ctx, "The key is lost."); n != 1 || err != nil {
			t.Errorf("forgot %d, %v", n, err)
		}
		check(t, s.Close())
		got, err := reopened(t, address, vaultOf(t, 2)).Endpoint(ctx, a.ID, e.ID)
		check(t, err)
		if got.Enabled || got.DisabledWhy != "The key is lost." || got.Secret+got.SigningSecret+got.PreviousSecret != "" || len(got.Headers) != 0 || got.URL != e.URL {
			t.Errorf("after the key was lost it is %+v", got)
		}
	})
}
