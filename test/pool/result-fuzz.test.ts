import { resultFuzz } from "../core/result-fuzz.js";

for (const front of ["uws", "node"]) resultFuzz("pool", front);
