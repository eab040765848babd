package main

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestDocumentedFigures: docs/performance.md names the figures of results.json
// as they are, and all of them.
func TestDocumentedFigures(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	written := map[string]bool{}
	for _, m := range regexp.MustCompile("`([a-z0-9]+(?:_[a-z0-9]+)+)`").FindAllStringSubmatch(string(text), -1) {
		written[m[1]] = true
	}
	known := map[string]bool{}
	for _, v := range []any{results{}, figures{}, sealFigures{}, machine{}} {
		s := reflect.TypeOf(v)
		for i := range s.NumField() {
			name, _, _ := strings.Cut(s.Field(i).Tag.Get("json"), ",")
			known[name] = true
		}
	}
	for name := range written {
		if !known[name] {
			t.Errorf("docs/performance.md tells of %s, which is not measured", name)
		}
	}
	for _, s := range []reflect.Type{reflect.TypeFor[figures](), reflect.TypeFor[sealFigures]()} {
		for i := range s.NumField() {
			if name := s.Field(i).Tag.Get("json"); !written[name] {
				t.Errorf("docs/performance.md does not tell of %s", name)
			}
		}
	}
}

// TestTable: an aim that is missed is marked, one that is met or not measured
// is not.
func TestTable(t *testing.T) {
	t.Parallel()
	value := func(f *figures) float64 { return f.LatencyP99 }
	for _, tt := range []struct {
		aim  float64
		most bool
		v    float64
		want string
	}{
		{15, true, 14.9, "14.90  "},
		{15, true, 15.1, "15.10 !"},
		{0.6, false, 0.61, "0.61  "},
		{0.6, false, 0.59, "0.59 !"},
		{0, false, 3, "3.00  "},
		{0.6, false, 0, "-  "},
	} {
		if got := (row{of: value, aim: tt.aim, most: tt.most}).cell(&figures{LatencyP99: tt.v}); got != tt.want {
			t.Errorf("%+v is shown as %q", tt, got)
		}
	}
}

func TestQuantile(t *testing.T) {
	t.Parallel()
	v := []float64{5, 1, 4, 2, 3}
	if median(v) != 3 || quantile(v, 99) != 5 || quantile(v[:1], 99) != 5 || v[0] != 5 {
		t.Errorf("quantiles of %v: %v %v", v, median(v), quantile(v, 99))
	}
}
