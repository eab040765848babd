package seal

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// The attacks here end with a document timestamp of the attacker's own, which may follow a seal and covers the whole file: so
// that nothing but what the attack changed can be the reason for which it is refused.

// stampedBy closes a file with a document timestamp by an authority that nobody trusts.
func stampedBy(t testing.TB, tsa testTSA, pdf []byte) []byte {
	t.Helper()
	return signWith(t, pdf, testKeys()["RSA"], func(s *signing) {
		s.lock, s.kind, s.format, s.room = false, "DocTimeStamp", "ETSI.RFC3161", 8192
		s.make = func(_ crypto.Hash, digest []byte) ([]byte, error) { return tsa.token(t, digest), nil }
	})
}

// behind appends a revision to the whole of a file, but as if it followed an earlier state of it: what lies between belongs to
// no revision.
func behind(t testing.TB, earlier, whole []byte, objects map[uint32]string) []byte {
	t.Helper()
	f, err := openPDF(earlier)
	if err != nil {
		t.Fatal(err)
	}
	f.buf = whole
	r := newRevision(f)
	for n, content := range objects {
		r.put(pdfRef{num: n}, pdfRaw(content))
	}
	return r.finish()
}

// lastSwapped changes a text at the end of a file, length kept.
func lastSwapped(t testing.TB, pdf []byte, old, new string) []byte {
	t.Helper()
	i := bytes.LastIndex(pdf, []byte(old))
	if i < 0 || len(new) > len(old) {
		t.Fatalf("can't put %q in place of %q", new, old)
	}
	out := slices.Clone(pdf)
	copy(out[i:], new+strings.Repeat(" ", len(old)-len(new)))
	return out
}

const otherContent = "BT /F1 24 Tf 72 700 Td (Rent: 700) Tj ET"

