package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/paraph-sign/paraph"
)

const recipientColumns = `id, envelope_id, uuid, kind, role, name, email, phone, sign_order, token, external_id, metadata, send_email,
	redirect_to, sent_at, opened_at, started_at, completed_at, declined_at, decline_reason, reminded_at, ip, user_agent, created_at, updated_at`

func scanRecipient(scan func(...any) error) (r paraph.Recipient, err error) {
	err = scan(&r.ID, &r.EnvelopeID, &r.UUID, &r.Kind, &r.Role, &r.Name, &r.Email, &r.Phone, &r.Order, &r.Token, &r.ExternalID,
		&r.Metadata, &r.SendEmail, &r.RedirectTo, at{&r.SentAt}, at{&r.OpenedAt}, at{&r.StartedAt}, at{&r.CompletedAt},
		at{&r.DeclinedAt}, &r.DeclineReason, at{&r.RemindedAt}, &r.IP, &r.UserAgent, at{&r.CreatedAt}, at{&r.UpdatedAt})
	return r, err
}

func (tx *Tx) saveRecipients(ctx context.Context, was, e *paraph.Envelope, renamed map[int64]int64) error {
	added, differ := changed(was.Recipients, e.Recipients, func(r paraph.Recipient) int64 { return r.ID })
	ids, err := tx.insertRows(ctx, `recipients (envelope_id, uuid, kind, role, name, email, phone, sign_order, token, token_hash,
		external_id, metadata, send_email, redirect_to, sent_at, opened_at, started_at, completed_at, declined_at, decline_reason,
		reminded_at, ip, user_agent, created_at, updated_at, search)`,
		len(added), func(a *args, i int) string {
			r := e.Recipients[added[i]]
			return a.row(e.ID, r.UUID, r.Kind, r.Role, r.Name, r.Email, r.Phone, r.Order, r.Token, paraph.TokenHash(r.Token),
				r.ExternalID, r.Metadata, r.SendEmail, r.RedirectTo, micros(r.SentAt), micros(r.OpenedAt), micros(r.StartedAt),
				micros(r.CompletedAt), micros(r.DeclinedAt), r.DeclineReason, micros(r.RemindedAt), r.IP, r.UserAgent,
				micros(r.CreatedAt), micros(r.UpdatedAt), recipientSearch(r))
		})
	if err != nil {
		return err
	}
	for _, i := range added {
		r := &e.Recipients[i]
		renamed[r.ID], r.ID, r.EnvelopeID = ids[r.UUID], ids[r.UUID], e.ID
	}
	for _, i := range differ {
		if err := tx.updateRecipient(ctx, e.Recipients[i]); err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) updateRecipient(ctx context.Context, r paraph.Recipient) error {
	_, err := tx.exec(ctx, `UPDATE recipients SET kind = $1, role = $2, name = $3, email = $4, phone = $5, sign_order = $6,
		external_id = $7, metadata = $8, send_email = $9, redirect_to = $10, sent_at = $11, opened_at = $12, started_at = $13,
		completed_at = $14, declined_at = $15, decline_reason = $16, reminded_at = $17, ip = $18, user_agent = $19, updated_at = $20,
		search = $21 WHERE id = $22`,
		r.Kind, r.Role, r.Name, r.Email, r.Phone, r.Order, r.ExternalID, r.Metadata, r.SendEmail, r.RedirectTo, micros(r.SentAt),
		micros(r.OpenedAt), micros(r.StartedAt), micros(r.CompletedAt), micros(r.DeclinedAt), r.DeclineReason,
		micros(r.RemindedAt), r.IP, r.UserAgent, micros(r.UpdatedAt), recipientSearch(r), r.ID)
	return err
}

// recipientSearch is what a search for a recipient looks in, in lower case:
// the engines' own LOWER knows ASCII only.
func recipientSearch(r paraph.Recipient) string {
	return strings.ToLower(strings.Join([]string{r.Name, r.Email, r.Phone}, "\n"))
}

// RecipientFilter chooses among the recipients of an account that act. Zero
// values choose all but those of deleted envelopes.
type RecipientFilter struct {
	EnvelopeID      int64
	Query           string // in their name, address and phone
	Token           string // of their signing link
	ExternalID      string
	CompletedAfter  time.Time // completed at or after
	CompletedBefore time.Time // completed at or before
	Before          int64     // only ids below; 0: no bound
	After           int64     // only ids above, and the lowest of those
	Limit           int       // at most 200
}

// Recipients answers a page of the recipients who act on envelopes of an
// account, newest first.
func (r Reader) Recipients(ctx context.Context, accountID int64, f RecipientFilter) ([]paraph.Recipient, error) {
	var a args
	w := []string{
		"envelope_id IN (SELECT envelopes.id FROM envelopes WHERE envelopes.account_id = " + a.add(accountID) + " AND envelopes.deleted_at = 0)",
		"kind <> " + a.add(paraph.CC),
	}
	eq := func(condition string, set bool, v any) {
		if set {
			w = append(w, condition+" "+a.add(v))
		}
	}
	eq("envelope_id =", f.EnvelopeID > 0, f.EnvelopeID)
	eq("token_hash =", f.Token != "", paraph.TokenHash(f.Token))
	eq("external_id =", f.ExternalID != "", f.ExternalID)
	eq("completed_at >=", !f.CompletedAfter.IsZero(), micros(f.CompletedAfter))
	eq("completed_at > 0 AND completed_at <=", !f.CompletedBefore.IsZero(), micros(f.CompletedBefore))
	eq("id <", f.Before > 0, f.Before)
	eq("id >", f.After > 0, f.After)
	if q := strings.TrimSpace(f.Query); q != "" {
		w = append(w, "search LIKE "+a.add(likePattern(q))+` ESCAPE '\'`)
	}
	order := "DESC"
	if f.After > 0 {
		order = "ASC"
	}
	rs, err := all(ctx, r.q, scanRecipient, "SELECT "+recipientColumns+" FROM recipients WHERE "+strings.Join(w, " AND ")+
		" ORDER BY id "+order+" LIMIT "+a.add(min(max(f.Limit, 1), 200)), a...)
	if f.After > 0 {
		slices.Reverse(rs)
	}
	return rs, err
}
