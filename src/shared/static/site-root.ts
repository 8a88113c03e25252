import { realpathSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { resolve, sep } from "node:path";
import { threadClock } from "../clock.js";

/** How long the root is taken to lead to where it led. */
const FRESH_MS = 1000;

/**
 * The folder whose files are served. Its path may be a symbolic link, or lie behind one, that a deployment exchanges for another: where it
 * leads to is looked up anew once a second at most, when it is asked for, and whenever a file lies outside of where it led.
 */
export class SiteRoot {
  /** Absolute, as it was given: it may contain links. */
  readonly path: string;
  readonly #nowMs: () => number;
  /** Where it leads to, with a slash after it. */
  #folder: string;
  #lookedMs: number;
  #looking: Promise<string> | undefined;

  /** Throws the system's error where there is no such folder. */
  constructor(path: string, nowMs: () => number = threadClock()) {
    this.path = resolve(path);
    this.#nowMs = nowMs;
    this.#lookedMs = nowMs();
    this.#folder = withSlash(realpathSync(path));
  }

  /** The part of a path that begins with the root's own, with a slash before it. */
  below(file: string): string {
    return file.slice(withSlash(this.path).length - 1);
  }

  /** Whether a path without links lies in the root, or is the root. Rejects with the system's error where the root is gone. */
  async contains(real: string): Promise<boolean> {
    const path = withSlash(real);
    return path.startsWith(await this.folder()) || path.startsWith(await this.#look());
  }

  /** Where it leads to, as of a second ago at most, with a slash after it. Rejects with the system's error where it is gone. */
  folder(): string | Promise<string> {
    return this.#nowMs() - this.#lookedMs < FRESH_MS ? this.#folder : this.#look();
  }

  #look(): Promise<string> {
    this.#looking ??= this.#lookNow().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookNow(): Promise<string> {
    const nowMs = this.#nowMs();
    const folder = withSlash(await realpath(this.path));
    this.#folder = folder;
    this.#lookedMs = nowMs;
    return folder;
  }
}

function withSlash(folder: string): string {
  return folder.endsWith(sep) ? folder : folder + sep;
}
