import { largeFiles } from "../core/large-files.js";
import { staticConformance } from "../core/static-conformance.js";
import { staticPaths } from "../core/static-paths.js";

for (const front of ["uws", "node"]) {
  staticConformance("reactor", front);
  staticPaths("reactor", front);
  largeFiles("reactor", front);
}
