import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startApp } from "../app.ts";
import { createLog } from "../base/log.ts";
import type { DemoOptions } from "../cli/actions.ts";
import { sendHistory, sendLive } from "../demo/index.ts";
import { readConfig } from "./config-files.ts";
import type { Host } from "./host.ts";
import { announce, GRACE_MS } from "./serve.ts";

/** Serves demonstration data from a temporary folder until the first signal, and leaves nothing behind. */
export async function demo(options: DemoOptions, host: Host): Promise<void> {
  const { config } = readConfig(options, host);
  const { first: stop } = host.watchSignals();
  const folder = mkdtempSync(join(tmpdir(), "genspan-demo-"));
  // As root the database runs as another user, who must be able to enter.
  chmodSync(folder, 0o755);
  try {
    const app = await startApp({
      config,
      databaseUrl: undefined,
      dataDir: folder,
      embeddedPort: options.embeddedPort,
      schema: "public",
      log: createLog("warn"),
      version: host.version,
    });
    try {
      await announce(app, host, options.open);
      await tell(options, { endpoint: app.otlpUrls[0] ?? "", stop, note: host.terminal.note });
    } finally {
      await app.stop(GRACE_MS);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Stage {
  readonly endpoint: string;
  readonly stop: AbortSignal;
  readonly note: (text: string) => void;
}

async function tell({ rows, seed, live }: DemoOptions, { endpoint, stop, note }: Stage): Promise<void> {
  const { traces, spans, generations } = await sendHistory({ endpoint, signal: stop, rows, seed });
  note(`Two weeks of demonstration data are in: ${generations} model calls, ${spans} spans, ${traces} traces.`);
  if (!live || stop.aborted) return;
  note("New calls come in until Ctrl+C.");
  await sendLive({ endpoint, signal: stop, seed });
}
