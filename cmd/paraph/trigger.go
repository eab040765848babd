package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/paraph-sign/paraph/internal/webhook"
)

type triggerCmd struct {
	Server  string        `help:"Address of the server." default:"http://localhost:3000" placeholder:"URL"`
	Token   string        `help:"API token; better set by PARAPH_TOKEN." placeholder:"api_…"`
	Event   string        `arg:"" optional:"" help:"Name of the event, such as form.completed."`
	Webhook int64         `help:"Send it to this webhook, by its number. Default: to all that listen, see paraph listen." placeholder:"ID"`
	Wait    time.Duration `help:"With --webhook: how long to wait for what comes of it." default:"30s" placeholder:"TIME"`
	List    bool          `help:"List the events, and end."`
}

// Run sends a test event.
func (c *triggerCmd) Run(s *streams) error {
	if c.List {
		for _, n := range webhook.Names() {
			fmt.Fprintf(s.out, "%-30s %s\n", n.Name, n.About)
		}
		return nil
	}
	if err := c.check(); err != nil {
		return err
	}
	server, err := remote{c.Server, c.Token}.client()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if c.Webhook > 0 {
		return c.toWebhook(ctx, s, server)
	}
	return c.toListeners(ctx, s, server)
}

func (c *triggerCmd) check() error {
	if c.Event == "" {
		return errors.New("name an event; paraph trigger --list shows all")
	}
	n, ok := webhook.Lookup(c.Event)
	if !ok {
		return unknownEvent(c.Event)
	}
	c.Event = n.Name
	if c.Token == "" {
		return errors.New("--token is needed, or PARAPH_TOKEN: an API token of the space whose webhooks or listeners are meant")
	}
	return nil
}

// unknownEvent says what was probably meant.
func unknownEvent(name string) error {
	near := webhook.Near(name)
	if len(near) == 0 {
		return fmt.Errorf("there is no event %q; paraph trigger --list shows all", name)
	}
	return fmt.Errorf("there is no event %q. Did you mean one of these?\n  %s", name, strings.Join(near, "\n  "))
}

func (c *triggerCmd) toListeners(ctx context.Context, s *streams, server *client) error {
	var told struct{ Listening, Told int }
	if err := server.call(ctx, http.MethodPost, "/listeners/test", map[string]any{"event": c.Event}, &told); err != nil {
		return err
	}
	switch {
	case told.Listening == 0:
		return errors.New("nobody listens: run paraph listen in another terminal, or name a webhook with --webhook")
	case told.Told == 0:
		return fmt.Errorf("%s but to other events", listening(told.Listening))
	}
	fmt.Fprintf(s.out, "%s went to %d of %d that listen.\n", c.Event, told.Told, told.Listening)
	return nil
}

func listening(n int) string {
	if n == 1 {
		return "1 program listens,"
	}
	return many(n, "program") + " listen,"
}

// sentTest is a delivery as the API shows it.
type sentTest struct {
	ID         int64
	State      string
	LastStatus *int    `json:"last_status"`
	LastError  *string `json:"last_error"`
	Attempts   []struct {
		DurationMS float64 `json:"duration_ms"`
		Message    *string
	}
}

func (c *triggerCmd) toWebhook(ctx context.Context, s *streams, server *client) error {
	var sent struct{ ID int64 }
	if err := server.call(ctx, http.MethodPost, fmt.Sprintf("/webhooks/%d/test", c.Webhook), map[string]any{"event": c.Event}, &sent); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s goes to webhook %d as delivery %d.\n", c.Event, c.Webhook, sent.ID)
	ctx, cancel := context.WithTimeout(ctx, c.Wait)
	defer cancel()
	for pause := 50 * time.Millisecond; ctx.Err() == nil; pause = min(2*pause, time.Second) {
		var d sentTest
		err := server.call(ctx, http.MethodGet, fmt.Sprintf("/deliveries/%d", sent.ID), nil, &d)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			return err
		case d.State != "pending":
			return d.tell(s)
		}
		waitFor(ctx, pause)
	}
	fmt.Fprintln(s.out, "It still waits or is under way; the webhook's page says why.")
	return nil
}

// tell says what came of it; a failure is the command's.
func (d sentTest) tell(s *streams) error {
	what, message, took := d.State, "", time.Duration(0)
	if d.LastStatus != nil {
		what = fmt.Sprint(*d.LastStatus)
	} else if d.LastError != nil {
		what = *d.LastError
	}
	if n := len(d.Attempts); n > 0 {
		took = time.Duration(d.Attempts[n-1].DurationMS * float64(time.Millisecond))
		if m := d.Attempts[n-1].Message; m != nil {
			message = "  " + *m
		}
	}
	fmt.Fprintf(s.out, "%s  %s%s\n", what, millis(took), message)
	if d.State != "succeeded" {
		return errQuiet
	}
	return nil
}
