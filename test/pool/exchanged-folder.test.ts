import { exchangedFolder } from "../core/exchanged-folder.js";

for (const front of ["uws", "node"]) exchangedFolder("pool", front);
