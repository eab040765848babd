package main

import (
	"database/sql"
	"fmt"
	"iter"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// place is where databases are made.
type place struct {
	address func(name string) (string, error) // of the database of that name, which is made when it is not there
	settle  func(address string) error        // lets it do now what it would do by itself within a minute
	drop    func()                            // all that were made
}

// places are the engines to measure on: SQLite, and Postgres when there is
// one.
func places(o options, dir string) iter.Seq2[string, place] {
	return func(yield func(string, place) bool) {
		if strings.Contains(o.engines, "sqlite") && !yield("sqlite", files(dir)) {
			return
		}
		if base := os.Getenv("PARAPH_TEST_POSTGRES"); base != "" && strings.Contains(o.engines, "postgres") {
			yield("postgres", server(base))
		}
	}
}

func files(dir string) place {
	return place{
		address: func(name string) (string, error) { return filepath.Join(dir, name+".db"), nil },
		settle:  func(string) error { return nil },
		drop: func() {
			old, _ := filepath.Glob(filepath.Join(dir, "*.db*")) // the pattern is good
			for _, f := range old {
				_ = os.Remove(f) // the folder goes at the end in any case
			}
		},
	}
}

func server(base string) place {
	made := map[string]string{} // addresses by name
	do := func(address, statement string) error {
		db, err := sql.Open("pgx", address)
		if err != nil {
			return err
		}
		defer db.Close()
		if _, err := db.Exec(statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
		return nil
	}
	return place{
		address: func(name string) (string, error) {
			name = fmt.Sprintf("paraph_bench_%d_%s", os.Getpid(), name)
			if address, ok := made[name]; ok {
				return address, nil
			}
			u, err := url.Parse(base)
			if err == nil {
				err = do(base, "CREATE DATABASE "+name+" TEMPLATE template0")
			}
			if err != nil {
				return "", err
			}
			u.Path = "/" + name
			made[name] = u.String()
			return made[name], nil
		},
		settle: func(address string) error { return do(address, "VACUUM ANALYZE") },
		drop: func() {
			for name := range made {
				if err := do(base, "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
					progress("%v", err)
				}
			}
		},
	}
}
