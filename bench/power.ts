import { fileURLToPath } from "node:url";
import { readSweep } from "../src/harness/report/read.js";
import { seededRandom } from "../src/harness/statistics/random.js";
import {
  draws,
  noiseIn,
  type SimulatedSweep,
  simulatedChange,
  simulatedSweep,
  simulatedUntil,
} from "./simulated-sweeps.js";

/**
 * How often do our statistics call a difference that is not there, and find one of 5%? Simulated from the noise of a stored sweep of 10
 * trials on a quiet machine, or of one that is named; no server runs. `npm run bench -- power 1000 [FILE]` simulates that many of each kind.
 */
const TRUE_RATIO = 0.95;
const TRIALS = [8, 10, 12, 16, 18, 20];
const DEFAULT_TRIALS = 16;

const sweeps = Number(process.argv[2] ?? 500);
const quiet = fileURLToPath(new URL("../../bench/results/2026-11-21-cores-quiet.json", import.meta.url));
const file = process.argv[3] ?? quiet;
const levels = noiseIn(await readSweep(file));

/** Shares over simulated sweeps: with any difference called, and called at each concurrency. */
function shares(simulate: () => readonly boolean[]): { readonly any: number; readonly each: readonly number[] } {
  const results = Array.from({ length: sweeps }, simulate);
  const share = (holds: (called: readonly boolean[]) => boolean): number => results.filter(holds).length / sweeps;
  return {
    any: share((called) => called.includes(true)),
    each: levels.map((_, index) => share((called) => called[index] === true)),
  };
}

function row(what: string, simulate: (ratio: number) => readonly boolean[]): void {
  const percent = (share: number): string => `${(100 * share).toFixed(1)}%`;
  const found = shares(() => simulate(TRUE_RATIO));
  console.log(
    [
      what.padEnd(34),
      percent(shares(() => simulate(1)).any).padStart(8),
      ...found.each.map((share) => percent(share).padStart(8)),
    ].join(" "),
  );
}

console.log(`${sweeps} simulated sweeps a row, with the noise of ${file}.`);
console.log(
  ["".padEnd(34), "false", ...levels.map(({ concurrency }) => `5%@${concurrency}`)]
    .map((text, i) => (i === 0 ? text : text.padStart(8)))
    .join(" "),
);
for (const kind of ["resampled", "normal"] as const) {
  const base = { levels, draw: draws[kind], random: seededRandom(2026), resamples: 999 };
  const sweep = (trials: number, ratio: number): SimulatedSweep => ({ ...base, trials, ratio });
  for (const trials of TRIALS) row(`${kind}, ${trials} trials`, (ratio) => simulatedSweep(sweep(trials, ratio)));
  row(`${kind}, ${DEFAULT_TRIALS} trials, --aa`, (ratio) => simulatedSweep(sweep(DEFAULT_TRIALS, ratio), true));
  const took: number[] = [];
  row(`${kind}, --until 3% from ${DEFAULT_TRIALS} to 40`, (ratio) => {
    const { called, trials } = simulatedUntil(sweep(DEFAULT_TRIALS, ratio), 0.03, 40);
    took.push(trials);
    return called;
  });
  console.log(`  ${(took.reduce((sum, trials) => sum + trials, 0) / took.length).toFixed(1)} trials on average`);
  row(`${kind}, before and after, ${DEFAULT_TRIALS} trials`, (ratio) => simulatedChange(sweep(DEFAULT_TRIALS, ratio)));
}
