package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
)

// cli is the command line. Every flag can also be set by a variable: PARAPH_
// and the flag's name in capitals with _ for -, such as PARAPH_BASE_URL.
type cli struct {
	Serve  serveCmd  `cmd:"" help:"Run the server."`
	User   userCmd   `cmd:"" help:"Manage users."`
	Token  tokenCmd  `cmd:"" help:"Manage API tokens."`
	Vacuum vacuumCmd `cmd:"" help:"Write the SQLite file anew, without its free space. Stop the server first."`
	Verify verifyCmd `cmd:"" help:"Say who sealed a PDF, when, and whether it is unchanged. Works offline."`

	Listen  listenCmd  `cmd:"" help:"For developers: show events as they happen, and send them on to a URL such as http://localhost:4000/hook."`
	Trigger triggerCmd `cmd:"" help:"For developers: send a test event to a webhook, or to those that listen."`
	Webhook webhookCmd `cmd:"" help:"For developers: check webhooks that were received."`

	Demo demoCmd `cmd:"" help:"See the main job in this terminal: a temporary server, two signers, every webhook."`

	ForgetSecrets forgetCmd `cmd:"" help:"Remove the secrets of all webhooks, when the key that they are encrypted with is lost."`

	Timestamp timestampCmd `cmd:"" help:"Have sealed documents timestamped that were sealed without, or for which no timestamp could be had."`

	Version kong.VersionFlag `help:"Print the version." env:"-"`
}

// world is where an instance keeps everything. The commands that change it
// take the same two flags.
type world struct {
	Data        string `help:"Folder of the database, documents, keys and caches." default:"./data" placeholder:"DIR" type:"path"`
	DatabaseURL string `name:"database-url" help:"Use this Postgres and not the SQLite file below --data." placeholder:"postgres://…"`
}

// address is the database's, as the store takes it.
func (w world) address() (string, error) {
	if w.DatabaseURL != "" {
		if !strings.HasPrefix(w.DatabaseURL, "postgres://") && !strings.HasPrefix(w.DatabaseURL, "postgresql://") {
			return "", errors.New("--database-url begins with postgres://")
		}
		return w.DatabaseURL, nil
	}
	return filepath.Join(w.Data, "paraph.db"), nil
}

