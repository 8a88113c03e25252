import { headerConformance } from "../core/header-conformance.js";

for (const front of ["uws", "node"]) headerConformance("reactor", front);
