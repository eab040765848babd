// Package web is the pages: it parses a request, asks the store or calls one
// verb of the desk, and answers with a page of ui. It holds no rule and writes
// nothing to the database itself.
package web

import (
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/mail"
	"github.com/paraph-sign/paraph/internal/store"
	"github.com/paraph-sign/paraph/internal/web/ui/assets"
)

// Config is what the pages need.
type Config struct {
	Desk       *desk.Desk
	Store      *store.Store // only its questions are used
	Assets     *assets.Assets
	Log        *slog.Logger
	BaseURL    string
	MaxSize    int64         // of an uploaded file, in bytes
	TrustProxy bool          // a proxy in front says the caller's address in X-Forwarded-For
	Catcher    *mail.Catcher // shown at /dev/mail; nil when mail goes out for real
}

// server is what the handlers hang on.
type server struct {
	Config
	secure bool   // cookies travel over TLS only
	host   string // that people reach us by
	tries  *tries
	inks   *tries // of signatures, by link: each is stored
	pens   *tries // of other values, by link
	inbox  inbox  // of development
}

// handler answers a request, or says what went wrong; answer renders that.
type handler func(w http.ResponseWriter, r *http.Request) error

// access is who may use a route.
type access int

const (
	anybody  access = iota // public, or protected by a secret in its path
	signedIn               // a user in one of their spaces
)

type route struct {
	pattern string
	access  access
	handler handler
}

