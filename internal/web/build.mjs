// Builds the browser's half of Paraph into internal/web/dist: one hashed file per entry, a manifest that gives each entry
// its file, and a .br and .gz beside everything that compresses. The same sources give the same bytes.
import { build as esbuild } from "esbuild";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, watch, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

const web = dirname(fileURLToPath(import.meta.url));
const root = join(web, "../..");
const dist = join(web, "dist");
const ui = join(web, "ui");
const run = promisify(execFile);

/** Files served as they are, by the name pages ask for. */
const copies = {
  "favicon.svg": "assets/favicon.svg",
};

/** What the signing page may cost in scripts and styles, compressed, before it has any pictures. */
const signerFiles = ["app.css", "app.js", "sign.js"];
const signerLimit = 100 * 1024;

const kept = new Set([".gitkeep", "dist.go"]);

async function build() {
  const started = performance.now();
  const work = await mkdtemp(join(tmpdir(), "paraph-assets-"));
  try {
    const css = join(work, "app.css");
    const [scripts] = await Promise.all([bundleScripts(), runTailwind(css)]);
    const styles = await bundleStyles(css);
    const files = new Map(); // public name → { file, bytes }
    const manifest = {};
    collect(scripts, files, manifest, ".js");
    collect(styles, files, manifest, ".css");
    await copyFiles(files, manifest);
    await addLicences([scripts, styles], files, manifest);
    const sizes = await writeDist(work, files, manifest);
    report(manifest, sizes, started);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Every ui/PAGE/main.ts is a bundle by the name of its page: "sign.js". */
async function bundleScripts() {
  const pages = (await readdir(ui)).filter((page) => existsSync(join(ui, page, "main.ts"))).sort();
  const entryPoints = Object.fromEntries(pages.map((page) => [page, join(ui, page, "main.ts")]));
  return esbuild({
    entryPoints, bundle: true, minify: true, write: false, metafile: true, format: "esm", target: "es2022",
    entryNames: "[name]-[hash]", outdir: dist, absWorkingDir: root, legalComments: "none", charset: "utf8",
    conditions: ["production"], tsconfig: join(web, "tsconfig.json"), plugins: [tidyTemplates],
  });
}

/** Lit templates keep their source's indentation in the bundle; nothing here depends on it. */
const tidyTemplates = {
  name: "tidy-templates",
  setup(b) {
    b.onLoad({ filter: /internal\/web\/ui\/.*\.ts$/ }, async ({ path }) => ({
      loader: "ts",
      contents: (await readFile(path, "utf8")).replace(/\n\s+/g, "\n"),
    }));
  },
};

/** The style sheet is styles/app.css and then what each page's folder has of its own, ui/PAGE/*.css. */
async function runTailwind(out) {
  const cli = join(root, "node_modules/@tailwindcss/cli/dist/index.mjs");
  const base = join(ui, "styles");
  const own = (await pageStyles()).map((file) => `@import "${relative(base, file)}";\n`);
  const going = run(process.execPath, [cli, "-i", "-", "-o", out], { cwd: base, maxBuffer: 1 << 24 });
  going.child.stdin.end((await readFile(join(base, "app.css"), "utf8")) + own.join(""));
  await going;
}

async function pageStyles() {
  const names = await readdir(ui, { recursive: true });
  return names.filter((name) => name.endsWith(".css") && !name.startsWith("styles/")).sort().map((name) => join(ui, name));
}

/** Minifies the style sheet and gives the fonts it names their hashed files. */
function bundleStyles(css) {
  return esbuild({
    entryPoints: { app: css }, bundle: true, minify: true, write: false, metafile: true, target: "es2022",
    entryNames: "[name]-[hash]", assetNames: "[name]-[hash]", outdir: dist, absWorkingDir: root, legalComments: "none",
    loader: { ".woff2": "file" }, nodePaths: [join(root, "node_modules")], charset: "utf8", logLevel: "error",
  });
}

function collect(result, files, manifest, ext) {
  for (const out of result.outputFiles) files.set(basename(out.path), Buffer.from(out.contents));
  for (const [path, meta] of Object.entries(result.metafile.outputs)) {
    const file = basename(path);
    if (meta.entryPoint && extname(file) === ext) manifest[file.replace(/-[A-Z0-9]{8}\./, ".")] = file;
    if (extname(file) === ".woff2") manifest[file.replace(/-[A-Z0-9]{8}\./, ".")] = file;
  }
}

async function copyFiles(files, manifest) {
  for (const [name, source] of Object.entries(copies)) {
    add(name, await readFile(join(ui, source)), files, manifest);
  }
}

function add(name, bytes, files, manifest) {
  const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 8).toUpperCase();
  const file = basename(name, extname(name)) + "-" + hash + extname(name);
  files.set(file, bytes);
  manifest[name] = file;
}

/** What is bundled keeps its authors' licences, in one file that travels with it. */
async function addLicences(results, files, manifest) {
  const inputs = results.flatMap((r) => Object.keys(r.metafile.inputs));
  const named = inputs.map((path) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1]).filter(Boolean);
  const packages = [...new Set([...named, "daisyui", "tailwindcss"])].sort();
  const texts = await Promise.all(packages.map(licenceOf));
  add("licenses.txt", Buffer.from(texts.join("\n\n")), files, manifest);
}

