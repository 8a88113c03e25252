import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packageRoot } from "../../src/shared/package-root.js";
import { program } from "../support/cli.js";

const test = suite("scripts");

const { scripts } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as {
  readonly scripts: Readonly<Record<string, string>>;
};
const bench = join(packageRoot, "dist", "bench", "run.js");

test("package.json has at most 15 scripts, and no hooks but the one of an installation", () => {
  const names = Object.keys(scripts);
  assert.ok(names.length <= 15, names.join(", "));
  assert.equal(
    names.filter((name) => /^(pre|post)/.test(name)),
    ["prepare"],
  );
});

test("a script that runs loopool builds first, and replaces npm's shell so that signals reach it", () => {
  for (const name of ["serve", "sweep", "report", "load", "flame", "stats"]) {
    assert.is(scripts[name], `npm run --silent build && exec node dist/src/cli/main.js ${name}`);
  }
  assert.match(scripts["bench"]!, /^npm run --silent build && exec node dist\/bench\/run\.js$/);
});

test("bench without a name lists the benchmarks, and each is there", async () => {
  const { code, output } = await program(process.execPath, [bench], {}).ended;
  assert.is(code, 0);
  const names = [...output.matchAll(/^ {2}([a-z-]+) +\S/gm)].map(([, name]) => name!);
  assert.ok(names.includes("micro") && names.includes("against"), output);
  const source = readFileSync(join(packageRoot, "dist", "bench", "run.js"), "utf8");
  const files = [...source.matchAll(/file: "([a-z/-]+)"/g)].map(([, file]) => file!);
  assert.is(files.length, names.length);
  for (const file of files) assert.ok(existsSync(join(packageRoot, "dist", "bench", `${file}.js`)), file);
});

test("an unknown benchmark is a usage error that names those there are", async () => {
  const { code, errors } = await program(process.execPath, [bench, "nothing"], {}).ended;
  assert.is(code, 2);
  assert.match(errors, /there is no benchmark "nothing".*\n(.*\n)* {2}micro /);
});

test("bench NAME ARGS hands the arguments on", async () => {
  const { code, errors } = await program(process.execPath, [bench, "against"], {}).ended;
  assert.is(code, 2);
  assert.match(errors, /npm run bench -- against COMMIT/);
});

test.run();
