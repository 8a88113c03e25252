import type { OtherVersion } from "../sweep/result.js";
import type { Level } from "./comparison.js";
import { loadsText } from "./format.js";
import { rankingMetric } from "./metrics.js";

/** What the change between another version and this one did to each core, by what ranks under these loads, in a few sentences. */
export function versionsHeadline(levels: readonly Level[], { label }: OtherVersion): string {
  const isClosed = levels.every(({ rate }) => rate === null);
  const what = isClosed ? "requests per second" : "99th percentile of latency";
  const cores = levels[0]?.ratios.map(({ core }) => core) ?? [];
  const sentences = cores.map((core) => {
    const at = (which: (verdict: string) => boolean): readonly Level[] =>
      levels.filter((level) => {
        const found = level.ratios.find((entry) => entry.core === core)?.byMetric[rankingMetric(level).key] ?? null;
        return which(found === null ? "not-ranked" : found.verdict);
      });
    const [more, less] = isClosed ? ["more", "fewer"] : ["a longer", "a shorter"];
    const called = [
      { word: more, levels: at((verdict) => verdict === "higher") },
      { word: less, levels: at((verdict) => verdict === "lower") },
    ].filter((group) => group.levels.length > 0);
    const verb = isClosed ? "serves" : "has";
    if (called.length > 0) {
      const parts = called.map((group) => `${group.word} ${what} at ${loadsText(group.levels)}`);
      return `The ${core} ${verb} ${parts.join(", and ")} than before.`;
    }
    if (at((verdict) => verdict === "none").length > 0) return `No difference of the ${core} was found.`;
    return at((verdict) => verdict === "undecided").length > 0
      ? `There are too few trials to say anything of the ${core}.`
      : `Nothing can be said of the ${core}: see Validity.`;
  });
  return `Compared with ${label}: ${sentences.join(" ")}`;
}
