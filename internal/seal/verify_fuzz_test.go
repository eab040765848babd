package seal

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// inspect is Verify without its last resort, so that a panic is seen.
func inspect(pdf []byte, opt VerifyOptions) Report {
	rep := Report{}
	v := verification{opt: opt, rep: &rep}
	v.run(pdf)
	return rep
}

// forged tells whether a file is found valid and trusted though its signed bytes are none of the originals'.
func forged(pdf []byte, rep Report, originals [][]byte) bool {
	if !rep.Valid || !rep.Signatures[len(rep.Signatures)-1].Trusted {
		return false
	}
	for _, o := range originals {
		r := gapOf(t0, o)
		if len(pdf) == len(o) && bytes.Equal(pdf[:r.gapStart], o[:r.gapStart]) && bytes.Equal(pdf[r.gapEnd:], o[r.gapEnd:]) {
			return false
		}
	}
	return true
}

// fuzzOriginals are sealed files of every layout, by a key that the fuzzer doesn't have.
func fuzzOriginals(t testing.TB, id Identity) (all [][]byte) {
	for _, pdf := range layouts(t) {
		all = append(all, mustSign(t, pdf, id))
	}
	all = append(all, mustSign(t, signUnlocked(t, formPDF(true), testKeys()["RSA"]), id))
	slices.SortFunc(all, bytes.Compare)
	return all
}

func FuzzVerify(f *testing.F) {
	id := testKeys()["ECDSA"]
	originals := fuzzOriginals(f, id)
	for _, o := range originals {
		f.Add(o)
	}
	for _, h := range hostile() {
		if len(h.pdf) < 8<<10 { // mutating megabytes takes the fuzzer all its time
			f.Add(h.pdf)
		}
	}
	f.Fuzz(func(t *testing.T, pdf []byte) {
		rep := inspect(pdf, VerifyOptions{Roots: id.Roots()})
		if rep.Valid == (rep.Reason != "") {
			t.Errorf("valid is %v, and the reason %q", rep.Valid, rep.Reason)
		}
		if forged(pdf, rep, originals) {
			t.Errorf("a forgery is found valid: %s", rep.Text())
		}
	})
}

// TestVerifyMutations splices, repeats and changes pieces of sealed files at random: a fuzzer that runs in every test.
func TestVerifyMutations(t *testing.T) {
	t.Parallel()
	id := testKeys()["ECDSA"]
	originals := fuzzOriginals(t, id)
	const seed = 20260314
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := range 4000 {
		pdf := mutate(rnd, originals)
		rep := inspect(pdf, VerifyOptions{Roots: id.Roots()})
		if rep.Valid == (rep.Reason != "") || forged(pdf, rep, originals) {
			t.Fatalf("mutation %d of seed %d: %s", i, seed, rep.Text())
		}
		if out, err := Sign(pdf, id, SignOptions{At: signedAt}); err == nil && !bytes.HasPrefix(out, pdf) {
			t.Fatalf("mutation %d of seed %d: signing rewrote the file", i, seed)
		}
	}
}

func mutate(rnd *rand.Rand, originals [][]byte) []byte {
	pdf := slices.Clone(originals[rnd.IntN(len(originals))])
	other := originals[rnd.IntN(len(originals))]
	for range 1 + rnd.IntN(4) {
		at := rnd.IntN(len(pdf))
		n := min(1+rnd.IntN(64), len(pdf)-at)
		switch rnd.IntN(6) {
		case 0:
			pdf[at] ^= byte(1 + rnd.IntN(255))
		case 1:
			pdf = slices.Delete(pdf, at, at+n)
		case 2:
			pdf = slices.Insert(pdf, at, pdf[at:at+n]...)
		case 3:
			from := rnd.IntN(len(other))
			pdf = slices.Insert(pdf, at, other[from:]...)
		case 4:
			words := []string{"/ByteRange", "<<", ">>", "[", "]", "R", "obj", "stream\n", "startxref\n", "%%EOF\n", "/Prev 0", "(", "<", "99999999999999999999", "-1", "/Kids [1 0 R]"}
			pdf = slices.Insert(pdf, at, []byte(words[rnd.IntN(len(words))])...)
		case 5:
			if pdf[at] >= '0' && pdf[at] <= '9' {
				pdf[at] = byte('0' + rnd.IntN(10))
			}
		}
		if len(pdf) == 0 {
			return []byte("%PDF-")
		}
	}
	return pdf
}

