import { largeFiles } from "../core/large-files.js";
import { staticConformance } from "../core/static-conformance.js";
import { staticPaths } from "../core/static-paths.js";

for (const adapter of ["uws", "node"]) {
  staticConformance("pool", adapter);
  staticPaths("pool", adapter);
  largeFiles("pool", adapter);
}
