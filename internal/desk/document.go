package desk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
)

// Prepared is an uploaded file that was looked at, repaired if need be, and
// stored. It belongs to nobody until an envelope refers to it; if we stop
// before that, its bytes stay behind and do no harm.
type Prepared struct {
	Name     string // of the file, without its extension
	Uploaded string // digest of what came
	Original string // digest of the PDF
	Size     int64  // of the PDF, in bytes
	Pages    []paraph.Page
	Notes    []paraph.Note // what was done with it, and what it carries

	UploadedSize int64  // of what came
	Prepared     string // see paraph.Document
	PreparedSize int64
}

func (p Prepared) document() paraph.Document {
	return paraph.Document{Name: p.Name, Uploaded: p.Uploaded, Original: p.Original, Size: p.Size, Pages: p.Pages, Notes: p.Notes, UploadedSize: p.UploadedSize, Prepared: p.Prepared, PreparedSize: p.PreparedSize}
}

// Warnings are the sentences of those notes that a sender should read before
// going on.
func (p Prepared) Warnings() []string {
	var out []string
	for _, n := range p.Notes {
		if n.Warns() {
			out = append(out, "“"+paraph.Shorten(p.Name, 60)+"”: "+n.Sentence())
		}
	}
	return out
}

// Upload is a file that somebody sends.
type Upload struct {
	Name     string // with its extension
	Data     []byte
	Password string // opens it; "" for most. It is neither stored nor logged.
}

// Prepare is PrepareUpload for a file without a password.
func (d *Desk) Prepare(ctx context.Context, name string, data []byte) (Prepared, error) {
	return d.PrepareUpload(ctx, Upload{Name: name, Data: data})
}

// PrepareUpload looks at an uploaded PDF or picture and stores it. Of a file
// that is refused nothing is stored; the error is Invalid or TooLarge and says
// what to do about it. It stands at "documents", or at "password" when the file
// needs one or has another: see NeedsPassword.
func (d *Desk) PrepareUpload(ctx context.Context, u Upload) (Prepared, error) {
	p := Prepared{Name: baseName(u.Name), UploadedSize: int64(len(u.Data))}
	if p.UploadedSize > d.MaxSize {
		return p, &paraph.Error{Kind: paraph.TooLarge, Field: "documents", Message: fmt.Sprintf("“%s” is larger than %d MB, the most that this server takes.", p.Name, d.MaxSize>>20)}
	}
	pdf, note, err := d.asPDF(ctx, u.Data)
	if err != nil {
		return p, refused(p.Name, "documents", err)
	}
	pdf, info, err := d.Engine.PrepareWith(ctx, pdf, seal.PrepareOptions{Password: u.Password})
	if err != nil {
		return p, refused(p.Name, "documents", err)
	}
	for _, page := range info.Pages {
		p.Pages = append(p.Pages, paraph.Page{Width: page.Width, Height: page.Height})
	}
	p.Size, p.Notes = int64(len(pdf)), append(note, info.Notes...)
	if p.Uploaded, err = d.Blobs.Put(ctx, u.Data); err != nil {
		return p, err
	}
	p.Original, err = d.Blobs.Put(ctx, pdf)
	return p, err
}

// asPDF makes a PDF of a picture, and notes it; a PDF is given back as it is.
func (d *Desk) asPDF(ctx context.Context, data []byte) ([]byte, []paraph.Note, error) {
	format := seal.ImageFormat(data)
	if format == "" {
		return data, nil, nil
	}
	pdf, pages, err := d.pictureToPDF(ctx, data)
	return pdf, []paraph.Note{{Kind: paraph.NoteConverted, Count: pages, What: []string{format}}}, err
}

// PasswordField is where errors stand that ask for a file's password.
const PasswordField = "password"

// NeedsPassword tells what is the matter with the password of a file that
// PrepareUpload refused: "password_required", "wrong_password", or "" when the
// error is about something else.
func NeedsPassword(err error) string {
	in, ok := errors.AsType[*seal.InputError](err)
	switch {
	case !ok:
		return ""
	case in.Kind == seal.KindPassword:
		return "password_required"
	case in.Kind == seal.KindWrongPassword:
		return "wrong_password"
	}
	return ""
}

