export interface NamedFolder {
  readonly name: string;
  readonly folder: string;
}

/** Of a setting of the form NAME=FOLDER. */
export function namedFolder(setting: string): NamedFolder {
  const at = setting.indexOf("=");
  return { name: setting.slice(0, at), folder: setting.slice(at + 1) };
}
