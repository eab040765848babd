package webhook

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The keys that readers of either dialect were promised, in a notation of our own: "a.b" is the key b in the object a, "[]" every
// element of an array, a type with "?" may be null. The tables are the contract; they are not derived from our structs.

// promisedDocumenso is the field table that consumers of Documenso's webhooks were given in 2024.
const promisedDocumenso = `
event string
payload.id number
payload.userId number
payload.authOptions json?
payload.formValues json?
payload.title string
payload.status string
payload.documentDataId string
payload.createdAt datetime
payload.updatedAt datetime
payload.completedAt datetime?
payload.deletedAt datetime?
payload.teamId number?
payload.documentData.id string
payload.documentData.type string
payload.documentData.data string
payload.documentData.initialData string
payload.Recipient[].id number
payload.Recipient[].documentId number?
payload.Recipient[].templateId number?
payload.Recipient[].email string
payload.Recipient[].name string
payload.Recipient[].token string
payload.Recipient[].expired datetime?
payload.Recipient[].signedAt datetime?
payload.Recipient[].authOptions.accessAuth json?
payload.Recipient[].authOptions.actionAuth json?
payload.Recipient[].role string
payload.Recipient[].readStatus string
payload.Recipient[].signingStatus string
payload.Recipient[].sendStatus string
createdAt datetime
webhookEndpoint string
`

// promisedDocumensoNow is what its payload has today beyond that.
const promisedDocumensoNow = `
payload.envelopeId string
payload.externalId string?
payload.visibility string
payload.templateId number?
payload.source string
payload.documentMeta.id string
payload.documentMeta.subject string?
payload.documentMeta.message string?
payload.documentMeta.timezone string
payload.documentMeta.dateFormat string
payload.documentMeta.redirectUrl string?
payload.documentMeta.signingOrder string
payload.documentMeta.allowDictateNextSigner bool
payload.documentMeta.typedSignatureEnabled bool
payload.documentMeta.uploadSignatureEnabled bool
payload.documentMeta.drawSignatureEnabled bool
payload.documentMeta.language string
payload.documentMeta.distributionMethod string
payload.documentMeta.emailSettings json?
payload.recipients[].id number
payload.recipients[].envelopeId string
payload.recipients[].documentId number?
payload.recipients[].templateId number?
payload.recipients[].email string
payload.recipients[].name string
payload.recipients[].token string
payload.recipients[].documentDeletedAt datetime?
payload.recipients[].expired datetime?
payload.recipients[].expiresAt datetime?
payload.recipients[].expirationNotifiedAt datetime?
payload.recipients[].signedAt datetime?
payload.recipients[].authOptions json?
payload.recipients[].signingOrder number?
payload.recipients[].rejectionReason string?
payload.recipients[].role string
payload.recipients[].readStatus string
payload.recipients[].signingStatus string
payload.recipients[].sendStatus string
`

// promisedForm is the published schema of DocuSeal's form webhook; its optional keys may be null.
const promisedForm = `
event_type string
timestamp datetime
data.id number
data.submission_id number
data.email string?
data.ua string?
data.ip string?
data.name string?
data.phone string?
data.role string
data.external_id string?
data.application_key string?
data.decline_reason string?
data.sent_at datetime?
data.status string
data.opened_at datetime?
data.completed_at datetime?
data.declined_at datetime?
data.created_at datetime
data.updated_at datetime
data.submission.id number
data.submission.audit_log_url string?
data.submission.combined_document_url string?
data.submission.status string
data.submission.url string
data.submission.variables object
data.submission.created_at datetime
data.template.id number
data.template.name string
data.template.external_id string?
data.template.created_at datetime
data.template.updated_at datetime
data.template.folder_name string
data.preferences.send_email bool
data.preferences.send_sms bool
data.values[].field string
data.values[].value json?
data.values[].values json?
data.metadata object
data.audit_log_url string?
data.submission_url string
data.documents[].name string
data.documents[].url string
`

// promisedSubmission is what its submission webhooks really have.
const promisedSubmission = `
event_type string
timestamp datetime
data.id number
data.name string?
data.slug string
data.source string
data.submitters_order string
data.expire_at datetime?
data.created_at datetime
data.updated_at datetime
data.archived_at datetime?
data.submitters[].id number
data.submitters[].slug string
data.submitters[].uuid string
data.submitters[].name string?
data.submitters[].email string?
data.submitters[].phone string?
data.submitters[].completed_at datetime?
data.submitters[].declined_at datetime?
data.submitters[].external_id string?
data.submitters[].submission_id number
data.submitters[].metadata object
data.submitters[].opened_at datetime?
data.submitters[].sent_at datetime?
data.submitters[].created_at datetime
data.submitters[].updated_at datetime
data.submitters[].status string
data.submitters[].application_key string?
data.submitters[].values[].field string
data.submitters[].values[].value json?
data.submitters[].values[].values json?
data.submitters[].documents[].name string
data.submitters[].documents[].url string
data.submitters[].preferences.send_email bool
data.submitters[].preferences.send_sms bool
data.submitters[].role string
data.template.id number
data.template.name string
data.template.external_id string?
data.template.created_at datetime
data.template.updated_at datetime
data.template.folder_name string
data.created_by_user.id number
data.created_by_user.email string
data.created_by_user.first_name string
data.created_by_user.last_name string
data.variables object
data.submission_events[].id number
data.submission_events[].submitter_id number
data.submission_events[].event_type string
data.submission_events[].event_timestamp datetime
data.submission_events[].data object
data.documents[].name string
data.documents[].url string
data.audit_log_url string?
data.combined_document_url string?
data.status string
data.completed_at datetime?
`

