import type { OpenAPIHono } from "@hono/zod-openapi";
import { createApiOnly } from "../../collector/api/api.ts";
import type { Services } from "../../collector/api/services.ts";
import { createOwnIngest } from "../../collector/app/ingest.ts";
import type { Authenticate } from "../../collector/base/authenticate.ts";
import { createLiveHub } from "../../collector/live/hub.ts";
import { createPool } from "../../collector/query/pool.ts";
import { createReader } from "../../collector/query/reader.ts";
import { refineTraces } from "../../collector/refinement/store.ts";
import type { Sql } from "../../schema/connect.ts";
import { ensureReader } from "../../schema/reader.ts";
import { dropSqlLogin } from "../../schema/sql-login.ts";
import { createTestDatabase, type TestDatabase, type TestServer } from "./database.ts";
import { recordingLog } from "./recording-log.ts";

/** The API on a database of a test's own. */
export interface ApiRig extends AsyncDisposable {
  readonly app: OpenAPIHono;
  readonly services: Services;
  readonly database: TestDatabase;
  /** The owner's pool: row-level security does not apply to it. */
  readonly owner: Sql;
  readonly logged: ReturnType<typeof recordingLog>["lines"];
  /** Asks as project 1, or as the key in the headers says where the rig was given keys. Fails the test when the answer is no JSON. */
  get<T = unknown>(path: string, headers?: Readonly<Record<string, string>>): Promise<Answered<T>>;
  /** Sends JSON; `method` POST unless told. */
  send<T = unknown>(path: string, body: unknown, options?: SendOptions): Promise<Answered<T>>;
}

export interface Answered<T> {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
}

export interface SendOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const SCHEMA = "public";
const ORIGIN = "http://localhost:4319";
const asProjectOne: Authenticate = async () => ({ kind: "granted", projectId: 1 });

/** `authenticate` decides who may do what; without it everybody is project 1. */
export async function createApiRig(server: TestServer, authenticate: Authenticate = asProjectOne): Promise<ApiRig> {
  const database = await createTestDatabase(server);
  const owner = createPool(database.url, 3);
  const { url } = await ensureReader({ url: database.url, schema: SCHEMA });
  const reader = createReader({ url, schema: SCHEMA, maxConnections: 3 });
  const { log, lines } = recordingLog();
  const live = createLiveHub({ sql: owner, schema: SCHEMA, log });
  const own = createOwnIngest({ url: database.url, schema: SCHEMA });
  const services: Services = {
    reader,
    writer: { sql: owner, schema: SCHEMA },
    ingest: own.ingest,
    erasing: { eraseFiles: async () => ({ rows: 0, unreached: 0 }), readFiles: async function* () {}, onBuried: async () => {} },
    projectEnd: {
      eraseFiles: async () => ({ files: 0, unreached: 0 }),
      dropLogin: async (login) => void (await dropSqlLogin({ url: database.url, login })),
    },
    live,
    alerting: { log, publicUrl: "https://genspan.example", sendMail: undefined },
    refine: async (trace) => void (await refineTraces({ sql: owner, schema: SCHEMA }, [trace])),
    authenticate,
    log,
    version: "0.0.0",
  };
  const app = createApiOnly(services);
  const ask = async <T>(path: string, init: RequestInit): Promise<Answered<T>> => {
    const response = await app.request(`${ORIGIN}${path}`, init);
    return { status: response.status, body: (await response.json()) as T, headers: response.headers };
  };
  return {
    app,
    services,
    database,
    owner,
    logged: lines,
    get: (path, headers = {}) => ask(path, { headers }),
    send: (path, body, { method = "POST", headers = {} } = {}) =>
      ask(path, { method, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) }),
    async [Symbol.asyncDispose]() {
      await live.stop();
      await own.stop();
      await Promise.all([reader.end(), owner.end({ timeout: 1 })]);
      await database[Symbol.asyncDispose]();
    },
  };
}
