// Hand-kept corrections to the generated models, each with its reason. A model update never touches this file.

/** Replacement patterns by service and shape, in the service's own (Java) dialect. */
export const patternCorrections: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sagemaker: {
    // Published as `…)*${1,128}`, which is no regular expression; the quantifier was meant for the whole.
    CustomerMetadataKey: "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$",
    CustomerMetadataValue: "^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$",
  },
};

/** Values that Salvia accepts and the published enum lacks. */
export const extraEnumValues: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {};
