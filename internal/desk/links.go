package desk

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

// Links makes the addresses that leave the server.
type Links struct {
	Base string // such as https://sign.example.com, without a slash at its end
	Key  []byte // signs the links to files; 32 bytes
}

// FileKind is what a link to a file leads to.
type FileKind byte

// The kinds of file.
const (
	FileDocument FileKind = 'd' // ID is the document: the sealed PDF, or as far as it has got
	FileOriginal FileKind = 'o' // ID is the document: as it was sent
	FileAudit    FileKind = 'a' // the audit log's PDF
	FileCombined FileKind = 'c' // all sealed PDFs as one
	FileArchive  FileKind = 'z' // all files as a ZIP
	FileValue    FileKind = 'v' // ID is the field: the picture of a signature
)

// A FileRef names a file of an envelope, until a time.
type FileRef struct {
	Kind       FileKind
	EnvelopeID int64
	ID         int64
	Expires    time.Time
}

// fileLinkAge is how long the links to files hold that webhooks and the API
// give out: longer than a delivery can be replayed.
const fileLinkAge = 90 * 24 * time.Hour

// Sign is a recipient's page.
func (l Links) Sign(token string) string { return l.Base + "/sign/" + token }

// Slug is the same page by the path that DocuSeal's readers expect.
func (l Links) Slug(token string) string { return l.Base + "/s/" + token }

// Preview is an envelope's public page.
func (l Links) Preview(slug string) string { return l.Base + "/e/" + slug }

// Envelope is an envelope's page for its account.
func (l Links) Envelope(id int64) string {
	return l.Base + "/envelopes/" + strconv.FormatInt(id, 10)
}

// Verify is the page that checks a sealed file.
func (l Links) Verify() string { return l.Base + "/verify" }

// File is a link that whoever has it can read the file by, until it expires.
func (l Links) File(ref FileRef, name string) string {
	b := make([]byte, 25, 25+16)
	b[0] = byte(ref.Kind)
	binary.BigEndian.PutUint64(b[1:], uint64(ref.EnvelopeID))
	binary.BigEndian.PutUint64(b[9:], uint64(ref.ID))
	binary.BigEndian.PutUint64(b[17:], uint64(ref.Expires.Unix()))
	b = append(b, l.mac(b)...)
	return l.Base + "/file/" + base64.RawURLEncoding.EncodeToString(b) + "/" + url.PathEscape(fileName(name))
}

// OpenFile reads what File wrote. The error is NotFound for a link that was
// never made here, Ended for one that has run out.
func (l Links) OpenFile(token string, now time.Time) (FileRef, error) {
	b, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(b) != 41 || !hmac.Equal(b[25:], l.mac(b[:25])) {
		return FileRef{}, paraph.Errorf(paraph.NotFound, "There is no file at this address.")
	}
	ref := FileRef{
		Kind: FileKind(b[0]), EnvelopeID: int64(binary.BigEndian.Uint64(b[1:])), ID: int64(binary.BigEndian.Uint64(b[9:])),
		Expires: time.Unix(int64(binary.BigEndian.Uint64(b[17:])), 0),
	}
	if now.After(ref.Expires) {
		return FileRef{}, paraph.Errorf(paraph.Ended, "This link has run out; ask for a new one.")
	}
	return ref, nil
}

func (l Links) mac(b []byte) []byte {
	m := hmac.New(sha256.New, l.Key)
	m.Write([]byte("file\x00"))
	m.Write(b)
	return m.Sum(nil)[:16]
}

// fileName makes a name fit for a path and a download.
func fileName(name string) string {
	name = strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, paraph.CleanLine(name))
	if name = strings.Trim(name, " ."); name == "" {
		return "file"
	}
	if reserved(name) {
		name = "_" + name
	}
	return paraph.Shorten(name, 150)
}

// DocumentLink is a link to a document as it now stands.
func (l Links) DocumentLink(e *paraph.Envelope, doc paraph.Document, now time.Time) string {
	return l.File(FileRef{FileDocument, e.ID, doc.ID, now.Add(fileLinkAge)}, doc.Name+".pdf")
}

// AuditLink is a link to the audit log, "" before it exists.
func (l Links) AuditLink(e *paraph.Envelope, now time.Time) string {
	if e.AuditLog == "" {
		return ""
	}
	return l.File(FileRef{FileAudit, e.ID, 0, now.Add(fileLinkAge)}, "Audit Log - "+e.Name+".pdf")
}

// OriginalLink is a link to a document as it was sent.
func (l Links) OriginalLink(e *paraph.Envelope, doc paraph.Document, now time.Time) string {
	return l.File(FileRef{FileOriginal, e.ID, doc.ID, now.Add(fileLinkAge)}, doc.Name+".pdf")
}

// CombinedLink is a link to all sealed PDFs as one, "" before they are sealed.
func (l Links) CombinedLink(e *paraph.Envelope, now time.Time) string {
	if e.SealedAt.IsZero() {
		return ""
	}
	return l.File(FileRef{FileCombined, e.ID, 0, now.Add(fileLinkAge)}, e.Name+".pdf")
}

// ArchiveLink is a link to all files of an envelope as a ZIP.
func (l Links) ArchiveLink(e *paraph.Envelope, now time.Time) string {
	return l.File(FileRef{FileArchive, e.ID, 0, now.Add(fileLinkAge)}, e.Name+".zip")
}

// ValueLink is a link to the picture that a field holds, "" when it holds
// none.
func (l Links) ValueLink(e *paraph.Envelope, f paraph.Field, now time.Time) string {
	if f.Value.Image == "" {
		return ""
	}
	return l.File(FileRef{FileValue, e.ID, f.ID, now.Add(fileLinkAge)}, string(f.Type)+".png")
}
