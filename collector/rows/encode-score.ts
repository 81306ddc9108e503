import { hash } from "node:crypto";
import * as A from "../../sdk/attributes.ts";
import type { ByteWriter } from "../base/byte-writer.ts";
import type { AttributeList } from "../otlp/attribute-list.ts";
import type { Halves } from "../otlp/span-view.ts";
import { copyFloat8, copyInt4, copyMillis, copyNull, copyString, copyTime } from "./copy-row.ts";
import { copyUuid } from "./encode-span.ts";
import type { IngestNotes } from "./ingest-notes.ts";
import { GENERATION_SCORES } from "./table-spec.ts";
import { optionalString, readNumber, shortIdentifier } from "./values.ts";

/** One evaluation of a span, from a log record or a span event named gen_ai.evaluation.result (conventions v1.38). */
export interface Evaluation {
  readonly projectId: number;
  /** The request, and where the ids of the evaluated span stand in it. */
  readonly request: Buffer;
  readonly traceIdOffset: number;
  readonly spanIdOffset: number;
  readonly time: Halves;
  readonly attributes: AttributeList;
  /** Bytes that make the evaluation this one and no other: a resend has the same. */
  readonly identity: readonly [start: number, end: number];
  readonly receivedAtMs: number;
  readonly notes: IngestNotes;
}

/** Writes the row of table generation_scores (field order of GENERATION_SCORES.columns). */
export function encodeScoreRow(out: ByteWriter, evaluation: Evaluation): void {
  const { request, attributes, time, receivedAtMs } = evaluation;
  const text = (name: string): string | undefined => {
    const index = attributes.findName(name);
    return index < 0 ? undefined : attributes.text(index);
  };
  out.u16(GENERATION_SCORES.columns.length);
  copyInt4(out, evaluation.projectId);
  out.u32(32);
  out.hex(request, evaluation.traceIdOffset, evaluation.traceIdOffset + 16);
  out.u32(16);
  out.hex(request, evaluation.spanIdOffset, evaluation.spanIdOffset + 8);
  // Without a time the score would be another one when it is sent again: the epoch stands for "not told".
  copyTime(out, time);
  copyUuid(out, identityOf(evaluation));
  copyString(out, shortIdentifier(text(A.GEN_AI_EVALUATION_NAME) ?? "evaluation"));
  const value = readNumber(attributes, attributes.findName(A.GEN_AI_EVALUATION_SCORE_VALUE));
  if (value === undefined) copyNull(out);
  else copyFloat8(out, value);
  optionalString(out, text(A.GEN_AI_EVALUATION_SCORE_LABEL));
  optionalString(out, text(A.GEN_AI_EVALUATION_EXPLANATION));
  copyString(out, "evaluation");
  optionalString(out, text(A.GENSPAN_QUALITY_BY));
  copyMillis(out, receivedAtMs);
}

function identityOf({ request, traceIdOffset, spanIdOffset, identity: [start, end] }: Evaluation): string {
  const ids = Buffer.concat([request.subarray(traceIdOffset, traceIdOffset + 16), request.subarray(spanIdOffset, spanIdOffset + 8)]);
  return hash("sha256", Buffer.concat([ids, request.subarray(start, end)]), "hex").slice(0, 32);
}