// routes is every page there is.
func (s *server) routes() []route {
	return []route{
		{"GET /{$}", anybody, s.home},

		// Accounts
		{"GET /setup", anybody, s.setupPage},
		{"POST /setup", anybody, s.setup},
		{"GET /signin", anybody, s.signInPage},
		{"POST /signin", anybody, s.signIn},
		{"POST /signout", anybody, s.signOut},
		{"GET /signup", anybody, s.signUpPage},
		{"POST /signup", anybody, s.signUp},
		{"GET /forgot", anybody, s.forgotPage},
		{"POST /forgot", anybody, s.forgot},
		{"GET /reset/{token}", anybody, s.resetPage},
		{"POST /reset/{token}", anybody, s.reset},
		{"GET /join/{token}", anybody, s.joinPage},
		{"POST /join/{token}", anybody, s.join},
		{"POST /space", signedIn, s.switchSpace},
		{"GET /teams/new", signedIn, s.newTeamPage},
		{"POST /teams", signedIn, s.newTeam},
		{"GET /team", signedIn, s.teamPage},
		{"POST /team", signedIn, s.renameTeam},
		{"POST /team/invitations", signedIn, s.invite},
		{"POST /team/invitations/{id}/delete", signedIn, s.uninvite},
		{"POST /team/members/{id}/delete", signedIn, s.removeMember},

		// Settings
		{"GET /settings", signedIn, s.settingsHome},
		{"GET /settings/profile", signedIn, s.profilePage},
		{"POST /settings/profile", signedIn, s.profile},
		{"GET /settings/password", signedIn, s.passwordPage},
		{"POST /settings/password", signedIn, s.password},
		{"GET /settings/tokens", signedIn, s.tokensPage},
		{"POST /settings/tokens", signedIn, s.newToken},
		{"POST /settings/tokens/{id}/delete", signedIn, s.deleteToken},
		{"GET /settings/documents", signedIn, s.preferencesPage},
		{"POST /settings/documents", signedIn, s.preferences},
		{"GET /settings/documents/recipients-ca.pem", signedIn, s.recipientsAuthority},
		{"GET /settings/instance", signedIn, s.instancePage},
		{"POST /settings/instance", signedIn, s.instance},
		{"GET /settings/certificate", signedIn, s.certificatePage},
		{"POST /settings/certificate/upload", signedIn, s.uploadCertificate},
		{"POST /settings/certificate/generate", signedIn, s.generateCertificate},
		{"POST /settings/certificate/{id}/use", signedIn, s.useCertificate},
		{"GET /settings/certificate/{id}/{file}", signedIn, s.certificateFile},
		{"GET /settings/webhooks", signedIn, s.webhooksPage},
		{"POST /settings/webhooks", signedIn, s.newWebhook},
		{"GET /settings/webhooks/new", signedIn, s.newWebhookPage},
		{"GET /settings/webhooks/log", signedIn, s.logPage},
		{"GET /settings/webhooks/log.csv", signedIn, s.logFile},
		{"GET /settings/webhooks/{id}", signedIn, s.webhookPage},
		{"POST /settings/webhooks/{id}", signedIn, s.editWebhook},
		{"GET /settings/webhooks/{id}/edit", signedIn, s.editWebhookPage},
		{"GET /settings/webhooks/{id}/delete", signedIn, s.deleteWebhookPage},
		{"POST /settings/webhooks/{id}/delete", signedIn, s.deleteWebhook},
		{"POST /settings/webhooks/{id}/switch", signedIn, s.switchWebhook},
		{"GET /settings/webhooks/{id}/secrets", signedIn, s.secretsPage},
		{"POST /settings/webhooks/{id}/secrets", signedIn, s.revealSecrets},
		{"POST /settings/webhooks/{id}/secret", signedIn, s.rotateSecret},
		{"POST /settings/webhooks/{id}/secret/end", signedIn, s.endPreviousSecret},
		{"POST /settings/webhooks/{id}/test", signedIn, s.testWebhook},
		{"GET /settings/webhooks/{id}/replay", signedIn, s.replayFormPage},
		{"POST /settings/webhooks/{id}/replays", signedIn, s.startReplay},
		{"GET /settings/webhooks/{id}/replays/{replay}", signedIn, s.replayPage},
		{"POST /settings/webhooks/{id}/replays/{replay}/cancel", signedIn, s.cancelReplay},
		{"GET /settings/webhooks/{id}/deliveries/{delivery}", signedIn, s.deliveryPage},
		{"POST /settings/webhooks/{id}/deliveries/{delivery}/resend", signedIn, s.resend},

		// Envelopes
		{"GET /envelopes", signedIn, s.envelopesPage},
		{"GET /envelopes/new", signedIn, s.newEnvelopePage},
		{"POST /envelopes", signedIn, s.newEnvelope},
		{"GET /envelopes/{id}", signedIn, s.envelopePage},
		{"GET /envelopes/{id}/edit", signedIn, s.draftPage},
		{"POST /envelopes/{id}/documents", signedIn, s.addDocuments},
		{"POST /envelopes/{id}/details", signedIn, s.saveDetails},
		{"GET /envelopes/{id}/fields", signedIn, s.fieldsPage},
		{"POST /envelopes/{id}/fields", signedIn, s.saveField},
		{"GET /envelopes/{id}/layout", signedIn, s.layout},
		{"PUT /envelopes/{id}/layout", signedIn, s.saveLayout},
		{"GET /envelopes/{id}/review", signedIn, s.reviewPage},
		{"POST /envelopes/{id}/send", signedIn, s.send},
		{"POST /envelopes/{id}/cancel", signedIn, s.cancel},
		{"POST /envelopes/{id}/delete", signedIn, s.deleteEnvelope},
		{"POST /envelopes/{id}/archive", signedIn, s.archiveEnvelope},
		{"POST /envelopes/{id}/seal", signedIn, s.retrySeal},
		{"POST /envelopes/{id}/recipients/{recipient}/remind", signedIn, s.remind},
		{"GET /envelopes/{id}/documents/{document}/pages/{page}", signedIn, s.envelopePicture},
		{"GET /envelopes/{id}/documents/{document}/{version}", signedIn, s.download},
		{"GET /envelopes/{id}/audit-log", signedIn, s.ofEnvelope(s.Desk.AuditFile)},
		{"GET /envelopes/{id}/combined.pdf", signedIn, s.ofEnvelope(s.Desk.CombinedFile)},
		{"GET /envelopes/{id}/files.zip", signedIn, s.ofEnvelope(s.Desk.ArchiveFile)},

		// Signing: the token in the path is the key
		{"GET /sign/{token}", anybody, squeezed(s.signPage)},
		{"GET /s/{token}", anybody, squeezed(s.signPage)},
		{"GET /sign/{token}/plain", anybody, squeezed(s.signPlainPage)},
		{"GET /sign/{token}/task", anybody, squeezed(s.signTask)},
		{"PUT /sign/{token}/fields/{field}", anybody, s.signValue},
		{"POST /sign/{token}", anybody, s.signFinish},
		{"POST /sign/{token}/decline", anybody, s.signDecline},
		{"GET /sign/{token}/fields/{field}/picture", anybody, s.signFieldPicture},
		{"GET /sign/{token}/documents/{document}/pages/{page}", anybody, s.signPicture},
		{"GET /sign/{token}/documents/{document}/pages/{page}/text", anybody, squeezed(s.signWords)},
		{"GET /sign/{token}/documents/{document}", anybody, s.signDownload},
		{"GET /sign/{token}/documents/{document}/{version}", anybody, s.signDownload},
		{"GET /sign/{token}/audit-log", anybody, s.ofLink(s.Desk.AuditFile)},
		{"GET /sign/{token}/combined.pdf", anybody, s.ofLink(s.Desk.CombinedFile)},
		{"GET /sign/{token}/files.zip", anybody, s.ofLink(s.Desk.ArchiveFile)},

		// Public
		{"GET /e/{slug}", anybody, s.previewPage},
		{"GET /file/{token}/{name}", anybody, s.file},
		{"GET /verify", anybody, s.verifyPage},
		{"POST /verify", anybody, s.verify},

		// Development
		{"GET /dev/mail", anybody, s.devMail},
		{"GET /dev/mail/{id}", anybody, s.devMailPage},
		{"GET /dev/mail/{id}/html", anybody, s.devMailHTML},
		{"GET /dev/inbox", anybody, s.devInbox},
		{"POST /dev/inbox", anybody, s.devClear},
		{"POST /dev/inbox/{name}", anybody, s.devReceive},
	}
}

