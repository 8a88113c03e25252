import { resultFuzz } from "../core/result-fuzz.js";

for (const adapter of ["uws", "node"]) resultFuzz("reactor", adapter);