// attack is a change behind a seal of formPDF(false), before the attacker's timestamp; see tamper.
func attacks() []tamper {
	page := fmt.Sprintf(pageDict, "")
	catalog := fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "")
	return []tamper{
		{"content replaced", "the content of page 1 was changed", objects(4, streamObject("", otherContent))},
		{"an object that no table lists", "another version of the content of page 1 is hidden", func(t testing.TB, b []byte) []byte {
			hidden := append(slices.Clone(b), "4 0 obj\n"+streamObject("", otherContent)+"\nendobj\n"...)
			return behind(t, b, hidden, map[uint32]string{40: "<< >>"})
		}},
		{"a new object that no table lists", "an object is hidden", func(t testing.TB, b []byte) []byte {
			return behind(t, b, append(slices.Clone(b), "77 0 obj\n<< >>\nendobj\n"...), map[uint32]string{40: "<< >>"})
		}},
		{"a whole revision that the chain leaves out", "a revision was hidden", func(t testing.TB, b []byte) []byte {
			return behind(t, b, revise(t, b, map[uint32]string{4: streamObject("", otherContent)}), map[uint32]string{40: "<< >>"})
		}},
		{"another end in a comment", "a revision was hidden", func(t testing.TB, b []byte) []byte {
			return behind(t, b, append(slices.Clone(b), "% startxref\n15\n"...), map[uint32]string{40: "<< >>"})
		}},
		{"a table that ends before the objects do", "by making the file's table smaller", func(t testing.TB, b []byte) []byte {
			return lastSwapped(t, revise(t, b, map[uint32]string{6: "<< /Title (Lease) >>"}), "/Size 10", "/Size 4")
		}},
		{"a trailer with two catalogs", "a trailer was added that has the same key twice", func(t testing.TB, b []byte) []byte {
			out := revise(t, b, map[uint32]string{1: catalog, 20: catalog})
			i := bytes.LastIndex(out, []byte("/Root"))
			return slices.Insert(out, i, []byte("/Root 20 0 R ")...)
		}},
		{"an object listed twice", "lists an object more than once", func(t testing.TB, b []byte) []byte {
			out := revise(t, b, map[uint32]string{40: streamObject("", otherContent)})
			i := bytes.LastIndex(out, []byte("trailer"))
			at := bytes.LastIndex(out, []byte("40 0 obj"))
			old := bytes.Index(out, []byte("4 0 obj"))
			return slices.Insert(out, i, fmt.Appendf(nil, "4 1\n%010d 00000 n\r\n4 1\n%010d 00000 n\r\n", at, old)...)
		}},
		{"hidden entries of a hybrid table", "lists an object more than once", func(t testing.TB, b []byte) []byte {
			out := revise(t, b, map[uint32]string{40: "<< /Type /XRef /W [1 4 1] /Index [41 1] /Size 42 /Length 6 >>\nstream\n\x00\x00\x00\x00\x00\x00\nendstream"})
			i, at := bytes.LastIndex(out, []byte("/Prev")), bytes.LastIndex(out, []byte("40 0 obj"))
			return slices.Insert(out, i, fmt.Appendf(nil, "/XRefStm %d ", at)...)
		}},
		{"an object twice in a stream of objects", "names one of them more than once", twiceInStream},
		{"fonts as validation data", "the validation data is something else", objects(
			1, fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "/DSS << /Type /Font /Subtype /Type1 /BaseFont /Symbol >>"))},
		{"fonts as extensions", "the list of extensions is something else", objects(
			1, fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "/Extensions << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Symbol >> >>"))},
		{"a page replaced", "page 1 was replaced", objects(
			2, "<< /Type /Pages /Kids [20 0 R] /Count 1 >>", 20, page)},
		{"a page added", "page 2 was added", objects(
			2, "<< /Type /Pages /Kids [3 0 R 20 0 R] /Count 2 >>", 20, "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>")},
		{"an annotation over the text", "an annotation was added to page 1", objects(
			3, fmt.Sprintf(pageDict, "20 0 R"), 20, "<< /Type /Annot /Subtype /Square /Rect [72 690 300 720] /IC [1 1 1] >>")},
		{"what is only printed", "a visible signature was added", objects(
			3, fmt.Sprintf(pageDict, "20 0 R"),
			20, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (x) /V 21 0 R /Rect [0 0 500 500] /F 36 /AP << /N 22 0 R >> >>",
			21, "<< /Type /DocTimeStamp /SubFilter /ETSI.RFC3161 >>", 22, streamObject("/Type /XObject /Subtype /Form /BBox [0 0 9 9]", ""))},
		{"a form value drawn otherwise", `the form field "rent" was changed`, objects(7, strings.Replace(valueField, "/F 4", "/F 4 /AP << /N 20 0 R >>", 1), 20,
			streamObject("/Type /XObject /Subtype /Form /BBox [0 0 99 99]", otherContent))},
		{"the same signature in a second field", "hangs in another field", func(t testing.TB, b []byte) []byte {
			return revise(t, b, map[uint32]string{
				1: fmt.Sprintf(catalogDict, "2 0 R", "9 0 R 20 0 R", ""), 20: "<< /FT /Sig /T (Bob) /V 8 0 R >>",
			})
		}},
		{"the signature moved to another field", "hangs in another field", objects(
			1, fmt.Sprintf(catalogDict, "2 0 R", "20 0 R", ""), 20, "<< /FT /Sig /T (Seal1) /V 8 0 R >>")},
		{"the lock taken off", "hangs in another field", objects(
			9, "<< /Type /Annot /Subtype /Widget /FT /Sig /T (Other) /F 132 /Rect [0 0 0 0] /P 3 0 R /V 8 0 R >>")},
		{"layers", "the layers were changed", objects(1, fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "/OCProperties << /OCGs [] /D << >> >>"))},
	}
}

