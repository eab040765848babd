package seal

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	stdcolor "image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// testPNG is a red picture.
func testPNG(w, h int) []byte {
	return encodePNG(filled(w, h, stdcolor.NRGBA{255, 0, 0, 255}))
}

func filled(w, h int, c stdcolor.Color) *image.NRGBA {
	pic := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.Draw(pic, pic.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	return pic
}

func encodePNG(pic image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, pic); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func deflateBytes(data []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	w.Write(data)
	w.Close()
	return b.Bytes()
}

// deflated is n spaces, deflated.
func deflated(n int) []byte {
	var b bytes.Buffer
	w, _ := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	chunk := bytes.Repeat([]byte(" "), 1<<20)
	for ; n > 0; n -= len(chunk) {
		w.Write(chunk)
	}
	w.Close()
	return b.Bytes()
}

// bombPage is a page with this content and media box.
func bombPage(filter, content, box string) []byte {
	return buildPDF(
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox "+box+" /Contents 4 0 R >>",
		streamObject(filter, content),
		"null", "<< >>")
}

// imageBomb is a page with an image that says it has 100,000 × 100,000 dots.
func imageBomb() []byte {
	return buildPDF(
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /XObject << /I 5 0 R >> >> >>",
		streamObject("", "600 0 0 700 0 0 cm /I Do"),
		streamObject("/Type /XObject /Subtype /Image /Width 100000 /Height 100000 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /FlateDecode", string(deflated(64<<20))),
		"<< >>")
}

// toolWrites runs a program on a file with these bytes and gives what it writes; the program must end well.
func toolWrites(t testing.TB, pdf []byte, name string, args ...string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out")
	if err := os.WriteFile(in, pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	if msg, err := exec.Command(needTool(t, name), append(args, in, out)...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, msg)
	}
	for _, file := range []string{out, out + ".png"} {
		if data, err := os.ReadFile(file); err == nil {
			return data
		}
	}
	t.Fatalf("%s wrote nothing", name)
	return nil
}

// hugePNG says that it has 50,000 × 50,000 pixels.
func hugePNG() []byte {
	data := testPNG(1, 1)
	binary.BigEndian.PutUint32(data[16:], 50_000)
	binary.BigEndian.PutUint32(data[20:], 50_000)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}
