package mail

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-cmp/cmp"

	"github.com/paraph-sign/paraph"
)

var (
	update  = flag.Bool("update", false, "write the golden files anew")
	preview = flag.String("preview", "", "a directory to write the HTML of every message to, for looking at")
)

var (
	ada   = Address{"Ada Lovelace", "ada@analytical.example"}
	grace = Address{"Grace Hopper", "grace@navy.example"}
)

const link = "https://sign.example.org/sign/kx0bB2mYw3Qe7H1nPz5tVa"

func invitation() Invitation {
	return Invitation{
		To: grace, Kind: paraph.Signer, Sender: ada, Team: "Analytical Engines Ltd", Envelope: "Mutual non-disclosure agreement", URL: link,
		Message: "Hi Grace,\n\nthis is the agreement we talked about on Tuesday. Nothing has changed since then except for the date in section 3.\n\nBest, Ada",
		Expires: time.Date(2026, 12, 24, 17, 30, 0, 0, time.UTC),
	}
}

// messages are all that Paraph writes, plain and in their ugliest state.
func messages() map[string]Message {
	asks := func(kind paraph.RecipientKind) Message {
		in := Invitation{To: grace, Kind: kind, Sender: ada, Envelope: "Lease 2027", URL: link}
		return NewInvitation(in)
	}
	ugly := Invitation{
		To: Address{Email: "x@example.com"}, Kind: paraph.Signer, Sender: Address{`<b>Bobby</b> "Tables" & Söhne` + "\r\nBcc: evil@example.com", "bobby@example.com"},
		Team: "\u202eteam <script>alert(1)</script>", Envelope: strings.Repeat("Donaudampfschifffahrtsgesellschaft", 12) + "\u202efdp.exe", URL: link + strings.Repeat("0123456789", 12),
		Message: "<img src=x onerror=alert(1)>\r\n{{.Heading}}\n> quoted\nמזל טוב 🎉 " + strings.Repeat("verylongword", 20),
	}
	return map[string]Message{
		"invitation":           NewInvitation(invitation()),
		"invitation_approver":  asks(paraph.Approver),
		"invitation_viewer":    asks(paraph.Viewer),
		"invitation_assistant": asks(paraph.Assistant),
		"invitation_cc":        asks(paraph.CC),
		"invitation_ugly":      NewInvitation(ugly),
		"reminder":             NewReminder(invitation()),
		"seal_expiry": NewSealExpiry(SealExpiry{
			To: ada, Subject: "Analytical Engines Ltd", Fingerprint: strings.Repeat("0f", 32), End: time.Date(2026, 12, 24, 17, 30, 0, 0, time.UTC),
			Left: 7 * 24 * time.Hour, URL: "https://sign.example.org/settings/certificate",
		}),
		"seal_expired": NewSealExpiry(SealExpiry{
			To: ada, Subject: "Analytical Engines Ltd", Fingerprint: strings.Repeat("0f", 32), End: time.Date(2026, 12, 24, 17, 30, 0, 0, time.UTC),
			Left: -time.Second, Waiting: 3, From: "PARAPH_SEAL_P12: seal.p12", URL: "https://sign.example.org/settings/certificate",
		}),
		"declined": NewDeclined(Declined{
			To: ada, Who: grace, Envelope: "Mutual non-disclosure agreement", Reason: "Section 4 binds us for ten years.\nThree would be fine.", URL: "https://sign.example.org/envelopes/17",
		}),
		"declined_to_others": NewDeclined(Declined{To: Address{"Alan Turing", "alan@example.com"}, Who: grace, Envelope: "Mutual non-disclosure agreement"}),
		"cancelled":          NewCancelled(Cancelled{To: grace, Sender: ada, Envelope: "Mutual non-disclosure agreement", Reason: "There is a newer version."}),
		"completed":          NewCompleted(completed([]byte("%PDF-1.7"))),
		"completed_large":    NewCompleted(completed(make([]byte, MaxAttached))),
		"password_reset": NewPasswordReset(PasswordReset{
			To: ada, URL: "https://sign.example.org/reset/kx0bB2mYw3Qe7H1nPz5tVa", ValidFor: time.Hour, IP: "203.0.113.7",
		}),
		"webhook_failing": NewWebhookFailing(WebhookFailing{
			To: ada, Endpoint: "https://crm.example.com/hooks/paraph", Problem: "Every attempt to deliver to it has failed for a while.",
			Last: "The receiver answered 503 Service Unavailable.", Since: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
			OffAt: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC), URL: "https://sign.example.org/settings/webhooks/3",
		}),
		"webhook_given_up": NewWebhookFailing(WebhookFailing{
			To: ada, Endpoint: "https://crm.example.com/hooks/paraph", Problem: "A delivery of form.completed was given up after its last attempt.",
			Last: "The receiver answered 500 Internal Server Error.", GaveUp: true, URL: "https://sign.example.org/settings/webhooks/3/deliveries/7",
		}),
		"webhook_disabled": NewWebhookFailing(WebhookFailing{
			To: ada, Endpoint: "https://crm.example.com/hooks/paraph", Problem: "It answered 410 Gone.", Disabled: true, URL: "https://sign.example.org/settings/webhooks/3",
		}),
		"team_invitation": NewTeamInvitation(TeamInvitation{
			To: Address{Email: "grace@navy.example"}, Inviter: ada, Team: "Analytical Engines Ltd", URL: "https://sign.example.org/teams/join/kx0bB2mYw3",
			Expires: time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC),
		}),
	}
}

