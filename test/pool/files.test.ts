import { largeFiles } from "../core/large-files.js";
import { staticConformance } from "../core/static-conformance.js";
import { staticPaths } from "../core/static-paths.js";

staticConformance("pool");
staticPaths("pool");
largeFiles("pool");
