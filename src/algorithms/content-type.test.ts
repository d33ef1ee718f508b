import { expect, test } from "vitest";
import { chooseOffer, labelSizeOf, parseContentType } from "./content-type.ts";

const offers = ["application/json", "text/csv"];

test("parameters are read, whatever the case and spacing", () => {
  expect(parseContentType('Text/CSV; Label_Size=1; charset="utf-8"')).toEqual({
    type: "text/csv",
    parameters: { label_size: "1", charset: "utf-8" },
  });
  expect(labelSizeOf(parseContentType("text/csv;label_size=0"), 1)).toBe(0);
  expect(labelSizeOf(parseContentType("text/csv;label_size=x"), 1)).toBe(1);
});

test("an Accept header picks the offer it likes best", () => {
  expect(chooseOffer(undefined, offers)).toBe("application/json");
  expect(chooseOffer("*/*", offers)).toBe("application/json");
  expect(chooseOffer("text/*", offers)).toBe("text/csv");
  expect(chooseOffer("application/json;q=0.1, text/csv", offers)).toBe("text/csv");
  expect(chooseOffer("application/json; verbose=true", offers)).toBe("application/json");
});

test("an Accept header that takes none picks none", () => {
  expect(chooseOffer("image/png", offers)).toBeUndefined();
  expect(chooseOffer("text/csv;q=0", offers)).toBeUndefined();
});
