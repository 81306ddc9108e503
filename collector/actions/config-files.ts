import { readFileSync } from "node:fs";
import { join } from "node:path";
import { SetupError } from "../base/setup-error.ts";
import type { ConfigOptions } from "../cli/actions.ts";
import { loadConfig } from "../config/index.ts";
import type { Host } from "./host.ts";

const SHIPPED = "otel-config.yaml";
/** Variables of our own. Theirs follow the Collector's grammar, where a variable that is set and empty is an empty text. */
const OURS = /^(GENSPAN_|DATABASE_URL$)/;

/** Reads the configuration of the files, or the shipped one. Throws ConfigError with every fault, SetupError for a file that cannot be read. */
export function readConfig({ configFiles, configSets }: ConfigOptions, { env, rootFolder }: Pick<Host, "env" | "rootFolder">) {
  const names = configFiles.length > 0 ? configFiles : [join(rootFolder, SHIPPED)];
  const filled = Object.fromEntries(Object.entries(env).filter(([name, value]) => value !== "" || !OURS.test(name)));
  return loadConfig({ files: names.map((name) => ({ name, text: readText(name) })), env: filled, sets: configSets });
}

function readText(name: string): string {
  try {
    return readFileSync(name, "utf8");
  } catch {
    throw new SetupError(`The configuration file ${name} cannot be read: check its name and rights.`);
  }
}
