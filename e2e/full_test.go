package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paraph-sign/paraph/internal/dev/faulttest"
)

// TestFaultFullDisk is the story of a disk that fills up: what needs room fails
// with 507, the server lives and can be read, and once there is room again
// everything that it had accepted is there and goes on.
func TestFaultFullDisk(t *testing.T) {
	t.Parallel()
	began := time.Now()
	d := newSmallDisk(t)
	hooks := newReceiver(t)
	d.hooks = hooks
	d.listen(hooks.url)
	first := d.create(t)
	for _, id := range first.people() {
		must(t, d.sign(t.Context(), id))
	}
	awaitEvents(t, hooks, "submission.completed", 1)
	second := d.create(t)

	d.fill(t)
	accepted := d.useUntilFull(t, second)
	d.checkRefused(t)
	d.checkAlive(t, first, second)
	d.free(t)

	third := d.create(t)
	for _, s := range []submission{second, third} {
		for _, id := range s.people() {
			if !accepted[id] {
				must(t, d.sign(t.Context(), id))
			}
		}
	}
	awaitEvents(t, hooks, "submission.completed", 3)
	awaitEvents(t, hooks, "submission.created", 3)
	awaitEvents(t, hooks, "form.completed", 6)
	d.checkNothingHalfMade(t, first, second, third)
	d.awaitRecorded(t)
	d.tally(faulttest.Tally{Story: "Disk full", Faults: 1, InFlight: inFlightAtOnce(&d.customers)}, began)
}

// awaitRecorded waits until the server has noted every delivery.
func (d *smallDisk) awaitRecorded(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); len(d.deliveries(d.endpoints[0], "pending")) > 0; time.Sleep(50 * time.Millisecond) { // it tells nobody
		if time.Now().After(deadline) {
			t.Fatal("after a minute there are deliveries that were made and not noted")
		}
	}
}

type submission struct {
	ID         int64
	Status     string
	Submitters []struct{ ID int64 }
}

func (s submission) people() []int64 {
	ids := make([]int64, len(s.Submitters))
	for i, r := range s.Submitters {
		ids[i] = r.ID
	}
	return ids
}

// smallDisk is a server whose data folder is a file system of its own with
// little room. Only the server's mount namespace has it; we see it through
// /proc.
type smallDisk struct {
	customers
	ballast string
}

// The page cache of compiled PDFium takes about 40 MB of it.
const diskMB = 96

// onSmallDisk runs in a mount namespace: $1 is the data folder, $2 the binary, and the rest the server's arguments.
const onSmallDisk = `set -e
mount -t tmpfs -o size=%dm,mode=0700 tmpfs "$1"
export PARAPH_DATA="$1" paraph="$2"
shift 2
echo 'correct horse battery' | "$paraph" user create --email owner@example.com --name 'Ada Owner' --password-stdin >&2
"$paraph" token create --email owner@example.com --name full >"$PARAPH_DATA/token"
exec "$paraph" "$@"
`

// newSmallDisk starts a server on one.
func newSmallDisk(t *testing.T) *smallDisk {
	t.Helper()
	if folder := os.Getenv(smallDiskVariable); folder != "" {
		return newSmallDiskAt(t, folder)
	}
	s := newServer(t)
	path, err := binary()
	must(t, err)
	args := []string{"--mount"}
	if os.Geteuid() != 0 {
		args = append(args, "--user", "--map-root-user")
	}
	script := fmt.Sprintf(onSmallDisk, diskMB)
	if out, err := exec.Command("unshare", append(args, "mount", "-t", "tmpfs", "tmpfs", s.data)...).CombinedOutput(); err != nil {
		t.Fatalf("this test mounts a small disk, as root or where users may make namespaces. Here that is impossible (%v: %s).\n"+
			"Set %s to a folder on a file system with about %d MB, such as one of docker run --tmpfs /small:size=%dm",
			err, out, smallDiskVariable, diskMB, diskMB)
	}
	s.wrapper = append([]string{"unshare"}, append(args, "sh", "-c", script, "sh", s.data, path)...)
	s.start()
	seen := filepath.Join("/proc", fmt.Sprint(s.cmd.Process.Pid), "root", s.data)
	token, err := os.ReadFile(filepath.Join(seen, "token"))
	must(t, err)
	return &smallDisk{customers{t: t, nodes: []*server{s}, token: strings.TrimSpace(string(token))}, filepath.Join(seen, "ballast")}
}

// smallDiskVariable names a folder on a small file system of its own, for
// machines where the test can't mount one.
const smallDiskVariable = "PARAPH_TEST_SMALL_DISK"

func newSmallDiskAt(t *testing.T, folder string) *smallDisk {
	t.Helper()
	data, err := os.MkdirTemp(folder, "paraph-")
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(data)) })
	s := newServerAt(t, data, filepath.Join(data, "paraph.db"))
	s.command("correct horse battery\n", "user", "create", "--email", "owner@example.com", "--name", "Ada Owner", "--password-stdin")
	token := s.command("", "token", "create", "--email", "owner@example.com", "--name", "full")
	s.start()
	return &smallDisk{customers{t: t, nodes: []*server{s}, token: token}, filepath.Join(data, "ballast")}
}

