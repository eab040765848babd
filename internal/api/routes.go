package api

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paraph-sign/paraph/internal/webhook"
)

// The groups in which the routes are described.
const (
	submissions = "Submissions"
	submitters  = "Submitters"
	webhooks    = "Webhooks"
	deliveries  = "Deliveries"
	listeners   = "Listeners"
	others      = "Account and events"
)

// routes is the whole table.
func (a *api) routes() {
	handle(a, route{"POST", "/submissions/pdf", "createSubmissionFromPdf", submissions, "Send PDFs for signing", createAbout, 0}, a.createSubmission)
	handle(a, route{"GET", "/submissions", "listSubmissions", submissions, "List submissions", "The newest first.", 0}, a.listSubmissions)
	handle(a, route{"GET", "/submissions/{id}", "getSubmission", submissions, "Get a submission", "", 0}, a.getSubmission)
	handle(a, route{"PUT", "/submissions/{id}", "updateSubmission", submissions, "Archive a submission or bring it back", "", 0}, a.updateSubmission)
	handle(a, route{"DELETE", "/submissions/{id}", "archiveSubmission", submissions, "Archive or delete a submission", "An archived submission is hidden from lists; its links go on working. A deleted one is gone, and cancelled if it was pending.", 0}, a.deleteSubmission)
	handle(a, route{"GET", "/submissions/{id}/documents", "getSubmissionDocuments", submissions, "Get a submission's documents", "Links to the PDFs as they now stand: sealed once everybody has completed, before that with what has been signed so far.", 0}, a.getDocuments)
	handle(a, route{"GET", "/submissions/{id}/downloads", "getSubmissionDownloads", submissions, "Get links to all files of a submission", "Each document in its versions, the audit log, all as one PDF, all as a ZIP.", 0}, a.getDownloads)

	handle(a, route{"GET", "/submitters", "listSubmitters", submitters, "List submitters", "The newest first.", 0}, a.listSubmitters)
	handle(a, route{"GET", "/submitters/{id}", "getSubmitter", submitters, "Get a submitter", "", 0}, a.getSubmitter)
	handle(a, route{"PUT", "/submitters/{id}", "updateSubmitter", submitters, "Change a submitter, or sign on their behalf", "Everything in the request is done, or nothing. Once a submitter has completed or declined nothing can be changed.", 0}, a.updateSubmitter)

	handle(a, route{"POST", "/webhooks", "createWebhook", webhooks, "Create a webhook", "The answer has the signing secret, which is shown here and after a rotation, and to admins at /api/webhooks/{id}/secret.", http.StatusCreated}, a.createWebhook)
	handle(a, route{"GET", "/webhooks", "listWebhooks", webhooks, "List webhooks", "The newest first.", 0}, a.listWebhooks)
	handle(a, route{"GET", "/webhooks/{id}", "getWebhook", webhooks, "Get a webhook", "", 0}, a.getWebhook)
	handle(a, route{"PUT", "/webhooks/{id}", "updateWebhook", webhooks, "Change a webhook", "What is left out stays as it is. Switching a webhook off stops its queued deliveries at once; they are kept as skipped.", 0}, a.updateWebhook)
	handle(a, route{"DELETE", "/webhooks/{id}", "deleteWebhook", webhooks, "Delete a webhook", "", 0}, a.deleteWebhook)
	handle(a, route{"POST", "/webhooks/{id}/test", "testWebhook", webhooks, "Send a test event", "A made-up event for this webhook only, marked as a test, signed and logged like a real one.", http.StatusCreated}, a.testWebhook)
	handle(a, route{"POST", "/webhooks/{id}/rotate_secret", "rotateWebhookSecret", webhooks, "Make a new signing secret", "The answer has the new secret. The old one goes on signing beside it until its grace is over; X-Docuseal-Signature, which has room for one, is made with the new one at once. For admins of the space.", 0}, a.rotateSecret)
	handle(a, route{"POST", "/webhooks/{id}/end_previous_secret", "endPreviousWebhookSecret", webhooks, "End the previous signing secret now", "Its grace is over at once. For admins of the space.", 0}, a.endPreviousSecret)
	handle(a, route{"GET", "/webhooks/{id}/secret", "getWebhookSecret", webhooks, "Show a webhook's secrets", "For tokens of admins of the space. Nowhere else are secrets answered after the creation.", 0}, a.webhookSecrets)
	handle(a, route{"POST", "/webhooks/{id}/enable", "enableWebhook", webhooks, "Switch a webhook on", "The answer tells what it missed, which can be replayed.", 0}, a.enableWebhook)

	handle(a, route{"GET", "/webhooks/{id}/health", "getWebhookHealth", webhooks, "Get how a webhook has answered", "By the hour. Attempts are counted, tests too.", 0}, a.getHealth)
	handle(a, route{"GET", "/webhooks/{id}/deliveries", "listDeliveries", deliveries, "List a webhook's deliveries", "The newest first. One page looks at 20,000 deliveries at most, so that with a filter a page can be short, or empty, and still have a next.", 0}, a.listDeliveries)
	handle(a, route{"GET", "/deliveries", "listAllDeliveries", deliveries, "List the deliveries of all webhooks", "The newest first. One page looks at 20,000 deliveries at most, so that with a filter a page can be short, or empty, and still have a next.", 0}, a.listAllDeliveries)
	a.handleExport()
	handle(a, route{"GET", "/deliveries/{id}", "getDelivery", deliveries, "Get a delivery with all its attempts", "The body is shown as it was sent, with the tokens of signing links masked.", 0}, a.getDelivery)
	handle(a, route{"POST", "/deliveries/{id}/resend", "resendDelivery", deliveries, "Send a delivery again", "The same bytes under the same webhook-id, at once, with the whole schedule of retries.", 0}, a.resendDelivery)
	handle(a, route{"POST", "/webhooks/{id}/replays", "createReplay", deliveries, "Send many deliveries again", replayAbout, http.StatusCreated}, a.createReplay)
	handle(a, route{"GET", "/webhooks/{id}/replays", "listReplays", deliveries, "List a webhook's replays", "The newest first.", 0}, a.listReplays)
	handle(a, route{"GET", "/webhooks/{id}/replays/{replay_id}", "getReplay", deliveries, "Get a replay's progress", "", 0}, a.getReplay)
	handle(a, route{"POST", "/webhooks/{id}/replays/{replay_id}/cancel", "cancelReplay", deliveries, "Cancel a replay", "Nothing more is queued, and what is queued and was not tried yet goes back to how it was. What was tried and failed keeps its retries. A replay that is over stays as it is.", 0}, a.cancelReplay)

	handle(a, route{"POST", "/listeners", "createListener", listeners, "Begin to listen", "For a program that is connected, such as paraph listen, and not for a server: ask for events again and again, or the listener is gone after two minutes.", http.StatusCreated}, a.createListener)
	handle(a, route{"GET", "/listeners", "listListeners", listeners, "List listeners", "", 0}, a.listListeners)
	handle(a, route{"POST", "/listeners/{id}/events", "hearEvents", listeners, "Hear events", "Answers what waits for the listener, and waits when there is nothing. What is not named as received is answered again, so nothing is lost when an answer is. 404 when the listener is gone: events may have passed it by.", 0}, a.hear)
	handle(a, route{"POST", "/listeners/test", "testListeners", listeners, "Send a test event to all listeners", "", 0}, a.testListeners)
	handle(a, route{"DELETE", "/listeners/{id}", "deleteListener", listeners, "End a listener", "", 0}, a.deleteListener)

	handle(a, route{"POST", "/tools/verify", "verifyPdf", others, "Verify a PDF's signatures", verifyAbout, 0}, a.verify)
	handle(a, route{"GET", "/user", "getUser", others, "Get the token's user", "", 0}, a.getUser)
	handle(a, route{"GET", "/events/types", "listEventTypes", others, "List the events that webhooks can ask for", "For people they are shown at /docs/events.", 0}, a.listEventTypes)
	handle(a, route{"GET", "/events/types/{name}", "getEventType", others, "Get an event with the schema of its body", "", 0}, a.getEventType)
	a.describeEventSchema()
}

