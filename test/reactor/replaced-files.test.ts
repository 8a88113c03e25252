import { replacedFiles } from "../core/replaced-files.js";

for (const adapter of ["uws", "node"]) replacedFiles("reactor", adapter);
