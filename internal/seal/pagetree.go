package seal

import (
	"errors"
	"fmt"
)

// leaf is a page in the page tree, with what it inherits (ISO 32000-2, 7.7.3.4).
type leaf struct {
	ref       pdfRef
	dict      *pdfDict
	inherited map[pdfName]any
}

// attribute is an entry of the page that may be inherited; nil when there is none.
func (l leaf) attribute(k pdfName) any {
	if v, ok := l.dict.get(k); ok {
		return v
	}
	return l.inherited[k]
}

var inheritable = []pdfName{"Resources", "MediaBox", "CropBox", "Rotate"}

// leaves are the pages in their order. A tree that is broken, or in which a page stands twice, is an error: such a file has
// to be written anew before it can be added to.
func (f *pdfFile) leaves() ([]leaf, error) {
	_, root, err := f.catalog()
	if err != nil {
		return nil, err
	}
	w := treeWalk{file: f, seen: map[pdfRef]bool{}}
	if err := w.visit(root.vals["Pages"], nil, 0); err != nil {
		return nil, err
	}
	if len(w.leaves) == 0 {
		return nil, errors.New("it has no pages")
	}
	return w.leaves, nil
}

type treeWalk struct {
	file   *pdfFile
	seen   map[pdfRef]bool
	leaves []leaf
}

func (w *treeWalk) visit(v any, inherited map[pdfName]any, depth int) error {
	ref, ok := v.(pdfRef)
	if !ok || depth > maxPDFDepth || w.seen[ref] {
		return errors.New("its page tree is broken")
	}
	w.seen[ref] = true
	node, err := w.file.deref(ref)
	if err != nil {
		return err
	}
	d, ok := node.(*pdfDict)
	if !ok {
		return fmt.Errorf("object %d is no page", ref.num)
	}
	kids, has := d.get("Kids")
	if !has || d.name("Type") == "Page" {
		if depth == 0 {
			return errors.New("a page stands in the place of its page tree")
		}
		w.leaves = append(w.leaves, leaf{ref, d, inherited})
		return nil
	}
	below := bequeath(inherited, d)
	for _, k := range w.file.array(kids) {
		if err := w.visit(k, below, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// bequeath adds a node's own attributes to those that it has inherited.
func bequeath(inherited map[pdfName]any, d *pdfDict) map[pdfName]any {
	out := inherited
	for _, k := range inheritable {
		v, ok := d.get(k)
		if !ok {
			continue
		}
		if len(out) == len(inherited) {
			out = make(map[pdfName]any, len(inheritable))
			for k, v := range inherited {
				out[k] = v
			}
		}
		out[k] = v
	}
	return out
}

// shape measures a page as PDFium does, which shows it in the editor: the crop box within the media box, and US Letter
// for a page that has none.
func (f *pdfFile) shape(l leaf) pageShape {
	media, ok := f.rectangle(l.attribute("MediaBox"))
	if !ok {
		media = [4]float64{0, 0, 612, 792}
	}
	visible := media
	if crop, ok := f.rectangle(l.attribute("CropBox")); ok {
		visible = [4]float64{max(crop[0], media[0]), max(crop[1], media[1]), min(crop[2], media[2]), min(crop[3], media[3])}
	}
	turns, _ := f.resolve(l.attribute("Rotate")).(pdfInt)
	quarters := int(turns/90) % 4
	if quarters < 0 {
		quarters += 4
	}
	return shapeOf(visible[0], visible[1], visible[2], visible[3], quarters).times(f.unit(l))
}

// unit is how many points a unit of the page's space is (ISO 32000-2, table 31). It is not inherited.
func (f *pdfFile) unit(l leaf) float64 {
	u, ok := number(f.resolve(l.dict.vals["UserUnit"]))
	if !ok || !(u > 0 && u <= 10_000) {
		return 1
	}
	return u
}

// rectangle reads a rectangle, with its lower left corner first; not ok when it has no area.
func (f *pdfFile) rectangle(v any) (r [4]float64, ok bool) {
	a := f.array(v)
	if len(a) < 4 {
		return r, false
	}
	for i := range r {
		if r[i], ok = number(f.resolve(a[i])); !ok {
			return r, false
		}
	}
	r = [4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}
	return r, r[2] > r[0] && r[3] > r[1]
}

// appendPages hangs pages behind all others. make gives them, told what their parent is.
func (r *pdfRevision) appendPages(have int, make func(parent pdfRef) (pdfArray, error)) error {
	_, root, err := r.file.catalog()
	if err != nil {
		return err
	}
	ref, ok := root.vals["Pages"].(pdfRef)
	tree := r.file.dict(ref)
	if !ok || tree == nil || r.file.array(tree.vals["Kids"]) == nil {
		return errors.New("its page tree is broken")
	}
	added, err := make(ref)
	if err != nil || len(added) == 0 {
		return err
	}
	tree = tree.clone()
	tree.set("Kids", append(append(pdfArray{}, r.file.array(tree.vals["Kids"])...), added...))
	tree.set("Count", pdfInt(have+len(added)))
	r.put(ref, tree)
	return nil
}
