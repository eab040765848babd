// Holds a description of an API, read from standard input, against OpenAPI 3.1
// itself, and its schemas against JSON Schema.
//
//   node openapi.mjs < openapi.json
//
// Nothing is printed when it is valid.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { Validator } from "@seriousme/openapi-schema-validator";

const text = readFileSync(0, "utf8");
const check = async (specification) => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(specification);
  if (!valid) {
    return { valid, errors };
  }
  validator.resolveRefs(); // throws when something is referred to that is not there
  const ajv = new Ajv2020({ strict: false });
  const wrong = Object.entries(specification.components.schemas).filter(([, schema]) => !ajv.validateSchema(schema));
  return { valid: wrong.length === 0, errors: wrong, version: validator.version };
};

const { valid, errors, version } = await check(JSON.parse(text));
assert.ok(valid, JSON.stringify(errors, null, 2));
assert.equal(version, "3.1");

// A check that nothing fails checks nothing.
for (const spoil of [
  (s) => delete s.info.title,
  (s) => (s.webhooks["form.completed"].post.parameters = [{ name: "webhook-id" }]),
  (s) => (s.webhooks["form.completed"].post.requestBody.content = 1),
  (s) => (s.components.schemas.FormCompletedEvent.type = "thing"),
]) {
  const spoiled = JSON.parse(text);
  spoil(spoiled);
  assert.ok(!(await check(spoiled)).valid, `${spoil} passes`);
}
