package paraph

import "testing"

// FuzzReadTrailFile reads a trail that may be anybody's: of one that holds, nothing can be changed.
func FuzzReadTrailFile(f *testing.F) {
	f.Add([]byte(`{"format":"paraph-audit-trail/1","events":[]}`))
	ev := Chain(Event{}, []Event{{EnvelopeID: 7, Type: EnvelopeCreated}, {EnvelopeID: 7, Type: EnvelopeSent, Data: map[string]string{"a": "<b>"}}})
	whole, err := NewTrailFile(&Envelope{ID: 7, Name: "Lease"}, ev).JSON()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadTrailFile(data)
		if err != nil {
			return
		}
		events, err := file.Chain()
		if err != nil || VerifyTrail(events) != nil || len(events) == 0 {
			t.Errorf("found good, but is not: %v", err)
		}
	})
}
