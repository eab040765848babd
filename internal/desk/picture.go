package desk

import (
	"cmp"
	"container/list"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
)

// CurrentPDF is a document as it now stands: the sealed one, or the original
// with the values of everybody who has finished drawn on it.
func (d *Desk) CurrentPDF(ctx context.Context, e *paraph.Envelope, doc paraph.Document) ([]byte, error) {
	if doc.Sealed != "" {
		return d.Blobs.Get(ctx, doc.Sealed)
	}
	if digest, err := d.ownState(ctx, e, doc); err != nil || digest != "" {
		if err != nil {
			return nil, err
		}
		return d.Blobs.Get(ctx, digest)
	}
	e, err := d.zoned(ctx, e)
	if err != nil {
		return nil, err
	}
	marks := finishedMarks(e, doc)
	if len(marks) == 0 {
		return d.Blobs.Get(ctx, doc.Original)
	}
	ctx = context.WithoutCancel(ctx)
	return d.pages.get("pdf:"+stateKey(e, doc, marks), func() ([]byte, error) {
		pdf, err := d.Blobs.Get(ctx, doc.Original)
		if err != nil {
			return nil, err
		}
		drawn, err := d.draw(ctx, marks)
		if err != nil {
			return nil, err
		}
		return d.Engine.Stamp(ctx, pdf, drawn)
	})
}

// zoned is the envelope with the time zone that the lines below its signatures
// are in, which is the account's unless it has one of its own.
func (d *Desk) zoned(ctx context.Context, e *paraph.Envelope) (*paraph.Envelope, error) {
	p, err := d.preferencesOf(ctx, e)
	if err != nil {
		return nil, err
	}
	c := *e
	c.TimeZone = p.TimeZone
	return &c, nil
}

// PagePicture is a page of a document as it now stands, drawn at a width in
// pixels, and its content type. Pictures are kept, so asking again is cheap.
func (d *Desk) PagePicture(ctx context.Context, e *paraph.Envelope, doc paraph.Document, page, width int) ([]byte, string, error) {
	if doc.Sealed == "" {
		var err error
		if e, err = d.zoned(ctx, e); err != nil {
			return nil, "", err
		}
	}
	key := fmt.Sprintf("page:%s:%d:%d", stateKey(e, doc, finishedMarks(e, doc)), page, width)
	ctx = context.WithoutCancel(ctx)
	b, err := d.pages.get(key, func() ([]byte, error) {
		pdf, err := d.CurrentPDF(ctx, e, doc)
		if err != nil {
			return nil, err
		}
		p, err := d.Engine.RenderPage(ctx, pdf, page, width)
		return append([]byte(p.ContentType+"\n"), p.Data...), err
	})
	if err != nil {
		return nil, "", wrap(refused("", "documents", err), "draw a page of document", doc.ID)
	}
	for i, c := range b {
		if c == '\n' {
			return b[i+1:], string(b[:i]), nil
		}
	}
	return nil, "", fmt.Errorf("draw a page of document %d: no content type", doc.ID)
}

// PageText is the words on a page of a document and where they stand.
func (d *Desk) PageText(ctx context.Context, doc paraph.Document, page int) ([]seal.TextRun, error) {
	ctx = context.WithoutCancel(ctx)
	b, err := d.pages.get("text:"+doc.Original+":"+strconv.Itoa(page), func() ([]byte, error) {
		pdf, err := d.Blobs.Get(ctx, doc.Original)
		if err != nil {
			return nil, err
		}
		runs, err := d.Engine.PageText(ctx, pdf, page)
		if err != nil {
			return nil, err
		}
		return json.Marshal(runs)
	})
	if err != nil {
		return nil, err
	}
	var runs []seal.TextRun
	return runs, json.Unmarshal(b, &runs)
}

