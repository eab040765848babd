package seal

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"image"
	stdcolor "image/color"
	"image/jpeg"
	"testing"
	"time"

	"golang.org/x/image/tiff"
)

// scripts/fuzz runs these and the other Fuzz functions; what they find is kept in testdata/fuzz and runs with every test.

// seedPDFs are small files of every layout, and those that mean harm.
func seedPDFs(f *testing.F) {
	id := testKeys()["ECDSA"]
	for _, pdf := range layouts(f) {
		f.Add(pdf)
	}
	f.Add(mustSign(f, formPDF(true), id))
	f.Add(signUnlocked(f, formPDF(false), id))
	for _, h := range hostile() {
		if len(h.pdf) < 8<<10 {
			f.Add(h.pdf)
		}
	}
}

var fuzzMarks = []Mark{
	{X: 0.1, Y: 0.1, W: 0.4, H: 0.05, Kind: MarkText, Text: "Zoë 中文"},
	{X: 0.1, Y: 0.5, W: 0.05, H: 0.05, Kind: MarkCheck},
}

// FuzzPrepare holds the promise of an upload: what is let in can be sealed, and what was sealed verifies.
func FuzzPrepare(f *testing.F) {
	seedPDFs(f)
	id := testKeys()["ECDSA"]
	e := pdfEngine()
	f.Fuzz(func(t *testing.T, data []byte) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		pdf, _, err := e.Prepare(ctx, data)
		if err != nil {
			if kindOf(err) == "" {
				t.Fatalf("refused without a reason for people: %v", err)
			}
			return
		}
		if _, err := e.Seal(ctx, Job{PDF: pdf, Marks: fuzzMarks, Identity: id, Sign: SignOptions{At: signedAt}}); err != nil {
			t.Fatalf("let in, but can't be sealed: %v", err)
		}
	})
}

// FuzzReadPDF runs all that reads a PDF without PDFium.
func FuzzReadPDF(f *testing.F) {
	seedPDFs(f)
	id := testKeys()["ECDSA"]
	f.Fuzz(func(t *testing.T, pdf []byte) {
		_, _ = Signatures(pdf)
		_, _ = TrailOf(pdf)
		_, _ = FormFields(pdf)
		if out, err := DropSignatures(pdf); err == nil && !bytes.HasPrefix(out, pdf) {
			t.Error("taking signatures out rewrote the file")
		}
		out, err := Sign(pdf, id, SignOptions{At: signedAt})
		if err == nil && !bytes.HasPrefix(out, pdf) {
			t.Error("signing rewrote the file")
		}
		file, err := openPDF(pdf)
		if err != nil || len(pdf) > 1<<20 {
			return
		}
		if leaves, err := file.leaves(); err == nil {
			for _, l := range leaves[:min(len(leaves), 3)] {
				file.shape(l)
			}
		}
	})
}

// FuzzPicture reads pictures that become pages.
func FuzzPicture(f *testing.F) {
	pic := image.NewNRGBA(image.Rect(0, 0, 9, 7))
	pic.Set(3, 3, stdcolor.NRGBA{200, 10, 10, 128})
	var asJPEG, asTIFF bytes.Buffer
	if err := jpeg.Encode(&asJPEG, pic, nil); err != nil {
		f.Fatal(err)
	}
	if err := tiff.Encode(&asTIFF, pic, nil); err != nil {
		f.Fatal(err)
	}
	f.Add(encodePNG(pic))
	f.Add(asJPEG.Bytes())
	f.Add(asTIFF.Bytes())
	f.Add(hugePNG())
	e := pdfEngine()
	f.Fuzz(func(t *testing.T, data []byte) {
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil && cfg.Width*cfg.Height > 1<<20 && cfg.Width*cfg.Height < maxImagePixels {
			return // allowed, and slow
		}
		pdf, _, err := e.PicturesToPDF(context.Background(), data)
		if err != nil {
			if kindOf(err) == "" {
				t.Fatalf("refused without a reason for people: %v", err)
			}
			return
		}
		if _, err := openPDF(pdf); err != nil {
			t.Fatalf("the page that was made can't be read: %v", err)
		}
	})
}

// FuzzSignaturePicture reads what people upload as their signature.
func FuzzSignaturePicture(f *testing.F) {
	f.Add(testPNG(4, 3))
	f.Add(hugePNG())
	f.Fuzz(func(t *testing.T, data []byte) {
		png, err := ReadSignatureImage(data)
		if err != nil {
			if kindOf(err) == "" {
				t.Fatalf("refused without a reason for people: %v", err)
			}
			return
		}
		if _, err := decodePNG(png, maxSignatureWidth*maxSignatureHeight); err != nil {
			t.Fatalf("what was made of it can't be read: %v", err)
		}
	})
}

// FuzzCMS reads a signature as it stands in a file, and the timestamp within. Without its key nothing else than what was
// signed may be found good.
func FuzzCMS(f *testing.F) {
	sum := sha256.Sum256([]byte("content"))
	tsa := newTSA(f)
	for _, id := range testKeys() {
		cms, err := cmsSign(id, crypto.SHA256, sum[:])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(cms)
		f.Add(stamped(f, tsa, cms, true))
	}
	f.Add(tsa.token(f, sum[:]))
	other := sha256.Sum256([]byte("other content"))
	f.Fuzz(func(t *testing.T, der []byte) {
		m, err := parseCMS(der)
		if err != nil {
			return
		}
		m.timestamp()
		_, _ = checkTimestamp(m, func(crypto.Hash) []byte { return sum[:] })
		if m.check(oidData, other[:]) == nil && leadsTo(testKeys()["RSA"].Roots(), m, signedAt, 0) == nil {
			t.Error("a signature of other content is found good")
		}
	})
}

// FuzzPKCS12 reads key files.
func FuzzPKCS12(f *testing.F) {
	f.Add([]byte{0x30, 0x80}, "")
	f.Add([]byte{0x30, 0x03, 0x02, 0x01, 0x03}, "secret")
	f.Fuzz(func(t *testing.T, data []byte, password string) {
		if key, certs, err := readPKCS12(data, password); err == nil && (key == nil || len(certs) == 0) {
			t.Error("half an identity")
		}
	})
}
