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
	Size     int64
	Pages    []paraph.Page
}

func (p Prepared) document() paraph.Document {
	return paraph.Document{Name: p.Name, Uploaded: p.Uploaded, Original: p.Original, Size: p.Size, Pages: p.Pages}
}

// Prepare looks at an uploaded PDF or picture and stores it. Of a file that is
// refused nothing is stored; the error is Invalid or TooLarge, stands at
// "documents" and says what to do about it.
func (d *Desk) Prepare(ctx context.Context, name string, data []byte) (Prepared, error) {
	p := Prepared{Name: baseName(name)}
	if int64(len(data)) > d.MaxSize {
		return p, &paraph.Error{Kind: paraph.TooLarge, Field: "documents", Message: fmt.Sprintf("“%s” is larger than %d MB, the most that this server takes.", p.Name, d.MaxSize>>20)}
	}
	pdf := data
	if seal.IsImage(data) {
		var err error
		if pdf, err = d.pictureToPDF(ctx, data); err != nil {
			return p, refused(p.Name, "documents", err)
		}
	}
	pdf, info, err := d.Engine.Prepare(ctx, pdf)
	if err != nil {
		return p, refused(p.Name, "documents", err)
	}
	for _, page := range info.Pages {
		p.Pages = append(p.Pages, paraph.Page{Width: page.Width, Height: page.Height})
	}
	p.Size = int64(len(pdf))
	if p.Uploaded, err = d.Blobs.Put(ctx, data); err != nil {
		return p, err
	}
	p.Original, err = d.Blobs.Put(ctx, pdf)
	return p, err
}

func (d *Desk) pictureToPDF(ctx context.Context, data []byte) ([]byte, error) {
	defer d.inks.enter()()
	return d.Engine.ImageToPDF(ctx, data)
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
