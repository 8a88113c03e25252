import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** What Node writes for each process and worker thread that ends by itself, with NODE_V8_COVERAGE: V8's `Profiler.takePreciseCoverage`. */
interface V8Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
    }[];
  }[];
}

/** Lines of compiled code that were executed by some process. What was killed has written nothing and does not count. */
export class Coverage {
  readonly #root: string;
  /** By path: for each character whether it was executed. */
  readonly #executed = new Map<string, Uint8Array>();
  readonly #sources = new Map<string, string>();

  /** Of the JavaScript files under `root`; those that nothing loads count as not executed. */
  constructor(root: string) {
    this.#root = root;
    for (const name of readdirSync(root, { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".js")) continue;
      const source = readFileSync(join(root, name), "utf8");
      this.#sources.set(name, source);
      this.#executed.set(name, new Uint8Array(source.length));
    }
  }

  /** Adds what the processes have written into a folder, and empties it. */
  take(folder: string): void {
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      const text = readFileSync(path, "utf8");
      rmSync(path);
      try {
        this.#add(JSON.parse(text) as V8Coverage);
      } catch (error) {
        // Its process was killed while it wrote.
        if (!(error instanceof SyntaxError)) throw error;
      }
    }
  }

  #add({ result }: V8Coverage): void {
    for (const { url, functions } of result) {
      const executed = url.startsWith("file:")
        ? this.#executed.get(relative(this.#root, fileURLToPath(url)))
        : undefined;
      if (executed === undefined) continue;
      const here = new Uint8Array(executed.length);
      // Outer functions and blocks come before those inside them, whose counts replace theirs.
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) here.fill(Math.min(count, 1), startOffset, endOffset);
      }
      for (const [at, is] of here.entries()) executed[at]! |= is;
    }
  }

  /** One line for each folder below the root, and one for all: "coverage: 91.2% of 12,345 lines of src". */
  report(): string {
    const folders = new Map<string, { executed: number; lines: number }>();
    const all = { executed: 0, lines: 0 };
    for (const [name, source] of this.#sources) {
      const parts = name.split(sep);
      const folder = parts[0] === "harness" ? parts.slice(0, 2).join("/") : parts.length > 1 ? parts[0]! : ".";
      const sum = folders.get(folder) ?? { executed: 0, lines: 0 };
      folders.set(folder, sum);
      for (const isExecuted of linesOf(source, this.#executed.get(name)!)) {
        for (const total of [sum, all]) {
          total.lines++;
          if (isExecuted) total.executed++;
        }
      }
    }
    const share = ({ executed, lines }: typeof all): string => `${((100 * executed) / Math.max(1, lines)).toFixed(1)}%`;
    return [
      ...[...folders].sort().map(([folder, sum]) => `  ${share(sum).padStart(6)} ${folder}`),
      `coverage: ${share(all)} of ${all.lines.toLocaleString("en")} lines of src`,
    ].join("\n");
  }
}

/** For each line with code, which is neither blank nor a comment, whether some of it was executed. */
function* linesOf(source: string, executed: Uint8Array): Generator<boolean> {
  let start = 0;
  for (const line of source.split("\n")) {
    const text = line.trim();
    const first = start + line.indexOf(text);
    start += line.length + 1;
    if (text === "" || /^(\/\/|\/\*|\*)/.test(text)) continue;
    yield executed.subarray(first, first + text.length).includes(1);
  }
}
