import { itemTotals } from "../../dashboards/web/item-totals.ts";
import { reachableUrl } from "../../dashboards/web/otlp-url.ts";
import { START_CSS, START_SCRIPT, startPage } from "../../dashboards/web/start-page.ts";
import { type ApiOptions, createApiApp } from "../api/app.ts";
import type { Fetch } from "../api/front.ts";
import type { Services } from "../api/services.ts";
import { within } from "../base/within.ts";
import { webExtension } from "../config/questions.ts";
import type { PostgresExporter } from "../exporters/postgres/index.ts";
import { latest } from "../query/latest.ts";
import { type Listening, listen } from "../receivers/http-server.ts";
import { refineTraces } from "../refinement/store.ts";
import type { Context } from "./context.ts";
import type { Database } from "./database.ts";

const LATEST_ROWS = 12;
const LATEST_WITHIN_MS = 3_000;
const MAX_UPLOAD_MS = 6 * 3_600_000;

/** Opens the address of the extension `web`; undefined where the configuration has none. */
export async function listenWeb({ options, started }: Context, fetch: Fetch): Promise<Listening | undefined> {
  const web = webExtension(options.config);
  if (web === undefined) return undefined;
  // Files that are imported come in through it, as fast as they come.
  const limits = { requestMillis: MAX_UPLOAD_MS };
  const listening = await listen({ fetch, ...web.options.endpoint, purpose: `extensions::${web.id}::endpoint`, limits });
  started.defer(() => listening.close(0));
  return listening;
}

export interface WebInput extends Pick<Services, "alerting" | "authenticate" | "erasing" | "ingest" | "live" | "projectEnd"> {
  readonly database: Database;
  readonly exporter: PostgresExporter;
  /** The OTLP/HTTP address that the start page names. */
  readonly otlpUrl: string | undefined;
}

/** Start page, API, health and metrics of a running collector. */
export function createWeb(context: Context, { database, exporter, otlpUrl, authenticate, ...services }: WebInput): Fetch {
  const { options, log, metrics } = context;
  const { schema, version } = options;
  const { owner, latest: pool, reader } = database.pools;
  const writer = { sql: owner, schema };
  const unready = (): Unready | undefined => unreadyReason(context, { database, exporter });
  const app = createApiApp({
    unready,
    services: { ...services, reader, writer, refine: async (trace) => void (await refineTraces(writer, [trace])), log, version },
    authenticate,
    metrics,
    startCss: START_CSS,
    startScript: START_SCRIPT,
    startPage: async ({ projectId, hostName, hasKey }) =>
      startPage({
        version,
        now: new Date(),
        otlpUrl: reachableUrl(otlpUrl ?? "", hostName),
        needsKey: hasKey,
        unready: unready(),
        database: database.address,
        latest: await within(latest(pool, { schema, projectId, limit: LATEST_ROWS }), LATEST_WITHIN_MS).catch(() => undefined),
        items: await itemTotals(metrics),
      }),
  });
  return (request) => app.fetch(request);
}

/** Why a balancer should send elsewhere, in one word. */
type Unready = NonNullable<ReturnType<ApiOptions["unready"]>>;

function unreadyReason({ ending }: Context, { database, exporter }: Pick<WebInput, "database" | "exporter">): Unready | undefined {
  if (ending.requested) return "stopping";
  if (!exporter.ready()) return "database";
  return database.diskNearlyFull() ? "disk" : undefined;
}
