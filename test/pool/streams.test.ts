import { streamConformance } from "../core/stream-conformance.js";

for (const adapter of ["uws", "node"]) streamConformance("pool", adapter);
