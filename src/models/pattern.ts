// Patterns in the models are Java's. Most are JavaScript's too; this translates the rest.

const posixClasses: ReadonlyMap<string, string> = new Map([
  ["\\p{Print}", "\\x20-\\x7E"],
  ["\\p{Alnum}", "a-zA-Z0-9"],
]);

/**
 * The pattern as an expression that matches a whole text, as AWS does. Unicode mode where the pattern allows it, so that a
 * character beyond the basic plane counts as one. Throws SyntaxError if it cannot be read even so: an overlay must correct it.
 */
export function wholeTextPattern(javaPattern: string): RegExp {
  const translated = translate(javaPattern);
  try {
    return new RegExp(`^(?:${translated})$`, "u");
  } catch {
    // Escapes of characters that need none (`\_`) are errors in Unicode mode alone.
    return new RegExp(`^(?:${translated})$`);
  }
}

function translate(pattern: string): string {
  let text = "";
  let isInClass = false;
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern.charAt(at);
    if (character !== "\\") {
      if (character === "[") isInClass = true;
      if (character === "]") isInClass = false;
      text += character;
      continue;
    }
    const posix = /^\\p\{\w+\}/.exec(pattern.slice(at))?.[0];
    const range = posixClasses.get(posix ?? "");
    const escape = pattern.slice(at, at + 2);
    if (posix !== undefined && range !== undefined) {
      text += isInClass ? range : `[${range}]`;
      at += posix.length - 1;
      continue;
    }
    // Input's start and end, which the whole text's anchors already say.
    if (escape !== "\\A" && escape !== "\\z") text += escape;
    at += 1;
  }
  return text;
}