// attacksAtOnce are revisions that bring their own timestamp (see stampedAtOnce), because adding one would write anew what is
// wrong in them.
func attacksAtOnce() map[string]struct {
	objects map[uint32]string
	reason  string
} {
	type objects = map[uint32]string
	page := fmt.Sprintf(pageDict, "")
	catalog := fmt.Sprintf(catalogDict, "2 0 R", "9 0 R 60 0 R", "")
	form := "<< /Fields [7 0 R 9 0 R 60 0 R] /SigFlags 3 /DA (/F1 12 Tf 0 g) /DR << /Font << /F1 5 0 R >> >> >>"
	otherPages := "<< /Type /Pages /Kids [21 0 R] /Count 1 >>"
	return map[string]struct {
		objects objects
		reason  string
	}{
		"nothing": {objects{1: catalog}, ""},
		"the catalog's pages twice": {
			objects{1: strings.Replace(catalog, "/Pages", "/Pages 20 0 R /Pages", 1), 20: otherPages, 21: strings.Replace(page, "/Parent 2", "/Parent 20", 1)},
			"the catalog has the same key twice",
		},
		"the catalog's pages twice, once in other letters": {
			objects{1: strings.Replace(catalog, "/Pages", "/P#61ges 20 0 R /Pages", 1), 20: otherPages, 21: page}, "the catalog has the same key twice",
		},
		"a page's content twice": {
			objects{1: catalog, 3: strings.Replace(page, "/Contents", "/Contents 20 0 R /Contents", 1), 20: streamObject("", otherContent)}, "page 1 was changed",
		},
		"the form's fields twice": {
			objects{1: strings.Replace(catalog, "/Fields", "/Fields [20 0 R] /Fields", 1), 20: strings.Replace(valueField, "(rent)", "(rent2)", 1)},
			"the form has the same key twice",
		},
		"a picture as form": {
			objects{1: "<< /Type /Catalog /Pages 2 0 R /AcroForm 20 0 R /Perms << /DocMDP 8 0 R >> >>", 20: streamObject(form[2:len(form)-2], otherContent)},
			"the form is something else",
		},
		"annotations that are a picture": {
			objects{1: catalog, 3: strings.Replace(page, "[7 0 R 9 0 R ]", "20 0 R", 1), 20: streamObject("", otherContent)}, "page 1 was changed",
		},
		"a number that some read otherwise": {objects{1: catalog, 3: strings.Replace(page, "612", "6.12e2", 1)}, "page 1 was changed"},
		"a field that has a kind twice": {
			objects{1: fmt.Sprintf(catalogDict, "2 0 R", "9 0 R 60 0 R 20 0 R", ""), 20: "<< /FT /Tx /FT /Sig /T (x) /V 61 0 R /F 2 >>"}, "a field that has a key twice was added",
		},
	}
}

// stampedAtOnce appends one revision with these objects and a document timestamp: 60 is its field, 61 the timestamp.
func stampedAtOnce(t testing.TB, tsa testTSA, pdf []byte, objects map[uint32]string) []byte {
	t.Helper()
	const room = 8192
	all := map[uint32]string{60: "<< /FT /Sig /T (stamp) /V 61 0 R >>"}
	maps.Copy(all, objects)
	all[61] = "<< /Type /DocTimeStamp /Filter /Adobe.PPKLite /SubFilter /ETSI.RFC3161 /Contents <" + strings.Repeat("0", 2*room) + "> /ByteRange " + byteRange(0, 0, 0) + " >>"
	out := revise(t, pdf, all)
	start := bytes.LastIndex(out, []byte("/Contents <00")) + len("/Contents ")
	end := start + 2*room + 2
	copy(out[end+len(" /ByteRange "):], byteRange(start, end, len(out)-end))
	sum := sha256.Sum256(append(slices.Clone(out[:start]), out[end:]...))
	hex.Encode(out[start+1:], tsa.token(t, sum[:]))
	return out
}

// TestVerifyRefusesAttacksAtOnce is TestVerifyRefusesAttacks for attacks that bring their own timestamp.
func TestVerifyRefusesAttacksAtOnce(t *testing.T) {
	t.Parallel()
	id, tsa := testKeys()["ECDSA"], newTSA(t)
	sealed := mustSign(t, formPDF(false), id)
	for name, a := range attacksAtOnce() {
		rep := mustVerify(t, stampedAtOnce(t, tsa, sealed, a.objects), id)
		all := rep.Reason + strings.Join(rep.Changes, "; ")
		if rep.Valid != (a.reason == "") || !strings.Contains(all, a.reason) {
			t.Errorf("%s is not refused because of %q:\n%s", name, a.reason, rep.Text())
		}
	}
}

