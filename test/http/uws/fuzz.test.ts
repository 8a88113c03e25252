import { fuzz } from "../fuzz.js";

fuzz("uws");
