package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"math/big"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

var from = Address{Name: "Paraph", Email: "sign@example.org"}

// A server is a real SMTP server that keeps what it gets and can be told to refuse.
type server struct {
	smtp    *smtp.Server
	address string
	trust   *x509.CertPool

	password               string // asked for when not empty
	mailErr, rcptErr, data error

	mu       sync.Mutex
	received []received
}

type received struct {
	from, to string
	raw      []byte
	tls      bool
	user     string
}

// serve starts a server; it offers STARTTLS when starttls is set, and speaks TLS at once when direct is.
func serve(t *testing.T, s *server, starttls, direct bool) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.newSession))
	s.smtp.Domain = "mail.example.net"
	s.smtp.AllowInsecureAuth = !starttls && !direct
	s.smtp.EnableSMTPUTF8 = true
	s.address = listener.Addr().String()
	if starttls || direct {
		s.smtp.TLSConfig, s.trust = selfSigned(t)
	}
	if direct {
		listener = tls.NewListener(listener, s.smtp.TLSConfig)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.smtp.Serve(listener) // ends with an error when closed
	}()
	t.Cleanup(func() { s.smtp.Close(); <-done })
	return s
}

func (s *server) newSession(c *smtp.Conn) (smtp.Session, error) {
	_, encrypted := c.TLSConnectionState()
	return &session{server: s, got: received{tls: encrypted}}, nil
}

func (s *server) messages() []received {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.received
}

type session struct {
	server *server
	got    received
}

func (s *session) AuthMechanisms() []string {
	if s.server.password == "" {
		return nil
	}
	return []string{sasl.Plain}
}

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if password != s.server.password {
			return &smtp.SMTPError{Code: 535, EnhancedCode: smtp.EnhancedCode{5, 7, 8}, Message: "wrong password"}
		}
		s.got.user = user
		return nil
	}), nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.password != "" && s.got.user == "" {
		return smtp.ErrAuthRequired
	}
	s.got.from = from
	return s.server.mailErr
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.got.to = to
	return s.server.rcptErr
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if s.server.data != nil {
		return s.server.data
	}
	s.got.raw = raw
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.received = append(s.server.received, s.got)
	return nil
}

func selfSigned(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, pool
}

// sender makes an SMTP for a URL whose host is left out.
func sender(t *testing.T, s *server, scheme, userInfo, query string) *SMTP {
	t.Helper()
	c := Config{URL: scheme + "://" + userInfo + s.address + query, From: from}
	if s.trust != nil {
		c.TLS = &tls.Config{RootCAs: s.trust, MinVersion: tls.VersionTLS12}
	}
	out, err := NewSMTP(c)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDelivers(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{}, false, false)
	pdf := bytes.Repeat([]byte("%PDF \x00\xff\r\n.\r\n"), 20_000)
	m := NewCompleted(Completed{
		To: Address{"Zoë Ångström, “the Élder”", "zoe@example.com"}, Sender: Address{"李 Ada", "ada@example.com"},
		Envelope: "Überlassungsvertrag № 7 – 契約", URL: "https://sign.example.org/s/abc", Files: []Attachment{{Name: "Überlassung 契約.pdf", ContentType: "application/pdf", Data: pdf}},
	})
	m.ID = "mail-42"
	if err := sender(t, s, "smtp", "", "").Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	got := s.messages()
	if len(got) != 1 || got[0].from != from.Email || got[0].to != "zoe@example.com" {
		t.Fatalf("the server got %d messages: %+v", len(got), got)
	}
	parsed := parse(t, got[0].raw)
	for name, want := range map[string]string{
		"Subject": "Completed: “Überlassungsvertrag № 7 – 契約”", "Auto-Submitted": "auto-generated", "Message-Id": "<mail-42@example.org>",
	} {
		if have := parsed.header(t, name); have != want {
			t.Errorf("%s is %q, want %q", name, have, want)
		}
	}
	parsed.wantAddress(t, "To", "Zoë Ångström, “the Élder”", "zoe@example.com")
	parsed.wantAddress(t, "From", "李 Ada via Paraph", "sign@example.org")
	parsed.wantAddress(t, "Reply-To", "李 Ada", "ada@example.com")
	if text := parsed.parts["text/plain"]; strings.ReplaceAll(text, "\r\n", "\n") != m.Text {
		t.Errorf("text arrived as\n%s", text)
	}
	if html := parsed.parts["text/html"]; strings.ReplaceAll(html, "\r\n", "\n") != m.HTML {
		t.Errorf("HTML arrived as\n%s", html)
	}
	if parsed.parts["application/pdf"] != string(pdf) || parsed.file != "Überlassung 契約.pdf" {
		t.Errorf("attachment %q of %d bytes, want the %d that were sent", parsed.file, len(parsed.parts["application/pdf"]), len(pdf))
	}
}

// A parsed message, read by the standard library and not by the one that wrote it.
type parsed struct {
	netmail.Header
	parts map[string]string // by media type
	file  string
}

