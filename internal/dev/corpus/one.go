package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"time"

	"github.com/paraph-sign/paraph/internal/seal"
)

// oneFile as the first argument makes the program work on a single file: oneFile CACHE IDENTITY IN OUT.
const oneFile = "--one-file"

// answer is what the process of a file says to its parent.
type answer struct {
	Kind   string `json:"kind"` // of a refusal
	Reason string `json:"reason"`
	MS     int64  `json:"ms"`
	Pages  int    `json:"pages"`
	Areas  []area `json:"areas"`
}

// area is where a field was drawn: fractions of the page as it is displayed, from its top left.
type area struct {
	Page       int // from 0
	X, Y, W, H float64
}

func runOne(args []string, out io.Writer) error {
	if len(args) != 4 {
		return errors.New("corpus: four arguments belong to " + oneFile)
	}
	engine, err := seal.NewEngine(seal.Config{CacheDir: args[0], Instances: 1, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	defer engine.Close()
	ctx := context.Background()
	if err := engine.Warm(ctx); err != nil {
		return err
	}
	identity, err := seal.LoadOrCreateIdentity(args[1], "Corpus", time.Now())
	if err != nil || args[2] == "" { // without a file, only the cache and the identity are made
		return err
	}
	data, err := os.ReadFile(args[2])
	if err != nil {
		return err
	}
	start := time.Now()
	a, sealed, err := sealOne(ctx, engine, identity, data)
	a.MS = time.Since(start).Milliseconds()
	if in, ok := errors.AsType[*seal.InputError](err); ok {
		a.Kind, a.Reason = in.Kind, in.Message
	} else if err != nil {
		return err
	} else if err := os.WriteFile(args[3], sealed, 0o600); err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(a)
}

// sealOne does what the server does from upload to seal.
func sealOne(ctx context.Context, engine *seal.Engine, identity seal.Identity, data []byte) (answer, []byte, error) {
	pdf, info, err := engine.Prepare(ctx, data)
	if err != nil {
		return answer{}, nil, err
	}
	a := answer{Pages: len(info.Pages)}
	marks := fields(len(info.Pages))
	for _, m := range marks {
		a.Areas = append(a.Areas, area{m.Page, m.X, m.Y, m.W, m.H})
	}
	now := time.Now()
	sealed, err := engine.Seal(ctx, seal.Job{
		PDF: pdf, Marks: marks, Identity: identity, Sign: seal.SignOptions{Name: "Corpus", Reason: "All have acted", At: now},
		Audit: &seal.Audit{
			Title: "A file of the corpus", ID: "envelope_corpus", Status: "Completed", Created: now, Sent: now, Completed: now,
			Recipients: []seal.AuditRecipient{{Name: "Ada Lovelace", Email: "ada@example.com", Kind: "Signer", Status: "Signed", Acted: now}},
			VerifyURL:  "https://sign.example.com/verify", Instance: "Corpus",
		},
	})
	if err != nil {
		return a, nil, err
	}
	report, err := seal.Verify(sealed, seal.VerifyOptions{Roots: identity.Roots()})
	if err != nil {
		return a, nil, fmt.Errorf("verify: %w", err)
	}
	if !report.Valid {
		return a, nil, fmt.Errorf("verify: %s", report.Reason)
	}
	return a, sealed, nil
}

// fields are a text, a tick and a signature on the first, the middle and the last page.
func fields(pages int) []seal.Mark {
	var marks []seal.Mark
	for _, p := range slices.Compact([]int{0, (pages - 1) / 2, pages - 1}) {
		marks = append(marks,
			seal.Mark{Page: p, X: 0.1, Y: 0.1, W: 0.3, H: 0.03, Kind: seal.MarkText, Text: "Ada Lovelace"},
			seal.Mark{Page: p, X: 0.5, Y: 0.1, W: 0.04, H: 0.03, Kind: seal.MarkCheck},
			seal.Mark{Page: p, X: 0.6, Y: 0.85, W: 0.3, H: 0.08, Kind: seal.MarkImage, Image: wave(), Caption: "Ada Lovelace"},
		)
	}
	return marks
}

// wave is a signature of a kind, as a PNG.
func wave() []byte {
	pic := image.NewNRGBA(image.Rect(0, 0, 300, 80))
	for x := range 300 {
		y := 40 + int(30*math.Sin(float64(x)/18))
		for d := -1; d <= 1; d++ {
			pic.Set(x, y+d, color.NRGBA{20, 30, 90, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, pic); err != nil {
		panic(err) // a picture in memory
	}
	return b.Bytes()
}
