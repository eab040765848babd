package store

import (
	"context"

	"github.com/paraph-sign/paraph"
)

// maxDevEndpoints bounds what EndpointsAt answers.
const maxDevEndpoints = 200

// EndpointsAt answers endpoints of whatever account whose URL contains a text,
// oldest first, 200 at most: for the inbox of development, which checks what it
// receives. It reads the whole table.
func (s *Store) EndpointsAt(ctx context.Context, part string) ([]paraph.Endpoint, error) {
	return all(ctx, s.q, s.scanEndpoint, "SELECT "+endpointColumns+` FROM endpoints WHERE deleted_at = 0 AND LOWER(url) LIKE $1 ESCAPE '\'
		ORDER BY id LIMIT $2`, likePattern(part), maxDevEndpoints)
}
