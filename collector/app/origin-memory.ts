import type { PostgresExporter } from "../exporters/postgres/index.ts";
import type { OriginMemory } from "../jobs/released-origins.ts";

/** What the writer remembers of resources and scopes, in the words of those who delete them. */
export const originMemory = (exporter: Pick<PostgresExporter, "release">, writeDeadlineMillis: number): OriginMemory => ({
  writeDeadlineMillis,
  release: (released) =>
    exporter.release(released.map(({ kind: table, ...row }) => ({ table, ...row }))).map(({ table: kind, ...row }) => ({ kind, ...row })),
});