// twiceInStream appends a stream of objects that names the catalog twice: first as it was, then with other pages.
func twiceInStream(t testing.TB, b []byte) []byte {
	t.Helper()
	f, err := openPDF(b)
	if err != nil {
		t.Fatal(err)
	}
	one := fmt.Sprintf(catalogDict, "2 0 R", "9 0 R", "")
	two := fmt.Sprintf(catalogDict, "30 0 R", "9 0 R", "")
	index := fmt.Sprintf("1 0 1 %d ", len(one)+1)
	out := slices.Clone(b)
	objAt := len(out)
	out = fmt.Appendf(out, "40 0 obj\n%s\nendobj\n", streamObject(fmt.Sprintf("/Type /ObjStm /N 2 /First %d", len(index)), index+one+" "+two))
	tableAt := len(out)
	rows := []byte{2, 0, 0, 0, 40, 0, 1, byte(objAt >> 24), byte(objAt >> 16), byte(objAt >> 8), byte(objAt), 0, 1, byte(tableAt >> 24), byte(tableAt >> 16), byte(tableAt >> 8), byte(tableAt), 0}
	dict := fmt.Sprintf("/Type /XRef /W [1 4 1] /Index [1 1 40 2] /Size 42 /Root 1 0 R /Info 6 0 R /Prev %d", f.sections[0].offset)
	return fmt.Appendf(out, "41 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n", streamObject(dict, string(rows)), tableAt)
}

// TestVerifyRefusesAttacks hides each change behind a timestamp that covers all of it.
func TestVerifyRefusesAttacks(t *testing.T) {
	t.Parallel()
	id, tsa := testKeys()["ECDSA"], newTSA(t)
	sealed := mustSign(t, formPDF(false), id)
	if rep := mustVerify(t, stampedBy(t, tsa, sealed), id); !rep.Valid || len(rep.Changes) > 0 {
		t.Fatalf("a timestamp alone is refused: %s", rep.Text())
	}
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			bad := stampedBy(t, tsa, a.change(t, sealed))
			for _, opt := range []VerifyOptions{{}, {Roots: id.Roots()}} {
				rep, err := Verify(bad, opt)
				if err != nil {
					t.Fatal(err)
				}
				if all := rep.Reason + strings.Join(rep.Changes, "; "); rep.Valid || !strings.Contains(all, a.reason) {
					t.Errorf("not refused because of %q:\n%s", a.reason, rep.Text())
				}
			}
		})
	}
}

// TestVerifyShadows are files that were prepared before they were signed, so that a harmless change would show other content.
func TestVerifyShadows(t *testing.T) {
	t.Parallel()
	id, tsa := testKeys()["ECDSA"], newTSA(t)
	const layers = "<< /OCGs [8 0 R] /D << /OFF %s >> >>"
	for name, c := range map[string]struct {
		pdf     []byte
		objects map[uint32]string
		reason  string
	}{
		"a font defined anew": {contractPDF("", ""), map[uint32]string{5: "<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"}, "the resources of page 1 was changed"},
		"an object that was missing": {
			contractPDF("", "/Thumb 50 0 R"), map[uint32]string{50: streamObject("", otherContent)}, "the resources of page 1 was changed",
		},
		"hidden layers shown": {
			contractPDF("/OCProperties 7 0 R", "", fmt.Sprintf(layers, "[8 0 R]"), "<< /Type /OCG /Name (hidden) >>"),
			map[uint32]string{7: fmt.Sprintf(layers, "[]")},
			"the catalog's OCProperties was changed",
		},
		"extensions that are a page's part": {
			contractPDF("/Extensions 7 0 R", "/PieceInfo 7 0 R", "<< >>"), map[uint32]string{7: "<< /ADBE << /BaseVersion /1.7 /ExtensionLevel 8 >> >>"}, "was changed",
		},
		"the first of two equal keys": {
			contractPDF("", "/PieceInfo 7 0 R", "<< /A 1 /A 2 >>"), map[uint32]string{7: "<< /A 3 /A 2 >>"}, "the resources of page 1 was changed",
		},
		"a stream made longer": {
			contractPDF("", "/Thumb 7 0 R", "<< /Length 8 0 R >>\nstream\nq\nendstream Q endstream", "1"),
			map[uint32]string{8: "13"},
			"the resources of page 1 was changed",
		},
	} {
		sealed := mustSign(t, c.pdf, id)
		rep := mustVerify(t, stampedBy(t, tsa, revise(t, sealed, c.objects)), id)
		if all := rep.Reason + strings.Join(rep.Changes, "; "); rep.Valid || !strings.Contains(all, c.reason) {
			t.Errorf("%s is not refused because of %q:\n%s", name, c.reason, rep.Text())
		}
	}
}

