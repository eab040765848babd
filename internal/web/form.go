package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
)

// form is what a page sent: values, and files in memory.
type form struct {
	url.Values
	files []upload
}

// upload is one file of a form. refused says why it was not read.
type upload struct {
	field, name string
	data        []byte
	refused     error
}

// limits bound a form.
type limits struct {
	values int64      // bytes of all values
	file   int64      // bytes of one file
	files  int        // how many
	total  int64      // bytes of all files, which are held in memory together
	room   *desk.Room // where a form with files lies; nil for small ones
}

// partCost is what a value costs beside its own bytes.
const partCost = 64

// readForm reads a form of either encoding. A file that is too large is marked
// and the rest is read on; a form that is too large as a whole is an error.
func readForm(w http.ResponseWriter, r *http.Request, l limits) (form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, l.values+l.total+int64(l.files)*1024)
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		r.Body = http.MaxBytesReader(w, r.Body, l.values)
		err := r.ParseForm()
		return form{Values: r.PostForm}, unreadable(err)
	}
	f, body := form{Values: url.Values{}}, io.Reader(r.Body)
	if l.room != nil {
		guest := l.room.Guest()
		context.AfterFunc(r.Context(), guest.Leave)
		body = guest.Reader(body)
	}
	parts := multipart.NewReader(body, params["boundary"])
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, unreadable(err)
		}
		if err := f.part(p, &l); err != nil {
			return f, unreadable(err)
		}
	}
}

func (f *form) part(p *multipart.Part, l *limits) error {
	if p.FileName() == "" {
		b, err := io.ReadAll(io.LimitReader(p, l.values+1))
		if l.values -= int64(len(b) + len(p.FormName()) + partCost); l.values < 0 {
			return errFormTooLarge
		}
		if _, isFile := p.Header["Content-Type"]; !isFile { // a file input without a file sends an empty part with a type
			f.Add(p.FormName(), string(b))
		}
		return err
	}
	if len(f.files) == l.files {
		return &paraph.Error{Kind: paraph.TooLarge, Message: fmt.Sprintf("At most %d files can be sent at once.", l.files)}
	}
	u := upload{field: p.FormName(), name: p.FileName()}
	b, err := io.ReadAll(io.LimitReader(p, l.file+1))
	if err != nil {
		return err
	}
	u.data = b
	if int64(len(b)) > l.file {
		u.data = nil
		u.refused = &paraph.Error{Kind: paraph.TooLarge, Field: u.field, Message: fmt.Sprintf("“%s” is larger than %s, the most that this server takes.", paraph.Shorten(paraph.CleanLine(u.name), 60), megabytes(l.file))}
		if _, err := io.Copy(io.Discard, p); err != nil {
			return err
		}
	}
	f.files = append(f.files, u)
	return nil
}

var errFormTooLarge = paraph.Errorf(paraph.TooLarge, "What was entered is too large to be stored.")

// unreadable says of a form that could not be read whose fault that is.
func unreadable(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &paraph.Error{Kind: paraph.TooLarge, Message: "This is larger than what this server takes at once. Send fewer or smaller files.", Err: err}
	}
	if _, ok := errors.AsType[*paraph.Error](err); ok {
		return err
	}
	return &paraph.Error{Kind: paraph.Invalid, Message: "The form could not be read: it broke off on its way. Send it again.", Err: err}
}

func megabytes(n int64) string { return fmt.Sprintf("%d MB", max(n>>20, 1)) }
