import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { RunResult } from "../../../src/harness/load/result/run-result.js";
import { modes } from "../../../src/server.js";
import { loopool } from "../../support/cli.js";

const test = suite("a mix against the cores");

const folder = mkdtempSync(join(tmpdir(), "loopool-mix-"));
test.after(() => rmSync(folder, { recursive: true }));

/** 100,000 in the long form. */
const requests = Number(process.env["LOOPOOL_TEST_MIX"] ?? 4000);

const app = join(folder, "app.mjs");
writeFileSync(
  app,
  `export default {
  async fetch(request) {
    const body = await request.text();
    return new Response(request.method + " " + body.length);
  },
};`,
);
const mix = join(folder, "mix.json");
const kinds = [
  { path: "/look", weight: 4 },
  { path: "/small", weight: 2, body: { a: 1 } },
  { path: "/text", weight: 1, method: "PUT", body: "x".repeat(1000) },
  { path: "/large", weight: 1, body: "y".repeat(100_000) },
  { path: "/form", weight: 1, form: { name: "value" } },
];
writeFileSync(mix, JSON.stringify({ requests: kinds }));

for (const mode of modes.filter((name) => name === "reactor" || name === "pool")) {
  test(`each kind is counted on both sides alike (${mode})`, async () => {
    const log = join(folder, `${mode}.log`);
    const server = loopool(
      "serve",
      "--port",
      "0",
      "--host",
      "127.0.0.1",
      "--mode",
      mode,
      "--handlers",
      app,
      "--log-overflow",
      "block",
      "--log",
      log,
    );
    try {
      const [, url = ""] = await server.written(/listening on (http:\S+) pid/);
      const { code, output, errors } = await loopool(
        "load",
        "--json",
        "-n",
        String(requests),
        "-c",
        "20",
        "--requests-file",
        mix,
        url,
      ).ended;
      assert.is(code, 0, errors);
      const result = JSON.parse(output) as RunResult;
      assert.equal([result.completed, result.sent], [requests, requests]);
      server.process.kill("SIGTERM");
      await server.ended;
      const lines = readFileSync(log, "utf8").split("\n");
      for (const [index, { name, completed }] of result.kinds!.entries()) {
        const served = lines.filter((line) => line.includes(` ${kinds[index]!.path} HTTP/`)).length;
        assert.is(completed, served, name);
      }
    } finally {
      server.process.kill("SIGKILL");
      await server.ended;
    }
  });
}

test.run();
