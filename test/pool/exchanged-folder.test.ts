import { exchangedFolder } from "../core/exchanged-folder.js";

for (const adapter of ["uws", "node"]) exchangedFolder("pool", adapter);
