package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paraph-sign/paraph"
	"github.com/paraph-sign/paraph/internal/desk/desktest"
)

// envelope is what was stored of a submission.
func (s *server) envelope(t *testing.T, p desktest.Person, id int64) paraph.Envelope {
	t.Helper()
	e, err := s.Store.Envelope(t.Context(), p.Who.AccountID, id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEverythingThatCanBeSaidOfASubmission(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", m{
			"name": "Move in", "order": "random", "send_email": false, "reply_to": "Office@example.com", "expire_at": "2026-10-01 12:00:00 UTC",
			"message": m{"subject": "Welcome", "body": "Please sign\nboth."}, "completed_redirect_url": "https://example.com/done",
			"bcc_completed": "archive@example.com", "external_id": "move-9", "flatten": true, "remove_tags": false, "merge_documents": false,
			"variables": m{"a": 1}, "an_unknown_key": []int{1}, "send_sms": nil,
			"documents": []m{
				{"name": "Second.pdf", "position": 1, "file": "data:application/pdf;base64," + base64Of(desktest.PDF(1)), "fields": []m{
					{"name": "Agreed", "type": "checkbox", "role": "tenant", "areas": []m{area(1, 0)}, "title": "I agree", "description": "To all of it"},
				}},
				{"name": "First", "position": 0, "file": base64Of(png(t)), "fields": []m{
					{"name": "Day", "type": "datenow", "role": "Tenant", "areas": []m{area(1, 0)}},
					{"name": "Flat", "type": "text", "role": "Tenant", "readonly": true, "default_value": "2b", "areas": []m{area(1, 1)}, "preferences": m{"font_size": 9, "font": "Courier"}},
					{"name": "Size", "type": "number", "role": "Tenant", "default_value": 42, "validation": m{"min": 10, "max": "90"}, "areas": []m{area(1, 2)}},
					{"name": "Colour", "type": "radio", "role": "Tenant", "required": false, "areas": []m{
						{"x": 0.5, "y": 0.1, "w": 0.1, "h": 0.05, "page": 1, "option": "red"}, {"x": 0.7, "y": 0.1, "w": 0.1, "h": 0.05, "page": 1, "option": "blue"},
					}},
					{"name": "Key", "type": "select", "options": []string{"one", "two"}, "role": "Owner", "areas": []m{area(1, 4)}},
				}},
			},
			"submitters": []m{
				{"role": "Tenant", "phone": "+49 30 123456", "application_key": "key-1", "fields": []m{{"name": "Agreed", "required": false}}},
				{"role": "Owner", "email": "olga@example.com", "send_email": true, "completed_redirect_url": "https://example.com/owner", "values": m{"Key": "two"}},
			},
		}).must(200)
		e := s.envelope(t, ann, made.number("id"))
		if e.Name != "Move in" || e.Sequential || e.Source != paraph.FromAPI || e.ReplyTo != "office@example.com" || e.Subject != "Welcome" ||
			e.Message != "Please sign\nboth." || e.RedirectTo != "https://example.com/done" || e.ExternalID != "move-9" ||
			!e.ExpireAt.Equal(time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC)) || e.Status != paraph.Pending {
			t.Errorf("stored: %+v", e)
		}
		if e.Documents[0].Name != "First" || e.Documents[1].Name != "Second" {
			t.Errorf("documents are %s, %s", e.Documents[0].Name, e.Documents[1].Name)
		}
		if len(e.Recipients) != 3 {
			t.Fatalf("%d recipients", len(e.Recipients))
		}
		tenant, owner, copyTo := e.Recipients[0], e.Recipients[1], e.Recipients[2]
		if tenant.SendEmail || tenant.ExternalID != "key-1" || tenant.Name != "+49 30 123456" || !owner.SendEmail || owner.RedirectTo != "https://example.com/owner" {
			t.Errorf("recipients: %+v %+v", tenant, owner)
		}
		if copyTo.Kind != paraph.CC || copyTo.Email != "archive@example.com" || len(made.list("submitters")) != 2 {
			t.Errorf("the copy goes to %+v; %d submitters are shown", copyTo, len(made.list("submitters")))
		}
		byName := map[string]paraph.Field{}
		for _, f := range e.Fields {
			byName[f.Name] = f
		}
		if f := byName["Agreed"]; f.Required || f.Settings.Title != "I agree" || f.RecipientID != tenant.ID || f.Areas[0].DocumentID != e.Documents[1].ID {
			t.Errorf("Agreed: %+v", f)
		}
		if f := byName["Day"]; f.Type != paraph.DateField || !f.ReadOnly {
			t.Errorf("Day: %+v", f)
		}
		if f := byName["Flat"]; !f.ReadOnly || f.Settings.Default != "2b" || f.Settings.FontSize != 9 {
			t.Errorf("Flat: %+v", f)
		}
		if f := byName["Size"]; f.Settings.Default != "42" || f.Settings.Min != "10" || f.Settings.Max != "90" {
			t.Errorf("Size: %+v", f)
		}
		if f := byName["Colour"]; strings.Join(f.Settings.Options, " ") != "red blue" {
			t.Errorf("Colour: %+v", f)
		}
		if f := byName["Key"]; f.Value.Text != "two" || f.EnteredAt.IsZero() {
			t.Errorf("Key: %+v", f)
		}
	})
}

func TestSubmittersOrder(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	l := lease()
	l["submitters"].([]m)[0]["order"] = 1
	l["submitters"].([]m)[1]["order"] = 0
	made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", l).must(200)
	if made.text("submitters.0.role") != "Landlord" || made.text("submitters.0.status") != "sent" || made.text("submitters.1.status") != "awaiting" {
		t.Errorf("the order is not kept: %v", made.at("submitters"))
	}
	l["submitters"].([]m)[1]["email"] = "nonsense"
	if got := s.request(t, ann.Token, "POST", "/api/submissions/pdf", l).must(422).text("field"); got != "submitters[1].email" {
		t.Errorf("an error in a submitter who comes first stands at %s", got)
	}
}