// withCMS signs a file with a signature that was changed before it went in.
func withCMS(t testing.TB, id Identity, change func(cms []byte) []byte) []byte {
	t.Helper()
	return signWith(t, formPDF(false), id, func(s *signing) {
		s.room += 16 << 10
		s.make = func(h crypto.Hash, digest []byte) ([]byte, error) {
			cms, err := cmsSign(id, h, digest)
			return change(cms), err
		}
	})
}

// signedWith is cmsSign with other attributes or another name for the digest.
func signedWith(t testing.TB, id Identity, digest []byte, edit func([]cmsAttribute) []cmsAttribute, oid asn1.ObjectIdentifier) []byte {
	t.Helper()
	attrs, err := signedAttributes(id.Chain[0], digest)
	if err != nil {
		t.Fatal(err)
	}
	set, err := asn1.MarshalWithParams(edit(attrs), "set")
	if err != nil {
		t.Fatal(err)
	}
	cms, err := cmsSign(id, crypto.SHA256, digest)
	if err != nil {
		t.Fatal(err)
	}
	var outer cmsContentInfo
	var sd cmsSignedData
	if _, err := asn1.Unmarshal(cms, &outer); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &sd); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(set)
	if sd.Signers[0].Signature, err = id.Key.Sign(nil, sum[:], crypto.SHA256); err != nil {
		t.Fatal(err)
	}
	sd.Signers[0].SignedAttrs.FullBytes = nil
	sd.Signers[0].SignedAttrs.Bytes = tlvBody(set)
	if edit(attrs) == nil {
		sd.Signers[0].SignedAttrs = asn1.RawValue{}
	}
	sd.Signers[0].Digest.Algorithm = oid
	out, err := marshalSignedData(sd)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func lacking(oid asn1.ObjectIdentifier) func([]cmsAttribute) []cmsAttribute {
	return func(all []cmsAttribute) []cmsAttribute {
		return slices.DeleteFunc(slices.Clone(all), func(a cmsAttribute) bool { return a.Type.Equal(oid) })
	}
}

