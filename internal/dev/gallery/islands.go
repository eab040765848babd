package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/a-h/templ"
)

// cannedDesk remembers what the islands sent, one world for each name in the address, so that tests don't meet.
type cannedDesk struct {
	mu     sync.Mutex
	worlds map[string]*world
}

type world struct {
	Version int               `json:"version"`
	Fields  []json.RawMessage `json:"fields"`
	Puts    []json.RawMessage `json:"puts"`
	Values  map[string]any    `json:"values"`
	Posts   []string          `json:"posts"`
	Fail    []int             `json:"fail"` // statuses of the next answers to PUT
	next    int
}

func newCannedDesk() *cannedDesk { return &cannedDesk{worlds: map[string]*world{}} }

func (d *cannedDesk) in(name string, do func(*world)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w := d.worlds[name]
	if w == nil {
		w = &world{Version: 1, Values: map[string]any{}}
		d.worlds[name] = w
	}
	do(w)
}

func (g gallery) islandRoutes(mux *http.ServeMux) {
	world := func(of func(world string) templ.Component) http.Handler {
		return g.page(func(r *http.Request) templ.Component { return of(nameOf(r)) })
	}
	mux.Handle("GET /envelope-new", g.page(func(*http.Request) templ.Component { return envelopeNew(g) }))
	mux.Handle("GET /editor", world(func(w string) templ.Component { return editorPage(g, w) }))
	mux.Handle("GET /sign", world(func(w string) templ.Component { return signPage(g, w) }))
	mux.Handle("GET /sign/plain", g.page(func(*http.Request) templ.Component { return signPlain(g) }))
	mux.HandleFunc("GET /picture/{n}", picture)
	mux.HandleFunc("GET /text/{n}", words)
	mux.HandleFunc("GET /favicon.ico", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("GET /api/{world}/layout", g.getLayout)
	mux.HandleFunc("PUT /api/{world}/layout", g.putLayout)
	mux.HandleFunc("GET /api/{world}/task", g.getTask)
	mux.HandleFunc("PUT /api/{world}/values/{field}", g.putValue)
	mux.HandleFunc("POST /api/{world}/post/{what}", g.posted)
	mux.HandleFunc("GET /api/{world}/state", g.state)
	mux.HandleFunc("POST /api/{world}/fail/{codes}", g.fail)
	mux.HandleFunc("POST /upload", upload)
}

func nameOf(r *http.Request) string {
	if w := r.URL.Query().Get("world"); w != "" {
		return w
	}
	return "ugly"
}

func (g gallery) getLayout(w http.ResponseWriter, r *http.Request) {
	g.desk.in(r.PathValue("world"), func(k *world) {
		if k.Fields == nil && strings.HasPrefix(r.PathValue("world"), "ugly") {
			k.Fields = uglyFields()
		}
		answer(w, http.StatusOK, layout{Version: k.Version, Pages: pictures(3), Recipients: recipients(), Fields: orEmpty(k.Fields)})
	})
}

func (g gallery) putLayout(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	g.desk.in(r.PathValue("world"), func(k *world) {
		k.Puts = append(k.Puts, body)
		if code := k.failing(); code != 0 {
			answer(w, code, failed{"The gallery was asked to fail."})
			return
		}
		var sent struct {
			Version int              `json:"version"`
			Fields  []map[string]any `json:"fields"`
		}
		if err := json.Unmarshal(body, &sent); err != nil {
			answer(w, http.StatusBadRequest, failed{err.Error()})
			return
		}
		if sent.Version != k.Version {
			answer(w, http.StatusConflict, failed{"Another tab changed these fields."})
			return
		}
		k.Version++
		k.Fields = k.Fields[:0:0]
		for _, f := range sent.Fields {
			if f["id"] == "" {
				k.next++
				f["id"] = "stored-" + strconv.Itoa(k.next)
			}
			delete(f, "uid")
			raw, _ := json.Marshal(f)
			k.Fields = append(k.Fields, raw)
		}
		answer(w, http.StatusOK, stored{k.Version, orEmpty(k.Fields)})
	})
}

func (k *world) failing() int {
	if len(k.Fail) == 0 {
		return 0
	}
	code := k.Fail[0]
	k.Fail = k.Fail[1:]
	return code
}

func (g gallery) getTask(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("world")
	answer(w, http.StatusOK, taskFor(name))
}

func (g gallery) putValue(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	g.desk.in(r.PathValue("world"), func(k *world) {
		if code := k.failing(); code != 0 {
			answer(w, code, failed{"The gallery was asked to fail."})
			return
		}
		var value any
		if err := json.Unmarshal(body, &value); err != nil {
			answer(w, http.StatusBadRequest, failed{err.Error()})
			return
		}
		k.Values[r.PathValue("field")] = value
		answer(w, http.StatusOK, struct{}{})
	})
}

func (g gallery) posted(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	g.desk.in(r.PathValue("world"), func(k *world) { k.Posts = append(k.Posts, r.PathValue("what")+" "+r.Form.Encode()) })
	fmt.Fprintf(w, "posted %s", html.EscapeString(r.PathValue("what")))
}

func (g gallery) state(w http.ResponseWriter, r *http.Request) {
	g.desk.in(r.PathValue("world"), func(k *world) { answer(w, http.StatusOK, k) })
}

// fail makes the next answers to PUT those statuses: /api/x/fail/503,503.
func (g gallery) fail(w http.ResponseWriter, r *http.Request) {
	g.desk.in(r.PathValue("world"), func(k *world) {
		for _, c := range strings.Split(r.PathValue("codes"), ",") {
			n, _ := strconv.Atoi(c)
			k.Fail = append(k.Fail, n)
		}
	})
}

// upload takes a file as the real server would: 422 with a sentence when it is no PDF or picture.
func upload(w http.ResponseWriter, r *http.Request) {
	file, header, err := r.FormFile("file")
	if err != nil {
		answer(w, http.StatusBadRequest, failed{"There was no file."})
		return
	}
	defer file.Close()
	start := make([]byte, 8)
	_, _ = io.ReadFull(file, start)
	if !strings.HasPrefix(string(start), "%PDF-") && !strings.HasPrefix(string(start), "\x89PNG") {
		answer(w, http.StatusUnprocessableEntity, failed{"“" + header.Filename + "” is neither a PDF nor a picture."})
		return
	}
	answer(w, http.StatusOK, uploaded{ID: "d" + strconv.FormatInt(header.Size, 10), Name: header.Filename, Pages: 3, Size: header.Size})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}

func orEmpty(fields []json.RawMessage) []json.RawMessage {
	if fields == nil {
		return []json.RawMessage{}
	}
	return fields
}
