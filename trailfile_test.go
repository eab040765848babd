package paraph_test

import (
	"bytes"
	"strings"
	"testing"

	. "github.com/paraph-sign/paraph"
)

func TestTrailFile(t *testing.T) {
	t.Parallel()
	e := draft(t, true)
	events := Chain(Event{}, []Event{
		{EnvelopeID: 5, Type: EnvelopeCreated, At: start, Actor: sender},
		{EnvelopeID: 5, Type: RecipientFinished, At: at(3), Actor: signer, RecipientID: 1, Data: map[string]string{"consent": "I <agree> & sign.", "ä": "\u2028"}},
		{EnvelopeID: 5, Type: RecipientFinished, At: at(4), Actor: Actor{Kind: ByAPI, Name: "Sam"}, RecipientID: 2},
	})
	file, err := NewTrailFile(&e, events).JSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ReadTrailFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.LastHash != events[2].Hash || len(got.Events) != 3 || !got.Events[1].When.Equal(at(3)) {
		t.Errorf("it is read as %+v", got)
	}
	if r := got.Recipients[0]; r.Consent != "I <agree> & sign." || r.Proof == ProofAPI || r.Proof == "" {
		t.Errorf("the first recipient is %+v", r)
	}
	if r := got.Recipients[2]; r.Proof != ProofAPI || r.Consent != "" {
		t.Errorf("the second recipient is %+v", r)
	}
	if r := got.Recipients[1]; r.Proof != "" {
		t.Errorf("who only gets a copy was known by %q", r.Proof)
	}
	for what, forged := range map[string]string{
		"a changed name":     strings.Replace(string(file), `"name": "Sam Sender"`, `"name": "Eve"`, 1),
		"a changed consent":  strings.Replace(string(file), `\u003cagree\u003e`, `disagree`, -1),
		"a member added":     strings.Replace(string(file), `"seq": 1,`, `"seq": 1, "x": 1,`, 1),
		"a member twice":     strings.Replace(string(file), `"seq": 1,`, `"seq": 7, "seq": 1,`, 1),
		"another last hash":  strings.Replace(string(file), `"last_hash": "`+events[2].Hash, `"last_hash": "`+events[1].Hash, 1),
		"another format":     strings.Replace(string(file), TrailFormat, "paraph-audit-trail/9", 1),
		"no JSON":            string(file[:len(file)/2]),
		"nothing":            "",
		"a trail of nothing": `{"format":"` + TrailFormat + `","events":[]}`,
	} {
		if bytes.Equal([]byte(forged), file) {
			t.Fatalf("%s changes nothing", what)
		}
		if _, err := ReadTrailFile([]byte(forged)); KindOf(err) != Invalid {
			t.Errorf("%s is answered %v", what, err)
		}
	}
}

func TestPreferences(t *testing.T) {
	t.Parallel()
	speaks := func(language string) bool { return language == "en" }
	if _, err := DefaultPreferences().Check(speaks); err != nil {
		t.Error(err)
	}
	for pattern, good := range map[string]bool{
		"": true, "{name}": true, "{id}-{date}": true, "plain": false, "{date} {status}": false, "{name": false, "{NAME}": false, "{name}}": false,
		strings.Repeat("x", 120) + "{name}": false, "{envelope} – {name}": true,
	} {
		if err := CheckFileNames(pattern); (err == nil) != good {
			t.Errorf("%q is answered %v", pattern, err)
		}
	}
	for zone, good := range map[string]bool{"UTC": true, "Europe/Berlin": true, "": false, "Local": false, "Mars/Base": false, "../../etc/passwd": false} {
		if _, err := ZoneOf("time_zone", zone); (err == nil) != good {
			t.Errorf("%q is answered %v", zone, err)
		}
	}
	name := FileName{Name: "{envelope}", Envelope: "Lease", Status: "signed", Date: "2026-03-01", ID: "7"}
	if got := name.By("{name} {envelope} {status} {date} {id}"); got != "{envelope} Lease signed 2026-03-01 7" {
		t.Errorf("the name is %q", got)
	}
}
