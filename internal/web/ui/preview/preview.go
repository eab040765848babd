// Package preview is an envelope's public page: its state, and nothing that
// is in it.
package preview

import (
	"time"

	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// View is the page.
type View struct {
	Name       string
	State      string // for kit.StatusBadge
	Text       string
	Recipients []Recipient
	Own        string   // the envelope's page, for who is signed in to its space
	Sealed     []string // SHA-256 of the sealed documents
	At         time.Time
	Now        time.Time
}

// Recipient is somebody, with a masked address.
type Recipient struct {
	Name, Email, Does string
	State             kit.Status
}
