package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/paraph-sign/paraph/internal/seal"
)

// The job that is compared: load a contract of three pages, draw five fields
// with one image, append a page of evidence, and sign with RSA-2048. Ours
// verifies what it has sealed as well.
const (
	libpdfDir  = "bench/libpdf"
	perChild   = 150
	warmUp     = 15
	sealRounds = 3
)

// sealFigures compare our sealing with @libpdf/core in Node, each in a process
// of its own, on one core, in turns.
type sealFigures struct {
	Ratio       float64 `json:"seal_ratio_to_libpdf"` // above 1 we are faster
	PerSecond   float64 `json:"seal_one_core_per_second"`
	LibPDF      float64 `json:"libpdf_one_core_per_second"`
	MemoryRatio float64 `json:"seal_memory_ratio_to_libpdf"` // of peak RSS; below 1 we need less
	MemoryMB    float64 `json:"seal_memory_mb"`
	LibPDFMB    float64 `json:"libpdf_memory_mb"`
}

func (f sealFigures) print() {
	if f.Ratio == 0 {
		return
	}
	mark := func(missed bool) string {
		if missed {
			return "!"
		}
		return " "
	}
	const format = "%-50s %12.1f %12.1f %7.2f %s %s\n"
	fmt.Printf("\n%-50s %12s %12s %7s   aim\n", "sealing a contract on one core", "ours", "libpdf", "ratio")
	fmt.Printf(format, "contracts a second", f.PerSecond, f.LibPDF, f.Ratio, mark(f.Ratio < 2), "at least 2")
	fmt.Printf(format, "most memory, MB", f.MemoryMB, f.LibPDFMB, f.MemoryRatio, mark(f.MemoryRatio > 0.5), "at most 0.5")
}

// compareSealing needs Node and, the first time, npm's registry.
func compareSealing(dir string) (f sealFigures, err error) {
	job := filepath.Join(dir, "seal-job")
	if err := fillSealJob(job); err != nil {
		return f, err
	}
	if _, err := os.Stat(filepath.Join(libpdfDir, "node_modules")); errors.Is(err, os.ErrNotExist) {
		if said, err := exec.Command("npm", "ci", "--prefix", libpdfDir, "--no-audit", "--no-fund", "--loglevel", "error").CombinedOutput(); err != nil {
			return f, fmt.Errorf("install @libpdf/core: %w: %s", err, said)
		}
	}
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	var ratios, ours, theirs, memory, ourMB, theirMB []float64
	for range sealRounds {
		a, err := onOneCore(self, "-seal-of", job)
		if err != nil {
			return f, err
		}
		b, err := onOneCore("node", filepath.Join(libpdfDir, "seal.mjs"), job, fmt.Sprint(perChild))
		if err != nil {
			return f, err
		}
		ratios, memory = append(ratios, a.perSecond()/b.perSecond()), append(memory, a.KB/b.KB)
		ours, theirs = append(ours, a.perSecond()), append(theirs, b.perSecond())
		ourMB, theirMB = append(ourMB, a.KB/1024), append(theirMB, b.KB/1024)
	}
	return sealFigures{median(ratios), median(ours), median(theirs), median(memory), median(ourMB), median(theirMB)}, nil
}

// childResult is what a process tells, and the most memory that it had.
type childResult struct {
	Docs    int     `json:"docs"`
	Seconds float64 `json:"seconds"`
	KB      float64 `json:"peak_kb"` // VmHWM: unlike ru_maxrss it doesn't count what the process was forked from
}

func (r childResult) perSecond() float64 { return float64(r.Docs) / r.Seconds }

// onOneCore runs a program that may use one processor only, with all its
// threads.
func onOneCore(name string, args ...string) (r childResult, err error) {
	cmd := exec.Command("taskset", append([]string{"-c", "0", name}, args...)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return r, fmt.Errorf("%s: %w: %s", filepath.Base(name), err, said.Bytes())
	}
	return r, json.Unmarshal(out.Bytes(), &r)
}

// fillSealJob writes what both need: the contract, the image, key and
// certificate, and what is to be written.
func fillSealJob(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	contract, err := os.ReadFile(contractPath)
	if err != nil {
		return err
	}
	key, certificate, err := rsaIdentity()
	if err != nil {
		return err
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	evidence, err := json.Marshal(libpdfEvidence())
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"contract.pdf": contract, "signature.png": signature(), "certificate.der": certificate.Raw, "evidence.json": evidence,
		"key.pem": pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded}),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func rsaIdentity() (*rsa.PrivateKey, *x509.Certificate, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Bench"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return key, certificate, err
}

type evidenceField struct {
	Page int     `json:"page"`
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	H    float64 `json:"h"`
	Text string  `json:"text"`
}

type evidence struct {
	Fields []evidenceField `json:"fields"`
	Lines  []string        `json:"lines"` // of the page of evidence
}

// libpdfEvidence is as much text as our page of evidence has.
func libpdfEvidence() (e evidence) {
	for _, m := range benchMarks() {
		if m.Kind == seal.MarkText {
			e.Fields = append(e.Fields, evidenceField{m.Page, m.X, m.Y, m.H, m.Text})
		}
	}
	a := benchAudit()
	e.Lines = []string{"Certificate of completion", a.Title, a.ID, a.Status, a.Instance, a.VerifyURL, a.Documents[0].SHA256, a.Recipients[0].Name, a.Recipients[0].Email}
	for _, ev := range a.Events {
		e.Lines = append(e.Lines, ev.At.Format(time.RFC3339)+" "+ev.What+" "+ev.Who+" "+ev.IP, ev.UserAgent, ev.Hash)
	}
	return e
}

// sealAsChild is our side, in a process that does nothing else.
func sealAsChild(dir string, out io.Writer) error {
	job, err := childJob(dir)
	if err != nil {
		return err
	}
	engine, err := seal.NewEngine(seal.Config{Logger: quiet()})
	if err != nil {
		return err
	}
	var last []byte
	for range warmUp {
		if last, err = engine.Seal(context.Background(), job); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "paraph.pdf"), last, 0o600); err != nil {
		return err
	}
	start := time.Now()
	for range perChild {
		if _, err := engine.Seal(context.Background(), job); err != nil {
			return err
		}
	}
	took := time.Since(start)
	kb, err := peakMemory()
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(childResult{Docs: perChild, Seconds: took.Seconds(), KB: kb})
}

// peakMemory is the most that this process had in memory, in KB (proc(5)).
func peakMemory() (kb float64, err error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, after, _ := bytes.Cut(status, []byte("VmHWM:"))
	_, err = fmt.Sscan(string(after), &kb)
	return kb, err
}

func childJob(dir string) (j seal.Job, err error) {
	read := func(name string) (b []byte) {
		if err == nil {
			b, err = os.ReadFile(filepath.Join(dir, name))
		}
		return b
	}
	j.PDF = read("contract.pdf")
	block, _ := pem.Decode(read("key.pem"))
	der := read("certificate.der")
	if err != nil || block == nil {
		return j, errors.Join(err, errors.New("the job's folder is not complete"))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return j, err
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return j, err
	}
	audit := benchAudit()
	j.Marks, j.Audit = benchMarks(), &audit
	j.Identity = seal.Identity{Key: key.(*rsa.PrivateKey), Chain: []*x509.Certificate{certificate}}
	j.Sign = seal.SignOptions{Name: "Bench", Reason: "All have acted", At: time.Now()}
	return j, nil
}
