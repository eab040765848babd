// Command openapi prints the description of the API, which is kept in
// docs/openapi.json for those who read it or make clients of it without a
// server at hand. `make generate` writes it, `make check-generated` compares.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"

	"github.com/paraph-sign/paraph/internal/api"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

func run() error {
	spec, err := api.Description("dev", "http://localhost:3000")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := json.Indent(&b, spec, "", "  "); err != nil {
		return err
	}
	b.WriteByte('\n')
	_, err = b.WriteTo(os.Stdout)
	return err
}
