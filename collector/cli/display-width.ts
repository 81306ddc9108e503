const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Scripts and blocks that terminals draw two columns wide (Unicode East Asian Width W and F). */
const WIDE =
  /^[\u{1100}-\u{115F}\u{2329}\u{232A}\u{2E80}-\u{303E}\u{3041}-\u{4DBF}\u{4E00}-\u{A4CF}\u{A960}-\u{A97F}\u{AC00}-\u{D7A3}\u{F900}-\u{FAFF}\u{FE30}-\u{FE6F}\u{FF01}-\u{FF60}\u{FFE0}-\u{FFE6}\u{16FE0}-\u{18DFF}\u{1AFF0}-\u{1B2FB}\u{1F200}-\u{1F265}\u{20000}-\u{3FFFD}]/u;
const EMOJI = /\p{Emoji_Presentation}|\p{Emoji}\uFE0F|[\u{1F1E6}-\u{1F1FF}]{2}/u;
const INVISIBLE = /^[\p{Control}\p{Format}\p{Mark}]+$/u;
const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

function graphemeWidth(grapheme: string): number {
  if (INVISIBLE.test(grapheme)) return 0;
  return EMOJI.test(grapheme) || WIDE.test(grapheme) ? 2 : 1;
}

/** Columns that `text` takes in a terminal: two for CJK and emoji, none for combining marks. */
export function displayWidth(text: string): number {
  if (PRINTABLE_ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** `text` cut to at most `maxWidth` columns, with … where something is missing. */
export function truncateToWidth(text: string, maxWidth: number): string {
  // No character is wider than its length says by more than a factor of two, so the tail of a long text is never looked at.
  if (text.length <= maxWidth && displayWidth(text) <= maxWidth) return text;
  let width = 0;
  let end = 0;
  for (const { segment, index } of graphemes.segment(text.slice(0, maxWidth * 16))) {
    const next = width + graphemeWidth(segment);
    if (next > maxWidth - 1) return `${text.slice(0, end)}…`;
    width = next;
    end = index + segment.length;
  }
  return end < text.length ? `${text.slice(0, end)}…` : text;
}

/** Pads with spaces to `width` columns, at the end or (for numbers) at the start. */
export function padToWidth(text: string, width: number, alignRight = false): string {
  const padding = " ".repeat(Math.max(0, width - displayWidth(text)));
  return alignRight ? padding + text : text + padding;
}
