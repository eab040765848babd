package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"mime"
	"net"
	netmail "net/mail"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Config says where mail goes and who it comes from.
type Config struct {
	// URL is smtp://[user:password@]host[:port] or smtps://…, with user and password percent-encoded. smtp goes to
	// port 587 when none is given and uses STARTTLS when the server offers it; with ?tls=required it refuses to go on
	// without, with ?tls=none it never does and sends even a password in clear. smtps speaks TLS at once, at port 465.
	URL  string
	From Address

	// Timeout bounds connecting and greeting, and each message after that; a large message gets more time in
	// proportion. Zero means 30 seconds.
	Timeout time.Duration

	// TLS replaces the system's way of trusting servers; nil is right outside tests.
	TLS *tls.Config
}

// bytesPerSecond is the slowest line for which a message is given enough time.
const bytesPerSecond = 64 << 10

// An SMTP hands messages to a server. It is safe for concurrent use; each message has a connection of its own.
type SMTP struct {
	host    string
	from    Address
	timeout time.Duration
	tls     *tls.Config
	options []gomail.Option
	direct  bool // TLS from the first byte
}

// NewSMTP checks the configuration; it doesn't connect. Its errors hold no password.
func NewSMTP(c Config) (*SMTP, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("the SMTP URL is not of the form smtp://user:password@host:port or smtps://…")
	}
	if _, err := parseAddress(c.From); err != nil {
		return nil, fmt.Errorf("the address that mail comes from: %w", err)
	}
	s := &SMTP{host: u.Hostname(), from: c.From, timeout: c.Timeout, tls: c.TLS, direct: u.Scheme == "smtps"}
	if s.timeout == 0 {
		s.timeout = 30 * time.Second
	}
	if s.tls == nil {
		s.tls = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	s.tls = s.tls.Clone()
	s.tls.ServerName = s.host
	if s.options, err = options(u); err != nil {
		return nil, err
	}
	s.options = append(s.options, gomail.WithTLSConfig(s.tls), gomail.WithoutNoop())
	if _, err := gomail.NewClient(s.host, s.options...); err != nil {
		return nil, fmt.Errorf("set up SMTP to %s: %w", s.host, err)
	}
	return s, nil
}

// options are what the URL says.
func options(u *url.URL) ([]gomail.Option, error) {
	policy, auth, port := gomail.TLSOpportunistic, gomail.SMTPAuthAutoDiscover, 587
	switch mode := u.Query().Get("tls"); mode {
	case "", "opportunistic":
	case "required":
		policy = gomail.TLSMandatory
	case "none":
		policy, auth = gomail.NoTLS, gomail.SMTPAuthPlainNoEnc
	default:
		return nil, fmt.Errorf("the SMTP URL has tls=%q, want required, opportunistic or none", mode)
	}
	if u.Scheme == "smtps" {
		// The connection is already TLS when the client gets it; with this policy the client looks, and sees that.
		policy, port = gomail.TLSOpportunistic, 465
	}
	if u.Port() != "" {
		var err error
		if port, err = strconv.Atoi(u.Port()); err != nil || port < 1 || port > 65535 {
			return nil, errors.New("the SMTP URL has no valid port")
		}
	}
	opts := []gomail.Option{gomail.WithTLSPolicy(policy), gomail.WithPort(port)}
	if u.User.Username() != "" {
		password, _ := u.User.Password()
		opts = append(opts, gomail.WithSMTPAuth(auth), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	return opts, nil
}

// Send hands one message to the server and returns when the server has taken it. On an error the message may be tried
// again unless Permanent says otherwise; a connection that broke at the very end may have delivered it all the same.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	msg, size, err := build(s.from, m)
	if err != nil {
		return fmt.Errorf("send mail %s: %w", m.ID, &refusal{err})
	}
	if err := s.send(ctx, msg, size); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(context.Cause(ctx), err) // the connection that we closed would hide why
		}
		return fmt.Errorf("send mail %s by %s: %w", m.ID, s.host, classify(err))
	}
	return nil
}

