package paraph

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// link is what an event's hash is over, as one JSON object with its keys in
// this order and the keys of data sorted, written as encoding/json does: no
// spaces, and of <, > and & their \u escapes. Times are microseconds since 1970.
type link struct {
	Prev        string            `json:"prev"`
	EnvelopeID  int64             `json:"envelope"`
	Seq         int64             `json:"seq"`
	Type        EventType         `json:"type"`
	At          int64             `json:"at"`
	RecipientID int64             `json:"recipient"`
	ActorKind   ActorKind         `json:"actor"`
	UserID      int64             `json:"user"`
	Name        string            `json:"name"`
	Email       string            `json:"email"`
	IP          string            `json:"ip"`
	UserAgent   string            `json:"ua"`
	Data        map[string]string `json:"data"`
}

// linkOf is the JSON that an event's hash is over.
func linkOf(ev Event) []byte {
	data := ev.Data
	if data == nil {
		data = map[string]string{}
	}
	b, err := json.Marshal(link{
		Prev: ev.PrevHash, EnvelopeID: ev.EnvelopeID, Seq: ev.Seq, Type: ev.Type, At: ev.At.UnixMicro(),
		RecipientID: ev.RecipientID, ActorKind: ev.Actor.Kind, UserID: ev.Actor.UserID, Name: ev.Actor.Name,
		Email: ev.Actor.Email, IP: ev.Actor.IP, UserAgent: ev.Actor.UserAgent, Data: data,
	})
	if err != nil { // strings and numbers only: can't happen
		panic(err)
	}
	return b
}

// ChainHash is the event's hash: SHA-256, in lower-case hex, over the JSON of
// its content, the hash of the event before it included.
func ChainHash(ev Event) string {
	sum := sha256.Sum256(linkOf(ev))
	return hex.EncodeToString(sum[:])
}

// Chain numbers and links events that follow the event last (the zero Event
// when they are the first) and returns them.
func Chain(last Event, events []Event) []Event {
	for i := range events {
		events[i].Actor = events[i].Actor.clean()
		events[i].Seq = last.Seq + 1
		events[i].PrevHash = last.Hash
		events[i].Hash = ChainHash(events[i])
		last = events[i]
	}
	return events
}

// VerifyTrail checks that events are the trail of one envelope from its first
// event on, unchanged and in order. The error says where it breaks. What was
// cut off at the end can't be seen from the rest; who needs that compares the
// last hash with one that is kept elsewhere.
func VerifyTrail(events []Event) error {
	var last Event
	for _, ev := range events {
		switch {
		case ev.Seq != last.Seq+1:
			return fmt.Errorf("event %d is followed by event %d", last.Seq, ev.Seq)
		case last.Seq > 0 && ev.EnvelopeID != last.EnvelopeID:
			return fmt.Errorf("event %d belongs to another envelope", ev.Seq)
		case ev.PrevHash != last.Hash:
			return fmt.Errorf("event %d does not continue event %d", ev.Seq, last.Seq)
		case ev.Hash != ChainHash(ev):
			return fmt.Errorf("event %d was changed", ev.Seq)
		}
		last = ev
	}
	return nil
}
