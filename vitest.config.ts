import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** unit: pure, in process · contract: the HTTP rules against the receiver in process · db: a real PostgreSQL · e2e: the real program over the network · browser: its pages in Chromium. */
export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Vitest leaves one core free; most files here wait for servers, timers and disks, so one more than there are cores keeps them busy.
    maxWorkers: availableParallelism() + 1,
    projects: [
      { extends: true, test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { extends: true, test: { name: "contract", include: ["test/contract/**/*.test.ts"] } },
      {
        extends: true,
        test: {
          name: "db",
          include: ["test/db/**/*.test.ts"],
          globalSetup: ["test/support/postgres.setup.ts"],
          setupFiles: ["test/support/driver.setup.ts"],
        },
      },
      { extends: true, test: { name: "browser", include: ["test/browser/**/*.test.ts"], testTimeout: 90_000 } },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/support/postgres.setup.ts"],
          setupFiles: ["test/support/driver.setup.ts"],
        },
      },
    ],
  },
});
