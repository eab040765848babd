package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/paraph-sign/paraph/internal/seal"
)

// identity is the key that seals when the operator gives one, and where it is
// from. What could never seal is refused; what can't today is said, and sealing
// waits: a server that stays away for an old certificate would hold up
// everything else too.
func (c *serveCmd) identity(log *slog.Logger) (id seal.Identity, from string, err error) {
	switch {
	case c.SealP12 != "" && c.SealSignerCommand != "":
		return id, "", errors.New("--seal-p12 and --seal-signer-command are two keys: give one")
	case c.SealCertificate != "" && c.SealSignerCommand == "":
		return id, "", errors.New("--seal-certificate goes with --seal-signer-command; a key in a file is given by --seal-p12")
	case c.SealSignerCommand != "":
		id, from, err = c.commandIdentity(log)
	case c.SealP12 != "":
		id, from, err = c.fileIdentity()
	default:
		return id, "", nil
	}
	if err != nil {
		return id, "", err
	}
	log.Info("sealing with the operator's key", "from", from, "certificate", id.Chain[0].Subject.String(), "until", id.Chain[0].NotAfter)
	for _, text := range id.Warnings() {
		log.Warn("the sealing certificate", "from", from, "warning", text)
	}
	if err := id.Check(time.Now()); err != nil {
		log.Error("nothing is sealed until the server is started with a valid certificate", "from", from, "error", err)
	}
	return id, from, nil
}

// fileIdentity reads the PKCS#12 file.
func (c *serveCmd) fileIdentity() (id seal.Identity, from string, err error) {
	data, err := readSmall(c.SealP12)
	if err != nil {
		return id, "", fmt.Errorf("--seal-p12: %w", err)
	}
	if id, err = seal.ReadIdentity(data, c.SealP12Password); err != nil {
		return id, "", fmt.Errorf("--seal-p12 %s: %w", c.SealP12, err)
	}
	return id, "PARAPH_SEAL_P12: " + filepath.Base(c.SealP12), nil
}

// commandIdentity is a key that a program signs with. A program that can't
// now may later: that is said, and sealing waits.
func (c *serveCmd) commandIdentity(log *slog.Logger) (id seal.Identity, from string, err error) {
	if c.SealCertificate == "" {
		return id, "", errors.New("--seal-signer-command also needs --seal-certificate, a file with the key's certificate and its issuers' in PEM")
	}
	data, err := readSmall(c.SealCertificate)
	if err != nil {
		return id, "", fmt.Errorf("--seal-certificate: %w", err)
	}
	certs, err := seal.ReadCertificates(data)
	if err != nil {
		return id, "", fmt.Errorf("--seal-certificate %s: %w", c.SealCertificate, err)
	}
	command := strings.Fields(c.SealSignerCommand)
	if id, err = seal.CommandIdentity(seal.CommandConfig{Command: command, Certificates: certs}); err != nil {
		return id, "", fmt.Errorf("--seal-signer-command: %w", err)
	}
	if err := id.Try(); err != nil {
		log.Error("the sealing key can't be used now; sealing waits until it can", "error", err)
	}
	return id, "PARAPH_SEAL_SIGNER_COMMAND: " + filepath.Base(command[0]), nil
}

// readSmall reads a file of keys or certificates, and no more than tells that
// it is too large for one.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, seal.MaxIdentityFile+1))
	return data, errors.Join(err, f.Close())
}

// prepareCertificate sees to it that there is something to seal with. What an
// earlier version kept in the data folder goes on sealing.
func (c *serveCmd) prepareCertificate(ctx context.Context, in *instance) error {
	var found *seal.Identity
	switch id, err := seal.ReadInstanceIdentity(c.Data); {
	case err == nil:
		found = &id
	case !errors.Is(err, fs.ErrNotExist):
		used, uerr := in.store.UsedSealCertificate(ctx)
		if uerr != nil || used == 0 && c.SealP12+c.SealSignerCommand == "" {
			return errors.Join(fmt.Errorf("the sealing key in %s: %w", c.Data, err), uerr)
		}
		in.log.Warn("the sealing key of an earlier version in the data folder can't be read; it is not needed", "error", err)
	}
	return in.desk.PrepareCertificate(ctx, found)
}