func parse(t *testing.T, raw []byte) *parsed {
	t.Helper()
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := &parsed{Header: m.Header, parts: map[string]string{}}
	p.read(t, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	return p
}

func (p *parsed) read(t *testing.T, contentType, encoding string, body io.Reader) {
	t.Helper()
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil {
		t.Fatalf("content type %q: %v", contentType, err)
	}
	if !strings.HasPrefix(media, "multipart/") {
		p.parts[media] = decode(t, encoding, body)
		return
	}
	for parts := multipart.NewReader(body, params["boundary"]); ; {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition")); err == nil {
			p.file = decodeWord(t, params["filename"])
		}
		p.read(t, part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
	}
}

func decode(t *testing.T, encoding string, body io.Reader) string {
	t.Helper()
	switch strings.ToLower(encoding) {
	case "quoted-printable":
		body = quotedprintable.NewReader(body)
	case "base64":
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	data, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func decodeWord(t *testing.T, s string) string {
	t.Helper()
	decoded, err := new(mime.WordDecoder).DecodeHeader(s)
	if err != nil {
		t.Fatal(err)
	}
	return decoded
}

func (p *parsed) header(t *testing.T, name string) string {
	t.Helper()
	return decodeWord(t, p.Get(name))
}

func (p *parsed) wantAddress(t *testing.T, header, name, email string) {
	t.Helper()
	list, err := p.AddressList(header)
	if err != nil || len(list) != 1 || list[0].Name != name || list[0].Address != email {
		t.Errorf("%s is %v, %v, want %s <%s>", header, list, err, name, email)
	}
}

func TestEncryptionAndPasswords(t *testing.T) {
	t.Parallel()
	const secret = "s3cret/word@"
	const user = "ada:s3cret%2Fword%40@"
	for _, test := range []struct {
		name             string
		starttls, direct bool
		password         string
		scheme, user     string
		query            string
		wantErr          string
		wantTLS          bool
	}{
		{name: "plain server", scheme: "smtp"},
		{name: "STARTTLS is taken when offered", starttls: true, scheme: "smtp", wantTLS: true},
		{name: "STARTTLS is required", starttls: true, scheme: "smtp", query: "?tls=required", wantTLS: true},
		{name: "STARTTLS is required but not offered", scheme: "smtp", query: "?tls=required", wantErr: "STARTTLS"},
		{name: "TLS at once", direct: true, scheme: "smtps", wantTLS: true},
		{name: "TLS at once to a plain server", scheme: "smtps", wantErr: "tls"},
		{name: "password after STARTTLS", starttls: true, password: secret, scheme: "smtp", user: user, wantTLS: true},
		{name: "password over TLS", direct: true, password: secret, scheme: "smtps", user: user, wantTLS: true},
		{name: "password in clear is not sent", password: secret, scheme: "smtp", user: user, wantErr: "auth"},
		{name: "password in clear on demand", password: secret, scheme: "smtp", user: user, query: "?tls=none"},
		{name: "wrong password", starttls: true, password: "other", scheme: "smtp", user: user, wantErr: "535"},
		{name: "no password where one is needed", starttls: true, password: secret, scheme: "smtp", wantErr: "502"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, &server{password: test.password}, test.starttls, test.direct)
			err := sender(t, s, test.scheme, test.user, test.query).Send(t.Context(), plain())
			if test.wantErr != "" {
				if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(test.wantErr)) {
					t.Errorf("error %v, want one about %q", err, test.wantErr)
				}
				if Permanent(err) || err != nil && strings.Contains(err.Error(), secret) {
					t.Errorf("error %v is permanent (%v) or tells the password", err, Permanent(err))
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := s.messages(); len(got) != 1 || got[0].tls != test.wantTLS || (got[0].user != "") != (test.password != "") {
				t.Errorf("the server got %+v", got)
			}
		})
	}
}

func plain() Message {
	return Message{ID: "1", To: Address{Email: "grace@example.com"}, Subject: "Hello", Text: "Hello\n", HTML: "<p>Hello</p>"}
}

func TestUntrustedCertificateIsRefused(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{}, true, false)
	s.trust = x509.NewCertPool() // trusts nobody
	if err := sender(t, s, "smtp", "", "").Send(t.Context(), plain()); err == nil || Permanent(err) {
		t.Errorf("error %v, want a temporary one", err)
	}
	if got := s.messages(); len(got) != 0 {
		t.Errorf("the message was delivered: %+v", got)
	}
}

func TestErrorsAreClassified(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name      string
		server    *server
		permanent bool
	}{
		{"unknown recipient", &server{rcptErr: &smtp.SMTPError{Code: 550, Message: "no such user"}}, true},
		{"greylisted", &server{rcptErr: &smtp.SMTPError{Code: 451, Message: "later, please"}}, false},
		{"message refused", &server{data: &smtp.SMTPError{Code: 554, Message: "looks like spam"}}, true},
		{"disk full there", &server{data: &smtp.SMTPError{Code: 452, Message: "insufficient storage"}}, false},
		{"sender refused", &server{mailErr: &smtp.SMTPError{Code: 553, Message: "not your address"}}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.server, false, false)
			err := sender(t, s, "smtp", "", "").Send(t.Context(), plain())
			if err == nil || Permanent(err) != test.permanent {
				t.Errorf("error %v: permanent is %v, want %v", err, Permanent(err), test.permanent)
			}
		})
	}
}

