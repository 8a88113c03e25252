import { headerConformance } from "../core/header-conformance.js";

headerConformance("pool");
