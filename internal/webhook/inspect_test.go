package webhook

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// signedRequest is a webhook as the sender makes it.
func signedRequest(t *testing.T, body string, secrets ...string) Received {
	t.Helper()
	r := Received{Header: http.Header{}, Body: []byte(body), At: noon().Add(time.Minute), Tolerance: DefaultTolerance}
	pairs, err := appendSignatures(nil, Request{ID: "msg_1", Body: r.Body, Secrets: secrets, DocuSeal: true}, noon())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(pairs, [2]string{"webhook-id", "msg_1"}, [2]string{"webhook-timestamp", strconv.FormatInt(noon().Unix(), 10)}) {
		r.Header.Set(p[0], p[1])
	}
	return r
}

func TestInspectFindsTheSecret(t *testing.T) {
	t.Parallel()
	fresh, old := GenerateSecret(), GenerateSecret()
	r := signedRequest(t, `{"a":1}`, fresh, old)
	in := Inspect([]string{GenerateSecret(), old}, r)
	if !in.Valid || len(in.Checks) != 3 || in.Checks[0].Secret != -1 || in.Checks[1].Secret != 1 || in.Checks[2].Secret != -1 || len(in.Problems)+len(in.Hints) != 0 {
		t.Errorf("with the old secret: %+v", in)
	}
	if in := Inspect([]string{fresh}, r); !in.Valid || in.Checks[0].Secret != 0 || in.Checks[2].Secret != 0 || in.Checks[2].Scheme != SchemeDocuSeal {
		t.Errorf("with the fresh secret: %+v", in)
	}
	r.Header = http.Header{headerDocuSeal: {strings.ToUpper(r.Header.Get(headerDocuSeal))}}
	if in := Inspect([]string{fresh}, r); !in.Valid {
		t.Errorf("DocuSeal's header alone: %+v", in)
	}
}

// TestInspectSaysWhy: each mistake is told apart.
func TestInspectSaysWhy(t *testing.T) {
	t.Parallel()
	secret := "whsec_" + "+/" + GenerateSecret()[8:]
	bare := strings.TrimPrefix(secret, "whsec_")
	raw := "made up by hand"
	plain := func(edit func(r *Received)) Received {
		r := signedRequest(t, `{"a":"ü"}`, secret)
		edit(&r)
		return r
	}
	set := func(name, value string) Received { return plain(func(r *Received) { r.Header.Set(name, value) }) }
	body := func(s string) Received { return plain(func(r *Received) { r.Body = []byte(s) }) }
	signedWith := func(key string) Received { return signedRequest(t, `{"a":"ü"}`, key) }
	for name, tt := range map[string]struct {
		secret string
		r      Received
		want   string
	}{
		"nothing":          {secret, plain(func(r *Received) { r.Header = http.Header{} }), "It is not signed"},
		"one missing":      {secret, plain(func(r *Received) { r.Header.Del("webhook-id"); r.Header.Del(headerDocuSeal) }), "The header webhook-id is missing."},
		"two missing":      {secret, plain(func(r *Received) { r.Header = http.Header{"Webhook-Id": {"x"}} }), "webhook-timestamp and the header webhook-signature"},
		"too old":          {secret, plain(func(r *Received) { r.At = noon().Add(17 * time.Minute) }), "too old by 12 min: webhook-timestamp says"},
		"too new":          {secret, plain(func(r *Received) { r.At = noon().Add(-2 * time.Hour) }), "from the future by 2 h"},
		"milliseconds":     {secret, set("webhook-timestamp", strconv.FormatInt(noon().UnixMilli(), 10)), "looks like milliseconds"},
		"no number":        {secret, set("webhook-timestamp", "noon"), `"noon", which is not a number`},
		"line end added":   {secret, body("{\"a\":\"ü\"}\n"), "without the line end"},
		"CRLF added":       {secret, body("{\"a\":\"ü\"}\r\n"), "without the line end"},
		"formatted":        {secret, body("{\n  \"a\": \"ü\"\n}"), "white space is taken out"},
		"byte order mark":  {secret, body("\uFEFF{\"a\":\"ü\"}"), "byte order mark"},
		"changed":          {secret, body(`{"a":"u"}`), "another secret, or the body"},
		"another secret":   {GenerateSecret(), signedWith(secret), "another secret, or the body"},
		"prefix forgotten": {bare, signedWith(secret), "with “whsec_” before"},
		"space around":     {secret + " ", signedWith(secret), "white space around"},
		"URL-safe":         {strings.NewReplacer("+", "-", "/", "_").Replace(secret), signedWith(secret), "plain base64"},
		"padding cut":      {strings.TrimRight(secret, "="), signedWith(secret), "which were cut off"},
		"text as key": {secret, plain(func(r *Received) {
			r.Header.Del(headerDocuSeal)
			r.Header.Set("webhook-signature", rawSignature(t, secret, r.Body))
		}), "text of the secret as the key"},
		"bare text as key":  {secret, signedWith(bare), "behind “whsec_” as the key"},
		"empty secret":      {"", signedWith(secret), "Secret 1 can't be used"},
		"no base64":         {"whsec_*", signedWith(secret), "Secret 1 can't be used"},
		"no version":        {raw, set("webhook-signature", "abc"), "it has no version"},
		"asymmetric":        {raw, set("webhook-signature", "v1a,abc"), "v1a"},
		"unknown version":   {raw, set("webhook-signature", "v9,abc"), `"v9" is unknown`},
		"short signature":   {raw, set("webhook-signature", "v1,YWJj"), "base64 of 32 bytes"},
		"DocuSeal's broken": {raw, set(headerDocuSeal, "1.2"), "64 hex digits"},
		"too many":          {raw, set("webhook-signature", strings.Repeat("v1,x ", 21)), "more than 20"},
	} {
		in := Inspect([]string{tt.secret}, tt.r)
		said := slices.Concat(in.Problems, in.Hints)
		for _, c := range in.Checks {
			said = append(said, c.Why)
		}
		if all := strings.Join(said, "\n"); in.Valid || !strings.Contains(all, tt.want) {
			t.Errorf("%s: valid %v, said %q and not %q", name, in.Valid, all, tt.want)
		}
	}
	if in := Inspect([]string{secret}, plain(func(r *Received) { r.At, r.Tolerance = noon().Add(999*time.Hour), 0 })); !in.Valid {
		t.Errorf("the time is not to be looked at: %+v", in)
	}
}

// rawSignature is made with the text of a secret as the key.
func rawSignature(t *testing.T, secret string, body []byte) string {
	t.Helper()
	w, err := standardwebhooks.NewWebhookRaw([]byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	s, err := w.Sign("msg_1", noon(), body)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNear(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"form.complete": "form.completed", "FORM_VIEWED": "form.viewed", "document.sign": "document.signed", "DOCUMENT_SIGNEDD": "document.signed",
		"signed": "document.signed", "expired": "recipient.expired submission.expired", "zzz": "", "": "",
	} {
		got := Near(name)
		for _, w := range strings.Fields(want) {
			if !slices.Contains(got, w) {
				t.Errorf("%q: %v has no %s", name, got, w)
			}
		}
		if want == "" && len(got) > 0 || len(got) > 5 {
			t.Errorf("%q: %v", name, got)
		}
	}
	if got := Near("form.complete"); got[0] != "form.completed" {
		t.Errorf("the likeliest is %v", got)
	}
}
