import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { compressed } from "../../../src/harness/load/histogram/histogram.js";
import { compare } from "../../../src/harness/report/comparison.js";
import type { ReportData } from "../../../src/harness/report/data.js";
import { type WrittenReport, writeReport } from "../../../src/harness/report/files/write.js";
import { whole } from "../../../src/harness/report/format.js";
import type { SweepResult } from "../../../src/harness/sweep/result.js";
import { LoopoolError } from "../../../src/shared/errors.js";
import { errorStorm, generatorLimited, ownRun, plausibleSweep, withCell } from "./fixture.js";
import { parseXml } from "./xml.js";

interface Written extends WrittenReport {
  readonly markdown: string;
  readonly folder: string;
}

/** Writes the report of a sweep into a folder of its own, hands it to `use` and removes the folder. */
async function report(
  sweep: unknown,
  use: (written: Written) => void | Promise<void>,
  name = "2026-01-02-cores.json",
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "loopool-report-"));
  try {
    const file = join(folder, name);
    await writeFile(file, typeof sweep === "string" ? sweep : JSON.stringify(sweep));
    const written = await writeReport(file, join(folder, "reports", "new"));
    await use({ ...written, folder, markdown: await readFile(written.markdownPath, "utf8") });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The cells of the first table below a heading, by row heading. */
function tableBelow(markdown: string, heading: string): ReadonlyMap<string, readonly string[]> {
  const lines = markdown.slice(markdown.indexOf(`\n${heading}\n`)).split("\n");
  const start = lines.findIndex((line) => line.startsWith("|"));
  const rows = new Map<string, readonly string[]>();
  for (const line of lines.slice(start)) {
    if (!line.startsWith("|")) break;
    const [, first = "", ...rest] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    rows.set(first, rest.slice(0, -1));
  }
  return rows;
}

const sweep = plausibleSweep({ rates: { reactor: 132_000, pool: 118_000 } });
const openLoops = plausibleSweep({
  rates: { reactor: 1000, pool: 900 },
  plan: {
    trials: 2,
    concurrencies: [10],
    openLoop: { shares: null, rates: [{ concurrency: 10, requestsPerSecond: 400 }], seconds: 1 },
  },
});
const writing = suite("report");

writing("the answer stands in the first lines, before any figure", () =>
  report(sweep, ({ markdown, answer, markdownPath }) => {
    assert.match(markdownPath, /reports\/new\/2026-01-02-cores\.md$/);
    const [title, , summary, , first] = markdown.split("\n");
    assert.is(title, "# reactor or pool: cores, 2026-01-02");
    assert.match(
      summary!,
      /^\*\*The server had 1 CPU\. On this evidence this handler \(GET \/\) is served best by the reactor/,
    );
    assert.match(first!, /^- At c=10 the pool serves 0\.\d\d × the reactor's requests \[0\.\d\d, 0\.\d\d\]: slower\.$/);
    assert.is(answer.length, 5);
    assert.is(`- ${answer[1]}`, first);
  }),
);

writing("each table holds the medians, intervals and ratios of the data", () =>
  report(sweep, ({ markdown }) => {
    for (const { concurrency, cells, ratios } of compare(sweep).levels) {
      const rows = tableBelow(markdown, `### c=${concurrency}`);
      assert.equal(rows.get(""), ["reactor", "pool", "pool ÷ reactor"]);
      const speeds = cells.map(
        ({ estimates: { requestsPerSecond: speed } }) =>
          `${whole(speed.value)} [${whole(speed.interval!.low)} – ${whole(speed.interval!.high)}]`,
      );
      const { ratio, interval } = ratios[0]!.byMetric.requestsPerSecond!;
      assert.equal(rows.get("Requests per second"), [
        ...speeds,
        `${ratio.toFixed(2)} [${interval!.low.toFixed(2)}, ${interval!.high.toFixed(2)}]`,
      ]);
      assert.is(
        rows.get("99%, median of trials, ms")?.[1]?.split(" ")[0],
        cells[1]!.estimates.p99Ms.value.toPrecision(3),
      );
      assert.equal(rows.get("Failed requests (all trials)"), ["0", "0", ""]);
      assert.is(rows.size, 12, "eight metrics, the other 99%, errors, the header and its rule");
    }
  }),
);

writing("a result of version 2, with the former names in its plan, gives the same report", async () => {
  const control = { name: "reactor again", of: "reactor" };
  const newer = plausibleSweep({ rates: { reactor: 1000, pool: 900 }, plan: { trials: 6, control, adapter: "node" } });
  const { control: twin, adapter: front, ...plan } = newer.plan;
  await report({ ...newer, schema: "loopool-sweep/2", plan: { ...plan, twin, front } }, async (before) => {
    await report(newer, async (after) => {
      assert.match(after.markdown, /\| Adapter +\| +node/);
      assert.is(after.markdown.replaceAll(after.folder, ""), before.markdown.replaceAll(before.folder, ""));
    });
  });
});

writing("a result of version 1, with its counts in the open, gives the same report", () =>
  report({ ...sweep, schema: "loopool-sweep/1" }, async (older) => {
    const trials = sweep.trials.map((trial) => {
      const { latency, ...run } = ownRun(trial);
      const total = compressed(latency.total);
      return { ...trial, run: { ...run, latency: { connect: total, processing: total, waiting: total, total } } };
    });
    await report({ ...sweep, trials }, async (newer) => {
      assert.is(newer.markdown.replaceAll(newer.folder, ""), older.markdown.replaceAll(older.folder, ""));
      for (const file of ["report.html", "trials.csv", "pool-c100.hgrm"]) {
        const [before, after] = await Promise.all(
          [older, newer].map(async ({ folder }) => {
            const text = await readFile(join(folder, "reports", "new", "2026-01-02-cores", file), "utf8");
            return text.replaceAll(folder, "");
          }),
        );
        assert.is(after, before, file);
      }
    });
  }),
);

writing("the phases of a request and what is left of it add up to its mean time", () =>
  report(sweep, ({ markdown }) => {
    const rows = tableBelow(markdown, "## Where the time goes");
    for (const [cell, columns] of rows) {
      if (!cell.includes("c=")) continue;
      const [ring, handler, back, write, outside, whole] = columns.map((text) => Number(text.replaceAll(",", "")));
      assert.equal([ring, handler, back, write], [12, 3, 7, 5]);
      assert.ok(Math.abs(27 + outside! - whole!) <= 0.01 * whole!, `${cell}: ${columns}`);
    }
    assert.is(rows.size, 2 * 4 + 2);
  }),
);

writing(
  "every link leads to a file, and both charts are well-formed SVGs with the cores and concurrencies as text",
  () =>
    report(
      sweep,
      async ({ markdown, markdownPath }) => {
        const links = [...markdown.matchAll(/\]\(([^)]+)\)/g)].map(([, link = ""]) => decodeURIComponent(link));
        const endings = ["svg", "html", "csv", "json", "hgrm"].map(
          (ending) => links.filter((link) => link.endsWith(`.${ending}`)).length,
        );
        assert.equal(endings, [2, 2, 1, 1, 8], "the page, and HdrHistogram's plotter; a histogram for each cell");
        for (const link of links) {
          if (link.startsWith("https:")) continue;
          const file = join(dirname(markdownPath), link);
          assert.ok((await stat(file)).size > 1000);
          if (!link.endsWith(".svg")) continue;
          const texts = parseXml(await readFile(file, "utf8"))
            .filter(({ name }) => name === "text")
            .map(({ text }) => text);
          for (const word of ["10", "100", "250", "450", "Concurrency (connections)"])
            assert.ok(texts.includes(word), `${word} in ${link}`);
          for (const core of ["reactor", "pool"])
            assert.ok(
              texts.some((text) => text.startsWith(core)),
              `${core} in ${link}`,
            );
        }
      },
      "a name (with brackets).json",
    ),
);

