package kit

import "slices"

// Wrong is what was wrong with a form that is shown again: a sentence, and the input it stands beside, "" for the whole form.
type Wrong struct{ Field, Text string }

// At is the sentence that stands beside an input.
func (w Wrong) At(field string) string {
	if field == w.Field {
		return w.Text
	}
	return ""
}

// Elsewhere is the sentence if it stands beside none of these inputs; the form shows it on top.
func (w Wrong) Elsewhere(fields ...string) string {
	if slices.Contains(fields, w.Field) {
		return ""
	}
	return w.Text
}
