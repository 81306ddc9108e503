import postgres, { type Sql } from "postgres";
import { expect, vi } from "vitest";
import { readEmbeddedState } from "../../collector/embedded/index.ts";
import type { TracingOptions } from "../../sdk/core/options.ts";
import { startTracing, type Tracing } from "../../sdk/core/tracing.ts";
import { type Program, removeFolder, startProgram } from "./program.ts";

/** The real collector with its own database, and what reads its rows. */
export interface SdkRig extends AsyncDisposable {
  readonly program: Program;
  readonly sql: Sql;
  /** The SDK of this process, sending to the collector. */
  trace(options?: TracingOptions): Tracing;
  /** Waits until the rows of a query are as expected: what came apart is brought together after the answer. */
  rows(query: string, expected: readonly object[]): Promise<void>;
}

const BROUGHT_TOGETHER_WITHIN_MS = 20_000;

/** Starts the collector; `config` is merged over free ports. */
export async function startSdkRig(config?: string): Promise<SdkRig> {
  const program = await startProgram(config === undefined ? {} : { config });
  const sql = postgres(readEmbeddedState(`${program.folder}/data`)!.url, {
    max: 2,
    onnotice: () => {},
    types: { bigint: postgres.BigInt },
  });
  return {
    program,
    sql,
    trace: (options = {}) => startTracing({ endpoint: program.otlpUrl, exitHooks: false, ...options }),
    async rows(query, expected) {
      await vi.waitFor(async () => expect([...(await sql.unsafe(query))]).toEqual(expected), {
        timeout: BROUGHT_TOGETHER_WITHIN_MS,
        interval: 100,
      });
    },
    async [Symbol.asyncDispose]() {
      await sql.end();
      expect(await program.end()).toBe(0);
      removeFolder(program);
    },
  };
}
