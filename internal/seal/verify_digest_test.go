package seal

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"testing"
)

// TestVerifyStops at whichever look at the clock the time is over, with the error and without a verdict.
func TestVerifyStops(t *testing.T) {
	t.Parallel()
	id := testKeys()["RSA"]
	pdf := mustSign(t, signUnlocked(t, signUnlocked(t, contractPDF("", ""), id), id), id)
	enough := errors.New("enough")
	for last := range 1000 {
		looks := 0
		rep, err := Verify(pdf, VerifyOptions{Roots: id.Roots(), Stop: func() error {
			if looks++; looks > last {
				return enough
			}
			return nil
		}})
		if err == nil {
			if !rep.Valid || len(rep.Signatures) != 3 || looks != last || last < 3+3*2+2+3 {
				t.Errorf("after %d looks: %s", looks, rep.Text())
			}
			return
		}
		if !errors.Is(err, enough) || rep.Valid || rep.Digest != "" || looks != last+1 {
			t.Fatalf("stopped at look %d: %v after %d, %+v", last, err, looks, rep)
		}
	}
	t.Error("it never comes to an end")
}

// TestDigestOnFromBefore: whatever the order of ranges, each digest is what hashing it from the beginning gives; and the pieces
// are those of the part that was not hashed before.
func TestDigestOnFromBefore(t *testing.T) {
	t.Parallel()
	buf := bytes.Repeat([]byte("0123456789abcde"), 2<<20) // 30 MB
	pieces := 0
	v := verification{file: &pdfFile{buf: buf}, opt: VerifyOptions{Stop: func() error { pieces++; return nil }}}
	near := len(buf) - 100
	for i, c := range []struct {
		rng    signedRange
		pieces int
	}{
		{signedRange{gapStart: near, gapEnd: near + 10, end: near + 20}, 9},
		{signedRange{gapStart: near + 30, gapEnd: near + 40, end: near + 50}, 2},
		{signedRange{gapStart: near + 30, gapEnd: near + 40, end: near + 60}, 1},
		{signedRange{gapStart: 20, gapEnd: 30, end: 40}, 2},
		{signedRange{gapStart: near, gapEnd: near + 10, end: len(buf)}, 9},
	} {
		pieces = 0
		got := v.digest(c.rng, crypto.SHA256)
		want := sha256.Sum256(append(bytes.Clone(buf[:c.rng.gapStart]), buf[c.rng.gapEnd:c.rng.end]...))
		if !bytes.Equal(got, want[:]) {
			t.Errorf("range %d: the digest is another", i)
		}
		if pieces != c.pieces {
			t.Errorf("range %d: %d pieces were hashed and not %d", i, pieces, c.pieces)
		}
	}
}
