// The baseline of the sealing bench: loads a contract of three pages, draws five fields with one image, appends a page of
// evidence, and signs. node seal.mjs JOB COUNT, where JOB is the folder that bench/libpdf.go has filled. Prints {docs, seconds, peak_kb}.
import { PDF, rgb } from "@libpdf/core";
import { createPrivateKey, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [dir, count] = [process.argv[2], Number(process.argv[3])];
const contract = readFileSync(join(dir, "contract.pdf"));
const image = readFileSync(join(dir, "signature.png"));
const evidence = JSON.parse(readFileSync(join(dir, "evidence.json"), "utf8"));
const key = createPrivateKey(readFileSync(join(dir, "key.pem")));
const signer = {
  certificate: new Uint8Array(readFileSync(join(dir, "certificate.der"))),
  certificateChain: [],
  keyType: "RSA",
  signatureAlgorithm: "RSASSA-PKCS1-v1_5",
  sign: async (data, algorithm) => new Uint8Array(sign(algorithm.replace("-", ""), data, key)),
};

async function seal() {
  const pdf = await PDF.load(contract);
  const pages = pdf.getPages();
  for (const f of evidence.fields) {
    const page = pages[f.page];
    const [w, h] = [page.width, page.height];
    page.drawText(f.text, { x: f.x * w, y: (1 - f.y - f.h) * h, size: 11 });
  }
  const picture = pdf.embedPng(image);
  pages[2].drawImage(picture, { x: 60, y: 400, width: 180 });
  const page = pdf.addPage({ size: "a4" });
  let y = 790;
  for (const line of evidence.lines) {
    page.drawText(line, { x: 54, y, size: 8.8 });
    page.drawRectangle({ x: 54, y: y - 4, width: 487, height: 0.4, color: rgb(0.85, 0.85, 0.85) });
    y -= 14;
  }
  page.drawImage(picture, { x: 380, y: 640, width: 120 });
  const { bytes } = await pdf.sign({ signer, reason: "All have acted", name: "Bench" });
  return bytes;
}

let last;
for (let i = 0; i < 15; i++) last = await seal(); // the compiler has seen it
writeFileSync(join(dir, "libpdf.pdf"), last);
const start = process.hrtime.bigint();
for (let i = 0; i < count; i++) await seal();
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
const peak = Number(/VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
console.log(JSON.stringify({ docs: count, seconds, peak_kb: peak }));
