package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/webhook"
)

type listenCmd struct {
	remote
	ForwardTo       string        `help:"Send each event on to this URL, as a webhook would be sent. Default: only show them." placeholder:"URL"`
	Events          []string      `help:"Events to listen to: names, families such as form.*, or * for all; with commas between." default:"*" placeholder:"NAMES"`
	Secret          string        `help:"Sign with this secret. Default: a new one is made and printed." placeholder:"whsec_…"`
	DocumensoSecret string        `help:"Send this in X-Documenso-Secret." placeholder:"WORD"`
	OmitTokens      bool          `help:"Leave the tokens of signing links out."`
	Retries         int           `help:"How often an event is sent again when the target fails." default:"2" placeholder:"N"`
	Timeout         time.Duration `help:"How long the target may take, 1s to 30s." default:"15s" placeholder:"TIME"`
	PrintJSON       bool          `name:"print-json" help:"Print the body of each event."`
}

// How a listener behaves.
const (
	maxRetries  = 5
	heardRoom   = 1000 // events that wait here for the target
	heardAtOnce = 100
	longestWait = 15 * time.Second // between tries to reach the server
	stayAlive   = 2 * time.Second  // how often the server hears of us when there is no room
)

// Run shows and forwards events until it is told to stop.
func (c *listenCmd) Run(s *streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends us at once
	return c.listen(ctx, s)
}

// check fills in what was left out, and refuses what can't be.
func (c *listenCmd) check() (err error) {
	if c.Events, err = webhook.CheckEvents(c.Events); err != nil {
		return err
	}
	if c.Secret == "" {
		c.Secret = webhook.GenerateSecret()
	}
	if err := errors.Join(webhook.CheckSecret(c.Secret), webhook.CheckSecret(c.DocumensoSecret)); err != nil {
		return err
	}
	if c.Retries < 0 || c.Retries > maxRetries {
		return fmt.Errorf("--retries lies between 0 and %d", maxRetries)
	}
	if c.Timeout < paraph.MinTimeout || c.Timeout > paraph.MaxTimeout {
		return errors.New("--timeout lies between 1s and 30s")
	}
	return nil
}

// listen does it until ctx ends.
func (c *listenCmd) listen(ctx context.Context, s *streams) error {
	l, err := c.prepare(s)
	if err != nil {
		return err
	}
	return l.work(ctx)
}

// prepare checks what can be checked without the server.
func (c *listenCmd) prepare(s *streams) (*listener, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	server, err := c.client()
	if err != nil {
		return nil, err
	}
	l := &listener{cmd: c, server: server, out: s.out, colour: inColour(s.out), heard: make(chan heardEvent, heardRoom), waitFor: waitFor}
	if c.ForwardTo == "" {
		return l, nil
	}
	if l.target, err = newTarget(); err != nil {
		return nil, err
	}
	return l, l.target.CheckURL(c.ForwardTo)
}

// newTarget is the sender that servers use, but one that may call any address:
// a developer's own machine is what it is for. It follows no redirects.
func newTarget() (*webhook.Client, error) {
	return webhook.NewClient(webhook.ClientConfig{UserAgent: "Paraph/" + version, Allow: []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0"),
	}})
}

// heardEvent is an event as the API answers it.
type heardEvent struct {
	ID        int64     `json:"id"`
	Event     string    `json:"event"`
	MessageID string    `json:"message_id"`
	Test      bool      `json:"test"`
	CreatedAt time.Time `json:"created_at"`
	Body      string    `json:"body"`
}

// listener hears from a server. One goroutine asks, so that the server knows
// that we are there however slow the target is; one shows and forwards, in the
// order in which events came.
type listener struct {
	cmd     *listenCmd
	server  *client
	target  *webhook.Client // nil: only show
	colour  bool
	heard   chan heardEvent
	waitFor func(ctx context.Context, d time.Duration)

	id       int64
	received []int64 // that the server was not told of yet

	mu        sync.Mutex // of what follows
	out       io.Writer
	lastAsked time.Time
	shown     int
	delivered int
	failed    int
}

