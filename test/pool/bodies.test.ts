import { bodyConformance } from "../core/body-conformance.js";

for (const adapter of ["uws", "node"]) bodyConformance("pool", adapter);
