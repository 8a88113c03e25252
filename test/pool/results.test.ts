import { resultConformance } from "../core/result-conformance.js";

for (const front of ["uws", "node"]) resultConformance("pool", front);
