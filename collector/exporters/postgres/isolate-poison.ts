import { ByteWriter } from "../../base/byte-writer.ts";
import type { EncodedRequest } from "../../rows/encoded-request.ts";
import { encodeRejectedRow } from "../../rows/ingest-rejected.ts";
import { INGEST_REJECTED } from "../../rows/table-spec.ts";
import type { Part } from "./batch.ts";
import { type CarefulResult, writeCarefully } from "./careful-path.ts";
import { classifyError, sqlstateOf } from "./classify-error.ts";
import type { Statements } from "./statements.ts";
import type { WriterConnection } from "./writer-connection.ts";

/** An item that the database refused, with its SQLSTATE. */
export interface Poison {
  readonly part: Part;
  readonly item: number;
  readonly reason: string;
}

export interface IsolationOptions {
  readonly connection: WriterConnection;
  readonly statements: Statements;
  /** Hears of each transaction that committed. */
  readonly onWritten: (parts: readonly Part[], result: CarefulResult) => void;
  readonly onPoison: (poison: Poison) => void;
}

/**
 * Writes groups of parts carefully, each in a transaction of its own; where the data is at fault, halves the group until the item
 * stands alone, and keeps that one in ingest_rejected. What is done leaves `groups`. Every other error ends the work at once: an
 * outage is never bisected.
 */
export async function writeIsolating(options: IsolationOptions, groups: Part[][]): Promise<void> {
  const { connection, statements } = options;
  for (let group = groups.at(-1); group !== undefined; group = groups.at(-1)) {
    try {
      const result = await writeCarefully(connection, statements, group);
      groups.pop();
      options.onWritten(group, result);
    } catch (error) {
      if (classifyError(error) !== "data") throw error;
      const halves = halve(group);
      if (halves === undefined) await keepRejected(options, group[0]!, sqlstateOf(error) ?? "");
      groups.pop();
      groups.push(...(halves ?? []));
    }
  }
}

/** Two halves by items, or undefined when only one item is left. */
function halve(parts: readonly Part[]): [Part[], Part[]] | undefined {
  const items = parts.reduce((sum, part) => sum + part.toItem - part.fromItem, 0);
  if (items <= 1) return undefined;
  const first: Part[] = [];
  const second: Part[] = [];
  let room = items >>> 1;
  for (const part of parts) {
    const size = part.toItem - part.fromItem;
    if (room >= size) first.push(part);
    else if (room <= 0) second.push(part);
    else {
      first.push({ ...part, toItem: part.fromItem + room });
      second.push({ ...part, fromItem: part.fromItem + room });
    }
    room -= size;
  }
  return [first, second];
}

/** Puts the item's bytes into ingest_rejected in place of its rows. */
async function keepRejected(options: IsolationOptions, part: Part, sqlstate: string): Promise<void> {
  const reason = `the database refused a value (${sqlstate})`;
  const substitute = rejectedPart(part, reason, sqlstate);
  await writeCarefully(options.connection, options.statements, [substitute]);
  options.onPoison({ part, item: part.fromItem, reason });
}

function rejectedPart(part: Part, reason: string, sqlstate: string): Part {
  const { request } = part.pending;
  const raw = request.raw.subarray(request.itemAt[part.fromItem * 2], request.itemAt[part.fromItem * 2 + 1]);
  const bytes = new ByteWriter(raw.length + 256);
  const { projectId, signal } = request;
  encodeRejectedRow(bytes, { projectId, signal, reason, sqlstate, raw, receivedAtMs: Date.now() });
  const rows = { table: INGEST_REJECTED, bytes, starts: [0], items: [part.fromItem] };
  const substitute: EncodedRequest = { ...request, fresh: [rows], revisiting: [], shared: [] };
  return { ...part, pending: { ...part.pending, request: substitute } };
}
