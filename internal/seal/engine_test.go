package seal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// pdfEngine is shared by the tests: it keeps nothing between operations, and starting it costs seconds.
var pdfEngine = sync.OnceValue(func() *Engine {
	e, err := NewEngine(testConfig())
	if err != nil {
		panic(err)
	}
	return e
})

func testConfig() Config {
	return Config{CacheDir: filepath.Join(os.TempDir(), "paraph-test-wazero"), Logger: slog.New(slog.DiscardHandler)}
}

// kindOf is the kind of the InputError in err, or "".
func kindOf(err error) string {
	var input *InputError
	if errors.As(err, &input) {
		return input.Kind
	}
	return ""
}

func TestEngineServesManyAtOnce(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			text := fmt.Sprintf("Number%d", i)
			out, err := pdfEngine().Stamp(t.Context(), contractPDF("", ""), []Mark{{X: 0.1, Y: 0.1, W: 0.4, H: 0.05, Kind: MarkText, Text: text}})
			if err != nil {
				t.Errorf("Stamp %d: %v", i, err)
				return
			}
			if got := foundText(t, out); !strings.Contains(got, text) {
				t.Errorf("Stamp %d: text = %q", i, got)
			}
			runs, err := pdfEngine().PageText(t.Context(), out, 0)
			if err != nil || !hasRun(runs, text) {
				t.Errorf("PageText %d: %v, %v", i, runs, err)
			}
		})
	}
	wg.Wait()
}

func hasRun(runs []TextRun, text string) bool {
	for _, r := range runs {
		if strings.Contains(r.Text, text) {
			return true
		}
	}
	return false
}

// slowPDF is a small file that takes minutes to draw: forms that draw the next one ten times each.
func slowPDF() []byte {
	const depth = 9
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /XObject << /F 7 0 R >> >> >>",
		streamObject("", "/F Do"),
		"null", "<< >>",
	}
	for i := range depth {
		next := 8 + i
		body, resources := strings.Repeat("/F Do ", 10), fmt.Sprintf("/XObject << /F %d 0 R >>", next)
		if i == depth-1 {
			body, resources = strings.Repeat("0 0 600 700 re f ", 50), ""
		}
		objects = append(objects, streamObject("/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << "+resources+" >>", body))
	}
	return buildPDF(objects...)
}

func TestEngineStopsAtTheDeadline(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.Deadline = time.Second
	cfg.Instances = 1
	e := must2(NewEngine(cfg))
	defer e.Close()
	if err := e.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	_, err := e.RenderPage(t.Context(), slowPDF(), 0, 2000)
	if kindOf(err) != KindTooComplex || !errors.Is(err, ErrDeadline) {
		t.Fatalf("RenderPage = %v, want %s for the deadline", err, KindTooComplex)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if _, err := e.Inspect(t.Context(), contractPDF("", "")); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// TestUploadsLeaveAnInstance holds one upload up and insists that the next waits while pages can still be drawn.
func TestUploadsLeaveAnInstance(t *testing.T) {
	t.Parallel()
	cfg := testConfig()
	cfg.Instances = 2
	e := must2(NewEngine(cfg))
	defer e.Close()
	begun, goOn, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- e.withUpload(t.Context(), func(*session) error {
			close(begun)
			<-goOn
			return nil
		})
	}()
	<-begun
	waits, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := e.Prepare(waits, contractPDF("", "")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second upload = %v, want it to wait", err)
	}
	if _, err := e.RenderPage(t.Context(), contractPDF("", ""), 0, 300); err != nil {
		t.Errorf("RenderPage beside it: %v", err)
	}
	close(goOn)
	if err := <-ended; err != nil {
		t.Errorf("the first upload: %v", err)
	}
	if _, _, err := e.Prepare(t.Context(), contractPDF("", "")); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func must2(e *Engine, err error) *Engine {
	if err != nil {
		panic(err)
	}
	return e
}

func TestEngineStopsWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pdfEngine().Inspect(ctx, contractPDF("", "")); !errors.Is(err, context.Canceled) {
		t.Errorf("Inspect = %v, want %v", err, context.Canceled)
	}
}

func TestEngineClosed(t *testing.T) {
	t.Parallel()
	e := must2(NewEngine(testConfig()))
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if _, err := e.Inspect(t.Context(), contractPDF("", "")); !errors.Is(err, ErrClosed) {
		t.Errorf("Inspect = %v, want %v", err, ErrClosed)
	}
}

func TestEngineRefusesConfig(t *testing.T) {
	t.Parallel()
	if _, err := NewEngine(Config{Instances: -1}); err == nil {
		t.Error("NewEngine took -1 instances")
	}
}
