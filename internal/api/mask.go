package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
)

// signingLink is the address of a signing page, whose last part is a token.
var signingLink = regexp.MustCompile(`(/(?:sign|s)/)[A-Za-z0-9_-]{8,}`)

// maskTokens hides in a delivery's body what would let its reader sign: the
// values of "token", the slug of a submitter, and the last part of signing
// links. All else stays as it was sent, the order of keys too.
func maskTokens(body []byte) (rawJSON, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	m := masker{d: d}
	if err := m.value(""); err != nil {
		return nil, fmt.Errorf("mask the tokens of a body: %w", err)
	}
	return m.out.Bytes(), nil
}

// masker copies JSON. It knows of each value the key that it stands at; the
// elements of a list stand at the list's.
type masker struct {
	d   *json.Decoder
	out bytes.Buffer
	// people counts the lists of submitters that are open.
	people int
}

func (m *masker) value(key string) error {
	t, err := m.d.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		return m.nested(t, key)
	case string:
		return m.write(m.masked(key, t))
	}
	return m.write(t)
}

func (m *masker) nested(open json.Delim, key string) error {
	if key == "submitters" && open == '[' {
		m.people++
		defer func() { m.people-- }()
	}
	m.out.WriteByte(byte(open))
	for first := true; m.d.More(); first = false {
		if !first {
			m.out.WriteByte(',')
		}
		at := key
		if open == '{' {
			t, err := m.d.Token()
			if err != nil {
				return err
			}
			at, _ = t.(string)
			if err := m.write(at); err != nil {
				return err
			}
			m.out.WriteByte(':')
		}
		if err := m.value(at); err != nil {
			return err
		}
	}
	end, err := m.d.Token()
	if err != nil {
		return err
	}
	m.out.WriteString(end.(json.Delim).String())
	return nil
}

func (m *masker) masked(key, s string) string {
	if s != "" && (key == "token" || key == "slug" && m.people > 0) {
		return masked
	}
	return signingLink.ReplaceAllString(s, "${1}"+masked)
}

func (m *masker) write(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	m.out.Write(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
	return nil
}

// rawJSON is JSON as it is stored.
type rawJSON = json.RawMessage
