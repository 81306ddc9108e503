import { createHash } from "node:crypto";
import type { Channel } from "./channels.ts";

const HASH_CHARS = 16;

/**
 * By which a channel of a rule is known again, wherever it stands in the list: its type, a hash of where it leads and, of a webhook, one of how its
 * messages are written. Says nothing of an address, which may be a secret; how messages are signed does not make it another one.
 */
export const channelKey = (ruleId: string, channel: Channel): string =>
  [targetKey(ruleId, channel), ...formOf(channel).map(hash)].join(":");

/** As earlier versions noted a channel: one key for all webhooks of a rule that lead to the same address. */
const targetKey = (ruleId: string, channel: Channel): string => `${channel.type}:${hash(`${ruleId}\n${targetOf(channel)}`)}`;

const hash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, HASH_CHARS);

function targetOf(channel: Channel): string {
  switch (channel.type) {
    case "webhook":
      return channel.url;
    case "email":
      return channel.to
        .map((address) => address.toLowerCase())
        .toSorted()
        .join(",");
    case "log":
      return "";
  }
}

/** How messages are written, where there is a choice. A template that the format does not use changes nothing. */
function formOf(channel: Channel): string[] {
  if (channel.type !== "webhook") return [];
  return [channel.format === "template" ? `template\n${channel.template ?? ""}` : channel.format];
}

/** Who took the messages of one kind: keys; in events of earlier versions also keys of targets alone, or places in the list. */
export type ToldNote = readonly (string | number)[];

export interface ToldChannels {
  /** The channel at this place took the message for certain. */
  has(place: number): boolean;
  /** It took it, or one did that led to the same address and is not there any more, such as itself before its template was changed. */
  mayHave(place: number): boolean;
}

/** Reads a note for the channels that a rule has now. */
export function readTold(note: ToldNote, ruleId: string, channels: readonly Channel[]): ToldChannels {
  const keys = channels.map((channel) => channelKey(ruleId, channel));
  const targets = channels.map((channel) => targetKey(ruleId, channel));
  const gone = note.filter((noted) => typeof noted === "string" && !keys.includes(noted)).map(String);
  const isAlone = (place: number): boolean => keys.every((key, other) => key === keys[place] || targets[other] !== targets[place]);
  const isNoted = (place: number): boolean => note.includes(keys[place] ?? "") || note.includes(place);
  return {
    has: (place) => isNoted(place) || (note.includes(targets[place] ?? "") && isAlone(place)),
    mayHave: (place) => isNoted(place) || gone.some((noted) => `${noted}:`.startsWith(`${targets[place]}:`)),
  };
}
