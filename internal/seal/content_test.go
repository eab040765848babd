package seal

import "testing"

func TestLeftovers(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]leftover{
		"":                                    {},
		"q 1 0 0 1 0 0 cm 0 0 1 1 re W n Q":   {},
		"0 0 1 1 re W n":                      {clip: true},
		"q 0 0 1 1 re W* n":                   {clip: true, open: 1},
		"q q Q Q Q Q":                         {missing: 2},
		"BT (W n \\) q (Q) ) Tj ET":           {},
		"BT (x) Tj":                           {text: true},
		"/W gs /Q Do % W n q\nq Q":            {},
		"<</W /q>> BDC <57> Tj EMC":           {},
		"q BI /W 1 /H 1 ID \x00 W q EIW EI Q": {},
		"q BI /W 1 ID never ends W":           {open: 1},
		"(never ends W":                       {},
		"<57":                                 {},
		"[(W)-250(q)]TJ q(W)' Q":              {},
		"q\nW\nn\nQ\n0 0 1 1 re\nW\nn q Q":    {clip: true},
	} {
		if got := leftovers([]byte(content)); got != want {
			t.Errorf("%q leaves %+v, want %+v", content, got, want)
		}
	}
}

func FuzzLeftovers(f *testing.F) {
	f.Add([]byte("q BI ID x EI (a\\)) <00> << /a /b >> W n Q % c"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if l := leftovers(content); l.open < 0 || l.missing < 0 {
			t.Errorf("%+v", l)
		}
	})
}
