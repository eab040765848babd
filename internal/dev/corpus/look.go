package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	longSide   = 500 // pixels, of a page's picture
	grown      = 4   // pixels around a field that may change with it
	differs    = 64  // of 255, how far a pixel's grey may move: edges are drawn a little differently
	mayDiffer  = 0.002
	pagesAtOne = 50 // pages drawn by one process
	drawLimit  = 30 * time.Second
)

// changedPages are the pages, from 1, that look different outside the fields. A page that poppler does not draw of the
// original, or not in time, is not compared.
func changedPages(ctx context.Context, work, before, after string, a answer) ([]int, error) {
	var changed []int
	for from := 1; from <= a.Pages; from += pagesAtOne {
		to := min(from+pagesAtOne-1, a.Pages)
		was, err := pictures(ctx, filepath.Join(work, "was"), before, from, to)
		if errors.Is(err, errSlow) {
			continue
		}
		if err != nil {
			return nil, err
		}
		is, err := pictures(ctx, filepath.Join(work, "is"), after, from, to)
		if err != nil {
			return nil, err
		}
		for n, p := range was {
			if q, ok := is[n]; !ok || !p.like(q, a.on(n-1)) {
				changed = append(changed, n)
			}
		}
	}
	return changed, nil
}

// on are the fields of a page, from 0.
func (a answer) on(page int) []area {
	var out []area
	for _, x := range a.Areas {
		if x.Page == page {
			out = append(out, x)
		}
	}
	return out
}

// picture is a page in grey.
type picture struct {
	w, h int
	grey []byte
}

// errSlow says that poppler takes too long for a file.
var errSlow = errors.New("pdftoppm did not come to an end")

// pictures draws pages and gives them by their numbers.
func pictures(ctx context.Context, dir, pdf string, from, to int) (map[int]picture, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	// It draws what it can and complains about the rest.
	limited, cancel := context.WithTimeout(ctx, drawLimit)
	defer cancel()
	said, err := tool(limited, "pdftoppm", "-gray", "-cropbox", "-scale-to", strconv.Itoa(longSide), "-f", strconv.Itoa(from), "-l", strconv.Itoa(to), pdf, filepath.Join(dir, "p"))
	if limited.Err() != nil && ctx.Err() == nil {
		return nil, errSlow
	}
	drawn, globErr := filepath.Glob(filepath.Join(dir, "p-*.pgm"))
	if globErr != nil {
		return nil, globErr
	}
	if err != nil && len(drawn) == 0 && !strings.Contains(said, "Error") {
		return nil, fmt.Errorf("pdftoppm: %w: %s", err, firstLine(said, err))
	}
	out := make(map[int]picture, len(drawn))
	for _, name := range drawn {
		_, digits, _ := strings.Cut(strings.TrimSuffix(filepath.Base(name), ".pgm"), "-")
		n, err := strconv.Atoi(digits)
		if err != nil {
			return nil, err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if out[n], err = readPGM(data); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return out, nil
}

// readPGM reads the raw form of a grey map with 8 bits, as netpbm's pgm(5) has it.
func readPGM(data []byte) (picture, error) {
	var p picture
	var most int
	if _, err := fmt.Fscanf(bytes.NewReader(data), "P5\n%d %d\n%d\n", &p.w, &p.h, &most); err != nil {
		return p, fmt.Errorf("read a picture: %w", err)
	}
	n := p.w * p.h
	if most != 255 || n <= 0 || len(data) < n {
		return p, fmt.Errorf("read a picture: %d by %d with %d bytes", p.w, p.h, len(data))
	}
	p.grey = data[len(data)-n:]
	return p, nil
}

// like tells whether two pictures show the same outside the fields. A side may differ by a pixel of rounding.
func (p picture) like(q picture, fields []area) bool {
	if abs(p.w-q.w) > 1 || abs(p.h-q.h) > 1 {
		return false
	}
	w, h := min(p.w, q.w), min(p.h, q.h)
	different := 0
	for y := range h {
		for x := range w {
			if abs(int(p.grey[y*p.w+x])-int(q.grey[y*q.w+x])) > differs && !within(fields, x, y, w, h) {
				different++
			}
		}
	}
	return float64(different) <= math.Max(4, mayDiffer*float64(w*h))
}

func within(fields []area, x, y, w, h int) bool {
	for _, f := range fields {
		left, top := f.X*float64(w)-grown, f.Y*float64(h)-grown
		right, bottom := (f.X+f.W)*float64(w)+grown, (f.Y+f.H)*float64(h)+grown
		if float64(x) >= left && float64(x) <= right && float64(y) >= top && float64(y) <= bottom {
			return true
		}
	}
	return false
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}
