import { conformance } from "../core/conformance.js";
import { headerConformance } from "../core/header-conformance.js";

conformance("reactor");
headerConformance("reactor");
