import { limitsConformance } from "../limits.js";

limitsConformance("uws");
