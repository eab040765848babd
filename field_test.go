package paraph_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	. "github.com/paraph-sign/paraph"
)

var (
	nan, inf = math.NaN(), math.Inf(1)
	errPlain = errors.New("plain")
)

func wrap(err error) error { return fmt.Errorf("wrapped: %w", err) }

func TestCheckValue(t *testing.T) {
	t.Parallel()
	limits := FieldSettings{Min: "10", Max: "20"}
	days := FieldSettings{Min: "2026-01-01", Max: "2026-12-31"}
	choice := FieldSettings{Options: []string{"Red", "Blue"}}
	tests := []struct {
		typ      FieldType
		settings FieldSettings
		in, want string
		kind     Kind
	}{
		{TextField, FieldSettings{}, "a\r\nb\t\x00", "a\nb ", ""},
		{TextField, FieldSettings{}, " ", " ", ""},
		{TextField, FieldSettings{}, strings.Repeat("ä", MaxValueLength), strings.Repeat("ä", MaxValueLength), ""},
		{TextField, FieldSettings{}, strings.Repeat("ä", MaxValueLength+1), "", TooLarge},
		{NameField, FieldSettings{}, " Ada\nL ", "Ada L", ""},
		{NameField, FieldSettings{}, "", "", ""},
		{EmailField, FieldSettings{}, " A@X.org ", "a@x.org", ""},
		{EmailField, FieldSettings{}, "a@", "", Invalid},
		{EmailField, FieldSettings{}, "A <a@x.org>", "", Invalid},
		{DateField, FieldSettings{}, "2026-02-28", "2026-02-28", ""},
		{DateField, FieldSettings{}, "2026-02-29", "", Invalid},
		{DateField, FieldSettings{}, "28.02.2026", "", Invalid},
		{DateField, FieldSettings{}, "0000-01-01", "", Invalid},
		{DateField, days, "2026-01-01", "2026-01-01", ""},
		{DateField, days, "2025-12-31", "", Invalid},
		{DateField, days, "2027-01-01", "", Invalid},
		{NumberField, FieldSettings{}, "-1.5e3", "-1.5e3", ""},
		{NumberField, limits, "10", "10", ""},
		{NumberField, limits, "9.99", "", Invalid},
		{NumberField, limits, "20.01", "", Invalid},
		{NumberField, FieldSettings{}, "NaN", "", Invalid},
		{NumberField, FieldSettings{}, "-Inf", "", Invalid},
		{NumberField, FieldSettings{}, "0x10", "", Invalid},
		{NumberField, FieldSettings{}, "1_000", "", Invalid},
		{NumberField, FieldSettings{}, "1e999", "", Invalid},
		{NumberField, FieldSettings{}, "12,5", "", Invalid},
		{PhoneField, FieldSettings{}, "+49 (30) 123-456", "+49 (30) 123-456", ""},
		{PhoneField, FieldSettings{}, "1234", "", Invalid},
		{PhoneField, FieldSettings{}, "1234567890123456", "", Invalid},
		{PhoneField, FieldSettings{}, "49+30123456", "", Invalid},
		{PhoneField, FieldSettings{}, "call me", "", Invalid},
		{CheckboxField, FieldSettings{}, "on", "true", ""},
		{CheckboxField, FieldSettings{}, "1", "true", ""},
		{CheckboxField, FieldSettings{}, "F", "false", ""},
		{CheckboxField, FieldSettings{}, "yes", "", Invalid},
		{RadioField, choice, "Red", "Red", ""},
		{RadioField, choice, "red", "", Invalid},
		{SelectField, choice, " Blue ", "Blue", ""},
		{SelectField, choice, "Green", "", Invalid},
	}
	for _, tt := range tests {
		f := Field{ID: 4, Type: tt.typ, Settings: tt.settings}
		got, err := f.CheckValue(Value{Text: tt.in, Image: "dropped", Method: "dropped"})
		if tt.kind != "" {
			refused(t, err, tt.kind, "field_4")
			continue
		}
		if err != nil || got != (Value{Text: tt.want}) {
			t.Errorf("%s of %q: %+v, %v; want %q", tt.typ, tt.in, got, err, tt.want)
		}
	}
}

