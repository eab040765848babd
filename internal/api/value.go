package api

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
)

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// inputOf is a JSON value as it is entered into a field of a type. path is
// where the value stands in the request.
func inputOf(path string, t paraph.FieldType, raw json.RawMessage) (desk.Input, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return desk.Input{}, paraph.FieldErrorf(path, "This value can't be read.")
	}
	switch v := v.(type) {
	case nil:
		return desk.Input{}, nil
	case string:
		if t.IsImage() {
			return signature(path, v)
		}
		return desk.Input{Text: v}, nil
	case json.Number:
		if !t.IsImage() && t != paraph.CheckboxField {
			return desk.Input{Text: v.String()}, nil
		}
	case bool:
		if t == paraph.CheckboxField {
			return desk.Input{Text: string(raw)}, nil
		}
	}
	return desk.Input{}, paraph.FieldErrorf(path, "This is not a value for a %s field.", t)
}

// signature is a picture as data URL or base64, or the letters of a typed one.
func signature(path, s string) (desk.Input, error) {
	if s == "" {
		return desk.Input{}, nil
	}
	if isURL(s) {
		return desk.Input{}, paraph.FieldErrorf(path, "Pictures can't be fetched from a URL yet; send a data URL or base64.")
	}
	if strings.HasPrefix(s, "data:") {
		image, ok := fromBase64(s)
		if !ok {
			return desk.Input{}, paraph.FieldErrorf(path, "This data URL can't be read; it should look like data:image/png;base64,iVBORw0…")
		}
		return desk.Input{Method: "upload", Image: image}, nil
	}
	if image, ok := fromBase64(s); ok && isPicture(image) {
		return desk.Input{Method: "upload", Image: image}, nil
	}
	return desk.Input{Method: "type", Text: s}, nil
}

// isPicture tells PNG and JPEG by their first bytes, so that a name which
// happens to be base64 stays a name.
func isPicture(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")) || bytes.HasPrefix(b, []byte("\xff\xd8\xff"))
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// fromBase64 reads base64, of a data URL or by itself, with padding or without.
func fromBase64(s string) ([]byte, bool) {
	if rest, ok := strings.CutPrefix(s, "data:"); ok {
		head, data, found := strings.Cut(rest, ",")
		if !found || !strings.HasSuffix(head, ";base64") {
			return nil, false
		}
		s = data
	}
	s = strings.TrimSpace(s)
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if b, err := e.DecodeString(s); err == nil {
			return b, true
		}
	}
	return nil, false
}

// maxMetadata bounds what programs keep with a submitter, in bytes of JSON.
const maxMetadata = 16 << 10

// metadataOf is metadata as it is stored.
func metadataOf(path string, m map[string]any) (string, error) {
	if len(m) == 0 {
		return "", nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return "", paraph.FieldErrorf(path, "The metadata can't be read.")
	}
	if len(b) > maxMetadata {
		return "", &paraph.Error{Kind: paraph.TooLarge, Field: path, Message: "The metadata is larger than 16 kB."}
	}
	return string(b), nil
}
