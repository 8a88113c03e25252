import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { changesSince, describeEnvironment } from "../../../src/harness/sweep/environment.js";
import { openFilesLimit } from "../../../src/shared/process-limits.js";
import { programTool, requiring } from "../../support/requires.js";

const server = { uws: "20.1.0", iterationsPerMicro: 321 };

/** A package in a folder of its own. */
function withPackage(use: (folder: string) => void): void {
  const folder = mkdtempSync(join(tmpdir(), "loopool-environment-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "version": "9.8.7" }');
    use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function commit(folder: string): void {
  const git = (...args: string[]) =>
    execFileSync("git", ["-C", folder, "-c", "user.name=x", "-c", "user.email=x@y", ...args], { stdio: "ignore" });
  git("init");
  git("add", ".");
  git("commit", "--no-gpg-sign", "--message", "one");
}

const commitOf = (folder: string): string => describeEnvironment(folder, server).commit;

const test = suite("environment of a sweep");
const testWithGit = requiring(test, programTool("git", "apt-get install git"));

test("tells of this machine, this Node, the package and the server's own facts", () =>
  withPackage((folder) => {
    const environment = describeEnvironment(folder, server);
    assert.is(environment.cores, cpus().length);
    assert.is(environment.node, process.versions.node);
    assert.is(environment.loopool, "9.8.7");
    assert.is(environment.uws, "20.1.0");
    assert.is(environment.iterationsPerMicro, 321);
    for (const value of Object.values(environment)) assert.not.equal(value, "");
  }));

testWithGit("the commit is that of a checkout, dirty when its code is, whatever results and reports lie in it", () =>
  withPackage((folder) => {
    assert.is(commitOf(folder), "unknown");
    commit(folder);
    const clean = commitOf(folder);
    assert.match(clean, /^[0-9a-f]{12}$/);
    mkdirSync(join(folder, "bench", "results"), { recursive: true });
    mkdirSync(join(folder, "reports"));
    writeFileSync(join(folder, "bench", "results", "a.json"), "");
    writeFileSync(join(folder, "reports", "a.md"), "");
    assert.is(commitOf(folder), clean);
    writeFileSync(join(folder, "code.ts"), "");
    assert.is(commitOf(folder), `${clean}-dirty`);
  }),
);

testWithGit("a package inside another project's checkout does not take that project's commit for its own", () =>
  withPackage((folder) => {
    const installed = join(folder, "node_modules", "loopool");
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, "package.json"), '{ "version": "1.0.0" }');
    commit(folder);
    assert.is(commitOf(installed), "unknown");
  }),
);

test("what makes trials incomparable is named with both values; what varies by itself is not", () =>
  withPackage((folder) => {
    const begun = describeEnvironment(folder, server);
    assert.equal(changesSince({ ...begun, loadAverage: 99, openFilesLimit: 1 }, folder), []);
    assert.equal(changesSince({ ...begun, node: "1.2.3", commit: "abc" }, folder), [
      `node 1.2.3, now ${begun.node}`,
      "commit abc, now unknown",
    ]);
  }));

if (process.platform === "linux") {
  test("the limit of open files is the soft one", () => {
    const soft = execFileSync("sh", ["-c", "ulimit -Sn"], { encoding: "utf8" }).trim();
    assert.is(openFilesLimit(), soft === "unlimited" ? null : Number(soft));
  });
}

test.run();
