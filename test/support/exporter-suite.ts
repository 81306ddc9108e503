import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { createTestDatabase, type TestDatabase, type TestServer } from "./database.ts";
import { createExporterRig, type ExporterRig, type RigOptions } from "./exporter-rig.ts";

export interface ExporterSuite extends ExporterRig {
  /** The suite's database. */
  readonly url: string;
}

export interface SuiteOptions extends Omit<RigOptions, "url"> {
  /** Tables that each test leaves without a row. */
  readonly emptied: readonly string[];
}

/** An exporter of each test's own, on a database that is there while the suite's tests run. */
export function useExporterRig(server: TestServer, { emptied, ...options }: SuiteOptions): ExporterSuite {
  let database: TestDatabase;
  let rig: ExporterRig;
  beforeAll(async () => {
    database = await createTestDatabase(server);
  });
  afterAll(() => database[Symbol.asyncDispose]());
  beforeEach(() => {
    rig = createExporterRig({ url: database.url, ...options });
  });
  afterEach(async () => {
    await rig.sql.unsafe(`TRUNCATE ${emptied.join(", ")}`);
    await rig.stop();
  });
  return {
    get url() {
      return database.url;
    },
    get exporter() {
      return rig.exporter;
    },
    get metrics() {
      return rig.metrics;
    },
    get sql() {
      return rig.sql;
    },
    write: (...request) => rig.write(...request),
    count: (table) => rig.count(table),
    stop: () => rig.stop(),
  };
}
