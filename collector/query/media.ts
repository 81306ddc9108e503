import { RequestError } from "../base/request-error.ts";
import type { Reader } from "./reader.ts";
import { sql } from "./sql.ts";

/** A picture, sound or file as it is stored: once, by its hash, however many calls hold it. */
export interface Media {
  readonly mediaType: string | null;
  readonly content: Buffer;
}

const SHA256 = /^[0-9a-f]{64}$/i;

/** Throws RequestError where the project has nothing of that hash, or keeps no more of it than the hash. */
export const readMedia = (reader: Reader, projectId: number, sha256: string): Promise<Media> => {
  if (!SHA256.test(sha256)) throw new RequestError("bad_request", "give the SHA-256 in 64 hexadecimal characters");
  return reader.read({ projectId }, async (ask) => {
    const [found] = await ask<Media>(sql`
      SELECT media_type AS "mediaType", content FROM blobs WHERE project_id = ${projectId} AND hash = decode(${sha256}, 'hex')`);
    if (found === undefined) throw new RequestError("not_found", "there is no stored content of that hash");
    return found;
  });
};
