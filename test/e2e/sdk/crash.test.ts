import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import postgres, { type Sql } from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEmbeddedState } from "../../../collector/embedded/index.ts";
import { type Program, removeFolder, startProgram } from "../../support/program.ts";

const APP = fileURLToPath(new URL("../../support/sdk/crash-app.ts", import.meta.url));

let program: Program;
let sql: Sql;

beforeAll(async () => {
  program = await startProgram();
  sql = postgres(readEmbeddedState(`${program.folder}/data`)!.url, { max: 1, onnotice: () => {} });
});

afterAll(async () => {
  await sql?.end();
  await program?.end();
  removeFolder(program);
});

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Runs the application to its end; `act` is called with its first line. */
async function run(
  ending: string,
  { pending = "background", endpoint = program.otlpUrl, act = (_kill: (signal: NodeJS.Signals) => void): unknown => undefined } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [APP, ending, endpoint, pending], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdout.once("data", () => void act((signal) => child.kill(signal)));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, stderr };
}

const rows = async (service: string): Promise<unknown[]> => [
  ...(await sql`SELECT generation_status, prompt_full_text FROM generation_logs WHERE service_name = ${service}`),
];

const PROMPT = "Why is the sky blue?";
const FINISHED = { generation_status: "success", prompt_full_text: PROMPT };
const PENDING = { generation_status: "pending", prompt_full_text: PROMPT };

describe("what an application recorded is stored however it ends, and it ends as it would have", () => {
  it.each([
    ["natural-end", FINISHED, { code: 0, signal: null }],
    ["exit", FINISHED, { code: 7, signal: null }],
    ["exit-in-call", PENDING, { code: 7, signal: null }],
    ["uncaught", PENDING, { code: 1, signal: null }],
    ["rejected", FINISHED, { code: 1, signal: null }],
  ])("%s", async (ending, row, expected) => {
    expect(await run(ending)).toMatchObject(expected);
    expect(await rows(ending)).toEqual([row]);
  });

  it("an uncaught error is still told as Node tells it", async () => {
    const { stderr } = await run("uncaught", { endpoint: "http://127.0.0.1:9" });
    expect(stderr).toContain("Error: the application is broken");
  });

  it("SIGTERM ends it by that signal, after the delivery", async () => {
    expect(await run("sigterm", { act: (kill) => kill("SIGTERM") })).toMatchObject({ code: null, signal: "SIGTERM" });
    expect(await rows("sigterm")).toEqual([FINISHED]);
  });

  it("SIGTERM with a handler of the application's own does what that handler does", async () => {
    expect(await run("sigterm-handled", { act: (kill) => kill("SIGTERM") })).toMatchObject({ code: 9, signal: null });
    expect(await rows("sigterm-handled")).toEqual([FINISHED]);
  });

  it("SIGKILL in the middle of a call leaves a pending row", async () => {
    const untilStored = async (kill: (signal: NodeJS.Signals) => void): Promise<void> => {
      while ((await rows("killed-in-call")).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      kill("SIGKILL");
    };
    expect(await run("killed-in-call", { act: untilStored })).toMatchObject({ signal: "SIGKILL" });
    expect(await rows("killed-in-call")).toEqual([PENDING]);
  });

  it("SIGKILL at once leaves a pending row where the call awaited its announcement", async () => {
    const before = (await rows("killed-in-call")).length;
    expect(await run("killed-in-call", { pending: "await", act: (kill) => kill("SIGKILL") })).toMatchObject({ signal: "SIGKILL" });
    expect(await rows("killed-in-call")).toHaveLength(before + 1);
  });
});

describe("without a collector", () => {
  it.each([
    ["natural-end", { code: 0, signal: null }],
    ["exit", { code: 7, signal: null }],
    ["uncaught", { code: 1, signal: null }],
  ])("%s ends as it would have, without long delay", async (ending, expected) => {
    const started = performance.now();
    expect(await run(ending, { endpoint: "http://127.0.0.1:9" })).toMatchObject(expected);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});
