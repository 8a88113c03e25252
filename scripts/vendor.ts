import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { packageRoot } from "../src/shared/package-root.js";

/**
 * Bundles what loopool uses of large packages, one file for each in `scripts/vendor/`, into `dist/src/vendor/`: a user installs these files
 * and not the packages, which are development dependencies. Part of `npm run build`, after the compiler. `src/vendor/*.d.ts` say what is in
 * a bundle. The licences of all packages inside are written beside them.
 */
const entries = join(packageRoot, "scripts", "vendor");
const folder = join(packageRoot, "dist", "src", "vendor");
const LICENCES = "THIRD-PARTY-LICENSES.txt";

const { metafile, outputFiles } = await build({
  absWorkingDir: packageRoot,
  entryPoints: readdirSync(entries).map((file) => join(entries, file)),
  outdir: folder,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "node",
  target: "node20",
  // They are in the file of licences.
  legalComments: "none",
  // CommonJS inside asks for modules of Node with `require`, which a module does not have.
  banner: {
    js: [
      `/* Bundles other packages, whose licences are in ${LICENCES}. */`,
      'import { createRequire } from "node:module";',
      "const require = createRequire(import.meta.url);",
    ].join("\n"),
  },
  metafile: true,
  write: false,
  logLevel: "warning",
});

/** The packages that files come from, as folders below the root. */
function packagesOf(files: readonly string[]): readonly string[] {
  const folders = files.flatMap((file) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []);
  return [...new Set(folders)].sort();
}

/** Name, version and all licences and notices of a package. Throws an Error where it has none: it may not be passed on then. */
function licenceOf(folder: string): string {
  const at = join(packageRoot, folder);
  const { name, version } = JSON.parse(readFileSync(join(at, "package.json"), "utf8")) as Record<string, string>;
  const files = [at, join(at, "licenses")]
    .filter((place) => existsSync(place))
    .flatMap((place) =>
      readdirSync(place, { withFileTypes: true }).map((entry) => ({ entry, path: join(place, entry.name) })),
    )
    .filter(({ entry }) => entry.isFile() && /^(licen[cs]e|notice|copying)/i.test(entry.name));
  if (files.length === 0) throw new Error(`${folder} has no licence, so it cannot be bundled: see scripts/vendor.ts`);
  const texts = files.map(({ entry, path }) => `-- ${entry.name}\n\n${readFileSync(path, "utf8").trim()}\n`);
  return [`==== ${name} ${version}\n`, ...texts].join("\n");
}

/** Writes a file only if its text is another one, and whole: servers and tests may be reading it while another command builds. */
function update(file: string, text: string): void {
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  const scratch = `${file}.${process.pid}`;
  writeFileSync(scratch, text);
  renameSync(scratch, file);
}

mkdirSync(folder, { recursive: true });
for (const { path, text } of outputFiles) update(path, text);
// A package may be there several times.
const licences = new Set(packagesOf(Object.keys(metafile.inputs)).map(licenceOf));
update(join(folder, LICENCES), [...licences].join("\n"));
