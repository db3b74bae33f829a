/** Ten records of ten fields, as a table's rows look. */

export interface Row {
  readonly id: number;
  readonly name: string;
  readonly email: string;
  readonly age: number;
  readonly isActive: boolean;
  readonly score: number;
  readonly city: string;
  readonly country: string;
  readonly visits: number;
  readonly note: string | null;
}

export const rows: readonly Row[] = Array.from({ length: 10 }, (_, i) => ({
  id: 1_000 + i,
  name: `Ada Lovelace ${i}`,
  email: `ada.${i}@example.com`,
  age: 20 + i,
  isActive: i % 2 === 0,
  score: i / 3,
  city: "London",
  country: "GB",
  visits: 70_000 * i,
  note: i % 3 === 0 ? null : "prefers letters",
}));