// work listens until ctx ends.
func (l *listener) work(ctx context.Context) error {
	if l.target != nil {
		defer l.target.Close()
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	l.greet()
	err := l.run(ctx)
	l.end()
	return err
}

func waitFor(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// begin makes our listener at the server.
func (l *listener) begin(ctx context.Context) error {
	var made struct{ ID int64 }
	err := l.server.call(ctx, http.MethodPost, "/listeners", map[string]any{"url": l.cmd.ForwardTo, "events": l.cmd.Events, "omit_tokens": l.cmd.OmitTokens}, &made)
	l.id, l.received = made.ID, nil
	return err
}

func (l *listener) say(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.out, format+"\n", args...)
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (l *listener) note(colour, format string, args ...any) {
	l.say("%s", paint(l.colour, colour, fmt.Sprintf(format, args...)))
}

func (l *listener) greet() {
	l.say("Listening at %s to %s. Ctrl-C ends.", l.server.base, strings.Join(l.cmd.Events, ", "))
	if l.target == nil {
		return
	}
	l.say("Events go on to %s, signed with\n  %s", l.cmd.ForwardTo, l.cmd.Secret)
	if l.cmd.Retries == 0 {
		l.say("Each is sent once; redirects are not followed.")
		return
	}
	l.say("One that fails is sent again up to %s (after 1, 2, 4… seconds) and then left; redirects are not followed.", many(l.cmd.Retries, "time"))
}

// run works until ctx ends, or the server refuses us.
func (l *listener) run(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var forwarding sync.WaitGroup
	forwarding.Go(func() { l.forwardAll(ctx) })
	defer forwarding.Wait()
	defer stop()
	for tries := 0; ctx.Err() == nil; {
		err := l.hear(ctx)
		switch status := refused(err); {
		case ctx.Err() != nil:
		case err == nil:
			if tries > 0 {
				l.note(green, "The server is back.")
			}
			tries = 0
		case status == http.StatusNotFound:
			l.note(yellow, "The server has let go of us; listening anew. What happened since %s may be missing.", l.lastAsked.Format(time.TimeOnly))
			l.id = 0
		case status == http.StatusUnauthorized, status == http.StatusForbidden:
			return err
		default:
			tries = l.unreached(ctx, tries, err)
		}
	}
	return nil
}

// unreached waits before the next try, longer each time.
func (l *listener) unreached(ctx context.Context, tries int, err error) int {
	wait := min(500*time.Millisecond<<min(tries, 10), longestWait)
	if tries == 0 {
		l.note(yellow, "%s; trying again.", paraph.CleanLine(err.Error()))
	}
	l.waitFor(ctx, wait)
	return tries + 1
}

// hear asks once and hands on what came.
func (l *listener) hear(ctx context.Context) error {
	if l.id == 0 {
		if err := l.begin(ctx); err != nil {
			return err
		}
	}
	room := cap(l.heard) - len(l.heard)
	question := map[string]any{"received": l.received, "limit": min(room, heardAtOnce), "wait": 25}
	var answer struct {
		Events      []heardEvent
		MissedSince *time.Time `json:"missed_since"`
	}
	if err := l.server.call(ctx, http.MethodPost, fmt.Sprintf("/listeners/%d/events", l.id), question, &answer); err != nil {
		return err
	}
	l.lastAsked, l.received = time.Now(), nil
	for _, e := range answer.Events[:min(len(answer.Events), room)] {
		l.received = append(l.received, e.ID)
		l.heard <- e // there is room, for nobody else fills it
	}
	if answer.MissedSince != nil {
		l.note(red, "Events that happened since %s are missing: more than %d waited for us.", answer.MissedSince.Local().Format(time.TimeOnly), paraph.MaxHeard)
	}
	if room == 0 {
		l.waitFor(ctx, stayAlive)
	}
	return nil
}

// forwardAll shows and forwards what was heard, one after the other.
func (l *listener) forwardAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-l.heard:
			l.show(ctx, e)
		}
	}
}

