// Words of a metric math expression. Source: "Using math expressions with CloudWatch metrics", CloudWatch user guide.
export interface Token {
  readonly kind: "number" | "name" | "text" | "operator" | "end";
  readonly text: string;
  /** Characters before it, from 0. */
  readonly at: number;
}

/** Why an expression cannot be read or carried out; the caller puts its id in front. */
export class ExpressionError extends Error {}

const maxExpressionLength = 2_048;

const pattern =
  /\s*(?:(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)|([A-Za-z_]\w*)|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(&&|\|\||[<>=!]=|[-+*/^(),[\]<>]))/y;

export function tokensOf(expression: string): readonly Token[] {
  if (expression.length > maxExpressionLength)
    throw new ExpressionError(`The expression is longer than ${maxExpressionLength} characters`);
  const tokens: Token[] = [];
  const matcher = new RegExp(pattern);
  let at = 0;
  while (expression.slice(at).trim() !== "") {
    matcher.lastIndex = at;
    const found = matcher.exec(expression);
    if (!found) throw new ExpressionError(`Unexpected character at position ${at + 1}`);
    const [whole, number, name, double, single, operator] = found;
    const text = number ?? name ?? double ?? single ?? operator ?? "";
    const kind =
      number !== undefined ? "number" : name !== undefined ? "name" : operator !== undefined ? "operator" : "text";
    tokens.push({ kind, text, at: at + whole.length - text.length });
    at = matcher.lastIndex;
  }
  tokens.push({ kind: "end", text: "", at: expression.length });
  return tokens;
}
