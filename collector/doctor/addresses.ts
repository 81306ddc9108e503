import { hostAndPort } from "../base/address.ts";
import type { DoctorCheck } from "../cli/actions.ts";
import { EXIT } from "../cli/exit-codes.ts";
import { askGrpc } from "./grpc.ts";

/** An address that the configuration names. */
export interface ConfiguredAddress {
  /** What is served there, for the person. */
  readonly name: string;
  readonly host: string;
  /** 0 means one that only the running collector knows. */
  readonly port: number;
  /** The configuration key that moves it. */
  readonly key: string;
  readonly kind: "http" | "grpc" | "web";
  /** Where OTLP/HTTP takes traces, if not at /v1/traces. */
  readonly tracesPath?: string;
}

const ANSWER_TIMEOUT_MS = 3_000;

/** Bound to every address means: reachable on this machine's own. */
const ownName = (host: string): string => ({ "0.0.0.0": "127.0.0.1", "::": "::1" })[host] ?? host;

export const urlOf = ({ host, port }: Pick<ConfiguredAddress, "host" | "port">): string => `http://${hostAndPort(ownName(host), port)}`;

/** Whether our collector listens where the configuration says, and nobody else. */
export async function checkAddress(address: ConfiguredAddress): Promise<DoctorCheck> {
  const { name, key, port } = address;
  if (port === 0) return { name, ok: true, detail: "the configuration takes any free port: the collector prints it when it starts" };
  const url = urlOf(address);
  const found = await listener(address);
  if (found === "nobody") {
    return {
      name,
      ok: false,
      detail: `nobody listens on ${url}: start the collector with "genspan serve"`,
      exitCode: EXIT.unreachable,
    };
  }
  if (found === "ours") return { name, ok: true, detail: `the collector listens on ${url}` };
  return { name, ok: false, detail: `another program listens on ${url}: stop it, or give ${key} another port` };
}

async function listener(address: ConfiguredAddress): Promise<"ours" | "nobody" | "other"> {
  const { kind, host, port, tracesPath = "/v1/traces" } = address;
  if (kind === "grpc") {
    const found = await askGrpc(ownName(host), port, ANSWER_TIMEOUT_MS);
    return found === "receiver" ? "ours" : found;
  }
  // OTLP takes POST alone; the web address says that it lives.
  const answer = await ask(`${urlOf(address)}${kind === "http" ? tracesPath : "/healthz"}`);
  if (answer === "nobody") return answer;
  const isOurs = answer !== "no HTTP" && (kind === "http" ? answer.status === 405 : answer.status === 200 && answer.text === "ok\n");
  return isOurs ? "ours" : "other";
}

/** Whether the collector takes data right now. */
export async function checkReadiness(web: ConfiguredAddress): Promise<DoctorCheck> {
  const name = "readiness";
  const answer = await ask(`${urlOf(web)}/readyz`);
  if (typeof answer === "object" && answer.status === 200) return { name, ok: true, detail: "the collector takes data" };
  const reason = typeof answer === "object" ? answer.text.trim() : "no answer";
  const advice =
    reason === "stopping" ? "wait until it has stopped, then start it again" : "see its log, and the checks of the database below";
  return { name, ok: false, detail: `the collector takes no data (${reason}): ${advice}`, exitCode: EXIT.unreachable };
}

async function ask(url: string): Promise<{ readonly status: number; readonly text: string } | "nobody" | "no HTTP"> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    return cause?.code === "ECONNREFUSED" ? "nobody" : "no HTTP";
  }
}
