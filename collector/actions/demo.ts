import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startApp } from "../app.ts";
import { createLog } from "../base/log.ts";
import { SetupError } from "../base/setup-error.ts";
import type { DemoOptions } from "../cli/actions.ts";
import { sendHistory, sendLive } from "../demo/index.ts";
import { readConfig } from "./config-files.ts";
import type { Host } from "./host.ts";
import { createKey } from "./keys.ts";
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
      const key = () =>
        createKey({ databaseUrl: undefined, dataDir: folder, schema: "public", name: "demo", scopes: ["ingest"], projectId: 1 });
      const send = keyedFetch(async () => (await key()).key);
      await tell(options, { endpoint: app.otlpUrls[0] ?? "", fetch: send, stop, note: host.terminal.note });
    } finally {
      await app.stop(GRACE_MS);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Stage {
  readonly endpoint: string;
  readonly fetch: typeof fetch;
  readonly stop: AbortSignal;
  readonly note: (text: string) => void;
}

async function tell({ rows, seed, live }: DemoOptions, { stop, note, ...to }: Stage): Promise<void> {
  const { traces, spans, generations } = await sendHistory({ ...to, signal: stop, rows, seed });
  note(`Two weeks of demonstration data are in: ${generations} model calls, ${spans} spans, ${traces} traces.`);
  if (!live || stop.aborted) return;
  note("New calls come in until Ctrl+C.");
  await sendLive({ ...to, signal: stop, seed }).catch(async (error: unknown) => {
    if (!(error instanceof SetupError)) throw error;
    // What is there can still be looked at.
    note(`No new calls come in any more. ${error.message}`);
    if (!stop.aborted) await once(stop, "abort");
  });
}

/** Collectors know a new key after two seconds at most. */
const KEY_KNOWN_MS = 2_500;

/** Sends as everybody may while there is no key; once a visitor has made the first one, with a key of its own. */
export function keyedFetch(makeKey: () => Promise<string>, knownMillis = KEY_KNOWN_MS): typeof fetch {
  let key: Promise<string> | undefined;
  const send = async (shown: string | undefined, ...[url, init]: Parameters<typeof fetch>): Promise<Response> => {
    const headers = new Headers(init?.headers);
    if (shown !== undefined) headers.set("authorization", `Bearer ${shown}`);
    return fetch(url, { ...init, headers });
  };
  return async (...request) => {
    const shown = await key;
    const response = await send(shown, ...request);
    if (response.status !== 401 || shown !== undefined) return response;
    await response.body?.cancel();
    key ??= makeKey().then((made) => sleep(knownMillis, made));
    return send(await key, ...request);
  };
}
