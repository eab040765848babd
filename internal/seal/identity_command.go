package seal

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// CommandConfig says how a program signs for us.
type CommandConfig struct {
	Command      []string            // the program and its arguments; no shell reads them
	Certificates []*x509.Certificate // the key's own and its issuers', in any order
	Timeout      time.Duration       // of one signature; 0 is 30 s
}

// The bounds of what a program may answer, in bytes: a signature of RSA with 16384 bits has 2048.
const (
	maxSignature   = 8 << 10
	maxComplaint   = 4 << 10
	commandTimeout = 30 * time.Second
)

// CommandIdentity is an identity whose key is somewhere else, such as in a hardware module or a cloud's key store, and is
// used by a program. For each signature the program is started anew. It reads the raw digest from its standard input, and
// writes to its standard output a raw PKCS #1 v1.5 signature for RSA or a DER-encoded one for ECDSA, and nothing else;
// PARAPH_DIGEST (such as SHA-256) and PARAPH_KEY (RSA or ECDSA) in its environment say what is wanted. What it answers is
// checked against the certificate. It ends with exit code 0; else what it wrote to standard error is the reason.
func CommandIdentity(cfg CommandConfig) (Identity, error) {
	if len(cfg.Command) == 0 || len(cfg.Certificates) == 0 {
		return Identity{}, errors.New("a program that signs needs its name and the certificate of its key")
	}
	path, err := exec.LookPath(cfg.Command[0])
	if err != nil {
		return Identity{}, fmt.Errorf("the program that signs can't be started: %w", err)
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = commandTimeout
	}
	leaf, err := leafOf(cfg.Certificates)
	if err != nil {
		return Identity{}, err
	}
	key := &commandKey{path, cfg.Command[1:], leaf.PublicKey, cfg.Timeout}
	id := Identity{Key: key, Chain: orderChain(key, cfg.Certificates)}
	if err := id.Suits(); err != nil {
		return Identity{}, fmt.Errorf("the certificate can't be used: %w", err)
	}
	return id, nil
}

// leafOf is the one certificate that issued none of the others.
func leafOf(certs []*x509.Certificate) (leaf *x509.Certificate, err error) {
	for _, c := range certs {
		issuer := false
		for _, other := range certs {
			issuer = issuer || !other.Equal(c) && bytes.Equal(other.RawIssuer, c.RawSubject) && other.CheckSignatureFrom(c) == nil
		}
		switch {
		case issuer:
		case leaf != nil:
			return nil, fmt.Errorf("the certificates of %q and %q have nothing to do with each other; give the key's own and its issuers'", commonName(leaf), commonName(c))
		default:
			leaf = c
		}
	}
	return leaf, nil
}

// Try signs something of no meaning, to find out whether the key can be used now.
func (id Identity) Try() error {
	digest := sha256.Sum256([]byte("Can the sealing key be used?"))
	sig, err := id.Key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		return err
	}
	return checkSignature(id.Key.Public(), crypto.SHA256, digest[:], sig)
}

// commandKey is a key that a program signs with.
type commandKey struct {
	path    string
	args    []string
	public  crypto.PublicKey
	timeout time.Duration
}

func (k *commandKey) Public() crypto.PublicKey { return k.public }

// Sign has the program sign. It ignores the source of randomness.
func (k *commandKey) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	hash := opts.HashFunc()
	if _, pss := opts.(*rsa.PSSOptions); pss || hash == 0 || len(digest) != hash.Size() {
		return nil, errors.New("the program that signs takes digests for PKCS #1 v1.5 and ECDSA only")
	}
	ctx, cancel := context.WithTimeout(context.Background(), k.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, k.path, k.args...)
	cmd.WaitDelay = time.Second // for children that keep our pipes open
	out, complaint := &shortBuffer{max: maxSignature}, &shortBuffer{max: maxComplaint, cut: true}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(digest), out, complaint
	cmd.Env = append(foreignVariables(), "PARAPH_DIGEST="+hash.String(), "PARAPH_KEY="+k.kind())
	err := cmd.Run()
	switch {
	case out.full:
		return nil, fmt.Errorf("the program that signs answered more than %d bytes", maxSignature)
	case err != nil:
		if ctx.Err() != nil {
			err = fmt.Errorf("it did not end within %s", k.timeout)
		}
		return nil, fmt.Errorf("the program that signs failed: %w%s", err, complaint.words())
	}
	if err := checkSignature(k.public, hash, digest, out.data); err != nil {
		return nil, fmt.Errorf("the program that signs answered %d bytes: %w%s", len(out.data), err, complaint.words())
	}
	return out.data, nil
}

// foreignVariables are the variables of our environment but for our own, which hold secrets that are not the program's.
func foreignVariables() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PARAPH_") })
}

func (k *commandKey) kind() string {
	if _, is := k.public.(*rsa.PublicKey); is {
		return "RSA"
	}
	return "ECDSA"
}

func checkSignature(public crypto.PublicKey, hash crypto.Hash, digest, sig []byte) error {
	ok := false
	switch p := public.(type) {
	case *rsa.PublicKey:
		ok = rsa.VerifyPKCS1v15(p, hash, digest, sig) == nil
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(p, digest, sig)
	}
	if !ok {
		return errors.New("that is no signature by the certificate's key")
	}
	return nil
}

// shortBuffer is a buffer that takes no more than max bytes: the rest is cut off or an error.
type shortBuffer struct {
	data []byte
	max  int
	cut  bool
	full bool // there was more, and it was not cut off
}

func (b *shortBuffer) Write(p []byte) (int, error) {
	left := b.max - len(b.data)
	if len(p) > left && !b.cut {
		b.full = true
		return 0, io.ErrShortWrite
	}
	b.data = append(b.data, p[:min(len(p), left)]...)
	return len(p), nil
}

// words are the last line that was written, as the end of a sentence.
func (b *shortBuffer) words() string {
	lines := strings.Split(strings.TrimSpace(strings.ToValidUTF8(string(b.data), "?")), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	if last == "" {
		return ""
	}
	return ": " + last[:min(len(last), 300)]
}