// promise is the table for an event.
func promise(n Name) string {
	switch {
	case n.Name == "submission.archived":
		return "event_type string\ntimestamp datetime\ndata.id number\ndata.archived_at datetime"
	case n.Dialect == Documenso:
		return promisedDocumenso + promisedDocumensoNow + strings.ReplaceAll(promisedDocumensoNow, "recipients[]", "Recipient[]")
	case n.Family() == "form.*":
		return promisedForm
	}
	return promisedSubmission
}

// TestPromisedFields: every body has every promised key with its type, and no key that nobody was promised.
func TestPromisedFields(t *testing.T) {
	t.Parallel()
	at := snapshots(t)
	for _, n := range Names() {
		t.Run(n.Name, func(t *testing.T) {
			t.Parallel()
			body := decoded(t, n.Name, at[n.Name])
			known := map[string]bool{}
			for line := range strings.Lines(promise(n)) {
				path, kind, ok := strings.Cut(strings.TrimSpace(line), " ")
				if !ok {
					continue
				}
				known[path] = true
				for _, problem := range check(body, path, path, kind) {
					t.Error(problem)
				}
			}
			for _, path := range leaves(body, "") {
				if !covered(known, path) {
					t.Errorf("%s was promised to nobody", path)
				}
			}
		})
	}
}

// TestEveryPromiseIsKeptSomewhere: what may be null or an empty array is more than that in at least one event, so that a key can't
// pass by never having a value. The exceptions have no source yet.
func TestEveryPromiseIsKeptSomewhere(t *testing.T) {
	t.Parallel()
	never := []string{
		"payload.authOptions", "payload.formValues", "payload.deletedAt", "payload.documentMeta.emailSettings", "accessAuth", "actionAuth",
		"Recipient[].templateId", "recipients[].templateId", "documentDeletedAt", "combined_document_url", "data.archived_at",
		"recipients[].authOptions", "submitters[].declined_at",
	}
	filled := map[string]bool{}
	at := snapshots(t)
	for _, n := range Names() {
		for _, path := range leaves(decoded(t, n.Name, at[n.Name]), "") {
			filled[path] = true
		}
	}
	last := at["document.completed"] // the last recipient's completion is told when the artefacts are stored
	last.Event.RecipientID = basho
	for _, path := range leaves(decoded(t, "form.completed", last), "") {
		filled[path] = true
	}
	for line := range strings.Lines(promisedDocumenso + promisedDocumensoNow + promisedForm + promisedSubmission) {
		path, kind, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || kind == "object" || slices.ContainsFunc(never, func(end string) bool { return strings.HasSuffix(path, end) }) {
			continue
		}
		if !filled[path] && !slices.ContainsFunc(keys(filled), func(k string) bool { return strings.HasPrefix(k, path) }) {
			t.Errorf("%s never has a value", path)
		}
	}
}

func keys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

func decoded(t *testing.T, name string, s Snapshot) any {
	t.Helper()
	raw, err := Render(name, s, receiverOf())
	if err != nil {
		t.Fatal(err)
	}
	var body any
	if err := json.Unmarshal(raw, &body); err != nil {
		t.Fatal(err)
	}
	return body
}

// check walks to path in v and returns what is wrong there.
func check(v any, path, whole, kind string) []string {
	if path == "" {
		if !hasKind(v, kind) {
			return []string{fmt.Sprintf("%s is %v, want %s", whole, v, kind)}
		}
		return nil
	}
	if rest, ok := strings.CutPrefix(path, "[]"); ok {
		list, isList := v.([]any)
		if !isList {
			return []string{whole + " goes through what is no array"}
		}
		var problems []string
		for _, element := range list {
			problems = append(problems, check(element, strings.TrimPrefix(rest, "."), whole, kind)...)
		}
		return problems
	}
	key, rest := path, ""
	if i := strings.IndexAny(path, ".["); i >= 0 {
		key, rest = path[:i], strings.TrimPrefix(path[i:], ".")
	}
	object, _ := v.(map[string]any)
	next, present := object[key]
	if !present {
		return []string{whole + " is missing"}
	}
	return check(next, rest, whole, kind)
}

var isoMillis = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

func hasKind(v any, kind string) bool {
	kind, nullable := strings.CutSuffix(kind, "?")
	if v == nil {
		return nullable
	}
	switch x := v.(type) {
	case string:
		return kind == "string" || kind == "json" || kind == "datetime" && isoMillis.MatchString(x)
	case float64:
		return kind == "number" || kind == "json"
	case bool:
		return kind == "bool" || kind == "json"
	case map[string]any:
		return kind == "object" || kind == "json"
	}
	return kind == "json"
}

// leaves are the paths of all values that are neither null nor containers.
func leaves(v any, path string) []string {
	var out []string
	switch x := v.(type) {
	case nil:
	case map[string]any:
		for key, value := range x {
			out = append(out, leaves(value, strings.TrimPrefix(path+"."+key, "."))...)
		}
	case []any:
		for _, value := range x {
			out = append(out, leaves(value, path+"[]")...)
		}
	default:
		out = append(out, path)
	}
	return out
}

// covered: the path was promised itself, or lies in a JSON value whose inside is nobody's business.
func covered(known map[string]bool, path string) bool {
	for p := path; p != ""; {
		if known[p] {
			return true
		}
		i := strings.LastIndexAny(p, ".[")
		p = p[:max(i, 0)]
	}
	return false
}
