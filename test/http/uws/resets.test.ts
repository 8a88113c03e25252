import { resetConformance } from "../resets.js";

resetConformance("uws");
