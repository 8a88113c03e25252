/** One family of a scrape. */
export interface Family {
  readonly type: string;
  readonly samples: {
    readonly name: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
  }[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;

/**
 * Reads Prometheus' text format strictly: each family has HELP, then TYPE, then all its samples, and appears once. Throws an Error that
 * names the line.
 */
export function parsePrometheus(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  const families = new Map<string, Family>();
  let helped = "";
  let current = "";
  for (const line of text.slice(0, -1).split("\n")) {
    const wrong = (what: string): Error => new Error(`${what}: ${line}`);
    const help = new RegExp(`^# HELP (${NAME}) (?:[^\\\\]|\\\\[\\\\n])*$`).exec(line);
    const type = new RegExp(`^# TYPE (${NAME}) (counter|gauge|histogram)$`).exec(line);
    const sample = SAMPLE.exec(line);
    if (help !== null) {
      helped = help[1]!;
    } else if (type !== null) {
      current = type[1]!;
      if (helped !== current) throw wrong("a type without its help");
      if (families.has(current)) throw wrong("a family that appears twice");
      families.set(current, { type: type[2]!, samples: [] });
    } else if (sample !== null) {
      const family = families.get(current);
      const suffix = sample[1]!.slice(current.length);
      const allowed = family?.type === "histogram" ? ["_bucket", "_sum", "_count"] : [""];
      if (!sample[1]!.startsWith(current) || !allowed.includes(suffix)) throw wrong("a sample outside of its family");
      family!.samples.push({
        name: sample[1]!,
        labels: parseLabels(sample[2] ?? "", wrong),
        value: number(sample[3]!, wrong),
      });
    } else {
      throw wrong("no line of the format");
    }
  }
  return families;
}

/** The value of the one sample with these labels. */
export function sampleOf(
  families: ReadonlyMap<string, Family>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number {
  const found = [...families.values()]
    .flatMap(({ samples }) => samples)
    .filter((s) => s.name === name && JSON.stringify(s.labels) === JSON.stringify(labels));
  if (found.length !== 1) throw new Error(`${found.length} samples of ${name} ${JSON.stringify(labels)}`);
  return found[0]!.value;
}

function parseLabels(text: string, wrong: (what: string) => Error): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text);
    if (match === null) throw wrong("labels that cannot be read");
    labels[match[1]!] = match[2]!.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
  }
  return labels;
}

function number(text: string, wrong: (what: string) => Error): number {
  if (text === "+Inf") return Number.POSITIVE_INFINITY;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw wrong("a value that is no number");
  return Number(text);
}
