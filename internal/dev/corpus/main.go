// Command corpus seals every PDF in a folder and says what became of each: what an operator, or we, run over files from
// the wild to know that none of them is the reason why a finished envelope stays unfinished.
//
//	go run ./internal/dev/corpus [--json FILE] DIR
//
// Each file is sealed in a process of its own, so that a crash, the time and the memory are the file's. What comes out is
// judged by pdfsig and qpdf, which are not ours, and by our own verification; and its pages are drawn by poppler before and
// after, and compared outside the fields.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
)

// What may become of a file.
const (
	outcomeSealed  = "sealed"  // and valid, and its pages look as before
	outcomeRefused = "refused" // with a reason that a person understands
	outcomeInvalid = "invalid" // sealed, and something is wrong with it
	outcomeCrashed = "crashed"
	outcomeTimeout = "timeout"
)

// row is what is said of a file.
type row struct {
	File    string `json:"file"` // from the folder
	Outcome string `json:"outcome"`
	Reason  string `json:"reason"` // why not sealed, in a sentence
	Kind    string `json:"kind"`   // of a refusal, for programs
	MS      int64  `json:"ms"`     // preparing, sealing and verifying, without the start of the process
	MB      int64  `json:"mb"`     // the most memory that the process had
	Pages   int    `json:"pages"`
	Changed []int  `json:"changed_pages"` // from 1; pages that look different outside the fields
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == oneFile {
		if err := runOne(os.Args[2:], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "corpus:", err)
		os.Exit(1)
	}
}

// errFindings says that something crashed, hung or came out wrong; the table tells what.
var errFindings = errors.New("some files crashed, timed out or came out invalid")

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("corpus", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: go run ./internal/dev/corpus [--json FILE] DIR")
		flags.PrintDefaults()
	}
	jsonFile := flags.String("json", "", "also write the rows as a JSON array to this file")
	parallel := flags.Int("parallel", 2, "how many files are worked on at a time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 || *parallel < 1 {
		flags.Usage()
		return errors.New("one folder is needed")
	}
	rows, err := judge(ctx, flags.Arg(0), *parallel)
	if err != nil {
		return err
	}
	if *jsonFile != "" {
		if err := writeJSON(*jsonFile, rows); err != nil {
			return err
		}
	}
	if err := printTable(out, rows); err != nil {
		return err
	}
	if failed(rows) {
		return errFindings
	}
	return nil
}

func failed(rows []row) bool {
	return slices.ContainsFunc(rows, func(r row) bool { return r.Outcome != outcomeSealed && r.Outcome != outcomeRefused })
}

// judge works through the folder, and gives the rows by name.
func judge(ctx context.Context, dir string, parallel int) ([]row, error) {
	for _, tool := range []string{"pdfsig", "pdftoppm", "qpdf"} {
		if _, err := exec.LookPath(tool); err != nil {
			return nil, fmt.Errorf("%s is not installed; on Debian: apt-get install poppler-utils qpdf", tool)
		}
	}
	names, err := pdfs(dir)
	if err != nil {
		return nil, err
	}
	b, err := newBench(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer b.close()
	rows := make([]row, len(names))
	next := make(chan int)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for i := range next {
				rows[i] = b.judge(ctx, names[i])
			}
		})
	}
	for i := range names {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	return rows, ctx.Err()
}

// pdfs are the PDFs in a folder and below, by name.
func pdfs(dir string) ([]string, error) {
	var names []string
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.Type().IsRegular() && strings.EqualFold(filepath.Ext(name), ".pdf") {
			rel, err := filepath.Rel(dir, name)
			names = append(names, rel)
			return err
		}
		return nil
	})
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("there is no PDF in %s", dir)
	}
	return names, err
}

func writeJSON(name string, rows []row) error {
	b, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(b, '\n'), 0o644)
}

func printTable(out io.Writer, rows []row) error {
	t := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "file\toutcome\tms\tMB\tpages\treason")
	counts := map[string]int{}
	var slowest, largest row
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%s\n", r.File, r.Outcome, r.MS, r.MB, r.Pages, r.Reason)
		counts[r.Outcome]++
		if r.MS >= slowest.MS {
			slowest = r
		}
		if r.MB >= largest.MB {
			largest = r
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "\n%d files:", len(rows))
	for _, o := range []string{outcomeSealed, outcomeRefused, outcomeInvalid, outcomeCrashed, outcomeTimeout} {
		fmt.Fprintf(out, " %s %d", o, counts[o])
	}
	_, err := fmt.Fprintf(out, "\nslowest: %d ms, %s\nmost memory: %d MB, %s\n", slowest.MS, slowest.File, largest.MB, largest.File)
	return err
}
