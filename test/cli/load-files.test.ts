import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { Histogram } from "../../src/harness/load/histogram/histogram.js";
import type { RunResult } from "../../src/harness/load/result/run-result.js";
import { hgrmOf } from "../../src/harness/report/hgrm.js";
import { misfitOf } from "../../src/harness/report/schema.js";
import { loopool } from "../support/cli.js";
import { withServer } from "../support/server.js";

const test = suite("files of a run of the generator");

for (const flags of [[], ["--rate", "400"]]) {
  test(`load ${flags.join(" ")}: JSON, .hgrm and CSV hold the same run, and the JSON is as its schema says`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "loopool-load-"));
    try {
      await withServer({ mode: "reactor" }, async ({ url }) => {
        const [hgrm, csv] = ["run.hgrm", "run.csv"].map((name) => join(folder, name));
        const args = ["-n", "200", "-c", "5", "--json", "--hgrm", hgrm!, "--csv", csv!, ...flags, `${url}/hello`];
        const { code, output, errors } = await loopool("load", ...args).ended;
        assert.is(code, 0, errors);
        const result = JSON.parse(output) as RunResult;
        assert.is(await misfitOf("loopool-load/3", result), null);
        assert.is(await readFile(hgrm!, "utf8"), hgrmOf(Histogram.fromStored(result.latency.total)));
        const [header = "", row = "", end] = (await readFile(csv!, "utf8")).split("\r\n");
        const cell = (name: string): string => row.split(",")[header.split(",").indexOf(name)]!;
        assert.equal([cell("requests_completed"), cell("concurrency"), end], ["200", "5", ""]);
        assert.is(Number(cell("max_ms")), result.latency.total.max / 1e6);
        assert.is(cell("rate_per_s"), flags[1] ?? "");
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
}

test("a file in a folder that is not there is a mistake before any request is sent", async () => {
  await withServer({ mode: "reactor" }, async ({ url, stats }) => {
    const { code, output, errors } = await loopool("load", "--hgrm", "/nowhere/a.hgrm", `${url}/hello`).ended;
    assert.match(
      errors,
      /^loopool: --hgrm \/nowhere\/a\.hgrm cannot be written: ENOENT.*; name a file in another folder\n$/,
    );
    assert.equal([code, output], [2, ""]);
    assert.is((await stats()).requests, 1);
  });
});

test.run();
