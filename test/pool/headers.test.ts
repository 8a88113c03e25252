import { headerConformance } from "../core/header-conformance.js";

for (const adapter of ["uws", "node"]) headerConformance("pool", adapter);