func (d *Desk) pictureToPDF(ctx context.Context, data []byte) (pdf []byte, pages int, err error) {
	defer d.inks.enter()()
	return d.Engine.PicturesToPDF(ctx, data)
}

// baseName is a file's name without folders and extension.
func baseName(name string) string {
	name = path.Base(strings.ReplaceAll(paraph.CleanLine(name), `\`, "/"))
	if ext := path.Ext(name); len(ext) > 1 && len(ext) <= 5 && len(ext) < len(name) {
		name = strings.TrimSuffix(name, ext)
	}
	if name = strings.Trim(name, " ."); name == "" || name == "/" {
		name = "Document"
	}
	return paraph.Shorten(name, paraph.MaxNameLength)
}

// refused gives the engine's refusal our kind, beside an input.
func refused(name, field string, err error) error {
	in, ok := errors.AsType[*seal.InputError](err)
	if !ok {
		return err
	}
	kind := paraph.Invalid
	if in.Kind == seal.KindTooLarge || in.Kind == seal.KindTooManyPages {
		kind = paraph.TooLarge
	}
	if NeedsPassword(err) != "" {
		field = PasswordField
	}
	message := in.Message
	if name != "" {
		message = "“" + paraph.Shorten(name, 60) + "”: " + message
	}
	return &paraph.Error{Kind: kind, Field: field, Message: message, Err: err}
}

// Input is what somebody enters into a field: words, or a signature.
type Input struct {
	Text   string
	Method string // of a signature: draw, type, upload; "" for words
	Image  []byte // of a signature that was uploaded, or drawn by something that has no strokes of it
	// Strokes is how a signature was drawn, as seal.ReadStrokes takes it. Its
	// picture is made from them, so that both show the same.
	Strokes []byte
	Face    string // of a typed signature; "" is the first of paraph.SignatureFaces
}

// Value makes the value that an Order enters in advance: it checks an input's
// picture, draws a typed signature, and stores it.
func (d *Desk) Value(ctx context.Context, in Input) (paraph.Value, error) { return d.value(ctx, in) }

// value checks an input's picture, draws a typed signature, and stores it.
func (d *Desk) value(ctx context.Context, in Input) (paraph.Value, error) {
	if in.Method == "" {
		return paraph.Value{Text: in.Text}, nil
	}
	v := paraph.Value{Text: in.Text, Method: in.Method}
	if in.Method == "type" {
		v.Face = cmp.Or(in.Face, paraph.SignatureFaces()[0])
	}
	png, strokes, err := d.ink(in, v.Face)
	if err != nil {
		return paraph.Value{}, err
	}
	if len(strokes) > 0 {
		if v.Strokes, err = d.Blobs.Put(ctx, strokes); err != nil {
			return paraph.Value{}, err
		}
	}
	v.Image, err = d.Blobs.Put(ctx, png)
	return v, err
}

// ink is a signature as a PNG and, when it was drawn, as its strokes.
func (d *Desk) ink(in Input, face string) (png, strokes []byte, err error) {
	defer d.inks.enter()()
	switch in.Method {
	case "type":
		text := strings.TrimSpace(paraph.CleanLine(in.Text))
		if text == "" {
			return nil, nil, paraph.FieldErrorf("signature", "Type your name first.")
		}
		if n := len([]rune(text)); n > 100 {
			return nil, nil, paraph.FieldErrorf("signature", "A typed signature has at most 100 characters; this has %d.", n)
		}
		if !slices.Contains(paraph.SignatureFaces(), face) {
			return nil, nil, paraph.FieldErrorf("signature", "“%s” is not a face for signatures.", paraph.Shorten(face, 40))
		}
		png, err = d.Engine.RenderTypedSignature(text, face)
	case "draw", "upload":
		if in.Method == "draw" && len(in.Strokes) > 0 {
			strokes, png, err = seal.ReadStrokes(in.Strokes)
			break
		}
		png, err = seal.ReadSignatureImage(in.Image)
	default:
		return nil, nil, paraph.FieldErrorf("signature", "A signature is drawn, typed or uploaded.")
	}
	if err != nil {
		return nil, nil, refused("", "signature", err)
	}
	return png, strokes, nil
}
