package seal

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-text/typesetting/di"
	"github.com/skip2/go-qrcode"
)

// The audit pages' measures, in points, and colours.
const (
	auditLeft   = 54.0
	auditRight  = a4Width - 54
	auditWidth  = auditRight - auditLeft
	auditTop    = 64.0
	auditBottom = a4Height - 62
	qrSide      = 82.0
)

var (
	ink    = color{0x1B, 0x1F, 0x27}
	faint  = color{0x6A, 0x72, 0x7F}
	hair   = color{0xD9, 0xDD, 0xE3}
	accent = color{0x0B, 0x1B, 0x4D}
)

// auditSetter sets the audit pages from top to bottom.
type auditSetter struct {
	t        *typesetter
	a        Audit
	w        words
	pictures pictureSet
	sheets   []*sheet
	y        float64 // where the next thing goes
}

// style is how a piece of text looks.
type style struct {
	face  face
	size  float64
	color color
}

var (
	styleTitle   = style{faceSerif, 25, accent}
	styleSubject = style{faceBold, 12.5, ink}
	styleSection = style{faceSerif, 14, accent}
	styleBody    = style{faceRegular, 8.8, ink}
	styleStrong  = style{faceBold, 8.8, ink}
	styleLabel   = style{faceRegular, 7.2, faint}
	styleSmall   = style{faceRegular, 7.2, faint}
	styleHead    = style{faceBold, 7, faint}
)

// setAudit lays the audit pages out; what is drawn on them is drawn later.
func setAudit(t *typesetter, a Audit) ([]*sheet, error) {
	if a.Zone == nil {
		a.Zone = time.UTC
	}
	b := &auditSetter{t: t, a: a, w: wordsOf(a.Language), pictures: pictureSet{}}
	b.newPage()
	if err := b.head(); err != nil {
		return nil, err
	}
	b.facts()
	b.documents()
	if err := b.recipients(); err != nil {
		return nil, err
	}
	b.events()
	b.closing()
	b.feet()
	return b.sheets, nil
}

func (b *auditSetter) page() *sheet { return b.sheets[len(b.sheets)-1] }

func (b *auditSetter) newPage() {
	b.sheets = append(b.sheets, &sheet{})
	b.y = auditTop
}

// room starts a page when less than h is left, and says whether it did.
func (b *auditSetter) room(h float64) bool {
	if b.y+h <= auditBottom {
		return false
	}
	b.newPage()
	return true
}

// block is text broken into lines for a width.
type block struct {
	lines []line
	style style
	width float64
}

func (b *auditSetter) set(text string, st style, width float64) block {
	if text == "" {
		return block{style: st, width: width}
	}
	return block{lines: b.t.lines(text, st.face, int(width/st.size*em)), style: st, width: width}
}

func (k block) pitch() float64  { return k.style.size * 1.32 }
func (k block) height() float64 { return k.pitch() * float64(len(k.lines)) }

// put draws a block with its top left corner at (x, y).
func (b *auditSetter) put(k block, x, y float64) {
	for i, l := range k.lines {
		b.page().text(l, x, y+k.pitch()*float64(i)+k.style.size, k.style.size, k.style.color)
	}
}

func (b *auditSetter) rule(y, width float64, c color) {
	b.page().rect(auditLeft, y, auditWidth, width, c)
}

func (b *auditSetter) time(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(b.a.Zone).Format("2006-01-02 15:04:05 MST")
}

// head is the title with the QR code beside it.
func (b *auditSetter) head() error {
	width := auditWidth
	if b.a.VerifyURL != "" {
		if err := b.qr(auditRight-qrSide, b.y); err != nil {
			return err
		}
		width -= qrSide + 24
	}
	top := b.y
	title := b.set(b.w.Title, styleTitle, width)
	b.put(title, auditLeft, b.y-4)
	b.y += title.height() + 6
	subject := b.set(b.a.Title, styleSubject, width)
	b.put(subject, auditLeft, b.y)
	b.y += subject.height() + 5
	summary := b.set(b.summary(), styleBody, width)
	b.put(summary, auditLeft, b.y)
	b.y += summary.height()
	if b.a.VerifyURL != "" {
		b.y = max(b.y, top+qrSide)
	}
	b.y += 14
	b.rule(b.y, 1.2, accent)
	b.rule(b.y+2.6, 0.4, accent)
	b.y += 14
	return nil
}

