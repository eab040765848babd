package seal

import (
	"maps"
	"reflect"
	"regexp"
	"slices"
	"testing"
)

// TestWordsAreComplete holds every language against English: a word for each, and the same blanks in it.
func TestWordsAreComplete(t *testing.T) {
	t.Parallel()
	english := reflect.ValueOf(wordsEnglish())
	names := map[string]bool{}
	for _, code := range languageCodes() {
		w := reflect.ValueOf(wordsOf(code))
		if name := wordsOf(code).Name; names[name] {
			t.Errorf("%s is called %s as another is", code, name)
		} else {
			names[name] = true
		}
		for i := range w.NumField() {
			at := code + "." + w.Type().Field(i).Name
			if w.Field(i).Kind() == reflect.String {
				sameBlanks(t, at, english.Field(i).String(), w.Field(i).String())
				continue
			}
			want, got := english.Field(i).Interface().(map[string]string), w.Field(i).Interface().(map[string]string)
			if !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))) {
				t.Errorf("%s has the keys %v", at, slices.Sorted(maps.Keys(got)))
			}
			for k := range want {
				sameBlanks(t, at+"."+k, want[k], got[k])
			}
		}
	}
}

var blank = regexp.MustCompile(`\{[a-z]*\}`)

func sameBlanks(t *testing.T, at, want, got string) {
	t.Helper()
	a, b := blank.FindAllString(want, -1), blank.FindAllString(got, -1)
	slices.Sort(a)
	slices.Sort(b)
	if got == "" || !slices.Equal(a, b) {
		t.Errorf("%s is %q; it needs %v", at, got, a)
	}
}

func TestDevice(t *testing.T) {
	t.Parallel()
	for userAgent, want := range map[string]string{
		firefoxOnWindows: "Firefox 128 on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36":                                "Chrome 126 on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.2592.68":              "Edge 126 on Windows",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1":        "Safari 17 on iPhone",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.6478.54 Mobile/15E148 Safari/604.1": "Chrome 126 on iPhone",
		"Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36":     "Samsung Internet 25 on Android",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4.1 Safari/605.1.15":                        "Safari 17 on macOS",
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/126.0.0.0 Safari/537.36":                                  "Chrome 126 on Linux",
		"curl/8.7.1":      "curl 8.7.1",
		"Mozilla/5.0 (?)": "Mozilla/5.0 (?)",
		"":                "",
	} {
		if got := deviceWords(wordsEnglish(), userAgent); got != want {
			t.Errorf("%q is %q, want %q", userAgent, got, want)
		}
	}
}