func TestCheckPicture(t *testing.T) {
	t.Parallel()
	f := Field{ID: 4, Type: InitialsField}
	for _, v := range []Value{{}, {Image: digest("0"), Method: "type", Text: "AL"}, {Image: digest("f")}} {
		if got, err := f.CheckValue(v); err != nil || got != v {
			t.Errorf("%+v: %+v, %v", v, got, err)
		}
	}
	for _, v := range []Value{
		{Image: "short"}, {Image: digest("A")}, {Image: strings.Repeat("../", 21) + "x"}, {Image: digest("a"), Method: "magic"},
	} {
		_, err := f.CheckValue(v)
		refused(t, err, Invalid, "field_4")
	}
	if got, _ := f.CheckValue(Value{Image: digest("a"), Text: strings.Repeat("x\n", 300)}); len([]rune(got.Text)) != MaxNameLength || strings.Contains(got.Text, "\n") {
		t.Errorf("the letters are %q", got.Text)
	}
}

// TestStoredValuesAreStable: what CheckValue answers it accepts again as it is.
func TestStoredValuesAreStable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := Field{Type: rapid.SampledFrom(FieldTypes()).Draw(t, "type"), Settings: FieldSettings{Options: []string{"a", "b c"}}}
		in := rapid.OneOf(rapid.String(), rapid.StringMatching(`[-+0-9.eE ()@a-c]{0,16}`), rapid.SampledFrom([]string{"2026-01-31", "a@b.c", "b c", "t", "12345"})).Draw(t, "in")
		v := Value{Text: in}
		got, err := f.CheckValue(v)
		if err != nil {
			return
		}
		if again, err := f.CheckValue(got); err != nil || again != got {
			t.Fatalf("%s: %q became %+v, and that %+v, %v", f.Type, in, got, again, err)
		}
	})
}

