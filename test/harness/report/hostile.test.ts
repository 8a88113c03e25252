import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { writeReport } from "../../../src/harness/report/files/write.js";
import { readSweep } from "../../../src/harness/report/read.js";
import type { SweepPlan, SweepResult } from "../../../src/harness/sweep/result.js";
import { LoopoolError } from "../../../src/shared/errors.js";
import { plausibleSweep, withCell } from "./fixture.js";

const test = suite("hostile results");
const folder = mkdtempSync(join(tmpdir(), "loopool-test-"));
test.after(() => rmSync(folder, { recursive: true }));

const sweep = plausibleSweep({ rates: { reactor: 1000, pool: 900 }, plan: { trials: 2, concurrencies: [10] } });

/** What reading says of a result, after the file's name; the empty string where it is taken. */
async function misfit(result: object): Promise<string> {
  const file = join(folder, "result.json");
  writeFileSync(file, JSON.stringify(result));
  try {
    await readSweep(file);
  } catch (error) {
    if (error instanceof LoopoolError && error.exitCode === 2) return error.message;
    throw error;
  }
  return "";
}

const planned = (plan: Partial<SweepPlan> | Readonly<Record<string, unknown>>): object => ({
  ...sweep,
  trials: [],
  plan: { ...sweep.plan, ...plan },
});

const many = Array.from({ length: 1000 }, (_, index) => index + 1);
const url = (value: string): object => planned({ cores: ["reactor", "x"], targets: [{ name: "x", url: value }] });

const refused: readonly (readonly [what: string, result: object, message: RegExp])[] = [
  [
    "a core named __proto__",
    planned({ cores: ["reactor", "__proto__"] }),
    /plan\.cores\[1\] must match .*, not "__proto__"/,
  ],
  ["a core named constructor", planned({ cores: ["constructor"] }), /plan\.cores\[0\] must not be "constructor"/],
  ["a core named toString", planned({ cores: ["toString"] }), /must not be "toString"/],
  ["a core with markup", planned({ cores: ["<script>"] }), /plan\.cores\[0\] must match/],
  ["two cores of one name", planned({ cores: ["pool", "pool"] }), /plan\.cores must NOT have duplicate items/],
  ["a control named as a core", planned({ control: { name: "pool", of: "reactor" } }), /two things are named "pool"/],
  ["a control of nothing", planned({ control: { name: "again", of: "none" } }), /"none" is none of its cores/],
  ["10⁷ trials", planned({ trials: 10_000_000 }), /plan\.trials must be <= 1000/],
  [
    "10⁶ trials by the product",
    planned({ trials: 1000, concurrencies: many.slice(0, 500) }),
    /1,000,000 trials are planned/,
  ],
  [
    "10⁶ trials that may be added",
    planned({
      trials: 1,
      until: { halfWidth: 0.1, maxTrials: 1000, maxSeconds: 1 },
      concurrencies: many.slice(0, 500),
    }),
    /1,000,000 trials are planned/,
  ],
  ["10⁹ connections", planned({ concurrencies: [1e9] }), /plan\.concurrencies\[0\] must be <= 100000/],
  ["a path that changes the host", planned({ path: "@example.org/" }), /plan\.path must match/],
  ["a target that is a flag", url("--hgrm=/tmp/x"), /plan\.targets\[0\]\.url must match/],
  ["a target that is a file", url("file:///etc/passwd"), /plan\.targets\[0\]\.url must match/],
  [
    "CPUs that are a flag",
    planned({ pinning: { ...sweep.plan.pinning, server: "--help" } }),
    /plan\.pinning\.server must match/,
  ],
  ["an adapter with spaces", planned({ adapter: "uws --handlers=x" }), /plan\.adapter must match/],
  [
    "a class of errors named __proto__",
    {
      ...sweep,
      trials: [{ ...sweep.trials[0], run: { ...sweep.trials[0]!.run, errors: JSON.parse('{ "__proto__": 1 }') } }],
    },
    /trials\[0\]\.run\.errors/,
  ],
  ["a date that is none", { ...sweep, startedAt: "[x](http:)" }, /startedAt must match/],
  ["a name that is a path", { ...sweep, name: "../x" }, /name must match/],
];

for (const [what, result, message] of refused) {
  test(`${what} is refused with its place`, async () => {
    const reported = await misfit(result);
    assert.match(reported, message);
    assert.ok(reported.length < 500, reported);
  });
}

test("what is within the bounds is taken", async () => {
  assert.is(await misfit(planned({ trials: 100, concurrencies: many.slice(0, 500) })), "");
  assert.is(await misfit(planned({ cores: ["reactor", "nginx 1.27: tuned"] })), "");
});

test("free text of a result reaches no file raw, and none of it is markup, a formula or a fence", async () => {
  const hostile = "=1+1\x1b]0;owned\x07\u009b31m\u202e <b>x</b> `` ` ``` [a](http://x) \u0085";
  const failed = withCell(
    sweep,
    "pool",
    10,
    () => ({ run: null, server: null, failure: hostile }),
    (block) => block === 0,
  );
  const { environment, plan } = failed;
  const result: SweepResult = {
    ...failed,
    command: "```",
    environment: { ...environment, cpuModel: hostile, commit: hostile },
    plan: { ...plan, handlers: hostile, pinning: { ...plan.pinning, reason: hostile } },
  };
  const file = join(folder, "free.json");
  writeFileSync(file, JSON.stringify(result));
  const { markdownPath } = await writeReport(file, folder);
  const markdown = readFileSync(markdownPath, "utf8");
  const written = readdirSync(join(folder, "free")).filter((name) => /\.(html|svg)$/.test(name));
  assert.ok(written.length >= 3);
  const texts = written.map((name) => readFileSync(join(folder, "free", name), "utf8"));
  for (const text of [markdown, ...texts]) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    assert.not.match(text, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  }
  assert.match(markdown, "\\x1b]0;owned");
  assert.match(markdown, "\n````sh\n```\n````\n", "a fence that the command cannot close");
  // In code spans and blocks nothing is markup; elsewhere it is escaped.
  assert.not.match(markdown.replace(/(`+)[^`].*?[^`]\1(?!`)/g, ""), /<b>|[^\\]\]\(http:\/\/x/);
});

test.run();