// Roles that nobody names are First Party, Second Party, as everywhere.
func TestRolesThatNobodyNames(t *testing.T) {
	t.Parallel()
	s := on(t, desktest.Options{})
	ann := s.Person(t, "Ann Admin")
	made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", m{
		"documents": []m{{"name": "Deed", "file": base64Of(desktest.PDF(1)), "fields": []m{
			{"type": "signature", "areas": []m{area(1, 0)}}, {"type": "signature", "role": "Second Party", "areas": []m{area(1, 1)}},
		}}},
		"submitters": []m{{"email": "a@example.com"}, {"email": "b@example.com"}},
	}).must(200)
	if made.text("name") != "Deed" || made.text("submitters.0.role") != "First Party" || made.text("submitters.1.role") != "Second Party" {
		t.Errorf("made: %v", made.v)
	}
	if made.at("fields.1.submitter_uuid") != made.at("submitters.1.uuid") {
		t.Error("the second field is not the Second Party's")
	}
}

func TestSigningAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		s.request(t, ann.Token, "POST", "/api/webhooks", m{"url": "https://example.com/hooks", "events": []string{"*"}}).must(201)
		l := lease()
		for i, values := range []m{
			{"Full name": "Tom Tenant", "Rent": "900", "Pets": false, "Signature": base64Of(png(t))},
			{"Signature Field 2": "Lea Landlord"},
		} {
			l["submitters"].([]m)[i]["completed"] = true
			l["submitters"].([]m)[i]["values"] = values
		}
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", l).must(200)
		if made.text("status") != "completed" || made.text("submitters.0.status") != "completed" {
			t.Errorf("made: %v", made.v)
		}
		s.RunDue(t)
		path := fmt.Sprintf("/api/submissions/%d", made.number("id"))
		if got := s.request(t, ann.Token, "GET", path, nil).must(200); got.at("audit_log_url") == nil {
			t.Error("it was not sealed")
		}
		e := s.envelope(t, ann, made.number("id"))
		events, err := s.Store.Events(t.Context(), ann.Who.AccountID, e.ID)
		if err != nil || paraph.VerifyTrail(events) != nil {
			t.Errorf("the trail does not hold: %v, %v", err, paraph.VerifyTrail(events))
		}
		if f := e.FieldsOf(e.Recipients[0].ID)[3]; f.Value.Method != "upload" || f.Value.Image == "" {
			t.Errorf("Tom's signature is %+v", f.Value)
		}
		if f := e.FieldsOf(e.Recipients[1].ID)[0]; f.Value.Method != "type" || f.Value.Text != "Lea Landlord" {
			t.Errorf("Lea's signature is %+v", f.Value)
		}
		var names []string
		for _, d := range s.request(t, ann.Token, "GET", "/api/webhooks/1/deliveries?limit=100", nil).must(200).list("data") {
			names = append(names, d.(map[string]any)["event"].(string))
		}
		if got := strings.Count(strings.Join(names, " "), "form.completed"); got != 2 {
			t.Errorf("form.completed was queued %d times: %v", got, names)
		}
	})
}

func TestUpdateSubmitter(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		ann := s.Person(t, "Ann Admin")
		made := s.request(t, ann.Token, "POST", "/api/submissions/pdf", lease()).must(200)
		tom := fmt.Sprintf("/api/submitters/%d", made.number("submitters.0.id"))
		got := s.request(t, ann.Token, "PUT", tom, m{
			"name": "Thomas", "email": "Thomas@example.com", "metadata": m{"n": 1}, "external_id": nil, "fields": []m{{"name": "Rent", "default_value": 7}},
		}).must(200)
		if got.text("name") != "Thomas" || got.text("email") != "thomas@example.com" || got.number("metadata.n") != 1 || got.text("external_id") != "crm-7" || got.number("values.0.value") != 7 {
			t.Errorf("changed to %v", got.v)
		}
		if uuid := s.envelope(t, ann, made.number("id")).Fields[0].UUID; s.request(t, ann.Token, "PUT", tom, m{"values": m{uuid: "Tom"}}).must(200).text("values.0.value") != "Tom" {
			t.Error("a value by its field's uuid was not stored")
		}
		s.RunDue(t)
		before := len(s.Mail.List())
		s.Clock.Advance(time.Hour)
		s.request(t, ann.Token, "PUT", tom, m{"send_email": true}).must(200)
		s.RunDue(t)
		if got := len(s.Mail.List()) - before; got != 1 {
			t.Errorf("%d mails went out", got)
		}
		lea := fmt.Sprintf("/api/submitters/%d", made.number("submitters.1.id"))
		s.request(t, ann.Token, "PUT", lea, m{"send_email": true}).must(200)
		s.RunDue(t)
		if got := len(s.Mail.List()) - before; got != 1 {
			t.Error("somebody was written to before their turn")
		}
		r := s.envelope(t, ann, made.number("id")).Recipients[0]
		if _, err := s.Desk.Decline(t.Context(), r.Token, "No.", paraph.Actor{}); err != nil {
			t.Fatal(err)
		}
		s.request(t, ann.Token, "PUT", tom, m{"name": "Tom"}).must(422)
		if got := s.request(t, ann.Token, "GET", "/api/submissions?status=declined", nil).must(200); len(got.list("data")) != 1 {
			t.Error("it is not among the declined ones")
		}
	})
}
