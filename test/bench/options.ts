import { parseArgs } from "node:util";
import { SetupError } from "../../collector/base/setup-error.ts";

/** The measures by the names of `--only`, in the order in which they run. */
export const MEASURES = [
  "decode",
  "sdk",
  "plain",
  "genai",
  "mix",
  "pending",
  "openinference",
  "vercel",
  "gzip",
  "json",
  "obvious",
  "genai10",
  "oneSpan",
  "size",
  "growth",
  "read",
] as const;
export type Measure = (typeof MEASURES)[number];

/** Measures that `npm run bench` leaves out unless they are asked for or the run is a full one. */
const FULL_ONLY: readonly Measure[] = ["genai10", "openinference", "vercel"];

export interface Options {
  readonly quick: boolean;
  /** Where to write the figures. */
  readonly json: string | undefined;
  readonly measures: ReadonlySet<Measure>;
  /** `auto`: DATABASE_URL, else the PostgreSQL installed on this machine, else the embedded one. */
  readonly server: string;
}

export const USAGE = `usage: npm run bench -- [--quick] [--json FILE] [--only NAME,…] [--server auto|system|embedded|postgres://…]
  --only   of ${MEASURES.join(", ")}
  --server a postgres:// URL must allow CREATE DATABASE: the bench works in a database of its own and drops it at the end`;

/** Throws an Error whose message says what is wrong and how it is used. */
export function parseOptions(args: readonly string[]): Options {
  const { values } = parse(args);
  const quick = values.quick ?? false;
  const names = values.only?.split(",") ?? MEASURES.filter((name) => !quick || !FULL_ONLY.includes(name));
  const unknown = names.filter((name) => !(MEASURES as readonly string[]).includes(name));
  if (unknown.length > 0) throw new SetupError(`--only does not know ${unknown.join(", ")}\n${USAGE}`);
  const server = values.server ?? "auto";
  if (!/^(auto|system|embedded|postgres(ql)?:\/\/.+)$/.test(server)) throw new SetupError(`--server does not know this value\n${USAGE}`);
  return { quick, json: values.json, measures: new Set(names as Measure[]), server };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: { quick: { type: "boolean" }, json: { type: "string" }, only: { type: "string" }, server: { type: "string" } },
    });
  } catch (error) {
    throw new SetupError(`${(error as Error).message}\n${USAGE}`);
  }
}