// TestVerifyRefusesWeakSignatures is about signatures that fit the file and are no good all the same.
func TestVerifyRefusesWeakSignatures(t *testing.T) {
	t.Parallel()
	id, tsa := testKeys()["RSA"], newTSA(t)
	same := func(a []cmsAttribute) []cmsAttribute { return a }
	made := func(edit func([]cmsAttribute) []cmsAttribute, oid asn1.ObjectIdentifier) func(*signing) {
		return func(s *signing) {
			s.make = func(_ crypto.Hash, digest []byte) ([]byte, error) { return signedWith(t, id, digest, edit, oid), nil }
		}
	}
	unsigned := func(n int) func([]byte) []byte {
		return func(cms []byte) []byte {
			attr, err := asn1.Marshal(cmsAttribute{oidTimestampToken, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: tsa.token(t, make([]byte, 32))}})
			if err != nil {
				t.Fatal(err)
			}
			set, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: bytes.Repeat(attr, n)})
			if err != nil {
				t.Fatal(err)
			}
			return appendLast(t, cms, set, 4)
		}
	}
	for name, c := range map[string]struct {
		pdf    []byte
		reason string
	}{
		"MD5":                  {signWith(t, formPDF(false), id, made(same, asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 5})), "weak or unknown"},
		"SHA-1":                {signWith(t, formPDF(false), id, made(same, oidSHA1)), "SHA-1"},
		"no certificate named": {signWith(t, formPDF(false), id, made(lacking(oidSigningCertV2), oidSHA256)), "does not bind its certificate"},
		"no digest":            {signWith(t, formPDF(false), id, made(lacking(oidMessageDigest), oidSHA256)), "no digest of what it signs"},
		"no kind of content":   {signWith(t, formPDF(false), id, made(lacking(oidContentType), oidSHA256)), "another kind of content"},
		"no attributes":        {signWith(t, formPDF(false), id, made(func([]cmsAttribute) []cmsAttribute { return nil }, oidSHA256)), "no signed attributes"},
		"two signers":          {withCMS(t, id, func(b []byte) []byte { return appendLast(t, b, signerInfo(t, b), 3) }), "more than one signer"},
		"indefinite length":    {withCMS(t, id, indefinite), "CMS in DER"},
		"an attribute twice":   {withCMS(t, id, unsigned(2)), "an attribute twice"},
		"content of its own":   {withCMS(t, id, func(b []byte) []byte { return withContent(t, b) }), "content of its own"},
		"no certificate": {withCMS(t, id, func(b []byte) []byte {
			return bytes.Replace(b, id.Chain[0].RawIssuer, bytes.Repeat([]byte{'x'}, len(id.Chain[0].RawIssuer)), 1)
		}), "is not in the signature"},
		"another's certificate":   {otherCertificate(t), "is not in the signature"},
		"expired when it claims":  {mustSign(t, formPDF(false), selfSigned("Old", id.Key, func(c *x509.Certificate) { c.NotAfter = signedAt.AddDate(0, 0, -1) })), "not valid at the time of signing"},
		"not valid yet":           {mustSign(t, formPDF(false), selfSigned("New", id.Key, func(c *x509.Certificate) { c.NotBefore = signedAt.AddDate(0, 0, 1) })), "not valid at the time of signing"},
		"an indirect ByteRange":   {indirectRange(t, id), "does not have four numbers"},
		"an old format":           {signWith(t, formPDF(false), id, func(s *signing) { s.format = "adbe.x509.rsa_sha1" }), "format that is not checked"},
		"Contents that are empty": {withCMS(t, id, func([]byte) []byte { return nil }), "CMS in DER"},
	} {
		rep, err := Verify(c.pdf, VerifyOptions{Roots: id.Roots()})
		if err != nil {
			t.Fatal(name, err)
		}
		if rep.Valid || !strings.Contains(rep.Reason, c.reason) {
			t.Errorf("%s is not refused because of %q:\n%s", name, c.reason, rep.Text())
		}
	}
}

// TestVerifyForeignTimestamp adds a timestamp by nobody to a signature, which needs no key: it may not lend it another time.
func TestVerifyForeignTimestamp(t *testing.T) {
	t.Parallel()
	id, tsa := testKeys()["ECDSA"], newTSA(t)
	rep := mustVerify(t, withCMS(t, id, func(b []byte) []byte { return stamped(t, tsa, b, true) }), id)
	s := rep.Signatures[0]
	if s.TimestampTrusted || s.SignedAt == nil || !s.SignedAt.Equal(signedAt) || !strings.Contains(rep.Text(), "Timely, which is not trusted here") {
		t.Errorf("a timestamp by nobody counts:\n%s", rep.Text())
	}
}

func signerInfo(t testing.TB, cms []byte) []byte {
	t.Helper()
	var outer cmsContentInfo
	var sd cmsSignedData
	if _, err := asn1.Unmarshal(cms, &outer); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &sd); err != nil {
		t.Fatal(err)
	}
	out, err := asn1.Marshal(sd.Signers[0])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// indefinite writes the outermost length as BER allows it and DER does not.
func indefinite(cms []byte) []byte {
	body := tlvBody(cms)
	return append(append([]byte{0x30, 0x80}, body...), 0, 0)
}

func withContent(t testing.TB, cms []byte) []byte {
	t.Helper()
	var outer cmsContentInfo
	var sd cmsSignedData
	if _, err := asn1.Unmarshal(cms, &outer); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(outer.Content.Bytes, &sd); err != nil {
		t.Fatal(err)
	}
	sd.Encapsulated.Content = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: []byte{4, 1, 'x'}}
	out, err := marshalSignedData(sd)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// otherCertificate is signed by one and carries the certificate of another.
