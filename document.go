package paraph

import "time"

// A Document is one PDF inside an envelope. Bytes are named by their SHA-256
// in lower-case hex and kept elsewhere.
type Document struct {
	ID         int64
	EnvelopeID int64
	UUID       string
	DataID     string // the 25 characters by which Documenso's dialect names the bytes
	Name       string // the file's name without its extension
	Position   int    // from 0
	Pages      []Page
	Uploaded   string // digest of the file as it came
	Original   string // digest of the PDF that is shown and drawn on; same as Uploaded for a clean PDF
	Sealed     string // digest of the sealed PDF, "" until then
	Size       int64  // of Original, in bytes
	Notes      []Note // what was done with the file when it was uploaded, and what it carries

	UploadedSize int64  // of the file as it came, in bytes; 0 for files from before this was noted
	Prepared     string // digest of the PDF with its own form fields while they are used as ours (see ImportFields), else ""
	PreparedSize int64

	CreatedAt time.Time
	UpdatedAt time.Time
}

// Page is the size of a page as it is displayed, rotation and crop box
// applied, in points of 1/72 inch.
type Page struct {
	Width  float64 `json:"w"`
	Height float64 `json:"h"`
}

// valid reports whether the page has a size that something can be drawn on.
func (p Page) valid() bool {
	const most = 1e6 // points: 350 m; the format's own limit is 14,400 units of at most some points
	return p.Width > 0 && p.Width < most && p.Height > 0 && p.Height < most
}

// Current is the digest of the PDF as it now stands: the sealed one once there
// is one.
func (d Document) Current() string {
	if d.Sealed != "" {
		return d.Sealed
	}
	return d.Original
}

// Limits on documents.
const (
	MaxDocuments = 50
	MaxPages     = 2000 // in one envelope
)
