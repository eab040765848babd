package settings

import (
	"strings"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Preferences are what a space sets for all its documents.
type Preferences struct {
	Owner                                bool // of the instance
	Admin                                bool // of the space
	Space                                string
	Audit, Language, TimeZone, FileNames string
	OwnSignatures, Authority             bool        // Authority: there is one that issued certificates to recipients
	Places, Languages                    [][2]string // code and word
	Parts                                [][2]string // of the pattern of names, and what each stands for
	Wrong                                kit.Wrong
}

func (v Preferences) places() []kit.Option { return options(v.Places, v.Audit) }

func (v Preferences) languages() []kit.Option { return options(v.Languages, v.Language) }

func options(all [][2]string, chosen string) []kit.Option {
	out := make([]kit.Option, len(all))
	for i, o := range all {
		out[i] = kit.Option{Value: o[0], Label: o[1], Selected: o[0] == chosen}
	}
	return out
}

func (v Preferences) partsHint() string {
	parts := make([]string, len(v.Parts))
	for i, p := range v.Parts {
		parts[i] = p[0] + ": " + p[1]
	}
	return "A pattern of text and these parts. " + strings.Join(parts, "; ") + "."
}
