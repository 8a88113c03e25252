import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { answerOf } from "../../../src/harness/report/answer.js";
import { compare } from "../../../src/harness/report/comparison.js";
import { reportPage } from "../../../src/harness/report/html/page.js";
import { latenciesOf } from "../../../src/harness/report/latencies.js";
import { phasesTable } from "../../../src/harness/report/phases.js";
import { colours } from "../../../src/harness/report/theme.js";
import type { SweepResult } from "../../../src/harness/sweep/result.js";
import { browsing, withPage } from "../../support/browser.js";
import { CONTRASTS } from "../../support/contrasts.js";
import { errorStorm, generatorLimited, ownRun, plausibleSweep, withCell } from "./fixture.js";
import { type Element, parseXml } from "./xml.js";

function pageOf(sweep: SweepResult): string {
  const comparison = compare(sweep);
  return reportPage({
    comparison,
    answer: answerOf(comparison),
    latencies: latenciesOf(comparison),
    resultFile: "bench/results/a.json",
  });
}

const DOCTYPE = "<!doctype html>\n";

/** The elements of a page. Throws where it is not well-formed. */
function elementsOf(page: string): readonly Element[] {
  assert.ok(page.startsWith(DOCTYPE));
  return parseXml(page.slice(DOCTYPE.length));
}

const named = (elements: readonly Element[], name: string): readonly Element[] =>
  elements.filter((element) => element.name === name);

/** The sweep with a series of the seconds of each trial, the last one cut short. */
function withSeconds(sweep: SweepResult): SweepResult {
  const trials = sweep.trials.map((trial) => ({
    ...trial,
    run: trial.run && {
      ...ownRun(trial),
      perSecond: Array.from({ length: Math.floor(trial.run.elapsedSeconds) + 1 }, (_, second) => ({
        completed: second + 1 > trial.run!.elapsedSeconds ? 1 : 50 + 10 * second + trial.block,
        errors: 0,
        p99: 2e6 + 1e5 * second,
      })),
    },
  }));
  return { ...sweep, trials };
}

const plan = { trials: 8, requests: 200, concurrencies: [10, 100] } as const;
const sweep = plausibleSweep({ rates: { reactor: 132_000, pool: 118_000 }, plan });

/** Its trials last some three and a half seconds. */
const slow = withSeconds(plausibleSweep({ rates: { reactor: 58, pool: 56 }, plan }));

const page = suite("report page");

page("is well-formed, with headings in order, captioned tables, named charts and links that lead somewhere", () => {
  const kinds: readonly SweepResult[] = [
    sweep,
    slow,
    withCell(withCell(sweep, "pool", 100, errorStorm), "reactor", 10, generatorLimited),
    { ...sweep, finishedAt: null, trials: [] },
    plausibleSweep({ rates: { pool: 1000 }, plan: { ...plan, trials: 1 } }),
    plausibleSweep({
      rates: { a: 1000, b: 900, c: 800 },
      plan: { ...plan, trials: 2, control: { name: "a again", of: "a" }, keepAlive: false },
    }),
  ];
  for (const kind of kinds) {
    const text = pageOf(kind);
    const elements = elementsOf(text);
    const count = (name: string): number => named(elements, name).length;
    assert.is(count("h1"), 1);
    assert.is(count("caption"), count("table"));
    assert.ok(count("table") >= 5);
    assert.ok(named(elements, "th").every(({ attributes }) => ["col", "row"].includes(attributes["scope"] ?? "")));
    const charts = elements.filter(({ attributes }) => attributes["class"] === "chart");
    assert.is(charts.length, count("figure"));
    assert.ok(charts.every(({ attributes }) => attributes["role"] === "img" && attributes["aria-label"]!.length > 20));
    const ids = elements.flatMap(({ attributes }) => attributes["id"] ?? []);
    assert.is(new Set(ids).size, ids.length, "no id is there twice");
    const referred = [...text.matchAll(/(?:href="|url\()#([^")]+)/g)].map(([, id]) => id!);
    assert.ok(referred.length >= 9 && referred.every((id) => ids.includes(id)), referred.join());
    assert.not.match(text.replace(/<style>[\s\S]*?<\/style>/, ""), /NaN|undefined|Infinity|\[object/);
  }
});

