package webhook

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, n := range Names() {
		if seen[n.Name] || seen[n.Wire] || !strings.HasSuffix(n.About, ".") {
			t.Errorf("%+v", n)
		}
		seen[n.Name], seen[n.Wire] = true, true
		for _, spelling := range []string{n.Name, n.Wire} {
			if got, ok := Lookup(spelling); !ok || got != n {
				t.Errorf("%s: %+v", spelling, got)
			}
		}
	}
	for dotted, wire := range map[string]string{
		"document.recipient.completed": "DOCUMENT_RECIPIENT_COMPLETED", "recipient.expired": "RECIPIENT_EXPIRED", "form.viewed": "form.viewed",
		"document.reminder.sent": "DOCUMENT_REMINDER_SENT",
	} {
		if n, _ := Lookup(dotted); n.Wire != wire {
			t.Errorf("%s is %q on the wire", dotted, n.Wire)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		subscriptions, name string
		want                bool
	}{
		{"form.viewed", "form.viewed", true},
		{"form.viewed", "form.started", false},
		{"form.*", "form.started", true},
		{"form.*", "document.signed", false},
		{"document.*", "document.recipient.completed", true},
		{"document.*", "recipient.expired", false},
		{"*", "submission.created", true},
		{"", "form.viewed", false},
		{"form*", "form.viewed", false},
		{"document.sent form.*", "form.viewed", true},
		{"form.view", "form.viewed", false},
	} {
		if got := Match(strings.Fields(tc.subscriptions), tc.name); got != tc.want {
			t.Errorf("%q for %s: %v", tc.subscriptions, tc.name, got)
		}
	}
}

func TestCheckEvents(t *testing.T) {
	t.Parallel()
	got, err := CheckEvents([]string{"DOCUMENT_SIGNED", " form.* ", "document.signed", "*"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"document.signed", "form.*", "*"}, got); diff != "" {
		t.Error(diff)
	}
	for wrong, says := range map[string]string{
		"document.singed": "Did you mean “document.signed”?", "from.completed": "Did you mean “form.completed”?", "Form.Viewed": "Did you mean “form.viewed”?",
		"documents.*": "Did you mean “document.*”?", "bananas": "selects a family", "": "selects a family", "template.created": "", strings.Repeat("ö", 500): "selects a family",
	} {
		_, err := CheckEvents([]string{wrong})
		if !isInvalid(err, "events") && !strings.HasSuffix(err.Error(), "?") || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	if _, err := CheckEvents(nil); !isInvalid(err, "events") {
		t.Errorf("no events: %v", err)
	}
}

// Both dialects have events about templates, which there are not; people coming from there must not be sent to something else.
func TestEventsOfTemplatesAreNotSent(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"template.created", "TEMPLATE_USED", "template.*"} {
		if _, err := CheckEvents([]string{"form.viewed", s}); !isInvalid(err, "events") || !strings.Contains(err.Error(), "no templates yet") || strings.Contains(err.Error(), "Did you mean") {
			t.Errorf("%s: %v", s, err)
		}
	}
}
