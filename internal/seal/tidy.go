package seal

import (
	"slices"

	"github.com/paraph-sign/paraph"
)

// The rule for what a PDF carries beside its pages, applied once, when it is uploaded:
//
//   - What makes a viewer do something by itself, or something other than move about in the document or open a web page,
//     is removed: JavaScript, Launch, SubmitForm, ImportData and every other action but GoTo, URI and Named; all
//     additional actions; media and 3D. An annotation that loses its content keeps its look.
//   - XFA is removed where an AcroForm says the same. A document that is nothing but XFA is refused.
//   - Attached files stay; they are sealed with the document. A portfolio becomes the document that is its cover.
//   - A file whose signatures stay valid is not changed at all, because a viewer would tell people that it was; the notes
//     say what it has.

// tidy applies the rule to a file that can be added to, and measures its pages.
func (p *prepared) tidy() error {
	p.tellHowOpened()
	if err := p.settleSignatures(); err != nil {
		return err
	}
	f, err := openPDF(p.pdf)
	if err != nil {
		return beyondRepair(err)
	}
	leaves, err := f.leaves()
	if err != nil {
		return beyondRepair(err)
	}
	root, catalog, err := f.catalog()
	if err != nil {
		return beyondRepair(err)
	}
	annots := 0
	for _, l := range leaves { // many pages may have the same list
		if annots += len(f.array(l.dict.vals["Annots"])); annots > maxAnnots {
			return beyondRepair(errPDFBounds)
		}
	}
	if f.onlyXFA(catalog) {
		return refuse(KindUnsupported, "This PDF is a dynamic form (XFA), which only Adobe Acrobat and Reader can show. Open it there, print it to a PDF, and upload that.", nil)
	}
	c := cleaner{file: f, done: map[pdfRef]bool{}}
	c.catalog(root, catalog)
	for _, l := range leaves {
		c.page(l)
	}
	switch {
	case len(c.found) > 0 && p.info.Signed:
		p.note(paraph.NoteActionsKept, 0, eachOnce(c.found)...)
	case len(c.found) > 0:
		p.note(paraph.NoteActionsRemoved, 0, eachOnce(c.found)...)
	}
	if c.boxes > 0 && !p.info.Signed {
		p.note(paraph.NoteBoxes, c.boxes)
	}
	if c.attachments > 0 {
		p.note(paraph.NoteAttachments, c.attachments)
	}
	if len(c.clean) > 0 && !p.info.Signed {
		p.pdf = c.revision()
	}
	return p.measure()
}

func (p *prepared) note(kind paraph.NoteKind, count int, what ...string) {
	p.info.Notes = append(p.info.Notes, paraph.Note{Kind: kind, Count: count, What: what})
}

func (p *prepared) tellHowOpened() {
	if p.info.Repaired {
		p.note(paraph.NoteRepaired, 0)
	}
	if p.info.WasEncrypted {
		kind := paraph.NoteUnlocked
		if p.unasked {
			kind = paraph.NoteDecrypted
		}
		p.note(kind, 0)
	}
	if len(p.denied) > 0 {
		p.note(paraph.NoteLifted, 0, p.denied...)
	}
}

// settleSignatures leaves a file with signatures that stay valid, or with none.
func (p *prepared) settleSignatures() error {
	st, err := Signatures(p.pdf)
	if err != nil {
		return p.dropForm()
	}
	p.info.Signed = st.Count > 0 && !st.Restricted && !p.anew
	if p.info.Signed {
		p.note(paraph.NoteSignaturesKept, st.Count)
		return nil
	}
	if st.Count == 0 {
		return nil
	}
	why := paraph.DroppedCertified
	switch {
	case p.info.WasEncrypted:
		why = paraph.DroppedEncrypted
	case p.anew:
		why = paraph.DroppedRepaired
	}
	if p.pdf, err = DropSignatures(p.pdf); err != nil {
		return p.dropForm()
	}
	p.note(paraph.NoteSignaturesDropped, st.Count, why)
	return nil
}

// dropForm takes away a form whose signatures can't be read; what it shows on the pages stays.
func (p *prepared) dropForm() error {
	f, err := openPDF(p.pdf)
	if err != nil {
		return beyondRepair(err)
	}
	ref, root, err := f.catalog()
	if err != nil {
		return beyondRepair(err)
	}
	rev := newRevision(f)
	rev.put(ref, without(root, "AcroForm", "Perms"))
	p.pdf, p.info.Signed, p.info.HasForm = rev.finish(), false, false
	p.note(paraph.NoteSignaturesDropped, 1, paraph.DroppedOdd)
	return nil
}

