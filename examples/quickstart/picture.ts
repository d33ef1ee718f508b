// Digits as text: two rows of pixels in one row of characters.
const shades = [" ", "░", "▒", "▓", "█"];

const shade = (ink: number): string =>
  shades[Math.min(shades.length - 1, Math.floor(ink * 1.6 * shades.length))] ?? " ";

/** 14 lines of 28 characters for a 28 × 28 picture. */
export function drawDigit(pixels: Float32Array): string[] {
  const lines: string[] = [];
  for (let row = 0; row < 28; row += 2) {
    let line = "";
    for (let column = 0; column < 28; column++) {
      const ink = ((pixels[row * 28 + column] ?? 0) + (pixels[(row + 1) * 28 + column] ?? 0)) / 2;
      line += shade(ink);
    }
    lines.push(line);
  }
  return lines;
}

/** Pictures beside each other, `perRow` to a row, each with a caption. */
export function gallery(
  pictures: readonly { readonly caption: string; readonly pixels: Float32Array }[],
  perRow: number,
): string {
  const rows: string[] = [];
  for (let at = 0; at < pictures.length; at += perRow) {
    const group = pictures.slice(at, at + perRow);
    rows.push(group.map(({ caption }) => caption.padEnd(22)).join(" "));
    const drawn = group.map(({ pixels }) => drawDigit(pixels).map((line) => line.slice(3, 25)));
    for (let line = 1; line < 13; line++) rows.push(drawn.map((picture) => picture[line] ?? "").join(" "));
  }
  return rows.join("\n");
}
