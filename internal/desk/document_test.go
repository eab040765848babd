package desk_test

import (
	"bytes"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/blob"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// TestRefusedFilesLeaveNothing: what is no document isn't kept either.
func TestRefusedFilesLeaveNothing(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	pdf := desktest.PDF(1)
	for what, data := range map[string][]byte{
		"no PDF": []byte("hello"), "empty": {}, "truncated": pdf[:len(pdf)/2], "a picture that is none": []byte("\x89PNG\r\n\x1a\nbroken"),
		"large": append(bytes.Clone(pdf), make([]byte, w.Desk.MaxSize)...),
	} {
		_, err := w.Desk.Prepare(t.Context(), what, data)
		if kind := paraph.KindOf(err); kind != paraph.Invalid && kind != paraph.TooLarge {
			t.Errorf("%s: %v", what, err)
		}
		if there, err := w.Blobs.Exists(t.Context(), blob.Digest(data)); there || err != nil {
			t.Errorf("%s is kept (%v)", what, err)
		}
	}
	p, err := w.Desk.Prepare(t.Context(), "contract.pdf", pdf)
	if err != nil {
		t.Fatal(err)
	}
	for _, digest := range []string{p.Uploaded, p.Original} {
		if there, err := w.Blobs.Exists(t.Context(), digest); !there || err != nil {
			t.Errorf("%s is not kept (%v)", digest, err)
		}
	}
}
