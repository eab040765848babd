package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/paraph-sign/paraph/internal/seal"
)

// maxVerify bounds the file that is read, in bytes.
const maxVerify = 1 << 30

type verifyCmd struct {
	File     string   `arg:"" help:"The PDF." type:"path"`
	JSON     bool     `name:"json" help:"Print the report as JSON."`
	Data     string   `help:"Trust the seal of the instance that keeps its key here." default:"./data" placeholder:"DIR" type:"path"`
	Trust    []string `help:"Trust the certificates in this file, in PEM. Can be repeated." placeholder:"FILE" type:"path"`
	NoSystem bool     `help:"Don't trust what the operating system trusts."`
}

// Run prints what can be said of the file. The exit code is 0 for one that is
// sealed and unchanged, 1 for any other, and 2 when nothing can be said: the
// file can't be read, or is no PDF.
func (c *verifyCmd) Run(s *streams) error {
	report, err := c.verify()
	if err != nil {
		return &exitError{err, 2}
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		err = e.Encode(report)
	} else {
		_, err = fmt.Fprint(s.out, report.Text())
	}
	if err == nil && !report.Valid {
		return errQuiet
	}
	return err
}

func (c *verifyCmd) verify() (report seal.Report, err error) {
	info, err := os.Stat(c.File)
	if err != nil {
		return report, err
	}
	if info.Size() > maxVerify {
		return report, fmt.Errorf("%s is larger than %d MB", filepath.Base(c.File), maxVerify>>20)
	}
	opt := seal.VerifyOptions{Roots: seal.LoadRoots(c.Data)}
	if opt.Given, err = seal.ReadRoots(c.Trust...); err != nil {
		return report, err
	}
	if !c.NoSystem {
		opt.System = seal.SystemRoots()
	}
	pdf, err := os.ReadFile(c.File)
	if err != nil {
		return report, err
	}
	return seal.Verify(pdf, opt)
}