page("refers to nothing outside itself and runs nothing", () => {
  const text = pageOf(slow);
  const elements = elementsOf(text);
  assert.is(named(elements, "script").length, 0);
  const targets = elements.flatMap(({ attributes }) =>
    [attributes["href"], attributes["src"]].flatMap((to) => to ?? []),
  );
  assert.ok(
    targets.every((to) => to.startsWith("#") || to === "data:,"),
    targets.join(),
  );
  assert.not.match(text, /url\((?!#)|@import|<[^>]+\son\w+=/);
  assert.ok(Buffer.byteLength(text) < 500_000);
});

page("names, paths, failures and commands of the data cannot become markup", () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>&amp;]]>\u0000`;
  const build = (text: string): SweepResult => {
    const made = plausibleSweep({
      rates: { [`r${text}`]: 58, [`p${text}`]: 56 },
      plan: { ...plan, path: `/${text}`, handlers: text, control: { name: `t${text}`, of: `r${text}` } },
    });
    const { environment } = made;
    const failed = withCell(
      made,
      `p${text}`,
      100,
      () => ({ run: null, server: null, failure: text }),
      (block) => block === 0,
    );
    return {
      ...withSeconds(failed),
      finishedAt: null,
      name: text,
      command: text,
      environment: { ...environment, cpuModel: text, commit: text, platform: text },
      plan: { ...made.plan, pinning: { ...made.plan.pinning, reason: text } },
    };
  };
  const shape = (text: string): readonly string[] =>
    elementsOf(pageOf(build(text))).map(({ name, attributes }) => [name, ...Object.keys(attributes)].join(" "));
  // The chart library puts out a path for a glyph or a tick more or less; nothing else may differ.
  const outside = (shapes: readonly string[]): readonly string[] =>
    shapes.filter((entry) => !/^(?:path|text|tspan)\b/.test(entry));
  assert.equal(outside(shape(hostile)), outside(shape("harmless")));
  const elements = elementsOf(pageOf(build(hostile)));
  assert.ok(named(elements, "li").some(({ text }) => text.includes(hostile.slice(0, 30))));
});

page("every concurrency has a percentile curve of each cell, over all of its valid trials", () => {
  const text = pageOf(withCell(sweep, "pool", 100, errorStorm));
  const labels = elementsOf(text).flatMap(({ attributes }) => attributes["aria-label"] ?? []);
  const curves = labels.filter((label) => label.startsWith("Latency by percentile"));
  assert.is(curves.length, 2);
  assert.match(
    curves[0]!,
    /concurrency 10, ms: reactor p50 [\d.]+, p99 [\d.]+, p99\.9 [\d.]+, longest [\d.]+; pool p50/,
  );
  assert.not.match(curves[1]!, /pool/, "no trial of it is valid");
  assert.match(text, /reactor: 1,600 requests · pool: 1,600 requests/);
  const share = named(elementsOf(text), "text").map(({ text: words }) => words);
  for (const mark of ["0%", "90%", "99%", "99.9%"]) assert.ok(share.includes(mark), mark);
});

page("seconds are drawn a line for each trial, without the last one that is cut short", () => {
  const three = pageOf(slow);
  const labels = elementsOf(three).flatMap(({ attributes }) => attributes["aria-label"] ?? []);
  const seconds = labels.filter((label) => label.includes("in each second"));
  assert.is(seconds.length, 2 * 2);
  const longest = (core: string): number =>
    Math.max(
      ...slow.trials
        .filter((trial) => trial.core === core && trial.concurrency === 10)
        .map(({ run, block }) => 40 + 10 * Math.floor(run!.elapsedSeconds) + block),
    );
  assert.is(
    seconds[0],
    `Requests per second in each second of each trial at concurrency 10: reactor from 50 to ${longest("reactor")}; pool from 50 to ${longest("pool")}`,
  );
  const charts = three
    .split('<div class="chart"')
    .map((part) => part.split("</figure>")[0]!)
    .filter((part) => part.includes("in each second"));
  for (const chart of charts) {
    for (const colour of colours.slice(0, 2)) assert.is(chart.split(`stroke="${colour}"`).length - 1, plan.trials);
  }
  assert.match(pageOf(sweep), /No cell of this result has two whole seconds in each of its trials/);
});

page("trials that only a disturbance made two seconds long are not drawn for all", () => {
  const disturbed = withCell(
    sweep,
    "reactor",
    10,
    ({ run }) => ({ run: { ...run, elapsedSeconds: 4 } }),
    (block) => block === 1,
  );
  assert.not.match(pageOf(withSeconds(disturbed)), /in each second of each trial/);
  // Nor is the wait for a last answer a second of the trial.
  const waited = withCell(sweep, "reactor", 10, ({ run }) => ({
    run: { ...run, elapsedSeconds: 4, window: { seconds: 1, completed: run.completed - 1, latencyAfterSeconds: 3 } },
  }));
  assert.not.match(pageOf(withSeconds(waited)), /in each second of each trial/);
});

page("no time is negative: where the sample's mean is above that of all, what is outside is not known", () => {
  const slow = withCell(sweep, "reactor", 10, ({ server }) => ({
    server: { ...server, phases: { wait: 0, handler: 6_900_000, back: 0, write: 1 } },
  }));
  const row = phasesTable(compare(slow)).rows.find(([cell]) => cell === "reactor, c=10");
  assert.is(row?.[5], "–");
  assert.not.match(pageOf(slow), /[-−]\d[\d,.]* ?<\/td>/);
});

page("a server that measures no phases has no bar, and without any the page says so", () => {
  const bare = (core: string, of: SweepResult): SweepResult =>
    plan.concurrencies.reduce(
      (made, concurrency) =>
        withCell(made, core, concurrency, ({ server }) => ({ server: { ...server, phases: null } })),
      of,
    );
  const labels = (text: string): readonly string[] =>
    elementsOf(text)
      .flatMap(({ attributes }) => attributes["aria-label"] ?? [])
      .filter((label) => label.startsWith("Mean time of a request at"));
  const [first] = labels(pageOf(sweep));
  assert.match(
    first!,
    /ms: reactor In the ring 0\.0120, Handler with its waits 0\.00300, Way back 0\.00700, Write 0\.00500, Outside/,
  );
  assert.match(first!, /; pool In the ring/);
  assert.not.match(labels(pageOf(bare("pool", sweep)))[0]!, /pool/);
  assert.match(pageOf(bare("reactor", bare("pool", sweep))), /No server of this result measured the phases/);
});

page("the same result gives the same page", () => {
  const [first, second] = [1, 2].map(() => pageOf(slow));
  assert.ok(first === second);
});

page.run();

const browser = suite("report page in Chromium");
const inBrowser = browsing(browser);

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360]) {
    inBrowser(
      `${colorScheme}, ${width} wide: every chart is drawn, nothing is requested or complained about`,
      async () => {
        const folder = await mkdtemp(join(tmpdir(), "loopool-page-"));
        try {
          const file = join(folder, "report.html");
          await writeFile(file, pageOf(withCell(slow, "pool", 100, errorStorm)));
          await withPage({ colorScheme, viewport: { width, height: 800 } }, async (tab) => {
            const requests: string[] = [];
            const messages: string[] = [];
            tab.on("request", (request) => requests.push(request.url()));
            tab.on("console", (message) => messages.push(message.text()));
            await tab.goto(pathToFileURL(file).href);
            assert.equal(requests, [pathToFileURL(file).href]);
            assert.equal(messages, []);
            const sizes = await tab.evaluate<readonly (readonly [number, number, number])[]>(
              `[...document.querySelectorAll(".chart svg")].map((svg) => {
              const { width, height } = svg.getBoundingClientRect();
              return [width, height, svg.querySelectorAll("path, text").length];
            })`,
            );
            assert.is(sizes.length, 2 + 2 + 4 + 2, "overview, percentiles, seconds, phases");
            for (const [drawn, height, marks] of sizes)
              assert.ok(drawn > 250 && drawn <= width && height > 80 && marks > 10);
            assert.is(
              await tab.evaluate("document.documentElement.scrollWidth"),
              width,
              "nothing is wider than the page",
            );
            const contrasts =
              await tab.evaluate<readonly { readonly what: string; readonly ratio: number }[]>(CONTRASTS);
            assert.ok(contrasts.length > 200 && contrasts[0]!.ratio >= 4.5, JSON.stringify(contrasts[0]));
          });
        } finally {
          await rm(folder, { recursive: true });
        }
      },
    );
  }
}

browser.run();
