package seal

import (
	"slices"
	"strings"
)

// words are what the audit pages say in one language. Names in braces are filled in; see fill.
type words struct {
	Name       string
	Title      string
	Acted      string
	Envelope   string
	Status     string
	SentBy     string
	Created    string
	Sent       string
	Completed  string
	TimeZone   string
	Documents  string
	Pages      string
	Uploaded   string
	Signed     string
	Sealed     string
	Converted  string
	Recipients string
	Opened     string
	Device     string
	Proof      string
	Consent    string
	Reason     string
	Events     string
	When       string
	What       string
	Who        string
	Where      string
	On         string
	Verify     string
	Covered    string
	CheckAt    string
	Chain      string
	Attached   string
	Page       string
	Combined   string // the title of a copy that is put together
	Unsealed   string

	Kinds    map[string]string // of recipients
	States   map[string]string
	Proofs   map[string]string // how somebody was authenticated
	Happened map[string]string // by the type of event; ".approver" and so on when a kind has a word of its own
	Mails    map[string]string
}

// Languages are the codes (ISO 639-1) of the languages that the audit pages are written in, with their own names.
func Languages() [][2]string {
	var out [][2]string
	for _, code := range languageCodes() {
		out = append(out, [2]string{code, wordsOf(code).Name})
	}
	return out
}

func languageCodes() []string { return []string{"en", "de", "fr", "es", "it", "nl", "pt", "pl"} }

// IsLanguage reports whether the audit pages can be written in a language.
func IsLanguage(code string) bool { return slices.Contains(languageCodes(), code) }

// wordsOf gives English for a language that isn't there.
func wordsOf(code string) words {
	switch code {
	case "de":
		return wordsGerman()
	case "fr":
		return wordsFrench()
	case "es":
		return wordsSpanish()
	case "it":
		return wordsItalian()
	case "nl":
		return wordsDutch()
	case "pt":
		return wordsPortuguese()
	case "pl":
		return wordsPolish()
	}
	return wordsEnglish()
}

// fill puts values in the place of names in braces: fill("Page {n}", "n", "1").
func fill(text string, pairs ...string) string {
	marked := make([]string, len(pairs))
	for i, p := range pairs {
		if marked[i] = p; i%2 == 0 {
			marked[i] = "{" + p + "}"
		}
	}
	return strings.NewReplacer(marked...).Replace(text)
}

// of gives the word for a code, and the code itself when there is none.
func of(m map[string]string, code string) string {
	if w, ok := m[code]; ok {
		return w
	}
	return code
}
