package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	sealLimit = 30 * time.Second // from the start of a file's process to its end
	toolLimit = 2 * time.Minute  // of the tools that judge, and draw every page
)

// bench is where files are worked on.
type bench struct {
	dir             string // of the files
	scratch         string
	cache, identity string // what the processes share
	self            string // this program
}

func newBench(ctx context.Context, dir string) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "paraph-corpus-")
	if err != nil {
		return nil, err
	}
	b := &bench{dir, scratch, filepath.Join(scratch, "cache"), filepath.Join(scratch, "identity"), self}
	// The PDF engine is compiled once, before anything is measured.
	if said, err := exec.CommandContext(ctx, self, oneFile, b.cache, b.identity, "", "").CombinedOutput(); err != nil {
		b.close()
		return nil, fmt.Errorf("start the PDF engine: %w: %s", err, said)
	}
	return b, nil
}

func (b *bench) close() { _ = os.RemoveAll(b.scratch) } // it is in the system's temporary folder

// judge seals a file and has the result looked at.
func (b *bench) judge(ctx context.Context, name string) row {
	r := row{File: name, Outcome: outcomeSealed, Changed: []int{}}
	work, err := os.MkdirTemp(b.scratch, "file-")
	if err != nil {
		r.Outcome, r.Reason = outcomeCrashed, err.Error()
		return r
	}
	defer os.RemoveAll(work)
	in, out := filepath.Join(b.dir, name), filepath.Join(work, "sealed.pdf")
	a, ok := b.seal(ctx, &r, in, out)
	if !ok {
		return r
	}
	if wrong := foundByOthers(ctx, in, out); wrong != "" {
		r.Outcome, r.Reason = outcomeInvalid, wrong
		return r
	}
	changed, err := changedPages(ctx, work, in, out, a)
	switch {
	case err != nil:
		r.Outcome, r.Reason = outcomeInvalid, err.Error()
	case len(changed) > 0:
		r.Outcome, r.Reason, r.Changed = outcomeInvalid, fmt.Sprintf("%d pages look different", len(changed)), changed
	}
	return r
}

// seal runs the file's process; ok when there is a sealed file.
func (b *bench) seal(ctx context.Context, r *row, in, out string) (a answer, ok bool) {
	limited, cancel := context.WithTimeout(ctx, sealLimit)
	defer cancel()
	cmd := exec.CommandContext(limited, b.self, oneFile, b.cache, b.identity, in, out)
	var said, complained bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &complained
	start := time.Now()
	err := cmd.Run()
	r.MS = time.Since(start).Milliseconds()
	if cmd.ProcessState != nil {
		r.MB = peak(cmd.ProcessState)
	}
	switch {
	case limited.Err() != nil:
		r.Outcome, r.Reason = outcomeTimeout, "not done after "+sealLimit.String()
	case err != nil:
		r.Outcome, r.Reason = crash(err), firstLine(complained.String(), err)
	case json.Unmarshal(said.Bytes(), &a) != nil:
		r.Outcome, r.Reason = outcomeCrashed, "its process said something that was not understood"
	default:
		r.MS, r.Pages, r.Kind, r.Reason = a.MS, a.Pages, a.Kind, a.Reason
		if a.Kind != "" {
			r.Outcome = outcomeRefused
		}
		return a, a.Kind == ""
	}
	return a, false
}

// crash tells a process that died from one that said, with an exit code of 1, that it has no valid result.
func crash(err error) string {
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && exit.ExitCode() == 1 {
		return outcomeInvalid
	}
	return outcomeCrashed
}

func firstLine(text string, err error) string {
	text = strings.TrimSpace(text)
	if text == "" {
		return err.Error()
	}
	first, _, _ := strings.Cut(text, "\n")
	return first
}

// peak is the most memory that a process had, in MB.
func peak(p *os.ProcessState) int64 {
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss >> 10 // Linux counts in KB
}

// foundByOthers is what pdfsig or qpdf have against a sealed file and not against the file that it was made of; "" when
// there is nothing.
func foundByOthers(ctx context.Context, original, sealed string) string {
	said, err := tool(ctx, "pdfsig", "-nocert", sealed)
	if err != nil {
		return "pdfsig: " + firstLine(said, err)
	}
	before, _ := tool(ctx, "pdfsig", "-nocert", original) // it fails for a file without signatures
	_, ours, _ := cutLast(said, "Signature Validation:")
	switch {
	case !strings.Contains(ours, "Signature is Valid."):
		return "pdfsig: the seal is not valid"
	case badSignatures(said) > badSignatures(before):
		return "pdfsig: a signature that the file had is not valid any more"
	case !strings.Contains(said, "Total document signed"):
		return "pdfsig: no signature covers the whole file"
	}
	said, err = tool(ctx, "qpdf", "--check", sealed)
	if !isError(err) {
		return ""
	}
	if _, was := tool(ctx, "qpdf", "--check", original); isError(was) {
		return "" // it brought that with it, and viewers show it all the same
	}
	return "qpdf: " + complaint(said, err)
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}

func badSignatures(said string) int {
	return strings.Count(said, "Signature Validation:") - strings.Count(said, "Signature is Valid.")
}

// isError tells qpdf's errors from its warnings, which have the exit code 3.
func isError(err error) bool {
	exit, ok := errors.AsType[*exec.ExitError](err)
	return err != nil && !(ok && exit.ExitCode() == 3)
}

func complaint(said string, err error) string {
	for line := range strings.Lines(said) {
		if strings.HasPrefix(line, "ERROR") {
			return strings.TrimSpace(line)
		}
	}
	return err.Error()
}

func tool(ctx context.Context, name string, args ...string) (string, error) {
	limited, cancel := context.WithTimeout(ctx, toolLimit)
	defer cancel()
	said, err := exec.CommandContext(limited, name, args...).CombinedOutput()
	return string(said), err
}
