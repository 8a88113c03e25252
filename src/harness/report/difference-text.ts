import { type Difference, type Doubt, isCalled } from "../statistics/difference.js";
import type { Stop, Until } from "../sweep/result.js";
import type { Comparison } from "./comparison.js";
import { counted, listed, percentAbove, ratio, significant, whole } from "./format.js";
import type { RankedLoad } from "./metrics.js";

/** Differences and what they rest on, in words. */

/** The ratio with its interval, and "~" where no difference is called. */
export function differenceCell(difference: Difference): string {
  const text = ratio(difference.ratio, difference.interval);
  return [text.value, text.interval, isCalled(difference) ? "" : "~"].filter((part) => part !== "").join(" ");
}

/** What a ratio of the metric that ranks under a load means, and where no difference is called, why not. */
export function meaningOf(difference: Difference, load: RankedLoad): string {
  const { verdict } = difference;
  const { rate } = load;
  if (load.ranksByCost === true && (verdict === "higher" || verdict === "lower"))
    return verdict === "higher" ? "more" : "less";
  if (verdict === "higher") return rate === null ? "faster" : "longer";
  if (verdict === "lower") return rate === null ? "slower" : "shorter";
  return whyNot(difference);
}

/** The same for the change of a ratio. */
export function meaningOfChange(difference: Difference): string {
  return isCalled(difference) ? difference.verdict : whyNot(difference);
}

function whyNot({ verdict, doubts, interval }: Difference): string {
  if (verdict === "undecided") return `no claim, ${doubts.map(doubtText).join("; ")}`;
  // That the interval holds 1 can be seen; every other reason must be told.
  const holdsOne = interval !== null && interval.low <= 1 && interval.high >= 1;
  const told = doubts.filter(({ code }) => code === "below-noise-floor" || !holdsOne);
  return `no difference found${told.length === 0 ? "" : `, ${told.map(doubtText).join("; ")}`}`;
}

/** Why no difference is called, in one clause. */
export function doubtText(doubt: Doubt): string {
  switch (doubt.code) {
    case "too-few-trials":
      return (
        `${counted(doubt.trials, "trial")} each cannot show any difference` +
        `${doubt.family > 1 ? ` among ${whole(doubt.family)} comparisons` : ""}: it takes ${whole(doubt.needed)}`
      );
    case "not-significant":
      return doubt.alone
        ? `significant alone, but not as one of ${counted(doubt.family, "comparison")} (p = ${significant(doubt.p)} after Holm)`
        : `not significant (p = ${significant(doubt.p)} after Holm)`;
    case "interval-holds-one":
      return "p is small enough, but the interval holds 1";
    case "below-noise-floor":
      return `within the noise floor of ${percentAbove(doubt.floor)} that the A/A run found`;
  }
}

/** Why no more blocks were added to a sweep with `--until`. */
export function stopText({ code, widest }: Stop, { halfWidth, maxTrials, maxSeconds }: Until, trials: number): string {
  const wanted = `±${Number((halfWidth * 100).toPrecision(3))}%`;
  const reached =
    widest === null ? "not every ratio has an interval" : `the widest interval is ±${(widest * 100).toFixed(1)}%`;
  const blocks = `after ${counted(trials, "block")}`;
  switch (code) {
    case "narrow":
      return `Every ratio of requests per second is known to ${wanted} or better ${blocks}: ${reached}.`;
    case "max-trials":
      return `Not every ratio of requests per second is known to ${wanted}: ${blocks} the limit of ${whole(maxTrials)} (--max-trials) was reached, ${reached}.`;
    case "max-time":
      return `Not every ratio of requests per second is known to ${wanted}: ${blocks} two more would not have fitted into ${counted(maxSeconds / 60, "minute")} (--max-minutes), ${reached}.`;
    case "nothing-to-narrow":
      return `No blocks were added: no two cells of one concurrency are valid, so there is no ratio to narrow.`;
  }
}

/** What the A/A run found, and with `--until` why no more blocks were added; each a sentence. */
export function testNotes({ noise, sweep }: Comparison): readonly string[] {
  const { until } = sweep.plan;
  const notes: string[] = [];
  if (noise !== null) {
    const isClosed = noise.levels.some(({ rate }) => rate === null);
    const floor = isClosed ? noise.floors.requestsPerSecond : noise.floors.p99Ms;
    const alarms = noise.levels.filter(({ speed: found }) => found !== null && isCalled(found));
    const differed = noise.levels.flatMap(({ concurrency, speed: found }) =>
      found === null ? [] : [`${differenceCell(found)} at c=${concurrency}`],
    );
    notes.push(
      floor === null
        ? `A/A: the ${noise.control.of} was measured against itself, but under no load are both of its results valid, so the noise floor is not known.`
        : isClosed
          ? `A/A: measured against itself the ${noise.control.of} comes to ${listed(differed)} of its own requests per second. Noise floor: no difference up to ${percentAbove(floor.ratio)} is called one.`
          : `A/A: the ${noise.control.of} was measured against itself. Noise floor of the 99th percentile of latency: no difference up to ${percentAbove(floor.ratio)} is called one.`,
    );
    if (alarms.length > 0) {
      notes.push(
        `A/A: at c=${listed(alarms.map(({ concurrency }) => concurrency))} the ${noise.control.of} was told apart from itself. That happens by chance in one sweep of twenty; if it happens again, something favours one of the names.`,
      );
    }
  }
  if (until !== undefined && sweep.stopped !== undefined) notes.push(stopText(sweep.stopped, until, sweep.plan.trials));
  return notes;
}
