import { largeFiles } from "../core/large-files.js";
import { staticConformance } from "../core/static-conformance.js";
import { staticPaths } from "../core/static-paths.js";

for (const front of ["uws", "node"]) {
  staticConformance("pool", front);
  staticPaths("pool", front);
  largeFiles("pool", front);
}