func (d *smallDisk) create(t *testing.T) (s submission) {
	t.Helper()
	must(t, d.call(t.Context(), http.MethodPost, "/api/submissions/pdf", order(), &s))
	return s
}

// fill leaves not a byte of room.
func (d *smallDisk) fill(t *testing.T) {
	t.Helper()
	f, err := os.OpenFile(d.ballast, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	must(t, err)
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 16 {
		block := make([]byte, size)
		for err = nil; err == nil; {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

func (d *smallDisk) free(t *testing.T) {
	t.Helper()
	must(t, os.Remove(d.ballast))
}

// isFull tells an honest refusal from every other answer.
func isFull(err error) bool {
	refused, ok := errors.AsType[*refusal](err)
	return ok && refused.status == http.StatusInsufficientStorage
}

// useUntilFull signs and changes things until the server says that it has no
// room; it returns who has signed. The database can have room in its files for
// a little while.
func (d *smallDisk) useUntilFull(t *testing.T, s submission) map[int64]bool {
	t.Helper()
	accepted := map[int64]bool{}
	for _, id := range s.people() {
		err := d.sign(t.Context(), id)
		if err != nil && !isFull(err) {
			t.Fatalf("sign on a full disk: %v", err)
		}
		if err != nil {
			break // the next one waits for this one's turn
		}
		accepted[id] = true
	}
	for i := range 5000 {
		err := d.call(t.Context(), http.MethodPost, "/api/webhooks", map[string]any{
			"url": "https://example.com/hook", "events": []string{"form.declined"}, "description": strings.Repeat(fmt.Sprint(i), 100),
		}, nil)
		if isFull(err) {
			return accepted
		}
		if err != nil {
			t.Fatalf("change something on a full disk: %v", err)
		}
	}
	t.Fatal("the disk is full, and the server never said so")
	return nil
}

// checkRefused: a file that can't be stored is refused, by the API and by the
// page.
func (d *smallDisk) checkRefused(t *testing.T) {
	t.Helper()
	large := order()
	pdf, err := base64.StdEncoding.DecodeString(crashPDF)
	must(t, err)
	comments := bytes.Repeat([]byte("% a comment that takes room\n"), 10_000)
	pdf = bytes.Replace(pdf, []byte("startxref"), append(comments, "startxref"...), 1)
	large["documents"].([]map[string]any)[0]["file"] = base64.StdEncoding.EncodeToString(pdf)
	if err := d.call(t.Context(), http.MethodPost, "/api/submissions/pdf", large, nil); !isFull(err) {
		t.Errorf("a submission on a full disk: %v", err)
	}
	res, err := http.PostForm(d.nodes[0].base+"/signin", url.Values{"email": {"owner@example.com"}, "password": {"correct horse battery"}})
	must(t, err)
	page, err := io.ReadAll(res.Body)
	must(t, errors.Join(err, res.Body.Close()))
	if res.StatusCode != http.StatusInsufficientStorage || !strings.Contains(string(page), "disk is full") || !strings.Contains(string(page), "</html>") {
		t.Errorf("a form on a full disk: %s\n%s", res.Status, tail(string(page), 1000))
	}
}

// checkAlive: what can be read is read.
func (d *smallDisk) checkAlive(t *testing.T, all ...submission) {
	t.Helper()
	for _, path := range []string{"/healthz", "/metrics", "/signin"} {
		res, err := http.Get(d.nodes[0].base + path)
		must(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		must(t, errors.Join(err, res.Body.Close()))
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s on a full disk: %s", path, res.Status)
		}
	}
	for _, s := range all {
		must(t, d.call(t.Context(), http.MethodGet, fmt.Sprintf("/api/submissions/%d", s.ID), nil, nil))
	}
}

// checkNothingHalfMade: there is what was accepted and nothing else, and all of it completed and sealed.
func (d *smallDisk) checkNothingHalfMade(t *testing.T, want ...submission) {
	t.Helper()
	var list struct{ Data []json.RawMessage }
	must(t, d.call(t.Context(), http.MethodGet, "/api/submissions?limit=100", nil, &list))
	if len(list.Data) != len(want) {
		t.Errorf("there are %d submissions and not %d", len(list.Data), len(want))
	}
	for _, s := range want {
		must(t, d.call(t.Context(), http.MethodGet, fmt.Sprintf("/api/submissions/%d", s.ID), nil, &s))
		var files struct{ Documents []struct{ URL string } }
		must(t, d.call(t.Context(), http.MethodGet, fmt.Sprintf("/api/submissions/%d/documents", s.ID), nil, &files))
		if s.Status != "completed" || len(files.Documents) != 1 {
			t.Errorf("submission %d is %s with %d documents", s.ID, s.Status, len(files.Documents))
		}
		for _, f := range files.Documents {
			path := filepath.Join(t.TempDir(), "sealed.pdf")
			client := http.Client{Timeout: time.Minute}
			res, err := client.Get(f.URL)
			must(t, err)
			pdf, err := io.ReadAll(res.Body)
			must(t, errors.Join(err, res.Body.Close(), os.WriteFile(path, pdf, 0o600)))
			if out := d.nodes[0].command("", "verify", path); !strings.HasPrefix(out, "VALID") {
				t.Errorf("submission %d: %s", s.ID, out)
			}
		}
	}
}