func (l *listener) show(ctx context.Context, e heardEvent) {
	l.count(func() { l.shown++ })
	if l.target == nil {
		l.line(e, grey, "")
	} else {
		l.forward(ctx, e)
	}
	if l.cmd.PrintJSON {
		var b bytes.Buffer
		if json.Indent(&b, []byte(e.Body), "          ", "  ") == nil {
			l.say("          %s", b.String())
		}
	}
}

func (l *listener) count(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// line shows an event and what came of it.
func (l *listener) line(e heardEvent, colour, outcome string) {
	name := e.Event
	if e.Test {
		name += " (test)"
	}
	text := fmt.Sprintf("%s  %-30s", e.CreatedAt.Local().Format(time.TimeOnly), paraph.CleanLine(name))
	l.say("%s", strings.TrimRight(text+"  "+paint(l.colour && outcome != "", colour, outcome), " "))
}

// forward sends an event on, again when it fails, but not for ever.
func (l *listener) forward(ctx context.Context, e heardEvent) {
	for attempt := 1; ; attempt++ {
		o := l.target.Send(ctx, l.request(e, attempt))
		if ctx.Err() != nil && !o.Succeeded() {
			l.line(e, yellow, "broken off")
			l.count(func() { l.failed++ })
			return
		}
		what := outcome(o)
		if o.Succeeded() {
			l.line(e, green, what)
			l.count(func() { l.delivered++ })
			return
		}
		if attempt > l.cmd.Retries {
			l.line(e, red, what+leftAfter(attempt))
			l.count(func() { l.failed++ })
			return
		}
		pause := time.Second << (attempt - 1)
		l.line(e, red, fmt.Sprintf("%s  again in %s", what, pause))
		l.waitFor(ctx, pause)
	}
}

func leftAfter(attempts int) string {
	if attempts == 1 {
		return ""
	}
	return fmt.Sprintf("  left after %d attempts", attempts)
}

// request is the event as the server would send it to an endpoint.
func (l *listener) request(e heardEvent, attempt int) webhook.Request {
	return webhook.NewRequest(
		paraph.Endpoint{URL: l.cmd.ForwardTo, Secret: l.cmd.DocumensoSecret, SigningSecret: l.cmd.Secret, Timeout: l.cmd.Timeout},
		paraph.Delivery{Body: []byte(e.Body), MessageID: e.MessageID, EventName: e.Event, Test: e.Test, Attempts: attempt - 1},
		time.Now(),
	)
}

// outcome is what came of an attempt, for people.
func outcome(o webhook.Outcome) string {
	took := millis(o.Timings.Total)
	switch {
	case o.Succeeded():
		return fmt.Sprintf("%d  %s", o.Status, took)
	case o.Status > 0:
		return fmt.Sprintf("%d  %s  %s", o.Status, took, o.Error)
	}
	return fmt.Sprintf("%s  %s  %s", o.Code, took, o.Error)
}

// millis is a duration in milliseconds, with a digit behind the point when it
// is short.
func millis(d time.Duration) string {
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%d ms", d.Milliseconds())
}

// end tells the server that we go, and says what there was.
func (l *listener) end() {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = l.server.call(ctx, http.MethodDelete, fmt.Sprintf("/listeners/%d", l.id), nil, nil) // or it ends by itself in two minutes
	events := many(l.shown, "event")
	if l.target == nil {
		l.say("\n%s.", events)
		return
	}
	left := ""
	if n := len(l.heard); n > 0 {
		left = fmt.Sprintf(", %d not sent any more", n)
	}
	l.say("\n%s: %d delivered, %d failed%s.", events, l.delivered, l.failed, left)
}
