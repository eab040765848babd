package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

// remote is a server that a command speaks to by its API.
type remote struct {
	Server string `help:"Address of the server." default:"http://localhost:3000" placeholder:"URL"`
	Token  string `help:"API token; better set by PARAPH_TOKEN." required:"" placeholder:"api_…"`
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 20

// refusal is what the server said no with.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

// refused tells the status that the server refused with, 0 for any other error.
func refused(err error) int {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.status
	}
	return 0
}

// client speaks to one server. It follows no redirects, so that the token goes
// nowhere else.
type client struct {
	base, token string
	http        *http.Client
}

func (r remote) client() (*client, error) {
	u, err := url.Parse(strings.TrimRight(r.Server, "/"))
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" {
		return nil, errors.New("--server is an address such as https://sign.example.com")
	}
	if strings.ContainsFunc(r.Token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, errors.New("--token is not an API token: it holds a space or a letter that tokens don't have")
	}
	return &client{base: u.String(), token: r.Token, http: &http.Client{
		Timeout:       2 * time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// call asks the API: in and out are JSON, and either may be nil.
func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("X-Auth-Token", c.token)
	req.Header.Set("User-Agent", "Paraph/"+version)
	res, err := c.http.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return fmt.Errorf("%s does not answer: %w", c.base, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s broke off its answer: %w", c.base, err)
	}
	if res.StatusCode/100 != 2 {
		return refusalOf(res, data)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("%s did not answer as a Paraph server does: %w", c.base, err)
	}
	return nil
}

func refusalOf(res *http.Response, data []byte) error {
	var problem struct{ Error string }
	switch {
	case json.Unmarshal(data, &problem) == nil && problem.Error != "":
		return &refusal{res.StatusCode, paraph.CleanLine(problem.Error)}
	case res.StatusCode/100 == 3:
		return &refusal{res.StatusCode, fmt.Sprintf("the server sends us on to %s; give that as --server", paraph.CleanLine(res.Header.Get("Location")))}
	}
	return &refusal{res.StatusCode, fmt.Sprintf("the server answered %s to %s", res.Status, res.Request.URL.Path)}
}
