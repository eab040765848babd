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
	File string `arg:"" help:"The PDF." type:"path"`
	JSON bool   `name:"json" help:"Print the report as JSON."`
	Data string `help:"Trust the seal of the instance that keeps its key here." default:"./data" placeholder:"DIR" type:"path"`
}

// Run prints what can be said of the file. The exit code is 0 for one that is
// sealed and unchanged, 1 for any other.
func (c *verifyCmd) Run(s *streams) error {
	info, err := os.Stat(c.File)
	if err != nil {
		return err
	}
	if info.Size() > maxVerify {
		return fmt.Errorf("%s is larger than %d MB", filepath.Base(c.File), maxVerify>>20)
	}
	pdf, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	report, err := seal.Verify(pdf, seal.VerifyOptions{Roots: seal.LoadRoots(c.Data)})
	if err != nil {
		return err
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
