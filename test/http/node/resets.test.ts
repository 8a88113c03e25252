import { resetConformance } from "../resets.js";

resetConformance("node");
