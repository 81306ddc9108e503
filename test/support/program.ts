import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../..");
/** As users start it: stripped types come from the cache. */
const MAIN = join(ROOT, "bin/genspan.js");
const READY_WITHIN_MS = 60_000;

/** The collector as its own process, on free ports. */
export interface Program {
  readonly process: ChildProcess;
  readonly otlpUrl: string;
  readonly otlpGrpcUrl: string;
  readonly webUrl: string;
  readonly folder: string;
  /** Everything it wrote so far, standard output and error. */
  output(): string;
  /** Sends a signal and waits for the end; resolves with the exit code (null after a signal that killed it). */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** More configuration, merged over free ports. */
  readonly config?: string;
  /** Runs as this operating-system user (only root can ask for that). */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What SIGUSR2 does to the process: see faults.ts. */
  readonly fault?: "block-3s" | "clock-back-1h";
  /** In a process group of its own, as a shell starts it: a test can then press Ctrl+C. */
  readonly ownGroup?: boolean;
  /** More words of the command line. */
  readonly flags?: readonly string[];
  /** Limit of open files. */
  readonly openFiles?: number;
}

const FAULTS = join(import.meta.dirname, "faults.ts");

const FREE_PORTS = `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}, grpc: {endpoint: "127.0.0.1:0"}}}}
extensions: {web: {endpoint: "127.0.0.1:0"}}
`;

/** Starts `genspan serve` and waits until it is ready. Rejects with its output when it ends instead. */
export async function startProgram(options: ProgramOptions = {}): Promise<Program> {
  const folder = mkdtempSync(join(tmpdir(), "genspan-e2e-"));
  // As root the database runs as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  if (options.user !== undefined) chownSync(folder, options.user.uid, options.user.gid);
  writeFileSync(join(folder, "ports.yaml"), FREE_PORTS);
  writeFileSync(join(folder, "more.yaml"), options.config ?? "");
  const files = [join(ROOT, "otel-config.yaml"), join(folder, "ports.yaml"), join(folder, "more.yaml")];
  const args = [MAIN, "serve", ...files.flatMap((file) => ["--config", file]), ...(options.flags ?? [])];
  const [command, first] =
    options.openFiles === undefined
      ? [process.execPath, []]
      : ["sh", ["-c", `ulimit -n ${options.openFiles}; exec "$0" "$@"`, process.execPath]];
  const child = spawn(command, [...first, ...args], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"] ?? "",
      GENSPAN_DATA_DIR: join(folder, "data"),
      GENSPAN_EMBEDDED_PORT: "0",
      GENSPAN_LOG_LEVEL: "warn",
      ...(options.fault === undefined ? {} : { NODE_OPTIONS: `--import ${FAULTS}`, GENSPAN_TEST_FAULT: options.fault }),
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
    detached: options.ownGroup === true,
    ...options.user,
  });
  let output = "";
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on("data", collect);
  child.stderr.on("data", collect);
  const ended = once(child, "exit");
  const ready = await untilReady(() => output, child);
  if (!ready) {
    child.kill("SIGKILL");
    throw new Error(`the program did not become ready:\n${output}`);
  }
  return {
    process: child,
    otlpUrl: /OTLP\/HTTP +(\S+)/.exec(output)?.[1] ?? "",
    otlpGrpcUrl: /OTLP\/gRPC +(\S+)/.exec(output)?.[1] ?? "",
    webUrl: /Web +(\S+)/.exec(output)?.[1] ?? "",
    folder,
    output: () => output,
    async end(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      const [code] = (await ended) as [number | null];
      return code;
    },
  };
}

async function untilReady(output: () => string, child: ChildProcess): Promise<boolean> {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline && child.exitCode === null) {
    if (/PostgreSQL +postgres:/.test(output())) return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}

/** Runs a command of the CLI to its end. */
export async function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

export const removeFolder = (program: Program): void => rmSync(program.folder, { recursive: true, force: true });
