package webhook

import (
	"bytes"
	"encoding/json"
	"strings"
)

// Readable is a body for people: indented, its keys in their order, and everything masked by which somebody could sign or
// read files in a recipient's place: tokens, slugs, and the last part of links. secrets are the strings that were masked, so
// that what a receiver echoes can be masked too. What is not JSON is returned as it is, its links masked.
func Readable(body []byte) (text string, secrets []string) {
	p := &printer{dec: json.NewDecoder(bytes.NewReader(body))}
	p.dec.UseNumber()
	if err := p.value("", 0); err != nil {
		p.secrets = nil
		return p.maskLinks(strings.ToValidUTF8(string(body), "\uFFFD")), p.secrets
	}
	return p.out.String(), p.secrets
}

// Mask hides secrets in a text. Those of fewer than four bytes would hide half of any text and are left.
func Mask(text string, secrets []string) string {
	pairs := make([]string, 0, 2*len(secrets))
	for _, s := range secrets {
		if len(s) >= 4 {
			pairs = append(pairs, s, masked)
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// printer writes JSON anew, token by token.
type printer struct {
	dec     *json.Decoder
	out     bytes.Buffer
	secrets []string
}

func (p *printer) value(key string, depth int) error {
	t, err := p.dec.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		return p.group(t, key, depth)
	case string:
		return p.text(p.masked(key, t))
	case json.Number:
		p.out.WriteString(t.String())
	case bool:
		p.out.WriteString(map[bool]string{true: "true", false: "false"}[t])
	default:
		p.out.WriteString("null")
	}
	return nil
}

// group writes an object or a list. Strings of a list count as under the list's key.
func (p *printer) group(open json.Delim, key string, depth int) error {
	p.out.WriteString(open.String())
	some := false
	for ; p.dec.More(); some = true {
		if some {
			p.out.WriteByte(',')
		}
		p.line(depth + 1)
		if open == '{' {
			t, err := p.dec.Token()
			if err != nil {
				return err
			}
			key, _ = t.(string)
			if err := p.text(key); err != nil {
				return err
			}
			p.out.WriteString(": ")
		}
		if err := p.value(key, depth+1); err != nil {
			return err
		}
	}
	end, err := p.dec.Token()
	if err != nil {
		return err
	}
	if some {
		p.line(depth)
	}
	p.out.WriteString(end.(json.Delim).String())
	return nil
}

func (p *printer) line(depth int) { p.out.WriteString("\n" + strings.Repeat("  ", depth)) }

func (p *printer) text(s string) error {
	e := json.NewEncoder(&p.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return err
	}
	p.out.Truncate(p.out.Len() - 1) // the encoder ends with a line break
	return nil
}

func (p *printer) masked(key, s string) string {
	if s != "" && (key == "token" || key == "slug") {
		p.secrets = append(p.secrets, s)
		return masked
	}
	return p.maskLinks(s)
}

// maskLinks hides the part of our links that is the key: it comes after one of these folders.
func (p *printer) maskLinks(s string) string {
	for _, folder := range [...]string{"/sign/", "/s/", "/e/", "/file/"} {
		for from := 0; ; {
			i := strings.Index(s[from:], folder)
			if i < 0 {
				break
			}
			begin := from + i + len(folder)
			end := begin
			for end < len(s) && isTokenByte(s[end]) {
				end++
			}
			from = begin
			if end-begin >= 8 {
				p.secrets = append(p.secrets, s[begin:end])
				s = s[:begin] + masked + s[end:]
				from += len(masked)
			}
		}
	}
	return s
}

func isTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}
