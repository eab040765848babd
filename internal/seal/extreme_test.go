package seal

import (
	"strings"
	"testing"
)

// TestStampTextExtremes sets what nobody would print, without losing a letter or leaving the box.
func TestStampTextExtremes(t *testing.T) {
	t.Parallel()
	squash := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for name, m := range map[string]Mark{
		"ten thousand letters":        {X: 0.1, Y: 0.5, W: 0.8, H: 0.3, Text: strings.Repeat("all work and no play ", 476)},
		"ten thousand without spaces": {X: 0.1, Y: 0.5, W: 0.8, H: 0.3, Text: strings.Repeat("abcdefghij", 1000)},
		"too small: a hundred lines":  {X: 0.1, Y: 0.5, W: 0.3, H: 0.1, Text: strings.Repeat("line\n", 100)},
		"too small: four points":      {X: 0.1, Y: 0.5, W: 0.006, H: 0.005, Text: "some words for a box of four points"},
		"too small: flat":             {X: 0.1, Y: 0.5, W: 0.5, H: 0.002, Text: "flat", FontSize: 12},
		"right-to-left, too long":     {X: 0.1, Y: 0.5, W: 0.2, H: 0.03, Text: strings.Repeat("שלום עולם ", 30)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m.Kind = MarkText
			out, err := pdfEngine().Stamp(t.Context(), bombPage("", "", "[0 0 612 792]"), []Mark{m})
			if err != nil {
				t.Fatal(err)
			}
			if name != "right-to-left, too long" { // poppler puts its lines together in its own way
				if got := squash(foundText(t, out)); !strings.Contains(got, squash(m.Text)) {
					t.Errorf("some text is gone: %d letters of %d", len(got), len(squash(m.Text)))
				}
			}
			if !strings.HasPrefix(name, "too small: ") {
				checkInkInside(t, name, popplerPixels(t, out), []Mark{m})
			}
		})
	}
}
