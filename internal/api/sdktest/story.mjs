// What a program does that was written for DocuSeal's own server, with
// DocuSeal's own library: only the address differs.
//
//   node story.mjs URL TOKEN FILE.pdf
//
// Everything that is asked for is checked here; nothing is printed when all of
// it is as it should be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import docuseal, { DocusealApi, DocusealApiError } from "@docuseal/api";

const [url, key, file] = process.argv.slice(2);
docuseal.configure({ key, url });

const area = (y, page = 1) => [{ x: 0.1, y, w: 0.3, h: 0.05, page }];
const created = await docuseal.createSubmissionFromPdf({
  name: "Lease",
  send_email: true,
  send_sms: false,
  order: "preserved",
  remove_tags: true,
  message: { subject: "Please sign", body: "Your lease is ready." },
  documents: [
    {
      name: "Lease",
      file: readFileSync(file).toString("base64"),
      fields: [
        { name: "Full name", type: "text", role: "Tenant", areas: area(0.1) },
        { name: "Signature", type: "signature", role: "Tenant", areas: area(0.2, 2) },
        { name: "Countersigned", type: "signature", role: "Landlord", areas: area(0.3, 2) },
      ],
    },
  ],
  submitters: [
    { role: "Tenant", name: "Tom Tenant", email: "tom@example.com", external_id: "crm-7", metadata: { deal: "D-1" }, values: { "Full name": "Tom T." } },
    { role: "Landlord", name: "Lea Landlord", email: "lea@example.com" },
  ],
});
assert.equal(created.status, "pending");
assert.equal(created.submitters.length, 2);
assert.equal(created.submitters[0].status, "sent");
assert.equal(created.submitters[1].status, "awaiting");
assert.match(created.submitters[0].embed_src, /\/s\/[\w-]+$/);
assert.equal(created.fields.length, 3);
assert.equal(created.fields[1].areas[0].attachment_uuid, created.schema[0].attachment_uuid);
assert.equal(created.fields[2].submitter_uuid, created.submitters[1].uuid);

const listed = await docuseal.listSubmissions({ limit: 5, status: "pending", q: "lease" });
assert.equal(listed.pagination.count, 1);
assert.equal(listed.data[0].id, created.id);
assert.deepEqual((await docuseal.listSubmissions({ after: created.id })).data, []);

const submission = await docuseal.getSubmission(created.id);
assert.equal(submission.name, "Lease");
assert.equal(submission.submitters[0].external_id, "crm-7");
assert.deepEqual(submission.submitters[0].values.map((v) => [v.field, v.value]), [["Full name", "Tom T."]]);

const submitters = await docuseal.listSubmitters({ submission_id: created.id });
assert.deepEqual(submitters.data.map((s) => s.role).sort(), ["Landlord", "Tenant"]);
assert.equal((await docuseal.listSubmitters({ external_id: "crm-7" })).data.length, 1);

const tenant = await docuseal.getSubmitter(created.submitters[0].id);
assert.deepEqual(tenant.metadata, { deal: "D-1" });
assert.equal(tenant.submission_events[0].event_type, "send_email");

const early = await docuseal.updateSubmitter(created.submitters[1].id, { completed: true }).catch((e) => e);
assert.ok(early instanceof DocusealApiError, String(early));
assert.match(early.message, /^HTTP Error: 422 - \{"error":"/);

const signed = await docuseal.updateSubmitter(tenant.id, { values: { Signature: "Tom Tenant" }, completed: true });
assert.equal(signed.status, "completed");
assert.match(signed.completed_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
assert.equal(signed.documents.length, 1);
await docuseal.updateSubmitter(created.submitters[1].id, { values: { Countersigned: "Lea Landlord" }, completed: true });

const done = await docuseal.getSubmission(created.id);
assert.equal(done.status, "completed");
assert.ok(done.submitters.every((s) => s.status === "completed"));
const documents = await docuseal.getSubmissionDocuments(created.id);
assert.equal(documents.id, created.id);
assert.equal(documents.documents[0].name, "Lease");
assert.match(documents.documents[0].url, /\/file\/.+\/Lease\.pdf$/);

const archived = await docuseal.archiveSubmission(created.id);
assert.ok(archived.archived_at);
assert.equal((await docuseal.listSubmissions({ archived: true })).data.length, 1);
assert.equal((await docuseal.permanentlyDeleteSubmission(created.id)).id, created.id);

const gone = await docuseal.getSubmission(created.id).catch((e) => e);
assert.match(gone.message, /^HTTP Error: 404 - \{"error":"/);
const nobody = await new DocusealApi({ key: "wrong", url }).listSubmissions({}).catch((e) => e);
assert.match(nobody.message, /^HTTP Error: 401 - \{"error":"/);
