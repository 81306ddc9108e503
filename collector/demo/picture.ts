import { crc32, deflateSync } from "node:zlib";

const SIDE = 96;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const BIT_DEPTH = 8;
const INDEXED_COLOR = 3;

/** Sky, ground, subject and its outline, one palette per motif; red, green, blue. */
const PALETTES = [
  "bfdbfe 65a30d f97316 7c2d12",
  "e0f2fe 0284c7 f8fafc 075985",
  "ecfccb 4d7c0f facc15 365314",
  "fde68a 78716c b91c1c 292524",
  "fff7ed d6a76c ef4444 7f1d1d",
  "1e1b4b 312e81 fde047 a5b4fc",
].map((colors) => Buffer.from(colors.replaceAll(" ", ""), "hex"));

export interface Motif {
  /** Which of the palettes. */
  readonly subject: number;
  /** The subject's size, from 1. */
  readonly variant: number;
}

/** A small drawing as PNG (Portable Network Graphics, 3rd edition): a round subject above the ground. The same motif gives the same bytes. */
export function drawPicture({ subject, variant }: Motif): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(SIDE, 0);
  header.writeUInt32BE(SIDE, 4);
  header[8] = BIT_DEPTH;
  header[9] = INDEXED_COLOR;
  const palette = PALETTES[subject % PALETTES.length]!;
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", palette),
    chunk("IDAT", deflateSync(pixels(12 + 6 * variant))),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** Rows of palette indices, each after the number of its filter, which is none. */
function pixels(radius: number): Buffer {
  const rows = Buffer.alloc(SIDE * (SIDE + 1));
  const [centerX, centerY, horizon] = [SIDE / 2, SIDE * 0.45, SIDE * 0.7];
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      const distance = Math.hypot(x - centerX, y - centerY);
      const background = y > horizon ? 1 : 0;
      rows[y * (SIDE + 1) + 1 + x] = distance > radius ? background : distance > radius - 3 ? 3 : 2;
    }
  }
  return rows;
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length, 0);
  frame.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
}