async function licenceOf(name) {
  const folder = join(root, "node_modules", name);
  const file = (await readdir(folder)).find((f) => /^licen[cs]e(\.\w+)?$/i.test(f));
  if (!file) throw new Error(`${name} has no licence`);
  return `${name}\n${"=".repeat(name.length)}\n${(await readFile(join(folder, file), "utf8")).trim()}\n`;
}

/** Writes everything beside dist first, so that a server never sees half a build, and the manifest last. */
async function writeDist(work, files, manifest) {
  const sizes = {};
  await mkdir(dist, { recursive: true });
  const wanted = new Set([...kept, "manifest.json"]);
  for (const [file, bytes] of files) {
    const forms = [[file, bytes]];
    if (extname(file) !== ".woff2") forms.push([file + ".br", await brotli(bytes)], [file + ".gz", await promisify(gzip)(bytes, { level: 9 })]);
    for (const [name, content] of forms) {
      wanted.add(name);
      await writeFile(join(work, name), content);
      await move(join(work, name), join(dist, name), content);
    }
    sizes[file] = { raw: bytes.length, br: forms[1]?.[1].length ?? bytes.length };
  }
  const sorted = Object.fromEntries(Object.entries(manifest).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(join(dist, "manifest.json"), JSON.stringify(sorted, null, 2) + "\n");
  for (const old of await readdir(dist)) if (!wanted.has(old)) await rm(join(dist, old), { recursive: true });
  return sizes;
}

async function move(from, to, content) {
  try {
    await rename(from, to);
  } catch {
    await writeFile(to, content); // the temporary folder is on another file system
  }
}

function brotli(bytes) {
  return promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
}

function report(manifest, sizes, started) {
  const kb = (n) => (n / 1024).toFixed(1).padStart(7) + " KB";
  for (const [name, file] of Object.entries(manifest)) {
    console.log(name.padEnd(44) + kb(sizes[file].raw) + kb(sizes[file].br) + " compressed");
  }
  const signer = signerFiles.reduce((sum, name) => sum + sizes[manifest[name]].br, 0);
  console.log(`\nthe signing page: ${kb(signer).trim()} of scripts and styles, limit ${kb(signerLimit).trim()}`);
  console.log(`built in ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (signer > signerLimit) throw new Error("the signing page is over its limit");
}

async function rebuildOnChange() {
  let timer;
  for await (const { filename } of watch(ui, { recursive: true })) {
    if (!/\.(ts|css|templ|go|svg)$/.test(filename ?? "")) continue;
    clearTimeout(timer);
    timer = setTimeout(() => build().catch((e) => console.error(e.message)), 100);
  }
}

try {
  await build();
} catch (e) {
  console.error(`${relative(root, fileURLToPath(import.meta.url))}: ${e.stderr || e.message}`);
  process.exit(1);
}
if (process.argv.includes("--watch")) await rebuildOnChange();
