import { resultConformance } from "../core/result-conformance.js";

for (const adapter of ["uws", "node"]) resultConformance("pool", adapter);
