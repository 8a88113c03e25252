import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configSchema, defaultOf, settingNames, settings, variableOf } from "../src/cli/settings/settings.js";
import { markdownTable } from "../src/harness/report/markdown.js";
import { packageRoot } from "../src/shared/package-root.js";

/** What is made from the settings: the schema for editors and the table of the docs. To be run after a change: `npm run settings`. */
const schemaFile = join(packageRoot, "loopool.schema.json");
writeFileSync(schemaFile, `${JSON.stringify(configSchema(), null, 2)}\n`);

const docsFile = join(packageRoot, "docs", "configuration.md");
const table = markdownTable({
  header: ["key and flag", "variable", "default", "what it is"],
  rows: settingNames.map((name) => [
    { code: name },
    { code: variableOf(name) },
    String(defaultOf(name) ?? ""),
    settings[name].describe,
  ]),
});
const docs = readFileSync(docsFile, "utf8");
writeFileSync(docsFile, docs.replace(/^\| key,? and flag(?:.*\n)(?:\|.*\n)*/m, `${table}\n`));
