package seal

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"fmt"
	"math"
	"time"
)

// newArchive is a PDF of its own with A4 pages, in the form of PDF/A-3b (ISO 19005-3, level B), with the trail attached. Of its
// rules these ask something of us:
//
//   - 6.1.2, 6.1.3: the header with its comment of bytes beyond ASCII, a file ID, no encryption (newPDF, finish)
//   - 6.2.3: an output intent with an ICC profile, here sRGB, so that DeviceRGB and DeviceGray are defined (6.2.4.3)
//   - 6.2.10: transparency is allowed, because there is an output intent
//   - 6.2.11: all fonts are embedded, with widths that agree with them, and no text refers to .notdef (putFont)
//   - 6.3: the one annotation, that of the seal, is printable and has no area, so it needs no appearance (putField)
//   - 6.6: metadata in XMP that name part 3 and conformance B
//   - 6.8: the attached file has a type, F and UF, and its relationship, and hangs on the catalog
func newArchive(t *typesetter, sheets []*sheet, a Audit) ([]byte, error) {
	at := a.made()
	w := wordsOf(a.Language)
	language := a.Language
	if !IsLanguage(language) {
		language = "en"
	}
	rev, root := newPDF()
	catalog, err := documentWith(rev, t, sheets, a4Width, a4Height)
	if err != nil {
		return nil, err
	}
	profile, metadata := rev.alloc(), rev.alloc()
	rev.put(profile, rev.packed(dictOf("N", pdfInt(3)), sRGB()))
	catalog.set("OutputIntents", pdfArray{dictOf("Type", pdfName("OutputIntent"), "S", pdfName("GTS_PDFA1"), "OutputConditionIdentifier", pdfText("sRGB"),
		"Info", pdfText("sRGB IEC61966-2.1"), "DestOutputProfile", profile)})
	rev.put(metadata, &pdfStream{dict: dictOf("Type", pdfName("Metadata"), "Subtype", pdfName("XML")), raw: xmp(join(" – ", w.Title, a.Title), language, at)})
	catalog.set("Metadata", metadata)
	catalog.set("Lang", pdfText(language))
	catalog.set("ViewerPreferences", dictOf("DisplayDocTitle", true))
	if a.Trail != nil {
		rev.attach(catalog, trailAttachment(a.Trail, at))
	}
	rev.put(root, catalog)
	return rev.finish(), nil
}

// xmp is the file's metadata (ISO 16684-1).
func xmp(title, language string, at time.Time) []byte {
	var name bytes.Buffer
	_ = xml.EscapeText(&name, []byte(clean(title))) // into memory
	when := at.UTC().Format(time.RFC3339)
	return fmt.Appendf(nil, `<?xpacket begin="%s" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:format>application/pdf</dc:format><dc:title><rdf:Alt><rdf:li xml:lang="x-default">%s</rdf:li></rdf:Alt></dc:title><dc:language><rdf:Bag><rdf:li>%s</rdf:li></rdf:Bag></dc:language></rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreatorTool>Paraph</xmp:CreatorTool><xmp:CreateDate>%s</xmp:CreateDate><xmp:ModifyDate>%s</xmp:ModifyDate></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdf="http://ns.adobe.com/pdf/1.3/"><pdf:Producer>Paraph</pdf:Producer></rdf:Description>
</rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>
`, "\uFEFF", name.String(), language, when, when)
}

// sRGB is an ICC profile of version 4.2 (ICC.1:2004-10) for the colours of IEC 61966-2-1: its primaries as seen in D50, its
// curve as the function that the standard gives.
func sRGB() []byte {
	text := func(s string) []byte {
		b := append([]byte("mluc"), 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 12, 'e', 'n', 'U', 'S')
		b = binary.BigEndian.AppendUint32(b, uint32(2*len(s)))
		b = binary.BigEndian.AppendUint32(b, 28)
		for _, c := range []byte(s) {
			b = append(b, 0, c)
		}
		return b
	}
	curve := fixedPoint([]byte{'p', 'a', 'r', 'a', 0, 0, 0, 0, 0, 3, 0, 0}, 2.4, 1/1.055, 0.055/1.055, 1/12.92, 0.04045)
	xyz := func(x, y, z float64) []byte { return fixedPoint([]byte("XYZ \x00\x00\x00\x00"), x, y, z) }
	tags := []struct {
		name string
		data []byte
	}{
		{"desc", text("sRGB")},
		{"cprt", text("No copyright, use freely")},
		{"wtpt", xyz(0.9642, 1, 0.8249)},
		{"chad", fixedPoint([]byte("sf32\x00\x00\x00\x00"), 1.047882, 0.022918, -0.050217, 0.029587, 0.990478, -0.017059, -0.009232, 0.015076, 0.751678)},
		{"rXYZ", xyz(0.436066, 0.222488, 0.013916)},
		{"gXYZ", xyz(0.385147, 0.716873, 0.097076)},
		{"bXYZ", xyz(0.143066, 0.060608, 0.714096)},
		{"rTRC", curve},
		{"gTRC", curve},
		{"bTRC", curve},
	}
	table, body := binary.BigEndian.AppendUint32(nil, uint32(len(tags))), []byte(nil)
	for _, t := range tags {
		table = append(table, t.name...)
		table = binary.BigEndian.AppendUint32(table, uint32(128+4+12*len(tags)+len(body)))
		table = binary.BigEndian.AppendUint32(table, uint32(len(t.data)))
		body = append(body, t.data...)
		for len(body)%4 != 0 {
			body = append(body, 0)
		}
	}
	head := make([]byte, 128)
	binary.BigEndian.PutUint32(head, uint32(len(head)+len(table)+len(body)))
	head[8], head[9] = 4, 0x20
	copy(head[12:], "mntrRGB XYZ ")
	copy(head[24:], []byte{0x07, 0xE4, 0, 1, 0, 1}) // made on 2020-01-01
	copy(head[36:], "acsp")
	copy(head[68:], fixedPoint(nil, 0.9642, 1, 0.8249)) // D50
	return append(append(head, table...), body...)
}

// fixedPoint appends values as 16.16 fixed point.
func fixedPoint(b []byte, vs ...float64) []byte {
	for _, v := range vs {
		b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(v*65536))))
	}
	return b
}
