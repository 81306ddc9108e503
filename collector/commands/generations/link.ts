import { type CallIds, type CommandContext, changeCall } from "./change.ts";

/** A thing of the application's own: `lesson` `42`. */
export interface Entity {
  readonly type: string;
  readonly id: string;
}

/** Says which thing of the application a call made; null takes that back. */
export async function linkCall(context: CommandContext, ids: CallIds, entity: Entity | null): Promise<void> {
  await changeCall(context, ids, ({ entity_type, entity_id }) => ({
    attributes: { "genspan.entity.type": entity?.type ?? null, "genspan.entity.id": entity?.id ?? null },
    action: entity === null ? "generation.unlink" : "generation.link",
    details: { before: { entity_type, entity_id }, after: { entity_type: entity?.type ?? null, entity_id: entity?.id ?? null } },
  }));
}
