import { limitsConformance } from "../limits.js";

limitsConformance("node");
