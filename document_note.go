package paraph

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// A Note is something about an uploaded file that its sender should know, and
// that belongs to the evidence: what was done so that it can be signed, and
// what it carries.
type Note struct {
	Kind  NoteKind `json:"kind"`
	Count int      `json:"count,omitempty"`
	What  []string `json:"what,omitempty"`
}

// NoteKind is what a note says.
type NoteKind string

// The kinds of note.
const (
	NoteConverted         NoteKind = "converted"          // What: the picture's format; Count: its pages
	NoteRepaired          NoteKind = "repaired"           // the file's structure was damaged
	NoteDecrypted         NoteKind = "decrypted"          // encrypted, though it opens without a password
	NoteUnlocked          NoteKind = "unlocked"           // opened with a password
	NoteLifted            NoteKind = "lifted"             // What: what its owner had forbidden
	NoteSignaturesKept    NoteKind = "signatures_kept"    // Count
	NoteSignaturesDropped NoteKind = "signatures_dropped" // Count; What: why, one of the Dropped words
	NoteActionsRemoved    NoteKind = "actions_removed"    // What: their kinds
	NoteActionsKept       NoteKind = "actions_kept"       // What: their kinds; a signature covers them
	NoteAttachments       NoteKind = "attachments"        // Count; they stay
	NoteBoxes             NoteKind = "boxes"              // Count of pages that showed nothing
	NoteFormFields        NoteKind = "form_fields"        // Count of the form's own fields that can be used as ours
)

// Why signatures that a file had could not be kept.
const (
	DroppedCertified = "certified" // they forbid what is about to be added
	DroppedRepaired  = "repaired"  // the file had to be written anew
	DroppedEncrypted = "encrypted" // the file was encrypted, and is not any more
	DroppedOdd       = "odd"       // they are kept in a way that can't be read
)

// Warns reports whether the sender should look before sending: something that
// the file had is lost.
func (n Note) Warns() bool {
	return n.Kind == NoteRepaired || n.Kind == NoteSignaturesDropped || n.Kind == NoteActionsRemoved
}

// Sentence is the note in words for people.
func (n Note) Sentence() string {
	switch n.Kind {
	case NoteConverted:
		if n.Count > 1 {
			return "A PDF of " + countOf(n.Count, "page") + " was made of the " + n.what() + " picture."
		}
		return "A PDF was made of the " + n.what() + " picture."
	case NoteRepaired:
		return "The file was damaged and has been repaired. Look at every page before you send it."
	case NoteDecrypted:
		return "The file was encrypted, though it opens without a password. It is stored without encryption."
	case NoteUnlocked:
		return "The file was opened with its password. It is stored without encryption, and the password is not stored."
	case NoteLifted:
		return "Its owner had set restrictions (no " + n.what() + "), which the stored copy does not have."
	case NoteSignaturesKept:
		return "It has " + countOf(n.Count, "signature") + " already, which " + stays(n.Count) + " valid."
	case NoteSignaturesDropped:
		return "It had " + countOf(n.Count, "signature") + " that can’t be kept, because " + n.because() + ". What " + they(n.Count) + " on the pages stays, but nobody can verify it any more."
	case NoteActionsRemoved:
		return "Active content was removed: " + n.what() + "."
	case NoteActionsKept:
		return "It has active content (" + n.what() + "), which stays because a signature covers it."
	case NoteAttachments:
		return countOf(n.Count, "attached file") + " " + stayInIt(n.Count) + " and will be sealed with it. The signing page doesn’t show attachments."
	case NoteBoxes:
		return countOf(n.Count, "page") + " showed nothing because of a wrong crop box, and " + is(n.Count) + " shown whole."
	case NoteFormFields:
		return "It has " + countOf(n.Count, "form field") + " of its own."
	}
	return string(n.Kind)
}

func (n Note) what() string { return strings.Join(n.What, ", ") }

func (n Note) because() string {
	switch n.what() {
	case DroppedCertified:
		return oneOrMany(n.Count, "it forbids", "they forbid") + " to add anything"
	case DroppedRepaired:
		return "the file was damaged and had to be written anew"
	case DroppedEncrypted:
		return "the file was encrypted and is stored without encryption"
	}
	return oneOrMany(n.Count, "it is", "they are") + " stored in an unusual way"
}

