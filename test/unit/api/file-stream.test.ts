import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type FileChunk, type FileEnd, fileStream } from "../../../collector/api/file-stream.ts";

async function* pages(count: number, onReturn: () => void): AsyncGenerator<FileChunk> {
  try {
    for (let i = 1; i <= count; i++) yield { text: `${i}\n`, rows: 1 };
  } finally {
    onReturn();
  }
}

function begin(count: number, stallMillis: number) {
  const ended = Promise.withResolvers<FileEnd>();
  const ends: FileEnd[] = [];
  const state = { returned: 0 };
  const leaving = new AbortController();
  const onEnd = async (end: FileEnd): Promise<void> => {
    ends.push(end);
    ended.resolve(end);
  };
  const chunks = pages(count, () => state.returned++);
  const reader = fileStream(chunks, { leaving, onEnd, mayGoOn: async () => true, stallMillis }).getReader();
  return { reader, ended: ended.promise, ends, state, leaving };
}

describe("the stream of a file", () => {
  it("ends with its rows and their checksum", async () => {
    const { reader, ends } = begin(2, 60_000);
    while (!(await reader.read()).done);
    expect(ends).toEqual([{ rows: 2, sha256: createHash("sha256").update("1\n2\n").digest("hex"), complete: true }]);
  });

  it.each([0, 1])("is broken off, with its reading, when the receiver takes nothing any more after %i pieces", async (taken) => {
    const { reader, ended, ends, state, leaving } = begin(9, 20);
    for (let i = 0; i < taken; i++) await reader.read();
    expect(await ended).toMatchObject({ rows: taken, complete: false });
    await expect(reader.read()).rejects.toThrow("takes nothing");
    expect([leaving.signal.aborted, ends.length, state.returned]).toEqual([true, 1, taken]);
  });

  it("ends once when the receiver leaves", async () => {
    const { reader, ends, leaving } = begin(9, 60_000);
    await reader.read();
    await reader.cancel();
    expect([ends.map(({ complete }) => complete), leaving.signal.aborted]).toEqual([[false], true]);
  });
});
