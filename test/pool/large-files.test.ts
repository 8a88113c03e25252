import { largeFiles } from "../core/large-files.js";

largeFiles("pool");
