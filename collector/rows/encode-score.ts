import { hash } from "node:crypto";
import * as A from "../../sdk/attributes.ts";
import type { ByteWriter } from "../base/byte-writer.ts";
import type { EvaluationFacts } from "../dialects/openinference-evaluations.ts";
import type { AttributeList } from "../otlp/attribute-list.ts";
import type { Halves } from "../otlp/span-view.ts";
import { copyFloat8, copyInt4, copyMillis, copyNull, copyString, copyTime } from "./copy-row.ts";
import { copyUuid } from "./encode-span.ts";
import type { RequestBuilder } from "./request-builder.ts";
import { startMillisOf } from "./row-key.ts";
import { GENERATION_SCORES } from "./table-spec.ts";
import { MARK_SCORE, MARK_SCORE_OF_RESPONSE } from "./trace-marks.ts";
import { optionalString, readNumber, shortIdentifier } from "./values.ts";

/** One evaluation of a span. */
export interface Evaluation {
  readonly projectId: number;
  /** The request, and where the ids of the evaluated span stand in it. */
  readonly request: Buffer;
  readonly traceIdOffset: number;
  readonly spanIdOffset: number;
  readonly time: Halves;
  readonly facts: EvaluationFacts;
  /** What makes the evaluation this one and no other: a resend has the same. */
  readonly identity: Buffer;
  readonly receivedAtMs: number;
}

/** What a log record or a span event named gen_ai.evaluation.result says (conventions v1.38). */
export function evaluationFacts(attributes: AttributeList): EvaluationFacts {
  const text = (name: string): string | undefined => {
    const index = attributes.findName(name);
    return index < 0 ? undefined : attributes.text(index);
  };
  return {
    name: text(A.GEN_AI_EVALUATION_NAME),
    value: readNumber(attributes, attributes.findName(A.GEN_AI_EVALUATION_SCORE_VALUE)),
    label: text(A.GEN_AI_EVALUATION_SCORE_LABEL),
    explanation: text(A.GEN_AI_EVALUATION_EXPLANATION),
    by: text(A.GENSPAN_QUALITY_BY),
    responseId: text(A.GEN_AI_RESPONSE_ID) || undefined,
  };
}

/** Adds an evaluation to the rows of a request, and notes that its trace is to be looked at. */
export function encodeScore(builder: RequestBuilder, told: Omit<Evaluation, "projectId" | "receivedAtMs">): void {
  const { projectId, receivedAtMs } = builder;
  encodeScoreRow(builder.row(GENERATION_SCORES), { ...told, projectId, receivedAtMs });
  const traceId = told.request.toString("hex", told.traceIdOffset, told.traceIdOffset + 16);
  const bits = told.facts.responseId === undefined ? MARK_SCORE : MARK_SCORE | MARK_SCORE_OF_RESPONSE;
  builder.mark(traceId, bits, { millis: startMillisOf({ startTime: told.time }, receivedAtMs) });
}

/** Writes the row of table generation_scores (field order of GENERATION_SCORES.columns). */
function encodeScoreRow(out: ByteWriter, evaluation: Evaluation): void {
  const { request, time, receivedAtMs, facts } = evaluation;
  out.u16(GENERATION_SCORES.columns.length);
  copyInt4(out, evaluation.projectId);
  out.u32(32);
  out.hex(request, evaluation.traceIdOffset, evaluation.traceIdOffset + 16);
  out.u32(16);
  out.hex(request, evaluation.spanIdOffset, evaluation.spanIdOffset + 8);
  // Without a time the score would be another one when it is sent again: the epoch stands for "not told".
  copyTime(out, time);
  copyUuid(out, identityOf(evaluation));
  copyString(out, shortIdentifier(facts.name ?? "evaluation"));
  if (facts.value === undefined) copyNull(out);
  else copyFloat8(out, facts.value);
  optionalString(out, facts.label);
  optionalString(out, facts.explanation);
  copyString(out, "evaluation");
  optionalString(out, facts.by);
  copyMillis(out, receivedAtMs);
  optionalString(out, facts.responseId);
}

/** Ids of an evaluation that names no span: 16 bytes of a trace and 8 of a span that nobody else has, the same whenever it is sent. */
export const idsOfResponse = (responseId: string): Buffer => hash("sha256", `evaluation/${responseId}`, "buffer").subarray(0, 24);

function identityOf({ request, traceIdOffset, spanIdOffset, identity }: Evaluation): string {
  const ids = Buffer.concat([request.subarray(traceIdOffset, traceIdOffset + 16), request.subarray(spanIdOffset, spanIdOffset + 8)]);
  return hash("sha256", Buffer.concat([ids, identity]), "hex").slice(0, 32);
}
