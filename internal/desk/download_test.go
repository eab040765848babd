package desk_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
	"github.com/paraph-sign/paraph/internal/seal"
)

// sealed is a contract that everybody has signed.
func sealed(t *testing.T, w *desktest.World, p desktest.Person) paraph.Envelope {
	t.Helper()
	e := signs(t, w, signs(t, w, contract(t, w, p), 0), 1)
	w.RunDue(t)
	e, err := w.Store.Envelope(t.Context(), p.Who.AccountID, e.ID)
	ok(t, err)
	if e.SealedAt.IsZero() {
		t.Fatal("the envelope is not sealed")
	}
	return e
}

// read reads a file to its end and closes it.
func read(t *testing.T, f desk.File, err error) []byte {
	t.Helper()
	ok(t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	ok(t, err)
	if f.Size >= 0 && f.Size != int64(len(b)) {
		t.Errorf("%s has %d bytes and says %d", f.Name, len(b), f.Size)
	}
	return b
}

// entriesOf are the files in an archive by their names.
func entriesOf(t *testing.T, data []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	ok(t, err)
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		ok(t, err)
		b, err := io.ReadAll(r)
		ok(t, err)
		out[f.Name] = b
	}
	return out
}

func setPreferences(t *testing.T, w *desktest.World, p desktest.Person, change func(*paraph.Preferences)) {
	t.Helper()
	prefs := paraph.DefaultPreferences()
	change(&prefs)
	ok(t, w.Desk.SetPreferences(t.Context(), p.Who, prefs))
}

func TestArchive(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ann Admin")
	pending := signs(t, w, contract(t, w, p), 0)
	f, err := w.Desk.ArchiveFile(t.Context(), &pending)
	files := entriesOf(t, read(t, f, err))
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"lease.pdf", "original/lease.pdf"}) || f.Name != "Lease.zip" {
		t.Errorf("%s of a pending envelope holds %q", f.Name, got)
	}
	if bytes.Equal(files["lease.pdf"], files["original/lease.pdf"]) {
		t.Error("what is filled in so far is not in the archive")
	}
	e := sealed(t, w, p)
	f, err = w.Desk.ArchiveFile(t.Context(), &e)
	files = entriesOf(t, read(t, f, err))
	if got := slices.Sorted(maps.Keys(files)); !slices.Equal(got, []string{"Audit Log - Lease.pdf", "lease (signed).pdf", "original/lease.pdf"}) {
		t.Errorf("the archive holds %q", got)
	}
	for _, name := range []string{"Audit Log - Lease.pdf", "lease (signed).pdf"} {
		if rep, err := seal.Verify(files[name], seal.VerifyOptions{Roots: w.Desk.Identity.Roots()}); err != nil || !rep.Valid {
			t.Errorf("%s is not sealed: %v %s", name, err, rep.Reason)
		}
	}
	f, err = w.Desk.ArchiveFile(t.Context(), &e)
	ok(t, err)
	ok(t, f.Close()) // whoever goes before the end leaves nothing running that waits for them
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the closed archive answers %v", err)
	}
	broken := e // the archive that was closed may still look at the other
	broken.Documents = slices.Clone(e.Documents)
	broken.Documents[0].Sealed = strings.Repeat("0", 64)
	f, err = w.Desk.ArchiveFile(t.Context(), &broken)
	ok(t, err)
	if _, err := io.ReadAll(f); err == nil {
		t.Error("an archive without one of its files passes for whole")
	}
}

func TestArchiveOfNamesakes(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ann Admin")
	var docs []desk.Prepared
	for _, name := range []string{"Vertrag für “Ä”.pdf", "vertrag FÜR “Ä”.pdf", "CON.pdf", `..\..\etc/passwd.pdf`, "  .pdf"} {
		d, err := w.Desk.Prepare(t.Context(), name, desktest.PDF(1))
		ok(t, err)
		docs = append(docs, d)
	}
	e, err := w.Desk.Create(t.Context(), p.Who, "Many", docs)
	ok(t, err)
	f, err := w.Desk.ArchiveFile(t.Context(), &e)
	for name := range entriesOf(t, read(t, f, err)) {
		base := strings.TrimPrefix(name, "original/")
		if strings.ContainsAny(base, `/\:*?"<>|`) || strings.HasPrefix(base, ".") || strings.EqualFold(base, "CON.pdf") {
			t.Errorf("the archive holds %q", name)
		}
	}
	names := slices.Sorted(maps.Keys(entriesOf(t, read(t, reopened(t, w, &e), nil))))
	if len(names) != 10 || !slices.Contains(names, "Vertrag für “Ä”.pdf") || !slices.Contains(names, "vertrag FÜR “Ä” (2).pdf") || !slices.Contains(names, "_CON.pdf") {
		t.Errorf("the archive holds %q", names)
	}
}

