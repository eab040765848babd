package paraph_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	. "github.com/paraph-sign/paraph"
)

func TestCleanLine(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                    "",
		"a\r\nb\tc":           "a  b c",
		"a\u2028b\u2029c":     "a b c",
		"\x00a\x1b\x7f\u0085": "a",
		"\xffa\uFFFD":         "a",
		"日本\u200f":            "日本\u200f",
	} {
		if got := CleanLine(in); got != want {
			t.Errorf("CleanLine(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{"a\r\nb\rc\n": "a\nb\nc\n", "a\tb\u2028c\x00": "a b\nc"} {
		if got := CleanText(in); got != want {
			t.Errorf("CleanText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestCleanIsStorable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		for _, clean := range []func(string) string{CleanLine, CleanText} {
			got := clean(s)
			if !utf8.ValidString(got) || strings.ContainsAny(got, "\x00\r\t") || clean(got) != got {
				t.Fatalf("%q became %q", s, got)
			}
		}
	})
}

func TestShorten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		n    int
		want string
	}{{"äöü", 3, "äöü"}, {"äöüß", 3, "äö…"}, {"ab", 1, "…"}, {"", 1, ""}} {
		if got := Shorten(tt.in, tt.n); got != tt.want {
			t.Errorf("Shorten(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func TestParseEmail(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{" A.B+c@Example.COM\n": "a.b+c@example.com", "ä@bücher.example": "ä@bücher.example"} {
		if got, err := ParseEmail("e", in); err != nil || got != want {
			t.Errorf("ParseEmail(%q) = %q, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", " ", "a", "a@", "@b", "a b@c", "A <a@b.c>", "a@b.c, d@e.f", "a@b.c\r\nBcc: d@e.f", `"a b"@c.d`, "a@b.c\x00", strings.Repeat("a", 251) + "@b.c", "a@b\xff.c",
	} {
		_, err := ParseEmail("e", in)
		refused(t, err, Invalid, "e")
	}
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-zİ.]{1,4}@[A-Zß.a-c]{1,5}`)).Draw(t, "address")
		got, err := ParseEmail("e", in)
		if err != nil {
			return
		}
		if again, err := ParseEmail("e", got); err != nil || again != got || len(got) > MaxEmailLength {
			t.Fatalf("%q became %q and that %q, %v", in, got, again, err)
		}
	})
}

func TestAccount(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]string{" Ada  Lovelace King ": {"Ada", "Lovelace King"}, "Ada": {"Ada", ""}, "": {"", ""}} {
		u := User{Name: name}
		if u.FirstName() != want[0] || u.LastName() != want[1] {
			t.Errorf("%q is %q and %q", name, u.FirstName(), u.LastName())
		}
	}
	if (Account{ID: 4, Kind: Team}).TeamNumber() != 4 || (Account{ID: 4, Kind: Personal}).TeamNumber() != 0 {
		t.Error("TeamNumber is wrong")
	}
	for _, name := range []string{"", "\n", strings.Repeat("ä", MaxNameLength+1)} {
		_, err := ParseName("n", name)
		refused(t, err, Invalid, "n")
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	for pattern, got := range map[string]string{
		`^[A-Za-z0-9_-]{21}$`: NewToken(21),
		`^[a-z]{16}$`:         NewLetters(16),
		`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`: NewUUID(),
		`^[0-9a-f]{64}$`: TokenHash("x"),
	} {
		if !regexp.MustCompile(pattern).MatchString(got) {
			t.Errorf("%q does not match %s", got, pattern)
		}
	}
	seen := map[string]bool{}
	letters := map[rune]int{}
	for range 2000 {
		for _, s := range []string{NewToken(21), NewLetters(16), NewUUID()} {
			if seen[s] {
				t.Fatalf("%q came twice", s)
			}
			seen[s] = true
		}
		for _, r := range NewLetters(26) {
			letters[r]++
		}
	}
	for r, n := range letters { // 2000 of each are to be expected, give or take 45
		if n < 1600 || n > 2400 {
			t.Errorf("%c came %d times of 52000", r, n)
		}
	}
	if !SameToken("a", "a") || SameToken("a", "b") || SameToken("a", "") || SameToken("a", "aa") {
		t.Error("SameToken is wrong")
	}
	if TokenHash("") != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Error("TokenHash is not SHA-256")
	}
}

func TestRecipient(t *testing.T) {
	t.Parallel()
	if len(RecipientKinds()) != 5 || RecipientKind("x").Valid() || !CC.Valid() || CC.Acts() || !Viewer.Acts() || Viewer.HasFields() || !Assistant.HasFields() {
		t.Error("kinds of recipient are wrong")
	}
	r := Recipient{Kind: Signer, Role: "Buyer"}
	steps := []struct {
		change func()
		want   RecipientStatus
		name   string
	}{
		{func() {}, Awaiting, "Buyer"},
		{func() { r.SentAt, r.Email = start, "e@x" }, RecipientSent, "e@x"},
		{func() { r.OpenedAt, r.Name = start, "N" }, RecipientOpened, "N"},
		{func() { r.CompletedAt = start }, RecipientCompleted, "N"},
		{func() { r.DeclinedAt = start }, RecipientDeclined, "N"},
	}
	for _, s := range steps {
		s.change()
		if r.Status() != s.want || r.DisplayName() != s.name {
			t.Errorf("%+v is %s and called %s", r, r.Status(), r.DisplayName())
		}
	}
	if (Actor{Kind: BySystem, Name: "x"}).Label() != "Paraph" || sender.Label() != "Sam Sender" || (Actor{Email: "e"}).Label() != "e" {
		t.Error("Label is wrong")
	}
	if !Draft.Valid() || Status("x").Valid() || Pending.Ended() || !Expired.Ended() || FieldType("x").Valid() {
		t.Error("states are wrong")
	}
}

func TestLookups(t *testing.T) {
	t.Parallel()
	e := pending(t, true)
	if r, ok := e.RecipientByToken(byID(e, 2).Token); !ok || r.ID != 2 {
		t.Errorf("by token: %+v", r)
	}
	if _, ok := e.RecipientByToken("nobody's"); ok {
		t.Error("a token of nobody's")
	}
	if _, ok := e.Document(99); ok || e.Pages() != 2 || len(e.FieldsOf(1)) != 2 || len(e.WaitingFor()) != 1 {
		t.Error("a look-up is wrong")
	}
}

func TestCheckJSON(t *testing.T) {
	t.Parallel()
	many := func(s string) string { return strings.Repeat(s, MaxJSONParts) }
	for name, tc := range map[string]struct {
		text string
		kind Kind
	}{
		"nothing":             {"", ""},
		"a long text":         {`{"file":"` + many(`,[{`) + `"}`, ""},
		"a text with quotes":  {`["` + many(`\",`) + `"]`, ""},
		"a slash at its end":  {`["\\",` + many(`1,`) + `1]`, TooLarge},
		"empty objects":       {`{"submitters":[` + many(`{},`) + `{}]}`, TooLarge},
		"nested lists":        {many("[") + "[", TooLarge},
		"as many as possible": {`[` + strings.Repeat("1,", MaxJSONParts-1) + `1]`, ""},
	} {
		if kind := KindOf(CheckJSON([]byte(tc.text))); kind != tc.kind {
			t.Errorf("%s: %q, want %q", name, kind, tc.kind)
		}
	}
}