// measure takes the pages' sizes from what will be stored.
func (p *prepared) measure() error {
	f, err := openPDF(p.pdf)
	if err != nil {
		return beyondRepair(err)
	}
	leaves, err := f.leaves()
	if err != nil {
		return beyondRepair(err)
	}
	p.info.Pages = make([]Page, len(leaves))
	for i, l := range leaves {
		shape := f.shape(l)
		if !(shape.width >= minSide && shape.height >= minSide) {
			return noSize(i)
		}
		p.info.Pages[i] = Page{Width: shape.width, Height: shape.height}
	}
	if n := len(f.formFields(leaves)); n > 0 && !p.info.Signed {
		p.note(paraph.NoteFormFields, n)
	}
	return nil
}

// onlyXFA tells a form that Acrobat lays out itself, whose pages say no more than "Please wait".
func (f *pdfFile) onlyXFA(catalog *pdfDict) bool {
	form := f.dict(catalog.vals["AcroForm"])
	if form == nil || f.resolve(form.vals["XFA"]) == nil {
		return false
	}
	return f.resolve(catalog.vals["NeedsRendering"]) == true
}

// cleaner takes out of a file what the rule removes, as a revision.
type cleaner struct {
	file        *pdfFile
	clean       []cleanObject
	done        map[pdfRef]bool // annotations and fields that were looked at
	found       []string        // what is removed, in words
	attachments int
	boxes       int
}

// cleanObject is an object as it will be.
type cleanObject struct {
	ref  pdfRef
	dict *pdfDict
}

func (c *cleaner) put(ref pdfRef, d *pdfDict) { c.clean = append(c.clean, cleanObject{ref, d}) }

func (c *cleaner) revision() []byte {
	rev := newRevision(c.file)
	for _, o := range c.clean {
		rev.put(o.ref, o.dict)
	}
	return rev.finish()
}

// harmless are the actions that stay (ISO 32000-2, table 201).
var harmless = []pdfName{"GoTo", "URI", "Named"}

// maxActions bounds the actions that are looked at from one, maxAnnots those annotations that stand on all pages together.
const (
	maxActions = 100
	maxAnnots  = 500_000
)

// actionWords name actions as people know them.
var actionWords = map[pdfName]string{
	"JavaScript": "JavaScript", "Launch": "starting programs", "SubmitForm": "sending the form", "ImportData": "importing data",
	"RichMediaExecute": "media", "Rendition": "media", "Movie": "media", "Sound": "media", "GoToR": "opening other files",
	"GoToE": "opening attached files", "ResetForm": "emptying the form", "GoTo3DView": "3D",
}

// bad tells whether an action, or one that follows it, is none of the harmless ones, and notes which.
func (c *cleaner) bad(v any, depth int) bool {
	left := maxActions
	return c.badOf(v, depth, &left)
}

// badOf is bad with the number of actions that may still be looked at: each may be followed by several, and by the same.
func (c *cleaner) badOf(v any, depth int, left *int) bool {
	d := c.file.dict(v)
	if d == nil {
		return false // an array is a destination
	}
	if *left--; *left < 0 {
		return true
	}
	kind, _ := c.file.resolve(d.vals["S"]).(pdfName)
	is := !slices.Contains(harmless, kind)
	if is {
		word, known := actionWords[kind]
		if !known {
			word = "actions"
		}
		c.found = append(c.found, word)
	}
	next := c.file.resolve(d.vals["Next"])
	if next == nil {
		return is
	}
	if depth > 8 {
		return true
	}
	chain, isArray := next.(pdfArray)
	if !isArray {
		chain = pdfArray{d.vals["Next"]}
	}
	for _, a := range chain {
		if *left <= 0 {
			return true
		}
		if c.badOf(a, depth+1, left) {
			is = true
		}
	}
	return is
}

// additional notes what additional actions do (ISO 32000-2, 12.6.3).
func (c *cleaner) additional(v any) {
	d := c.file.dict(v)
	if d == nil {
		return
	}
	for i, k := range d.keys {
		if i > maxPDFDepth {
			break
		}
		c.bad(d.vals[k], 0)
	}
}

// strip is d without what the rule removes at its place, and whether anything was.
func (c *cleaner) strip(d *pdfDict, action pdfName) (*pdfDict, bool) {
	changed := false
	if _, has := d.get("AA"); has {
		c.additional(d.vals["AA"])
		d, changed = without(d, "AA"), true
	}
	if _, has := d.get(action); has && c.bad(d.vals[action], 0) {
		d, changed = without(d, action), true
	}
	return d, changed
}

func (c *cleaner) catalog(ref pdfRef, d *pdfDict) {
	root, changed := c.strip(d, "OpenAction")
	for _, k := range []pdfName{"NeedsRendering", "Collection"} {
		if _, has := root.get(k); has {
			root, changed = without(root, k), true
		}
	}
	if names, ok := c.names(root); ok {
		root = root.clone()
		root.set("Names", names)
		changed = true
	}
	if form, ok := c.form(root); ok {
		root = root.clone()
		root.set("AcroForm", form)
		changed = true
	}
	if changed {
		c.put(ref, root)
	}
}

