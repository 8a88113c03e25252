import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readSweep } from "../src/harness/report/read.js";
import { median } from "../src/harness/statistics/median.js";
import { seededRandom } from "../src/harness/statistics/random.js";
import { heldOut, noises } from "./noises.js";
import { operating, procedures } from "./procedures.js";
import {
  draws,
  noiseIn,
  type SimulatedSweep,
  simulatedChange,
  simulatedFloors,
  simulatedSweep,
  simulatedUntil,
} from "./simulated-sweeps.js";

/**
 * How often do our statistics call a difference that is not there, and find one that is? No server runs. `npm run bench -- power 4000 [FILE] [PARTS]`:
 * so many repetitions of each line, the stored sweep whose noise the last table has, and of ratios, changes, floors and stored those that are
 * wanted, with commas. The result goes to bench/results.
 */
const BLOCKS = [6, 8, 10, 16];
const RATIOS = [1.05, 1.3, 2];
/** Noise, by how much the second sweep is faster, and what share of that only one core has. */
const changes = [
  ["clean", 0, 0],
  ["clean", 0.01, 0],
  ["clean", 0.03, 0],
  ["clean", 0.05, 0],
  ["clean", 0.05, 0.1],
  ["10% disturbed", 0.05, 0],
  ["autocorrelated", 0.05, 0],
] as const;
const SEED = 2026;

const repetitions = Number(process.argv[2] ?? 4000);
const quiet = "bench/results/2026-11-21-cores-quiet.json";
const file = process.argv[3] ?? quiet;
const root = fileURLToPath(new URL("../../", import.meta.url));

const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
const row = (what: string, metrics: readonly string[]): void =>
  console.log([what.padEnd(34), ...metrics.map((figure) => figure.padStart(8))].join(" "));
const share = (results: readonly boolean[]): number => results.filter((holds) => holds).length / results.length;

function ratiosTable(): readonly object[] {
  const found = RATIOS.flatMap((ratio) => [`${ratio}`, "of 4"]);
  return Object.entries(procedures).flatMap(([name, procedure]) => {
    console.log(`\n${name}: ${repetitions} sweeps a line`);
    row("", ["covered", "± half", "false", "of 4", ...found]);
    return BLOCKS.flatMap((blocks) =>
      Object.entries({ ...noises, ...heldOut }).map(([noiseName, noise]) => {
        const random = seededRandom(SEED);
        const result = operating(procedure, { noise, blocks, ratios: RATIOS, repetitions, random });
        row(`${blocks} blocks, ${noiseName}`, [
          percent(result.coverage),
          result.halfWidth === null ? "–" : percent(result.halfWidth),
          percent(result.falseCalls),
          percent(result.familyFalseCalls),
          ...result.found.flatMap(({ alone, ofFour }) => [percent(alone), percent(ofFour)]),
        ]);
        return { procedure: name, blocks, noise: noiseName, heldOut: noiseName in heldOut, ...result };
      }),
    );
  });
}

function changesTable(): readonly object[] {
  console.log(
    `\nbefore and after, two cores under four loads, 16 blocks: ${repetitions} pairs of sweeps a line, of "former" and "1.1" a quarter`,
  );
  row("", ["false", "former", "1.1"]);
  return changes.map(([noiseName, sessionEffect, uneven]) => {
    const random = seededRandom(SEED);
    const change = { noise: noises[noiseName]!, random, blocks: 16, sessionEffect, uneven };
    const equal = Array.from({ length: repetitions }, () => simulatedChange({ ...change, ratio: 1 }));
    const falseCalls = share(equal.map(({ called }) => called.includes(true)));
    const formerFalseCalls = share(equal.slice(0, repetitions / 4).map(({ former }) => former().includes(true)));
    const found = share(
      Array.from({ length: repetitions / 4 }, () => simulatedChange({ ...change, ratio: 1.1 }).called).flat(),
    );
    row(`${noiseName}, session ${percent(sessionEffect)}, ${percent(uneven)} of it in one core`, [
      percent(falseCalls),
      percent(formerFalseCalls),
      percent(found),
    ]);
    return { noise: noiseName, sessionEffect, uneven, falseCalls, formerFalseCalls, foundOf1_1: found };
  });
}

