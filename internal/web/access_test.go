package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// scene is an owner with one of everything, and a stranger with nothing.
type scene struct {
	*site
	t               *testing.T
	owner, stranger desktest.Person
	draft, sent     paraph.Envelope
	endpoint        paraph.Endpoint
	delivery        paraph.Delivery
	replay          paraph.Replay
	token           paraph.APIToken
	file            string // a link to the sent document
}

// secretWords stand in the owner's things and nowhere else.
var secretWords = []string{"Topsecret", "secret.example"}

func newScene(t *testing.T) *scene {
	t.Helper()
	return newSceneWith(t, desktest.Options{})
}

func newSceneWith(t *testing.T, o desktest.Options) *scene {
	t.Helper()
	o.Own = true
	o.Allow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s := &scene{t: t, site: newSite(t, o)}
	s.owner, s.stranger = s.Person(t, "Olive Owner"), s.Person(t, "Stan Stranger")
	var err error
	check := func() {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.endpoint, err = s.Desk.CreateEndpoint(t.Context(), s.owner.Who, paraph.Endpoint{URL: "http://127.0.0.1:1/secret.example", Events: []string{"*"}, Enabled: true})
	check()
	s.delivery, err = s.Desk.SendTest(t.Context(), s.owner.Who, s.endpoint.ID, "document.sent")
	check()
	failDeliveries(t, s.World, s.endpoint, "document.sent")
	s.replay, err = s.Desk.StartReplay(t.Context(), s.owner.Who, s.endpoint.ID, paraph.ReplayFilter{})
	check()
	_, s.token, err = s.Desk.CreateToken(t.Context(), s.owner.Who, "Topsecret token")
	check()
	doc, err := s.Desk.Prepare(t.Context(), "Topsecret merger.pdf", desktest.PDF(2))
	check()
	who := []desk.Prepared{doc}
	s.draft, err = s.Desk.Create(t.Context(), s.owner.Who, "Topsecret draft", who)
	check()
	s.sent, err = s.Desk.CreateAndSend(t.Context(), s.owner.Who, pendingOrder("Topsecret merger", who))
	check()
	link := s.Desk.Links.DocumentLink(&s.sent, s.sent.Documents[0], s.Store.Now())
	s.file = strings.TrimPrefix(link, s.Desk.Links.Base)
	return s
}

// pendingOrder is an envelope for two people in order: Bob signs and writes a
// text, Carol signs.
func pendingOrder(name string, docs []desk.Prepared) desk.Order {
	area := func(y float64) []paraph.Area { return []paraph.Area{{DocumentID: -1, X: 0.1, Y: y, W: 0.3, H: 0.05}} }
	return desk.Order{
		Name: name, Source: paraph.FromAPI, Documents: docs, Details: paraph.Details{Sequential: true},
		Recipients: []paraph.Recipient{
			{ID: -1, Kind: paraph.Signer, Role: "Buyer", Name: "Bob Brown", Email: "bob@secret.example", Order: 1, SendEmail: true},
			{ID: -2, Kind: paraph.Signer, Role: "Seller", Name: "Carol Caraway", Email: "carol@secret.example", Order: 2, SendEmail: true},
		},
		Fields: []paraph.Field{
			{RecipientID: -1, Type: paraph.SignatureField, Required: true, Areas: area(0.1)},
			{RecipientID: -1, Type: paraph.TextField, Name: "Place", Areas: area(0.2)},
			{RecipientID: -2, Type: paraph.SignatureField, Required: true, Areas: area(0.3)},
			{RecipientID: -2, Type: paraph.PhoneField, Name: "Phone", Required: true, Areas: area(0.4)},
		},
	}
}

// path fills the names in a path with the owner's things.
func (s *scene) path(p string) string {
	e, bob := s.sent, s.sent.Recipients[0]
	return strings.NewReplacer(
		"{draft}", id(s.draft.ID), "{sent}", id(e.ID), "{document}", id(e.Documents[0].ID), "{recipient}", id(bob.ID),
		"{bob}", bob.Token, "{text}", id(e.FieldsOf(bob.ID)[1].ID), "{signature}", id(e.FieldsOf(bob.ID)[0].ID), "{slug}", e.Slug,
		"{endpoint}", id(s.endpoint.ID), "{delivery}", id(s.delivery.ID), "{replay}", id(s.replay.ID), "{apitoken}", id(s.token.ID), "{file}", s.file, "{user}", id(s.owner.User.ID),
	).Replace(p)
}

// expected is what a route answers, to nobody, to a stranger (somebody with
// another space) and to the owner, each with an empty form. shows says that
// the path itself is the key, so that whoever has it may see what it opens.
type expected struct {
	path                    string
	nobody, stranger, owner int
	shows                   bool
}

var expectations = map[string]expected{
	"GET /{$}":                           {path: "/", nobody: 303, stranger: 303, owner: 303},
	"GET /setup":                         {path: "/setup", nobody: 303, stranger: 303, owner: 303},
	"POST /setup":                        {path: "/setup", nobody: 409, stranger: 409, owner: 409},
	"GET /signin":                        {path: "/signin", nobody: 200, stranger: 303, owner: 303},
	"POST /signin":                       {path: "/signin", nobody: 401, stranger: 401, owner: 401},
	"POST /signout":                      {path: "/signout", nobody: 303, stranger: 303, owner: 303},
	"GET /signup":                        {path: "/signup", nobody: 200, stranger: 303, owner: 303},
	"POST /signup":                       {path: "/signup", nobody: 422, stranger: 422, owner: 422},
	"GET /forgot":                        {path: "/forgot", nobody: 200, stranger: 200, owner: 200},
	"POST /forgot":                       {path: "/forgot", nobody: 422, stranger: 422, owner: 422},
	"GET /reset/{token}":                 {path: "/reset/guess", nobody: 404, stranger: 404, owner: 404},
	"POST /reset/{token}":                {path: "/reset/guess", nobody: 404, stranger: 404, owner: 404},
	"GET /join/{token}":                  {path: "/join/guess", nobody: 404, stranger: 404, owner: 404},
	"POST /join/{token}":                 {path: "/join/guess", nobody: 404, stranger: 404, owner: 404},
	"POST /space":                        {path: "/space", nobody: 401, stranger: 404, owner: 404},
	"GET /teams/new":                     {path: "/teams/new", nobody: 303, stranger: 200, owner: 200},
	"POST /teams":                        {path: "/teams", nobody: 401, stranger: 422, owner: 422},
	"GET /team":                          {path: "/team", nobody: 303, stranger: 200, owner: 200},
	"POST /team":                         {path: "/team", nobody: 401, stranger: 303, owner: 303},
	"POST /team/invitations":             {path: "/team/invitations", nobody: 401, stranger: 303, owner: 303},
	"POST /team/invitations/{id}/delete": {path: "/team/invitations/1/delete", nobody: 401, stranger: 303, owner: 303},
	"POST /team/members/{id}/delete":     {path: "/team/members/{user}/delete", nobody: 401, stranger: 303, owner: 303},

	"GET /settings":                                             {path: "/settings", nobody: 303, stranger: 303, owner: 303},
	"GET /settings/profile":                                     {path: "/settings/profile", nobody: 303, stranger: 200, owner: 200},
	"POST /settings/profile":                                    {path: "/settings/profile", nobody: 401, stranger: 422, owner: 422},
	"GET /settings/password":                                    {path: "/settings/password", nobody: 303, stranger: 200, owner: 200},
	"POST /settings/password":                                   {path: "/settings/password", nobody: 401, stranger: 422, owner: 422},
	"GET /settings/tokens":                                      {path: "/settings/tokens", nobody: 303, stranger: 200, owner: 200},
	"POST /settings/tokens":                                     {path: "/settings/tokens", nobody: 401, stranger: 422, owner: 422},
	"POST /settings/tokens/{id}/delete":                         {path: "/settings/tokens/{apitoken}/delete", nobody: 401, stranger: 404, owner: 303},
	"GET /settings/instance":                                    {path: "/settings/instance", nobody: 303, stranger: 403, owner: 200},
	"POST /settings/instance":                                   {path: "/settings/instance", nobody: 401, stranger: 403, owner: 303},
	"GET /settings/documents":                                   {path: "/settings/documents", nobody: 303, stranger: 200, owner: 200},
	"POST /settings/documents":                                  {path: "/settings/documents", nobody: 401, stranger: 422, owner: 422},
	"GET /settings/documents/recipients-ca.pem":                 {path: "/settings/documents/recipients-ca.pem", nobody: 303, stranger: 404, owner: 404},
	"GET /settings/certificate":                                 {path: "/settings/certificate", nobody: 303, stranger: 403, owner: 200},
	"POST /settings/certificate/upload":                         {path: "/settings/certificate/upload", nobody: 401, stranger: 403, owner: 422},
	"POST /settings/certificate/generate":                       {path: "/settings/certificate/generate", nobody: 401, stranger: 403, owner: 422},
	"POST /settings/certificate/{id}/use":                       {path: "/settings/certificate/1/use", nobody: 401, stranger: 403, owner: 303},
	"GET /settings/certificate/{id}/{file}":                     {path: "/settings/certificate/1/certificate.pem", nobody: 303, stranger: 403, owner: 200},
	"GET /settings/webhooks":                                    {path: "/settings/webhooks", nobody: 303, stranger: 200, owner: 200},
	"POST /settings/webhooks":                                   {path: "/settings/webhooks", nobody: 401, stranger: 422, owner: 422},
	"GET /settings/webhooks/new":                                {path: "/settings/webhooks/new", nobody: 303, stranger: 200, owner: 200},
	"GET /settings/webhooks/log":                                {path: "/settings/webhooks/log", nobody: 303, stranger: 200, owner: 200},
	"GET /settings/webhooks/log.csv":                            {path: "/settings/webhooks/log.csv", nobody: 303, stranger: 200, owner: 200},
	"GET /settings/webhooks/{id}":                               {path: "/settings/webhooks/{endpoint}", nobody: 303, stranger: 404, owner: 200},
	"POST /settings/webhooks/{id}":                              {path: "/settings/webhooks/{endpoint}", nobody: 401, stranger: 404, owner: 422},
	"GET /settings/webhooks/{id}/edit":                          {path: "/settings/webhooks/{endpoint}/edit", nobody: 303, stranger: 404, owner: 200},
	"GET /settings/webhooks/{id}/delete":                        {path: "/settings/webhooks/{endpoint}/delete", nobody: 303, stranger: 404, owner: 200},
	"POST /settings/webhooks/{id}/delete":                       {path: "/settings/webhooks/{endpoint}/delete", nobody: 401, stranger: 404, owner: 303},
	"POST /settings/webhooks/{id}/switch":                       {path: "/settings/webhooks/{endpoint}/switch", nobody: 401, stranger: 404, owner: 303},
	"GET /settings/webhooks/{id}/secrets":                       {path: "/settings/webhooks/{endpoint}/secrets", nobody: 303, stranger: 404, owner: 200},
	"POST /settings/webhooks/{id}/secrets":                      {path: "/settings/webhooks/{endpoint}/secrets", nobody: 401, stranger: 404, owner: 200},
	"POST /settings/webhooks/{id}/secret/end":                   {path: "/settings/webhooks/{endpoint}/secret/end", nobody: 401, stranger: 404, owner: 303},
	"POST /settings/webhooks/{id}/secret":                       {path: "/settings/webhooks/{endpoint}/secret", nobody: 401, stranger: 404, owner: 303},
	"GET /settings/webhooks/{id}/replay":                        {path: "/settings/webhooks/{endpoint}/replay", nobody: 303, stranger: 404, owner: 200},
	"POST /settings/webhooks/{id}/replays":                      {path: "/settings/webhooks/{endpoint}/replays", nobody: 401, stranger: 404, owner: 409},
	"GET /settings/webhooks/{id}/replays/{replay}":              {path: "/settings/webhooks/{endpoint}/replays/{replay}", nobody: 303, stranger: 404, owner: 200},
	"POST /settings/webhooks/{id}/replays/{replay}/cancel":      {path: "/settings/webhooks/{endpoint}/replays/{replay}/cancel", nobody: 401, stranger: 404, owner: 303},
	"POST /settings/webhooks/{id}/test":                         {path: "/settings/webhooks/{endpoint}/test", nobody: 401, stranger: 404, owner: 303},
	"GET /settings/webhooks/{id}/deliveries/{delivery}":         {path: "/settings/webhooks/{endpoint}/deliveries/{delivery}", nobody: 303, stranger: 404, owner: 200},
	"POST /settings/webhooks/{id}/deliveries/{delivery}/resend": {path: "/settings/webhooks/{endpoint}/deliveries/{delivery}/resend", nobody: 401, stranger: 404, owner: 303},

	"GET /envelopes":                                        {path: "/envelopes", nobody: 303, stranger: 200, owner: 200},
	"GET /envelopes/new":                                    {path: "/envelopes/new", nobody: 303, stranger: 200, owner: 200},
	"POST /envelopes":                                       {path: "/envelopes", nobody: 401, stranger: 422, owner: 422},
	"GET /envelopes/{id}":                                   {path: "/envelopes/{sent}", nobody: 303, stranger: 404, owner: 200},
	"GET /envelopes/{id}/edit":                              {path: "/envelopes/{draft}/edit", nobody: 303, stranger: 404, owner: 200},
	"POST /envelopes/{id}/documents":                        {path: "/envelopes/{draft}/documents", nobody: 401, stranger: 404, owner: 303},
	"POST /envelopes/{id}/details":                          {path: "/envelopes/{draft}/details", nobody: 401, stranger: 404, owner: 422},
	"GET /envelopes/{id}/fields":                            {path: "/envelopes/{draft}/fields", nobody: 303, stranger: 404, owner: 303},
	"POST /envelopes/{id}/fields":                           {path: "/envelopes/{draft}/fields", nobody: 401, stranger: 404, owner: 422},
	"GET /envelopes/{id}/layout":                            {path: "/envelopes/{draft}/layout", nobody: 303, stranger: 404, owner: 200},
	"PUT /envelopes/{id}/layout":                            {path: "/envelopes/{draft}/layout", nobody: 401, stranger: 404, owner: 422},
	"GET /envelopes/{id}/review":                            {path: "/envelopes/{draft}/review", nobody: 303, stranger: 404, owner: 200},
	"POST /envelopes/{id}/send":                             {path: "/envelopes/{draft}/send", nobody: 401, stranger: 404, owner: 422},
	"POST /envelopes/{id}/cancel":                           {path: "/envelopes/{sent}/cancel", nobody: 401, stranger: 404, owner: 303},
	"POST /envelopes/{id}/delete":                           {path: "/envelopes/{sent}/delete", nobody: 401, stranger: 404, owner: 303},
	"POST /envelopes/{id}/seal":                             {path: "/envelopes/{sent}/seal", nobody: 401, stranger: 404, owner: 303},
	"POST /envelopes/{id}/archive":                          {path: "/envelopes/{sent}/archive", nobody: 401, stranger: 404, owner: 303},
	"POST /envelopes/{id}/recipients/{recipient}/remind":    {path: "/envelopes/{sent}/recipients/{recipient}/remind", nobody: 401, stranger: 404, owner: 303},
	"GET /envelopes/{id}/documents/{document}/pages/{page}": {path: "/envelopes/{sent}/documents/{document}/pages/1", nobody: 303, stranger: 404, owner: 200},
	"GET /envelopes/{id}/documents/{document}/{version}":    {path: "/envelopes/{sent}/documents/{document}/original", nobody: 303, stranger: 404, owner: 200},
	"GET /envelopes/{id}/audit-log":                         {path: "/envelopes/{sent}/audit-log", nobody: 303, stranger: 404, owner: 404},

	"GET /envelopes/{id}/combined.pdf": {path: "/envelopes/{sent}/combined.pdf", nobody: 303, stranger: 404, owner: 404},
	"GET /envelopes/{id}/files.zip":    {path: "/envelopes/{sent}/files.zip", nobody: 303, stranger: 404, owner: 200},

	"GET /sign/{token}/documents/{document}/{version}":         {path: "/sign/{bob}/documents/{document}/original", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /sign/{token}/audit-log":                              {path: "/sign/{bob}/audit-log", nobody: 404, stranger: 404, owner: 404, shows: true},
	"GET /sign/{token}/combined.pdf":                           {path: "/sign/{bob}/combined.pdf", nobody: 404, stranger: 404, owner: 404, shows: true},
	"GET /sign/{token}/files.zip":                              {path: "/sign/{bob}/files.zip", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /sign/{token}":                                        {path: "/sign/{bob}", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /s/{token}":                                           {path: "/s/{bob}", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /sign/{token}/plain":                                  {path: "/sign/{bob}/plain", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /sign/{token}/task":                                   {path: "/sign/{bob}/task", nobody: 200, stranger: 200, owner: 200, shows: true},
	"PUT /sign/{token}/fields/{field}":                         {path: "/sign/{bob}/fields/{text}", nobody: 422, stranger: 422, owner: 422},
	"POST /sign/{token}":                                       {path: "/sign/{bob}", nobody: 422, stranger: 422, owner: 422, shows: true},
	"POST /sign/{token}/decline":                               {path: "/sign/{bob}/decline", nobody: 422, stranger: 422, owner: 422, shows: true},
	"GET /sign/{token}/fields/{field}/picture":                 {path: "/sign/{bob}/fields/{signature}/picture", nobody: 404, stranger: 404, owner: 404},
	"GET /sign/{token}/documents/{document}/pages/{page}":      {path: "/sign/{bob}/documents/{document}/pages/0", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /sign/{token}/documents/{document}/pages/{page}/text": {path: "/sign/{bob}/documents/{document}/pages/1/text", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /sign/{token}/documents/{document}":                   {path: "/sign/{bob}/documents/{document}", nobody: 200, stranger: 200, owner: 200, shows: true},

	"GET /e/{slug}":            {path: "/e/{slug}", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /file/{token}/{name}": {path: "{file}", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /verify":              {path: "/verify", nobody: 200, stranger: 200, owner: 200},
	"POST /verify":             {path: "/verify", nobody: 422, stranger: 422, owner: 422},

	"GET /dev/mail":           {path: "/dev/mail", nobody: 200, stranger: 200, owner: 200, shows: true},
	"GET /dev/mail/{id}":      {path: "/dev/mail/999", nobody: 404, stranger: 404, owner: 404},
	"GET /dev/mail/{id}/html": {path: "/dev/mail/999/html", nobody: 404, stranger: 404, owner: 404},
	"GET /dev/inbox":          {path: "/dev/inbox", nobody: 200, stranger: 200, owner: 200},
	"POST /dev/inbox":         {path: "/dev/inbox", nobody: 303, stranger: 303, owner: 303},
	"POST /dev/inbox/{name}":  {path: "/dev/inbox/x", nobody: 200, stranger: 200, owner: 200},
}

// Every route, as nobody, as a stranger and as the owner, in this order. A
// route without an expectation fails.
func TestWhoMayUseWhat(t *testing.T) {
	t.Parallel()
	for _, rt := range (&server{}).routes() {
		t.Run(rt.pattern, func(t *testing.T) {
			t.Parallel()
			want, ok := expectations[rt.pattern]
			if !ok {
				t.Fatal("the route has no expectation: say who may use it")
			}
			s := newScene(t)
			path := s.path(want.path)
			if strings.Contains(path, "{") {
				t.Fatalf("%s has a name that the scene does not know", path)
			}
			for _, who := range []struct {
				name   string
				b      browser
				status int
				owns   bool
			}{
				{"nobody", s.nobody(t), want.nobody, false},
				{"a stranger", s.signedIn(t, s.stranger), want.stranger, false},
				{"the owner", s.signedIn(t, s.owner), want.owner, true},
			} {
				a := who.b.use(rt.pattern, path)
				if a.Code != who.status {
					t.Errorf("%s gets %d, want %d: %s", who.name, a.Code, who.status, text(a.Body.String()))
				}
				if !who.owns && !want.shows {
					a.hides(secretWords...)
				}
			}
		})
	}
}

// use sends an empty form, or empty JSON.
func (b browser) use(pattern, path string) answer {
	b.t.Helper()
	method, _, _ := strings.Cut(pattern, " ")
	if method == http.MethodPut {
		return b.json(method, path, map[string]any{})
	}
	r := httptest.NewRequest(method, path, nil)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return b.send(r)
}

// Nothing of the owner's can be reached through an id of the owner's in a path
// that begins with something of the stranger's own.
func TestIdsOfOthersInOwnPaths(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	stan := s.signedIn(t, s.stranger)
	doc, err := s.Desk.Prepare(t.Context(), "own.pdf", desktest.PDF(1))
	if err != nil {
		t.Fatal(err)
	}
	own, err := s.Desk.CreateAndSend(t.Context(), s.stranger.Who, pendingOrder("Own", []desk.Prepared{doc}))
	if err != nil {
		t.Fatal(err)
	}
	base := envelopePath(own.ID)
	for _, path := range []string{
		base + s.path("/documents/{document}/original"), base + s.path("/documents/{document}/pages/0"),
		"/sign/" + own.Recipients[0].Token + s.path("/documents/{document}"), "/sign/" + own.Recipients[0].Token + s.path("/documents/{document}/pages/0"),
		"/sign/" + own.Recipients[0].Token + s.path("/fields/{signature}/picture"),
	} {
		stan.get(path).is(http.StatusNotFound).hides(secretWords...)
	}
	stan.post(base + s.path("/recipients/{recipient}/remind")).is(http.StatusNotFound)
	stan.json(http.MethodPut, "/sign/"+own.Recipients[0].Token+s.path("/fields/{text}"), map[string]string{"value": "x"}).is(http.StatusNotFound)
}

// A form that another site sends is refused, whoever is signed in.
func TestFormsFromOtherSites(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	r := httptest.NewRequest(http.MethodPost, s.path("/envelopes/{sent}/cancel"), nil)
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	s.signedIn(t, s.owner).send(r).is(http.StatusForbidden)
	e, err := s.Store.Envelope(t.Context(), s.owner.Who.AccountID, s.sent.ID)
	if err != nil || e.Status != paraph.Pending {
		t.Errorf("the envelope is %s, %v", e.Status, err)
	}
}
