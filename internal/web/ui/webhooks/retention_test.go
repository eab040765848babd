package webhooks

import (
	"strings"
	"testing"
	"time"
)

func TestKept(t *testing.T) {
	t.Parallel()
	for keeps, want := range map[time.Duration]string{
		0: "for ever", 24 * time.Hour: "for a day after", 36 * time.Hour: "for 36 hours after", 720 * time.Hour: "for 30 days after",
	} {
		if got := (List{Keeps: keeps}).kept(); !strings.Contains(got, want) {
			t.Errorf("of %v it is said: %s", keeps, got)
		}
	}
}