// New makes the handler of all pages.
func New(cfg Config) (http.Handler, error) {
	if cfg.Desk == nil || cfg.Store == nil || cfg.Assets == nil || cfg.Log == nil || cfg.MaxSize <= 0 {
		return nil, errors.New("web: the config is incomplete")
	}
	base, err := url.Parse(cfg.BaseURL)
	if err != nil || base.Host == "" {
		return nil, errors.New("web: BaseURL is not an address such as https://sign.example.com")
	}
	s := &server{Config: cfg, secure: base.Scheme == "https", host: base.Hostname(), tries: newTries(10, time.Minute), inks: newTries(100, time.Minute), pens: newTries(paraph.MaxFields, time.Minute)}
	mux := http.NewServeMux()
	for _, rt := range s.routes() {
		mux.Handle(rt.pattern, s.known(s.answer(s.admit(rt))))
	}
	mux.Handle("GET "+assets.Prefix, cfg.Assets)
	mux.Handle("/", s.known(s.answer(func(http.ResponseWriter, *http.Request) error { return errNoPage })))
	guard := http.NewCrossOriginProtection()
	if err := guard.AddTrustedOrigin(base.Scheme + "://" + base.Host); err != nil {
		return nil, err
	}
	guard.SetDenyHandler(s.known(s.answer(func(http.ResponseWriter, *http.Request) error { return errCrossOrigin })))
	return headers(guard.Handler(mux)), nil
}

// policy lets a page load from us alone, and nothing inline. Pictures may also
// be data: and blob:, which the signature pad makes.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}
