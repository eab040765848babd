// Package envelopenew has the parts of the page on which an envelope is begun: the place where files are dropped and the list
// of recipients. Both are plain form controls that scripts make livelier.
package envelopenew

import (
	"strconv"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// Script is the bundle the page needs in kit.Page.Scripts.
const Script = "envelope_new.js"

// Drop is a place for files inside a form.
//
// Without scripts it is a file input named Name. With scripts each file is posted by itself to Upload, as multipart with the
// file in "file" and, when it needs one, its password in "file_password"; the answer is JSON: {"id","name","pages","size"}, or a status of 400 or more with {"error"}, and "field": "password" when a password is asked for. Each stored file
// becomes a hidden input named Stored with its id. When Done is set, the browser goes there once all files are stored. An answer
// may carry "upload", where more files go, and "done", for when the first file begins an envelope.
type Drop struct {
	Name     string // "file" when empty
	Stored   string // "document" when empty
	Upload   string
	Done     string
	Accept   string // PDFs and the pictures that are read when empty
	MaxBytes int64  // refused before sending; 0 is no limit
	Hint     string
	Error    string
	Locked   string // what is the matter with a file that needs a password; its input is shown then
	Files    []File // stored already
}

// File is one that is stored.
type File struct {
	ID, Name string
	Pages    int
	Size     int64
}

func (d Drop) name() string   { return or(d.Name, "file") }
func (d Drop) stored() string { return or(d.Stored, "document") }
func (d Drop) accept() string {
	return or(d.Accept, "application/pdf,image/png,image/jpeg,image/tiff,image/webp,image/gif,.tif,.tiff")
}

func (f File) facts() string {
	pages := strconv.Itoa(f.Pages) + " pages"
	if f.Pages == 1 {
		pages = "1 page"
	}
	return pages + ", " + kit.Bytes(f.Size)
}

// Recipients is the list of recipients inside a form. Its inputs repeat their names in the order of the rows: recipient_id,
// recipient_name, recipient_email, recipient_kind, recipient_role, recipient_order. Without scripts the buttons post do =
// "add-recipient" or "remove-recipient-N" with N the row from 0.
type Recipients struct {
	Rows  []Row
	Kinds []kit.Option // "signer", … ; DefaultKinds when nil
	Error string       // about the whole list
}

// Row is one recipient.
type Row struct {
	ID, Name, Email, Kind, Role string
	Order                       int
	NameError, EmailError       string
	RoleError                   string
}

// DefaultKinds are the kinds of recipients with the words for them.
func DefaultKinds() []kit.Option {
	return []kit.Option{
		{Value: "signer", Label: "Signs"},
		{Value: "approver", Label: "Approves"},
		{Value: "viewer", Label: "Reads"},
		{Value: "cc", Label: "Gets a copy"},
		{Value: "assistant", Label: "Fills in for others"},
	}
}

func (r Recipients) kinds() []kit.Option {
	if r.Kinds == nil {
		return DefaultKinds()
	}
	return r.Kinds
}

func (r Recipients) rows() []Row {
	if len(r.Rows) == 0 {
		return []Row{{Kind: "signer", Order: 1}}
	}
	return r.Rows
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func rowID(i int, name string) string { return "recipient-" + strconv.Itoa(i) + "-" + name }

func order(n int) string {
	if n < 1 {
		n = 1
	}
	return strconv.Itoa(n)
}
