package desk

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

// fileStatus is what a file of an envelope is, as its name says it.
type fileStatus string

const (
	statusOriginal fileStatus = "original"
	statusCurrent  fileStatus = "in progress"
	statusSealed   fileStatus = "signed"
	statusAudit    fileStatus = "audit log"
	statusCombined fileStatus = "combined, unsigned copy"
	statusAll      fileStatus = "all files"
)

// namer names the files of one envelope.
type namer struct {
	pattern  string
	envelope string
	id       int64
	date     string
}

// namer reads how the envelope's account has files named. The date is that of
// the envelope's own time zone.
func (d *Desk) namer(ctx context.Context, e *paraph.Envelope) (namer, error) {
	p, err := d.preferencesOf(ctx, e)
	if err != nil {
		return namer{}, err
	}
	zone, _ := paraph.ZoneOf("time_zone", p.TimeZone) // UTC for one that is not known here
	at := e.CreatedAt
	for _, t := range []time.Time{e.SentAt, e.EndedAt} {
		if !t.IsZero() {
			at = t
		}
	}
	return namer{p.FileNames, e.Name, e.ID, at.In(zone).Format(time.DateOnly)}, nil
}

// file names a file: name is the document's, or the envelope's. Without a
// pattern the names are short; with one that does not tell what a file is,
// those that are not the documents themselves say so all the same.
func (n namer) file(name string, status fileStatus, extension string) string {
	base := paraph.FileName{Name: name, Envelope: n.envelope, Status: string(status), Date: n.date, ID: strconv.FormatInt(n.id, 10)}.By(n.pattern)
	switch {
	case n.pattern == "":
		base = plainName(name, status)
	case !strings.Contains(n.pattern, "{status}") && (status == statusAudit || status == statusCombined):
		base += " (" + string(status) + ")"
	}
	return fileName(base) + extension
}

func plainName(name string, status fileStatus) string {
	switch status {
	case statusSealed, statusCombined:
		return name + " (" + string(status) + ")"
	case statusAudit:
		return "Audit Log - " + name
	}
	return name
}

// unique keeps the names in an archive apart, whatever a file system thinks of
// capitals: the second “a.pdf” is “a (2).pdf”.
type unique map[string]bool

func (u unique) name(folder, name string) string {
	stem, extension := name, ""
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		stem, extension = name[:i], name[i:]
	}
	for i := 2; u[strings.ToLower(folder+name)]; i++ {
		name = stem + " (" + strconv.Itoa(i) + ")" + extension
	}
	u[strings.ToLower(folder+name)] = true
	return folder + name
}

// reserved are names that Windows keeps for devices, whatever their extension.
func reserved(name string) bool {
	stem, _, _ := strings.Cut(strings.ToUpper(name), ".")
	stem = strings.TrimSpace(stem)
	if len(stem) == 4 && (strings.HasPrefix(stem, "COM") || strings.HasPrefix(stem, "LPT")) && stem[3] >= '0' && stem[3] <= '9' {
		return true
	}
	return slices.Contains([]string{"CON", "PRN", "AUX", "NUL"}, stem)
}
