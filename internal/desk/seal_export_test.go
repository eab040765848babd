package desk

import (
	"context"

	"github.com/paraph-sign/paraph/internal/job"
)

// RunSealing works the jobs that seal and are due, and no others.
func (d *Desk) RunSealing(ctx context.Context) error {
	for _, k := range d.kinds() {
		if k.Name != jobSeal {
			continue
		}
		r, err := job.New(job.Config{Store: d.Store, Log: d.Log, Kinds: []job.Kind{k}})
		if err != nil {
			return err
		}
		_, err = r.RunDue(ctx)
		return err
	}
	return nil
}
