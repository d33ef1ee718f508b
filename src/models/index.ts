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
export { services } from "./generated/services.ts";
export { createValidator, type Validator } from "./validate.ts";
export { createModels, type Models } from "./models.ts";
