import { register } from "node:module";

/** Loaded before a test file by `--import`: the file gets named-suites.js in the place of uvu, which cannot choose tests by name. */
register("./name-filter-hooks.js", import.meta.url);