// summary says in one line how it ended.
func (b *auditSetter) summary() string {
	acted, all := 0, 0
	for _, r := range b.a.Recipients {
		if !r.Acted.IsZero() {
			acted++
		}
		if r.Kind != "cc" {
			all++
		}
	}
	who := fill(b.w.Acted, "done", strconv.Itoa(acted), "all", strconv.Itoa(all))
	return join(" · ", join(" ", of(b.w.States, b.a.Status), b.time(b.a.Completed)), who)
}

// qr draws the address for verification as one path of squares.
func (b *auditSetter) qr(x, y float64) error {
	code, err := qrcode.New(b.a.VerifyURL, qrcode.Medium)
	if err != nil {
		return fmt.Errorf("QR code for %q: %w", b.a.VerifyURL, err)
	}
	code.DisableBorder = true
	bits := code.Bitmap()
	side := qrSide / float64(len(bits))
	var cells []frame
	for row := range bits {
		for col := 0; col < len(bits[row]); col++ {
			start := col
			for col < len(bits[row]) && bits[row][col] {
				col++
			}
			if col > start {
				cells = append(cells, frame{x + float64(start)*side, y + float64(row)*side, float64(col-start) * side, side})
			}
		}
	}
	b.page().rects(cells, ink)
	return nil
}

// facts are the envelope's own data, in two columns.
func (b *auditSetter) facts() {
	facts := [][2]string{
		{b.w.Envelope, b.a.ID},
		{b.w.Status, of(b.w.States, b.a.Status)},
		{b.w.SentBy, b.a.Sender},
		{b.w.TimeZone, b.a.Zone.String()},
		{b.w.Created, b.time(b.a.Created)},
		{b.w.Sent, b.time(b.a.Sent)},
		{b.w.Completed, b.time(b.a.Completed)},
	}
	const gap = 20
	column := (auditWidth - gap) / 2
	left, height := true, 0.0
	for _, f := range facts {
		if f[1] == "" {
			continue
		}
		label, value := b.set(f[0], styleLabel, column), b.set(f[1], styleBody, column)
		x := auditLeft
		if !left {
			x += column + gap
		}
		b.put(label, x, b.y)
		b.put(value, x, b.y+label.height()+0.5)
		height = max(height, label.height()+value.height()+8)
		if !left {
			b.y += height
			height = 0
		}
		left = !left
	}
	b.y += height
}

// section starts a part of the pages, together with at least h of what follows.
func (b *auditSetter) section(title string, h float64) {
	k := b.set(title, styleSection, auditWidth)
	b.y += 10
	b.room(k.height() + 10 + h)
	b.put(k, auditLeft, b.y)
	b.y += k.height() + 5
	b.rule(b.y, 0.5, hair)
	b.y += 7
}

func (b *auditSetter) documents() {
	if len(b.a.Documents) == 0 {
		return
	}
	b.section(b.w.Documents, 40)
	for _, d := range b.a.Documents {
		note := d.Note
		if d.Signed != "" {
			note = join(" · ", b.w.Converted, note)
		}
		b.stack(auditLeft, auditWidth, 7,
			b.set(d.Name, styleStrong, auditWidth),
			b.set(join(" · ", fmt.Sprintf("%s: %d", b.w.Pages, d.Pages), note), styleSmall, auditWidth),
			b.set(spell(b.w.Uploaded, d.SHA256), styleSmall, auditWidth),
			b.set(spell(b.w.Signed, d.Signed), styleSmall, auditWidth),
			b.set(spell(b.w.Sealed, d.Sealed), styleSmall, auditWidth))
	}
}