// listen gives the address of a server that does with each connection what is asked.
func listen(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go handle(conn)
		}
	}()
	return listener.Addr().String()
}

func silent(t *testing.T) (string, <-chan struct{}) {
	connected := make(chan struct{}, 1)
	return listen(t, func(conn net.Conn) {
		connected <- struct{}{}
		_, _ = io.Copy(io.Discard, conn) // says nothing until the other side hangs up
		conn.Close()
	}), connected
}

func TestServersThatAreNotThere(t *testing.T) {
	t.Parallel()
	silentAddress, _ := silent(t)
	for name, address := range map[string]string{
		"nobody listens": "127.0.0.1:1",
		"hangs up":       listen(t, func(conn net.Conn) { conn.Close() }),
		"says nothing":   silentAddress,
		"speaks HTTP":    listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n"); conn.Close() }),
		"is too busy":    listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "421 too busy\r\n"); conn.Close() }),
		"wants nobody":   listen(t, func(conn net.Conn) { _, _ = io.WriteString(conn, "554 go away\r\n"); conn.Close() }),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := NewSMTP(Config{URL: "smtp://" + address, From: from, Timeout: 300 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Send(t.Context(), plain()); err == nil || Permanent(err) {
				t.Errorf("error %v, want a temporary one", err)
			}
		})
	}
}

func TestEndingTheContextEndsTheConnection(t *testing.T) {
	t.Parallel()
	address, connected := silent(t)
	s, err := NewSMTP(Config{URL: "smtp://" + address, From: from, Timeout: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-connected; cancel() }()
	if err := s.Send(ctx, plain()); !errors.Is(err, context.Canceled) || Permanent(err) {
		t.Errorf("error %v, want a temporary context.Canceled", err)
	}
}

func TestNothingInAMessageBeginsAHeader(t *testing.T) {
	t.Parallel()
	s := serve(t, &server{}, false, false)
	const evil = "x\r\nBcc: victim@example.com\r\n\r\nbody\x00\u202e"
	m := Message{
		ID: evil, FromName: evil + `" <`, To: Address{evil + `"`, "grace@example.com"}, ReplyTo: Address{evil, "ada@example.com"}, Subject: evil,
		Text: "text", HTML: "html", Attachments: []Attachment{{Name: evil + `".exe`, ContentType: "text/csv\r\nBcc: victim@example.com", Data: []byte("data")}},
	}
	if err := sender(t, s, "smtp", "", "").Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	raw := string(s.messages()[0].raw)
	for l := range strings.Lines(raw) {
		if strings.HasPrefix(strings.ToLower(strings.TrimSpace(l)), "bcc:") {
			t.Errorf("a header was begun:\n%s", raw)
		}
	}
	p := parse(t, []byte(raw))
	if p.header(t, "Subject") != "x Bcc: victim@example.com body" || p.parts["text/plain"] != "text" {
		t.Errorf("subject %q, text %q", p.header(t, "Subject"), p.parts["text/plain"])
	}
}

func TestBadAddressesAreRefusedForGood(t *testing.T) {
	t.Parallel()
	s, err := NewSMTP(Config{URL: "smtp://127.0.0.1:1", From: from}) // never reached
	if err != nil {
		t.Fatal(err)
	}
	catcher := NewCatcher(time.Now)
	for _, email := range []string{"", "grace", "grace@", "@example.com", "a@example.com, b@example.com", "Grace <grace@example.com>", "grace@example.com\r\nBcc: x@example.com", "grace @example.com"} {
		m := plain()
		m.To.Email = email
		if err := s.Send(t.Context(), m); !Permanent(err) {
			t.Errorf("Send to %q: %v, want a permanent error", email, err)
		}
		if err := catcher.Send(t.Context(), m); !Permanent(err) {
			t.Errorf("Catcher took %q: %v", email, err)
		}
	}
}

func TestConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"", "mail.example.com", "mail.example.com:25", "http://mail.example.com", "smtp://", "smtp://u:topsecret@", "smtp://u:topsecret@mail.example.com:0",
		"smtp://u:topsecret@mail.example.com:99999", "smtp://u:topsecret@mail.example.com?tls=maybe", "smtp://u:topsecret%@mail.example.com",
	} {
		_, err := NewSMTP(Config{URL: url, From: from})
		if err == nil || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("NewSMTP(%q): %v", url, err)
		}
	}
	if _, err := NewSMTP(Config{URL: "smtp://mail.example.com", From: Address{Name: "nobody"}}); err == nil {
		t.Error("a sender without an address was taken")
	}
}
