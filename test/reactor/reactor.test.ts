import { conformance } from "../core/conformance.js";
import { headerConformance } from "../core/header-conformance.js";
import { staticConformance } from "../core/static-conformance.js";

conformance("reactor");
headerConformance("reactor");
staticConformance("reactor");