// StateTag names what a document looks like now: it changes when somebody
// finishes, and serves as the version in a picture's address.
func StateTag(e *paraph.Envelope, doc paraph.Document) string {
	return stateKey(e, doc, finishedMarks(e, doc))[:16]
}

// stateKey names a document's looks.
func stateKey(e *paraph.Envelope, doc paraph.Document, marks []mark) string {
	if doc.Sealed != "" {
		return doc.Sealed
	}
	if len(marks) == 0 {
		return doc.Original
	}
	b, err := json.Marshal(marks)
	if err != nil { // numbers and strings only: can't happen
		panic(err)
	}
	sum := sha256.Sum256(append(b, doc.Original...))
	return hex.EncodeToString(sum[:])
}

// mark is a value at a place, its picture or its strokes still a digest.
type mark struct {
	seal.Mark
	Digest string
}

// finishedMarks are the values on a document of everybody who has finished. Times
// are in the envelope's zone, or in UTC when it has none of its own; see zoned.
func finishedMarks(e *paraph.Envelope, doc paraph.Document) []mark {
	var out []mark
	zone := zoneOf(e)
	for _, f := range e.Fields {
		r, ok := e.Recipient(f.RecipientID)
		if !ok || r.CompletedAt.IsZero() || !f.Filled() {
			continue
		}
		for _, a := range f.Areas {
			if a.DocumentID == doc.ID {
				out = append(out, fieldMarks(f, a, r, zone)...)
			}
		}
	}
	return out
}

// zoneOf is the envelope's own time zone, or UTC.
func zoneOf(e *paraph.Envelope) *time.Location {
	zone, err := paraph.ZoneOf("time_zone", cmp.Or(e.TimeZone, "UTC"))
	if err != nil { // it was known when it was set
		return time.UTC
	}
	return zone
}

// fieldMarks draws a field's value at one of its places.
func fieldMarks(f paraph.Field, a paraph.Area, r paraph.Recipient, zone *time.Location) []mark {
	m := seal.Mark{Page: a.Page, X: a.X, Y: a.Y, W: a.W, H: a.H, Kind: seal.MarkText, Text: f.Value.Text, FontSize: f.Settings.FontSize}
	switch f.Type {
	case paraph.SignatureField, paraph.InitialsField:
		if f.Type == paraph.SignatureField {
			m.Caption = signatureLine(r, zone)
		}
		return []mark{signatureMark(m, f.Value)}
	case paraph.CheckboxField:
		m.Kind, m.Text = seal.MarkCheck, ""
	case paraph.RadioField:
		return radioMarks(f, a, m)
	}
	return []mark{{Mark: m}}
}

// signatureLine is what stands below a signature: who, when, and the beginning
// of the recipient's id, by which they are found on the audit pages.
func signatureLine(r paraph.Recipient, zone *time.Location) string {
	at := r.CompletedAt.In(zone)
	layout := "2006-01-02 15:04 -07:00"
	if zone == time.UTC {
		layout = "2006-01-02 15:04 UTC"
	}
	return r.DisplayName() + "\n" + at.Format(layout) + " · " + r.UUID[:min(8, len(r.UUID))]
}

// signatureMark is a signature as it was made: strokes and letters as outlines,
// everything else as a picture.
func signatureMark(m seal.Mark, v paraph.Value) mark {
	m.Kind, m.Text = seal.MarkImage, ""
	switch {
	case v.Strokes != "":
		m.Kind = seal.MarkStrokes
		return mark{m, v.Strokes}
	case v.Method == "type" && v.Face != "" && strings.TrimSpace(v.Text) != "":
		m.Kind, m.Text, m.Face, m.FontSize = seal.MarkTyped, v.Text, v.Face, 0
		return mark{Mark: m}
	}
	return mark{m, v.Image}
}

