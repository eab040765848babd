// Command paraph is the server and its tools in one binary.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/alecthomas/kong"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/seal"
)

// version is set when the binary is built.
var version = "dev"

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// streams are where a command reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// errQuiet ends a command with exit code 1 and no words: it has said all.
var errQuiet = errors.New("said already")

// exitError ends a command with an exit code of its own.
type exitError struct {
	error
	code int
}

func (e *exitError) Unwrap() error { return e.error }

// run is main without the process around it. It returns the exit code: 0, 1
// when the command failed, 2 when it was called wrongly or says so by an
// exitError.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c,
		kong.Name("paraph"), kong.Description("Self-hosted document signing."), kong.UsageOnError(), kong.DefaultEnvars("PARAPH"),
		kong.Writers(out, errOut), kong.Exit(func(code int) { exit = code }), kong.Vars{"version": version},
		kong.Bind(&streams{in, out, errOut}),
	)
	if err != nil {
		fmt.Fprintln(errOut, "paraph:", err)
		return 1
	}
	ctx, err := parser.Parse(args)
	if exit >= 0 { // --help, --version
		return exit
	}
	if err != nil {
		fmt.Fprintln(errOut, "paraph:", err)
		return 2
	}
	err = ctx.Run()
	if err == nil {
		return 0
	}
	if !errors.Is(err, errQuiet) {
		fmt.Fprintln(errOut, "paraph:", sentence(err))
	}
	if own, ok := errors.AsType[*exitError](err); ok {
		return own.code
	}
	return 1
}

// sentence is an error for somebody at a terminal: the words for people, or
// the whole of it when there are none.
func sentence(err error) string {
	if e, ok := errors.AsType[*paraph.Error](err); ok && e.Kind != paraph.Internal {
		return e.Message
	}
	if e, ok := errors.AsType[*seal.InputError](err); ok {
		return e.Message
	}
	return err.Error()
}
