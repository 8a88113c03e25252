import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { type ImportRules, importProblems, readRules, withImportRules } from "../../scripts/import-rules.js";
import { packageRoot } from "../../src/shared/package-root.js";

const test = suite("import rules");

const rules: ImportRules = {
  imports: {
    low: [],
    "low/errors.ts": [],
    middle: ["low", "low/errors.ts"],
    "middle/inner": ["middle"],
    "top.ts": ["middle", "middle/inner"],
  },
  packages: { fast: ["middle"] },
  withoutNode: ["low"],
};

const files: Readonly<Record<string, string>> = {
  "src/low/base.ts": "export const one = 1;\n",
  "src/low/errors.ts": "export class Failure extends Error {}\n",
  "src/middle/a.ts":
    'import type { Failure } from "../low/errors.js";\nimport {\n  one,\n} from "../low/base.js";\nimport "fast";\n',
  "src/middle/b.ts": 'export { one } from "./a.js";\n// import { x } from "../top.js";\n',
  "src/middle/inner/c.ts": 'import { readFileSync } from "node:fs";\nconst a = await import("../a.js");\n',
  "src/top.ts": 'import { c } from "./middle/inner/c.js";\n',
  "docs/architecture.md":
    "# Picture\n\n```\nsrc/\n  low/       the lowest\n             of all\n  middle/    between\n    inner/   inside\n  top.ts     above\n```\n",
};

/** What is wrong with a tree that differs in some files from one in which nothing is. */
function problemsWith(changes: Readonly<Record<string, string>>, changedRules: ImportRules = rules): readonly string[] {
  const root = mkdtempSync(join(tmpdir(), "loopool-imports-"));
  try {
    const all = {
      ...files,
      "scripts/allowed-imports.json": JSON.stringify(changedRules),
      "biome.json": JSON.stringify(withImportRules({}, changedRules)),
      ...changes,
    };
    for (const [name, text] of Object.entries(all)) {
      mkdirSync(dirname(join(root, name)), { recursive: true });
      writeFileSync(join(root, name), text);
    }
    return importProblems(root);
  } finally {
    rmSync(root, { recursive: true });
  }
}

test("a tree that keeps to its rules has no problems", () => {
  assert.equal(problemsWith({}), []);
});

test("an import that is not allowed is found: static, of types, exported, dynamic, and of a file with rules of its own", () => {
  for (const statement of [
    'import { one } from "../low/base.js";',
    'import type { one } from "../low/base.js";',
    'import {\n  one,\n} from "../low/base.js";',
    'export * from "../low/base.js";',
    'import "../low/base.js";',
    'const base = await import("../low/base.js");',
    'export type One = import("../low/base.js").One;',
  ]) {
    const allowed = { ...rules, imports: { ...rules.imports, middle: ["low/errors.ts"] } };
    const found = problemsWith({ "src/middle/a.ts": `${statement}\n` }, allowed);
    assert.equal(found, ["src/middle/a.ts imports src/low/base.ts, and middle may not import low"], statement);
  }
  const strict = { ...rules, imports: { ...rules.imports, middle: ["low"] } };
  assert.equal(problemsWith({}, strict), [
    "src/middle/a.ts imports src/low/errors.ts, and middle may not import low/errors.ts",
  ]);
});

test("a cycle of files is found within a folder, and one of folders without a cycle of files", () => {
  assert.equal(problemsWith({ "src/middle/a.ts": 'import { one } from "./b.js";\n' }), [
    "import cycle of files: middle/a.ts → middle/b.ts → middle/a.ts",
  ]);
  const wide = { ...rules, imports: { ...rules.imports, low: ["middle"] } };
  assert.equal(problemsWith({ "src/low/more.ts": 'import { b } from "../middle/b.js";\n' }, wide), [
    "import cycle of folders: low → middle → low",
  ]);
});

test("packages and Node's modules are for those that the rules name", () => {
  assert.equal(problemsWith({ "src/top.ts": 'import fast from "fast";\n' }), [
    "src/top.ts imports fast, which only middle may",
  ]);
  assert.equal(problemsWith({ "src/low/base.ts": 'import fs from "node:fs";\n' }), [
    "src/low/base.ts imports node:fs, and low may import nothing of Node",
  ]);
});

test("a folder needs its rules and its line in the docs, and neither may be left over", () => {
  assert.equal(problemsWith({ "src/new/d.ts": "export {};\n" }), [
    "src/new/d.ts: add new to scripts/allowed-imports.json",
    "docs/architecture.md has no line for src/new",
  ]);
  const left = { ...rules, imports: { ...rules.imports, gone: [] } };
  const picture = files["docs/architecture.md"]!.replace("  top.ts", "  old/       once\n  top.ts");
  assert.equal(problemsWith({ "docs/architecture.md": picture }, left), [
    "scripts/allowed-imports.json names gone, and src has no such file or folder: remove it",
    "docs/architecture.md has a line for src/old, which is not there",
  ]);
});

test("a linter with other rules is found; other overrides of it are kept", () => {
  const other = { includes: ["bench/**"], linter: { rules: { style: { useConst: "off" } } } };
  const config = withImportRules({ overrides: [other] }, rules);
  assert.equal(config.overrides![0], other);
  assert.equal(problemsWith({ "biome.json": JSON.stringify(config) }), []);
  for (const changed of [{}, withImportRules(config, { ...rules, withoutNode: [] })]) {
    assert.equal(problemsWith({ "biome.json": JSON.stringify(changed) }), [
      "biome.json is not what follows from scripts/allowed-imports.json: run `node dist/scripts/imports.js --write`",
    ]);
  }
});

test("loopool's own tree keeps to its rules, and these to what the house stands on", () => {
  assert.equal(importProblems(packageRoot), []);
  const { imports, packages } = readRules(packageRoot);
  const importersOf = (name: string): readonly string[] =>
    Object.keys(imports).filter((key) => imports[key]!.includes(name));
  for (const part of ["reactor", "pool", "http/uws", "http/node"]) assert.equal(importersOf(part), ["server.ts"], part);
  assert.equal(packages, { "uWebSockets.js": ["http/uws"] });
  assert.equal(imports["harness/statistics"], []);
  const harness = Object.keys(imports).filter((key) => key.startsWith("harness"));
  const ofTheServer = new Set(harness.flatMap((key) => imports[key]!).filter((one) => !one.startsWith("harness")));
  assert.equal([...ofTheServer].sort(), [
    "shared/errors.ts",
    "shared/process-limits.ts",
    "shared/terminal-text.ts",
    "vendor",
  ]);
});

test.run();