func countOf(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

func stays(n int) string    { return oneOrMany(n, "stays", "stay") }
func they(n int) string     { return oneOrMany(n, "it shows", "they show") }
func stayInIt(n int) string { return oneOrMany(n, "stays in it", "stay in it") }
func is(n int) string       { return oneOrMany(n, "is", "are") }

func oneOrMany(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// FormFields is how many fields of the PDF's own form can be used as ours.
func (d Document) FormFields() int {
	for _, n := range d.Notes {
		if n.Kind == NoteFormFields {
			return n.Count
		}
	}
	return 0
}

// Imported reports whether the PDF's own form fields are used as ours.
func (d Document) Imported() bool { return d.Prepared != "" }

// evidence is what an event about a document tells of it.
func (d Document) evidence() map[string]string {
	data := map[string]string{"document": d.UUID, "name": d.Name, "pages": strconv.Itoa(len(d.Pages)), "size": strconv.FormatInt(d.Size, 10), "sha256": d.Original}
	if d.Uploaded != d.Original || d.UploadedSize != d.Size {
		data["uploaded_sha256"], data["uploaded_size"] = d.Uploaded, strconv.FormatInt(d.UploadedSize, 10)
	}
	var told []Note
	for _, n := range d.Notes {
		if n.Kind != NoteFormFields { // an offer, no evidence
			told = append(told, n)
		}
	}
	if len(told) > 0 {
		b, _ := json.Marshal(told) // words and numbers
		data["notes"] = string(b)
	}
	return data
}

// Notes are the notes that an event about a document carries.
func (ev Event) Notes() []Note {
	var notes []Note
	_ = json.Unmarshal([]byte(ev.Data["notes"]), &notes) // an event of another kind has none
	return notes
}

// Upload adds a document to a draft as AddDocument does, and tells it.
func (e Envelope) Upload(d Document, by Actor, now time.Time) (Envelope, []Event, error) {
	c, err := e.AddDocument(d, now)
	if err != nil {
		return e, nil, err
	}
	added := c.Documents[len(c.Documents)-1]
	return c, []Event{{Type: DocumentAdded, At: now, Actor: by, Data: added.evidence()}}, nil
}

// Withdraw takes a document out of a draft as RemoveDocument does, and tells it.
func (e Envelope) Withdraw(id int64, by Actor, now time.Time) (Envelope, []Event, error) {
	c, err := e.RemoveDocument(id, now)
	if err != nil {
		return e, nil, err
	}
	d, _ := e.Document(id)
	return c, []Event{{Type: DocumentRemoved, At: now, Actor: by, Data: map[string]string{"document": d.UUID, "name": d.Name, "sha256": d.Original}}}, nil
}

// Import is what becomes of a document whose own form fields are used as ours.
type Import struct {
	DocumentID int64
	Flat       string // digest of the PDF without these fields
	Size       int64  // of it
	Fields     []Field
}

// ImportFields makes a PDF's own form fields fields of the envelope. What the
// form shows goes with them, so the document becomes another PDF.
func (e Envelope) ImportFields(i Import, by Actor, now time.Time) (Envelope, []Event, error) {
	if err := e.mustBe(Draft); err != nil {
		return e, nil, err
	}
	d, ok := e.Document(i.DocumentID)
	switch {
	case !ok:
		return e, nil, Errorf(NotFound, "This document is not in the envelope.")
	case d.Imported():
		return e, nil, Errorf(Conflict, "The form fields of “%s” are in use already.", d.Name)
	case len(i.Fields) == 0:
		return e, nil, FieldErrorf("fields", "“%s” has no form fields that can be used.", d.Name)
	}
	c, err := e.SetFields(append(e.clone().Fields, i.Fields...), now)
	if err != nil {
		return e, nil, err
	}
	was := d.Original
	c = c.withDocument(i.DocumentID, func(d *Document) { d.Prepared, d.PreparedSize, d.Original, d.Size = d.Original, d.Size, i.Flat, i.Size }, now)
	return c, []Event{{Type: DocumentChanged, At: now, Actor: by, Data: map[string]string{
		"document": d.UUID, "name": d.Name, "fields": strconv.Itoa(len(i.Fields)), "sha256": i.Flat, "was_sha256": was, "why": "fields_imported",
	}}}, nil
}

// RestoreForm takes ImportFields back: the document is as it was before, and the
// fields that came from its own form are gone.
func (e Envelope) RestoreForm(documentID int64, by Actor, now time.Time) (Envelope, []Event, error) {
	if err := e.mustBe(Draft); err != nil {
		return e, nil, err
	}
	d, ok := e.Document(documentID)
	switch {
	case !ok:
		return e, nil, Errorf(NotFound, "This document is not in the envelope.")
	case !d.Imported():
		return e, nil, Errorf(Conflict, "The form fields of “%s” are not in use.", d.Name)
	}
	was := d.Original
	c := e.clone()
	kept := c.Fields[:0]
	for _, f := range c.Fields {
		if f.Settings.FormField == "" || f.Areas[0].DocumentID != documentID {
			kept = append(kept, f)
		}
	}
	c.Fields = kept
	c = c.withDocument(documentID, func(d *Document) {
		d.Original, d.Size, d.Prepared, d.PreparedSize = d.Prepared, d.PreparedSize, "", 0
	}, now)
	return c.touched(now), []Event{{Type: DocumentChanged, At: now, Actor: by, Data: map[string]string{
		"document": d.UUID, "name": d.Name, "sha256": d.Prepared, "was_sha256": was, "why": "form_restored",
	}}}, nil
}

func (e Envelope) withDocument(id int64, change func(*Document), now time.Time) Envelope {
	c := e.clone()
	for i := range c.Documents {
		if c.Documents[i].ID == id {
			change(&c.Documents[i])
			c.Documents[i].UpdatedAt = now
		}
	}
	return c
}

// documentWords tells an event about a document.
func (ev Event) documentWords(who string) string {
	name := "“" + ev.Data["name"] + "”"
	switch ev.Type {
	case DocumentRemoved:
		return who + " took " + name + " out"
	case DocumentChanged:
		if ev.Data["why"] == "form_restored" {
			return who + " gave " + name + " its own form fields back. SHA-256 " + ev.Data["sha256"]
		}
		return who + " used the form fields of " + name + ". SHA-256 " + ev.Data["sha256"]
	}
	n, _ := strconv.Atoi(ev.Data["pages"])
	s := who + " added " + name + ", " + countOf(n, "page") + ". "
	if up := ev.Data["uploaded_sha256"]; up != "" {
		s += "SHA-256 of the file " + up + ", of the PDF made of it " + ev.Data["sha256"]
	} else {
		s += "SHA-256 " + ev.Data["sha256"]
	}
	for _, note := range ev.Notes() {
		s = strings.TrimSuffix(s, ".") + ". " + strings.TrimSuffix(note.Sentence(), ".")
	}
	return s
}