writing("an invalid cell is printed and marked with its reason, its ratios are not", () =>
  report(withCell(sweep, "pool", 100, errorStorm), async ({ markdown, markdownPath }) => {
    const rows = tableBelow(markdown, "### c=100");
    assert.equal(rows.get(""), ["reactor", "pool (invalid)", "pool ÷ reactor"]);
    assert.is(rows.get("Requests per second")?.[2], "not ranked");
    assert.is(rows.get("Failed requests (all trials)")?.[1], "9,000");
    assert.ok(
      markdown.includes(
        "- **pool at c=100 is invalid and not ranked:** 9,000 of 10,000 requests failed: unexpected-status 9,000 with status 503.",
      ),
    );
    assert.is(tableBelow(markdown, "## Validity").get("pool, c=100")?.[0], "invalid");
    assert.is(tableBelow(markdown, "## Validity").get("reactor, c=100")?.[0], "valid");
    assert.ok(tableBelow(markdown, "## Beside the reference server in C").has("c=100, pool (invalid)"));
    const chart = await readFile(join(dirname(markdownPath), "2026-01-02-cores", "throughput.svg"), "utf8");
    assert.match(chart, /invalid, left out: pool at 100</);
  }),
);

writing("a cell held back by the generator alone is marked invalid, its bound printed and drawn hollow", () =>
  report(withCell(sweep, "reactor", 250, generatorLimited), async ({ markdown, markdownPath }) => {
    const rows = tableBelow(markdown, "### c=250");
    assert.equal(rows.get("")?.[0], "reactor (invalid)");
    assert.match(rows.get("Requests per second")?.[2] ?? "", /^≤ 0\.\d\d \[0\.\d\d, 0\.\d\d\]$/);
    assert.is(rows.get("99%, median of trials, ms")?.[2], "not ranked");
    assert.match(rows.get("Server CPU per request, µs")?.[2] ?? "", /^\d\.\d\d \[/);
    const folder = join(dirname(markdownPath), "2026-01-02-cores");
    for (const [chart, bound] of [
      ["throughput", "at least"],
      ["latency", "at most"],
    ] as const) {
      const svg = await readFile(join(folder, `${chart}.svg`), "utf8");
      assert.match(svg, new RegExp(`hollow: ${bound} \\(generator was the limit\\)<`));
      assert.is((svg.match(/fill="#ffffff" stroke="#0072B2"/g) ?? []).length, chart === "latency" ? 2 : 1);
    }
  }),
);

writing("the reference server's published figures stand beside ours", () =>
  report(sweep, ({ markdown }) => {
    const rows = tableBelow(markdown, "## Beside the reference server in C");
    assert.equal(rows.get("c=450, C server"), ["13.9", "7,172", "62.7", "3", "61 ± 242", "14", "4,377"]);
    assert.equal(rows.get("c=10, C server"), ["17.3", "5,770", "1.73", "0", "2 ± 1.30", "1", "20"]);
    const ours = compare(sweep).levels[3]!.cells[1]!;
    assert.is(rows.get("c=450, pool")?.[1], whole(ours.estimates.requestsPerSecond.value));
    assert.is(rows.get("c=450, pool")?.[6], ours.estimates.maxMs.value.toPrecision(3));
    assert.is(rows.size, 14);
    assert.match(markdown, /It opened a new connection for each request, ours kept them/);
  }),
);

writing("the reference server is left out of reports on another page or on handlers of the user's own", async () => {
  for (const own of [{ path: "/cpu?us=1000" }, { handlers: "/app/handlers.mjs" }]) {
    await report({ ...sweep, plan: { ...sweep.plan, ...own } }, async ({ markdown, markdownPath }) => {
      assert.not.match(markdown, /referenceServer|C server/);
      assert.not.match(
        await readFile(join(markdownPath.replace(/\.md$/, ""), "report.html"), "utf8"),
        /referenceServer|C server/,
      );
    });
  }
});

writing("an unfinished sweep says how many trials are missing and how to go on, and ranks only whole cells", () =>
  report({ ...sweep, finishedAt: null, trials: sweep.trials.slice(0, 74) }, ({ markdown, answer, folder }) => {
    const file = join(folder, "2026-01-02-cores.json");
    assert.is(
      answer[0],
      `Unfinished: 6 of 80 trials are missing, and a cell without all of its trials is not ranked. Go on with: npm run sweep -- --resume ${file}`,
    );
    assert.match(markdown.split("\n")[2]!, /^> Unfinished: 6 of 80 trials are missing/);
    assert.is(tableBelow(markdown, "### c=10").get("")?.[1], "pool");
    assert.is(tableBelow(markdown, "### c=250").get("")?.[1], "pool (invalid)");
    assert.ok(markdown.includes("- **pool at c=250 is invalid and not ranked:** 9 of 10 planned trials finished."));
  }),
);

writing("a sweep without any trial still has a report", () =>
  report({ ...sweep, finishedAt: null, trials: [] }, ({ markdown }) => {
    assert.match(markdown, /No answer: at no concurrency are the results of all cores valid\./);
    assert.not.match(markdown, /NaN|undefined|Infinity/);
  }),
);

writing("failed trials are told with the sweep's own words, which cannot break the page", () =>
  report(
    withCell(
      sweep,
      "pool",
      10,
      () => ({ run: null, server: null, failure: "exit 1: <b>|`x`\nno" }),
      (block) => block === 0,
    ),
    ({ markdown }) => {
      assert.ok(
        markdown.includes("1 trial failed: exit 1: &lt;b>\\|\\`x\\` no."),
        markdown.slice(markdown.indexOf("## Validity"), 400),
      );
    },
  ),
);

writing("the same stands beside it as data: every verdict with its reasons, every comparison with its doubts", () =>
  report(withCell(sweep, "pool", 100, errorStorm), async ({ markdownPath, answer }) => {
    const text = await readFile(join(dirname(markdownPath), "2026-01-02-cores", "report.json"), "utf8");
    const data = JSON.parse(text) as ReportData;
    assert.is(data.schema, "loopool-report/2");
    assert.is(data.answer.lines[0], answer[1]);
    const [fine, stormy] = data.levels;
    assert.equal(
      stormy!.cells.map(({ core, verdict }) => [core, verdict.valid, verdict.reasons.map(({ code }) => code)]),
      [
        ["reactor", true, []],
        ["pool", false, ["errors"]],
      ],
    );
    assert.is(stormy!.comparisons[0]!.byMetric.requestsPerSecond, null);
    const { verdict, doubts, correctedP, family, interval } = fine!.comparisons[0]!.byMetric.requestsPerSecond!;
    assert.equal([verdict, doubts, family], ["lower", [], 3]);
    assert.ok(correctedP <= 0.05 && interval!.high < 1);
    assert.ok(fine!.comparisons[0]!.byMetric.peakRssMebibytes!.doubts.length > 0);
    assert.is(data.noise, null);
  }),
);

writing("the verdicts are in the report in words", () =>
  report(withCell(sweep, "pool", 100, errorStorm), ({ markdown }) => {
    const rows = tableBelow(markdown, "## Verdicts");
    assert.is(rows.get("pool ÷ reactor, c=10")?.[0], "lower");
    assert.equal(rows.get("pool ÷ reactor, c=100"), ["not ranked", "–", "–", "a cell is invalid"]);
  }),
);

writing("no figure of a report is NaN or undefined, with one core, three, and one trial", async () => {
  for (const rates of [{ pool: 1000 }, { reactor: 1000, pool: 900, processes: 400 }]) {
    for (const trials of [1, 7]) {
      await report(
        plausibleSweep({ rates, plan: { trials, keepAlive: false, concurrencies: [450, 7] } }),
        ({ markdown }) => {
          assert.not.match(markdown, /NaN|undefined|Infinity|\[object/);
          assert.ok(markdown.indexOf("### c=7\n") < markdown.indexOf("### c=450\n"));
          assert.match(markdown, /Both opened a new connection for each request/);
        },
      );
    }
  }
});

writing("environment, pinning, seed and the commands to make it again are all there", () =>
  report(sweep, ({ markdown, folder }) => {
    const rows = tableBelow(markdown, "## Environment");
    assert.equal(rows.get("CPU"), ["Example CPU @ 2.50GHz"]);
    assert.equal(rows.get("Server / generator"), ["CPU 0 / CPU 1"]);
    assert.equal(rows.get("loopool"), ["0.1.0, commit 0123abc"]);
    assert.equal(rows.get("Handlers"), ["built-in"]);
    assert.ok(markdown.includes("Server and generator had a CPU each."));
    assert.ok(markdown.includes("```sh\nnpm run sweep -- --seed 1\n```"));
    assert.ok(markdown.includes(`\`npm run report -- ${join(folder, "2026-01-02-cores.json")}\``));
    assert.match(markdown, /coordinated omission/);
  }),
);

writing("the same result gives the same report", async () => {
  const texts: string[] = [];
  for (const _ of [1, 2]) {
    await report(sweep, async ({ markdown, markdownPath, folder }) => {
      const chart = await readFile(join(dirname(markdownPath), "2026-01-02-cores", "latency.svg"), "utf8");
      texts.push(markdown.replaceAll(folder, "") + chart);
    });
  }
  assert.ok(texts[0] === texts[1]);
});

writing.run();

const refusing = suite("report of what is no sweep");

/** The error of a report that must not be written. */
async function refusal(stored: unknown): Promise<LoopoolError> {
  try {
    await report(stored, () => assert.unreachable("a report was written"));
  } catch (error) {
    if (error instanceof LoopoolError) return error;
    throw error;
  }
  throw new Error("nothing was thrown");
}

refusing("a missing file is named with the remedy", async () => {
  const error = await writeReport("/nowhere/x.json", "/nowhere").catch((thrown: unknown) => thrown);
  assert.instance(error, LoopoolError);
  assert.match(
    (error as LoopoolError).message,
    /^cannot read \/nowhere\/x\.json: ENOENT.*name a result that a sweep wrote$/,
  );
  assert.is((error as LoopoolError).exitCode, 2);
});

refusing("text that is not JSON, another schema and missing fields are each told in one line", async () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ["{", /is not JSON/],
    ["[1]", /its schema is missing, not "loopool-sweep\/3"/],
    [{ schema: "other/2" }, /its schema is "other\/2"/],
    [
      { ...sweep, schema: "loopool-sweep/4" },
      /of another version, "loopool-sweep\/4": this loopool reads "loopool-sweep\/1", "loopool-sweep\/2", "loopool-sweep\/3"; use the/,
    ],
    [
      withCell(sweep, "pool", 10, () => ({ run: "lost" as never })),
      /trials\[\d+\]\.run is string, not object or null;/,
    ],
    [
      withCell(sweep, "pool", 10, ({ run }) => ({ run: { ...run, sent: 0.5 } })),
      /trials\[\d+\]\.run\.sent is number, not integer;/,
    ],
    [
      { ...sweep, stopped: { code: "tired", widest: null } },
      /stopped\.code must be equal to one of the allowed values: narrow, /,
    ],
    [
      { ...sweep, plan: { ...sweep.plan, trials: "7" } },
      /is not a whole sweep result: plan\.trials is string, not integer; run the sweep again$/,
    ],
    [{ ...sweep, environment: undefined }, /: it lacks environment;/],
    [{ ...sweep, plan: { ...sweep.plan, cores: [] } }, /plan\.cores must NOT have fewer than 1 items/],
    [
      withCell(sweep, "pool", 10, ({ run }) => ({
        run: { ...run, latency: { ...run.latency, total: { ...run.latency.total, count: 1 } } },
      })),
      /trials\[\d+\]\.run\.latency\.total: /,
    ],
    [{ ...sweep, trials: [{ ...sweep.trials[0], run: {} }] }, /: trials\[0\]\.run lacks url;/],
  ];
  for (const [stored, message] of cases) {
    const error = await refusal(stored);
    assert.match(error.message, message);
    assert.is(error.exitCode, 2);
    assert.not.match(error.message, /\n/);
  }
});

