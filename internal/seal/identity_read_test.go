package seal

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"
)

func TestReadIdentity(t *testing.T) {
	t.Parallel()
	for keyName, id := range testKeys() {
		chain := chainOf(t, id.Key)
		for encName, enc := range map[string]*pkcs12.Encoder{"modern": pkcs12.Modern, "3DES": pkcs12.LegacyDES, "RC2": pkcs12.LegacyRC2} {
			data, err := enc.Encode(id.Key, chain[0], []*x509.Certificate{chain[2], chain[1]}, "pa55 wörd")
			if err != nil {
				t.Fatal(err)
			}
			got, err := ReadIdentity(data, "pa55 wörd")
			if err != nil || len(got.Chain) != 3 {
				t.Errorf("%s, %s: %v, %d certificates", keyName, encName, err, len(got.Chain))
				continue
			}
			for i, c := range chain {
				if !got.Chain[i].Equal(c) {
					t.Errorf("%s, %s: certificate %d is %v", keyName, encName, i, got.Chain[i].Subject)
				}
			}
			rep := mustVerify(t, mustSign(t, formPDF(false), got), got)
			if s := rep.Signatures[0]; !rep.Valid || !s.Trusted || s.Issuer != "CN=Middle" {
				t.Errorf("%s, %s: %s", keyName, encName, rep.Text())
			}
		}
	}
}

