import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/shared/package-root.js";

/** A Chromium from the registry package @sparticuz/chromium, for machines without one. */
export interface Browser {
  readonly executablePath: string;
  readonly env: NodeJS.ProcessEnv;
}

const modules = join(packageRoot, "node_modules");
const manifest = join(modules, "@sparticuz", "chromium", "package.json");

/** The package holds a binary for Linux on x64 alone. */
export const hasBundledBrowser = process.platform === "linux" && process.arch === "x64" && existsSync(manifest);

/**
 * Unpacks it (200 MB, some seconds) the first time; later calls find it. Test files that run side by side may both unpack: each does so
 * in a folder of its own, and the first rename counts.
 */
export async function bundledBrowser(): Promise<Browser> {
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version: string };
  const cache = join(modules, ".cache", "loopool");
  const folder = join(cache, `chromium-${version}`);
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const unpacked = mkdtempSync(join(cache, "unpacking-"));
    try {
      await unpack(unpacked);
      writeFileSync(join(unpacked, "fonts.conf"), fontsConf(folder));
      renameSync(unpacked, folder);
    } catch (error) {
      if (!existsSync(folder)) throw error;
    } finally {
      rmSync(unpacked, { recursive: true, force: true });
    }
  }
  return {
    executablePath: join(folder, "chromium"),
    env: {
      ...process.env,
      LD_LIBRARY_PATH: join(folder, "al2023", "lib"),
      FONTCONFIG_FILE: join(folder, "fonts.conf"),
    },
  };
}

/** The package unpacks into the folder for temporary files, and its shared libraries only where it believes to run in a function of AWS. */
async function unpack(folder: string): Promise<void> {
  const before = { ...process.env };
  Object.assign(process.env, { TMPDIR: folder, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x" });
  try {
    const { default: packed } = await import("@sparticuz/chromium");
    await packed.executablePath();
  } finally {
    for (const name of ["TMPDIR", "AWS_EXECUTION_ENV", "LD_LIBRARY_PATH", "FONTCONFIG_PATH"]) {
      if (before[name] === undefined) delete process.env[name];
      else process.env[name] = before[name];
    }
  }
}

/** The package's own names folders of AWS. */
function fontsConf(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${join(folder, "fonts")}</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>${join(folder, "fonts-cache")}</cachedir>
</fontconfig>
`;
}
