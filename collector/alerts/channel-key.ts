import { createHash } from "node:crypto";
import type { Channel } from "./channels.ts";

const HASH_CHARS = 16;

/**
 * By which a channel of a rule is known again, wherever it stands in the list: its type and a hash of where it leads. Says nothing of an address, which
 * may be a secret; how messages are signed or written does not make it another one.
 */
export const channelKey = (ruleId: string, channel: Channel): string =>
  `${channel.type}:${createHash("sha256")
    .update(`${ruleId}\n${targetOf(channel)}`)
    .digest("hex")
    .slice(0, HASH_CHARS)}`;

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
