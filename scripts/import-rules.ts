import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { isDeepStrictEqual } from "node:util";

/**
 * Which file of src may import which: `allowed-imports.json` lists what each folder may import, from the lowest to the highest. A key is a
 * folder, for the files directly in it, or a single file of a folder that has rules of its own. All paths are relative to src.
 */
export interface ImportRules {
  /** By folder or file: the folders and files that it may import, beside itself. */
  readonly imports: Readonly<Record<string, readonly string[]>>;
  /** By package: the only ones that may import it. */
  readonly packages: Readonly<Record<string, readonly string[]>>;
  /** Those that may import nothing of Node. */
  readonly withoutNode: readonly string[];
}

interface SourceFile {
  readonly path: string;
  readonly specifiers: readonly string[];
}

const STATEMENT = /^(?:import|export)\b(?:[^"';=]*?\bfrom)?\s*"([^"]+)"/gm;
const DYNAMIC = /\bimport\(\s*"([^"]+)"/g;

/** Everything that is wrong with the imports of the tree at `root`, a sentence each; none: all is well. */
export function importProblems(root: string): readonly string[] {
  const rules = readRules(root);
  const sources = readSources(join(root, "src"));
  const edges = edgesOf(sources);
  return [
    ...unknownKeys(rules, sources),
    ...forbidden(rules, sources, edges),
    ...cyclesIn(edges).map((cycle) => `import cycle of files: ${cycle.join(" → ")}`),
    ...cyclesIn(folderEdges(edges)).map((cycle) => `import cycle of folders: ${cycle.join(" → ")}`),
    ...undocumented(root, sources),
    ...outdatedLinter(root, rules),
  ];
}

export function readRules(root: string): ImportRules {
  return JSON.parse(readFileSync(join(root, "scripts", "allowed-imports.json"), "utf8")) as ImportRules;
}

function readSources(src: string): readonly SourceFile[] {
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts"))
    .sort()
    .map((path) => {
      const text = readFileSync(join(src, path), "utf8");
      const specifiers = [STATEMENT, DYNAMIC].flatMap((form) => [...text.matchAll(form)].map((match) => match[1]!));
      return { path, specifiers };
    });
}

/** The key whose rules a file has: its own or its folder's. */
function keyOf(path: string, { imports }: ImportRules): string {
  return path in imports ? path : dirname(path);
}

type Edges = ReadonlyMap<string, readonly string[]>;

/** By file: the files of src that it imports. */
function edgesOf(sources: readonly SourceFile[]): Edges {
  return new Map(
    sources.map(({ path, specifiers }) => [
      path,
      specifiers.filter((one) => one.startsWith(".")).map((one) => targetOf(path, one)),
    ]),
  );
}

function targetOf(path: string, specifier: string): string {
  return normalize(join(dirname(path), specifier)).replace(/\.js$/, ".ts");
}

/** By folder; a file directly in src stands for itself. */
function folderEdges(edges: Edges): Edges {
  const folderOf = (path: string): string => (dirname(path) === "." ? path : dirname(path));
  const byFolder = new Map<string, Set<string>>();
  for (const [path, targets] of edges) {
    const folder = folderOf(path);
    const found = byFolder.get(folder) ?? new Set();
    byFolder.set(folder, found);
    for (const target of targets.map(folderOf)) if (target !== folder) found.add(target);
  }
  return new Map([...byFolder].map(([folder, targets]) => [folder, [...targets]]));
}

function unknownKeys({ imports, packages, withoutNode }: ImportRules, sources: readonly SourceFile[]): string[] {
  const named = [...Object.keys(imports), ...Object.values(imports).flat(), ...Object.values(packages).flat()];
  const known = new Set(sources.flatMap(({ path }) => [path, dirname(path)]));
  return [...new Set([...named, ...withoutNode])]
    .filter((key) => !known.has(key))
    .map((key) => `scripts/allowed-imports.json names ${key}, and src has no such file or folder: remove it`);
}

function forbidden(rules: ImportRules, sources: readonly SourceFile[], edges: Edges): string[] {
  const { imports, packages, withoutNode } = rules;
  const known = new Set(sources.map(({ path }) => path));
  return sources.flatMap(({ path, specifiers }) => {
    const key = keyOf(path, rules);
    const allowed = imports[key];
    if (allowed === undefined) return [`src/${path}: add ${key} to scripts/allowed-imports.json`];
    const wrong = edges
      .get(path)!
      .filter((target) => known.has(target))
      .filter((target) => keyOf(target, rules) !== key && !allowed.includes(keyOf(target, rules)))
      .map((target) => `src/${path} imports src/${target}, and ${key} may not import ${keyOf(target, rules)}`);
    const outside = edges
      .get(path)!
      .filter((target) => target.startsWith(".."))
      .map((target) => `src/${path} imports ${target}, which is outside src`);
    const wrongPackages = specifiers
      .filter((one) => packages[one] !== undefined && !packages[one].includes(key))
      .map((one) => `src/${path} imports ${one}, which only ${packages[one]!.join(", ")} may`);
    const node = specifiers
      .filter((one) => one.startsWith("node:") && withoutNode.includes(key))
      .map((one) => `src/${path} imports ${one}, and ${key} may import nothing of Node`);
    return [...wrong, ...outside, ...wrongPackages, ...node];
  });
}

/** One cycle for each group of nodes that reach each other. */
function cyclesIn(edges: Edges): readonly (readonly string[])[] {
  const done = new Set<string>();
  const way: string[] = [];
  const cycles: string[][] = [];
  const visit = (node: string): void => {
    const start = way.indexOf(node);
    if (start !== -1) {
      cycles.push([...way.slice(start), node]);
      return;
    }
    if (done.has(node)) return;
    way.push(node);
    for (const target of edges.get(node) ?? []) visit(target);
    way.pop();
    done.add(node);
  };
  for (const node of edges.keys()) visit(node);
  return cycles;
}

const DOCS = join("docs", "architecture.md");

/** Folders of src without a line in the picture of docs/architecture.md, and lines there without a folder or file. */
function undocumented(root: string, sources: readonly SourceFile[]): string[] {
  const picture = /^```\nsrc\/\n([^`]*)^```/m.exec(readFileSync(join(root, DOCS), "utf8"))?.[1] ?? "";
  const drawn = new Set<string>();
  const above: string[] = [];
  for (const line of picture.split("\n")) {
    const found = /^((?: {2})+)(\S+)/.exec(line);
    // Deeper than any folder could be: the rest of a description.
    if (found === null || found[1]!.length / 2 > above.length + 1) continue;
    above.length = found[1]!.length / 2 - 1;
    above.push(found[2]!.replace(/\/$/, ""));
    drawn.add(above.join("/"));
  }
  const folders = new Set(sources.flatMap(({ path }) => foldersOf(path)));
  return [
    ...[...folders].filter((folder) => !drawn.has(folder)).map((folder) => `${DOCS} has no line for src/${folder}`),
    ...[...drawn]
      .filter((path) => !existsSync(join(root, "src", path)))
      .map((path) => `${DOCS} has a line for src/${path}, which is not there`),
  ];
}

function foldersOf(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === "." ? [] : [...foldersOf(folder), folder];
}

interface LinterConfig {
  readonly overrides?: readonly { readonly linter?: { readonly rules?: object } }[];
}

/** biome.json with the overrides that follow from the rules, in place of those it has; its other overrides come first. */
export function withImportRules(config: LinterConfig, rules: ImportRules): LinterConfig {
  const others = (config.overrides ?? []).filter((one) => !JSON.stringify(one).includes('"noRestrictedImports"'));
  return { ...config, overrides: [...others, ...linterOverrides(rules)] };
}

/** One override for each key; a file's own comes after its folder's, since the last one that matches counts. */
function linterOverrides(rules: ImportRules): readonly object[] {
  const keys = Object.keys(rules.imports);
  const isFile = (key: string): boolean => key.endsWith(".ts");
  return [...keys.filter((key) => !isFile(key)), ...keys.filter(isFile)].map((key) => {
    const folder = isFile(key) ? dirname(key) : key;
    // Forbidden is what lies in another folder, but for what is allowed; and in its own what has other rules.
    const allowed = rules.imports[key]!.map((one) => `!${specifierOf(folder, one)}`);
    const own = keys.filter((one) => isFile(one) && one !== key && dirname(one) === folder);
    const closed = own.filter((one) => !rules.imports[key]!.includes(one)).map((one) => specifierOf(folder, one));
    const siblings = isFile(key) ? ["./*"] : [];
    const node = rules.withoutNode.includes(key) ? ["node:*"] : [];
    const packages = Object.entries(rules.packages).filter(([, users]) => !users.includes(key));
    const options = {
      patterns: [
        {
          group: ["../**", "./*/**", ...siblings, ...node, ...allowed, ...closed],
          message: `not allowed for ${key}: see scripts/allowed-imports.json`,
        },
      ],
      paths: Object.fromEntries(packages.map(([name, users]) => [name, `only ${users.join(", ")} may import it`])),
    };
    return {
      includes: [isFile(key) ? `src/${key}` : `src/${key}/*.ts`],
      linter: { rules: { style: { noRestrictedImports: { level: "error", options } } } },
    };
  });
}

/** How files of `folder` name a file, or all files directly in a folder. */
function specifierOf(folder: string, key: string): string {
  const path = relative(folder, key.endsWith(".ts") ? key.replace(/\.ts$/, ".js") : join(key, "*.js"));
  return path.startsWith(".") ? path : `./${path}`;
}

function outdatedLinter(root: string, rules: ImportRules): string[] {
  const config = JSON.parse(readFileSync(join(root, "biome.json"), "utf8")) as LinterConfig;
  return isDeepStrictEqual(config, withImportRules(config, rules))
    ? []
    : ["biome.json is not what follows from scripts/allowed-imports.json: run `node dist/scripts/imports.js --write`"];
}
