import { replacedFiles } from "../core/replaced-files.js";

for (const front of ["uws", "node"]) replacedFiles("reactor", front);
