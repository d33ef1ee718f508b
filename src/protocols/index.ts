// Front door of the protocols room.
export type { BoundOperation, Protocol, WireRequest, WireResponse } from "./protocol.ts";
export { createRouter, type FoundRoute, type LostRoute, type Router } from "./routing.ts";
