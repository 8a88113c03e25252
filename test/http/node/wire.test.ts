import { wireConformance } from "../wire.js";

wireConformance("node");
