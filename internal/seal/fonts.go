package seal

import (
	"bytes"
	_ "embed"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"

	"github.com/go-fonts/liberation/liberationsansbold"
	"github.com/go-fonts/liberation/liberationsansregular"
	"github.com/go-fonts/liberation/liberationserifregular"
	"github.com/go-text/typesetting/font"
	"github.com/go-text/typesetting/font/opentype"
	"github.com/go-text/typesetting/fontscan"
)

//go:embed fonts/Caveat-Regular.ttf
var caveat []byte

//go:embed fonts/DancingScript-Medium.ttf
var dancingScript []byte

//go:embed fonts/GreatVibes-Regular.ttf
var greatVibes []byte

// fontBook finds a font for a letter: the bundled ones first, then those of the system. It is safe for
// concurrent use.
type fontBook struct {
	regular, bold, serif        *font.Font
	dancing, caveat, greatVibes *font.Font // of typed signatures

	log      *slog.Logger
	cacheDir string
	scan     sync.Once
	system   []fontscan.Footprint
	mu       sync.Mutex
	loaded   map[fontscan.Location]*font.Font // nil: can't be loaded
	found    map[wanted]*font.Font            // nil: no font has it
}

// wanted is a question to the system's fonts.
type wanted struct {
	letter rune
	bold   bool
	han    string // the family suffix that Han letters are drawn by: jp, kr, tc or sc
}

// newFontBook reads the bundled fonts. The index of the system's fonts is kept in cacheDir, and made when a
// letter is met that the bundled ones lack.
func newFontBook(cacheDir string, log *slog.Logger) (*fontBook, error) {
	b := &fontBook{log: log, cacheDir: cacheDir, loaded: map[fontscan.Location]*font.Font{}, found: map[wanted]*font.Font{}}
	for _, f := range []struct {
		to   **font.Font
		data []byte
	}{
		{&b.regular, liberationsansregular.TTF},
		{&b.bold, liberationsansbold.TTF},
		{&b.serif, liberationserifregular.TTF},
		{&b.dancing, dancingScript},
		{&b.caveat, caveat},
		{&b.greatVibes, greatVibes},
	} {
		parsed, err := parseFont(f.data, 0)
		if err != nil {
			return nil, fmt.Errorf("read bundled font: %w", err)
		}
		*f.to = parsed
	}
	return b, nil
}

func parseFont(data []byte, index int) (*font.Font, error) {
	loaders, err := opentype.NewLoaders(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if index >= len(loaders) {
		return nil, fmt.Errorf("no font %d in a collection of %d", index, len(loaders))
	}
	return font.NewFont(loaders[index])
}

// warm makes the index of the system's fonts, so that the first text that needs one does not wait for it.
func (b *fontBook) warm() { b.scan.Do(b.scanSystem) }

// find gives the system's best font for a letter, or nil.
func (b *fontBook) find(w wanted) *font.Font {
	b.warm()
	b.mu.Lock()
	defer b.mu.Unlock()
	if f, ok := b.found[w]; ok {
		return f
	}
	var best *font.Font
	for best == nil {
		next := b.best(w)
		if next == nil {
			break
		}
		best = b.load(next.Location)
	}
	if best == nil {
		b.log.Warn("no font on this system has this letter; install one, for example a package of fonts-noto", "letter", fmt.Sprintf("%U", w.letter))
	}
	b.found[w] = best
	return best
}

// best gives the fittest font that has the letter, leaving out those that could not be loaded.
func (b *fontBook) best(w wanted) *fontscan.Footprint {
	var best *fontscan.Footprint
	lowest := 1 << 30
	for i := range b.system {
		f := &b.system[i]
		if tried, ok := b.loaded[f.Location]; (ok && tried == nil) || !f.Runes.Contains(w.letter) {
			continue
		}
		if p := penalty(f, w); p < lowest {
			best, lowest = f, p
		}
	}
	return best
}

// penalty ranks plain, upright, well-known faces before others.
func penalty(f *fontscan.Footprint, w wanted) int {
	p := 30
	switch {
	case isPictograph(w.letter) && strings.Contains(f.Family, "emoji"):
		p = 0
	case strings.HasPrefix(f.Family, "notosanscjk"+w.han):
		p = 0
	case strings.HasPrefix(f.Family, "notosans"):
		p = 1
	case strings.HasPrefix(f.Family, "noto"):
		p = 10
	case strings.HasPrefix(f.Family, "dejavusans"):
		p = 20
	}
	weight := font.WeightNormal
	if w.bold {
		weight = font.WeightBold
	}
	if f.Aspect.Weight != weight {
		p += 5
	}
	if f.Aspect.Style != font.StyleNormal {
		p += 15
	}
	if f.Aspect.Stretch != font.StretchNormal || strings.Contains(f.Family, "mono") {
		p += 8
	}
	return p
}

// isPictograph tells whether a letter is a picture, which people know in colours (Unicode's blocks of emoji).
func isPictograph(r rune) bool { return r >= 0x1F300 && r <= 0x1FAFF }

func (b *fontBook) load(at fontscan.Location) *font.Font {
	if f, ok := b.loaded[at]; ok {
		return f
	}
	var f *font.Font
	data, err := os.ReadFile(at.File)
	if err == nil {
		f, err = parseFont(data, int(at.Index))
	}
	if err != nil {
		b.log.Warn("a font of the system can't be read", "file", at.File, "err", err)
	}
	b.loaded[at] = f
	return f
}

func (b *fontBook) scanSystem() {
	dir := b.cacheDir
	if dir == "" {
		dir = os.TempDir()
	}
	fonts, err := fontscan.SystemFonts(quiet{}, dir)
	if err != nil {
		b.log.Warn("the system's fonts can't be listed; letters beyond Latin, Greek and Cyrillic will be missing", "err", err)
	}
	b.system = fonts
}

// quiet keeps the scanner's remarks about odd fonts out of the log.
type quiet struct{}

func (quiet) Printf(string, ...any) {}
