package seal

import (
	"strings"
	"testing"
)

// TestFlattenListBox draws a list box that asks for a new appearance: its options from the first that is shown, and as many as
// fit.
func TestFlattenListBox(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		field string
		want  []string
	}{
		"all":          {"/Opt [(one) [(2) (two)] (three)] /V (2)", []string{"one", "two", "three"}},
		"from a later": {"/Opt [(one) (two) (three)] /TI 1 /I [2]", []string{"two", "three"}},
		"a combo box":  {"/Opt [(one) (two) (three)] /V (two) /Ff 131072", []string{"two"}},
		"no options":   {"/V (loose)", []string{"loose"}},
	} {
		pdf := buildPDF(
			"<< /Type /Catalog /Pages 2 0 R /AcroForm << /NeedAppearances true /Fields [4 0 R] /DA (/F 10 Tf) >> >>",
			"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
			"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Annots [4 0 R] >>",
			"<< /Type /Annot /Subtype /Widget /FT /Ch /T (list) /F 4 /P 3 0 R /Rect [50 200 150 260] /DA (/F 10 Tf) "+tc.field+" >>",
			"null", "<< >>")
		out, err := pdfEngine().Flatten(t.Context(), pdf, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := strings.Fields(foundText(t, out))
		if strings.Join(got, " ") != strings.Join(tc.want, " ") {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
