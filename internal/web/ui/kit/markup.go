package kit

import (
	"fmt"
	"hash/fnv"
	"strconv"

	"github.com/a-h/templ"
)

func intText(n int) string { return strconv.Itoa(n) }

func current(yes bool) string {
	if yes {
		return "page"
	}
	return "false"
}

func trueOrNone(yes bool) string { return strconv.FormatBool(yes) }

func currentSpace(spaces []Space) Space {
	for _, s := range spaces {
		if s.Current {
			return s
		}
	}
	return spaces[0]
}

func nameOr(u User) string {
	if u.Name != "" {
		return u.Name
	}
	return u.Email
}

func noticeRole(t Tone) string {
	if t == Error {
		return "alert"
	}
	return "status"
}

func noticeIcon(t Tone) string {
	switch t {
	case Success:
		return "check"
	case Error, Warning:
		return "warning"
	}
	return "info"
}

func choiceClass(single bool) string {
	if single {
		return "radio"
	}
	return "checkbox"
}

func checkValue(v string) string {
	if v == "" {
		return "on"
	}
	return v
}

func closeHref(href string) string {
	if href == "" {
		return "?"
	}
	return href
}

func keepText(c Confirm) string {
	if c.KeepText != "" {
		return c.KeepText
	}
	return "Keep it"
}

func confirmKind(c Confirm) Kind {
	if c.Danger {
		return Danger
	}
	return Main
}

func pagerText(p Pager) string {
	if p.Total == 0 {
		return ""
	}
	return fmt.Sprintf("%d–%d of %d", p.From, p.To, p.Total)
}

func meterID(m Meter) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(m.Label))
	return fmt.Sprintf("meter-%08x", h.Sum32())
}

// RecipientClass is the class that gives a part the colour of the recipient with that number, from 0; there are eight.
func RecipientClass(n int) string { return "rc-" + strconv.Itoa(((n%8)+8)%8) }

// attributes are what every kind of input shares; an ordered list, so that the markup is always the same.
func (f Field) attributes() templ.OrderedAttributes {
	attrs := templ.OrderedAttributes{{Key: "id", Value: f.id()}, {Key: "name", Value: f.Name}}
	text := func(key, value string) {
		if value != "" {
			attrs = append(attrs, templ.KeyValue[string, any]{Key: key, Value: value})
		}
	}
	flag := func(key string, on bool) {
		if on {
			attrs = append(attrs, templ.KeyValue[string, any]{Key: key, Value: true})
		}
	}
	text("placeholder", f.Placeholder)
	text("autocomplete", f.Autocomplete)
	text("inputmode", f.InputMode)
	text("accept", f.Accept)
	text("min", f.Min)
	text("max", f.Max)
	if f.MaxLength > 0 {
		text("maxlength", strconv.Itoa(f.MaxLength))
	}
	text("aria-describedby", f.describedBy())
	if f.Error != "" {
		text("aria-invalid", "true")
	}
	flag("required", f.Required)
	flag("autofocus", f.Autofocus)
	flag("readonly", f.ReadOnly)
	flag("disabled", f.Disabled)
	return attrs
}
