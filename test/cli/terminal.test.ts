import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { plausibleSweep, withCell } from "../harness/report/fixture.js";
import { loopool } from "../support/cli.js";

const test = suite("what reaches a terminal");
const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
test.after(() => rmSync(folder, { recursive: true }));

/** Sets a title, clears the screen, colours by an 8-bit CSI, and turns the text round. */
const hostile = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202e";
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Answers every request with these bytes. */
async function serverOf(answer: string): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(answer, "latin1"));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as { readonly port: number }).port };
}

test("load: a server's fields", async () => {
  const { server, port } = await serverOf(
    "HTTP/1.1 200 OK\r\nServer: \x1b]0;owned\x07\x9b31m\r\nContent-Length: 2\r\n\r\nok",
  );
  try {
    for (const more of [[], ["--json"]]) {
      const { output, errors } = await loopool("load", "-n", "4", "-c", "1", ...more, `http://127.0.0.1:${port}/`)
        .ended;
      assert.not.match(output + errors, controls);
      if (more.length === 0) assert.match(output, /^Complete requests: +4$/m);
    }
  } finally {
    server.close();
  }
});

test("report: what a result says, and the name of its file", async () => {
  const sweep = plausibleSweep({ rates: { reactor: 1000, pool: 900 }, plan: { trials: 2, concurrencies: [10] } });
  const failed = withCell(sweep, "pool", 10, () => ({ run: null, server: null, failure: hostile }));
  const { plan, environment } = failed;
  const pinning = { ...plan.pinning, reason: hostile };
  const file = join(folder, `${hostile.replaceAll("/", "")}.json`);
  writeFileSync(file, JSON.stringify({ ...failed, command: hostile, plan: { ...plan, pinning }, environment }));
  const { code, output, errors } = await loopool("report", file, "--out", folder).ended;
  assert.is(code, 0, errors);
  assert.not.match(output + errors, controls);
  assert.match(output, "\\x1b]0;owned");

  writeFileSync(file, JSON.stringify({ ...sweep, schema: hostile }));
  const refused = await loopool("report", file).ended;
  assert.is(refused.code, 2);
  assert.not.match(refused.errors, controls);
  assert.is(refused.errors.trim().split("\n").length, 1);
});

test("sweep --resume: where a result was begun, and which flags are missing", async () => {
  const sweep = plausibleSweep({ rates: { reactor: 1000 }, plan: { trials: 2, concurrencies: [10] } });
  const file = join(folder, "resumed.json");
  const unfinished = { ...sweep, trials: [], finishedAt: null };
  writeFileSync(file, JSON.stringify({ ...unfinished, environment: { ...sweep.environment, cpuModel: hostile } }));
  const moved = await loopool("sweep", "--resume", file).ended;
  assert.is(moved.code, 2);
  assert.match(moved.errors, /cannot be compared.*\\x1b\]0;owned/);
  assert.not.match(moved.errors, controls);

  writeFileSync(file, JSON.stringify({ ...unfinished, plan: { ...sweep.plan, handlers: hostile } }));
  const asked = await loopool("sweep", "--resume", file).ended;
  assert.is(asked.code, 2);
  assert.match(asked.errors, /add --handlers /);
  assert.not.match(asked.errors, controls);
});

for (const mode of ["reactor", "pool"] as const) {
  test(`serve (${mode}): what a handler throws`, async () => {
    const handlers = join(folder, "throws.mjs");
    writeFileSync(
      handlers,
      `export const handlers = { "/x": () => { throw new Error(${JSON.stringify(hostile)}); } };\n`,
    );
    const server = loopool("serve", "--mode", mode, "--port", "0", "--host", "127.0.0.1", "--handlers", handlers);
    try {
      const [, url] = await server.written(/listening on (\S+)/);
      assert.is((await fetch(`${url}/x`)).status, 500);
      await server.written(/\/x failed: .*owned/);
    } finally {
      server.process.kill("SIGTERM");
    }
    assert.not.match((await server.ended).errors, controls);
  });
}

test("a path that is not there", async () => {
  for (const args of [
    ["report", `${hostile}.json`],
    ["serve", "--handlers", `./${hostile}.js`, "--port", "0"],
    ["serve", "--root", `./${hostile}`, "--port", "0"],
    ["serve", "--config", `./${hostile}`],
    ["load", `http://${hostile}/`],
    [`--${hostile}`],
  ]) {
    const { code, output, errors } = await loopool(...args).ended;
    assert.is(code, 2, errors);
    assert.not.match(output + errors, controls, args.join(" "));
  }
});

test.run();
