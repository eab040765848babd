// What a receiver does that was written with the official library of Standard
// Webhooks and with Ajv: it checks what it was sent.
//
//   node webhooks.mjs < sent.json
//
// sent.json has requests as they arrived: name, headers, body (base64), the
// secrets that must verify it, one that must not, and the body's schema, if
// it has one. Nothing is printed when all is as it should be.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { Webhook, WebhookVerificationError } from "standardwebhooks";

const reader = (secret) => new Webhook(secret, secret.startsWith("whsec_") ? {} : { format: "raw" });

const sent = JSON.parse(readFileSync(0, "utf8"));
assert.ok(sent.length > 0);
for (const { name, headers, body, secrets, wrong, schema } of sent) {
  const payload = Buffer.from(body, "base64");
  const refuses = (secret, payload, headers, why) => assert.throws(() => reader(secret).verify(payload, headers), WebhookVerificationError, `${name}: ${why}`);
  assert.ok(secrets.length > 0);
  for (const secret of secrets) {
    assert.deepEqual(reader(secret).verify(payload, headers), JSON.parse(payload.toString("utf8")), name);
    refuses(secret, Buffer.concat([payload, Buffer.from(" ")]), headers, "a longer body passes");
    refuses(secret, payload, { ...headers, "webhook-id": "msg_other" }, "another id passes");
    refuses(secret, payload, { ...headers, "webhook-timestamp": String(Number(headers["webhook-timestamp"]) - 1) }, "another time passes");
  }
  refuses(wrong, payload, headers, "a wrong secret passes");
  if (schema) {
    const ajv = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true });
    addFormats.default(ajv);
    const validate = ajv.compile(schema);
    assert.ok(validate(JSON.parse(payload.toString("utf8"))), `${name}: ${ajv.errorsText(validate.errors)}`);
    for (const example of schema.examples ?? []) {
      assert.ok(validate(example), `${name}, the example: ${ajv.errorsText(validate.errors)}`);
    }
    assert.ok(!validate({ ...JSON.parse(payload.toString("utf8")), more: 1 }), `${name}: a key too many passes`);
  }
}
