import { largeFiles } from "../core/large-files.js";

largeFiles("reactor");
