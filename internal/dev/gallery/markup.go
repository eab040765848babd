package main

import (
	"strconv"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

func when(yes bool, text string) string {
	if yes {
		return text
	}
	return ""
}

func withNotices(s kit.Shell) kit.Shell {
	s.Flash = []kit.Notice{
		{Tone: kit.Success, Text: "The webhook was created."},
		{Tone: kit.Error, Text: "The file " + longName + " is encrypted. Remove its password and upload it again."},
		{Tone: kit.Info, Text: "Mails are caught at /dev/mail.", Stays: true},
	}
	return s
}

func turned(s kit.Shell) kit.Shell {
	s.Lang, s.Dir = "ar", "rtl"
	return s
}

func crumbed(s kit.Shell) kit.Shell {
	s.Crumbs = []kit.Crumb{{Label: "Envelopes", Href: "/list"}, {Label: longName}}
	return s
}

func failureOf(code string) kit.Failure {
	n, err := strconv.Atoi(code)
	if err != nil {
		n = 404
	}
	f := kit.FailureFor(n)
	f.Ref = "01HV3-QX7"
	return f
}
