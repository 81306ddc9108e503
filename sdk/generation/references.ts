import type { Attributes } from "@opentelemetry/api";
import * as A from "../attributes.ts";
import { current } from "../core/current.ts";
import type { RecordRef } from "../core/record.ts";
import { safeJson } from "../core/safe-json.ts";
import { entityAttributes, qualityAttributes } from "./start-attributes.ts";
import type { EntityRef, Quality } from "./types.ts";

/** A record, or the text of its reference as the application stored it. */
export type RefLike = RecordRef | string;

/**
 * Ties a generation to a thing of the application's own, whenever that has been saved and from whichever process. The latest link wins.
 *
 * ```ts
 * linkGeneration(row.generation_log_id, { type: "definitie", id: row.id });
 * ```
 */
export const linkGeneration = (ref: RefLike, entity: EntityRef): void => tell("linkGeneration", ref, () => entityAttributes(entity));

/** Says what a review of something generated came to. The latest word on each of status, issues and score wins. */
export const reviewRecord = (ref: RefLike, quality: Quality): void => tell("reviewRecord", ref, () => qualityAttributes(quality));

/** Adds facts of the application's own to a generation; of facts with the same name the latest wins. */
export const annotateGeneration = (ref: RefLike, metadata: Readonly<Record<string, unknown>>): void =>
  tell("annotateGeneration", ref, (): Attributes => {
    const text = current().content.text(safeJson(metadata), "metadata");
    return text === undefined ? {} : { [A.GENSPAN_METADATA]: text };
  });

function tell(step: string, ref: RefLike, attributesOf: () => Attributes): void {
  const { recorder } = current();
  recorder.problems.guard(
    step,
    () => {
      const attributes = attributesOf();
      if (Object.keys(attributes).length === 0) return;
      if (!recorder.update(ref, attributes)) recorder.problems.report("configuration", `${step}: the reference is none`);
    },
    undefined,
  );
}
