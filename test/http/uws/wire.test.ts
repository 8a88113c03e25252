import { wireConformance } from "../wire.js";

wireConformance("uws");