// keyOnly is a file with a key and no certificate, which openssl makes.
func keyOnly(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(testKeys()["ECDSA"].Key)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(needTool(t, "openssl"), "pkcs12", "-export", "-nocerts", "-passout", "pass:right")
	cmd.Stdin = bytes.NewReader(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestReadIdentityErrors has a sentence for each way that such a file can be wrong.
func TestReadIdentityErrors(t *testing.T) {
	t.Parallel()
	good := testKeys()["ECDSA"]
	encode := func(key any, chain ...*x509.Certificate) []byte {
		t.Helper()
		data, err := pkcs12.Modern.Encode(key, chain[0], chain[1:], "right")
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	with := func(change func(*x509.Certificate)) []byte {
		return encode(good.Key, selfSigned("Changed", good.Key, change).Chain...)
	}
	trust, err := pkcs12.Modern.EncodeTrustStore(good.Chain, "right")
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	weakCurve, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	ok := encode(good.Key, good.Chain...)
	key, err := keyPEM(good.Key)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(key)
	der := good.Chain[0].Raw
	odd := oddCurve(t)
	open, err := pkcs12.Passwordless.Encode(good.Key, good.Chain[0], nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data           []byte
		password, want string
	}{
		"wrong password":     {ok, "wrong", "password of the PKCS#12 file is wrong"},
		"no password":        {ok, "", "needs a password"},
		"empty":              {nil, "right", "is empty"},
		"not such a file":    {[]byte("%PDF-1.7"), "right", "not a PKCS#12 file"},
		"cut off":            {ok[:len(ok)/2], "right", "not a PKCS#12 file"},
		"no key":             {trust, "right", "no private key"},
		"no certificate":     {keyOnly(t), "right", "no certificate"},
		"another's key":      {encode(testKeys()["P-384"].Key, good.Chain...), "right", "does not belong to the certificate"},
		"expired":            {with(func(x *x509.Certificate) { x.NotAfter = signedAt.Add(-24 * time.Hour) }), "right", "expired on 2026-03-13"},
		"not yet":            {with(func(x *x509.Certificate) { x.NotBefore = signedAt.Add(24 * time.Hour) }), "right", "not valid before 2026-03-15"},
		"too large":          {make([]byte, MaxIdentityFile+1), "right", "at most 1024"},
		"several keys":       {twoKeys(t, open), "", "more than one private key"},
		"without a password": {open, "", ""},
		"needless password":  {open, "right", "has no password"},
		"an odd curve":       {openssl(t, odd, "pkcs12", "-export", "-passout", "pass:right"), "right", "elliptic curve that is not supported"},
		"changed within":     {changed(ok, len(ok)/2), "right", "password of the PKCS#12 file is wrong, or"},
		"a Java keystore":    {[]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"), "right", "keytool"},
		"a certificate":      {der, "right", "certificate without its key"},
		"a key":              {block.Bytes, "right", "key without its certificate"},
		"an odd curve, PEM":  {odd, "", "elliptic curve that is not supported"},
		"PEM, no key":        {good.PEM(), "", "no private key"},
		"PEM, no cert":       {key, "", "no certificate"},
		"PEM, two keys":      {append(append(good.PEM(), key...), key...), "", "more than one private key"},
		"PEM, cut off":       {append(good.PEM(), key[:len(key)/2]...), "", "no private key"},
		"PEM, nothing":       {[]byte("-----BEGIN CERTIFICATE-----\n"), "", "is it complete"},
		"PEM, encrypted":     {[]byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"), "right", "openssl pkcs12 -export"},
		"PEM, encrypted old": {[]byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMAA=\n-----END RSA PRIVATE KEY-----\n"), "right", "is encrypted"},
		"PEM, broken key":    {[]byte("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"), "", "damaged"},
		"PEM, good":          {append(good.PEM(), key...), "", ""},
		"key usage":          {with(func(x *x509.Certificate) { x.KeyUsage = x509.KeyUsageKeyEncipherment }), "right", "key usage"},
		"a server's":         {with(func(x *x509.Certificate) { x.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), "right", "extended key usage"},
		"an Ed25519 key":     {encode(edKey, selfSigned("Ed", edKey, nil).Chain...), "right", "RSA or ECDSA"},
		"a small RSA key":    {encode(small, selfSigned("Small", small, nil).Chain...), "right", "at least 2048"},
		"a small ECDSA key":  {encode(weakCurve, selfSigned("Small", weakCurve, nil).Chain...), "right", "at least P-256"},
		"an odd password":    {ok, "\U0001F511", "the password has characters"},
		"right, for control": {ok, "right", ""},
	} {
		id, err := ReadIdentity(c.data, c.password)
		if err == nil {
			err = id.Check(signedAt)
		} else if errors.Is(err, ErrPassword) != strings.Contains(c.want, "password") {
			t.Errorf("%s: whether a password would mend it is wrong: %v", name, err)
		}
		if (err != nil) != (c.want != "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, not %q", name, err, c.want)
		}
	}
}

// changed is data with one byte changed.
func changed(data []byte, at int) []byte {
	out := bytes.Clone(data)
	out[at] ^= 0xff
	return out
}

// twoKeys is a file, without a password, whose second part is the key's once more.
func twoKeys(t *testing.T, file []byte) []byte {
	t.Helper()
	var pfx struct {
		Version int
		Safe    struct {
			Type    asn1.ObjectIdentifier
			Content []byte `asn1:"explicit,tag:0"`
		}
	}
	var parts []asn1.RawValue
	if _, err := asn1.Unmarshal(file, &pfx); err != nil {
		t.Fatal(err)
	}
	if _, err := asn1.Unmarshal(pfx.Safe.Content, &parts); err != nil || len(parts) != 2 {
		t.Fatalf("%d parts, %v", len(parts), err)
	}
	parts[0] = parts[1]
	var err error
	if pfx.Safe.Content, err = asn1.Marshal(parts); err != nil {
		t.Fatal(err)
	}
	out, err := asn1.Marshal(pfx)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func openssl(t *testing.T, in []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(needTool(t, "openssl"), args...)
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %v: %v", args, err)
	}
	return out
}

// oddCurve is a key on secp256k1 with its certificate, in PEM.
func oddCurve(t *testing.T) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "key.pem")
	key := openssl(t, nil, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:secp256k1")
	if err := os.WriteFile(file, key, 0o600); err != nil {
		t.Fatal(err)
	}
	return append(key, openssl(t, nil, "req", "-x509", "-new", "-key", file, "-subj", "/CN=Odd", "-days", "3650")...)
}

// TestIdentityWarnings tells of what viewers stumble over.
func TestIdentityWarnings(t *testing.T) {
	t.Parallel()
	key := testKeys()["ECDSA"].Key
	chain := chainOf(t, key)
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		want  string
	}{
		"whole":        {chain, ""},
		"cut off":      {chain[:2], "CN=Root"},
		"alone":        {chain[:1], "CN=Middle"},
		"an authority": {selfSigned("CA", key, func(x *x509.Certificate) { x.IsCA, x.BasicConstraintsValid = true, true }).Chain, "authority"},
	} {
		got := strings.Join(Identity{Key: key, Chain: c.chain}.Warnings(), "\n")
		if (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestCommandIdentity has openssl sign as a hardware module's program would, with RSA and ECDSA.
func TestCommandIdentity(t *testing.T) {
	t.Parallel()
	tool := needTool(t, "openssl")
	for name, id := range testKeys() {
		file := filepath.Join(t.TempDir(), "key.pem")
		key, err := keyPEM(id.Key)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, key, 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{tool, "pkeyutl", "-sign", "-inkey", file}
		if _, is := id.Key.(*rsa.PrivateKey); is {
			args = append(args, "-pkeyopt", "digest:sha256")
		}
		chain := chainOf(t, id.Key)
		got, err := CommandIdentity(CommandConfig{Command: args, Certificates: []*x509.Certificate{chain[2], chain[0], chain[1]}})
		if err != nil || len(got.Chain) != 3 || !got.Chain[0].Equal(chain[0]) {
			t.Errorf("%s: %v, %d certificates", name, err, len(got.Chain))
			continue
		}
		if err := got.Try(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if rep := mustVerify(t, mustSign(t, formPDF(false), got), got); !rep.Valid {
			t.Errorf("%s: %s", name, rep.Text())
		}
	}
}

// TestCommandIdentityErrors: what a program does wrong is a sentence.
func TestCommandIdentityErrors(t *testing.T) {
	t.Parallel()
	id, other := testKeys()["ECDSA"], testKeys()["RSA"]
	make := func(certs []*x509.Certificate, command ...string) error {
		timeout := time.Minute
		if slices.Contains(command, "sleep") {
			timeout = 300 * time.Millisecond
		}
		got, err := CommandIdentity(CommandConfig{Command: command, Certificates: certs, Timeout: timeout})
		if err == nil {
			err = got.Try()
		}
		return err
	}
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"no program":       {make(id.Chain), "needs its name"},
		"no certificate":   {make(nil, "cat"), "needs its name"},
		"not there":        {make(id.Chain, "/no/such/program"), "can't be started"},
		"says why":         {make(id.Chain, "sh", "-c", "echo first >&2; echo the token is locked >&2; exit 3"), "exit status 3: the token is locked"},
		"no signature":     {make(id.Chain, "cat"), "32 bytes: that is no signature by the certificate's key"},
		"says nothing":     {make(id.Chain, "true"), "0 bytes"},
		"says too much":    {make(id.Chain, "sh", "-c", "head -c 20000 /dev/zero"), "more than 8192 bytes"},
		"hangs":            {make(id.Chain, "sleep", "60"), "did not end within 300ms"},
		"two certificates": {make(append(id.Chain[:1:1], other.Chain[0]), "cat"), "nothing to do with each other"},
		"is told":          {make(id.Chain, "sh", "-c", "echo $PARAPH_DIGEST $PARAPH_KEY >&2; exit 1"), "SHA-256 ECDSA"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: %v, not %q", name, c.err, c.want)
		}
	}
}

// TestCommandIsToldNoSecrets sets a variable of the process, so it runs beside no other.
func TestCommandIsToldNoSecrets(t *testing.T) {
	t.Setenv("PARAPH_SECRET_KEY", "hush")
	id, err := CommandIdentity(CommandConfig{Command: []string{"sh", "-c", "env >&2; echo $HOME-$PARAPH_SECRET_KEY- >&2; exit 1"}, Certificates: testKeys()["ECDSA"].Chain})
	if err != nil {
		t.Fatal(err)
	}
	if err := id.Try(); err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "--") && !strings.Contains(err.Error(), os.Getenv("HOME")+"--") {
		t.Errorf("the program was told: %v", err)
	}
}

// TestNextIdentity issues under the same authority as long as that lasts, and under a new one then.
func TestNextIdentity(t *testing.T) {
	t.Parallel()
	first, err := NewIdentity("sign.example.com", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	second, err := first.Next("", signedAt.AddDate(9, 0, 0))
	if err != nil || !second.Chain[1].Equal(first.Chain[1]) || second.Chain[0].Subject.CommonName != "sign.example.com" || second.Authority == nil {
		t.Errorf("the second is %v under %v, %v", second.Chain[0].Subject, second.Chain[1].Subject, err)
	}
	late := signedAt.AddDate(caYears, -6, 0)
	third, err := second.Next("Renamed", late)
	if err != nil || third.Chain[1].Equal(first.Chain[1]) || third.Chain[0].Subject.CommonName != "Renamed" || third.Check(late.AddDate(9, 0, 0)) != nil {
		t.Errorf("the third is %v under %v, %v", third.Chain[0].Subject, third.Chain[1].Subject, err)
	}
	keys, err := third.Keys()
	if err != nil {
		t.Fatal(err)
	}
	again, err := ParseIdentity(third.PEM(), keys)
	if err != nil || !sameKey(again.Key.Public(), third.Key.Public()) || !sameKey(again.Authority.Public(), third.Authority.Public()) || !again.Chain[0].Equal(third.Chain[0]) {
		t.Errorf("read again it differs: %v", err)
	}
}

// TestTrust: what is written is what a verifier of the folder trusts, beside the identity in it.
func TestTrust(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kept, err := LoadOrCreateIdentity(dir, "kept", signedAt)
	if err != nil {
		t.Fatal(err)
	}
	foreign := Identity{Key: testKeys()["ECDSA"].Key, Chain: chainOf(t, testKeys()["ECDSA"].Key)}
	for range 2 {
		if err := WriteTrust(dir, []*x509.Certificate{foreign.Anchor()}); err != nil {
			t.Fatal(err)
		}
	}
	roots := LoadRoots(dir)
	neighbour := Identity{Key: testKeys()["RSA"].Key, Chain: chainOf(t, testKeys()["RSA"].Key)}
	for name, c := range map[string]struct {
		by      Identity
		trusted bool
	}{"the folder's own": {kept, true}, "written": {foreign, true}, "another's": {neighbour, false}} {
		rep, err := Verify(mustSign(t, formPDF(false), c.by), VerifyOptions{Roots: roots})
		if err != nil || !rep.Valid || rep.Signatures[0].Trusted != c.trusted {
			t.Errorf("%s: %v %v", name, err, rep.Signatures[0].Trusted)
		}
	}
	if foreign.Anchor() != foreign.Chain[0] {
		t.Error("whoever has a certificate from the same authority would be trusted")
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("%v are left", left)
	}
}