function floorsTable(): readonly object[] {
  console.log(
    `\nnoise floor of --aa under four loads, 16 blocks, median (largest tenth): ${repetitions} sweeps a line`,
  );
  row("", ["floor", "former"]);
  return Object.entries(noises).map(([noiseName, noise]) => {
    const random = seededRandom(SEED);
    const floors = Array.from({ length: repetitions }, () => simulatedFloors(noise, random, 16));
    const [robust, former] = (["robust", "former"] as const).map((name) => {
      const sorted = floors.map((floor) => floor[name] - 1).sort((a, b) => a - b);
      return { median: median(sorted), tenth: sorted[Math.floor(0.9 * sorted.length)]! };
    });
    row(
      noiseName,
      [robust, former].map((found) => `${percent(found!.median)} (${percent(found!.tenth)})`),
    );
    return { noise: noiseName, robust, former };
  });
}

/** Sweeps with the noise of a stored one: any call where there is none, and a true 5% found at each concurrency. */
async function storedTable(): Promise<readonly object[]> {
  const levels = noiseIn(await readSweep(file));
  console.log(`\n${repetitions / 4} simulated sweeps a line, with the noise of ${file}`);
  row("", ["false", ...levels.map(({ concurrency }) => `5%@${concurrency}`)]);
  const lines: object[] = [];
  const line = (
    what: string,
    simulate: (ratio: number) => readonly boolean[],
    more: () => object = () => ({}),
  ): void => {
    const results = (ratio: number): readonly (readonly boolean[])[] =>
      Array.from({ length: repetitions / 4 }, () => simulate(ratio));
    const falseCalls = share(results(1).map((called) => called.includes(true)));
    const all = results(0.95);
    const found = levels.map((_, index) => share(all.map((called) => called[index] === true)));
    row(what, [percent(falseCalls), ...found.map(percent)]);
    lines.push({ what, falseCalls, foundOf0_95: found, ...more() });
  };
  for (const kind of ["resampled", "normal"] as const) {
    const base = { levels, draw: draws[kind], random: seededRandom(SEED) };
    const sweep = (trials: number, ratio: number): SimulatedSweep => ({ ...base, trials, ratio });
    for (const trials of [8, 10, 16, 20])
      line(`${kind}, ${trials} trials`, (ratio) => simulatedSweep(sweep(trials, ratio)));
    line(`${kind}, 16 trials, --aa`, (ratio) => simulatedSweep(sweep(16, ratio), true));
    for (const from of [8, 16]) {
      const took: number[] = [];
      let covered = 0;
      line(
        `${kind}, --until 3% from ${from} to 40`,
        (ratio) => {
          const found = simulatedUntil(sweep(from, ratio), 0.03, 40);
          took.push(found.trials);
          covered += found.covered;
          return found.called;
        },
        () => ({
          trials: took.reduce((sum, trials) => sum + trials, 0) / took.length,
          narrowWithin29: share(took.map((trials) => trials <= 29)),
          coverage: covered / took.length,
        }),
      );
      console.log("  ", JSON.stringify(lines.at(-1)));
    }
  }
  return lines;
}

const parts: Readonly<Record<string, () => readonly object[] | Promise<readonly object[]>>> = {
  ratios: ratiosTable,
  changes: changesTable,
  floors: floorsTable,
  stored: storedTable,
};
const wanted = process.argv[4]?.split(",") ?? Object.keys(parts);
const path = `bench/results/${new Date().toISOString().slice(0, 10)}-power.json`;
for (const part of wanted) {
  const found = await parts[part]!();
  // Parts that were not asked for stay as they are, and one that takes long loses nothing of those before it.
  const before = await readFile(`${root}${path}`, "utf8").then(JSON.parse, () => ({}));
  const result = {
    schema: "loopool-power/2",
    command: "npm run bench -- power REPETITIONS FILE PARTS",
    file,
    seed: SEED,
    ...Object.fromEntries(
      Object.keys(parts).map((name) => [name, name === part ? { repetitions, found } : before[name]]),
    ),
  };
  await writeFile(`${root}${path}`, `${JSON.stringify(result, null, 2)}\n`);
}
console.log(`\nwritten to ${path}`);