func spell(label, value string) string {
	if value == "" {
		return ""
	}
	return label + "  " + value
}

// stack puts blocks below each other, kept together on a page.
func (b *auditSetter) stack(x, width, after float64, blocks ...block) {
	h := 0.0
	for _, k := range blocks {
		h += k.height()
	}
	b.room(h)
	for _, k := range blocks {
		b.put(k, x, b.y)
		b.y += k.height()
	}
	b.y += after
}

const (
	cardPicture = 150.0
	cardPad     = 10.0
)

func (b *auditSetter) recipients() error {
	if len(b.a.Recipients) == 0 {
		return nil
	}
	b.section(b.w.Recipients, 70)
	for _, r := range b.a.Recipients {
		if err := b.card(r); err != nil {
			return err
		}
	}
	return nil
}

// card is one recipient: what they are and did on the left, their signature on the right.
func (b *auditSetter) card(r AuditRecipient) error {
	width := auditWidth - cardPicture - 24
	blocks := []block{
		b.set(r.Name, styleStrong, width),
		b.set(r.Email, styleBody, width),
		b.set(join(" · ", of(b.w.Kinds, r.Kind), r.Role), styleBody, width),
		b.set(join("  ", join(" ", of(b.w.States, r.Status), b.time(r.Acted))), styleStrong, width),
		b.set(spell(b.w.Reason, quoted(r.Reason)), styleBody, width),
		b.set(spell(b.w.Consent, quoted(r.Consent)), styleSmall, width),
		b.set(join("   ", spell(b.w.Sent, b.time(r.Sent)), spell(b.w.Opened, b.time(r.Opened))), styleSmall, width),
		b.set(spell(b.w.Device, join(" · ", r.IP, deviceWords(b.w, r.UserAgent))), styleSmall, width),
		b.set(spell(b.w.Proof, of(b.w.Proofs, r.Proof)), styleSmall, width),
		b.set(spell("ID", r.ID), styleSmall, width),
	}
	h := 0.0
	for _, k := range blocks {
		h += k.height()
	}
	h = max(h, 58)
	b.room(h + 14)
	top := b.y
	for _, k := range blocks {
		b.put(k, auditLeft, b.y)
		b.y += k.height()
	}
	if err := b.signature(r, auditRight-cardPicture, top); err != nil {
		return err
	}
	b.y = top + h + 6
	b.rule(b.y, 0.4, hair)
	b.y += 8
	return nil
}

// signature shows what a recipient signed with, on a line.
func (b *auditSetter) signature(r AuditRecipient, x, y float64) error {
	if len(r.Signature) == 0 {
		return nil
	}
	const height = 46
	pic, err := b.pictures.get(r.Signature, cardPicture)
	if err != nil {
		return fmt.Errorf("signature of %s: %w", r.ID, err)
	}
	w, h := float64(pic.pixels.Rect.Dx()), float64(pic.pixels.Rect.Dy())
	scale := min((cardPicture-2*cardPad)/w, (height-4)/h)
	b.page().image(pic, x+(cardPicture-w*scale)/2, y+(height-h*scale)/2, w*scale, h*scale)
	b.page().rect(x, y+height, cardPicture, 0.5, faint)
	k := b.set(r.Name, styleSmall, cardPicture)
	if len(k.lines) > 0 {
		k.lines = k.lines[:1]
		b.put(k, x+(cardPicture-points(k.lines[0].width, k.style.size))/2, y+height+3)
	}
	return nil
}

func quoted(reason string) string {
	if reason == "" {
		return ""
	}
	return "“" + reason + "”"
}

// join joins what is not empty.
func join(between string, parts ...string) string {
	var have []string
	for _, p := range parts {
		if p != "" {
			have = append(have, p)
		}
	}
	return strings.Join(have, between)
}

