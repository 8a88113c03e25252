import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { reportOf } from "../../../src/harness/break-even/write.js";
import { answerOf } from "../../../src/harness/report/answer.js";
import { changeBetween } from "../../../src/harness/report/change.js";
import { changeData } from "../../../src/harness/report/change-document.js";
import { compare } from "../../../src/harness/report/comparison.js";
import { reportData } from "../../../src/harness/report/data.js";
import { readSweep, renamePlan } from "../../../src/harness/report/read.js";
import { misfitOf, type SchemaName, schemaNames, schemaOf } from "../../../src/harness/report/schema.js";
import type { SweepResult } from "../../../src/harness/sweep/result.js";
import { packageRoot } from "../../../src/shared/package-root.js";
import { plausibleResult } from "../break-even/fixture.js";
import { errorStorm, generatorLimited, plausibleSweep, withCell } from "./fixture.js";

const test = suite("schemas");

const results = join(packageRoot, "bench", "results");

/** As it is read back from a file. */
const written = (data: object): unknown => JSON.parse(JSON.stringify(data));

/** A part of one of the schemas. */
interface Part {
  readonly schema: Readonly<Record<string, unknown>>;
  readonly root: SchemaName;
}

/** What a part, and those it refers to or has as alternatives, say of a field; of an array's items with `key` null. */
function describing(key: string | null, { schema, root }: Part): readonly Part[] {
  const properties = (schema["properties"] ?? {}) as Record<string, unknown>;
  const own = key === null ? schema["items"] : (properties[key] ?? schema["additionalProperties"]);
  const alternatives = ((schema["anyOf"] ?? []) as Part["schema"][]).map((alternative) => ({
    schema: alternative,
    root,
  }));
  const parts = [...(typeof schema["$ref"] === "string" ? [resolve(schema["$ref"], root)] : []), ...alternatives];
  return [
    ...(own === undefined ? [] : [{ schema: own as Part["schema"], root }]),
    ...parts.flatMap((part) => describing(key, part)),
  ];
}

/**
 * Fields of a value that no schema describes. Readers ignore what they do not know, so this is not a misfit; but what we write is to be
 * described.
 */
function undescribed(value: unknown, part: Part, location = ""): readonly string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const [first] = describing(Array.isArray(value) ? null : key, part);
    return first === undefined ? [`${location}.${key}`] : undescribed(inner, first, `${location}.${key}`);
  });
}

function resolve(ref: string, root: SchemaName): Part {
  const [file = "", pointer = ""] = ref.split("#");
  const target = schemaNames.find((name) => `${name.replace("/", "-")}.schema.json` === file) ?? root;
  const schema = pointer
    .split("/")
    .slice(1)
    .reduce((at: unknown, key) => (at as Record<string, unknown>)[key], schemaOf(target));
  return { schema: schema as Part["schema"], root: target };
}

async function describes(name: SchemaName, value: unknown): Promise<void> {
  assert.is(await misfitOf(name, value), null);
  assert.equal(undescribed(value, { schema: schemaOf(name), root: name }), [], `fields that ${name} does not describe`);
}

const sweep = plausibleSweep({ rates: { reactor: 132_000, pool: 118_000 }, plan: { trials: 8 } });

test("every committed result of a sweep can be read, and no field of it is undescribed", async () => {
  const files = readdirSync(results).filter((file) => file.endsWith(".json"));
  const sweeps = files.filter((file) =>
    /"schema": "loopool-sweep\/[23]"/.test(readFileSync(join(results, file), "utf8")),
  );
  assert.ok(sweeps.length >= 7, sweeps.join());
  for (const file of sweeps) {
    await readSweep(join(results, file));
    const { trials, ...rest } = JSON.parse(readFileSync(join(results, file), "utf8")) as SweepResult;
    renamePlan(rest);
    await describes("loopool-sweep/3", { ...rest, trials: [trials[0]!, trials.at(-1)!] });
  }
});

test("reports of all kinds of sweeps are as the schema says", async () => {
  const kinds: readonly SweepResult[] = [
    sweep,
    withCell(withCell(sweep, "pool", 100, errorStorm), "reactor", 250, generatorLimited),
    { ...sweep, finishedAt: null, trials: [] },
    plausibleSweep({
      rates: { reactor: 1000, pool: 900 },
      plan: {
        concurrencies: [10],
        control: { name: "reactor again", of: "reactor" },
        serverCpus: [{ cpus: 2, pinning: { server: "0,1", generator: "0,1", reason: "" }, workers: 2 }],
      },
    }),
    plausibleSweep({ rates: { pool: 1000 }, plan: { trials: 2 } }),
    plausibleSweep({
      rates: { reactor: 1000, pool: 900, nginx: 950 },
      plan: {
        targets: [{ name: "nginx", url: "http://127.0.0.1:8080/" }],
        openLoop: { shares: [0.5], rates: [{ concurrency: 10, requestsPerSecond: 400 }], seconds: 1 },
      },
    }),
    {
      ...plausibleSweep({
        rates: { reactor: 1000, pool: 900 },
        plan: {
          trials: 8,
          control: { name: "reactor again", of: "reactor" },
          until: { halfWidth: 0.03, maxTrials: 8, maxSeconds: 60 },
        },
      }),
      stopped: { code: "max-trials", widest: null },
    },
  ];
  for (const kind of kinds) {
    await describes("loopool-sweep/3", written(kind));
    const comparison = compare(kind);
    await describes("loopool-report/2", written(reportData(comparison, answerOf(comparison), "a.json")));
  }
});

test("a break-even and its report are as the schemas say", async () => {
  for (const result of [
    plausibleResult(),
    plausibleResult((core) => (core === "pool" ? 2000 : 1000), { rate: 100, handler: { waitMs: 0, slowShare: 0.1 } }),
  ]) {
    await describes("loopool-break-even/1", written(result));
    await describes("loopool-break-even-report/1", written(reportOf(result, "a.json").data));
  }
});

test("a change is as the schema says", async () => {
  const after = withCell(
    plausibleSweep({ rates: { reactor: 1000, pool: 900 }, plan: { trials: 8 } }),
    "pool",
    10,
    errorStorm,
  );
  const files = { before: "a.json", after: "b.json" };
  const change = changeBetween({ file: files.before, sweep }, { file: files.after, sweep: after });
  await describes("loopool-change/2", written(changeData(change, files)));
});

test("a report or a run that is not as described is refused with the location", async () => {
  const comparison = compare(sweep);
  const data = written(reportData(comparison, answerOf(comparison), "a.json")) as {
    levels: { cells: { verdict: object }[] }[];
  };
  data.levels[1]!.cells[0]!.verdict = { ...data.levels[1]!.cells[0]!.verdict, valid: "yes" };
  assert.is(await misfitOf("loopool-report/2", data), "levels[1].cells[0].verdict.valid is string, not boolean");
  const run = { schema: "loopool-load/3", ...(sweep.trials[0]!.run as object) };
  await describes("loopool-load/3", written(run));
  assert.is(await misfitOf("loopool-load/3", { ...run, schema: undefined }), "it lacks schema");
  assert.is(await misfitOf("loopool-load/3", { ...run, errors: { reset: -1 } }), "errors.reset must be >= 0");
});

test("every schema is one of draft 2020-12 and ships with the package", () => {
  const { files } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as { files: string[] };
  assert.ok(files.includes("schemas"));
  assert.equal(readdirSync(join(packageRoot, "schemas")).length, schemaNames.length);
  for (const name of schemaNames) {
    assert.is(schemaOf(name)["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert.is(schemaOf(name)["title"], name);
  }
});

test.run();