// route describes an operation.
type route struct {
	method, path, id, group, summary, about string
	status                                  int // of success; 0: 200
}

// ours tells resources that DocuSeal has not.
func (r route) ours() bool {
	return r.group == webhooks || r.group == deliveries || r.group == listeners
}

// output is what huma writes.
type output[T any] struct {
	Body T
}

// handle adds a route. f parses with the help of I, calls one verb, answers.
func handle[I, O any](a *api, r route, f func(ctx context.Context, in *I) (O, error)) {
	op := huma.Operation{
		Method: r.method, Path: "/api" + r.path, OperationID: r.id, Tags: []string{r.group}, Summary: r.summary, Description: r.about,
		DefaultStatus: r.status, Responses: a.errorResponses(),
		SkipValidateBody: true, // see input
		MaxBodyBytes:     -1,   // see readBody
		BodyReadTimeout:  -1,
	}
	a.order = append(a.order, r.id)
	huma.Register(a.huma, op, func(ctx context.Context, in *I) (*output[O], error) {
		out, err := f(ctx, in)
		if err != nil {
			return nil, a.failed(callOf(ctx), err, r.ours())
		}
		return &output[O]{out}, nil
	})
}

// handleExport adds the one route that answers a file.
func (a *api) handleExport() {
	a.order = append(a.order, "exportDeliveries")
	huma.Register(a.huma, huma.Operation{
		Method: "GET", Path: "/api/deliveries.csv", OperationID: "exportDeliveries", Tags: []string{deliveries}, Summary: "Get deliveries as a file",
		Description: "Comma-separated values, the newest first, 100,000 at most; when there are more, the last line says so. A text that a spreadsheet would take for a formula has an apostrophe before it.",
		Responses: map[string]*huma.Response{
			"200":     {Description: "OK", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}},
			"default": a.errorResponses()["default"],
		},
	}, a.exportDeliveries)
}

