package seal

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const firefoxOnWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"

// testAudit is the evidence of an envelope with so many events.
func testAudit(events int) Audit {
	at := time.Date(2026, 3, 14, 15, 9, 26, 0, time.UTC)
	digest := strings.Repeat("0123456789abcdef", 4)
	a := Audit{
		Title: "Mietvertrag – Аренда – 租賃", ID: "env_123", Status: "completed", Sender: "Grace <grace@example.com>",
		Created: at.Add(-2 * time.Hour), Sent: at.Add(-time.Hour), Completed: at,
		Documents: []AuditDocument{{Name: "lease.pdf", Pages: 3, SHA256: digest}, {Name: "annex.pdf", Pages: 1, SHA256: digest, Signed: strings.Repeat("fedcba9876543210", 4)}},
		Recipients: []AuditRecipient{
			{Name: "Ada Lovelace", Email: "ada@example.com", Kind: "signer", Role: "Tenant", Status: "signed", Acted: at, IP: "203.0.113.9", UserAgent: firefoxOnWindows, Proof: "mail", Consent: "I agree to sign this document electronically.", Signature: testPNG(300, 80)},
			{Name: "محمد", Email: "m@example.com", Kind: "signer", Status: "declined", Reason: "Too expensive", Acted: at},
			{Email: "copy@example.com", Kind: "cc"},
		},
		TrailHash: digest, VerifyURL: "https://sign.example.com/verify", Instance: "sign.example.com",
	}
	for i := range events {
		a.Events = append(a.Events, AuditEvent{At: at, What: fmt.Sprintf("Event%03d happened", i), Who: "Ada", IP: "203.0.113.9", UserAgent: firefoxOnWindows, Hash: digest})
	}
	return a
}

func TestAuditPages(t *testing.T) {
	t.Parallel()
	a := testAudit(60)
	out, err := pdfEngine().AuditPages(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	toolSays(t, out, "qpdf", "--check")
	info, err := pdfEngine().Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	n := len(info.Pages)
	if n < 3 || n > 8 {
		t.Errorf("60 events take %d pages", n)
	}
	text := foundText(t, out)
	wanted := []string{
		"Mietvertrag – Аренда – 租賃", "env_123", "grace@example.com", "lease.pdf", "annex.pdf", "Pages: 1 · converted or repaired", a.TrailHash, "Firefox 128 on Windows", "Personal link sent to their e-mail address", "I agree to sign this document electronically.",
		"Ada Lovelace", "Tenant", "“Too expensive”", "copy@example.com", "2026-03-14 15:09:26 UTC", "https://sign.example.com/verify",
		"Page 1 of ", fmt.Sprintf("Page %d of %d", n, n),
	}
	for i := range 60 {
		wanted = append(wanted, fmt.Sprintf("Event%03d", i))
	}
	for _, w := range wanted {
		if !strings.Contains(text, w) {
			t.Errorf("%q is missing", w)
		}
	}
	if heads := strings.Count(text, "When"); heads != n && heads != n-1 {
		t.Errorf("the table's head is there %d times on %d pages", heads, n)
	}
}

func TestAuditPagesStayOnPaper(t *testing.T) {
	t.Parallel()
	a := testAudit(3)
	long := strings.Repeat("Donaudampfschifffahrtsgesellschaft ", 30)
	a.Title, a.Recipients[0].UserAgent, a.Recipients[1].Reason, a.Events[0].What = long, long, long, long
	a.Events[1].UserAgent = strings.Repeat("x", 2000)
	out, err := pdfEngine().AuditPages(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	info, err := pdfEngine().Inspect(t.Context(), out)
	if err != nil {
		t.Fatal(err)
	}
	for i := range info.Pages {
		runs, err := pdfEngine().PageText(t.Context(), out, i)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			if r.X < 0.08 || r.X+r.W > 0.92 || r.Y < 0.05 || r.Y+r.H > 0.98 {
				t.Errorf("page %d: %q is off the margins at %.2f %.2f %.2f %.2f", i+1, r.Text, r.X, r.Y, r.W, r.H)
			}
		}
	}
}

func TestAuditPagesEmpty(t *testing.T) {
	t.Parallel()
	out, err := pdfEngine().AuditPages(t.Context(), Audit{})
	if err != nil {
		t.Fatal(err)
	}
	toolSays(t, out, "qpdf", "--check")
}

func TestAuditPagesInAZone(t *testing.T) {
	t.Parallel()
	a := testAudit(1)
	a.Zone = time.FixedZone("CET", 3600)
	out, err := pdfEngine().AuditPages(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	if text := foundText(t, out); !strings.Contains(text, "2026-03-14 16:09:26 CET") || strings.Contains(text, "UTC") {
		t.Errorf("the zone is not kept: %s", text)
	}
}

func TestAuditPagesInEachLanguage(t *testing.T) {
	t.Parallel()
	for _, l := range Languages() {
		a := testAudit(1)
		a.Language = l[0]
		a.Events = append(a.Events, AuditEvent{At: a.Sent, Code: "recipient.opened", What: "not this", About: "Ada"}, AuditEvent{Code: "unheard.of", What: "Something new"})
		out, err := pdfEngine().AuditPages(t.Context(), a)
		if err != nil {
			t.Fatalf("%s: %v", l[0], err)
		}
		w, text := wordsOf(l[0]), foundText(t, out)
		for _, want := range []string{w.Title, w.Recipients, w.Verify, fill(w.Happened["recipient.opened"], "about", "Ada"), "Something new", w.States["signed"]} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q is missing", l[0], want)
			}
		}
		if strings.ContainsAny(text, "{}") || strings.Contains(text, "not this") {
			t.Errorf("%s: something is not filled in: %s", l[0], text)
		}
	}
}
