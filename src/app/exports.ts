import { hook, type Living } from "./life-cycle.js";

/** What a module exports, whichever way it was written and compiled. */
export interface Exports {
  /** Of `export default`, `module.exports =`, or `exports.default =` in a module that was compiled to CommonJS. */
  readonly main: unknown;
  /** Names of what it exports, for a message. */
  readonly names: readonly string[];
  /** Of that name: an export, or a property of the main one where that is a plain object. */
  named(name: string): unknown;
}

/** Looks into what `import()` gave. Node finds the names of a CommonJS module's exports by reading its text; what it does not find is in `default` alone. */
export function exportsOf(module: unknown): Exports {
  const outer = (module ?? {}) as Readonly<Record<string, unknown>>;
  const given = outer["default"];
  // Compiled from `export default` by a compiler that marks it so, or it has one by hand.
  const isCompiled = isObject(given) && given["__esModule"] === true;
  const main = isCompiled ? given["default"] : given;
  const inner = isCompiled ? given : isObject(given) && isPlain(given) ? given : null;
  // A CommonJS module that says nothing exports an empty object.
  const isNothing = isObject(given) && isPlain(given) && Object.keys(given).length === 0;
  const names = [...new Set([...Object.keys(outer), ...Object.keys(inner ?? {})])];
  return {
    main,
    names: names.filter((name) => !/^(?:__esModule|module\.exports)$/.test(name) && !(isNothing && name === "default")),
    named: (name) => (name in outer ? outer[name] : inner?.[name]),
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** The life cycle of the module that `--handlers` names. Throws an Error that names what is no function. */
export function livingOf(file: string, exports: Exports): Living {
  const name = `--handlers ${file}`;
  return {
    name,
    file,
    init: hook(name, "init", exports.named("init")),
    close: hook(name, "close", exports.named("close")),
  };
}
