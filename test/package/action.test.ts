import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packageRoot } from "../../src/shared/package-root.js";
import { freePort } from "../harness/load/liar.js";

const test = suite("the GitHub Action");

const source = readFileSync(join(packageRoot, "action.yml"), "utf8");
/** What its only step runs, as GitHub would hand it to bash. */
const script = source.slice(source.indexOf("      run: |\n") + "      run: |\n".length).replace(/^ {8}/gm, "");

const folder = mkdtempSync(join(tmpdir(), "loopool-action-"));
test.after(() => rmSync(folder, { recursive: true }));

function step(environment: Readonly<Record<string, string>>) {
  const [summary, output] = [join(folder, "summary.md"), join(folder, "output")];
  writeFileSync(summary, "");
  writeFileSync(output, "");
  const env = {
    PATH: process.env["PATH"] ?? "",
    VERSION: "checkout",
    ACTION_PATH: packageRoot,
    RUNNER_TEMP: folder,
    GITHUB_STEP_SUMMARY: summary,
    GITHUB_OUTPUT: output,
    WAIT_SECONDS: "60",
    ARGS: "-n 20 -c 2 -H 'X-A: b c'",
    ...environment,
  };
  const { status, stdout, stderr } = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
    env,
    encoding: "utf8",
  });
  return {
    status,
    text: stdout + stderr,
    summary: readFileSync(summary, "utf8"),
    output: readFileSync(output, "utf8"),
  };
}

test("it starts a server, loads it, ends it, and fails where a limit is crossed", async () => {
  const port = await freePort();
  const file = join(folder, "server.mjs");
  writeFileSync(
    file,
    `import http from "node:http"; http.createServer((q, r) => r.end(String(q.headers["x-a"]))).listen(${port}, "127.0.0.1");`,
  );
  const server = { URL: `http://127.0.0.1:${port}/`, START: `exec '${process.execPath}' '${file}'` };
  const passed = step({ ...server, FAIL_IF: "errors>0" });
  assert.is(passed.status, 0, passed.text);
  assert.match(passed.summary, /### loopool: within the limits \(errors>0\)[\s\S]*Complete requests: {6}20/);
  const json = /^json=(.*)$/m.exec(passed.output)![1]!;
  assert.is(JSON.parse(readFileSync(json, "utf8")).completed, 20);
  const failed = step({ ...server, FAIL_IF: "p50>0.000001ms" });
  assert.is(failed.status, 1, failed.text);
  assert.match(failed.summary, /### loopool: failed[\s\S]*--fail-if p50>0\.000001ms: it was /);
});

test("it says so where the server ends before it answers", async () => {
  const { status, text } = step({ URL: `http://127.0.0.1:${await freePort()}/`, START: "exit 7", FAIL_IF: "errors>0" });
  assert.is(status, 1);
  assert.match(text, /::error::the server ended before it answered: exit 7/);
});

test.run();
