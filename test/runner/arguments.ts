import { parseArgs } from "node:util";

export const usage = `npm test -- [PART...] [--name TEXT] [--coverage]

  PART         only files whose path contains it: pool/pool, harness/report/
  --name TEXT  only tests with this text in their name or their suite's, in any case of letters
  --coverage   say at the end which lines of src were executed`;

export interface Wanted {
  readonly parts: readonly string[];
  readonly name: string | null;
  readonly coverage: boolean;
}

/** null: they cannot be understood. */
export function parseArguments(args: readonly string[]): Wanted | null {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { name: { type: "string" }, coverage: { type: "boolean" } },
    });
    return { parts: positionals, name: values.name ?? null, coverage: values.coverage ?? false };
  } catch {
    return null;
  }
}
