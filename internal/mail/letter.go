package mail

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"unicode/utf8"
)

// A letter is what every message has in common, before it becomes text and HTML. All of it is plain text.
type letter struct {
	Preheader string // what a list of mails shows after the subject
	Heading   string
	Greeting  string
	Body      []string // paragraphs
	Quote     quote
	Facts     []fact
	Button    button
	Notes     []string // small print
}

// A quote is what a person wrote, line by line.
type quote struct {
	Who  string
	Text string
}

// Lines are for the template, which must not join them.
func (q quote) Lines() []string { return strings.Split(q.Text, "\n") }

type fact struct{ Label, Value string }

type button struct{ Label, URL string }

//go:embed letter.html.tmpl
var letterSource string

var letterTemplate = template.Must(template.New("letter").Parse(letterSource))

// compose makes a message of a letter. It panics if the template is broken, which the tests of every message rule out.
func compose(to Address, subject string, l letter) Message {
	l = clean(l)
	var html strings.Builder
	if err := letterTemplate.Execute(&html, l); err != nil {
		panic(fmt.Sprintf("mail: the template of letters is broken: %v", err))
	}
	return Message{
		To:      Address{Name: line(to.Name), Email: to.Email},
		Subject: line(subject),
		Text:    l.text(),
		HTML:    html.String(),
	}
}

// clean makes each part fit for one line and the quote fit for several.
func clean(l letter) letter {
	l.Preheader, l.Heading, l.Greeting = line(l.Preheader), line(l.Heading), line(l.Greeting)
	l.Body, l.Notes = cleanAll(l.Body), cleanAll(l.Notes)
	l.Quote.Who = line(l.Quote.Who)
	text := strings.TrimSpace(strings.ReplaceAll(l.Quote.Text, "\r\n", "\n"))
	l.Quote.Text = strings.Join(cleanAll(strings.Split(text, "\n")), "\n")
	facts := make([]fact, 0, len(l.Facts))
	for _, f := range l.Facts {
		if f.Value = line(f.Value); f.Value != "" {
			facts = append(facts, f)
		}
	}
	l.Facts = facts
	return l
}

func cleanAll(lines []string) []string {
	cleaned := make([]string, len(lines))
	for i := range lines {
		cleaned[i] = line(lines[i])
	}
	return cleaned
}

const (
	textWidth = 72
	rule      = "-- " // what mail programs know as the line before a footer
)

// text sets the letter in plain text.
func (l letter) text() string {
	parts := []string{wrap(l.Heading, "")}
	if l.Greeting != "" {
		parts = append(parts, l.Greeting)
	}
	for _, paragraph := range l.Body {
		parts = append(parts, wrap(paragraph, ""))
	}
	if l.Quote.Text != "" {
		parts = append(parts, l.Quote.Who+" writes:\n\n"+l.Quote.text())
	}
	if l.Button.URL != "" {
		parts = append(parts, l.Button.Label+":\n"+l.Button.URL)
	}
	if len(l.Facts) > 0 {
		facts := make([]string, len(l.Facts))
		for i, f := range l.Facts {
			facts[i] = wrap(f.Label+": "+f.Value, "")
		}
		parts = append(parts, strings.Join(facts, "\n"))
	}
	notes := []string{rule}
	for _, note := range l.Notes {
		notes = append(notes, wrap(note, ""))
	}
	return strings.Join(append(parts, strings.Join(notes, "\n")), "\n\n") + "\n"
}

func (q quote) text() string {
	lines := q.Lines()
	for i := range lines {
		lines[i] = wrap(lines[i], "> ")
	}
	return strings.Join(lines, "\n")
}

// wrap breaks a line between words so that it is at most textWidth wide; each line begins with the prefix.
func wrap(s, prefix string) string {
	var out strings.Builder
	out.WriteString(strings.TrimRight(prefix, " "))
	width := utf8.RuneCountInString(prefix)
	for i, word := range strings.Fields(s) {
		size := utf8.RuneCountInString(word)
		switch {
		case i == 0:
			out.WriteString(prefix[len(strings.TrimRight(prefix, " ")):])
		case width+1+size > textWidth:
			out.WriteString("\n" + prefix)
			width = utf8.RuneCountInString(prefix)
		default:
			out.WriteString(" ")
			width++
		}
		out.WriteString(word)
		width += size
	}
	return out.String()
}
