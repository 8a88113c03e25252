import { messageOf, usageError } from "../shared/errors.js";

/**
 * The environment that user code finds, set up before any of it is loaded; threads that are started later copy it. What is set already stays.
 * Throws a usage error for a file that cannot be read.
 */
export function setUpEnvironment(envFile: string | null): void {
  if (envFile !== null) {
    try {
      process.loadEnvFile(envFile);
    } catch (error) {
      throw usageError(`--env-file ${envFile} cannot be read: ${messageOf(error)}`);
    }
  }
  // As it is served to users: frameworks check and explain more without.
  process.env["NODE_ENV"] ??= "production";
}
