import { migrate } from "../../schema/migrate.ts";
import { createApiOnly } from "../api/api.ts";
import { createOwnIngest } from "../app/ingest.ts";
import { archiveReaderOf, eraserOf, projectEndIn } from "../app/privacy.ts";
import { addressBelow } from "../base/address.ts";
import { createLog } from "../base/log.ts";
import type { ApiConnection, ConnectionOptions } from "../cli/actions.ts";
import { CommandError, EXIT } from "../cli/exit-codes.ts";
import { listProjects } from "../commands/projects.ts";
import { createLiveHub } from "../live/hub.ts";
import { createPool } from "../query/pool.ts";
import { createReader, type ReaderOptions } from "../query/reader.ts";
import { sqlText } from "../query/sql-text.ts";
import { refineTraces } from "../refinement/store.ts";
import { archiveAccess } from "./archive.ts";
import { ownerUrl, readerUrl, reported } from "./database.ts";
import type { Host } from "./host.ts";

const CONNECTIONS = 2;

/** The API of a running collector, or the same API in this process on a database: commands know only one way to ask. */
export const connect = (options: ConnectionOptions, host: Host): Promise<ApiConnection> =>
  options.url === undefined ? connectDatabase(options, host) : Promise.resolve(connectCollector(options.url, options.key));

function connectCollector(url: string, key: string | undefined): ApiConnection {
  return {
    async request(path, init = {}) {
      const headers = new Headers(init.headers);
      if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
      try {
        return await fetch(addressBelow(url, path), { ...init, headers });
      } catch {
        throw new CommandError(
          EXIT.unreachable,
          `No collector answers at ${new URL(url).origin}: start it with "genspan serve", or see "genspan doctor".`,
        );
      }
    },
    close: async () => {},
  };
}

const shownTo = ({ onSql }: ConnectionOptions): Pick<ReaderOptions, "onQuestion"> =>
  onSql === undefined ? {} : { onQuestion: (question) => onSql(sqlText(question)) };

async function connectDatabase(options: ConnectionOptions, host: Host): Promise<ApiConnection> {
  const { schema, projectId } = options;
  const url = ownerUrl(options);
  await reported(() => migrate({ url, schema }));
  const owner = createPool(url, CONNECTIONS);
  if ((await listProjects({ sql: owner, schema }, projectId)).length === 0) {
    await owner.end({ timeout: 1 });
    throw new CommandError(EXIT.notFound, `There is no project ${projectId}: see "genspan project list".`);
  }
  const reader = createReader({ url: await readerUrl(options), schema, maxConnections: CONNECTIONS, ...shownTo(options) });
  const log = createLog("error");
  const live = createLiveHub({ sql: owner, schema, log });
  const own = createOwnIngest({ url, schema });
  const archive = archiveAccess({ sql: owner, schema }, options, host);
  const app = createApiOnly({
    reader,
    writer: { sql: owner, schema },
    ingest: own.ingest,
    erasing: { eraseFiles: eraserOf(archive), readFiles: archiveReaderOf(archive), onBuried: async () => {} },
    projectEnd: projectEndIn(archive, url),
    live,
    alerting: { log, publicUrl: undefined, sendMail: undefined },
    refine: async (trace) => void (await refineTraces({ sql: owner, schema }, [trace])),
    authenticate: async () => ({ kind: "granted", projectId }),
    log,
    version: host.version,
  });
  return {
    request: async (path, init) => app.request(path, init),
    async close() {
      await live.stop();
      await own.stop();
      await Promise.all([reader.end(), owner.end({ timeout: 1 })]);
    },
  };
}
