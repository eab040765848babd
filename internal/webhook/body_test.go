package webhook

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/paraph-sign/paraph"
)

func render(t *testing.T, name string, s Snapshot, to paraph.Endpoint) string {
	t.Helper()
	body, err := Render(name, s, to)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Of an array that may be named twice only the one who acted is named on opened and signed, everybody on the others, and the key is
// not there when there is nobody.
func TestDocumensoRecipientArray(t *testing.T) {
	t.Parallel()
	at := snapshots(t)
	for name, want := range map[string][]int64{
		"document.opened": {anna}, "document.signed": {basho}, "document.recipient.completed": {anna, basho, carla}, "document.sent": {anna, basho, carla},
	} {
		var body struct {
			Payload struct {
				Exactly    []struct{ ID int64 } `json:"Recipient"`
				Recipients []struct{ ID int64 }
			}
		}
		// encoding/json matches keys without their case; only the exact spelling may count here.
		text := strings.Replace(render(t, name, at[name], receiverOf()), `"recipients":`, `"others":`, 1)
		if err := json.Unmarshal([]byte(text), &body); err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, r := range body.Payload.Exactly {
			got = append(got, r.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	bare := at["document.created"]
	bare.Envelope.Recipients = nil
	if text := render(t, "document.created", bare, receiverOf()); strings.Contains(text, `"Recipient"`) || !strings.Contains(text, `"recipients":[]`) {
		t.Errorf("without recipients: %s", text)
	}
}

func TestOmitTokens(t *testing.T) {
	t.Parallel()
	at, to := snapshots(t), receiverOf()
	to.OmitTokens = true
	for _, n := range Names() {
		text := render(t, n.Name, at[n.Name], to)
		if strings.Contains(text, "-opens-this-page") {
			t.Errorf("%s holds a signing link: %s", n.Name, text)
		}
	}
	if text := render(t, "document.sent", at["document.sent"], to); !strings.Contains(text, `"token":null`) {
		t.Errorf("no token at all: %s", text)
	}
}

// Rendering depends on its input only, down to the byte.
func TestSameInputSameBytes(t *testing.T) {
	t.Parallel()
	a, b := snapshots(t), snapshots(t)
	for _, n := range Names() {
		if x, y := render(t, n.Name, a[n.Name], receiverOf()), render(t, n.Name, b[n.Name], receiverOf()); x != y {
			t.Errorf("%s: %s\n%s", n.Name, x, y)
		}
	}
}

func TestAuditLogOnlyWhenAllHaveCompleted(t *testing.T) {
	t.Parallel()
	st := newStory(t)
	before := st.throughCompletion()
	if text := render(t, "form.completed", before, receiverOf()); !strings.Contains(text, `"audit_log_url":null`) {
		t.Error("an audit log that is not there yet was announced")
	}
	after := st.sealed()
	after.Event.RecipientID = basho
	text := render(t, "form.completed", after, receiverOf())
	if strings.Count(text, "/a4b5a4b5/audit.pdf") != 2 || !strings.Contains(text, "/60716071/d0c00061.pdf") {
		t.Errorf("after sealing: %s", text)
	}
}

func TestDocumentDataFollowsTheSealedPDF(t *testing.T) {
	t.Parallel()
	text := render(t, "document.completed", snapshots(t)["document.completed"], receiverOf())
	if !strings.Contains(text, `"data":"60716071`) || !strings.Contains(text, `"initialData":"0a1b0a1b`) {
		t.Error(text)
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	s := snapshots(t)["form.viewed"]
	if _, err := Render("form.exploded", s, receiverOf()); err == nil {
		t.Error("an unknown event was rendered")
	}
	s.Event.RecipientID = 999
	for _, name := range []string{"form.viewed", "document.opened", "document.signed"} {
		if _, err := Render(name, s, receiverOf()); err == nil {
			t.Errorf("%s about nobody was rendered", name)
		}
	}
}

func TestOddValues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"1250.50": "1250.50", "-3": "-3", "+5": "5", ".5": "0.5", "1e3": "1e3", "007": "7", "x": "null", "true": "null"} {
		got, err := json.Marshal(number(text))
		if err != nil || string(got) != want {
			t.Errorf("number %q: %s, %v; want %s", text, got, err, want)
		}
	}
	for text, want := range map[string]string{"": "{}", `{"a":1}`: `{"a":1}`, "[1]": "{}", "{": "{}", "null": "{}", ` {"b" : 2} `: `{"b" : 2}`} {
		if got := object(text); !bytes.Equal(got, []byte(want)) {
			t.Errorf("object %q: %s, want %s", text, got, want)
		}
	}
	berlin := time.FixedZone("CET", 3600)
	for at, want := range map[time.Time]string{
		{}: "null", time.Date(2027, 1, 1, 0, 30, 0, 999999999, berlin): `"2026-12-31T23:30:00.999Z"`, time.Unix(0, 0): `"1970-01-01T00:00:00.000Z"`,
	} {
		if got, err := stamp(at).MarshalJSON(); err != nil || string(got) != want {
			t.Errorf("%s: %s, want %s", at, got, want)
		}
	}
}

func TestNewRequest(t *testing.T) {
	t.Parallel()
	to := paraph.Endpoint{URL: "https://a.example/", Secret: "hush", SigningSecret: "whsec_AAAA", Headers: [][2]string{{"X-A", "b"}}, Timeout: time.Second}
	d := paraph.Delivery{EventName: "document.signed", MessageID: "msg_1", Body: []byte("{}"), Attempts: 2, Test: true}
	want := Request{
		URL: "https://a.example/", Body: []byte("{}"), ID: "msg_1", Event: "document.signed", Attempt: 3, Secrets: []string{"whsec_AAAA"},
		Documenso: true, DocumensoSecret: "hush", Headers: to.Headers, Timeout: time.Second, Test: true,
	}
	if diff := cmp.Diff(want, NewRequest(to, d, time.Unix(1789905600, 0))); diff != "" {
		t.Error(diff)
	}
	d.EventName = "form.viewed"
	if r := NewRequest(to, d, time.Unix(1789905600, 0)); r.Documenso || r.DocumensoSecret != "" || !r.DocuSeal {
		t.Errorf("a form event got %+v", r)
	}
}
