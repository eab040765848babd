package seal

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
)

// What may follow a signature is little, so the bytes that were added are held to more than the format's own rules: nothing in
// them may be read by one program in another way than by the next. Lenient readers look for objects themselves when something
// about a file displeases them, take the first of two equal keys, or look an object up by its number instead of its place.

// checkAddedBytes looks at what was appended: every object in it has to be listed, once, and every end of a revision in it has
// to belong to the chain of revisions.
func (d *revisionDiff) checkAddedBytes() {
	size, _ := d.old.trailer().int("Size")
	for _, s := range d.sections {
		if s.twice {
			d.report("a table was added that lists an object more than once")
		}
		if s.trailer.dup {
			d.report("a trailer was added that has the same key twice")
		}
		if now, _ := s.trailer.int("Size"); now < size {
			d.report("objects were taken away by making the file's table smaller")
		}
		d.checkAddedStreams(s)
	}
	d.checkEnds()
	d.checkUnlisted()
}

// checkAddedStreams refuses object streams of the new revisions that name an object more than once.
func (d *revisionDiff) checkAddedStreams(s xrefSection) {
	for _, e := range s.entries {
		if e.kind != 2 || e.a < 0 || e.a > maxObjectNumber {
			continue
		}
		if os, err := d.new.objectStream(uint32(e.a)); err != nil || os.twice {
			d.report("objects were added in a stream that names one of them more than once")
			return
		}
	}
}

// checkEnds refuses a startxref that leads elsewhere than to a table of the chain, and bytes behind the last one.
func (d *revisionDiff) checkEnds() {
	added := d.new.buf[d.end:]
	tables := map[int64]bool{}
	for _, s := range d.sections {
		tables[int64(s.offset)] = true
	}
	last := 0
	for at := 0; ; {
		i := bytes.Index(added[at:], []byte("startxref"))
		if i < 0 {
			break
		}
		at += i + len("startxref")
		lx := d.new.lexer(d.end + at)
		n, err := lx.integer()
		if err != nil || !tables[n+int64(d.new.base)] {
			d.report("a revision was hidden in the file")
		}
		last = lx.pos
	}
	tail := bytes.Trim(d.new.buf[min(max(last, d.end), len(d.new.buf)):], "\x00\t\n\f\r ")
	if last > 0 && string(tail) != "%%EOF" {
		d.report("bytes were added after the end of a revision")
	}
}

var objectHead = regexp.MustCompile(`([0-9]{1,10})[\x00\t\n\f\r ]+[0-9]{1,5}[\x00\t\n\f\r ]+obj`)

// checkUnlisted refuses objects that lie in the file but in no table, where a reader that repairs would find them.
func (d *revisionDiff) checkUnlisted() {
	listed := map[int]bool{}
	for _, s := range d.sections {
		listed[s.offset] = true
		for _, e := range s.entries {
			if e.kind == 1 {
				listed[int(e.a)+d.new.base] = true
			}
		}
	}
	for from := d.end; ; {
		m := objectHead.FindSubmatchIndex(d.new.buf[from:])
		if m == nil {
			return
		}
		at, number := from+m[0], d.new.buf[from+m[2]:from+m[3]]
		from += m[1]
		if listed[at] {
			continue
		}
		n, err := strconv.ParseUint(string(number), 10, 32)
		if err != nil {
			continue
		}
		if label, used := d.usedAs(uint32(n)); used {
			d.report("another version of %s is hidden in the file", label)
		} else {
			d.report("an object is hidden in the file")
		}
		return
	}
}

// usedAs says what the old document uses an object for.
func (d *revisionDiff) usedAs(n uint32) (string, bool) {
	if d.labels == nil && d.mapOld() != nil {
		return "", false
	}
	label, used := d.labels[n]
	return label, used
}

// rejectTwice reports a dictionary in which a key stands twice: some readers take the first, others the last.
func (d *revisionDiff) rejectTwice(dict *pdfDict, what string) {
	if dict.dup {
		d.report("%s has the same key twice, so that readers may see different things", what)
	}
}

// isArray tells whether a value is a list, or not there.
func (f *pdfFile) isArray(v any) bool {
	switch f.resolve(v).(type) {
	case nil, pdfArray:
		return true
	}
	return false
}

// compareExempt holds the catalog's entries that may differ to what they are for.
func (d *revisionDiff) compareExempt(was, is *pdfDict) {
	for f, root := range map[*pdfFile]*pdfDict{d.old: was, d.new: is} {
		if !f.onlyKeys(root.vals["DSS"], "Type", "VRI", "Certs", "OCSPs", "CRLs") {
			d.report("the validation data is something else")
		}
		if !f.onlyExtensions(root.vals["Extensions"]) {
			d.report("the list of extensions is something else")
		}
		if v := f.resolve(root.vals["AcroForm"]); v != nil {
			if _, ok := v.(*pdfDict); !ok {
				d.report("the form is something else")
			}
		}
	}
}

// onlyKeys tells whether a value is a dictionary with none but these keys, each once, or not there.
func (f *pdfFile) onlyKeys(v any, keys ...pdfName) bool {
	v = f.resolve(v)
	dict, ok := v.(*pdfDict)
	if !ok {
		return v == nil
	}
	return !dict.dup && !slices.ContainsFunc(dict.keys, func(k pdfName) bool { return !slices.Contains(keys, k) })
}

// onlyExtensions tells whether a value is a list of extensions (ISO 32000-2, 7.12).
func (f *pdfFile) onlyExtensions(v any) bool {
	v = f.resolve(v)
	dict, ok := v.(*pdfDict)
	if !ok {
		return v == nil
	}
	for _, k := range dict.keys {
		entries := f.array(dict.vals[k])
		if entries == nil {
			entries = pdfArray{dict.vals[k]}
		}
		for _, e := range entries {
			if _, name := f.resolve(e).(pdfName); name && k == "Type" {
				continue
			}
			if !f.onlyKeys(e, "Type", "BaseVersion", "ExtensionLevel", "ExtensionRevision", "URL") {
				return false
			}
		}
	}
	return !dict.dup
}

// comparePages says which pages were replaced, added or removed.
func (d *revisionDiff) comparePages() {
	now, err := d.new.leaves()
	if err != nil {
		d.report("the pages can't be read any more")
		return
	}
	for i, was := range d.leaves {
		switch {
		case i >= len(now):
			d.report("page %d was removed", i+1)
		case now[i].ref != was:
			d.report("page %d was replaced", i+1)
		}
	}
	for i := len(d.leaves); i < len(now); i++ {
		d.report("page %d was added", i+1)
	}
}

// annotsOf names the page whose annotations are object n.
func (d *revisionDiff) annotsOf(n uint32) string {
	if page := d.annots[n]; page > 0 {
		return "page " + strconv.Itoa(page)
	}
	return "a page"
}

// asSigned gives a signature's field as it is in the revision that was signed, where nobody can have changed since what it
// restricts. ok is false when the field is none of that revision's, or has another signature there.
func (f *pdfFile) asSigned(c *signatureCheck) (was sigField, ok bool) {
	fields, err := f.signatureFields()
	if err != nil {
		return was, false
	}
	for _, was := range fields {
		if was.ref == c.field.ref && was.name == c.field.name && was.value != nil {
			contents, _ := was.value.vals["Contents"].(pdfString)
			return was, contents.start == c.rng.gapStart && contents.end == c.rng.gapEnd
		}
	}
	return was, false
}
