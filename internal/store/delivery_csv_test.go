package store_test

import (
	"bytes"
	"encoding/csv"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/store/storetest"
)

func TestExportDeliveries(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store, clock *storetest.Clock) {
		a, _ := storetest.Space(t, s, "ada")
		p := storetest.Endpoint(t, s, a.ID)
		ds := storetest.Deliveries(p, 450, s.Now())
		for i, name := range []string{`=HYPERLINK("x")`, "+1", "-1", "@x", "\tx", "\rx", `plain, "quoted"`} {
			ds[i].EventName = name
		}
		ds[449].State = paraph.DeliveryFailed
		storetest.Queue(t, s, ds)
		file := func(f store.DeliveryFilter) [][]string {
			t.Helper()
			var b bytes.Buffer
			check(t, s.ExportDeliveries(ctx, a.ID, f, &b))
			rows, err := csv.NewReader(&b).ReadAll()
			check(t, err)
			return rows
		}
		rows := file(store.DeliveryFilter{})
		if len(rows) != 451 || rows[0][0] != "id" || rows[1][6] != "failed" {
			t.Fatalf("%d rows, from %v to %v", len(rows), rows[0], rows[1])
		}
		for i, want := range []string{`'=HYPERLINK("x")`, "'+1", "'-1", "'@x", "'\tx", "'\rx", `plain, "quoted"`} {
			if got := rows[450-i][2]; got != want {
				t.Errorf("a spreadsheet reads %q, want %q", got, want)
			}
		}
		if rows := file(store.DeliveryFilter{State: paraph.DeliveryFailed}); len(rows) != 2 {
			t.Errorf("of the failed there are %d rows", len(rows))
		}
	})
}
