// Writes zod_cases.json anew: what Zod 3 says of each value. In a folder with zod@3.25.76: node zod_cases.mjs
import fs from "fs";
import { z } from "zod";
const texts = z.union([z.string(), z.array(z.string())]);
const filled = z.union([z.string().min(1), z.array(z.string().min(1))]);
const time = z.string().datetime({ offset: true, local: true });
const kinds = {
  text: z.string().min(1),
  plain: z.string(),
  optional_text: z.string().optional(),
  nullable_text: z.string().min(1).nullable().optional(),
  flag: z.boolean(),
  optional_flag: z.boolean().optional(),
  map: z.record(z.string()),
  filled_map: z.record(z.string().min(1)),
  texts: texts,
  optional_texts: texts.optional(),
  filled_texts: filled.optional(),
  moment: time,
  one_of: z.enum(["7", "30"]),
  whole: z.number().int().min(1).max(100000).optional(),
  list: z.array(z.string()).min(1).max(3),
  objects: z.array(z.object({ filename: z.string().min(1), content: z.string().min(1) })).max(2),
  object: z.object({ name: z.string(), inner: z.object({ flag: z.boolean().optional() }).optional() }),
};
const values = [
  "__absent__",
  null,
  true,
  false,
  0,
  1,
  1.5,
  -3,
  100001,
  1e300,
  "",
  "a",
  "7",
  "abc",
  [],
  ["a"],
  ["a", ""],
  [1, "a"],
  [[]],
  [null],
  ["a", "b", "c", "d"],
  {},
  { a: "b" },
  { a: 1 },
  { a: "" },
  { a: null, b: "c" },
  { filename: "a", content: "b" },
  [{}],
  [{ filename: "", content: 5 }],
  [
    { filename: "a", content: "b" },
    { filename: "a", content: "b" },
    { filename: "a", content: "b" },
  ],
  [3],
  { name: "x" },
  { name: 1, inner: { flag: "x" } },
  { name: "x", inner: [] },
  { name: "x", inner: { flag: true } },
  "2026-01-01T00:00:00Z",
  "2026-01-01T00:00:00+02:00",
  "2026-01-01T00:00:00",
  "2026-02-30T00:00:00Z",
  "2026-01-01",
  "2026-01-01T00:00Z",
  "2026-01-01T24:00:00Z",
  "2026-01-01t00:00:00z",
  "2026-01-01T00:00:00.123456789Z",
  "2026-01-01T00:00:00+0200",
  "2026-13-01T00:00:00Z",
  "tomorrow",
];
const query = { page: z.coerce.number().int().min(1).max(50) };
const qvalues = [
  "",
  "abc",
  "1",
  "50",
  "51",
  "0",
  "-1",
  "1.5",
  "-1.5",
  "70.5",
  " 7 ",
  "1e1",
  "0x10",
  "0b11",
  "0o17",
  "1_0",
  "+5",
  ".5",
  "5.",
  "-0x1",
  "Infinity",
  "-Infinity",
  "NaN",
  "null",
  "true",
  "1e400",
  "9".repeat(25),
];
const out = [];
const run = (kind, schema, v, key) => {
  const o = v === "__absent__" ? {} : { [key]: v };
  const r = z.object({ [key]: schema }).safeParse(o);
  out.push({ kind, ...(v === "__absent__" ? {} : { value: v }), issues: r.success ? [] : r.error.issues });
};
// Of a list that is too long and has unfit items, we tell the length only.
for (const [k, s] of Object.entries(kinds))
  for (const v of values) if (k !== "objects" || v?.length !== 4) run(k, s, v, k);
for (const [k, s] of Object.entries(query)) for (const v of qvalues) run(k, s, v, k);
fs.writeFileSync("zod_cases.json", "[\n" + out.map((x) => JSON.stringify(x)).join(",\n") + "\n]\n");