func (s *SMTP) send(ctx context.Context, msg *gomail.Msg, size int) error {
	ctx, cancel := context.WithCancel(ctx) // ends the connection, also where the library forgets to
	defer cancel()
	timeout := s.timeout + time.Duration(size/bytesPerSecond)*time.Second
	opts := append(s.options[:len(s.options):len(s.options)], gomail.WithTimeout(timeout), gomail.WithDialContextFunc(
		func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := s.dial(dialing, network, address)
			if err == nil {
				context.AfterFunc(ctx, func() { conn.Close() })
			}
			return conn, err
		}))
	client, err := gomail.NewClient(s.host, opts...)
	if err != nil {
		return err
	}
	server, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	err = client.SendWithSMTPClient(server, msg)
	if msg.IsDelivered() {
		err = nil // what went wrong after the server took it is not the message's
	}
	if err == nil {
		_ = client.CloseWithSMTPClient(server) // a polite QUIT; the message is delivered whatever the answer
	}
	return err
}

func (s *SMTP) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if s.direct {
		return (&tls.Dialer{Config: s.tls}).DialContext(ctx, network, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// build makes the MIME message and tells about how large it is, in bytes.
func build(from Address, m Message) (*gomail.Msg, int, error) {
	if name := line(m.FromName); name != "" {
		from.Name = name
	}
	sender, err := parseAddress(from)
	if err != nil {
		return nil, 0, fmt.Errorf("from: %w", err)
	}
	to, err := parseAddress(m.To)
	if err != nil {
		return nil, 0, fmt.Errorf("to: %w", err)
	}
	msg := gomail.NewMsg()
	msg.FromMailAddress(sender)
	msg.ToMailAddress(to)
	if m.ReplyTo.Email != "" {
		reply, err := parseAddress(m.ReplyTo)
		if err != nil {
			return nil, 0, fmt.Errorf("reply to: %w", err)
		}
		msg.ReplyToMailAddress(reply)
	}
	msg.Subject(line(m.Subject))
	setHeaders(msg, m.ID, sender.Address)
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	size := len(m.Text) + len(m.HTML)
	for _, a := range m.Attachments {
		msg.AttachReadSeeker(fileName(a.Name), bytes.NewReader(a.Data), gomail.WithFileContentType(mediaType(a.ContentType)))
		size += len(a.Data) * 4 / 3
	}
	return msg, size, nil
}

// setHeaders names the message and asks programs not to answer it (RFC 3834; the second is Exchange's way).
func setHeaders(msg *gomail.Msg, id, sender string) {
	msg.SetDate()
	if id = strings.Join(strings.Fields(line(id)), ""); id != "" {
		msg.SetMessageIDWithValue(id + "@" + sender[strings.LastIndex(sender, "@")+1:])
	} else {
		msg.SetMessageID()
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
}

// fileName is a name without anything that a file system or a header would take for more than a name.
func fileName(name string) string {
	name = strings.NewReplacer("/", "-", `\`, "-", `"`, "'").Replace(line(name))
	if name == "" {
		return "document"
	}
	return name
}

// mediaType is what was asked for, where that can stand in a header.
func mediaType(s string) gomail.ContentType {
	if _, _, err := mime.ParseMediaType(s); err != nil {
		return gomail.TypeAppOctetStream
	}
	return gomail.ContentType(s)
}

// parseAddress checks the mailbox and keeps a name for people as it is.
func parseAddress(a Address) (*netmail.Address, error) {
	parsed, err := netmail.ParseAddress(a.Email)
	if err != nil || parsed.Address != a.Email {
		return nil, fmt.Errorf("%q is no mail address", a.Email)
	}
	return &netmail.Address{Name: line(a.Name), Address: a.Email}, nil
}

// A refusal is an error that no repetition will cure.
type refusal struct{ err error }

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// Permanent tells of an error of Send that trying again is of no use: the server refused the recipient or the message
// with a 5xx (RFC 5321 section 4.2.1), or the message has no valid address. All else is worth another try: servers that
// are away or busy, and those that refuse us (our password, our sender), because the operator can mend that.
func Permanent(err error) bool {
	var r *refusal
	return errors.As(err, &r)
}

func classify(err error) error {
	var failed *gomail.SendError
	if !errors.As(err, &failed) || failed.ErrorCode() < 500 {
		return err
	}
	switch failed.Reason {
	case gomail.ErrSMTPRcptTo, gomail.ErrSMTPData, gomail.ErrSMTPDataClose, gomail.ErrWriteContent:
		return &refusal{err}
	}
	return err
}
