import { conformance } from "../core/conformance.js";

conformance("reactor");
