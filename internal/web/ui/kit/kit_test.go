package kit_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"github.com/paraph-sign/paraph/internal/web/ui/assets"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

func TestHumane(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 15, 0, 0, 0, time.UTC)
	tests := []struct {
		ago  time.Duration
		want string
	}{
		{0, "just now"},
		{44 * time.Second, "just now"},
		{50 * time.Second, "1 minute ago"},
		{59*time.Minute + 29*time.Second, "59 minutes ago"},
		{59*time.Minute + 31*time.Second, "1 hour ago"},
		{23*time.Hour + 40*time.Minute, "1 day ago"},
		{-26 * time.Hour, "in 1 day"},
		{6 * 24 * time.Hour, "6 days ago"},
		{8 * 24 * time.Hour, "6 March"},
		{100 * 24 * time.Hour, "4 December 2025"},
	}
	for _, tt := range tests {
		if got := kit.Humane(now.Add(-tt.ago), now); got != tt.want {
			t.Errorf("%v ago is %q, want %q", tt.ago, got, tt.want)
		}
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ada Lovelace": "AL", "Aurelia Maria von Featherstonehaugh": "AF", "ada@lovelace.example": "A", "李善蘭": "李", "": "?", "…": "?", "élodie": "É",
	} {
		if got := kit.Initials(name); got != want {
			t.Errorf("%q has initials %q, want %q", name, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1500: "2 kB", 1_234_567: "1.2 MB", 100_000_000: "100.0 MB", 2_500_000_000: "2.5 GB"} {
		if got := kit.Bytes(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

func TestAFieldNamesItsHintAndItsError(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"", "email", "textarea", "select", "file", "checkbox"} {
		doc := rendered(t, kit.FieldOf(kit.Field{Name: "f", Label: "Label", Type: kind, Hint: "Hint.", Error: "Wrong.", Required: true}))
		input := doc.Find("[name=f]")
		if input.Length() != 1 {
			t.Fatalf("%q: %d inputs", kind, input.Length())
		}
		if got := input.AttrOr("aria-invalid", ""); got != "true" {
			t.Errorf("%q: aria-invalid is %q", kind, got)
		}
		var said []string
		for _, id := range strings.Fields(input.AttrOr("aria-describedby", "")) {
			said = append(said, strings.TrimSpace(doc.Find("#"+id).Text()))
		}
		if got := strings.Join(said, " "); got != "Wrong. Hint." {
			t.Errorf("%q: described by %q", kind, got)
		}
		if doc.Find("label[for=f]").Length()+doc.Find("label input").Length() != 1 {
			t.Errorf("%q: has no label", kind)
		}
	}
}

func TestNoPartWritesWhatThePolicyRefuses(t *testing.T) {
	t.Parallel()
	for name, page := range pages(t) {
		doc := rendered(t, page)
		if n := doc.Find("[style]").Length(); n > 0 {
			t.Errorf("%s: %d style attributes", name, n)
		}
		doc.Find("script:not([src]), style").Each(func(_ int, s *goquery.Selection) { t.Errorf("%s: an inline %s", name, goquery.NodeName(s)) })
		doc.Find("*").Each(func(_ int, s *goquery.Selection) {
			for _, a := range s.Nodes[0].Attr {
				if strings.HasPrefix(a.Key, "on") {
					t.Errorf("%s: <%s %s>", name, goquery.NodeName(s), a.Key)
				}
			}
		})
	}
}

func TestEveryPageHasOneMainAndItsLanguage(t *testing.T) {
	t.Parallel()
	for name, page := range pages(t) {
		doc := rendered(t, page)
		if n := doc.Find("main#main").Length(); n != 1 {
			t.Errorf("%s: %d main elements", name, n)
		}
		html := doc.Find("html")
		if html.AttrOr("lang", "") != "ar" || html.AttrOr("dir", "") != "rtl" {
			t.Errorf("%s: is in %q, %q", name, html.AttrOr("lang", ""), html.AttrOr("dir", ""))
		}
		if got := doc.Find("title").Text(); got != "Envelopes · Paraph" {
			t.Errorf("%s: its title is %q", name, got)
		}
	}
}

func TestTheAvatarLeadsToUserSettings(t *testing.T) {
	t.Parallel()
	doc := rendered(t, pages(t)["layout"])
	link := doc.Find("details a:contains('User settings')")
	if link.AttrOr("href", "") != "/settings/profile" {
		t.Errorf("User settings is at %q", link.AttrOr("href", ""))
	}
	if got := doc.Find("form[action='/sign-out'][method=post] button").Length(); got != 1 {
		t.Errorf("%d ways to sign out", got)
	}
	if got := doc.Find("form[action='/space'] button[name=space]").Length(); got != 2 {
		t.Errorf("%d spaces to choose from, want 2", got)
	}
}

func pages(t *testing.T) map[string]templ.Component {
	t.Helper()
	built, err := assets.New(assets.Config{Files: fstest.MapFS{"manifest.json": {Data: []byte(`{}`)}}})
	if err != nil {
		t.Fatal(err)
	}
	page := kit.Page{Assets: built, Title: "Envelopes", Lang: "ar", Dir: "rtl", NoIndex: true, Flash: []kit.Notice{{Tone: kit.Error, Text: "Wrong."}}}
	shell := kit.Shell{
		Page: page, User: kit.User{Name: "Ada", Email: "ada@lovelace.example"},
		Spaces: []kit.Space{{ID: "1", Name: "Ada", Personal: true, Current: true}, {ID: "2", Name: "Legal"}},
		Nav:    []kit.NavItem{{Label: "Envelopes", Href: "/", Current: true}}, Crumbs: []kit.Crumb{{Label: "Envelopes", Href: "/"}, {Label: "One"}},
		Links: kit.Links{Home: "/", Settings: "/settings/profile", Team: "/team", NewTeam: "/team/new", SwitchSpace: "/space", SignOut: "/sign-out"},
	}
	return map[string]templ.Component{"layout": kit.Layout(shell), "public": kit.PublicLayout(page), "auth": kit.AuthLayout(page)}
}

func rendered(t *testing.T, c templ.Component) *goquery.Document {
	t.Helper()
	var b strings.Builder
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