func TestCheckField(t *testing.T) {
	t.Parallel()
	pages := func(id int64) []Page {
		if id != 7 {
			return nil
		}
		return []Page{{595, 842}, {595, 842}}
	}
	options := func(n int) []string {
		out := make([]string, n)
		for i := range out {
			out[i] = fmt.Sprint("o", i)
		}
		return out
	}
	a := func(page int, x, y, w, h float64) []Area {
		return []Area{{DocumentID: 7, Page: page, X: x, Y: y, W: w, H: h}}
	}
	ok := []Field{
		{Type: TextField, Areas: a(1, 0, 0, 1, 1)},
		{Type: TextField, Areas: a(0, -1e-7, 1-.0005, 1+1e-7, .0005)},
		{Type: RadioField, Areas: box(7), Settings: FieldSettings{Options: options(MaxOptions)}},
		{Type: NumberField, Areas: box(7), Settings: FieldSettings{Default: "3", FontSize: MaxFontSize}},
		{Type: SignatureField, Areas: box(7), Settings: FieldSettings{Default: "not looked at"}},
	}
	for i, f := range ok {
		if err := f.Check(pages); err != nil {
			t.Errorf("good field %d: %v", i, err)
		}
	}
	bad := map[string]Field{
		"no type":         {Areas: box(7)},
		"a wrong type":    {Type: "stamp", Areas: box(7)},
		"a long name":     {Type: TextField, Name: strings.Repeat("n", MaxNameLength+1), Areas: box(7)},
		"no place":        {Type: TextField},
		"a stranger's":    {Type: TextField, Areas: box(8)},
		"page -1":         {Type: TextField, Areas: a(-1, 0, 0, .1, .1)},
		"page 3":          {Type: TextField, Areas: a(2, 0, 0, .1, .1)},
		"left":            {Type: TextField, Areas: a(0, -.01, 0, .1, .1)},
		"above":           {Type: TextField, Areas: a(0, 0, -.01, .1, .1)},
		"right":           {Type: TextField, Areas: a(0, .95, 0, .1, .1)},
		"below":           {Type: TextField, Areas: a(0, 0, .95, .1, .1)},
		"points":          {Type: TextField, Areas: a(0, 100, 100, 50, 20)},
		"flat":            {Type: TextField, Areas: a(0, 0, 0, .1, 0)},
		"inside out":      {Type: TextField, Areas: a(0, .5, .5, -.1, .1)},
		"NaN x":           {Type: TextField, Areas: a(0, nan, 0, .1, .1)},
		"NaN y":           {Type: TextField, Areas: a(0, 0, nan, .1, .1)},
		"NaN w":           {Type: TextField, Areas: a(0, 0, 0, nan, .1)},
		"NaN h":           {Type: TextField, Areas: a(0, 0, 0, .1, nan)},
		"endless":         {Type: TextField, Areas: a(0, 0, 0, inf, .1)},
		"huge":            {Type: TextField, Areas: a(0, 0, math.MaxFloat64, .1, .1)},
		"second off":      {Type: TextField, Areas: append(box(7), a(0, 2, 0, .1, .1)...)},
		"no choices":      {Type: SelectField, Areas: box(7)},
		"many choices":    {Type: RadioField, Areas: box(7), Settings: FieldSettings{Options: options(MaxOptions + 1)}},
		"an empty choice": {Type: RadioField, Areas: box(7), Settings: FieldSettings{Options: []string{"a", " "}}},
		"a choice twice":  {Type: RadioField, Areas: box(7), Settings: FieldSettings{Options: []string{"a", "a"}}},
		"a wrong default": {Type: NumberField, Areas: box(7), Settings: FieldSettings{Default: "x"}},
		"NaN letters":     {Type: TextField, Areas: box(7), Settings: FieldSettings{FontSize: nan}},
		"huge letters":    {Type: TextField, Areas: box(7), Settings: FieldSettings{FontSize: MaxFontSize + 1}},
		"no letters":      {Type: TextField, Areas: box(7), Settings: FieldSettings{FontSize: -1}},
	}
	for name, f := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f.ID = 9
			refused(t, f.Check(pages), Invalid, "field_9")
		})
	}
}

func TestFilled(t *testing.T) {
	t.Parallel()
	tests := []struct {
		f    Field
		want bool
	}{
		{Field{Type: TextField, Value: Value{Text: " x"}}, true},
		{Field{Type: TextField, Value: Value{Text: " \n"}}, false},
		{Field{Type: CheckboxField, Value: Value{Text: "true"}}, true},
		{Field{Type: CheckboxField, Value: Value{Text: "false"}}, false},
		{Field{Type: SignatureField, Value: Value{Image: digest("a")}}, true},
		{Field{Type: SignatureField, Value: Value{Text: "Ada"}}, false},
	}
	for _, tt := range tests {
		if tt.f.Filled() != tt.want {
			t.Errorf("%s with %+v is filled: %v", tt.f.Type, tt.f.Value, !tt.want)
		}
	}
}

func TestNamesOfFields(t *testing.T) {
	t.Parallel()
	fs := []Field{
		{ID: 1, Type: TextField}, {ID: 2, Type: TextField, Name: "City"}, {ID: 3, Type: DateField}, {ID: 4, Type: TextField},
	}
	names := FieldNames(fs)
	for id, want := range map[int64]string{1: "Text Field 1", 2: "City", 3: "Date Field 1", 4: "Text Field 3"} {
		if names[id] != want {
			t.Errorf("field %d is called %q, want %q", id, names[id], want)
		}
	}
	titled := Field{Type: TextField, Name: "n", Settings: FieldSettings{Title: "t"}}
	if titled.Title() != "t" || fs[1].Title() != "City" || fs[0].Title() != "Text" {
		t.Errorf("titles are %q, %q, %q", titled.Title(), fs[1].Title(), fs[0].Title())
	}
}
