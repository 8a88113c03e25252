import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { installedFile } from "../../../src/harness/drivers/installed.js";

const test = suite("installed");

const project = realpathSync(mkdtempSync(join(tmpdir(), "loopool-test-")));
const below = join(project, "packages", "one");
mkdirSync(below, { recursive: true });
for (const name of ["autocannon", "of-the-project"]) {
  mkdirSync(join(project, "node_modules", name), { recursive: true });
  writeFileSync(join(project, "node_modules", name, "index.js"), "");
}
test.after(() => rmSync(project, { recursive: true }));

test("a module of the project in which the user stands is found, in a folder below it too", () => {
  const file = join(project, "node_modules", "of-the-project", "index.js");
  assert.is(installedFile("of-the-project", project), file);
  assert.is(installedFile("of-the-project", below), file);
});

test("the project's own comes before the one beside loopool", () => {
  assert.is(installedFile("autocannon", below), join(project, "node_modules", "autocannon", "index.js"));
  const ours = installedFile("autocannon", tmpdir());
  assert.ok(ours !== null && !ours.startsWith(project), String(ours));
});

test("one that is nowhere is null", () => {
  assert.is(installedFile("loopool-has-no-such-package", project), null);
});

test.run();