refusing("a histogram that is damaged is named, whichever it is", async () => {
  const { latency, openLoop } = ownRun(openLoops.trials[0]!);
  const compressedTotal = compressed(latency.total);
  const cases: readonly (readonly [object, RegExp])[] = [
    [
      { latency: { ...latency, connect: { ...compressedTotal, count: compressedTotal.count + 1 } } },
      /: trials\[0\]\.run\.latency\.connect: stored histogram: its cells hold \d+ values, it announces \d+;/,
    ],
    [
      { openLoop: { ...openLoop, pacing: { ...compressedTotal, hdrHistogramV2: "HISTFAAAAAA=" } } },
      /: trials\[0\]\.run\.openLoop\.pacing: this is no compressed histogram of HdrHistogram's V2 encoding: /,
    ],
    [
      { totalByFirstByte: { f: { ...compressedTotal, max: 2 * compressedTotal.max } } },
      /: trials\[0\]\.run\.totalByFirstByte\.f: stored histogram: its cells do not go from/,
    ],
    [
      { latency: { ...latency, total: { ...compressedTotal, hdrHistogramV2: "HISTF!" } } },
      /: trials\[0\]\.run\.latency\.total\.hdrHistogramV2 must match \^HISTF/,
    ],
    [
      { latency: { ...latency, total: { ...compressedTotal, hdrHistogramV2: undefined } } },
      /: trials\[0\]\.run\.latency\.total lacks hdrHistogramV2;/,
    ],
  ];
  for (const [change, message] of cases) {
    const [first, ...others] = openLoops.trials;
    const error = await refusal({ ...openLoops, trials: [{ ...first, run: { ...first!.run, ...change } }, ...others] });
    assert.match(error.message, message);
    assert.is(error.exitCode, 2);
  }
});

refusing("a folder that cannot be written is named", async () => {
  const folder = await mkdtemp(join(tmpdir(), "loopool-report-"));
  try {
    const file = join(folder, "a.json");
    await writeFile(file, JSON.stringify(sweep satisfies SweepResult));
    const error = await writeReport(file, join(file, "reports")).catch((thrown: unknown) => thrown);
    assert.is((error as LoopoolError).code, "REPORT_NOT_WRITTEN");
    assert.match((error as LoopoolError).message, /cannot write the report to .*a\.json.reports/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

refusing.run();