// radioMarks are a dot where the place is of the chosen option; a place for
// all options shows the chosen one's words.
func radioMarks(f paraph.Field, a paraph.Area, m seal.Mark) []mark {
	switch a.Option {
	case "":
		return []mark{{Mark: m}}
	case f.Value.Text:
		m.Kind, m.Text = seal.MarkDot, ""
		return []mark{{Mark: m}}
	}
	return nil
}

// draw fetches the pictures of marks.
func (d *Desk) draw(ctx context.Context, marks []mark) ([]seal.Mark, error) {
	out := make([]seal.Mark, len(marks))
	fetched := map[string][]byte{}
	for i, m := range marks {
		out[i] = m.Mark
		if m.Digest == "" {
			continue
		}
		if _, ok := fetched[m.Digest]; !ok {
			b, err := d.Blobs.Get(ctx, m.Digest)
			if err != nil {
				return nil, err
			}
			fetched[m.Digest] = b
		}
		if m.Kind == seal.MarkStrokes {
			out[i].Strokes = fetched[m.Digest]
		} else {
			out[i].Image = fetched[m.Digest]
		}
	}
	return out, nil
}

// pageCache keeps what was drawn, the latest used up to a number of bytes, and
// lets one caller draw while others of the same key wait. What it draws is for
// all of them, so it must not end because the first of them has gone.
type pageCache struct {
	now   func() time.Time
	mu    sync.Mutex
	max   int
	size  int
	order *list.List // of *cached, the latest used first
	items map[string]*list.Element
}

type cached struct {
	key   string
	ready chan struct{} // closed when data or err is there
	data  []byte
	err   error
	size  int       // what counts in the cache; 0 until it is ready
	until time.Time // when a failure may be tried again; zero for what worked
}

func newPageCache(bytes int, now func() time.Time) *pageCache {
	return &pageCache{now: now, max: bytes, order: list.New(), items: map[string]*list.Element{}}
}

// get answers what is kept under key, or makes it. A failure is not kept, unless
// it is the document's: for a while it would only take as long again.
func (c *pageCache) get(key string, produce func() ([]byte, error)) ([]byte, error) {
	c.mu.Lock()
	if el, ok := c.items[key]; ok && c.stale(el.Value.(*cached)) {
		c.size -= el.Value.(*cached).size
		c.drop(el)
	}
	if el, ok := c.items[key]; ok {
		c.order.MoveToFront(el)
		c.mu.Unlock()
		it := el.Value.(*cached)
		<-it.ready
		return it.data, it.err
	}
	it := &cached{key: key, ready: make(chan struct{}), err: errUnmade}
	c.items[key] = c.order.PushFront(it)
	c.mu.Unlock()
	defer close(it.ready) // also when making it panics, or others would wait for ever
	defer c.keep(it)
	it.data, it.err = produce()
	return it.data, it.err
}

var errUnmade = errors.New("it was never made")

func (c *pageCache) keep(it *cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if it.err != nil && !isInput(it.err) {
		c.drop(c.items[it.key])
		return
	}
	if it.err != nil {
		it.until = c.now().Add(retryDrawing)
	}
	it.size = len(it.data) + cachedSize
	c.size += it.size
	for el := c.order.Back(); el != nil && c.size > c.max; {
		previous := el.Prev()
		if old := el.Value.(*cached); old != it && old.size > 0 {
			c.size -= old.size
			c.drop(el)
		}
		el = previous
	}
}

// retryDrawing is how long a page that could not be drawn is not tried again:
// the engine's deadline also passes when the machine is busy with other things.
const retryDrawing = 5 * time.Minute

func (c *pageCache) stale(it *cached) bool { return !it.until.IsZero() && !c.now().Before(it.until) }

// cachedSize is what an entry takes beside its data.
const cachedSize = 512

func isInput(err error) bool {
	_, ok := errors.AsType[*seal.InputError](err)
	return ok
}

func (c *pageCache) drop(el *list.Element) {
	if el != nil {
		c.order.Remove(el)
		delete(c.items, el.Value.(*cached).key)
	}
}