// errorResponses documents what is answered when something is wrong.
func (a *api) errorResponses() map[string]*huma.Response {
	schema := a.huma.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	content := map[string]*huma.MediaType{"application/json": {Schema: schema}}
	return map[string]*huma.Response{
		"default": {Description: "401 without a valid token, 404 for what is not there or belongs to others, 413 for what is too large, 422 for what is wrong with the request, 429 for too many requests.", Content: content},
	}
}

// humaConfig is an API of JSON, without the parts of huma that need the
// network or add keys of their own to answers.
func humaConfig(cfg Config) huma.Config {
	registry := huma.NewMapRegistry("#/components/schemas/", schemaName)
	registry.RegisterTypeAlias(reflect.TypeFor[webhook.Stamp](), reflect.TypeFor[optionalTime]())
	c := huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    &huma.Info{Title: "Paraph API", Version: cfg.Version, Description: introduction, License: &huma.License{Name: "Apache-2.0"}},
			Servers: []*huma.Server{{URL: cfg.Desk.Links.Base}},
			Components: &huma.Components{Schemas: registry, SecuritySchemes: map[string]*huma.SecurityScheme{
				"token":  {Type: "apiKey", In: "header", Name: "X-Auth-Token"},
				"bearer": {Type: "http", Scheme: "bearer"},
			}},
			Security: []map[string][]string{{"token": {}}, {"bearer": {}}},
			Tags: []*huma.Tag{
				{Name: submissions, Description: "One signing process: documents, submitters, fields."},
				{Name: submitters, Description: "The people who sign."},
				{Name: webhooks, Description: "URLs that want to hear of events."},
				{Name: deliveries, Description: "The log: what was sent to a webhook, and what it answered."},
				{Name: listeners, Description: "Programs that hear events while they are connected; see paraph listen."},
				{Name: others},
			},
		},
		Formats:       map[string]huma.Format{"application/json": huma.DefaultJSONFormat, "json": huma.DefaultJSONFormat},
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{ownErrors},
	}
	c.AllowAdditionalPropertiesByDefault = true
	c.FieldsOptionalByDefault = true
	return c
}

// schemaName is what a type is called in the description.
func schemaName(t reflect.Type, hint string) string {
	return strings.ReplaceAll(huma.DefaultSchemaNamer(t, hint), "Docuseal", "")
}

// optionalTime documents webhook.Stamp.
type optionalTime struct{}

// Schema is a string in ISO 8601, or null.
func (optionalTime) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Nullable: true, Examples: []any{"2026-09-14T10:07:12.882Z"}}
}
