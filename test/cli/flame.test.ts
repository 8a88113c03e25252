import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import type { CpuProfile } from "../../src/profile/cpu-profile.js";
import { loopool } from "../support/cli.js";

const test = suite("loopool flame");

test("leaves a flame graph and a profile of every thread, and tells the hottest functions", async () => {
  const out = mkdtempSync(join(tmpdir(), "loopool-test-"));
  try {
    const { code, output, errors } = await loopool(
      "flame",
      "--mode",
      "pool",
      "--workers",
      "2",
      "--seconds",
      "1",
      "--out",
      out,
    ).ended;
    assert.is(code, 0, errors);
    const folder = join(out, readdirSync(out)[0]!);
    const files = readdirSync(folder).sort();
    assert.equal(files, ["flame.html", "main.cpuprofile", "worker-1.cpuprofile", "worker-2.cpuprofile"], output);
    assert.match(readFileSync(join(folder, "flame.html"), "utf8"), /<html/);
    const { samples } = JSON.parse(readFileSync(join(folder, "worker-1.cpuprofile"), "utf8")) as CpuProfile;
    assert.ok(samples.length > 0);
    assert.match(output, /worker-1\.cpuprofile, time in the function itself:\n +\d/);
  } finally {
    rmSync(out, { recursive: true });
  }
});

test("a mode that is none is one line and exit code 2", async () => {
  const { code, errors } = await loopool("flame", "--mode", "fork").ended;
  assert.is(code, 2);
  assert.match(errors, /--mode must be one of reactor, pool/);
});

test.run();
