// The nearest release of a framework that installs here: the candidates are tried in turn, until one is there. The log's first line
// says what is used, so nothing is told before that is known; then everything is, as it happens.
import { UninstallableError, ensurePython, type PythonOptions } from "./python-environment.ts";
import { releaseOn, wantedOf, type ChosenPython } from "./choose-python.ts";
import type { PythonNeeds } from "../task/task.ts";
import { StageError } from "./planned-path.ts";
import { refusalOf, rememberRefusal, type RefusalOptions } from "./python-refusals.ts";

export type InstallOptions = Omit<PythonOptions, "onFound"> & RefusalOptions;

interface Refused {
  readonly candidate: ChosenPython;
  readonly reason: string;
}

/** Throws StageError: none of them installs, or one fails for a reason that the others would meet, too. */
export async function installNearest(
  needs: PythonNeeds,
  candidates: readonly ChosenPython[],
  options: InstallOptions,
): Promise<ChosenPython> {
  const { known, untried } = withoutRefused(candidates, options);
  const last = untried.at(-1);
  const speech = holdBack(options.tell);
  const refused: Refused[] = [];
  for (const candidate of untried) {
    const begin = (): void => speech.begin(candidate.note, known.filter(isNearer(candidate, candidates)).map(inWords));
    // After the last one nothing else would be used.
    if (candidate === last) begin();
    try {
      await ensurePython(candidate.wish, { ...options, tell: speech.tell, onFound: begin });
      begin();
      // Only now: where nothing installs, it is the index.
      for (const { candidate: other, reason } of refused) rememberRefusal(other, reason, options);
      return candidate;
    } catch (error) {
      if (error instanceof UninstallableError) {
        refused.push({ candidate, reason: error.reason });
        speech.tell(inWords({ candidate, reason: error.reason }));
        continue;
      }
      begin();
      throw error;
    }
  }
  throw new StageError(noneInstalls(needs, [...known, ...refused]));
}

/** Where all were refused once, none is taken for it: that was with other candidates. */
function withoutRefused(candidates: readonly ChosenPython[], options: RefusalOptions) {
  const known = candidates.flatMap((candidate): Refused[] => {
    const reason = refusalOf(candidate, options);
    return reason === undefined ? [] : [{ candidate, reason }];
  });
  const untried = candidates.filter((candidate) => known.every((each) => each.candidate !== candidate));
  return untried.length > 0 ? { known, untried } : { known: [], untried: candidates };
}

const isNearer =
  (than: ChosenPython, candidates: readonly ChosenPython[]) =>
  ({ candidate }: Refused): boolean =>
    candidates.indexOf(candidate) < candidates.indexOf(than);

const inWords = ({ candidate, reason }: Refused): string =>
  `${releaseOn(candidate)} cannot be installed here: ${reason}`;

function noneInstalls(needs: PythonNeeds, refused: readonly Refused[]): string {
  const each = refused.map(({ candidate, reason }) => `${releaseOn(candidate)}: ${reason}`).join("; ");
  const strict = needs.isStrict === true ? "; SALVIA_FRAMEWORK_STRICT allows no other release" : "";
  return `ClientError: ${wantedOf(needs)} cannot be installed on this machine: ${each}${strict}`;
}

interface Speech {
  readonly tell: (line: string) => void;
  /** What is used; told before all that was held back, once for each. */
  begin(first: string, more: readonly string[]): void;
}

function holdBack(tell: (line: string) => void): Speech {
  const held: string[] = [];
  let told: string | undefined;
  return {
    tell: (line) => (told === undefined ? void held.push(line) : tell(line)),
    begin: (first, more) => {
      if (told === first) return;
      told = first;
      for (const line of [first, ...more, ...held.splice(0)]) tell(line);
    },
  };
}
