import { execFile } from "node:child_process";
import { access, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { plausibleSweep } from "../harness/report/fixture.js";

const main = fileURLToPath(new URL("../../src/cli/main.js", import.meta.url));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `loopool report` in `folder` and waits for its end. */
function reportCommand(folder: string, args: readonly string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [main, "report", ...args], { cwd: folder, timeout: 120_000 }, (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === "number" ? error.code : error === null ? 0 : -1, stdout, stderr }),
    );
  });
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "loopool-report-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const command = suite("report command");

command("a result that is missing or damaged leaves no folder behind", () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, "damaged.json"), "{");
    for (const file of ["missing.json", "damaged.json"]) {
      const { code, stderr } = await reportCommand(folder, [file]);
      assert.is(code, 2, stderr);
      assert.match(stderr, file);
    }
    assert.is((await reportCommand(folder, ["damaged.json", "damaged.json"])).code, 2);
    assert.equal(await readdir(folder), ["damaged.json"]);
  }),
);

command("prints the answer and where the report is, by default in reports", () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, "a.json"), JSON.stringify(plausibleSweep({ rates: { reactor: 1000, pool: 900 } })));
    const { code, stdout, stderr } = await reportCommand(folder, ["a.json"]);
    assert.is(code, 0, stderr);
    assert.match(stdout, /^The server had .*\. On this evidence this handler \(GET \/\) is served best by the reactor/);
    assert.match(stdout, /\nAt c=100 the pool serves 0\.\d\d × the reactor's requests/);
    assert.match(stdout, /\nReport: loopool\/reports\/a\.md\n$/);
    await access(join(folder, "loopool", "reports", "a.md"));
    await access(join(folder, "loopool", "reports", "a", "latency.svg"));
    assert.is((await reportCommand(folder, ["a.json", "--out", "elsewhere"])).code, 0);
    await access(join(folder, "elsewhere", "a.md"));
  }),
);

command("two results: what changed, and an exit code for CI", () =>
  inFolder(async (folder) => {
    const stored = (pool: number, seed: number, trials = 10): string =>
      JSON.stringify(plausibleSweep({ rates: { reactor: 1000, pool }, seed, plan: { trials, requests: 100 } }));
    await writeFile(join(folder, "a.json"), stored(900, 1));
    await writeFile(join(folder, "same.json"), stored(900, 2));
    await writeFile(join(folder, "slower.json"), stored(600, 2));
    await writeFile(join(folder, "few.json"), stored(900, 2, 2));
    const slower = await reportCommand(folder, ["a.json", "slower.json", "--fail-if", "ratio<0.95"]);
    assert.is(slower.code, 1);
    assert.match(slower.stdout, /Requests per second as a ratio to the reactor's: lower after: pool at c=10/);
    assert.match(slower.stdout, /\nReport: loopool\/reports\/a-to-slower\.md\n$/);
    assert.match(slower.stderr, /^loopool: --fail-if ratio<0\.95: pool ÷ reactor at c=10 is 0\.6\d \[.*\]\n/);
    const data = JSON.parse(await readFile(join(folder, "loopool", "reports", "a-to-slower", "change.json"), "utf8"));
    assert.is(data.schema, "loopool-change/2");
    assert.ok(data.cells[1].changed.includes("requestsPerSecond"));

    assert.is((await reportCommand(folder, ["a.json", "slower.json"])).code, 0, "only --fail-if makes a code of it");
    assert.is((await reportCommand(folder, ["a.json", "slower.json", "--fail-if", "ratio<0.3"])).code, 0);
    const same = await reportCommand(folder, ["a.json", "same.json", "--fail-if", "ratio<0.9,p99>1.2"]);
    assert.equal([same.code, same.stderr], [0, ""]);
    const few = await reportCommand(folder, ["few.json", "same.json", "--fail-if", "ratio<0.95"]);
    const close = await reportCommand(folder, ["a.json", "same.json", "--fail-if", "ratio<0.9999"]);
    assert.is(close.code, 3, "an interval that holds the limit is neither a pass nor a failure");
    assert.match(
      close.stderr,
      /^loopool: --fail-if ratio<0\.9999: pool ÷ reactor at c=10 is undecided: .*, the interval holds the limit\n/,
    );
    assert.is(few.code, 3, "two trials cannot show a difference");
    assert.match(few.stderr, /cannot be judged: too few trials/);
  }),
);

command("what cannot be used is one line and exit code 2", () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, "bad.json"), "{}");
    for (const [name, path] of [
      ["a.json", "/"],
      ["other.json", "/hello"],
    ] as const) {
      await writeFile(
        join(folder, name),
        JSON.stringify(plausibleSweep({ rates: { pool: 1 }, plan: { path, trials: 1 } })),
      );
    }
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [["none.json"], /^loopool: cannot read none\.json: ENOENT[^\n]*\n$/],
      [["bad.json"], /^loopool: bad\.json is no sweep result[^\n]*\n$/],
      [["bad.json", "--form", "x"], /^loopool: [^\n]*form[^\n]*\n$/],
      [["a.json", "other.json"], /^loopool: a\.json and other\.json did not measure the same: path [^\n]*\n$/],
      [["a.json", "--fail-if", "ratio<0.9"], /^loopool: --fail-if compares two results[^\n]*\n$/],
      [["a.json", "a.json", "--fail-if", "ratio is 1"], /^loopool: --fail-if must be like [^\n]*\n$/],
      [[], /^loopool: [^\n]+\n$/],
    ];
    for (const [args, message] of cases) {
      const { code, stdout, stderr } = await reportCommand(folder, args);
      assert.is(code, 2, args.join(" "));
      assert.match(stderr, message);
      assert.is(stdout, "");
    }
  }),
);

command.run();