func reopened(t *testing.T, w *desktest.World, e *paraph.Envelope) desk.File {
	t.Helper()
	f, err := w.Desk.ArchiveFile(t.Context(), e)
	ok(t, err)
	return f
}

func TestCombinedFile(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ann Admin")
	pending := contract(t, w, p)
	if _, err := w.Desk.CombinedFile(t.Context(), &pending); paraph.KindOf(err) != paraph.NotFound {
		t.Errorf("a pending envelope is combined: %v", err)
	}
	e := sealed(t, w, p)
	f, err := w.Desk.CombinedFile(t.Context(), &e)
	pdf := read(t, f, err)
	if f.Name != "Lease (combined, unsigned copy).pdf" {
		t.Errorf("the copy is called %s", f.Name)
	}
	if rep, err := seal.Verify(pdf, seal.VerifyOptions{}); err != nil || rep.Valid || len(rep.Signatures) > 0 {
		t.Errorf("the copy passes for sealed: %v", err)
	}
	text, err := w.Desk.Engine.PageText(t.Context(), pdf, 0)
	ok(t, err)
	var words strings.Builder
	for _, run := range text {
		words.WriteString(run.Text)
	}
	for _, want := range []string{"not signed", e.Documents[0].Sealed, e.AuditLog} {
		if !strings.Contains(words.String(), want) {
			t.Errorf("its first page lacks %q: %s", want, words.String())
		}
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ann Admin")
	e := sealed(t, w, p)
	doc, ctx := e.Documents[0], t.Context()
	day := e.EndedAt.Format("2006-01-02")
	for pattern, want := range map[string][]string{
		"":                           {"lease.pdf", "lease (signed).pdf", "Audit Log - Lease.pdf", "Lease (combined, unsigned copy).pdf", "Lease.zip"},
		"{name} - {status} - {date}": {"lease - original - " + day + ".pdf", "lease - signed - " + day + ".pdf", "Lease - audit log - " + day + ".pdf", "Lease - combined, unsigned copy - " + day + ".pdf", "Lease - all files - " + day + ".zip"},
		"{envelope}: {name}":         {"Lease_ lease.pdf", "Lease_ lease.pdf", "Lease_ Lease (audit log).pdf", "Lease_ Lease (combined, unsigned copy).pdf", "Lease_ Lease.zip"},
		"../../{name}":               {".._.._lease.pdf", ".._.._lease.pdf", ".._.._Lease (audit log).pdf", ".._.._Lease (combined, unsigned copy).pdf", ".._.._Lease.zip"},
	} {
		setPreferences(t, w, p, func(x *paraph.Preferences) { x.FileNames = pattern })
		var got []string
		for _, open := range []func() (desk.File, error){
			func() (desk.File, error) { return w.Desk.OriginalFile(ctx, &e, doc) },
			func() (desk.File, error) { return w.Desk.CurrentFile(ctx, &e, doc) },
			func() (desk.File, error) { return w.Desk.AuditFile(ctx, &e) },
			func() (desk.File, error) { return w.Desk.CombinedFile(ctx, &e) },
			func() (desk.File, error) { return w.Desk.ArchiveFile(ctx, &e) },
		} {
			f, err := open()
			ok(t, err)
			ok(t, f.Close())
			if strings.HasPrefix(f.Name, ".") {
				want[len(got)] = strings.TrimLeft(want[len(got)], ".")
			}
			got = append(got, f.Name)
		}
		for i := range want {
			want[i] = strings.TrimLeft(want[i], ". ")
		}
		if !slices.Equal(got, want) {
			t.Errorf("by %q the files are called %q, want %q", pattern, got, want)
		}
	}
}

func TestLinkedDownloads(t *testing.T) {
	t.Parallel()
	w := desktest.New(t, desktest.Options{})
	p := w.Person(t, "Ann Admin")
	e := sealed(t, w, p)
	now := w.Store.Now()
	for link, kind := range map[string]string{
		w.Desk.Links.OriginalLink(&e, e.Documents[0], now): "application/pdf",
		w.Desk.Links.CombinedLink(&e, now):                 "application/pdf",
		w.Desk.Links.ArchiveLink(&e, now):                  "application/zip",
	} {
		ref, err := w.Desk.Links.OpenFile(strings.Split(strings.TrimPrefix(link, w.Desk.Links.Base), "/")[2], now)
		ok(t, err)
		f, err := w.Desk.LinkedFile(t.Context(), ref)
		if b := read(t, f, err); f.ContentType != kind || len(b) < 500 {
			t.Errorf("%s leads to %s of %d bytes", link, f.ContentType, len(b))
		}
	}
}

func TestAuditWhereItIsSet(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		p := w.Person(t, "Ann Admin")
		for _, place := range paraph.AuditPlaces() {
			setPreferences(t, w, p, func(x *paraph.Preferences) { x.Audit, x.Language, x.TimeZone = place, "de", "Asia/Tokyo" })
			e := sealed(t, w, p)
			pdf, err := w.Blobs.Get(t.Context(), e.Documents[0].Sealed)
			ok(t, err)
			info, err := w.Desk.Engine.Inspect(t.Context(), pdf)
			ok(t, err)
			if appended := len(info.Pages) > 2; appended != place.Appended() {
				t.Errorf("%s: the sealed document has %d pages", place, len(info.Pages))
			}
			trail, err := seal.TrailOf(pdf)
			if err != nil || (trail != nil) != place.Appended() {
				t.Errorf("%s: the sealed document's trail has %d bytes, %v", place, len(trail), err)
			}
			_, err = w.Desk.AuditFile(t.Context(), &e)
			if (err == nil) != place.Separate() {
				t.Errorf("%s: the audit log: %v", place, err)
			}
			if place.Separate() {
				checkLog(t, w, &e)
			}
		}
	})
}

