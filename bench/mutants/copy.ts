import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A copy of the package in which what is compiled may be changed: everything else is a link to the original. */
export class PackageCopy {
  readonly dist: string;
  readonly #folder = mkdtempSync(join(tmpdir(), "loopool-mutants-"));

  constructor(root: string) {
    for (const name of readdirSync(root)) {
      if (name !== "dist") symlinkSync(join(root, name), join(this.#folder, name));
    }
    this.dist = join(this.#folder, "dist");
    cpSync(join(root, "dist"), this.dist, { recursive: true });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
