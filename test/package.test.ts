import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { packageRoot } from "../src/shared/package-root.js";

const { dependencies } = JSON.parse(readFileSync(join(packageRoot, "package.json"), "utf8")) as {
  dependencies: Record<string, string>;
};

/** What `npm pack` would put into the package: paths below its root. */
const packed = (): readonly string[] => {
  const output = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], { cwd: packageRoot });
  const reported = JSON.parse(output.toString()) as object;
  // npm 12 tells of packages by their names, older ones in a list.
  const [{ files }] = Object.values(reported) as [{ files: { path: string }[] }];
  return files.map(({ path }) => path);
};

const shipped = packed();

/** Packages, not files or modules of Node, that a module's text imports by a name that is written out. */
function packagesImported(file: string): readonly string[] {
  const text = readFileSync(join(packageRoot, file), "utf8");
  const names = [...text.matchAll(/(?:^(?:import|export)\b[^"';]*\bfrom |^import |\bimport\()"([@a-z][^"]*)"/gm)].map(
    ([, name]) => name!,
  );
  return names.filter((name) => !isBuiltin(name)).map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)![0]);
}

const test = suite("package");

test("what ships imports only what a user's install brings", () => {
  const found = new Map<string, string>();
  for (const file of shipped.filter((path) => path.endsWith(".js") && path.startsWith("dist/"))) {
    for (const name of packagesImported(file)) found.set(name, file);
  }
  assert.ok(found.has("yargs"), "this test sees imports");
  for (const [name, file] of found) {
    assert.ok(name in dependencies, `${file} imports ${name}, which is no dependency`);
  }
});

test("the bundles of other packages ship with their licences", () => {
  for (const file of ["charts.js", "certificate.js", "THIRD-PARTY-LICENSES.txt"]) {
    assert.ok(shipped.includes(`dist/src/vendor/${file}`), file);
  }
  const licences = readFileSync(join(packageRoot, "dist", "src", "vendor", "THIRD-PARTY-LICENSES.txt"), "utf8");
  for (const name of ["echarts", "zrender", "selfsigned", "@peculiar/x509"]) {
    assert.match(licences, new RegExp(`^==== ${name} \\d`, "m"));
  }
  assert.match(licences, /-- NOTICE\n\nApache ECharts\n/, "a notice has to be passed on, too (Apache License 2.0, 4d)");
  assert.match(licences, /Apache License\s+Version 2\.0/);
});

test.run();
