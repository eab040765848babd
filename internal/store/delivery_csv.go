package store

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

// MaxExport is how many deliveries a file holds at most. One that holds more
// would say so in its last line.
const MaxExport = 100_000

// ExportDeliveries writes deliveries as comma-separated values (RFC 4180),
// newest first, with a line of names before. It holds 200 of them in memory.
// When there are more than MaxExport, the last line says so. Unlike a page of
// the log it looks at all there are.
func (r Reader) ExportDeliveries(ctx context.Context, accountID int64, f DeliveryFilter, to io.Writer) error {
	w := csv.NewWriter(to)
	w.Write([]string{ //nolint:errcheck // kept until Error
		"id", "webhook_id", "event", "message_id", "envelope_id", "test", "state", "attempts", "last_status", "last_error", "created_at", "finished_at", "next_attempt_at",
	})
	f.After, f.Limit = 0, 200
	for left := MaxExport; ; {
		f.Limit = min(f.Limit, max(left, 1))
		p, err := r.DeliveryLog(ctx, accountID, f)
		if err != nil {
			return err
		}
		if left == 0 && len(p.Deliveries) > 0 {
			w.Write([]string{fmt.Sprintf("There are more than %d; narrow the filter to get the others.", MaxExport)}) //nolint:errcheck
			break
		}
		for _, d := range p.Deliveries {
			w.Write(deliveryRecord(d)) //nolint:errcheck
		}
		left -= len(p.Deliveries)
		if w.Flush(); w.Error() != nil || !p.More {
			break
		}
		if f.Before = p.LookedTo; f.Before == 0 {
			f.Before = p.Deliveries[len(p.Deliveries)-1].ID
		}
	}
	w.Flush()
	return w.Error()
}

func deliveryRecord(d paraph.Delivery) []string {
	next := time.Time{}
	if d.State == paraph.DeliveryPending {
		next = d.NextAttemptAt
	}
	return []string{
		whole(d.ID), whole(d.EndpointID), harmless(d.EventName), harmless(d.MessageID), whole(d.EnvelopeID), strconv.FormatBool(d.Test), string(d.State),
		strconv.Itoa(d.Attempts), whole(int64(d.LastStatus)), harmless(d.LastError), iso(d.CreatedAt), iso(d.FinishedAt), iso(next),
	}
}

func whole(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func iso(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r\n", rune(s[0])) {
		return "'" + s
	}
	return s
}
