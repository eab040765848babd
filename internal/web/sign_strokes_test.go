package web

import (
	"net/http"
	"strings"
	"testing"
)

// What was drawn or typed is kept as it was made, shows in every tab, and is refused when it is no signature.
func TestSignaturesAreKeptAsMade(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	b, field := s.nobody(t), s.sent.FieldsOf(s.sent.Recipients[0].ID)[0]
	at := s.bob() + "/fields/" + id(field.ID)
	value := func() (method, strokes, face string) {
		e := s.now()
		f, _ := e.Field(field.ID)
		return f.Value.Method, f.Value.Strokes, f.Value.Face
	}
	wave := []any{[]any{[]float64{1, 2, 0.5, 0}, []float64{30, 9, 0.5, 12}, []float64{60, 4, 0.5, 30}, []float64{90, 20, 0.5, 44}}}
	b.put(at, object{"signature": object{"method": "draw", "strokes": wave}}).is(http.StatusOK)
	if m, strokes, face := value(); m != "draw" || strokes == "" || face != "" {
		t.Errorf("drawn: %q, %q, %q", m, strokes, face)
	}
	if got := s.nobody(t).get(s.bob() + "/task").is(http.StatusOK).Body.String(); !strings.Contains(got, "/fields/"+id(field.ID)+"/picture?v=") {
		t.Errorf("another tab has no picture: %s", got)
	}
	s.nobody(t).get(at + "/picture").is(http.StatusOK)
	b.put(at, object{"signature": object{"method": "type", "text": "Bob", "face": "caveat", "strokes": wave}}).is(http.StatusOK)
	if m, strokes, face := value(); m != "type" || strokes != "" || face != "caveat" {
		t.Errorf("typed: %q, %q, %q", m, strokes, face)
	}
	for name, bad := range map[string]object{
		"nothing drawn": {"method": "draw", "strokes": []any{}},
		"no points":     {"method": "draw", "strokes": []any{[]any{[]float64{1}}}},
		"far away":      {"method": "draw", "strokes": []any{[]any{[]float64{1e12, 1, 0, 0}}}},
		"words":         {"method": "draw", "strokes": `]},"x":{`},
		"a face":        {"method": "type", "text": "Bob", "face": "wingdings"},
	} {
		b.put(at, object{"signature": bad}).is(http.StatusUnprocessableEntity)
		if m, _, face := value(); m != "type" || face != "caveat" {
			t.Errorf("%s changed what was there", name)
		}
	}
}
