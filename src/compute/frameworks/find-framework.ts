// How an image that is no built-in algorithm runs on a backend without containers: SageMaker's framework images, by repository name
// and tag, as Python environments. Names: the SageMaker SDK's image_uri_config/*.json.
import type { PythonNeeds, PythonRelease } from "../../task/task.ts";
import type { Framework } from "./framework.ts";
import { frameworks } from "./frameworks.ts";

export interface FrameworkImage {
  readonly framework: Framework;
  /** Undefined: no tag. */
  readonly tag?: string;
}

/** By repository name: "246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3" is scikit-learn anywhere. */
export function findFramework(imageUri: string): FrameworkImage | undefined {
  const [, repository, tag] = /^([^:@]+)(?::([^@]*))?/.exec(imageUri.split("/").at(-1) ?? "") ?? [];
  const framework = frameworks.find(({ images }) => repository !== undefined && images.includes(repository));
  return framework && { framework, ...(tag === undefined || tag === "" ? {} : { tag }) };
}

interface Version {
  readonly major: number;
  readonly minor: number;
}

/** Of a release, or the leading one of a tag: "1.2-1-cpu-py3", "2.3.0-gpu-py311". */
function versionOf(text: string): Version | undefined {
  const [, major, minor] = /^v?(\d+)\.(\d+)/.exec(text) ?? [];
  return major === undefined || minor === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

const place = ({ major, minor }: Version): number => major * 1_000 + minor;

/** What a release has of a package, e.g. "4.26.1" of transformers. */
const packageVersion = ({ packages }: PythonRelease, name: string): string | undefined =>
  packages.find((each) => each.startsWith(`${name}==`))?.slice(name.length + 2);

/** How many minor versions the release is away from the tag's, and from the tag's of its other packages; a tag without one is near to all. */
function distance(release: PythonRelease, tag: string | undefined, tagged: readonly string[]): number {
  if (tag === undefined) return 0;
  const pairs = [
    [tag, release.version],
    ...tagged.map((name) => [tag.split("-").find((part) => part.startsWith(name)), packageVersion(release, name)]),
  ];
  return pairs
    .map(([asked = "", used = ""]) => [versionOf(asked.replace(/^[a-z]+(?=\d)/, "")), versionOf(used)] as const)
    .reduce((sum, [asked, used]) => sum + (asked && used ? Math.abs(place(asked) - place(used)) : 0), 0);
}

/** Nearest to the tag's versions first, of two equally near the newer one; without a version, newest first. */
export function nearestFirst(
  releases: readonly PythonRelease[],
  tag: string | undefined,
  tagged: readonly string[] = [],
): readonly PythonRelease[] {
  // Stable: the table has the newer ones first.
  return releases.toSorted((one, other) => distance(one, tag, tagged) - distance(other, tag, tagged));
}

/** Whether the release is of the versions that the tag names, to the minor; a tag without one names them all. */
export const isAsked = (release: PythonRelease, tag: string | undefined, tagged: readonly string[] = []): boolean =>
  distance(release, tag, tagged) === 0;

/** For people: "1.13.1 with transformers 4.26.1". */
function shown(release: PythonRelease, tagged: readonly string[]): PythonRelease {
  if (tagged.length === 0) return release;
  const others = tagged.map((name) => `${name} ${packageVersion(release, name)}`);
  return { ...release, shown: `${release.version} with ${others.join(", ")}` };
}

/** What the agent's machine needs; `isStrict` refuses another version than the tag's. */
export function pythonNeeds({ framework, tag }: FrameworkImage, isStrict: boolean): PythonNeeds {
  const { name, releases, extraIndex, note, fromSystem, tagged = [] } = framework;
  const ordered = nearestFirst(releases, tag, tagged).filter((one) => !isStrict || isAsked(one, tag, tagged));
  return {
    name,
    releases: ordered.map((one) => shown(one, tagged)),
    ...(tag === undefined ? {} : { asked: tag }),
    ...(isStrict ? { isStrict } : {}),
    ...(extraIndex === undefined ? {} : { extraIndex }),
    ...(note === undefined ? {} : { note }),
    ...(fromSystem === undefined ? {} : { fromSystem }),
  };
}
