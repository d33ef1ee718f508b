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

/** Nearest to the tag's version first, of two equally near the newer one; without a version, newest first. */
export function nearestFirst(releases: readonly PythonRelease[], tag: string | undefined): readonly PythonRelease[] {
  const asked = tag === undefined ? undefined : versionOf(tag);
  if (!asked) return releases;
  const distance = ({ version }: PythonRelease): number => Math.abs(place(versionOf(version) ?? asked) - place(asked));
  // Stable: the table has the newer ones first.
  return releases.toSorted((one, other) => distance(one) - distance(other));
}

/** Whether the release is of the version that the tag names; a tag without one names them all. */
export function isAsked(version: string, tag: string | undefined): boolean {
  const asked = tag === undefined ? undefined : versionOf(tag);
  const used = versionOf(version);
  return !asked || !used || place(asked) === place(used);
}

/** What the agent's machine needs; `isStrict` refuses another version than the tag's. */
export function pythonNeeds({ framework, tag }: FrameworkImage, isStrict: boolean): PythonNeeds {
  const { name, releases, extraIndex, note, fromSystem } = framework;
  const ordered = nearestFirst(releases, tag).filter(({ version }) => !isStrict || isAsked(version, tag));
  return {
    name,
    releases: ordered,
    ...(tag === undefined ? {} : { asked: tag }),
    ...(isStrict ? { isStrict } : {}),
    ...(extraIndex === undefined ? {} : { extraIndex }),
    ...(note === undefined ? {} : { note }),
    ...(fromSystem === undefined ? {} : { fromSystem }),
  };
}