func completed(pdf []byte) Completed {
	return Completed{
		To: grace, Sender: ada, Envelope: "Mutual non-disclosure agreement", SignedBy: []string{"Grace Hopper", "Ada Lovelace"},
		URL: link, Files: []Attachment{{Name: "Mutual non-disclosure agreement.pdf", ContentType: "application/pdf", Data: pdf}},
	}
}

func TestTextIsAsTheGoldensSay(t *testing.T) {
	t.Parallel()
	for name, m := range messages() {
		golden := filepath.Join("testdata", name+".txt")
		got := "To: " + m.To.String() + "\nFrom: " + m.FromName + "\nReply-To: " + m.ReplyTo.String() + "\nSubject: " + m.Subject + "\n\n" + m.Text
		if *update {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s differs (-want +got):\n%s", golden, diff)
		}
		if *preview != "" {
			if err := os.WriteFile(filepath.Join(*preview, name+".html"), []byte(m.HTML), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if files, _ := filepath.Glob("testdata/*.txt"); len(files) != len(messages()) {
		t.Errorf("testdata has %d goldens for %d messages", len(files), len(messages()))
	}
}

func TestEveryMessage(t *testing.T) {
	t.Parallel()
	for name, m := range messages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.ContainsAny(m.Subject+m.FromName+m.To.Name+m.ReplyTo.Name, "\r\n\u202e") {
				t.Errorf("subject %q or a name holds a line break or turns the direction", m.Subject)
			}
			doc, err := goquery.NewDocumentFromReader(strings.NewReader(m.HTML))
			if err != nil {
				t.Fatal(err)
			}
			if n := doc.Find("img, script, link, iframe, form, b").Length(); n != 0 {
				t.Errorf("%d elements load or run something, or come from a person", n)
			}
			if strings.Contains(m.HTML, "Zgotmpl") {
				t.Error("the template took something for unsafe")
			}
			wantLinks(t, doc, m.Text)
			for l := range strings.Lines(m.Text) {
				if strings.Contains(strings.TrimSpace(strings.TrimPrefix(l, "> ")), " ") && len([]rune(l)) > textWidth+1 && name != "invitation_ugly" {
					t.Errorf("this line is too wide: %q", l)
				}
			}
		})
	}
}

// wantLinks finds each link of the HTML in the text, and a button's also in words below it.
func wantLinks(t *testing.T, doc *goquery.Document, text string) {
	t.Helper()
	links := doc.Find("a")
	if n := links.Length(); n != 0 && n != 2 {
		t.Errorf("%d links, want a button and its address in words, or neither", n)
	}
	links.Each(func(_ int, a *goquery.Selection) {
		href, _ := a.Attr("href")
		if !strings.HasPrefix(href, "https://sign.example.org/") || !strings.Contains(text, "\n"+href+"\n") {
			t.Errorf("the link %q is not in the text on a line of its own", href)
		}
	})
	if links.Length() == 2 && links.Last().Text() != links.First().AttrOr("href", "") {
		t.Errorf("the address below the button reads %q", links.Last().Text())
	}
}

func TestWhatPeopleWroteArrivesAsTheyWroteIt(t *testing.T) {
	t.Parallel()
	m := messages()["invitation_ugly"]
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(m.HTML))
	if err != nil {
		t.Fatal(err)
	}
	quoted := doc.Find(".quote").Text()
	for _, want := range []string{"<img src=x onerror=alert(1)>", "{{.Heading}}", "> quoted", "מזל טוב 🎉"} {
		if !strings.Contains(quoted, want) || !strings.Contains(m.Text, want) {
			t.Errorf("%q is not in the quote as it was written", want)
		}
	}
	if heading := doc.Find("h1").Text(); !strings.HasPrefix(heading, `<b>Bobby</b> "Tables" & Söhne Bcc: evil@example.com asks you to sign`) {
		t.Errorf("heading %q", heading)
	}
}

func TestOwnSubjectStandsForOurs(t *testing.T) {
	t.Parallel()
	in := invitation()
	in.Subject = " Please sign\r\nBcc: x@example.com"
	if got := NewInvitation(in).Subject; got != "Please sign Bcc: x@example.com" {
		t.Errorf("subject %q", got)
	}
}

func TestOnlySmallDocumentsAreAttached(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{0: 0, 1: 1, MaxAttached - 1: 1, MaxAttached: 0} {
		m := NewCompleted(completed(make([]byte, size)))
		if len(m.Attachments) != want || strings.Contains(m.Text, "attached to this mail") != (want == 1) {
			t.Errorf("%d bytes: %d attachments, text\n%s", size, len(m.Attachments), m.Text)
		}
	}
}

func TestSeveralDocumentsAreAttachedTogether(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{1: 2, MaxAttached/2 - 1: 2, MaxAttached / 2: 0} {
		in := completed(make([]byte, size))
		in.Files = append(in.Files, Attachment{Name: "annex.pdf", ContentType: "application/pdf", Data: make([]byte, size)})
		if m := NewCompleted(in); len(m.Attachments) != want || strings.Contains(m.Text, "are attached to this mail") != (want == 2) {
			t.Errorf("twice %d bytes: %d attachments, text\n%s", size, len(m.Attachments), m.Text)
		}
	}
}

func TestMessagesCanBeStored(t *testing.T) {
	t.Parallel()
	m := messages()["completed"]
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var got Message
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, got); diff != "" {
		t.Error(diff)
	}
}

func TestSpansAreInWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{time.Hour: "1 hour", 48 * time.Hour: "2 days", 90 * time.Minute: "90 minutes", time.Minute: "1 minute"} {
		if got := span(d); got != want {
			t.Errorf("span(%v) = %q, want %q", d, got, want)
		}
	}
}
