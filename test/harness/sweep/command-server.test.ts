import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { startCommandServer } from "../../../src/harness/sweep/command-server.js";

const test = suite("a server that a command starts");

const folder = mkdtempSync(join(tmpdir(), "loopool-command-"));
test.after(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();

function fileOf(name: string, source: string): string {
  const file = join(folder, name);
  writeFileSync(file, source);
  return file;
}

const server = (place: string): string => `
import http from "node:http";
http.createServer((_, response) => response.end(process.env.NODE_ENV)).listen(${place});
`;

for (const [where, place] of [
  ["the port that PORT names", "process.env.PORT"],
  ["a port of its own", "0"],
] as const) {
  test(`is found on ${where}, and gone when it is stopped, however the shell has started it`, async () => {
    const file = fileOf(`own-${where.length}.mjs`, server(place));
    const started = await startCommandServer(`"${process.execPath}" "${file}"; true`, null, signal);
    assert.is(await (await fetch(started.url)).text(), process.env["NODE_ENV"] ?? "production");
    await started.stop();
    await fetch(started.url).then(
      () => assert.unreachable(),
      (error: Error) => assert.match(String(error.cause), /ECONNREFUSED/),
    );
  });
}

test("one that ends before it listens says why", async () => {
  const file = fileOf("broken.mjs", "throw new Error('no database here')");
  await startCommandServer(`"${process.execPath}" "${file}"`, null, signal).then(
    () => assert.unreachable(),
    (error: Error) =>
      assert.match(error.message, /before it listened the command ended with code 1: [\s\S]*no database here/),
  );
});

test("is ended when the sweep is aborted while it starts", async () => {
  const file = fileOf("never.mjs", "setInterval(() => {}, 1000)");
  const abort = new AbortController();
  const starting = startCommandServer(`"${process.execPath}" "${file}"`, null, abort.signal);
  setImmediate(() => abort.abort());
  await starting.then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.name, "AbortError"),
  );
});

test.run();
