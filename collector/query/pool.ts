import type { Sql } from "postgres";
import { postgres, SESSION } from "../../schema/driver.ts";

const CONNECT_TIMEOUT_SECONDS = 3;
const IDLE_TIMEOUT_SECONDS = 60;
const STATEMENT_TIMEOUT_MS = 60_000;

/** Sessions for everything but the writer; opened when needed, and given up when the server does not answer. */
export const createPool = (url: string, max: number): Sql =>
  postgres(url, {
    max,
    connect_timeout: CONNECT_TIMEOUT_SECONDS,
    idle_timeout: IDLE_TIMEOUT_SECONDS,
    onnotice: () => {},
    connection: { application_name: "genspan", ...SESSION, statement_timeout: STATEMENT_TIMEOUT_MS },
  });
