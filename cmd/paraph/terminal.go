package main

import (
	"io"
	"os"
)

// The colours of lines, by their ANSI numbers.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
	grey   = "90"
)

// inColour tells whether what is written to w is seen on a terminal whose user
// wants colours (see no-color.org).
func inColour(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// paint colours text when on is set.
func paint(on bool, colour, text string) string {
	if !on {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}