// makeData makes the data folder, for nobody else to read.
func (w world) makeData() error {
	if err := os.MkdirAll(w.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	return nil
}

// serveCmd is the server's configuration; its comments are the manual.
type serveCmd struct {
	world

	// Where it listens, and how others reach it. The base URL stands in mails,
	// webhooks and QR codes; over https, cookies are sent over TLS only.
	Listen  string `help:"Address to listen on." default:"127.0.0.1:3000"`
	BaseURL string `name:"base-url" help:"Address by which people reach it; stands in mails and webhooks. Default: http://localhost and the port." placeholder:"URL"`

	// Without an address of its own, /metrics is read by whoever reaches the
	// server.
	MetricsListen string `help:"Serve /metrics at this address only, such as 127.0.0.1:9090 or :9090." placeholder:"HOST:PORT"`

	// A proxy in front of the server says in X-Forwarded-For who is calling.
	// Without one, anybody could claim any address, so it is off.
	TrustProxy bool `help:"Believe X-Forwarded-For: only behind a proxy that sets it."`

	// Documents lie below --data, or in a bucket: s3://name?region=…
	BlobURL   string `name:"blob-url" help:"Keep documents in this bucket and not below --data." placeholder:"s3://…"`
	MaxUpload int64  `help:"Largest file that can be uploaded, in MB." default:"100" placeholder:"MB"`

	// Webhooks go to public addresses only. Operators who want to reach their
	// own network name it.
	WebhookAllowNet []netip.Prefix `name:"webhook-allow-net" help:"Let webhooks reach this network too (repeatable, or with commas)." placeholder:"CIDR"`

	// A delivery that has ended is kept this long, with its attempts and its
	// body, and can be looked at and sent again meanwhile. One that is pending
	// is kept however long it waits; events are kept for ever.
	Retention days `help:"How long deliveries are kept after they have ended: days as 30d, at least 1d; 0 for ever." default:"30d" placeholder:"30d"`

	// Without an SMTP server no mail goes out; each that should have is tried
	// for a day and then shown as failed on its envelope.
	SMTPURL  string `name:"smtp-url" help:"Server that takes our mail." placeholder:"smtp://user:pass@host:port"`
	MailFrom string `help:"Address that mails come from. Default: paraph@ and the host of the base URL." placeholder:"ADDR"`

	// The seal's key is made at the first start and kept, encrypted, in the
	// database; the settings' page changes it. Given here, it is the operator's,
	// and the page only shows it.
	SealP12         string `name:"seal-p12" env:"PARAPH_SEAL_P12" help:"Seal with the key in this PKCS#12 file." placeholder:"FILE" type:"path"`
	SealP12Password string `name:"seal-p12-password" env:"PARAPH_SEAL_P12_PASSWORD" help:"Its password; better set by PARAPH_SEAL_P12_PASSWORD." placeholder:"WORD"`
	// A key that never leaves a hardware module or a cloud's key store is used by
	// a program: digest in, signature out; see docs/operating.md.
	SealSignerCommand string `help:"Seal by a program that signs what it reads; arguments separated by spaces, no shell." placeholder:"PROGRAM…"`
	SealCertificate   string `help:"Its certificate and its issuers', in PEM." placeholder:"FILE" type:"path"`

	Name string `help:"Name of this instance, in seals and on audit pages." default:"Paraph"`

	// Timestamp authorities (RFC 3161) prove when a seal was made. Each is asked
	// when those before it have failed. While none answers, documents are sealed
	// at B-B; they are raised by later revisions for as long as a month.
	TSAURL      []string       `name:"tsa-url" help:"Timestamp authority, in order of preference (repeatable, or with commas); may hold user:pass@." placeholder:"URL"`
	PAdESLevel  string         `name:"pades-level" help:"Level of seals: B-T, B-LT, or B-LTA, which is renewed. Default: B-LTA with --tsa-url, else B-B." placeholder:"LEVEL"`
	TSARoots    string         `name:"tsa-roots" help:"Believe timestamps only when they lead to a certificate in this PEM file." placeholder:"FILE" type:"path"`
	TSAAllowNet []netip.Prefix `name:"tsa-allow-net" help:"Fetch revocation data from this network too (repeatable, or with commas)." placeholder:"CIDR"`

	// Signs the links to files, and encrypts the secrets of webhooks in the
	// database. Made at the first start and kept below --data; nodes that share
	// a database need the same. To change it, start once with the old one as
	// previous.
	SecretKey         string   `help:"32 bytes as 64 hex digits; better set by PARAPH_SECRET_KEY." placeholder:"HEX"`
	PreviousSecretKey []string `help:"The key before that one, for one start; better set by PARAPH_PREVIOUS_SECRET_KEY." placeholder:"HEX"`

	// For development on one's own machine: mails are caught and shown at
	// /dev/mail to anybody. Only on loopback.
	Dev bool `help:"Catch mails at /dev/mail and show them to anybody; only on loopback."`

	// Sample data to develop with: people, envelopes in every state, webhooks
	// that work and that fail. Only with --dev, and only where nobody has signed
	// up yet.
	Seed bool `help:"With --dev: fill an empty instance with sample data."`

	LogJSON bool `name:"log-json" help:"Write the log as JSON."`
}

// check fills in what follows from other flags and refuses what can't be.
func (c *serveCmd) check() error {
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return fmt.Errorf("--listen is HOST:PORT, such as 127.0.0.1:3000: %w", err)
	}
	if _, _, err := net.SplitHostPort(c.MetricsListen); c.MetricsListen != "" && err != nil {
		return fmt.Errorf("--metrics-listen is HOST:PORT, such as 127.0.0.1:9090: %w", err)
	}
	if c.BaseURL == "" {
		c.BaseURL = "http://localhost:" + port
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.User != nil {
		return errors.New("--base-url is an address such as https://sign.example.com, without a path")
	}
	c.BaseURL = u.Scheme + "://" + u.Host
	if c.MailFrom == "" {
		c.MailFrom = "paraph@" + u.Hostname()
	}
	if ip := net.ParseIP(host); c.Dev && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("--dev shows every mail to anybody, so it listens on loopback only: leave it out, or --listen 127.0.0.1:3000")
	}
	if c.Seed && !c.Dev {
		return errors.New("--seed makes users whose password everybody knows, so it goes with --dev only")
	}
	if err := c.checkTimestamps(); err != nil {
		return err
	}
	if c.MaxUpload < 1 || c.MaxUpload > 1000 {
		return errors.New("--max-upload lies between 1 and 1000 MB")
	}
	if key, err := hex.DecodeString(c.SecretKey); err != nil || len(key) != 0 && len(key) != 32 {
		return errors.New("--secret-key is 64 hex digits")
	}
	for _, text := range c.PreviousSecretKey {
		if key, err := hex.DecodeString(text); err != nil || len(key) != 32 {
			return errors.New("--previous-secret-key is 64 hex digits")
		}
	}
	return nil
}
