package webhook

import (
	"slices"
	"strings"

	"github.com/paraph-sign/paraph"
)

// Near are the names of events that somebody may have meant, the likeliest first: at most five, none when nothing is alike.
func Near(name string) []string {
	name = strings.ToLower(paraph.Shorten(paraph.CleanLine(name), 60))
	type candidate struct {
		name     string
		distance int
	}
	var found []candidate
	for _, n := range names {
		d := min(editDistance(name, n.Name), editDistance(name, strings.ToLower(n.Wire)))
		if alike(name, n.Name) {
			d = min(d, 2)
		}
		if d <= len(name)/3+1 {
			found = append(found, candidate{n.Name, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	var out []string
	for _, c := range found[:min(len(found), 5)] {
		out = append(out, c.name)
	}
	return out
}

// alike tells whether one name is part of the other, or is its last word.
func alike(a, b string) bool {
	word := b[strings.LastIndex(b, ".")+1:]
	return len(a) > 2 && (strings.Contains(b, a) || strings.HasSuffix(a, word))
}
