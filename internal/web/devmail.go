package web

import (
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/web/ui/dev"
	"github.com/paraph-sign/paraph/internal/web/ui/kit"
)

// framed is the policy of a mail's HTML, which brings its own styles and is
// shown in a frame of ours: no scripts, nothing fetched, its links open new
// windows.
const framed = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; " +
	"form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"

// developing reports whether the tools of development are there for a request:
// it must name this server by its own name or a loopback one. Else any page on
// the web could let its own name lead here and read all mail (DNS rebinding).
func (s *server) developing(r *http.Request) bool {
	host := (&url.URL{Host: r.Host}).Hostname()
	ip, err := netip.ParseAddr(host)
	return s.Catcher != nil && (host == s.host || host == "localhost" || (err == nil && ip.IsLoopback()))
}

func (s *server) devMail(w http.ResponseWriter, r *http.Request) error {
	if !s.developing(r) {
		return errNoPage
	}
	v := dev.Mails{Now: s.Store.Now()}
	for _, m := range s.Catcher.List() {
		v.All = append(v.All, dev.Mail{ID: m.ID, To: m.To.String(), Subject: m.Subject, At: m.At})
	}
	w.Header().Set("Refresh", "5")
	return s.page(w, r, http.StatusOK, dev.MailsPage(v), kit.Page{Title: "Caught mail", NoIndex: true})
}

// caught is the mail in the path.
func (s *server) caught(r *http.Request) (mail.Caught, error) {
	if !s.developing(r) {
		return mail.Caught{}, errNoPage
	}
	id, err := pathID(r, "id")
	if err != nil {
		return mail.Caught{}, err
	}
	m, ok := s.Catcher.Get(id)
	if !ok {
		return m, errNoPage
	}
	return m, nil
}

func (s *server) devMailPage(w http.ResponseWriter, r *http.Request) error {
	m, err := s.caught(r)
	if err != nil {
		return err
	}
	v := dev.Mail{
		ID: m.ID, From: m.FromName, To: m.To.String(), ReplyTo: m.ReplyTo.String(), Subject: m.Subject, At: m.At, Text: dev.Pieces(m.Text), HTML: m.HTML != "",
	}
	for _, a := range m.Attachments {
		v.Attachments = append(v.Attachments, dev.Attachment{Name: a.Name, Size: len(a.Data)})
	}
	w.Header().Set("Content-Security-Policy", policy+"; frame-src 'self'")
	return s.page(w, r, http.StatusOK, dev.MailPage(dev.Mails{Now: s.Store.Now()}, v), kit.Page{Title: m.Subject, NoIndex: true})
}

func (s *server) devMailHTML(w http.ResponseWriter, r *http.Request) error {
	m, err := s.caught(r)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Security-Policy", framed)
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Content-Type", "text/html; charset=utf-8")
	_, err = w.Write([]byte(newWindows(m.HTML)))
	return err
}

// newWindows makes the links of a page open new windows: within the frame they
// would be refused.
func newWindows(html string) string {
	const base = `<base target="_blank">`
	if i := strings.Index(html, "<head>"); i >= 0 {
		i += len("<head>")
		return html[:i] + base + html[i:]
	}
	return base + html
}