// names is the catalog's name dictionary without scripts and media, and counts attached files.
func (c *cleaner) names(root *pdfDict) (*pdfDict, bool) {
	names := c.file.dict(root.vals["Names"])
	if names == nil {
		return nil, false
	}
	left := maxNames
	c.attachments += c.leavesOf(names.vals["EmbeddedFiles"], 0, &left)
	out, changed := names, false
	for _, k := range []pdfName{"JavaScript", "Renditions"} {
		if _, has := out.get(k); !has {
			continue
		}
		out, changed = without(out, k), true
		c.found = append(c.found, map[pdfName]string{"JavaScript": "JavaScript", "Renditions": "media"}[k])
	}
	return out, changed
}

// leavesOf counts the entries of a name tree; left is how many of its nodes may still be looked at.
func (c *cleaner) leavesOf(v any, depth int, left *int) int {
	d := c.file.dict(v)
	if d == nil || depth > 8 {
		return 0
	}
	n := len(c.file.array(d.vals["Names"])) / 2
	for _, k := range c.file.array(d.vals["Kids"]) {
		if *left--; *left < 0 {
			break
		}
		n += c.leavesOf(k, depth+1, left)
	}
	return n
}

// form is the document's form without XFA; the fields' actions are removed by the way.
func (c *cleaner) form(root *pdfDict) (*pdfDict, bool) {
	form := c.file.dict(root.vals["AcroForm"])
	if form == nil {
		return nil, false
	}
	c.fields(c.file.array(form.vals["Fields"]), 0)
	out, changed := form, false
	if _, has := form.get("XFA"); has {
		out, changed = without(out, "XFA"), true
		c.found = append(c.found, "XFA")
	}
	if _, has := out.get("CO"); has { // the order of calculations, which are scripts
		out, changed = without(out, "CO"), true
	}
	return out, changed
}

func (c *cleaner) fields(fields pdfArray, depth int) {
	if depth > maxPDFDepth {
		return
	}
	for _, v := range fields {
		ref, ok := v.(pdfRef)
		if !ok || c.done[ref] || len(c.done) > maxFields {
			continue
		}
		c.done[ref] = true
		d := c.file.dict(ref)
		if d == nil {
			continue
		}
		if clean, changed := c.annotation(d); changed {
			c.put(ref, clean)
		}
		c.fields(c.file.array(d.vals["Kids"]), depth+1)
	}
}

// formatKey is where a field keeps what a script of it said of its format, once the script is gone.
const formatKey = pdfName("PARAPH_Format")

// annotation is an annotation or field that does nothing any more but what is harmless.
func (c *cleaner) annotation(d *pdfDict) (*pdfDict, bool) {
	format := c.file.scriptedFormat(d)
	out, changed := c.strip(d, "A")
	if changed && format != "" {
		out = out.clone()
		out.set(formatKey, format)
	}
	switch kind := out.name("Subtype"); kind {
	case "RichMedia", "Movie", "Screen", "Sound", "3D":
		if kind == "3D" {
			c.found = append(c.found, "3D")
		} else {
			c.found = append(c.found, "media")
		}
		out = without(out, "RichMediaContent", "RichMediaSettings", "Movie", "Sound", "A", "MK", "3DD", "3DV", "3DA")
		out.set("Subtype", pdfName("Stamp"))
		changed = true
	case "FileAttachment":
		c.attachments++
	}
	return out, changed
}

// page cleans a page and what lies on it, and mends a crop box that shows nothing.
func (c *cleaner) page(l leaf) {
	page, changed := c.strip(l.dict, "")
	if annots, ok := c.annots(page); ok {
		page = page.clone()
		page.set("Annots", annots)
		changed = true
	}
	shape := c.file.shape(l)
	if media, ok := c.file.rectangle(l.attribute("MediaBox")); ok && (shape.width <= 0 || shape.height <= 0) {
		page = page.clone()
		page.set("CropBox", pdfArray{pdfReal(decimal(media[0])), pdfReal(decimal(media[1])), pdfReal(decimal(media[2])), pdfReal(decimal(media[3]))})
		c.boxes++
		changed = true
	}
	if changed {
		c.put(l.ref, page)
	}
}

// annots cleans a page's annotations where they are objects of their own, and gives the list anew where some stand in it.
func (c *cleaner) annots(page *pdfDict) (pdfArray, bool) {
	all := c.file.array(page.vals["Annots"])
	var out pdfArray
	for i, v := range all {
		d := c.file.dict(v)
		ref, indirect := v.(pdfRef)
		if d == nil || indirect && c.done[ref] {
			continue
		}
		if indirect {
			c.done[ref] = true
		}
		clean, changed := c.annotation(d)
		switch {
		case !changed:
		case indirect:
			c.put(ref, clean)
		default:
			if out == nil {
				out = slices.Clone(all)
			}
			out[i] = clean
		}
	}
	return out, out != nil
}
