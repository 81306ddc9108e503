import { type RunningApp, startApp } from "../app.ts";
import { createLog } from "../base/log.ts";
import type { ServeOptions } from "../cli/actions.ts";
import { readConfig } from "./config-files.ts";
import { aborted, type Host } from "./host.ts";
import { openBrowser } from "./open-browser.ts";

/** Requests under way get this long after the first signal. */
export const GRACE_MS = 10_000;

/** Runs the collector until the first signal, then stops it. */
export async function serve(options: ServeOptions, host: Host): Promise<void> {
  const { config, warnings } = readConfig(options, host);
  const log = createLog(options.logLevel);
  for (const warning of warnings) log.warn({}, warning);
  const signals = host.watchSignals();
  signals.onSecond(() => log.error({}, "stopped by force: requests under way were not answered, their senders will send them again"));
  host.onUnhandledRejection((error) =>
    log.error({ error: error instanceof Error ? error.name : "unknown" }, "unexpected rejection; the collector goes on"),
  );
  const app = await startApp({ config, ...options, log, version: host.version });
  if (!signals.first.aborted) await announce(app, host, options.open);
  await aborted(signals.first);
  log.info({}, "stopping: finishing requests under way");
  const { unwritten } = await app.stop(GRACE_MS);
  if (unwritten > 0) log.warn({ unwritten }, "items were refused at the end; their senders will send them again");
  log.info({}, "stopped");
}

/** Tells the person where everything is, once it is there. */
export async function announce(app: RunningApp, host: Host, open = false): Promise<void> {
  const { terminal, version } = host;
  await terminal.write(
    [
      `genspan ${version} is ready`,
      ...app.otlpUrls.map((url) => `  OTLP/HTTP   ${url}`),
      ...app.otlpGrpcUrls.map((url) => `  OTLP/gRPC   ${url}`),
      ...(app.webUrl === undefined ? [] : [`  Web         ${app.webUrl}`]),
      `  PostgreSQL  ${app.database}`,
      "",
    ].join("\n"),
  );
  if (open && app.webUrl !== undefined && !(await openBrowser(app.webUrl, host)))
    terminal.note(`No browser could be started here. Open ${app.webUrl}`);
}
