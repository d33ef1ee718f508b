// Front door of the models room.
export type {
  ErrorShape,
  ListShape,
  MapShape,
  Member,
  NumberShape,
  OperationModel,
  ProtocolName,
  ServiceModel,
  ServiceName,
  Shape,
  StringShape,
  StructureShape,
  TimestampFormat,
  TimestampShape,
} from "./model.ts";
export type { Operations } from "./generated/services.ts";
export { modelsVersion, services } from "./generated/services.ts";
export { createValidator, type Validator } from "./validate.ts";
export { createModels, isServiceName, type Models } from "./models.ts";
