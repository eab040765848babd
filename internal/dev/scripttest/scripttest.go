// Package scripttest starts, for one test process, a server that scripts/with-… starts for a whole run of tests.
package scripttest

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Start returns what the script sets its variables to. When the first of them is set already, its server is there and
// the values are those of the environment. Otherwise the script runs until this process ends, however that ends: around
// a command that prints the variables and then reads a pipe that nobody writes to.
func Start(script string, variables ...string) ([]string, error) {
	if os.Getenv(variables[0]) != "" {
		return environment(variables), nil
	}
	path, err := find(script)
	if err != nil {
		return nil, err
	}
	cmd := hold(exec.Command(path, "sh", "-c", `printenv `+strings.Join(variables, " ")+` && exec cat`))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("run scripts/%s: %w", script, err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("run scripts/%s: %w", script, err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("run scripts/%s: %w", script, err)
	}
	values := make([]string, len(variables))
	lines := bufio.NewReader(stdout)
	for i := range values {
		line, err := lines.ReadString('\n')
		if err != nil {
			return nil, fmt.Errorf("run scripts/%s: %w: %s", script, errors.Join(err, cmd.Wait()), strings.TrimSpace(stderr.String()))
		}
		values[i] = strings.TrimSpace(line)
	}
	return values, nil
}

// held keeps what would be collected as garbage otherwise, and with it the pipe that keeps a server up.
var held struct {
	sync.Mutex
	commands []*exec.Cmd
}

func hold(cmd *exec.Cmd) *exec.Cmd {
	held.Lock()
	defer held.Unlock()
	held.commands = append(held.commands, cmd)
	return cmd
}

func environment(variables []string) []string {
	values := make([]string, len(variables))
	for i, name := range variables {
		values[i] = os.Getenv(name)
	}
	return values
}

// find looks for the script above the directory of the test.
func find(script string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find scripts/%s: %w", script, err)
	}
	for {
		path := filepath.Join(dir, "scripts", script)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("find scripts/%s: the test does not run inside the repository", script)
		}
		dir = parent
	}
}
