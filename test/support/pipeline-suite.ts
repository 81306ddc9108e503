import { afterAll, afterEach, beforeAll } from "vitest";
import { createTestDatabase, type TestDatabase, type TestServer } from "./database.ts";
import { createPipelineRig, type PipelineRig } from "./pipeline-rig.ts";

/** A rig on a database of the suite's own, there while the suite's tests run. Each test leaves the tables `emptied` without a row. */
export function usePipelineRig(server: TestServer, ...emptied: readonly string[]): PipelineRig {
  let database: TestDatabase;
  let rig: PipelineRig;
  beforeAll(async () => {
    database = await createTestDatabase(server);
    rig = createPipelineRig(database.url);
  });
  if (emptied.length > 0) afterEach(() => rig.empty(...emptied));
  afterAll(async () => {
    await rig.stop();
    await database[Symbol.asyncDispose]();
  });
  return {
    get sql() {
      return rig.sql;
    },
    get refiner() {
      return rig.refiner;
    },
    get exporter() {
      return rig.exporter;
    },
    readPrices: () => rig.readPrices(),
    send: (...request) => rig.send(...request),
    empty: (...tables) => rig.empty(...tables),
    stop: () => rig.stop(),
  };
}
