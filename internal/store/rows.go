package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/paraph-sign/paraph"
)

// micros is how a time is stored: microseconds since 1970, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// at scans a stored time.
type at struct{ t *time.Time }

func (a at) Scan(v any) error {
	n, ok := v.(int64)
	if !ok {
		return fmt.Errorf("a time is stored as %T", v)
	}
	*a.t = time.Time{}
	if n != 0 {
		*a.t = time.UnixMicro(n).UTC()
	}
	return nil
}

// opaque scans JSON text into p; "" leaves p as it is.
type opaque struct{ p any }

func (o opaque) Scan(v any) error {
	switch v := v.(type) {
	case string:
		if v == "" {
			return nil
		}
		return json.Unmarshal([]byte(v), o.p)
	case []byte:
		if len(v) == 0 {
			return nil
		}
		return json.Unmarshal(v, o.p)
	}
	return fmt.Errorf("JSON is stored as %T", v)
}

// asJSON is how a value becomes opaque text.
func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // values of ours: strings, numbers, slices and maps of them
		panic(err)
	}
	return string(b)
}

// timingsJSON is asJSON for what is written with every attempt.
func timingsJSON(t paraph.Timings) string {
	b := make([]byte, 0, 96)
	for _, x := range [...]struct {
		name string
		d    time.Duration
	}{{`{"dns":`, t.DNS}, {`,"connect":`, t.Connect}, {`,"tls":`, t.TLS}, {`,"first_byte":`, t.FirstByte}, {`,"total":`, t.Total}} {
		b = strconv.AppendInt(append(b, x.name...), int64(x.d), 10)
	}
	return string(append(b, '}'))
}

// pairsJSON is asJSON for headers, without its detours: two lists of them are
// written with every attempt.
func pairsJSON(pairs [][2]string) string {
	if pairs == nil {
		return "null"
	}
	size := 2
	for _, p := range pairs {
		size += len(p[0]) + len(p[1]) + 8
	}
	b := append(make([]byte, 0, size), '[')
	for i, p := range pairs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(append(b, '['), p[0]), ',')
		b = append(appendText(b, p[1]), ']')
	}
	return string(append(b, ']'))
}

func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return append(b, asJSON(s)...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// storable is a querier that takes out of every text what Postgres would
// refuse and SQLite keep: bytes that are no UTF-8, and NUL. What people and
// programs send (headers, search words, error messages) may hold either.
type storable struct{ q querier }

func (s storable) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return s.q.QueryContext(ctx, query, cleanTexts(args)...)
}

func (s storable) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return s.q.QueryRowContext(ctx, query, cleanTexts(args)...)
}

func (s storable) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return s.q.ExecContext(ctx, query, cleanTexts(args)...)
}

// cleanTexts cleans args in place: the callers made them for one query.
func cleanTexts(args []any) []any {
	for i, a := range args {
		switch v := a.(type) {
		case int64, int, bool, []byte, []int64, []bool, [][]byte, float64: // most of them, for which no reflection is needed
		case string:
			if c := cleanText(v); len(c) != len(v) {
				args[i] = c
			}
		case []string:
			for j, text := range v {
				v[j] = cleanText(text)
			}
		default:
			if v := reflect.ValueOf(a); v.Kind() == reflect.String {
				args[i] = cleanText(v.String())
			}
		}
	}
	return args
}

func cleanText(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}

// all collects what a query answers.
func all[T any](ctx context.Context, q querier, scan func(func(...any) error) (T, error), query string, args ...any) ([]T, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows.Scan)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// one is the single row that a query answers; missing is the error's sentence
// when there is none.
func one[T any](ctx context.Context, q querier, missing string, scan func(func(...any) error) (T, error), query string, args ...any) (T, error) {
	v, err := scan(q.QueryRowContext(ctx, query, args...).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return v, &paraph.Error{Kind: paraph.NotFound, Message: missing}
	}
	return v, err
}

// scanInt scans a row of one number.
func scanInt(scan func(...any) error) (n int64, err error) {
	err = scan(&n)
	return n, err
}

// args collects the arguments of a query that is put together, and hands out
// their places.
type args []any

func (a *args) add(v any) string {
	*a = append(*a, v)
	return "$" + strconv.Itoa(len(*a))
}

// list adds all vs and returns their places with commas between.
func list[T any](a *args, vs []T) string {
	places := make([]string, len(vs))
	for i, v := range vs {
		places[i] = a.add(v)
	}
	return strings.Join(places, ", ")
}

// row adds the values of one row and returns "($1, $2, …)".
func (a *args) row(vs ...any) string { return "(" + list(a, vs) + ")" }

// maxSought is how many runes of what is sought are looked at: more than
// searchText writes, and fewer than SQLite's limit of 50,000 bytes.
const maxSought = 9000

// likePattern matches text that contains s, whatever s holds; the query says
// ESCAPE '\'.
func likePattern(s string) string {
	if r := []rune(s); len(r) > maxSought { // longer than all that is searched, so it finds nothing either way
		s = string(r[:maxSought])
	}
	s = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(strings.ToLower(s))
	return "%" + s + "%"
}