type hostileFile struct {
	name string
	pdf  []byte
}

// hostile are files built to make a reader run, grow or recurse without end.
func hostile() []hostileFile {
	deep := func(open, shut string) []byte {
		return contractPDF("/AcroForm "+strings.Repeat(open, 100_000)+strings.Repeat(shut, 100_000), "")
	}
	signature := "/AcroForm << /Fields [7 0 R] >>"
	return []hostileFile{
		{"deep arrays", deep("[", "]")},
		{"deep dictionaries", deep("<</A", ">>")},
		{"open dictionaries", []byte("%PDF-1.7\n1 0 obj" + strings.Repeat("<</A", 200_000) + "\nstartxref\n9\n%%EOF")},
		{"many numbers", []byte("%PDF-1.7\n1 0 obj[" + strings.Repeat("1 ", 200_000) + "]startxref\n9\n%%EOF")},
		{"a chain that bites its tail", bytes.Replace(contractPDF("", ""), []byte("/Size"), []byte("/Prev 9 /Size"), 1)},
		{"fields that contain themselves", contractPDF(signature, "", "<< /FT /Sig /T (a) /Kids [7 0 R 7 0 R] /V 7 0 R >>")},
		{"pages that contain themselves", bytes.Replace(contractPDF(signature, ""), []byte("[3 0 R]"), []byte("[2 0 R]"), 1)},
		{"a reference to itself", contractPDF(signature, "", "7 0 R")},
		{"a length that needs itself", contractPDF(signature, "", "<< /Length 7 0 R >>\nstream\nx\nendstream")},
		{"a table that claims too much", []byte("%PDF-1.7\nxref\n0 99999999999\ntrailer\n<<>>\nstartxref\n9\n%%EOF")},
		{"a start far away", []byte("%PDF-1.7\nstartxref\n9223372036854775807\n%%EOF")},
		{"a start that overflows", []byte("junk %PDF-1.7\nstartxref\n9223372036854775807\n%%EOF")},
		{"a negative start", []byte("%PDF-1.7\nstartxref\n-5\n%%EOF")},
		{"a bomb for a table", bomb("/Type /XRef /Size 8388607 /W [1 0 0]")},
		{"a bomb that predicts", bomb("/Type /XRef /Size 8388607 /W [1 0 0] /DecodeParms << /Predictor 15 /Columns 1048576 >>")},
		{"widths that overflow", bomb("/Type /XRef /Size 9 /W [9223372036854775807 1 1]")},
		{"an empty signature", contractPDF(signature, "", "<< /FT /Sig /T (a) /V << >> >>")},
		{"a signature of nothing", contractPDF(signature, "", "<< /FT /Sig /T (a) /V << /ByteRange [0 1 3 1] /Contents <> /SubFilter /ETSI.CAdES.detached >> >>")},
		{"many signatures", contractPDF("/AcroForm << /Fields ["+strings.Repeat("<< /FT /Sig /T (a) /V << /ByteRange [0 1 2 3] >> >>", 5000)+"] >>", "")},
		{"many startxrefs", []byte("%PDF-1.7\n" + strings.Repeat("startxref\n0\n%%EOF\n", 50_000))},
	}
}

// bomb is a cross-reference stream that unpacks to a gigabyte.
func bomb(dict string) []byte {
	var z bytes.Buffer
	w, _ := zlib.NewWriterLevel(&z, zlib.BestCompression)
	zeros := make([]byte, 1<<20)
	for range 128 {
		w.Write(zeros)
	}
	w.Close()
	return fmt.Appendf(nil, "%%PDF-1.7\n1 0 obj\n<< %s /Filter /FlateDecode /Length %d >>\nstream\n%s\nendstream\nendobj\nstartxref\n9\n%%%%EOF\n", dict, z.Len(), z.Bytes())
}

// TestVerifyHostile runs everything that reads a PDF over files that mean harm.
func TestVerifyHostile(t *testing.T) {
	t.Parallel()
	id := testKeys()["ECDSA"]
	for _, h := range hostile() {
		t.Run(h.name, func(t *testing.T) {
			t.Parallel()
			if rep := inspect(h.pdf, VerifyOptions{Roots: id.Roots()}); rep.Valid || rep.Reason == "" {
				t.Errorf("found %s", rep.Text())
			}
			_, _ = Sign(h.pdf, id, SignOptions{At: signedAt}) // some of them are fine to sign; none may hang or crash
		})
	}
}
