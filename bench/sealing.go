package main

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/png"
	"math"
	"sync"
	"time"

	"github.com/paraph-sign/paraph/internal/seal"
)

const (
	sealedAll = 40
	sealers   = 2 // as many as the server has
)

// sealing is how many contracts of three pages get five fields, one of them a
// signature's picture, an audit page and a seal, and are verified, in a second.
func sealing(dir string) (float64, error) {
	b, err := newBed(dir, dir+"/sealing.db")
	if err != nil {
		return 0, err
	}
	defer b.close()
	job := sealJob(b)
	ctx := context.Background()
	if _, err := b.engine.Seal(ctx, job); err != nil { // the compiler of the engine is warm from here on
		return 0, err
	}
	var all sync.WaitGroup
	errs := make(chan error, sealers)
	start := time.Now()
	for range sealers {
		all.Go(func() {
			for range sealedAll / sealers {
				if _, err := b.engine.Seal(ctx, job); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	close(errs)
	return sealedAll / took.Seconds(), <-errs
}

func sealJob(b *bed) seal.Job {
	audit := benchAudit()
	return seal.Job{
		PDF: b.contract, Marks: benchMarks(), Audit: &audit, Identity: b.desk.Identity,
		Sign: seal.SignOptions{Name: "Bench", Reason: "All have acted", At: time.Now()},
	}
}

// benchMarks are five fields on three pages, one of them an image.
func benchMarks() []seal.Mark {
	text := func(page int, y float64, s string) seal.Mark {
		return seal.Mark{Page: page, X: 0.1, Y: y, W: 0.3, H: 0.03, Kind: seal.MarkText, Text: s}
	}
	return []seal.Mark{
		text(0, 0.9, "Clara Vogel"), text(1, 0.9, "Clara Vogel"), text(2, 0.34, "Clara Vogel"), text(2, 0.52, "2026-11-21"),
		{Page: 2, X: 0.1, Y: 0.4, W: 0.3, H: 0.06, Kind: seal.MarkImage, Image: signature(), Caption: "Clara Vogel\n2026-11-21"},
	}
}

// benchAudit is the evidence of an envelope with eight events: one page.
func benchAudit() seal.Audit {
	now := time.Now()
	a := seal.Audit{
		Title: "Consulting agreement", ID: "envelope_abcdefghijklmnop", Status: "Completed", Created: now, Sent: now, Completed: now,
		Documents:  []seal.AuditDocument{{Name: "Consulting agreement", Pages: 3, SHA256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}},
		Recipients: []seal.AuditRecipient{{Name: "Clara Vogel", Email: "clara@example.com", Kind: "Signer", Status: "Signed", Acted: now}},
		VerifyURL:  "https://sign.example.com/verify", Instance: "Bench",
	}
	for _, what := range []string{"Created", "Sent", "Invited Clara Vogel", "Opened", "Started", "Signed", "Finished", "Completed"} {
		a.Events = append(a.Events, seal.AuditEvent{
			At: now, What: what, Who: "Clara Vogel", IP: "203.0.113.9", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) Chrome/140",
			Hash: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		})
	}
	return a
}

// signature is a drawn wave, as a PNG.
func signature() []byte {
	img := image.NewNRGBA(image.Rect(0, 0, 600, 200))
	for x := range 600 {
		y := 100 + int(70*math.Sin(float64(x)/30)*math.Cos(float64(x)/170))
		for d := -2; d <= 2; d++ {
			img.Set(x, y+d, color.NRGBA{20, 30, 90, 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return b.Bytes()
}
