// Why pip could not install: because of the packages, so that another release of a framework may do, or because of the network, the
// disk or the index, where none would. Texts: pip's own (pip/_internal: index/collector.py, exceptions.py), from 20 to 25.

export interface PipFailure {
  /** One line for the user. */
  readonly reason: string;
  /** These packages do not install on this Python. */
  readonly isOfRelease: boolean;
}

export interface PipEnd {
  /** The last lines of what it printed. */
  readonly said: readonly string[];
  /** What it wrote with --log. */
  readonly log: string;
  /** Null: killed by a signal. */
  readonly exitCode: number | null;
  readonly extraIndex?: string;
}

const ofRelease =
  /No matching distribution found for|ResolutionImpossible|requires a different Python|is not a supported wheel on this platform|metadata-generation-failed|failed-wheel-build-for-install|legacy-install-failure|Failed (?:to build|building wheel)|subprocess-exited-with-error/i;
const ofDisk = /No space left on device|Disk quota exceeded|Read-only file system|Permission denied|MemoryError/i;
const ofNetwork =
  /Temporary failure in name resolution|Name or service not known|Connection (?:refused|reset|aborted|broken)|Network is unreachable|Cannot connect to proxy|SSLError|timed out|IncompleteRead|\b(?:401|403|407|429|5\d\d) (?:Client|Server) Error|not a trusted or secure host/i;

const lineOf = (text: string): string => text.trim().replace(/^ERROR: /, "");

/** "torch" of "No matching distribution found for torch==2.1.2 (from …)". */
const missingIn = (said: readonly string[]): string | undefined =>
  said.map((line) => /No matching distribution found for ([\w.-]+?)(?:[=<>!~\s;[]|$)/.exec(line)?.[1]).find(Boolean);

const normalized = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, "-");

/** A page of an index that could not be asked; an index that has no such page has answered. */
function unanswered({ log, said, extraIndex }: PipEnd): string | undefined {
  const missing = missingIn(said);
  for (const [, url = "", why = ""] of log.matchAll(/Could not fetch URL (\S+): (.*) - skipping/g)) {
    const name = url.replace(/\/+$/, "").split("/").at(-1) ?? "";
    if (missing !== undefined && normalized(name) !== normalized(missing)) continue;
    // Some indexes say "forbidden" of what they do not have: PyTorch's does.
    const isOfExtra = extraIndex !== undefined && url.startsWith(extraIndex);
    const isMissing = why.startsWith("404 ") || (why.startsWith("403 ") && isOfExtra);
    if (!isMissing) return `${url} could not be asked: ${why}`;
  }
  return undefined;
}

/** A connection that was tried again tells nothing of the end; but of a pip inside a build nothing else is to be seen. */
function brokenLine(said: readonly string[]): string | undefined {
  const isInside = said.some((line) => line.includes("install build dependencies"));
  return said.findLast(
    (line) => ofDisk.test(line) || (ofNetwork.test(line) && (isInside || !line.startsWith("WARNING: Retrying"))),
  );
}

export function pipFailure(end: PipEnd): PipFailure {
  const { said, exitCode } = end;
  const broken = unanswered(end) ?? brokenLine(said);
  if (broken !== undefined) return { reason: lineOf(broken), isOfRelease: false };
  if (exitCode === null || exitCode > 128) return { reason: "pip was killed", isOfRelease: false };
  const reason = said.findLast((line) => ofRelease.test(line));
  if (reason !== undefined) return { reason: lineOf(reason), isOfRelease: true };
  const last = said.findLast((line) => /error/i.test(line)) ?? said.at(-1) ?? `exit code ${exitCode}`;
  return { reason: lineOf(last), isOfRelease: false };
}
