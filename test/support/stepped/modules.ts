import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { compileFunction } from "node:vm";

/** A one-line fault, or a smaller size: `find` stands in the file as it is compiled exactly once, and `replace` in its place. */
export interface Patch {
  /** Below `src`, as it is compiled: `shared/memory/claim-ring.js`. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

export interface ModuleOptions {
  /** Seen by the modules in place of the globals of these names. */
  readonly globals: Readonly<Record<string, unknown>>;
  readonly patches?: readonly Patch[];
  /** In place of modules: built-in ones by their names, own ones by their paths below `src`. */
  readonly replaced?: Readonly<Record<string, unknown>>;
}

const root = join(dirname(fileURLToPath(import.meta.url)), "../../../src");
const nodeRequire = createRequire(import.meta.url);

/**
 * Loads the compiled modules of `src` for a test that steps them: with globals of the test's own, and with faults. What was private can be
 * read: `#name` becomes `__name`. A module that waits at its top level is turned into a function, `main`, whose body it is.
 */
export class Modules {
  readonly #options: ModuleOptions;
  readonly #loaded = new Map<string, Record<string, unknown>>();
  readonly #imports = new Map<string, unknown>();
  readonly #unused: Set<Patch>;

  constructor(options: ModuleOptions) {
    this.#options = options;
    this.#unused = new Set(options.patches ?? []);
  }

  /** A module by its path below `src`. */
  load<Module>(file: string): Module {
    return this.#require(join(root, file)) as Module;
  }

  /** Throws when a patch has not been applied: the fault it stands for would be looked for in vain. */
  assertPatched(): void {
    for (const { file, find } of this.#unused) throw new Error(`no module was loaded to be patched: ${file}, ${find}`);
  }

  #require(path: string): Record<string, unknown> {
    const file = relative(root, path);
    const replaced = this.#options.replaced?.[file];
    if (replaced !== undefined) return replaced as Record<string, unknown>;
    const known = this.#loaded.get(path);
    if (known !== undefined) return known;
    const { code, exported } = this.#transformed(path, file);
    const { globals } = this.#options;
    const names = Object.keys(globals);
    const module = compileFunction(
      `"use strict";${code}\nreturn { ${exported.join(", ")} };`,
      ["__import", "__url", ...names],
      { filename: path },
    );
    const result = module(
      (specifier: string) => this.#imported(path, specifier),
      pathToFileURL(path).href,
      ...names.map((name) => globals[name]),
    ) as Record<string, unknown>;
    this.#loaded.set(path, result);
    return result;
  }

  /** A module that is a function imports anew whenever it runs. */
  #imported(from: string, specifier: string): unknown {
    const key = `${from} ${specifier}`;
    const known = this.#imports.get(key);
    if (known !== undefined) return known;
    const found = this.#find(from, specifier);
    this.#imports.set(key, found);
    return found;
  }

  #find(from: string, specifier: string): unknown {
    if (specifier.startsWith(".")) return this.#require(resolve(dirname(from), specifier));
    return this.#options.replaced?.[specifier] ?? nodeRequire(specifier);
  }

  #transformed(path: string, file: string): { readonly code: string; readonly exported: readonly string[] } {
    let code = readFileSync(path, "utf8");
    for (const patch of this.#options.patches ?? []) {
      if (patch.file !== file) continue;
      const parts = code.split(patch.find);
      if (parts.length !== 2) throw new Error(`stands ${parts.length - 1} times in ${file}: ${patch.find}`);
      code = parts.join(patch.replace);
      this.#unused.delete(patch);
    }
    const exported: string[] = [];
    code = code
      .replace(/^\/\/# sourceMappingURL=.*$/m, "")
      .replace(/^import \{([^}]*)\} from ("[^"]*");/gm, (_, names: string, from: string) => {
        return `const {${names.replaceAll(" as ", ": ")}} = __import(${from});`;
      })
      .replace(/^import (?:\* as )?(\w+) from ("[^"]*");/gm, "const $1 = __import($2);")
      .replace(
        /^export ((?:async )?(?:class|function\*?|const|let) (\w+))/gm,
        (_, declaration: string, name: string) => {
          exported.push(name);
          return declaration;
        },
      )
      .replaceAll("import.meta.url", "__url")
      // Private names: after a dot, or where a class declares them.
      .replace(/(\.|^ +(?:static |get |set |async )*)#(?=[a-z])/gm, "$1__");
    if (!/^(?:const .*= )?await /m.test(code)) return { code, exported };
    return { code: `function main() {${code.replace(/^(const .*= )?await /gm, "$1")}}`, exported: ["main"] };
  }
}