// checkLog reads the audit log as people and as programs do.
func checkLog(t *testing.T, w *desktest.World, e *paraph.Envelope) {
	t.Helper()
	f, err := w.Desk.AuditFile(t.Context(), e)
	pdf := read(t, f, err)
	raw, err := seal.TrailOf(pdf)
	ok(t, err)
	file, err := paraph.ReadTrailFile(raw)
	ok(t, err)
	events, err := w.Store.Events(t.Context(), e.AccountID, e.ID)
	ok(t, err)
	last := len(file.Events) - 1
	if len(events) <= last || events[last].Hash != file.LastHash || file.Envelope.TimeZone != "Asia/Tokyo" || file.Documents[0].Sealed != e.Documents[0].Sealed {
		t.Errorf("the attached trail is %+v", file)
	}
	if r := file.Recipients[0]; r.Consent != desk.Consent || r.Proof != paraph.ProofMail {
		t.Errorf("the trail says that Clara agreed to %q and was known by %q", r.Consent, r.Proof)
	}
	var words strings.Builder
	info, err := w.Desk.Engine.Inspect(t.Context(), pdf)
	ok(t, err)
	for i := range info.Pages {
		runs, err := w.Desk.Engine.PageText(t.Context(), pdf, i)
		ok(t, err)
		for _, run := range runs {
			words.WriteString(run.Text + " ")
		}
	}
	for _, want := range []string{"Abschlussprotokoll", "Clara hat unterschrieben", "JST", "Asia/Tokyo", e.Documents[0].Sealed, "203.0.113.7", "trail.json"} {
		if !strings.Contains(words.String(), want) {
			t.Errorf("the audit log lacks %q", want)
		}
	}
}

func TestPreferencesAreChecked(t *testing.T) {
	t.Parallel()
	desktest.Each(t, func(t *testing.T, w *desktest.World) {
		ann, ben := w.Person(t, "Ann Admin"), w.Person(t, "Ben Member")
		asAdmin, asMember := w.Team(t, ann, ben)
		if err := w.Desk.SetPreferences(t.Context(), asMember.Who, paraph.DefaultPreferences()); paraph.KindOf(err) != paraph.Forbidden {
			t.Errorf("a member changes them: %v", err)
		}
		for field, change := range map[string]func(*paraph.Preferences){
			"audit":      func(p *paraph.Preferences) { p.Audit = "nowhere" },
			"language":   func(p *paraph.Preferences) { p.Language = "xx" },
			"time_zone":  func(p *paraph.Preferences) { p.TimeZone = "Local" },
			"file_names": func(p *paraph.Preferences) { p.FileNames = "{nom}" },
		} {
			p := paraph.DefaultPreferences()
			change(&p)
			err := w.Desk.SetPreferences(t.Context(), asAdmin.Who, p)
			if x, is := errors.AsType[*paraph.Error](err); !is || x.Field != field {
				t.Errorf("a wrong %s is answered %v", field, err)
			}
		}
		want := paraph.Preferences{Audit: paraph.AuditSeparate, Language: "pl", TimeZone: "Europe/Warsaw", FileNames: "{id} {name}"}
		ok(t, w.Desk.SetPreferences(t.Context(), asAdmin.Who, want))
		if got, err := w.Store.Preferences(t.Context(), asAdmin.Who.AccountID); err != nil || got != want {
			t.Errorf("stored is %+v, %v", got, err)
		}
		if got, err := w.Store.Preferences(t.Context(), ann.Who.AccountID); err != nil || got != paraph.DefaultPreferences() {
			t.Errorf("another space has %+v, %v", got, err)
		}
	})
}
