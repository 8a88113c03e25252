import type { Mutant } from "./sample.js";

/** What became of a mutant. */
export interface Outcome extends Omit<Mutant, "start" | "end" | "text"> {
  /** killed: a test failed; timeout: tests did not come to their end; survived: all passed. */
  readonly outcome: "killed" | "timeout" | "survived";
  /** The test file that found it; null where none did. */
  readonly by: string | null;
  /** Written by hand: why no test can find it, or none is wanted. */
  readonly reason?: string;
  /** Written by hand: it changes nothing that anybody can see, and does not count. */
  readonly equivalent?: boolean;
}

export interface MutantsResult {
  readonly command: string;
  readonly node: string;
  readonly seed: number;
  /** Drawn from each folder. */
  readonly sample: number;
  readonly folders: Readonly<Record<string, readonly Outcome[]>>;
}

/** By which a mutant is known again, also when lines of the compiled file have moved. */
export const keyOf = ({ file, line, operator, was, becomes }: Omit<Outcome, "outcome" | "by">): string =>
  [file, line, operator, was, becomes].join("\n");

/** A row for each folder. The score is of the mutants that change behaviour. */
export function scoreRows({ folders }: MutantsResult): readonly (readonly string[])[] {
  return Object.entries(folders).map(([folder, outcomes]) => {
    const count = (is: (outcome: Outcome) => boolean): number => outcomes.filter(is).length;
    const equivalent = count((one) => one.outcome === "survived" && one.equivalent === true);
    const survived = count(({ outcome }) => outcome === "survived") - equivalent;
    const killed = outcomes.length - equivalent - survived;
    const score = killed + survived === 0 ? "–" : `${((100 * killed) / (killed + survived)).toFixed(0)}%`;
    return [
      folder,
      outcomes.length,
      killed,
      count(({ outcome }) => outcome === "timeout"),
      survived,
      equivalent,
      score,
    ].map(String);
  });
}
