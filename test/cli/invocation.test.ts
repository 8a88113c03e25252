import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { called, isOwnCheckout, outputFolders, userFolder } from "../../src/cli/invocation.js";
import { packageRoot, packageVersion } from "../../src/shared/package-root.js";
import { type Ended, entry, program } from "../support/cli.js";

const test = suite("invocation");

const folder = realpathSync(mkdtempSync(join(tmpdir(), "loopool-test-")));
test.after(() => rmSync(folder, { recursive: true }));

const inFolder = (...args: string[]): Promise<Ended> =>
  program(process.execPath, [entry, ...args], { cwd: folder }).ended;
const script = {
  npm_package_json: join(packageRoot, "package.json"),
  npm_lifecycle_script: "exec node dist/src/cli/main.js sweep",
};

test("a command is a script of npm in loopool's own checkout, and npx's elsewhere", () => {
  assert.is(called("sweep --quick", true), "npm run sweep -- --quick");
  assert.is(called("stats", true), "npm run stats");
  assert.is(called("sweep --quick", false), "npx loopool sweep --quick");
  const at = (cwd: string) => isOwnCheckout({ packageRoot, cwd, environment: {} });
  assert.is(at(packageRoot), true);
  assert.is(at(join(packageRoot, "docs")), true);
  assert.is(at(`${packageRoot}-2`), false);
  assert.is(at(folder), false);
});

test("a package without sources, as npm installs it, is no checkout, even where one stands in it", () => {
  assert.is(isOwnCheckout({ packageRoot: folder, cwd: folder, environment: {} }), false);
});

test("npm's INIT_CWD counts for the scripts of our checkout alone", () => {
  const docs = join(packageRoot, "docs");
  const at = (cwd: string, environment: Record<string, string>) => userFolder({ packageRoot, cwd, environment });
  assert.is(at(packageRoot, { ...script, INIT_CWD: docs }), docs);
  assert.is(at(packageRoot, { INIT_CWD: docs }), packageRoot);
  assert.is(at(packageRoot, { ...script, INIT_CWD: folder }), packageRoot);
  assert.is(at(folder, { ...script, INIT_CWD: docs }), folder);
  assert.is(at(folder, { ...script, npm_package_json: join(folder, "package.json"), INIT_CWD: docs }), folder);
});

test("results and reports go to one folder of a project, and stay where they are in the checkout", () => {
  const at = (cwd: string) => outputFolders({ packageRoot, cwd, environment: {} });
  assert.equal(at(folder), { results: "loopool/results", reports: "loopool/reports" });
  assert.equal(at(packageRoot), { results: "bench/results", reports: "reports" });
  assert.equal(at(join(packageRoot, "docs")), { results: "../bench/results", reports: "../reports" });
});

test("--version is that of the package, wherever it is asked", async () => {
  assert.is((await inFolder("--version")).output, `${packageVersion}\n`);
  assert.match(packageVersion, /^\d+\.\d+\.\d+/);
});

test("help and hints in a project name npx, and its folders", async () => {
  const { output } = await inFolder("sweep", "--help");
  assert.match(output, /^npx loopool sweep \[app\]\n/);
  assert.match(output, /npx loopool sweep --quick /);
  assert.match(output, /\[default: loopool\/results\]/);
  assert.not.match(output, /npm run/);
  assert.match((await inFolder("--help")).output, /^ {2}npx loopool serve /m);
  const { errors } = await inFolder("stats", "--port", "1", "--once");
  assert.match(errors, /start one with "npx loopool serve"|servers are at/);
});

test("help in the checkout names npm's scripts", async () => {
  const { output } = await program(process.execPath, [entry, "report", "--help"], { cwd: packageRoot }).ended;
  assert.match(output, /^npm run report -- <file> \[after\]\n/);
  assert.match(output, /npm run report -- bench\/results\//);
});

test("a report of a project goes to loopool/reports, which its repository ignores", async () => {
  const result = join(packageRoot, "bench", "results", "2026-11-21-no-keep-alive.json");
  const { output, errors } = await inFolder("report", result);
  assert.match(output, /^Report: loopool\/reports\/2026-11-21-no-keep-alive\.md$/m, errors);
  assert.is(readFileSync(join(folder, "loopool", ".gitignore"), "utf8"), "*\n");
  assert.match(readFileSync(join(folder, "loopool", "reports", "2026-11-21-no-keep-alive.md"), "utf8"), /^# /);
});

test("a folder loopool that is there already gets no .gitignore", async () => {
  const other = join(folder, "other");
  mkdirSync(join(other, "loopool"), { recursive: true });
  const result = join(packageRoot, "bench", "results", "2026-11-21-no-keep-alive.json");
  const { code } = await program(process.execPath, [entry, "report", result], { cwd: other }).ended;
  assert.is(code, 0);
  assert.throws(() => readFileSync(join(other, "loopool", ".gitignore")), /ENOENT/);
});

test.run();
