package paraph_test

import (
	"maps"
	"slices"
	"testing"
	"time"

	. "github.com/paraph-sign/paraph"
)

func trail() []Event {
	return Chain(Event{}, []Event{
		{EnvelopeID: 5, Type: EnvelopeCreated, At: start, Actor: sender},
		{EnvelopeID: 5, Type: EnvelopeSent, At: at(1), Actor: sender, Data: map[string]string{"b": "2", "a": "1"}},
		{EnvelopeID: 5, Type: RecipientViewed, At: at(2), Actor: signer, RecipientID: 1},
		{EnvelopeID: 5, Type: RecipientRefused, At: at(3), Actor: signer, RecipientID: 1, Data: map[string]string{"reason": "No."}},
	})
}

// TestHashIsForever holds the format of the hash: a change of it would make
// every stored trail invalid.
func TestHashIsForever(t *testing.T) {
	t.Parallel()
	ev := Event{
		ID: 9, AccountID: 8, EnvelopeID: 42, Seq: 7, Type: RecipientFinished, At: time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC), RecipientID: 13,
		Actor:    Actor{Kind: ByRecipient, UserID: 6, Name: "Ada <Ł>", Email: "ada@example.com", IP: "2001:db8::1", UserAgent: "Mozilla/5.0 & more"},
		Data:     map[string]string{"z": "last", "a": "first", "ä": "\u2028"},
		PrevHash: digest("0"),
	}
	const want = "03b1b7b0d5eff1fc3919fa415a8c8e7e6440ef0d4d763240ef380db5a97c6975"
	if got := ChainHash(ev); got != want {
		t.Errorf("hash is %s, want %s", got, want)
	}
	const bare = "3339329a82ac834c5ec5ceae66d9f144c96f63002321338a77167bd204280741"
	if got := ChainHash(Event{EnvelopeID: 1, Seq: 1, Type: EnvelopeCreated, At: start}); got != bare {
		t.Errorf("hash of a bare event is %s, want %s", got, bare)
	}
	ev.At = ev.At.In(time.FixedZone("elsewhere", 3600)).Add(999 * time.Nanosecond) // neither is stored
	if ChainHash(ev) != want {
		t.Error("the hash knows of time zones or nanoseconds")
	}
}

func TestVerifyTrail(t *testing.T) {
	t.Parallel()
	if err := VerifyTrail(trail()); err != nil {
		t.Fatalf("a good trail: %v", err)
	}
	if err := VerifyTrail(nil); err != nil {
		t.Errorf("no trail: %v", err)
	}
	for i := range trail() {
		for name, change := range tampering() {
			evs := trail()
			change(&evs[i])
			if VerifyTrail(evs) == nil {
				t.Errorf("event %d: nobody noticed a changed %s", i+1, name)
			}
			evs[i].Hash = ChainHash(evs[i]) // the forger knows how hashes are made
			if i < len(evs)-1 && VerifyTrail(evs) == nil {
				t.Errorf("event %d: nobody noticed a changed %s with a new hash", i+1, name)
			}
		}
	}
}

func tampering() map[string]func(ev *Event) {
	return map[string]func(ev *Event){
		"envelope":   func(ev *Event) { ev.EnvelopeID++ },
		"number":     func(ev *Event) { ev.Seq++ },
		"type":       func(ev *Event) { ev.Type = EnvelopeDeleted },
		"time":       func(ev *Event) { ev.At = ev.At.Add(time.Microsecond) },
		"recipient":  func(ev *Event) { ev.RecipientID++ },
		"actor kind": func(ev *Event) { ev.Actor.Kind = ByAPI },
		"user":       func(ev *Event) { ev.Actor.UserID++ },
		"name":       func(ev *Event) { ev.Actor.Name += "x" },
		"e-mail":     func(ev *Event) { ev.Actor.Email += "x" },
		"IP":         func(ev *Event) { ev.Actor.IP += "0" },
		"browser":    func(ev *Event) { ev.Actor.UserAgent = "" },
		"data":       func(ev *Event) { ev.Data = maps.Clone(ev.Data); ev.Data = map[string]string{"reason": "Yes."} },
		"hash":       func(ev *Event) { ev.Hash = digest("0"); ev.Seq += 100 },
		"link":       func(ev *Event) { ev.PrevHash = digest("0") },
	}
}

func TestTrailOrder(t *testing.T) {
	t.Parallel()
	for i := range 3 {
		if VerifyTrail(slices.Delete(trail(), i, i+1)) == nil {
			t.Errorf("nobody misses event %d", i+1)
		}
		evs := trail()
		evs[i], evs[i+1] = evs[i+1], evs[i]
		if VerifyTrail(evs) == nil {
			t.Errorf("nobody noticed that events %d and %d changed places", i+1, i+2)
		}
		if VerifyTrail(slices.Insert(trail(), i, trail()[i])) == nil {
			t.Errorf("nobody noticed event %d twice", i+1)
		}
	}
}

func TestChainGoesOn(t *testing.T) {
	t.Parallel()
	evs := trail()
	more := Chain(evs[3], []Event{{EnvelopeID: 5, Type: EnvelopeArchived, At: at(4), Actor: Actor{Kind: ByUser, UserAgent: "\xff\x00bad"}}})
	if more[0].Seq != 5 || more[0].PrevHash != evs[3].Hash || more[0].Actor.UserAgent != "bad" {
		t.Errorf("the fifth event is %+v", more[0])
	}
	if err := VerifyTrail(append(evs, more...)); err != nil {
		t.Errorf("the longer trail: %v", err)
	}
	if VerifyTrail(more) == nil {
		t.Error("a trail may begin with event 5")
	}
}
