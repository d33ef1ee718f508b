// What the docker shim changes in a Dockerfile: the images that it begins with. dockerd fetches them itself, past every proxy.
// https://docs.docker.com/reference/dockerfile/
import { mapImageName } from "./map-image-names.ts";

/** FROM [--platform=…] IMAGE, COPY --from=IMAGE, ARG NAME=IMAGE: everything else stays, byte for byte. */
const naming =
  /^([ \t]*(?:FROM[ \t]+(?:--\S+[ \t]+)*|COPY[ \t]+(?:--\S+[ \t]+)*?--from=|ARG[ \t]+\w+=["']?))([^\s"']+)/gim;

export const mapDockerfile = (text: string, registry: string): string =>
  text.replace(naming, (_, before: string, image: string) => before + mapImageName(image, registry));

/** Options of `docker build` that take no value. */
const switches = new Set([
  "--check",
  "--compress",
  "--debug",
  "-D",
  "--disable-content-trust",
  "--force-rm",
  "--help",
  "--load",
  "--no-cache",
  "--pull",
  "--push",
  "--quiet",
  "-q",
  "--rm",
  "--squash",
  "--stream",
]);

export interface Build {
  /** A folder, as docker is told. */
  readonly context: string;
  /** As docker is told; undefined: Dockerfile in the context. */
  readonly file: string | undefined;
  /** The arguments without the one that names the file. */
  readonly others: readonly string[];
}

/** --tag, -t: its value is the next word. --tag=NAME and -tNAME have it already. */
const takesNext = (word: string): boolean =>
  word.startsWith("--") ? !switches.has(word) && !word.includes("=") : /^-[^-]$/.test(word) && !switches.has(word);

interface Words {
  readonly file: string | undefined;
  readonly positional: readonly string[];
  readonly others: readonly string[];
}

function sorted(words: readonly string[]): Words {
  const others: string[] = [];
  const positional: string[] = [];
  let file: string | undefined;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    const value = takesNext(word) ? [words[++at] ?? ""] : [];
    const joined = /^(?:--file=|-f=?)(.+)$/s.exec(word)?.[1];
    if (word === "-f" || word === "--file") [file] = value;
    else if (joined !== undefined) file = joined;
    else others.push(word, ...value);
    if (!word.startsWith("-") || word === "-") positional.push(word);
  }
  return { file, positional, others };
}

const isElsewhere = (context: string): boolean => /^(?:-$|https?:|git@|git:|github\.com)/.test(context);

/** Undefined for what is no build, or one of a context that is no folder here. `at` is the place of the command. */
export function buildOf(args: readonly string[], at: number): Build | undefined {
  const from = ["image", "buildx", "builder"].includes(args[at] ?? "") ? at + 1 : at;
  if (args[from] !== "build") return undefined;
  const { file, positional, others } = sorted(args.slice(from + 1));
  const context = positional.at(-1);
  if (context === undefined || isElsewhere(context) || file === "-") return undefined;
  return { context, file, others: [...args.slice(0, from + 1), ...others] };
}
