import { fuzz } from "../fuzz.js";

fuzz("node");