// The events' columns: when, what, and where from.
var eventColumns = [3]struct{ x, w float64 }{{0, 98}, {104, 210}, {322, auditWidth - 322}}

func (b *auditSetter) events() {
	if len(b.a.Events) == 0 {
		return
	}
	b.section(b.w.Events, 50)
	b.eventHead()
	for _, e := range b.a.Events {
		b.event(e)
	}
}

func (b *auditSetter) eventHead() {
	for i, title := range [3]string{b.w.When, b.w.What, b.w.Where} {
		b.put(b.set(title, styleHead, eventColumns[i].w), auditLeft+eventColumns[i].x, b.y)
	}
	b.y += styleHead.size*1.32 + 3
	b.rule(b.y, 0.35, hair)
	b.y += 4
}

// sentence tells an event in the pages' language.
func (b *auditSetter) sentence(e AuditEvent) string {
	text, ok := b.w.Happened[e.Code]
	if !ok {
		return e.What
	}
	said := fill(text, "who", e.Who, "about", e.About, "to", e.Data["to"], "mail", of(b.w.Mails, e.Data["mail"]), "name", e.Data["name"], "level", e.Data["level"])
	if direction([]rune(said)) == di.DirectionRTL { // it begins with a name in another script; the sentence runs from the left all the same
		return "\u200e" + said
	}
	return said
}

// event is one line of the table, or several: below what happened stands the beginning of its hash.
func (b *auditSetter) event(e AuditEvent) {
	body := styleBody
	body.size = 8
	texts := [3][2]string{{b.time(e.At), ""}, {b.sentence(e), shortHash(e.Hash)}, {e.IP, deviceWords(b.w, e.UserAgent)}}
	var cells [3][2]block
	h := 0.0
	for i, c := range eventColumns {
		cells[i] = [2]block{b.set(texts[i][0], body, c.w), b.set(texts[i][1], styleSmall, c.w)}
		h = max(h, cells[i][0].height()+cells[i][1].height())
	}
	if b.room(h + 6) {
		b.eventHead()
	}
	for i, c := range eventColumns {
		b.put(cells[i][0], auditLeft+c.x, b.y)
		b.put(cells[i][1], auditLeft+c.x, b.y+cells[i][0].height())
	}
	b.y += h + 2
	b.rule(b.y, 0.35, hair)
	b.y += 3
}

func shortHash(hash string) string { return hash[:min(16, len(hash))] }

// closing says how to check all this.
func (b *auditSetter) closing() {
	text := b.w.Covered
	if b.a.VerifyURL != "" {
		text += " " + fill(b.w.CheckAt, "url", b.a.VerifyURL)
	}
	trail := ""
	if b.a.TrailHash != "" {
		trail = fill(b.w.Chain, "hash", b.a.TrailHash)
	}
	if b.a.Trail != nil {
		trail = join(" ", trail, b.w.Attached)
	}
	b.section(b.w.Verify, 50)
	b.stack(auditLeft, auditWidth, 4, b.set(text, styleBody, auditWidth))
	b.stack(auditLeft, auditWidth, 0, b.set(trail, styleBody, auditWidth))
}

// feet numbers the pages.
func (b *auditSetter) feet() {
	for i, sh := range b.sheets {
		y := auditBottom + 24.0
		sh.rect(auditLeft, y-6, auditWidth, 0.4, hair)
		left := b.set(join(" · ", b.a.Instance, b.a.ID), styleSmall, auditWidth-90)
		right := b.set(fill(b.w.Page, "n", strconv.Itoa(i+1), "all", strconv.Itoa(len(b.sheets))), styleSmall, 90)
		for j, l := range left.lines {
			sh.text(l, auditLeft, y+left.pitch()*float64(j)+styleSmall.size, styleSmall.size, faint)
		}
		for _, l := range right.lines {
			sh.text(l, auditRight-points(l.width, styleSmall.size), y+styleSmall.size, styleSmall.size, faint)
		}
	}
}
