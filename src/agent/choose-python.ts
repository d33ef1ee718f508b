// Which Pythons of this machine may run which releases of a framework, by the table: the nearest to the one asked for first.
import { readdirSync, realpathSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { systemPath } from "../lib/probe-namespaces.ts";
import type { PythonNeeds, PythonRelease } from "../task/task.ts";
import { StageError } from "./planned-path.ts";
import type { PythonWish } from "./python-environment.ts";

export interface FoundPython {
  readonly path: string;
  /** E.g. "3.11". */
  readonly version: string;
  /** Folders with the system's own packages for it. */
  readonly packageFolders?: readonly string[];
}

/** The Pythons in the system's folders, python3 first. */
export function findPythons(folders: readonly string[] = systemPath.split(delimiter)): FoundPython[] {
  const found = folders.flatMap((folder) =>
    namesIn(folder)
      .filter((name) => /^python3(\.\d+)?$/.test(name))
      .map((name) => join(folder, name)),
  );
  const known = new Map<string, FoundPython>();
  for (const path of found.sort((a, b) => basename(a).length - basename(b).length)) {
    // Every distribution's python3 is a link to its python3.N.
    const real = realpathSync(path);
    const version = /python(3\.\d+)$/.exec(basename(real))?.[1];
    if (version === undefined || known.has(version)) continue;
    known.set(version, { path, version, packageFolders: packageFolders(path, version) });
  }
  return [...known.values()];
}

/** Of /usr/bin/python3: Debian's folder, which is of its python3 alone, and everybody's. */
function packageFolders(path: string, version: string): readonly string[] {
  const prefix = dirname(dirname(path));
  const own = ["lib", "lib64"].map((lib) => join(prefix, lib, `python${version}`, "site-packages"));
  return basename(path) === "python3" ? [join(prefix, "lib/python3/dist-packages"), ...own] : own;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // Not every folder of the list is there.
  }
}

const minorOf = (version: string): number => Number(version.split(".")[1]);

const runsOn = ({ pythons: [from, to] }: PythonRelease, { version }: FoundPython): boolean =>
  minorOf(version) >= minorOf(from) && minorOf(version) <= minorOf(to);

export interface ChosenPython {
  readonly wish: PythonWish & { readonly python: string };
  /** Of the framework, e.g. "scikit-learn 1.2.1". */
  readonly release: string;
  /** Of Python, e.g. "3.11". */
  readonly version: string;
  /** What was asked and what is used: the job's first line. */
  readonly note: string;
}

/** What the system's Python has of the distribution, e.g. "1.13.1". */
function versionOnSystem(distribution: string, { packageFolders: folders = [] }: FoundPython): string | undefined {
  const pattern = new RegExp(String.raw`^${distribution}-(\d+\.\d+\.\d+)[^-]*(?:-py3[.\d]*)?\.(?:dist|egg)-info$`);
  return folders.flatMap(namesIn).flatMap((name) => pattern.exec(name)?.[1] ?? [])[0];
}

const toMinor = (version: string): string => version.split(".").slice(0, 2).join(".");

/** The release on the system's own package, where that has its version to the minor: nothing large is downloaded then. */
function onSystem(
  { name, fromSystem }: PythonNeeds,
  release: PythonRelease,
  python: FoundPython,
): ChosenPython["wish"] | undefined {
  const version = fromSystem && versionOnSystem(fromSystem.distribution, python);
  if (version === undefined || toMinor(version) !== toMinor(release.version)) return undefined;
  const packages = release.packages.filter((each) => !fromSystem?.brings.includes(each.split("==")[0] ?? ""));
  return { name: `${name}-${version}-of-the-system`, packages, python: python.path, seesSystem: true };
}

/** What was asked for, for messages. */
export const wantedOf = ({ name, asked }: PythonNeeds): string => (asked === undefined ? name : `${name} ${asked}`);

export const releaseOn = ({ release, version }: Pick<ChosenPython, "release" | "version">): string =>
  `${release} on Python ${version}`;

const shownOf = ({ version, shown = version }: PythonRelease): string => shown;

/** The release on one of the Pythons. */
function chosenOn(needs: PythonNeeds, release: PythonRelease, python: FoundPython): ChosenPython {
  const { name, extraIndex, note, fromSystem } = needs;
  const named = { release: `${name} ${shownOf(release)}`, version: python.version };
  const said = `Framework asked for: ${wantedOf(needs)}; used: ${releaseOn(named)}`;
  const ofSystem = onSystem(needs, release, python);
  if (ofSystem) return { ...named, wish: ofSystem, note: `${said}, with the system's ${fromSystem?.distribution}` };
  const wish = {
    name: `${name}-${release.version}`,
    packages: release.packages,
    python: python.path,
    ...(extraIndex === undefined ? {} : { extraIndex }),
    ...(note === undefined ? {} : { note }),
  };
  return { ...named, wish, note: said };
}

/** The best first, at least one. Throws StageError where none of the releases runs here. */
export function choosePythons(needs: PythonNeeds, pythons: readonly FoundPython[] = findPythons()): ChosenPython[] {
  const { releases } = needs;
  const chosen = releases.flatMap((release) =>
    pythons.filter((python) => runsOn(release, python)).map((python) => chosenOn(needs, release, python)),
  );
  if (chosen.length > 0) return chosen;
  const wanted = wantedOf(needs);
  const have = pythons.map(({ version }) => version).join(", ") || "none";
  const need = releases.map((release) => `${shownOf(release)} needs Python ${release.pythons.join(" to ")}`);
  throw new StageError(
    need.length === 0
      ? `ClientError: There is no release for ${wanted}, and SALVIA_FRAMEWORK_STRICT allows no other`
      : `ClientError: ${wanted} cannot be installed on the Pythons of this machine (${have}): ${need.join("; ")}`,
  );
}