func otherCertificate(t testing.TB) []byte {
	t.Helper()
	id, other := testKeys()["RSA"], testKeys()["ECDSA"]
	return withCMS(t, id, func(b []byte) []byte {
		var outer cmsContentInfo
		var sd cmsSignedData
		if _, err := asn1.Unmarshal(b, &outer); err != nil {
			t.Fatal(err)
		}
		if _, err := asn1.Unmarshal(outer.Content.Bytes, &sd); err != nil {
			t.Fatal(err)
		}
		sd.Certificates = certificateSet(other.Chain)
		out, err := marshalSignedData(sd)
		if err != nil {
			t.Fatal(err)
		}
		return out
	})
}

// indirectRange has its ByteRange in an object of its own, which a later revision could change.
func indirectRange(t testing.TB, id Identity) []byte {
	t.Helper()
	sealed := mustSign(t, formPDF(false), id)
	at := bytes.LastIndex(sealed, []byte("/ByteRange ["))
	end := at + bytes.IndexByte(sealed[at:], ']') + 1
	field := "/ByteRange 20 0 R"
	out := slices.Clone(sealed)
	copy(out[at:end], field+strings.Repeat(" ", end-at-len(field)))
	return revise(t, out, map[uint32]string{20: string(sealed[at+len("/ByteRange ") : end])})
}

// TestVerifyTrust tells by whom a signer is trusted.
func TestVerifyTrust(t *testing.T) {
	t.Parallel()
	id := testKeys()["ECDSA"]
	web := selfSigned("www.example.com", id.Key, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} })
	mail := selfSigned("Ann", id.Key, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} })
	documents := selfSigned("Bea", id.Key, func(c *x509.Certificate) { c.UnknownExtKeyUsage = documentUsages()[:1] })
	other := testKeys()["RSA"].Roots()
	for name, c := range map[string]struct {
		by   Identity
		opt  func(roots *x509.CertPool) VerifyOptions
		want string
	}{
		"the instance":      {id, func(r *x509.CertPool) VerifyOptions { return VerifyOptions{Roots: r, System: r} }, TrustInstance},
		"who asks":          {id, func(r *x509.CertPool) VerifyOptions { return VerifyOptions{Roots: other, Given: r, System: r} }, TrustGiven},
		"the system":        {id, func(r *x509.CertPool) VerifyOptions { return VerifyOptions{Roots: other, Given: other, System: r} }, TrustSystem},
		"nobody":            {id, func(*x509.CertPool) VerifyOptions { return VerifyOptions{Roots: other} }, ""},
		"nobody at all":     {id, func(*x509.CertPool) VerifyOptions { return VerifyOptions{} }, ""},
		"a web server's":    {web, func(r *x509.CertPool) VerifyOptions { return VerifyOptions{System: r} }, ""},
		"one for mail":      {mail, func(r *x509.CertPool) VerifyOptions { return VerifyOptions{System: r} }, TrustSystem},
		"one for documents": {documents, func(r *x509.CertPool) VerifyOptions { return VerifyOptions{System: r} }, TrustSystem},
	} {
		rep, err := Verify(mustSign(t, formPDF(false), c.by), c.opt(c.by.Roots()))
		if err != nil {
			t.Fatal(err)
		}
		if s := rep.Signatures[0]; s.TrustedBy != c.want || s.Trusted != (c.want != "") {
			t.Errorf("%s: trusted by %q, want %q", name, s.TrustedBy, c.want)
		}
	}
}

// TestVerifySystemIsNoSeal changes a file that somebody approved and signs it with a certificate that anybody can have.
func TestVerifySystemIsNoSeal(t *testing.T) {
	t.Parallel()
	alice, anybody := testKeys()["RSA"], testKeys()["ECDSA"]
	approved := signUnlocked(t, contractPDF("", ""), alice)
	changed := mustSign(t, revise(t, approved, map[uint32]string{4: streamObject("", otherContent)}), anybody)
	for name, c := range map[string]struct {
		opt   VerifyOptions
		valid bool
	}{
		"as the instance":  {VerifyOptions{Roots: anybody.Roots()}, true},
		"as one of many":   {VerifyOptions{Roots: alice.Roots(), System: anybody.Roots()}, false},
		"as one that asks": {VerifyOptions{Given: anybody.Roots()}, true},
	} {
		rep, err := Verify(changed, c.opt)
		if err != nil || rep.Valid != c.valid || len(rep.Changes) == 0 {
			t.Errorf("%s: %v %s", name, err, rep.Text())
		}
	}
}
